"""Pure work that others do: processes of this machine, or of a cluster.

    with LocalPool(workers=4, threads=2) as pool:
        for item, result in pool.in_order(work, items):
            ...

Work is a function of a module and its item can be pickled; it must depend on nothing but its item.
A worker that dies is replaced, and another does its item.
"""

from __future__ import annotations

import contextlib
import pickle
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError, Future
from concurrent.futures import TimeoutError as NotYet
from dataclasses import dataclass
from types import TracebackType
from typing import Any, TypeVar

from unflicker.compute.threads import check_stopped
from unflicker.errors import Cancelled, UnflickerError

Item = TypeVar("Item")
Result = TypeVar("Result")
Known = TypeVar("Known")
Tell = Callable[[Any], None]
"""Receives news of work in progress."""
TRIES = 3
"""How often an item is given to a worker, until it is the item that must be wrong."""
CORES_A_WORKER = 2
"""A worker uses two cores well: decoding, analysis and encoding overlap."""
_POLL_SECONDS = 0.2


class WorkerDiedError(UnflickerError):
    """The worker that did an item died, again and again."""


class Pool(ABC):
    """Workers; a context manager. It may be used by several threads at once."""

    shares_files: bool = True
    """Whether workers see the files of this machine under the same paths."""

    @property
    @abstractmethod
    def workers(self) -> int:
        """Items that are done at the same time."""

    @abstractmethod
    def __enter__(self) -> Pool:
        """Start."""

    @abstractmethod
    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End all work; what is not done is abandoned."""

    @abstractmethod
    def submit(self, work: Callable[[Item], Result], item: Item) -> Future[Result]:
        """Have an item done.

        Args:
            work: Function of a module.
            item: Its argument.
        """

    @abstractmethod
    def submit_telling(
        self, work: Callable[[Item, Tell], Result], item: Item, told: Tell
    ) -> Future[Result]:
        """Have an item done by work that tells of its progress.

        Args:
            work: Function of a module; its second argument is called with the news.
            item: Its first argument.
            told: Called with the news, by another thread; some of them may be left out.
        """

    @property
    @abstractmethod
    def has_ended(self) -> bool:
        """Whether results are not wanted any more."""

    def in_order(
        self,
        work: Callable[[Item], Result],
        items: Iterable[Item],
        *,
        known: Callable[[Item], Known | None] = lambda _: None,
    ) -> Iterator[tuple[Item, Result | Known]]:
        """Each item with its result, in order.

        One more item than there are workers is taken ahead, so memory is bounded.

        Args:
            work: Function of a module.
            items: Its arguments; iterated in this thread.
            known: Returns what takes the place of an item's result, if it is known already.

        Raises:
            UnflickerError: As the work raised it.
            WorkerDiedError: The worker of an item died three times.
            Cancelled: The results are not wanted any more.
        """
        running: deque[tuple[Item, Future[Any]]] = deque()
        try:
            for item in items:
                result = known(item)
                if result is None:
                    running.append((item, self.submit(work, item)))
                else:
                    future: Future[Any] = Future()
                    future.set_result(result)
                    running.append((item, future))
                if len(running) > self.workers:
                    yield self._first_of(running)
            while running:
                yield self._first_of(running)
        finally:
            for _, future in running:
                future.cancel()

    def _first_of(self, running: deque[tuple[Item, Future[Any]]]) -> tuple[Item, Any]:
        item, future = running[0]
        while True:
            check_stopped()
            with contextlib.suppress(NotYet):
                result = future.result(timeout=_POLL_SECONDS)
                running.popleft()
                return item, result
            if self.has_ended:
                raise CancelledError


def unheard(_: object) -> None:
    """Takes news that no caller asked for."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Answer:
    """The result of work, or its exception."""

    value: Any
    is_fault: bool = False

    def settle(self, future: Future[Any]) -> None:
        """Give it to the caller."""
        if self.is_fault:
            future.set_exception(self.value)
        else:
            future.set_result(self.value)


def answered(work: Callable[..., Any], *given: Any) -> bytes:
    """The answer of work, pickled; its exceptions are part of it, but not a request to stop.

    Args:
        work: Any function.
        given: Its arguments.
    """
    try:
        return packed(Answer(value=work(*given)))
    except (Cancelled, KeyboardInterrupt):
        raise
    except BaseException as fault:
        return packed(Answer(value=sendable(fault), is_fault=True))


def packed(message: object) -> bytes:
    """A message as it is sent."""
    return pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)


def sendable(fault: BaseException) -> BaseException:
    """An exception as it can be sent: one of ours, or its text, as others may not be picklable."""
    if isinstance(fault, UnflickerError):
        return fault
    return RuntimeError(f"{type(fault).__name__}: {fault}")
