"""unflicker: removes flicker from any video.

    import unflicker

    unflicker.run("film.mp4")                         # writes film_unflickered.mp4
    record = unflicker.analyze("film.mp4")            # kind and strength; writes no file
    steady = unflicker.deflicker(frames, fps=25.0)    # arrays in, arrays out
    steady = unflicker.deflicker(frames, fps=25.0, preset="fast", strength=0.8)
    for picture in unflicker.stream(pictures, fps=25.0): ...  # picture by picture

Names are loaded when first used, so that `unflicker --help` starts fast.
"""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False
"""As in `typing`, whose import would take half of the time until Ctrl-C is heard without fault."""

if TYPE_CHECKING:
    from typing import Any

    from unflicker.errors import (
        Cancelled,
        DeviceMemoryError,
        InputError,
        MissingError,
        OutputError,
        PartlyFailedError,
        UnflickerError,
        UsageError,
    )
    from unflicker.pipeline import RunOptions, analyze, deflicker, run, stream
    from unflicker.plan.file import Plan
    from unflicker.recording.record import Record
    from unflicker.settings import Settings
    from unflicker.video.picture_order import Stills

    __version__: str

__all__ = [
    "Cancelled",
    "DeviceMemoryError",
    "InputError",
    "MissingError",
    "OutputError",
    "PartlyFailedError",
    "Plan",
    "Record",
    "RunOptions",
    "Settings",
    "Stills",
    "UnflickerError",
    "UsageError",
    "__version__",
    "analyze",
    "deflicker",
    "run",
    "stream",
]

# Modules of the names that are not exceptions.
_HOMES = {
    "Plan": "unflicker.plan",
    "Record": "unflicker.recording.record",
    "RunOptions": "unflicker.pipeline",
    "Settings": "unflicker.settings",
    "Stills": "unflicker.video.picture_order",
    "UnflickerError": "unflicker.errors",
    "analyze": "unflicker.pipeline",
    "deflicker": "unflicker.pipeline",
    "run": "unflicker.pipeline",
    "stream": "unflicker.pipeline",
}


def __getattr__(name: str) -> Any:
    """Load a public name from its module (PEP 562)."""
    if name == "__version__":
        return import_module("importlib.metadata").version("unflicker")
    if name not in __all__:
        raise AttributeError(f"module 'unflicker' has no attribute {name!r}")
    return getattr(import_module(_HOMES.get(name, "unflicker.errors")), name)


def __dir__() -> list[str]:
    return __all__
