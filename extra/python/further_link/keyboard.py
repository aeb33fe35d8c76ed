"""Keys that are pressed at the client."""

import atexit
import sys
import threading
import time
import traceback

from . import channels

# So long after a button is made, its first event waits for it to get a function: the client hears of the key before the next line
# of the program has run, and somebody may be holding it down already.
SETUP_TIME = 0.5


class _Keys:
    """Listens for key events of all buttons; made with the first of them."""

    def __init__(self, group):
        self._buttons = {}
        self._lock = threading.Lock()
        self._listener = channels.Listener("keyevent", group)
        atexit.register(self._listener.close)
        self._thread = threading.Thread(target=self._listener.run, args=(self._on_message,), daemon=True)
        self._thread.start()
        # A program that has buttons goes on when its last line is done, as long as that was not by an error or Ctrl-C.
        threading.Thread(target=self._keep_alive).start()

    def add(self, button):
        with self._lock:
            self._buttons.setdefault(button.key, []).append(button)

    def _on_message(self, message):
        key, _, event = message.rpartition(" ")  # the space is a key too
        with self._lock:
            buttons = list(self._buttons.get(key, ()))
        for button in buttons:
            try:
                button._on_event(event)
            except Exception:
                # As in any thread: said, and the next key is heard all the same.
                traceback.print_exc()

    def _keep_alive(self):
        threading.main_thread().join()
        if getattr(sys, "last_type", None) is None:
            self._thread.join()


_keys = None
_keys_lock = threading.Lock()


def _listen(button):
    global _keys
    with _keys_lock:
        if _keys is None:
            _keys = _Keys(channels.find_group("keylisten"))
        _keys.add(button)


class KeyboardButton:
    """A key of the client's keyboard, used like a button.

    ``key`` is named as in the web's ``KeyboardEvent.key``: ``"a"``, ``"ArrowUp"``, ``" "``. The functions are called without
    arguments, one at a time, in a thread of their own.
    """

    def __init__(self, key):
        self.key = key
        self._when_pressed = None
        self._when_released = None
        self._pressed = False
        self._used = threading.Event()
        self._made = time.monotonic()
        # First we listen, then the client is told: its first event finds us.
        _listen(self)
        channels.send("keylisten", key)

    @property
    def when_pressed(self):
        """The function called when the key goes down, again while it repeats; None = none."""
        return self._when_pressed

    @when_pressed.setter
    def when_pressed(self, function):
        self._when_pressed = function
        self._used.set()

    @property
    def when_released(self):
        """The function called when the key goes up; None = none."""
        return self._when_released

    @when_released.setter
    def when_released(self, function):
        self._when_released = function
        self._used.set()

    @property
    def is_pressed(self):
        """Whether the key is down now."""
        return self._pressed

    def _on_event(self, event):
        if event not in ("keydown", "keyup"):
            return
        self._pressed = event == "keydown"
        if not self._used.is_set():
            self._used.wait(max(0, self._made + SETUP_TIME - time.monotonic()))
        function = self._when_pressed if self._pressed else self._when_released
        if function is not None:
            function()
