"""Made flicker: steady clips with flicker added, seeded, with the truth kept."""

from unflicker.synthesis.made import (
    KINDS,
    MadeFlicker,
    graded,
    mean_grade,
    sunset,
    synthesise,
    ungraded,
)

__all__ = ["KINDS", "MadeFlicker", "graded", "mean_grade", "sunset", "synthesise", "ungraded"]
