"""Which devices there are to compute on."""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib import import_module


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
