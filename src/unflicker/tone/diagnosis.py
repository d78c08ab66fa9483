"""What flicker a shot has, how much of it, and which model of it explains it best."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["none", "exposure", "tint", "gamma", "local", "local tint", "bands", "held"]
Model = Literal["nothing", "curves", "path", "curves+path"]


@dataclass(frozen=True, kw_only=True)
class Diagnosis:
    """The flicker of one shot, in numbers."""

    kind: Kind
    """What it looks most like; a name for people, no stage depends on it."""
    model: Model
    """The simplest model that explains it, and that corrects the shot."""
    strength_stops: float
    """Root mean square of the removed light, in stops (doublings of working light)."""
    strength_delta_e: float
    """Visible flicker before correction, in ΔE (see `metrics`)."""
    period_frames: float | None
    """Frames from one peak to the next, or None where nothing repeats."""
    frequency_hz: float | None
    """The same in cycles a second, or None."""
    confidence: float
    """0 to 1: how far the model stands above the noise of its estimate."""
