"""The Unix sockets over which a program and the server exchange messages.

A message is its text, then " end" with the channel's name and a space. The sockets are in the directory that the environment
variable FURTHER_LINK_TEMP_DIR names ("/tmp" without it); their names begin with the number of the program's process group.
"""

import os
import selectors
import socket
import sys
import threading
import time

# The server makes its sockets at about the time the program starts; so long it is waited for, once for each channel.
CONNECT_TIMEOUT = 2.0
CONNECT_PAUSE = 0.01


def _directory():
    return os.environ.get("FURTHER_LINK_TEMP_DIR") or "/tmp"


def _groups():
    """The numbers a socket's name may begin with: our process group, and that of the shell we were started from."""
    group, session = os.getpgid(0), os.getsid(0)
    return [group] if group == session else [group, session]


def _path(group, channel):
    return os.path.join(_directory(), "{}.{}.sock".format(group, channel))


def _connect_once(channel):
    error = None
    for group in _groups():
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.connect(_path(group, channel))
            return connection, group
        except OSError as failure:
            connection.close()
            error = failure
    raise error


class _Sender:
    """One channel on which we send, over a connection that is kept; usable from every thread."""

    def __init__(self, channel):
        self._channel = channel
        self._lock = threading.Lock()
        self._connection = None
        self._process = None  # a fork must not write between our messages
        self._waited = False
        self._warned = False
        self._group = None

    def send(self, text):
        """Sends a message whole; waits where the server is slower. Returns whether it was sent."""
        if isinstance(text, str):
            text = text.encode("utf-8", "replace")
        message = text + " end{} ".format(self._channel).encode()
        with self._lock:
            # A connection that was kept may be one that the server has closed: then a new one is made.
            for _ in range(2):
                try:
                    kept = self._connection is not None and self._process == os.getpid()
                    if not kept:
                        self._connect()
                    self._connection.sendall(message)
                    return True
                except OSError as error:
                    self._close()
                    if not kept:
                        self._warn(error)
                        return False
            return False

    def find_group(self):
        """The number that the server's socket is named by, which is the one to name ours by; waits for it like a first message."""
        with self._lock:
            if self._connection is None:
                try:
                    self._connect()
                except OSError:
                    return os.getpgid(0)  # sending will say so
            return self._group

    def _connect(self):
        self._close()
        give_up = time.monotonic() + (0 if self._waited else CONNECT_TIMEOUT)
        self._waited = True
        while True:
            try:
                self._connection, self._group = _connect_once(self._channel)
                self._process = os.getpid()
                return
            except OSError:
                if time.monotonic() >= give_up:
                    raise
            time.sleep(CONNECT_PAUSE)

    def _close(self):
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _warn(self, error):
        if not self._warned:
            self._warned = True
            print(
                "Warning: the further_link {} channel is not available: {}".format(self._channel, error),
                file=sys.stderr,
            )


_senders = {}
_senders_lock = threading.Lock()


def _sender(channel):
    with _senders_lock:
        return _senders.setdefault(channel, _Sender(channel))


def send(channel, text):
    """Sends text (str or bytes) on a channel; returns whether there was a server to take it."""
    return _sender(channel).send(text)


def find_group(channel):
    """The number that the sockets of this program are named by."""
    return _sender(channel).find_group()


class Messages:
    """Cuts the bytes of one connection into the messages of a channel, wherever reads cut them."""

    def __init__(self, channel):
        self._end = " end{} ".format(channel).encode()
        self._bytes = b""

    def feed(self, data):
        """Takes what was read; returns the messages that are whole now."""
        *whole, self._bytes = (self._bytes + data).split(self._end)
        return [text.decode("utf-8", "replace") for text in whole if text]


class Listener:
    """One channel on which we listen."""

    def __init__(self, channel, group):
        self._channel = channel
        self._path = _path(group, channel)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            os.unlink(self._path)  # left behind by a program that had this number before
        except FileNotFoundError:
            pass
        self._socket.bind(self._path)
        self._socket.listen(4)

    def close(self):
        """Removes the socket, so that nobody connects any more."""
        self._socket.close()
        try:
            os.unlink(self._path)
        except OSError:
            pass

    def run(self, on_message):
        """Calls back with each message, for ever."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._socket, selectors.EVENT_READ)
            while True:
                for key, _ in selector.select():
                    if key.data is None:
                        connection, _ = self._socket.accept()
                        selector.register(connection, selectors.EVENT_READ, Messages(self._channel))
                    else:
                        self._read(selector, key, on_message)

    @staticmethod
    def _read(selector, key, on_message):
        try:
            data = key.fileobj.recv(65536)
        except OSError:
            data = b""
        if not data:
            selector.unregister(key.fileobj)
            key.fileobj.close()
        for message in key.data.feed(data):
            on_message(message)
