"""Synthetic flicker: added to steady clips, seeded, with ground truth."""

from unflicker.synthesis.processing_flicker import processed
from unflicker.synthesis.synthetic_flicker import (
    ADDED_KINDS,
    KINDS,
    MIXED_KINDS,
    SyntheticFlicker,
    graded,
    mean_grade,
    sunset,
    synthesise,
    ungraded,
)

__all__ = [
    "ADDED_KINDS",
    "KINDS",
    "MIXED_KINDS",
    "SyntheticFlicker",
    "graded",
    "mean_grade",
    "processed",
    "sunset",
    "synthesise",
    "ungraded",
]
