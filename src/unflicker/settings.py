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


@dataclass(frozen=True, kw_only=True)
class ProxySettings:
    """The small pictures on which all thinking is done."""

    width_px: int = _setting(
        256, "Longest side of the proxy in px; larger sees smaller lamps, at more time a frame."
    )


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


@dataclass(frozen=True, kw_only=True)
class WindowSettings:
    """The stretches in which long shots are thought about."""

    frames: int = _setting(96, "Frames thought about together; memory grows with it.")
    overlap_frames: int = _setting(32, "Frames shared by neighbouring windows, which fade there.")


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
    strict: bool = _setting(False, "Whether a damaged frame stops the work.")
    proxy: ProxySettings = field(default_factory=ProxySettings)
    window: WindowSettings = field(default_factory=WindowSettings)
    tone: ToneSettings = field(default_factory=ToneSettings)
    encoding: EncodingSettings = field(default_factory=EncodingSettings)


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
