"""Ctrl-C and SIGTERM: stop cleanly, and remember the signal.

A handler runs in the main thread between any two instructions, and its exception unwinds the work
from there. In some places that would be lost or do harm: Python drops exceptions of `__del__` and
of weak references, and a lock whose `__enter__` is interrupted after it was taken stays locked for
ever. There the exception is postponed; `deadline` has the handler called again, shortly.
"""

from __future__ import annotations

import _weakrefset
import logging
import os
import queue
import signal
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from unflicker.cli.deadline import Deadline
from unflicker.compute.threads import stopped_by
from unflicker.errors import Cancelled
from unflicker.progress import Progress, Report

STOPPED = tuple(128 + number for number in (signal.SIGINT, signal.SIGTERM))
"""Exit codes of a program that the user stopped."""
_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_ONE_REQUEST_SECONDS = 0.5
"""Signals within this time are one: `timeout` and terminals may send two."""
_PATIENCE_SECONDS = 0.5
"""An exception is postponed for no longer."""
_HELD = frozenset(("__enter__", "__exit__", "__del__"))
"""Functions in which, or in what they call, no exception is raised at first."""
_DROPPING = frozenset(module.__file__ for module in (weakref, _weakrefset, logging))
"""Modules of callbacks, whose exceptions are dropped."""
_LOCKING = frozenset(module.__file__ for module in (threading, queue))
"""Modules whose own instructions take locks and give them back."""


class Stop:
    """Whether the user asked to stop, and by which signal."""

    def __init__(self, deadline: Deadline | None = None) -> None:
        """Begin without a signal.

        Args:
            deadline: Ends the process if the work does not; without one, nothing is postponed.
        """
        self.signal_number: int | None = None
        self._deadline = deadline
        self._process = os.getpid()
        self._since = 0.0
        self._postponed_at: tuple[int, int] | None = None
        """The frame and the instruction at which the exception was postponed last."""

    @property
    def exit_code(self) -> int:
        """128 plus the signal's number; 130 without a signal."""
        return 128 + (self.signal_number or signal.SIGINT)

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Interrupt the work at once; a second signal, half a second later, ends the process.

        Args:
            number: Of the signal.
            frame: Where the main thread is.
        """
        if os.getpid() != self._process:  # a forked process, whose work is not ours
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
            return
        if self.signal_number is None:
            self.signal_number, self._since = number, time.monotonic()
            if self._deadline is not None:
                self._deadline.start(number, again=self._again)
        elif self._postponed_at is None:
            self._asked_again(number)
            return
        self._raise_unless_harmful(frame)

    def is_set(self) -> bool:
        """Whether the work is to stop; whoever asks then raises, and nothing is postponed."""
        if self.signal_number is None:
            return False
        if threading.current_thread() is threading.main_thread():
            self._postponed_at = None
        return True

    def watch(self, report: Report) -> Report:
        """A callback that also stops the work, in case a library has swallowed the interrupt."""

        def checked(progress: Progress) -> None:
            if self.is_set():
                raise Cancelled("stopped")
            report(progress)

        return checked

    def _asked_again(self, number: int) -> None:
        if time.monotonic() - self._since < _ONE_REQUEST_SECONDS:
            return
        signal.signal(number, signal.SIG_DFL)
        if self._deadline is not None:
            self._deadline.end_now()
        os.kill(os.getpid(), number)

    def _raise_unless_harmful(self, frame: FrameType | None) -> None:
        """Raise, unless the frame must not be interrupted; where the thread waits, it may be."""
        here = None if frame is None else (id(frame), frame.f_lasti)
        patient = time.monotonic() - self._since < _PATIENCE_SECONDS
        waits = here == self._postponed_at
        if self._deadline is not None and patient and not waits and must_not_raise(frame):
            self._postponed_at = here
            return
        self._postponed_at = None
        raise KeyboardInterrupt

    def _again(self) -> None:
        """Called by another thread, again and again: has a postponed exception tried once more."""
        main = threading.main_thread().ident
        if self._postponed_at is not None and main is not None and self.signal_number is not None:
            signal.pthread_kill(main, self.signal_number)


def must_not_raise(frame: FrameType | None) -> bool:
    """Whether an exception in a frame might be dropped, or leave a lock locked."""
    innermost = frame
    while frame is not None:
        code = frame.f_code
        if code.co_name in _HELD or code.co_filename in _DROPPING:
            return True
        frame = frame.f_back
    return innermost is not None and innermost.f_code.co_filename in _LOCKING


@contextmanager
def stopping_cleanly(deadline: Deadline | None = None) -> Iterator[Stop]:
    """Turn SIGINT and SIGTERM into an exception, so that partly written files are removed.

    Args:
        deadline: Ends the process if that does not.
    """
    stop = Stop(deadline)
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    former = {number: signal.signal(number, stop) for number in _SIGNALS}
    try:
        with stopped_by(stop):
            yield stop
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
