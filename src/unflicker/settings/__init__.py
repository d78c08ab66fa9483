"""All settings as one frozen tree, and the presets. No torch, no NumPy."""

from unflicker.settings.choosing import asked_for, preset_of, usual_settings, without
from unflicker.settings.presets import NEURAL_LIBRARIES, PRESETS, STAGES
from unflicker.settings.schema import (
    DAMAGE,
    FLASHES,
    UNSTEADY,
    USUAL_KEEP_SECONDS,
    AtlasSettings,
    EncodingSettings,
    Settings,
    ToneSettings,
    WindowSettings,
    describe,
    replaced,
    to_dict,
)

__all__ = [
    "DAMAGE",
    "FLASHES",
    "NEURAL_LIBRARIES",
    "PRESETS",
    "STAGES",
    "UNSTEADY",
    "USUAL_KEEP_SECONDS",
    "AtlasSettings",
    "EncodingSettings",
    "Settings",
    "ToneSettings",
    "WindowSettings",
    "asked_for",
    "describe",
    "preset_of",
    "replaced",
    "to_dict",
    "usual_settings",
    "without",
]
