"""The end of a process that was asked to stop and does not, within ten seconds.

Work may wait for a lock that an interrupted thread never gave back, or be in a library that does
not return. What it has begun to write is removed all the same.
"""

from __future__ import annotations

import _thread
import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable

from unflicker.files.unfinished import remove_unfinished

GRACE_SECONDS = 10.0
_TIDYING_SECONDS = 2.0
_AGAIN_SECONDS = 0.02
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Deadline:
    """Waits for a signal, and then for the end of the process."""

    def __init__(self, *, grace_seconds: float = GRACE_SECONDS) -> None:
        """Begin to wait, in a thread of its own.

        Signals are told by the system itself, so that a main thread that is busy in a library
        need not have noticed them.

        Args:
            grace_seconds: For the work, from the signal on.
        """
        self._grace_seconds = grace_seconds
        self._number = 0
        self._again: Callable[[], None] = _nothing
        self._heard, self._teller = os.pipe()
        os.set_blocking(self._teller, False)
        if threading.current_thread() is threading.main_thread():
            signal.set_wakeup_fd(self._teller, warn_on_full_buffer=False)
            if hasattr(os, "register_at_fork"):
                os.register_at_fork(after_in_child=_without_wakeup)
        _thread.start_new_thread(self._wait, ())

    def start(self, number: int, *, again: Callable[[], None]) -> None:
        """Begin to count, if a signal that the system told has not done so; no lock is taken.

        Args:
            number: Of the signal.
            again: Called every few hundredths of a second.
        """
        self._number, self._again = number, again
        with contextlib.suppress(OSError):
            os.write(self._teller, bytes([number]))

    def end_now(self) -> None:
        """Remove what is not complete, and end the process with the signal's code."""
        done: list[bool] = []
        _thread.start_new_thread(_tidy, (done,))
        ends = time.monotonic() + _TIDYING_SECONDS
        while not done and time.monotonic() < ends:
            time.sleep(_AGAIN_SECONDS)
        os._exit(128 + self._number)

    def _wait(self) -> None:
        number = 0
        while number not in _SIGNALS:
            told = os.read(self._heard, 1)
            number = told[0] if told else 0
        self._number = self._number or number
        ends = time.monotonic() + self._grace_seconds
        while time.monotonic() < ends:
            time.sleep(_AGAIN_SECONDS)
            self._again()
        self.end_now()


def _tidy(done: list[bool]) -> None:
    with contextlib.suppress(Exception):
        remove_unfinished()
        _end_children()
    done.append(True)


def _end_children() -> None:
    """End processes that do not notice the end of their parent."""
    multiprocessing = sys.modules.get("multiprocessing")
    if multiprocessing is not None:
        for child in multiprocessing.active_children():
            child.kill()


def _without_wakeup() -> None:
    with contextlib.suppress(ValueError):
        signal.set_wakeup_fd(-1)


def _nothing() -> None:
    pass
