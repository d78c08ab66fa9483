"""The record of a run, in a few hundred bytes a frame."""

from unflicker.recording.measuring import Followed, Measured, Measuring
from unflicker.recording.record import Record, Still
from unflicker.recording.recorder import Recorder

__all__ = ["Followed", "Measured", "Measuring", "Record", "Recorder", "Still"]
