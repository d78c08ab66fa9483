"""All settings, as one frozen tree. No torch, no NumPy: the command line loads this to print help.

Each field says what it does, its unit and where its default comes from; `describe` lists them.
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from unflicker.errors import UsageError

PRESETS = ("fast", "standard", "best", "paper")


def _setting(default: Any, sentence: str) -> Any:
    return field(default=default, metadata={"sentence": sentence})


def _need(holds: bool, name: str, got: Any, wanted: str) -> None:  # noqa: FBT001 - the condition
    if not holds:
        raise UsageError(f"{name} is {got}; pass {wanted}")


@dataclass(frozen=True, kw_only=True)
class ProxySettings:
    """The small pictures on which all thinking is done."""

    width_px: int = _setting(
        256, "Longest side of the proxy in px; larger sees smaller lamps, at more time a frame."
    )

    def __post_init__(self) -> None:
        """Refuse proxies that show nothing or are no proxies."""
        _need(32 <= self.width_px <= 2048, "proxy.width_px", self.width_px, "32 to 2048")


@dataclass(frozen=True, kw_only=True)
class ToneSettings:
    """The functions in which light is described (`tone.light_field`)."""

    waves_across: int = _setting(
        9, "Cosines of light over the width; 1 for none. More see smaller lamps."
    )
    waves_down: int = _setting(
        11, "Cosines of light over the height; 1 for none. More see narrower bands."
    )
    tone_powers: int = _setting(
        3, "Powers of log tone for the whole picture; 0 for gain alone, 1 adds gamma."
    )
    contrast_waves: int = _setting(
        3, "Contrast may differ by place in waves of order below this; 0 for not at all."
    )

    def __post_init__(self) -> None:
        """Refuse counts that no field can have."""
        _need(1 <= self.waves_across <= 32, "tone.waves_across", self.waves_across, "1 to 32")
        _need(1 <= self.waves_down <= 32, "tone.waves_down", self.waves_down, "1 to 32")
        _need(0 <= self.tone_powers <= 5, "tone.tone_powers", self.tone_powers, "0 to 5")
        _need(0 <= self.contrast_waves <= 8, "tone.contrast_waves", self.contrast_waves, "0 to 8")


@dataclass(frozen=True, kw_only=True)
class WindowSettings:
    """The stretches in which long shots are thought about."""

    frames: int = _setting(80, "Frames thought about together; memory grows with it.")
    overlap_frames: int = _setting(8, "Frames shared by neighbouring windows, which fade there.")

    def __post_init__(self) -> None:
        """Refuse windows that could not go on."""
        _need(self.frames >= 8, "window.frames", self.frames, "8 or more")
        fits = 0 <= self.overlap_frames < self.frames
        _need(fits, "window.overlap_frames", self.overlap_frames, "0 to less than window.frames")


@dataclass(frozen=True, kw_only=True)
class EncodingSettings:
    """How the result is written. Empty means: as the source is."""

    codec: str = _setting("", "Encoder by FFmpeg's name; empty keeps the source's family.")
    crf: float | None = _setting(
        None,
        "Quality of the encoder, lower is better; none takes the encoder's high-quality value.",
    )
    pix_fmt: str = _setting("", "Pixel format by FFmpeg's name; empty keeps the source's.")
    options: tuple[tuple[str, str], ...] = _setting((), "Further options for the encoder.")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything a run can be told."""

    preset: str = _setting("fast", f"One of {', '.join(PRESETS)}; today `fast` alone is built.")
    strength: float = _setting(1.0, "How much of the flicker to take out, 0 to 1; 0 copies.")
    keep_slower_than_seconds: float = _setting(
        2.0, "Light changes that take longer than this are wanted and stay, in seconds."
    )
    device: str = _setting("auto", "Where grades are applied: auto, cpu, cuda or cuda:n.")
    threads: int = _setting(0, "Threads of every library together; 0 takes all cores.")
    strict: bool = _setting(default=False, sentence="Whether a damaged frame stops the work.")
    proxy: ProxySettings = field(default_factory=ProxySettings)
    window: WindowSettings = field(default_factory=WindowSettings)
    tone: ToneSettings = field(default_factory=ToneSettings)
    encoding: EncodingSettings = field(default_factory=EncodingSettings)

    def __post_init__(self) -> None:
        """Refuse values that make no sense, before any work."""
        _need(self.preset in PRESETS, "preset", self.preset, ", ".join(PRESETS))
        _need(0.0 <= self.strength <= 1.0, "strength", self.strength, "0 to 1")
        slow = self.keep_slower_than_seconds
        _need(0.0 < slow < float("inf"), "keep_slower_than_seconds", slow, "seconds above 0")
        _need(self.threads >= 0, "threads", self.threads, "0 (all) or more")


def describe(settings: Any, prefix: str = "") -> Iterator[tuple[str, Any, str]]:
    """Every setting of a tree: dotted name, value, sentence."""
    for item in dataclasses.fields(settings):
        value = getattr(settings, item.name)
        if dataclasses.is_dataclass(value):
            yield from describe(value, f"{prefix}{item.name}.")
        else:
            yield f"{prefix}{item.name}", value, item.metadata["sentence"]


def to_dict(settings: Settings) -> dict[str, Any]:
    """The settings as plain values by dotted name, to write beside an output."""
    return {name: value for name, value, _ in describe(settings)}


def replaced(settings: Settings, changes: Mapping[str, Any]) -> Settings:
    """The settings with some values changed, named by dotted name.

    Raises:
        UsageError: A name that does not exist; the message suggests the nearest.
    """
    known = [name for name, _, _ in describe(settings)]
    for name in changes:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.0)
            raise UsageError(f"unknown setting {name}; did you mean {near[0]}?")
    for name, value in changes.items():
        settings = _replace_one(settings, name.split("."), value)
    return settings


def _replace_one(tree: Any, path: list[str], value: Any) -> Any:
    if len(path) > 1:
        value = _replace_one(getattr(tree, path[0]), path[1:], value)
    return dataclasses.replace(tree, **{path[0]: value})
