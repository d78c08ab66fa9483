"""Which devices there are to compute on, and how many threads everything may take together."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module

import cv2
import numba
from threadpoolctl import threadpool_limits


@dataclass(frozen=True, kw_only=True)
class Device:
    """Something that computes."""

    name: str
    """As the setting `device` takes it: cpu, cuda:0."""
    description: str
    """What it is, for people."""


def available() -> tuple[Device, ...]:
    """The processor, and each GPU that torch can use; without torch, the processor alone."""
    found = [Device(name="cpu", description=f"{os.cpu_count()} cores")]
    try:
        torch = import_module("torch")
    except Exception:  # a torch that is there but broken is as good as none
        return tuple(found)
    for index in range(torch.cuda.device_count()):
        properties = torch.cuda.get_device_properties(index)
        memory = f"{properties.total_memory / 2**30:.0f} GiB"
        found.append(Device(name=f"cuda:{index}", description=f"{properties.name}, {memory}"))
    return tuple(found)


@contextmanager
def limited_threads(threads: int) -> Iterator[int]:
    """Share the cores: own loops take `threads` (0: all), libraries one inside each of those.

    Two libraries that each take all cores are ten times slower than one.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    count = max(1, min(threads or cores or 1, numba.config.NUMBA_NUM_THREADS))
    before = cv2.getNumThreads(), numba.get_num_threads()
    cv2.setNumThreads(1)
    numba.set_num_threads(count)
    try:
        with threadpool_limits(limits=1, user_api="blas"):
            yield count
    finally:
        cv2.setNumThreads(before[0])
        numba.set_num_threads(before[1])
