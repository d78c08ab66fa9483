"""Tone: what light flicker adds to each frame, and the grade that takes it away."""

from unflicker.tone.diagnosis import Diagnosis, diagnose
from unflicker.tone.flicker import Pace
from unflicker.tone.grading import grade_of
from unflicker.tone.steady import SteadyTone, look_again, steady_tone, steady_whole

__all__ = [
    "Diagnosis",
    "Pace",
    "SteadyTone",
    "diagnose",
    "grade_of",
    "look_again",
    "steady_tone",
    "steady_whole",
]
