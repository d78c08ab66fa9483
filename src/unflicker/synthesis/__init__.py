"""Synthetic flicker: added to steady clips, seeded, with ground truth."""

from unflicker.synthesis.processing_flicker import processed
from unflicker.synthesis.simulations import (
    SIMULATED_KINDS,
    Simulation,
    category_of,
    simulated,
)
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
    "SIMULATED_KINDS",
    "Simulation",
    "SyntheticFlicker",
    "category_of",
    "graded",
    "mean_grade",
    "processed",
    "simulated",
    "sunset",
    "synthesise",
    "ungraded",
]
