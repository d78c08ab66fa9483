"""Which devices there are to compute on, and how many threads everything may take together."""

from __future__ import annotations

import difflib
import os
import re
import shutil
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
"""What people call devices, and what those are called here."""
_SIGNS_OF_A_GPU = ("/dev/nvidiactl", "/dev/nvidia0", "/dev/dxg", "/dev/kfd")
"""Where drivers on Linux show themselves: NVIDIA's, Windows' for its Linux, AMD's."""


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


def chosen(device: str) -> str:
    """The device that a setting means: "cpu", or "cuda:n" where that GPU works.

    Args:
        device: auto (a GPU where torch finds one that works, else the processor), cpu, cuda (the
            first GPU) or cuda:n.

    Raises:
        UsageError: Another word.
        MissingError: A GPU is asked for, and torch or that GPU is not there.
        DeviceMemoryError: That GPU's memory is taken already.
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
    """The module torch, which takes a second or two to load the first time.

    Raises:
        MissingError: It is not installed, or cannot be loaded.
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
    except Exception:  # whatever is wrong with it, the processor can do the work
        return "cpu"


def _working_gpu(index: int) -> str:
    """The name of a GPU, once it has computed something.

    Raises:
        MissingError: It is not there, or torch cannot use it.
        DeviceMemoryError: It is full.
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
                "end what else runs there, or pass cpu as the device"
            ) from error
        raise MissingError(f"torch cannot use {name} ({error}); pass cpu as the device") from error
    return name


@contextmanager
def limited_threads(threads: int) -> Iterator[int]:
    """Share the cores: own loops take `threads` (0: all), libraries one inside each of those.

    Two libraries that each take all cores are ten times slower than one.
    """
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        with limited_to(threads) as count, threadpool_limits(limits=1, user_api="blas"):
            yield count
    finally:
        cv2.setNumThreads(before)


@contextmanager
def torch_sharing() -> Iterator[None]:
    """Have torch take no more threads than work may be shared among, and then as many as before.

    Raises:
        MissingError: It is not installed, or cannot be loaded.
    """
    torch = torch_library()
    before = torch.get_num_threads()
    torch.set_num_threads(min(before, thread_count()))
    try:
        yield
    finally:
        torch.set_num_threads(before)
