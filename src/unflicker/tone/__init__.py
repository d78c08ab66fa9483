"""Tone: estimation of the light that flicker adds to each frame, and the grade that removes it."""

from unflicker.tone.diagnosis import Diagnosis, diagnose
from unflicker.tone.estimate import SteadyTone, look_again, steady_tone, steady_whole
from unflicker.tone.exposure_drift import Course, course_of, drift_of
from unflicker.tone.exposure_lock import ExposureLock, locking_curves
from unflicker.tone.flicker import Pace
from unflicker.tone.grading import grade_of
from unflicker.tone.illumination import IlluminationModel
from unflicker.tone.pumping import pumping

__all__ = [
    "Course",
    "Diagnosis",
    "ExposureLock",
    "IlluminationModel",
    "Pace",
    "SteadyTone",
    "course_of",
    "diagnose",
    "drift_of",
    "grade_of",
    "locking_curves",
    "look_again",
    "pumping",
    "steady_tone",
    "steady_whole",
]
