"""Tone: what light flicker adds to each frame, and the grade that takes it away."""

from unflicker.tone.diagnosis import Diagnosis, diagnose
from unflicker.tone.exposure_lock import ExposureLock, locking_curves
from unflicker.tone.grading import grade_of
from unflicker.tone.light_field import LightField
from unflicker.tone.steady import SteadyTone, look_again, steady_tone, steady_whole

__all__ = [
    "Diagnosis",
    "ExposureLock",
    "LightField",
    "SteadyTone",
    "diagnose",
    "grade_of",
    "locking_curves",
    "look_again",
    "steady_tone",
    "steady_whole",
]
