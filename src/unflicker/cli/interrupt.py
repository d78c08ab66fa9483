"""Ctrl-C and SIGTERM: stop cleanly, and remember the signal."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from unflicker.errors import Cancelled
from unflicker.progress import Progress, Report

STOPPED = tuple(128 + number for number in (signal.SIGINT, signal.SIGTERM))
"""Exit codes of a program that the user stopped."""


class Stop:
    """Whether the user asked to stop, and by which signal."""

    def __init__(self) -> None:
        self.signal_number: int | None = None

    @property
    def exit_code(self) -> int:
        """128 plus the signal's number; 130 without a signal."""
        return 128 + (self.signal_number or signal.SIGINT)

    def __call__(self, number: int, _: FrameType | None) -> None:
        """Interrupt the work at once; a second signal gets the system's default action.

        Args:
            number: Of the signal.
            _: The interrupted stack frame; not used.
        """
        self.signal_number = number
        signal.signal(number, signal.SIG_DFL)
        raise KeyboardInterrupt

    def watch(self, report: Report) -> Report:
        """A callback that also stops the work, in case a library has swallowed the interrupt."""

        def checked(progress: Progress) -> None:
            if self.signal_number is not None:
                raise Cancelled("stopped")
            report(progress)

        return checked


@contextmanager
def stopping_cleanly() -> Iterator[Stop]:
    """Turn SIGINT and SIGTERM into an exception, so that partly written files are removed."""
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    former = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
