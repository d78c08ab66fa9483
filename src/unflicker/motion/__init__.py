"""Motion between neighbouring frames; the only home of OpenCV's flow."""

from unflicker.motion.flow import estimate_flow, estimate_motion, match
from unflicker.motion.phase_correlation import USUAL_PX, Registered, Shifts
from unflicker.motion.weave import weave_of

__all__ = [
    "USUAL_PX",
    "Registered",
    "Shifts",
    "estimate_flow",
    "estimate_motion",
    "match",
    "weave_of",
]
