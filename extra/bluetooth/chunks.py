"""The chunk protocol: messages longer than a value of Bluetooth LE, in pieces that may come in any order."""

import random
import struct

HEADER = 8

# What BlueZ accepts at most in a write, and in one that is longer than the MTU and so prepared: it counts the bytes before the value, too.
WRITE, PREPARED = 510, 508


def cut(message, value=WRITE):
    """The chunks of a message, each at most `value` bytes. A message that fills its last chunk is followed by an empty one."""
    room = value - HEADER
    last = len(message) // room
    ident = random.getrandbits(16)
    return [header(ident, last, index) + message[index * room:(index + 1) * room] for index in range(last + 1)]


def header(ident, last, index):
    return struct.pack("<H", ident) + last.to_bytes(3, "little") + index.to_bytes(3, "little")


def parse(chunk):
    """Message id, index of the last chunk, index of this chunk, payload."""
    if len(chunk) < HEADER:
        raise ValueError(f"a chunk of {len(chunk)} bytes")
    return struct.unpack("<H", chunk[:2])[0], int.from_bytes(chunk[2:5], "little"), int.from_bytes(chunk[5:8], "little"), chunk[8:]


class Assembler:
    """Puts messages together from chunks."""

    def __init__(self):
        self._parts = {}

    def add(self, chunk):
        """The message that the chunk completes, or None."""
        ident, last, index, payload = parse(chunk)
        parts = self._parts.setdefault((ident, last), {})
        parts[index] = bytes(payload)
        if len(parts) <= last:
            return None
        del self._parts[ident, last]
        return b"".join(parts[index] for index in range(last + 1))
