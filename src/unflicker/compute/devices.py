"""Devices to compute on, and the limit on the threads of all libraries together."""

from __future__ import annotations

import difflib
import os
import re
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
from threadpoolctl import threadpool_limits

from unflicker.compute.threads import limited_to, thread_count
from unflicker.errors import DeviceMemoryError, MissingError, UsageError

_NAMES = {"auto": "auto", "cpu": "cpu", "cuda": "cuda", "gpu": "cuda", "nvidia": "cuda"}
"""Common names of devices, and the value of the setting `device` for each."""
_SIGNS_OF_A_GPU = ("/dev/nvidiactl", "/dev/nvidia0", "/dev/dxg", "/dev/kfd")
"""Device files of drivers on Linux: NVIDIA's, that of Windows for its Linux, AMD's."""


@dataclass(frozen=True, kw_only=True)
class Device:
    """A processor or a GPU."""

    name: str
    """Value of the setting `device`: cpu, cuda:0."""
    description: str
    """Cores, or model and memory, for people."""


def available() -> tuple[Device, ...]:
    """The processor, and each GPU that torch can use; without torch, the processor alone."""
    found = [Device(name="cpu", description=f"{os.cpu_count()} cores")]
    try:
        torch = import_module("torch")
    except Exception:  # a torch that cannot be loaded cannot be used either
        return tuple(found)
    for index in range(torch.cuda.device_count()):
        properties = torch.cuda.get_device_properties(index)
        memory = f"{properties.total_memory / 2**30:.0f} GiB"
        found.append(Device(name=f"cuda:{index}", description=f"{properties.name}, {memory}"))
    return tuple(found)


def chosen(device: str) -> str:
    """The device that a setting names: "cpu", or "cuda:n" where that GPU works.

    Args:
        device: auto (a GPU where torch finds one that works, else the processor), cpu, cuda (the
            first GPU) or cuda:n.

    Raises:
        UsageError: No device has that name.
        MissingError: A GPU is named, and torch is not installed or that GPU not available.
        DeviceMemoryError: That GPU's memory is full.
    """
    if device == "cpu":
        return "cpu"
    if device == "auto":
        return _first_gpu_if_it_works()
    match = re.fullmatch(r"cuda(?::([0-9]+))?", device)
    if match is None:
        near = difflib.get_close_matches(device.lower(), _NAMES, n=1)
        hint = f"did you mean {_NAMES[near[0]]}? " if near else ""
        raise UsageError(f"unknown device {device!r}; {hint}Pass auto, cpu, cuda or cuda:n")
    return _working_gpu(int(match[1] or 0))


def torch_library() -> Any:
    """The module torch, loaded when first called, in a second or two.

    Raises:
        MissingError: torch is not installed, or cannot be loaded.
    """
    try:
        return import_module("torch")
    except ImportError as error:
        raise MissingError(
            f"GPUs need torch, which cannot be loaded ({error}); "
            "install it with: pip install 'unflicker[neural]'"
        ) from error


def _first_gpu_if_it_works() -> str:
    """The first GPU, else the processor; torch is loaded only where there may be a GPU."""
    driver = any(Path(sign).exists() for sign in _SIGNS_OF_A_GPU) or shutil.which("nvidia-smi")
    if not driver or find_spec("torch") is None:
        return "cpu"
    try:
        return _working_gpu(0)
    except Exception:  # after any fault of the GPU the processor does the work
        return "cpu"


def _working_gpu(index: int) -> str:
    """The name of a GPU, tested with one addition.

    Raises:
        MissingError: The GPU is not available, or torch cannot use it.
        DeviceMemoryError: Its memory is full.
    """
    torch = torch_library()
    count = torch.cuda.device_count()
    if index >= count:
        there = ", ".join(f"cuda:{n}" for n in range(count)) or "none"
        raise MissingError(
            f"torch finds no GPU cuda:{index}; there is {there}. Pass auto or cpu as the device, "
            "or install a driver and a build of torch for that GPU"
        )
    name = f"cuda:{index}"
    try:
        torch.ones(1, device=name).add(1).cpu()
    except RuntimeError as error:  # an old driver, a card newer or older than this torch
        if "out of memory" in str(error):
            raise DeviceMemoryError(
                f"the memory of {name} is full before the work starts; "
                "end other programs on it, or pass cpu as the device"
            ) from error
        raise MissingError(f"torch cannot use {name} ({error}); pass cpu as the device") from error
    return name


class _Libraries:
    """Libraries keep one thread while any block of this process is open: the number is the
    process's, and blocks of several threads overlap."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._open, self._cv2 = 0, 0
        self._blas: threadpool_limits | None = None

    def __enter__(self) -> None:
        with self._turn:
            self._open += 1
            if self._open == 1:
                self._cv2, self._blas = (
                    cv2.getNumThreads(),
                    threadpool_limits(limits=1, user_api="blas"),
                )
                cv2.setNumThreads(1)

    def __exit__(self, *_: object) -> None:
        with self._turn:
            self._open -= 1
            if self._open == 0:
                assert self._blas is not None
                self._blas.restore_original_limits()
                cv2.setNumThreads(self._cv2)


_LIBRARIES = _Libraries()


@contextmanager
def limited_threads(threads: int) -> Iterator[int]:
    """Limit the threads of our loops until the block ends, and of libraries to one in each of them.

    Two libraries that each use all cores are ten times slower than one.

    Args:
        threads: Threads of our loops; 0 for one a core.
    """
    with _LIBRARIES, limited_to(threads) as count:
        yield count


@contextmanager
def torch_sharing() -> Iterator[None]:
    """Limit torch to `thread_count` threads until the block ends.

    Raises:
        MissingError: torch is not installed, or cannot be loaded.
    """
    torch = torch_library()
    before = torch.get_num_threads()
    torch.set_num_threads(min(before, thread_count()))
    try:
        yield
    finally:
        torch.set_num_threads(before)
