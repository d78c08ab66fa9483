"""The record of a run, in a few hundred bytes a frame."""

from unflicker.recording.record import Record, Still
from unflicker.recording.recorder import Followed, Recorder

__all__ = ["Followed", "Record", "Recorder", "Still"]
