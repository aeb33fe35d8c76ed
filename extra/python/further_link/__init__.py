"""What a program that runs under FurtherLink can do beside its own output.

``KeyboardButton`` hears of keys that are pressed at the client, ``send_image`` shows a picture there.
"""

from .keyboard import KeyboardButton
from .image import send_image
from .version import __version__

__all__ = ["KeyboardButton", "send_image", "__version__"]
