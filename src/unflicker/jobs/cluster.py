"""Work done by the machines of a Ray cluster; the only home of Ray (extra `cluster`).

A worker has nothing but its item: files of this machine need not be its own. Ray gives an item to
another worker when one dies, and starts no more of them than the cluster has processors for.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass, field
from importlib import import_module
from itertools import count
from types import TracebackType
from typing import Any

from unflicker.compute.devices import limited_threads
from unflicker.compute.threads import share_cores
from unflicker.compute.versions import library_versions
from unflicker.errors import MissingError, UnflickerError, UsageError
from unflicker.jobs.pool import (
    CORES_A_WORKER,
    TRIES,
    Item,
    Pool,
    Result,
    Tell,
    WorkerDiedError,
    answered,
    packed,
    unheard,
)

LOCAL = "local"
"""Address of a cluster that is this machine, and is started for the purpose."""
_NEWS_SECONDS = 0.5
_RESOURCES_SECONDS = 5.0
"""Machines may join or leave a cluster; how often that is looked at."""


def ray_library() -> Any:
    """The module ray.

    Raises:
        MissingError: It is not installed.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # it would report to its makers
    try:
        return import_module("ray")
    except ImportError as fault:
        raise MissingError(
            f"--cluster needs Ray, which cannot be loaded ({fault}); "
            "install it with: pip install 'unflicker[cluster]'"
        ) from fault


def check_address(address: str) -> str:
    """An address that names a cluster.

    Args:
        address: "local", "auto", ray://host:port, or host:port of a head on the same network.

    Raises:
        UsageError: It is none of them.
    """
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if address not in (LOCAL, "auto") and not (host and port.isdigit()):
        raise UsageError(
            f"{address!r} is no address of a cluster; pass ray://host:10001, auto (the cluster "
            "that runs on this machine) or local (this machine alone)"
        )
    return address


@dataclass(frozen=True, kw_only=True, eq=False)
class _Order:
    """What a worker is given."""

    work: Callable[..., Any]
    item: bytes
    """Pickled, as answers are: arrays that Ray hands over itself cannot be written to."""
    versions: dict[str, str]
    """Of the libraries here; results of others might differ."""
    cores: int
    board: Any = None
    """Where news is told, if the work tells."""
    key: int = 0


@dataclass(eq=False)
class _Running:
    """Work that was handed over, by the keys of those who hear of it."""

    refs: dict[Future[Any], Any] = field(default_factory=dict)
    heard_by: dict[int, Tell] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)


