"""What a person decides about a film: the method, its strength, and what differs by shot."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from unflicker.errors import UsageError
from unflicker.plan import FramePlan
from unflicker.refinement.texture import NO_FLICKER
from unflicker.settings import Settings
from unflicker.settings.schema import DEGREES

PRESETS = ("fast", "standard")
"""Those that need neither torch nor hours."""
MODELS = ("found", "whole")
"""A shot's correction as found, or that of the whole picture alone."""
OVERLAYS = ("keep", "correct")
CLEAN = ("", *DEGREES)
_MOST_SHOTS = 100_000
_KINDS: dict[str, Any] = {
    "preset": str,
    "strength": int | float,
    "keep_slower_than": int | float,
    "lock_exposure": bool,
    "clean": str,
    "scratches": bool,
    "hairs": bool,
    "frames": bool,
    "gate": bool,
    "overlays": str,
    "shots": dict,
    "mask": str,
}
_SWITCHES = ("lock_exposure", "scratches", "hairs", "frames", "gate")
_LATER = ("hairs", "frames", "gate")
"""Switches that libraries of earlier versions do not know: off, they change no key."""
_DIGEST = re.compile(r"([0-9a-f]{16})?")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_share(value: Any) -> bool:
    return _is_number(value) and 0.0 <= value <= 1.0


def _need(holds: bool, name: str, got: Any, wanted: str) -> None:  # noqa: FBT001 - the condition
    if not holds:
        raise UsageError(f"{name} is {got!r}; pass {wanted}")


@dataclass(frozen=True, kw_only=True)
class ShotSteering:
    """What is different in one shot."""

    strength: float = 1.0
    model: str = "found"

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        _need(_is_share(self.strength), "the strength of a shot", self.strength, "0 to 1")
        _need(self.model in MODELS, "the model of a shot", self.model, " or ".join(MODELS))


@dataclass(frozen=True, kw_only=True)
class Steering:
    """What a person decides about a film."""

    preset: str = "standard"
    strength: float = 1.0
    keep_slower_than: float = 2.0
    """Seconds; slower changes of light are kept."""
    lock_exposure: bool = False
    clean: str = ""
    """How much counts as dirt, which is then removed, and as other damage; empty for no dirt."""
    scratches: bool = False
    """Whether scratches are filled."""
    hairs: bool = False
    """Whether hairs in the gate are filled."""
    frames: bool = False
    """Whether lost and torn frames are rebuilt."""
    gate: bool = False
    """Whether gate weave is removed."""
    overlays: str = "keep"
    """Whether overlays that were found, such as subtitles, are kept as they are."""
    shots: Mapping[int, ShotSteering] = field(default_factory=dict)
    mask: str = ""
    """Digest of the mask that was drawn; empty for none."""

    def __post_init__(self) -> None:
        """Refuse values out of range; numbers are the same from Python and from a browser."""
        for name in ("strength", "keep_slower_than"):
            if _is_number(value := getattr(self, name)):
                object.__setattr__(self, name, float(value))
        _need(self.preset in PRESETS, "the preset", self.preset, " or ".join(PRESETS))
        _need(_is_share(self.strength), "the strength", self.strength, "0 to 1")
        slow = self.keep_slower_than
        _need(_is_number(slow) and 0 < slow <= 3600, "keep_slower_than", slow, "0 to 3600 seconds")
        for name in _SWITCHES:
            _need(isinstance(value := getattr(self, name), bool), name, value, "a switch")
        _need(self.clean in CLEAN, "clean", self.clean, "light, normal, strong or nothing")
        is_digest = _DIGEST.fullmatch(self.mask) is not None
        _need(is_digest, "the mask", self.mask, "the name of one that was drawn")
        _need(self.overlays in OVERLAYS, "overlays", self.overlays, " or ".join(OVERLAYS))

    @property
    def settings(self) -> Settings:
        """The settings of a run."""
        return Settings.from_preset(
            self.preset,
            strength=float(self.strength),
            keep_slower_than_seconds=float(self.keep_slower_than),
            tone__lock_exposure=self.lock_exposure,
            repair__dirt=bool(self.clean),
            repair__scratches=self.scratches,
            repair__hairs=self.hairs,
            repair__frames=self.frames,
            repair__degree=self.clean or "normal",
            stabilise__gate=self.gate,
        )

    @property
    def analysis_key(self) -> str:
        """The same for all that share a plan at full strength."""
        clean = [self.clean, self.scratches, *(name for name in _LATER if getattr(self, name))]
        return _digest([self.preset, self.keep_slower_than, self.lock_exposure, *clean])

    @property
    def key(self) -> str:
        """The same for all that give the same result."""
        plain = self.to_dict()
        return _digest({name: plain[name] for name in plain if name not in _LATER or plain[name]})

    def of_shot(self, number: int) -> ShotSteering:
        """What is different in a shot."""
        return self.shots.get(number, _AS_FOUND)

    def changes_frames(self) -> bool:
        """Whether plans of frames change, not only strengths."""
        differs = any(shot.model != "found" for shot in self.shots.values())
        return differs or self.overlays != "keep"

    def applied(self, frame: FramePlan, *, shot: int) -> FramePlan:
        """A frame's plan as a person changed it, at full strength.

        Args:
            frame: As it was found.
            shot: Number of its shot.
        """
        if self.overlays == "correct" and frame.kept is not None:
            frame = replace(frame, kept=None)
        if self.of_shot(shot).model == "whole":
            lower = frame.lower_grade
            frame = replace(
                frame,
                grade=frame.grade.of_whole_picture(),
                lower_grade=None if lower is None else lower.of_whole_picture(),
                texture=NO_FLICKER,
            )
        return frame

    def to_dict(self) -> dict[str, Any]:
        """As plain values, for JSON."""
        plain = asdict(self)
        shots = sorted(self.shots.items())
        return {**plain, "shots": {str(number): asdict(shot) for number, shot in shots}}

    @classmethod
    def from_dict(cls, given: Any) -> Steering:
        """The inverse of `to_dict`, for what comes from a browser or a file.

        Raises:
            UsageError: A name is unknown, or a value out of range.
        """
        _need(isinstance(given, dict), "what is decided", type(given).__name__, "an object")
        unknown = set(given) - set(cls.__dataclass_fields__)
        _need(not unknown, "a name", ", ".join(sorted(map(str, unknown))), "a known one")
        for name, value in given.items():
            _need(isinstance(value, _KINDS[name]), name, value, "a value of its kind")
        shots = given.get("shots", {})
        _need(len(shots) <= _MOST_SHOTS, "the number of shots", len(shots), "fewer")
        return cls(**{**given, "shots": dict(_shot(n, shot) for n, shot in shots.items())})


_AS_FOUND = ShotSteering()


def _shot(number: Any, given: Any) -> tuple[int, ShotSteering]:
    text = str(number)
    _need(text.isascii() and text.isdigit() and len(text) < 10, "a shot", text, "0 or more")
    _need(isinstance(given, dict), "a shot", type(given).__name__, "an object")
    for name, value in given.items():
        kind = {"strength": int | float, "model": str}.get(name)
        _need(kind is not None, "a name", name, "strength or model")
        _need(kind is not None and isinstance(value, kind), name, value, "a value of its kind")
    return int(text), ShotSteering(**given)


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]
