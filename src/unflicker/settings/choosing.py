"""Builds a settings tree from what a caller passes."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from unflicker.errors import UsageError
from unflicker.settings.presets import PRESETS, STAGES
from unflicker.settings.schema import Settings, describe, replaced

_OF_A_RUN = (
    "strength",
    "keep_slower_than_seconds",
    "device",
    "threads",
    "strict",
    "encoding.",
    "repair.",
)
"""Settings that no preset sets."""


def usual_settings() -> Settings:
    """The settings of a run for which none are named: those of preset `standard`."""
    return Settings()


def preset_of(settings: Settings) -> str:
    """The preset that settings equal but for strength, device and encoder; "custom" if none."""
    of = _of_the_method(settings)
    named = (name for name in PRESETS if _of_the_method(Settings.from_preset(name)) == of)
    return next(named, "custom")


def _of_the_method(settings: Settings) -> dict[str, object]:
    told = describe(settings)
    return {name: value for name, value, _ in told if not name.startswith(_OF_A_RUN)}


def asked_for(
    settings: Settings | None,
    *,
    preset: str | None = None,
    strength: float | None = None,
    keep_slower_than: float | None = None,
    **unknown: object,
) -> Settings:
    """The settings of a run: a given tree or a preset, with single values replaced.

    Args:
        settings: A settings tree; excludes `preset`.
        preset: Name of a preset; the usual one if None.
        strength: 0 to 1; the value of the tree or of the preset if None.
        keep_slower_than: Seconds, above 0; likewise.
        unknown: Names that do not exist, which a caller passed.

    Raises:
        UsageError: Both a tree and a preset were passed, a name does not exist, or a value is out
            of range.
    """
    if unknown:
        raise UsageError(
            f"there is no argument {next(iter(unknown))!r}; pass preset, strength or "
            "keep_slower_than, other settings as settings=Settings(…), and what concerns one run "
            "as options=RunOptions(…)"
        )
    if settings is not None and preset is not None:
        raise UsageError(
            f"settings and preset {preset!r} were both passed; "
            f"pass settings=Settings.from_preset({preset!r}, …)"
        )
    if settings is None:
        settings = Settings.from_preset(preset) if preset else usual_settings()
    asked = {"strength": strength, "keep_slower_than_seconds": keep_slower_than}
    return replaced(settings, {name: value for name, value in asked.items() if value is not None})


def without(settings: Settings, stages: Iterable[str]) -> Settings:
    """The settings with some stages switched off.

    Args:
        settings: A settings tree.
        stages: Names of stages, as in `STAGES`.

    Raises:
        UsageError: No stage has that name; the message suggests the nearest.
    """
    for stage in stages:
        if stage not in STAGES:
            near = difflib.get_close_matches(stage, STAGES, n=1, cutoff=0.0)
            raise UsageError(
                f"no stage is named {stage}; did you mean {near[0]}? There are {', '.join(STAGES)}"
            )
        settings = replaced(settings, {STAGES[stage]: False})
    return settings