class RayPool(Pool):
    """Workers of a Ray cluster."""

    shares_files = False

    def __init__(self, address: str, *, on_gpu: bool = False, neural: bool = False) -> None:
        """Prepare a pool; nothing is connected yet.

        Args:
            address: See `check_address`.
            on_gpu: Whether each item needs a GPU.
            neural: Whether networks take part.
        """
        self._address = check_address(address)
        self._on_gpu, self._neural = on_gpu, neural
        self._cores = CORES_A_WORKER
        self._ended = threading.Event()
        self._running = _Running()
        self._keys = count()
        self._seen = (0.0, 1)
        self._ray: Any
        self._task: Any
        self._board: Any
        self._is_ours = False
        self._reader = threading.Thread(target=self._hear, name="unflicker-news", daemon=True)

    def __enter__(self) -> RayPool:
        """Connect, or start a cluster of this machine.

        Raises:
            MissingError: Ray is not installed, or no cluster answers.
        """
        self._ray = ray = ray_library()
        if not ray.is_initialized():
            self._connect(ray)
            self._is_ours = True
        cores = max(1, min(CORES_A_WORKER, int(ray.cluster_resources().get("CPU", 1))))
        needs: dict[str, Any] = {"num_cpus": cores, "max_retries": TRIES - 1}
        if self._on_gpu:  # by default Ray ends such a worker after each item, with its networks
            needs |= {"num_gpus": 1, "max_calls": 0}
        self._cores = cores
        self._task = ray.remote(**needs)(_done)
        self._board = ray.remote(num_cpus=0)(_Board).remote()
        self._reader.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Cancel what is not done, and disconnect."""
        self._ended.set()
        with self._running.lock:
            refs = list(self._running.refs.values())
        for ref in refs:
            with contextlib.suppress(Exception):
                self._ray.cancel(ref, force=True)
        self._reader.join()
        if self._is_ours:
            self._ray.shutdown()

    @property
    def workers(self) -> int:
        """Items that the cluster can do at the same time, now."""
        when, number = self._seen
        if time.monotonic() - when > _RESOURCES_SECONDS:
            there = self._ray.cluster_resources()
            number = int(there.get("CPU", 1) // self._cores)
            if self._on_gpu:
                number = min(number, int(there.get("GPU", 0)))
            self._seen = (time.monotonic(), max(1, number))
        return self._seen[1]

    @property
    def has_ended(self) -> bool:
        """Whether the block is left."""
        return self._ended.is_set()

    def submit(self, work: Callable[[Item], Result], item: Item) -> Future[Result]:
        """See `Pool`.

        Args:
            work: Function of a module.
            item: Its argument.
        """
        return self._submitted(self._order(work, item))

    def submit_telling(
        self, work: Callable[[Item, Tell], Result], item: Item, told: Tell
    ) -> Future[Result]:
        """See `Pool`.

        Args:
            work: Function of a module.
            item: Its first argument.
            told: Called with its news, twice a second at most.
        """
        key = next(self._keys)
        self._running.heard_by[key] = told
        future = self._submitted(self._order(work, item, board=self._board, key=key))
        future.add_done_callback(lambda _: self._running.heard_by.pop(key, None))
        return future

    def _order(self, work: Callable[..., Any], item: Any, **news: Any) -> _Order:
        return _Order(
            work=work,
            item=packed(item),
            versions=library_versions(neural=self._neural),
            cores=self._cores,
            **news,
        )

    def _submitted(self, order: _Order) -> Future[Any]:
        future: Future[Any] = Future()
        ref = self._task.remote(order)
        with self._running.lock:
            self._running.refs[future] = ref
        ref.future().add_done_callback(lambda done: _settle(future, done))
        future.add_done_callback(self._forget)
        return future

    def _forget(self, future: Future[Any]) -> None:
        with self._running.lock:
            ref = self._running.refs.pop(future, None)
        if future.cancelled() and ref is not None:
            with contextlib.suppress(Exception):
                self._ray.cancel(ref)

    def _connect(self, ray: Any) -> None:
        options: dict[str, Any] = {"log_to_driver": False, "configure_logging": False}
        if self._address == LOCAL:
            path = os.pathsep.join(entry for entry in sys.path if entry)
            options["include_dashboard"] = False
            options["runtime_env"] = {"env_vars": {"PYTHONPATH": path}}
        try:
            with _quiet():
                ray.init(address=self._address, **options)
        except (ConnectionError, ValueError, RuntimeError, TimeoutError, ImportError) as fault:
            why = str(fault).strip().splitlines()
            raise MissingError(
                f"no cluster answers at {self._address}: {why[0] if why else 'no reason given'}; "
                "start one with `ray start --head`, or pass --cluster local"
            ) from fault

    def _hear(self) -> None:
        """Pass on the news of all work, until the pool ends."""
        while not self._ended.wait(_NEWS_SECONDS):
            if not self._running.heard_by:
                continue
            with contextlib.suppress(Exception):  # a board that is gone takes no work with it
                news = self._ray.get(self._board.read.remote(), timeout=_RESOURCES_SECONDS)
                for key, values in news.items():
                    told = self._running.heard_by.get(key, unheard)
                    for value in values:
                        told(value)


class _Board:
    """An actor that holds news until they are read."""

    def __init__(self) -> None:
        self._news: dict[int, list[Any]] = {}

    def tell(self, key: int, value: Any) -> None:
        self._news.setdefault(key, []).append(value)

    def read(self) -> dict[int, list[Any]]:
        news, self._news = self._news, {}
        return news


def _done(order: _Order) -> bytes:
    """What a worker does."""
    share_cores(order.cores)
    with limited_threads(0):
        return answered(_worked, order)


def _worked(order: _Order) -> Any:
    _refuse_others(order.versions)
    item = pickle.loads(order.item)
    return order.work(item) if order.board is None else order.work(item, _teller(order))


def _teller(order: _Order) -> Tell:
    """Tells the board, of each stage twice a second at most."""
    told: dict[Any, float] = {}

    def tell(value: Any) -> None:
        about, now = getattr(value, "stage", None), time.monotonic()
        if now - told.get(about, 0.0) >= _NEWS_SECONDS:
            told[about] = now
            order.board.tell.remote(order.key, value)

    return tell


def _refuse_others(versions: dict[str, str]) -> None:
    """Refuse to work with other libraries than those of the caller's machine."""
    here = library_versions(neural="torch" in versions)
    names = sorted(name for name in versions if versions[name] != here[name])
    if not names:
        return
    lines = ", ".join(f"{name} {here[name]} (yours is {versions[name]})" for name in names)
    raise MissingError(
        f"a machine of the cluster has {lines}; results might differ, "
        "install the same versions on all machines"
    )


def _settle(future: Future[Any], done: Future[Any]) -> None:
    """Give a future the result of Ray's."""
    if not future.set_running_or_notify_cancel():
        return
    try:
        answer = pickle.loads(done.result())
    except CancelledError as fault:
        future.set_exception(fault)
    except BaseException as fault:
        future.set_exception(_as_ours(fault))
    else:
        answer.settle(future)


def _as_ours(fault: BaseException) -> BaseException:
    kind = type(fault).__name__
    if "Cancelled" in kind:
        return CancelledError()
    why = (str(fault).strip().splitlines() or [kind])[0]
    if "RayTaskError" in kind or "Serialization" in kind:
        return UnflickerError(f"a machine of the cluster cannot do this work: {why}")
    return WorkerDiedError(
        f"a worker of the cluster died {TRIES} times ({why}); memory may have run out there"
    )


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Ray prints greetings; standard error is for our messages."""
    os.environ.setdefault("RAY_LOG_TO_STDERR", "0")
    with open(os.devnull, "w", encoding="utf-8") as nothing, contextlib.redirect_stderr(nothing):
        yield
