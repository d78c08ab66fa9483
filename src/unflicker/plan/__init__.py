"""What is to be done to a film: frame by frame and shot by shot, at full strength."""

from unflicker.plan.edit import write_edited
from unflicker.plan.file import Plan, PlanWriter
from unflicker.plan.plan import FramePlan, ShotPlan

__all__ = ["FramePlan", "Plan", "PlanWriter", "ShotPlan", "write_edited"]
