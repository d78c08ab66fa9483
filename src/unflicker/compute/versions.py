"""Versions of the libraries that results depend on."""

from __future__ import annotations

import platform
from functools import cache
from importlib.metadata import version

from unflicker.settings import NEURAL_LIBRARIES

_LIBRARIES = ("unflicker", "numpy", "opencv-python-headless", "av", "numba")


def library_versions(*, neural: bool) -> dict[str, str]:
    """Versions of Python, the package and the libraries that results depend on, by name.

    Args:
        neural: Whether networks take part.
    """
    libraries = _LIBRARIES + NEURAL_LIBRARIES[:1] * neural
    return {"python": platform.python_version()} | {name: _version(name) for name in libraries}


@cache
def _version(name: str) -> str:
    return version(name)
