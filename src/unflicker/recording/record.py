"""The record of a run, in numbers and pictures: filled by the pipeline, shown by the report."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float32, UInt8

from unflicker.metrics.flashes import NO_FLASHES, Flashes
from unflicker.plan import ShotPlan
from unflicker.recording.repaired import Repaired


@dataclass(frozen=True, kw_only=True, eq=False)
class Still:
    """One frame before and after, at most 640 px wide."""

    index: int
    seconds: float
    before: UInt8[np.ndarray, "height width 3"]
    after: UInt8[np.ndarray, "height width 3"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Record:
    """The results and measurements of one run."""

    source: str
    output: str
    seconds: Float32[np.ndarray, " time"]
    """Presentation time of each frame."""
    mean_before: Float32[np.ndarray, "time 3"]
    """Mean red, green and blue of each input frame, in stored light."""
    mean_after: Float32[np.ndarray, "time 3"]
    """The same of each output frame."""
    correction_stops: Float32[np.ndarray, "time rows columns"]
    """Gain in each part of the picture, in stops of linear light."""
    shots: tuple[ShotPlan, ...]
    visible_flicker_before: float
    """In ΔE, see `metrics.visible_flicker`."""
    visible_flicker_after: float
    flashes_before: Flashes = NO_FLASHES
    """General flashes of the input, see `metrics.flashes`; none where frames were not measured."""
    flashes_after: Flashes = NO_FLASHES
    stills: tuple[Still, ...] = ()
    damaged: tuple[int, ...] = ()
    """Indices of frames the decoder reported as damaged."""
    incomplete: bool = False
    """Whether the source holds less than its container promises, or parts that cannot be read."""
    repaired: Repaired = field(default_factory=Repaired.nothing)
    """Where damage was repaired; nothing if frames were redrawn."""
    spots: float | None = None
    """Spots of single pictures, such as dirt, in each picture; None if not looked for."""
    hairs: float | None = None
    """Hairs in the gate in each picture, where there are most; None if not looked for."""
    settings: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    """Notes for the user: streams left out, another encoder used, interlaced video."""
    wall_seconds: float = 0.0
