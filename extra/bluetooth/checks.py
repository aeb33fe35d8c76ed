"""Runs checks and prints a line for each."""

import asyncio
import time
import traceback

PERIPHERAL, CENTRAL = "/org/bluez/hci0", "/org/bluez/hci1"


class Skip(Exception):
    """Why a check can not be made."""


class Checks:
    """Checks by name: a function that fails by an exception."""

    def __init__(self, group):
        self._group = group
        self.failed = 0

    async def check(self, name, work, seconds=40):
        """Whether it passed; awaits the work, a coroutine, and prints how it ended."""
        started = time.monotonic()
        try:
            more = await asyncio.wait_for(work, seconds)
            outcome = "passed"
        except Skip as reason:
            outcome, more = "skipped", reason
        except Exception as error:  # Whatever it is, the other checks go on.
            self.failed += 1
            frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "bluetooth" in frame.filename]
            outcome, more = "failed", f"{type(error).__name__}: {error} (line {', '.join(str(frame.lineno) for frame in frames)})"
        print(f"{outcome} {self._group}: {name} ({time.monotonic() - started:.1f} s){f': {more}' if more else ''}", flush=True)
        return outcome == "passed"


def same(actual, expected):
    if actual != expected:
        raise AssertionError(f"{short(actual)} where {short(expected)} should be")


def short(value, length=200):
    text = repr(value)
    return text if len(text) <= length else f"{text[:length]}... ({len(value)} long)"
