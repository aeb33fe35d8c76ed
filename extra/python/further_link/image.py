"""Pictures that are shown at the client."""

import base64
import io

from . import channels

# What JPEG can hold; pictures of other kinds lose what it cannot, such as transparency.
_JPEG_MODES = ("1", "L", "RGB", "RGBX", "CMYK", "YCbCr")


def send_image(frame, format=None):
    """Shows a picture at the client.

    ``frame`` is an image of Pillow, or an array as OpenCV has it: height by width for grey, height by width by 3 for blue, green
    and red. ``format`` is not needed and kept for programs that still give it. Waits while the server is busy with the one before.
    """
    channels.send("video", base64.b64encode(_jpeg(frame)))


def _jpeg(frame):
    try:
        from PIL import Image
    except ImportError as error:
        raise ImportError("send_image needs Pillow: install python3-pil") from error
    if not isinstance(frame, Image.Image):
        frame = Image.fromarray(_rgb(frame))
    if frame.mode not in _JPEG_MODES:
        frame = frame.convert("RGB")
    file = io.BytesIO()
    frame.save(file, format="JPEG", optimize=True)
    return file.getvalue()


def _rgb(array):
    shape = getattr(array, "shape", None)
    if shape is None or len(shape) not in (2, 3):
        raise TypeError("send_image takes an image of Pillow or an array of 2 or 3 dimensions, not {}".format(type(array).__name__))
    if len(shape) == 2:
        return array
    if shape[2] == 1:
        return array[:, :, 0]
    return array[:, :, 2::-1]  # blue, green, red (and alpha, which goes) to red, green, blue
