"""A process that does work for another.

It reads pickled tasks from its standard input, and writes news and results to its standard output.
It is not started by `multiprocessing`, which would run the caller's own script once more in each
process. It ends with its parent, however that ended.
"""

from __future__ import annotations

import os
import pickle
import queue
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from io import BufferedIOBase
from types import FrameType
from typing import Any

from unflicker.compute.devices import limited_threads
from unflicker.compute.threads import share_cores
from unflicker.errors import Cancelled
from unflicker.jobs.pool import answered, packed, sendable


@dataclass(frozen=True, kw_only=True, eq=False)
class Task:
    """An item to be done."""

    work: Callable[..., Any]
    item: Any
    tells: bool = False
    """Whether the work is given a function to call with news."""


@dataclass(frozen=True, kw_only=True, eq=False)
class News:
    """What work in progress told."""

    value: Any


BOOTSTRAP = """
import pickle, sys
sys.path[:], threads = pickle.load(sys.stdin.buffer)
from unflicker.jobs.worker import serve
serve(threads)
"""
"""The program of a worker. Its first message is where modules are found, and its part of the cores;
what follows are tasks."""


def serve(threads: int) -> None:
    """Do one task after the other, until the parent ends.

    Args:
        threads: Part of the cores that this process may use.
    """
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what libraries print is no message
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends this one
    signal.signal(signal.SIGTERM, _stop)
    share_cores(threads)
    tasks: queue.SimpleQueue[Task] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(sys.stdin.buffer, tasks), daemon=True).start()
    with limited_threads(0), suppress(Cancelled, BrokenPipeError):
        while True:
            _send(_answer(tasks.get(), out), out)
    os._exit(0)  # the other thread waits for tasks, and would not let the interpreter end


def _listen(source: BufferedIOBase, tasks: queue.SimpleQueue[Any]) -> None:
    """Receive tasks; at the end of the parent, end this process in the middle of its work."""
    while True:
        try:
            tasks.put(pickle.load(source))
        except EOFError:
            os._exit(1)
        except Exception as fault:  # a module that this process cannot load
            tasks.put(Task(work=_refuse, item=sendable(fault)))


def _answer(task: Task, out: BufferedIOBase) -> bytes:
    def tell(value: object) -> None:
        _send(packed(News(value=value)), out)

    return answered(task.work, task.item, *[tell] * task.tells)


def _send(message: bytes, out: BufferedIOBase) -> None:
    out.write(message)
    out.flush()


def _refuse(fault: BaseException) -> None:
    raise fault


def _stop(_: int, __: FrameType | None) -> None:
    raise Cancelled("stopped by its parent")
