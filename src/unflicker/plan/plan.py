"""The correction of one frame and of one shot, at full strength.

Strength, masks and a user's overrides are applied when frames are rendered.
"""

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
    """The correction of one frame, and measurements of the frame."""

    index: int
    grade: Grade
    lower_grade: Grade | None = None
    """Grade of the lower field (rows 1, 3, …) of an interlaced frame whose fields differ; `grade`
    is then the upper field's. None where one grade holds for the whole frame."""
    seconds: float = np.nan
    """Presentation time; NaN in plans of earlier versions."""
    mean_before: Float32[np.ndarray, " 3"] = field(default_factory=_nothing)
    """Mean red, green and blue of its proxy, in working light; NaN likewise."""
    mean_after: Float32[np.ndarray, " 3"] = field(default_factory=_nothing)
    """The same with the grade applied."""
    texture: TextureFlicker = NO_FLICKER
    """Flicker of texture, for the refinement."""
    kept: Kept | None = None
    """The parts that are not corrected, such as overlays; None if all is corrected."""
    starts_shot: bool = False
    repeats: bool = False
    """Whether it shows the same picture as the frame before."""
    keeps_light: bool = False
    """Whether its light is an event of the film, a flash, and is not corrected."""
    damaged: bool = False
    light_scale: float = 1.0
    """Factor of its light in analysis (`analysis.analyse_window.light_scale`)."""
    weave_px: tuple[float, float] = (0.0, 0.0)
    """Gate weave: how far its picture is from its place, to the right and down, in its px."""


@dataclass(frozen=True, kw_only=True)
class ShotPlan:
    """One shot: frames `start` to `stop` (exclusive), its flicker, and the stages in use."""

    start: int
    stop: int
    diagnosis: Diagnosis
    fine_light: bool = False
    """Whether light is also corrected by small places, in at least one window."""
    guided: bool = False
    """Whether an atlas adds to the correction by tone, in at least one window."""
    calmed: bool = False
    """Whether texture is corrected, in at least one window."""
    visible_before: float = np.nan
    """Visible flicker of the input in ΔE (`metrics.visible_flicker`), mean over its windows."""
    visible_after: float = np.nan
    """The same with the plan applied at full strength, measured on the proxies."""
    weave_px: tuple[float, float] | None = None
    """Gate weave, sideways and up and down: root mean square in px; None if not measured."""
    strength: float = 1.0
    """Share of the correction that this shot gets, 0 to 1; may be edited. Rendering multiplies it
    by the strength of the run."""

    def __post_init__(self) -> None:
        """Refuse a strength out of range."""
        if not 0.0 <= self.strength <= 1.0:
            raise ValueError(f"a shot at strength {self.strength}; pass 0 to 1")
        if self.weave_px is not None and len(self.weave_px) != 2:
            raise ValueError(f"gate weave of {len(self.weave_px)} numbers")
        if not 0 <= self.start <= self.stop:
            raise ValueError(f"a shot of frames {self.start} to {self.stop}")

    @property
    def corrected_by(self) -> str:
        """Names of the stages in use, for people."""
        parts = self.fine_light * ["fine light"] + self.guided * ["atlas"]
        parts += self.calmed * ["refinement"]
        model = self.diagnosis.model
        return " + ".join(parts if parts and model == "nothing" else [model, *parts])

    def to_dict(self) -> dict[str, Any]:
        """The shot as plain values, for JSON."""
        told = asdict(self)
        if self.weave_px is None:  # earlier versions do not know it
            del told["weave_px"]
        return told

    @classmethod
    def from_dict(cls, given: dict[str, Any]) -> ShotPlan:
        """The shot from plain values, the inverse of `to_dict`.

        Raises:
            ValueError: A field is missing or unknown.
        """
        try:
            weave = given.get("weave_px")
            return cls(
                **{
                    **given,
                    "diagnosis": Diagnosis(**given["diagnosis"]),
                    "weave_px": None if weave is None else tuple(map(float, weave)),
                }
            )
        except (KeyError, TypeError) as fault:
            raise ValueError(f"a shot that is not described as one: {fault}") from fault
