"""Optical flow between neighbouring frames; the only home of OpenCV's flow."""

from unflicker.motion.flow import estimate_flow, estimate_motion, match

__all__ = ["estimate_flow", "estimate_motion", "match"]
