"""Made flicker: steady clips with flicker added, seeded, with the truth kept."""

from unflicker.synthesis.made import (
    ADDED_KINDS,
    KINDS,
    MIXED_KINDS,
    MadeFlicker,
    graded,
    mean_grade,
    sunset,
    synthesise,
    ungraded,
)
from unflicker.synthesis.processed import processed

__all__ = [
    "ADDED_KINDS",
    "KINDS",
    "MIXED_KINDS",
    "MadeFlicker",
    "graded",
    "mean_grade",
    "processed",
    "sunset",
    "synthesise",
    "ungraded",
]
