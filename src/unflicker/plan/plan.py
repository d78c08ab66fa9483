"""What is to be done to one frame and to one shot. All of it at full strength: strength, masks and
what a user overrides are applied once, when frames are rendered."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float32

from unflicker.grade import Grade
from unflicker.grade.mask import Kept
from unflicker.refinement.texture import NO_FLICKER, TextureFlicker
from unflicker.tone.diagnosis import Diagnosis


def _nothing() -> Float32[np.ndarray, " 3"]:
    return np.full(3, np.nan, np.float32)


@dataclass(frozen=True, kw_only=True, eq=False)
class FramePlan:
    """All that is to be done to one frame, and what was seen of it."""

    index: int
    grade: Grade
    seconds: float = np.nan
    """When the frame is shown; NaN where a plan of an earlier version does not say."""
    mean_before: Float32[np.ndarray, " 3"] = field(default_factory=_nothing)
    """Mean red, green and blue of its proxy, in working light; NaN likewise."""
    mean_after: Float32[np.ndarray, " 3"] = field(default_factory=_nothing)
    """The same with the grade applied."""
    texture: TextureFlicker = NO_FLICKER
    """What the refinement has to do."""
    kept: Kept | None = None
    """What of it is not the scene; None where all is."""
    starts_shot: bool = False
    repeats: bool = False
    """Whether it shows the same picture as the frame before."""
    keeps_light: bool = False
    """Whether its light is an event of the film, a flash: then nothing evens it out."""
    damaged: bool = False
    light_scale: float = 1.0
    """By how much its light was multiplied to be looked at (`analyse_window.light_scale`)."""


@dataclass(frozen=True, kw_only=True)
class ShotPlan:
    """One shot: frames `start` to `stop` (not included), its flicker, and what was chosen."""

    start: int
    stop: int
    diagnosis: Diagnosis
    guided: bool = False
    """Whether an atlas added to what tone found, in a window at least."""
    calmed: bool = False
    """Whether texture is to be calmed, in a window at least."""
    visible_before: float = np.nan
    """Visible flicker in ΔE (`metrics.visible_flicker`) as it came, mean over its windows."""
    visible_after: float = np.nan
    """The same with the plan followed at full strength, as the proxies tell."""
    strength: float = 1.0
    """Share of the correction that this shot gets, 0 to 1: for people to change. Rendering
    multiplies it with the strength of the run."""

    def __post_init__(self) -> None:
        """Refuse a strength that makes no sense."""
        if not 0.0 <= self.strength <= 1.0:
            raise ValueError(f"a shot at strength {self.strength}; pass 0 to 1")

    @property
    def corrected_by(self) -> str:
        """The stages that do something, for people."""
        parts = self.guided * ["atlas"] + self.calmed * ["refinement"]
        model = self.diagnosis.model
        return " + ".join(parts if parts and model == "nothing" else [model, *parts])

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, given: dict[str, Any]) -> ShotPlan:
        """The way back.

        Raises:
            ValueError: These are no such values.
        """
        try:
            return cls(**{**given, "diagnosis": Diagnosis(**given["diagnosis"])})
        except (KeyError, TypeError) as fault:
            raise ValueError(f"a shot that is not described as one: {fault}") from fault
