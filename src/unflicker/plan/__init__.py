"""The correction of a film at full strength, for each frame and each shot."""

from unflicker.plan.edit import write_edited, write_with_frames
from unflicker.plan.file import Plan, PlanWriter
from unflicker.plan.plan import FramePlan, ShotPlan

__all__ = ["FramePlan", "Plan", "PlanWriter", "ShotPlan", "write_edited", "write_with_frames"]
