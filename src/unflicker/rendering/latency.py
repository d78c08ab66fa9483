"""How many frames a stream is read ahead of its result, and windows for a bound on that."""

from __future__ import annotations

from unflicker.analysis.analyse_film import least_window_frames, window_frames
from unflicker.analysis.cuts import LOOK_AHEAD_FRAMES
from unflicker.analysis.windows import held_frames
from unflicker.compute.context import ON_THE_CPU
from unflicker.errors import UsageError
from unflicker.rendering.stages import stages_of
from unflicker.settings import Settings, replaced

_LEAST_WINDOW, _LEAST_OVERLAP = 8, 2
_OVERLAPS = 6
"""A short window is at least so many overlaps long."""


def latency_frames(settings: Settings) -> int:
    """Frames that are read, at most, before the first of them can be written.

    A shot's window is complete when its overlap with the next one and a frame more have been read,
    and cuts are looked for. Stages of rendering look ahead, too. A picture that is repeated waits,
    besides, for the next new one where texture is refined.

    Args:
        settings: Of the run.
    """
    stages = sum(stage.look_ahead_frames for stage in stages_of(settings, ON_THE_CPU))
    overlap = settings.window.overlap_frames
    held = held_frames(window_frames(settings), overlap, least_window_frames(settings))
    return held + 1 + LOOK_AHEAD_FRAMES + stages


def within_latency(settings: Settings, *, seconds: float, fps: float) -> Settings:
    """Settings with the longest windows whose `latency_frames` fit into some seconds.

    Args:
        settings: Of the run; their windows are not made longer.
        seconds: The bound.
        fps: Frames a second.

    Raises:
        UsageError: The shortest windows do not fit.
    """
    shortest = _with_windows(settings, frames=_LEAST_WINDOW, overlap=_LEAST_OVERLAP)
    least, most = latency_frames(shortest), int(seconds * fps + 1e-6)
    if most < least:
        raise UsageError(
            f"a latency of {seconds:g} s is {most} frames at {fps:g} a second; pass "
            f"{least / fps:.2f} or more ({least} frames: the shortest window, and what is read "
            "ahead to find cuts)"
        )
    fitting = shortest
    for frames in range(_LEAST_WINDOW, settings.window.frames + 1):
        longest = min(settings.window.overlap_frames, max(_LEAST_OVERLAP, frames // _OVERLAPS))
        longer = _with_windows(settings, frames=frames, overlap=longest)
        if latency_frames(longer) <= most:
            fitting = longer
    return fitting


def _with_windows(settings: Settings, *, frames: int, overlap: int) -> Settings:
    # Both at once: one alone may contradict the other.
    window = settings.window
    changed = type(window)(frames=frames, overlap_frames=overlap)
    return replaced(settings, {"window": changed})
