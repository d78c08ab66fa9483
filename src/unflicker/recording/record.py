"""What a run did, in numbers and pictures: the pipeline fills it, the report shows it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float32, UInt8

from unflicker.plan import ShotPlan


@dataclass(frozen=True, kw_only=True, eq=False)
class Still:
    """One frame before and after, at most 640 px wide."""

    index: int
    seconds: float
    before: UInt8[np.ndarray, "height width 3"]
    after: UInt8[np.ndarray, "height width 3"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Record:
    """Everything a run can say about itself."""

    source: str
    output: str
    seconds: Float32[np.ndarray, " time"]
    """When each frame is shown."""
    mean_before: Float32[np.ndarray, "time 3"]
    """Mean red, green and blue of each frame in [0, 1], as stored, before."""
    mean_after: Float32[np.ndarray, "time 3"]
    correction_stops: Float32[np.ndarray, "time rows columns"]
    """Light added (positive) or taken in each part of the picture, in stops."""
    shots: tuple[ShotPlan, ...]
    visible_flicker_before: float
    """In ΔE, see `metrics.visible_flicker`."""
    visible_flicker_after: float
    stills: tuple[Still, ...] = ()
    damaged: tuple[int, ...] = ()
    """Indices of frames the decoder reported as damaged."""
    settings: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    """What the user should know: streams left out, an encoder changed, interlacing seen."""
    wall_seconds: float = 0.0
