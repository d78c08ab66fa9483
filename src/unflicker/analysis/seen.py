"""What an earlier run saw of a film's windows: enough to plan their frames without reading them.

A run that continues takes the windows that are finished from the workspace, and reads the film from
a few frames before the first that is not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Float64

from unflicker.analysis.analyse_window import Finding
from unflicker.analysis.cuts import RECENT_FRAMES
from unflicker.analysis.findings import finding_name
from unflicker.analysis.windows import BEGINNING, Place, Window
from unflicker.files.workspace import Workspace
from unflicker.frames.picture import Frame
from unflicker.grade import Grade
from unflicker.grade.apply import apply_to_light
from unflicker.plan.fingerprint import SPARSE, mean_light
from unflicker.settings import Settings
from unflicker.tone.overlays import Standing
from unflicker.video import VideoSource, frames_from


@dataclass(frozen=True, kw_only=True, eq=False)
class SeenFrames:
    """The frames of a window that are planned with it: all but those shared with the next one."""

    start: int
    ends_shot: bool
    proxy_size: tuple[int, int]
    light_scale: float
    """As of the window."""
    seconds: Float64[np.ndarray, " time"]
    damaged: Bool[np.ndarray, " time"]
    mean_before: Float32[np.ndarray, "time 3"]
    """As of the frames' plans."""
    mean_after: Float32[np.ndarray, "time 3"]
    mended: bool
    """Whether the film had faults, as far as it was read."""

    @property
    def stop(self) -> int:
        """Index of the next window's first frame."""
        return self.start + len(self.seconds)


@dataclass(frozen=True, kw_only=True, eq=False)
class Look:
    """What a plan says of its frame besides the correction."""

    seconds: float
    damaged: bool
    mean_before: Float32[np.ndarray, " 3"]
    mean_after: Float32[np.ndarray, " 3"]


class Looking:
    """Looks at the frames of a window that was decoded."""

    def __init__(self, window: Window, *, scale: float) -> None:
        """Begin.

        Args:
            window: As decoded.
            scale: Factor on its light.
        """
        self._window = window
        self.shown: Window | None = window.multiplied(scale)
        """The window with its light scaled; None if it was not decoded."""
        self.light_scale = self.shown.light_scale
        self.proxy_size: tuple[int, int] = window.frames[0].pixels.shape[:2]
        self._looks: list[Look] = []

    @staticmethod
    def again(seen: SeenFrames) -> Looking:
        """Looks at frames as an earlier run saw them."""
        return _Remembering(seen)

    def at(self, place: int, grade: Grade) -> Look:
        """The look of a frame of the window.

        Args:
            place: Of the frame; each once, in order.
            grade: Of the frame.
        """
        proxy = self._window.frames[place]
        sparse = proxy.pixels[SPARSE]
        look = Look(
            seconds=proxy.seconds,
            damaged=proxy.damaged,
            mean_before=mean_light(sparse),
            mean_after=mean_light(apply_to_light(sparse, grade)),
        )
        self._looks.append(look)
        return look

    def keep(self, work: Workspace | None, *, mended: bool) -> None:
        """Keep what was seen, if a run may continue with it.

        Args:
            work: Of the run; None keeps nothing.
            mended: Whether the film had faults so far.
        """
        if work is None:
            return
        seen = SeenFrames(
            start=self._window.start,
            ends_shot=self._window.ends_shot,
            proxy_size=self.proxy_size,
            light_scale=self.light_scale,
            seconds=np.array([look.seconds for look in self._looks], np.float64),
            damaged=np.array([look.damaged for look in self._looks], bool),
            mean_before=np.stack([look.mean_before for look in self._looks]),
            mean_after=np.stack([look.mean_after for look in self._looks]),
            mended=mended,
        )
        work.store(_name(seen.start), seen)


class _Remembering(Looking):
    """Looks at frames as an earlier run saw them."""

    def __init__(self, seen: SeenFrames) -> None:
        self._seen = seen
        self.shown = None
        self.light_scale, self.proxy_size = seen.light_scale, seen.proxy_size

    def at(self, place: int, grade: Grade) -> Look:
        del grade
        seen = self._seen
        return Look(
            seconds=float(seen.seconds[place]),
            damaged=bool(seen.damaged[place]),
            mean_before=seen.mean_before[place],
            mean_after=seen.mean_after[place],
        )


class Earlier:
    """The finished windows of an earlier run, and where the next begins."""

    def __init__(self, film: VideoSource, settings: Settings, work: Workspace | None) -> None:
        """Look for windows whose frames need not be read; there are none where all must be.

        A film that had to be mended is read from its beginning, so that the user hears of all
        faults; so is one whose exposure is locked, as that compares pictures over a whole shot.

        Args:
            film: To be analysed.
            settings: Of the run.
            work: Of the run.
        """
        self._film, self._work = film, work
        self._passed: list[SeenFrames] = []
        self._last: Finding | None = None
        can_begin_later = not (getattr(film, "mended", True) or settings.tone.lock_exposure)
        self._found = list(_seen(work)) if work is not None and can_begin_later else []
        if self._found and self._found[-1].mended:
            self._found = []

    def findings(self) -> Iterator[tuple[SeenFrames, Finding]]:
        """The windows with their findings, in order; once, before all else is asked."""
        for seen in self._found:
            assert self._work is not None
            finding = self._work.load(finding_name(seen.start))
            if not isinstance(finding, Finding):
                return
            self._passed.append(seen)
            self._last = finding
            yield seen, finding

    @property
    def shot_is_over(self) -> bool:
        """Whether the next window starts a shot."""
        return self._last is None or self._last.ends_shot

    @property
    def standing(self) -> Standing | None:
        """Overlays of the frame before the next window."""
        return None if self._last is None else self._last.standing

    @property
    def light_scale(self) -> float:
        """Factor of the light of the shot, if it goes on."""
        return self._passed[-1].light_scale if self._passed else 1.0

    def place(self, *, overlap: int) -> Place:
        """Where the next window begins.

        Args:
            overlap: Of neighbouring windows of a shot.
        """
        if not self._passed:
            return BEGINNING
        start = self._passed[-1].stop
        if self.shot_is_over:
            return Place(start=start)
        return Place(start=start, overlap=overlap, before=start - self._first_read)

    def frames(self) -> Iterator[Frame] | None:
        """The frames of the film that are to be read; None for all."""
        if not self._passed:
            return None
        first = self._first_read
        seconds = np.concatenate([seen.seconds for seen in self._passed])[first]
        pts = round(float(seconds) / float(self._film.traits.time_base))
        frames = frames_from(self._film, first, pts)
        if self.shot_is_over:  # the frame before is only the way to the next
            next(frames, None)
        return frames

    @property
    def _first_read(self) -> int:
        """Index of the first frame that is read: of a shot that goes on, the last sound ones."""
        first = self._passed[-1].stop - 1
        if self.shot_is_over:
            return first
        sound = 0
        for number, seen in enumerate(reversed(self._passed)):
            if number and seen.ends_shot:
                break
            for place in reversed(range(len(seen.seconds))):
                first, sound = seen.start + place, sound + (not seen.damaged[place])
                if sound == RECENT_FRAMES:
                    return first
        return first


def _seen(work: Workspace) -> Iterator[SeenFrames]:
    """What was seen of windows, in order, up to the first of which nothing was kept."""
    start = 0
    while isinstance(seen := work.load(_name(start)), SeenFrames):
        yield seen
        start = seen.stop


def _name(start: int) -> str:
    return f"windows/{start:09d}.seen"
