"""Records a run while it is in progress, in a few hundred bytes a frame.

Values predicted by analysis are replaced when rendering has measured them on the output.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import version

import cv2
import numpy as np
from jaxtyping import Float32

from unflicker.analysis.analyse_window import Finding
from unflicker.frames.colour import linear_stops, rgb_of_planes, small_rgb
from unflicker.frames.picture import Frame, Picture
from unflicker.grade.mask import Share
from unflicker.plan import FramePlan, ShotPlan
from unflicker.recording.record import Record, Still
from unflicker.recording.visible import Visible, VisibleFlicker, mean_visible
from unflicker.settings import NEURAL_LIBRARIES, Settings, to_dict
from unflicker.tone import Course, Diagnosis, SteadyTone, diagnose, drift_of
from unflicker.video import VideoSource

_MAP = {"rows": 6, "columns": 8}
_DARK = 0.01
"""Added to both sides of a ratio of light, which is unreliable near black."""
_STILLS = 4
_STILL_WIDTH_PX = 640
_APART_SECONDS = 0.5
_LIBRARIES = ("unflicker", "numpy", "opencv-python-headless", "av", "numba")


@dataclass(kw_only=True, eq=False)
class _Shot:
    """A shot whose windows are being analysed."""

    start: int
    windows: list[SteadyTone] = field(default_factory=list)
    visible: list[Visible] = field(default_factory=list)
    """Of each window."""
    course: Course | None = None
    fine_light: bool = False
    guided: bool = False
    calmed: bool = False


@dataclass(frozen=True, kw_only=True, eq=False)
class Followed:
    """The plan of a frame, and the strength at which it was applied."""

    plan: FramePlan
    strength: float
    share: Share | None
    """Correction share of each pixel, 0 to 1; 1 everywhere if None."""

    @property
    def by_place(self) -> Float32[np.ndarray, "rows columns"] | np.float32:
        """Share of the correction in each part of the picture."""
        if self.share is None:
            return np.float32(self.strength)
        size = _MAP["columns"], _MAP["rows"]
        return cv2.resize(self.share, size, interpolation=cv2.INTER_AREA) * np.float32(
            self.strength
        )


class Recorder:
    """Collects plans, findings and results during a run, and makes the record of it."""

    def __init__(self, film: VideoSource, settings: Settings, *, output: str) -> None:
        self._film, self._settings, self._output = film, settings, output
        self._began = time.monotonic()
        self._seconds: list[float] = []
        self._before: list[np.ndarray] = []
        self._after: list[np.ndarray] = []
        self._stops: list[np.ndarray] = []
        self._damaged: list[int] = []
        self._shot: _Shot | None = None
        self._shots: list[ShotPlan] = []
        self._stills: list[tuple[float, Still]] = []
        self._visible_flicker = VisibleFlicker()
        self._cuts_known = True

    @property
    def shots(self) -> tuple[ShotPlan, ...]:
        """The shots that are completely analysed."""
        return tuple(self._shots)

    def heard(self, planned: FramePlan | Finding) -> None:
        """Take note of a frame's plan, or of a window's finding."""
        if isinstance(planned, Finding):
            self._heard_of_window(planned)
            return
        self._seconds.append(planned.seconds)
        self._before.append(planned.mean_before)
        self._after.append(planned.mean_after)
        self._stops.append(planned.grade.stops_by_place(**_MAP))
        if planned.damaged:
            self._damaged.append(planned.index)

    def heard_of_shots(self, shots: Sequence[ShotPlan]) -> None:
        """Take note of the shots of a plan from a file."""
        self._shots += shots
        self._cuts_known = bool(shots)  # plans before version 3 know none

    def redrawn(self, frame: Frame, picture: Picture) -> None:
        """Measure a frame that was redrawn without a grade.

        Args:
            frame: As decoded.
            picture: As written.
        """
        size = _MAP["rows"], _MAP["columns"]
        before, after = (
            small_rgb(each, size=size).mean(axis=-1) + _DARK for each in (frame.picture, picture)
        )
        self._stops.append(linear_stops(np.log(after / before)).astype(np.float32))
        self._seconds.append(frame.seconds)
        self._before.append(_mean(frame.picture))
        self._after.append(_mean(picture))
        if frame.damaged:
            self._damaged.append(frame.index)
        self._keep_still(frame, picture)

    def saw(self, frame: Frame, result: Picture, followed: Followed) -> None:
        """Measure a frame and its result.

        Args:
            frame: As decoded; its plan was passed to `heard` before.
            result: As written.
            followed: Its plan, and the strength at which it was applied.
        """
        index = frame.index
        self._seconds[index] = frame.seconds
        self._before[index] = _mean(frame.picture)
        self._after[index] = self._before[index]
        if result is not frame.picture:
            self._after[index] = _mean(result)
        self._stops[index] = self._stops[index] * followed.by_place
        if self._cuts_known:
            self._visible_flicker.saw(frame, result, followed.plan)
        self._keep_still(frame, result)

    def _keep_still(self, frame: Frame, graded: Picture) -> None:
        """Keep the most changed frames as stills."""
        change = float(np.abs(self._stops[frame.index]).max())
        if change < 0.01 or not self._is_among_the_most_changed(frame.seconds, change):
            return
        still = Still(
            index=frame.index,
            seconds=frame.seconds,
            before=_still(frame.picture),
            after=_still(graded),
        )
        near = [s for s in self._stills if abs(s[1].seconds - frame.seconds) < _APART_SECONDS]
        rest = [s for s in self._stills if s not in near]
        self._stills = sorted([*rest, (change, still)], key=lambda s: -s[0])[:_STILLS]

    def record(self, *, notes: tuple[str, ...]) -> Record:
        """The record of the run, with these notes for the user."""
        self._visible_flicker.ends_shot()
        before, after = self._visible_flicker.mean
        if np.isnan(before):
            before, after = self._expected()
        neural = any(shot.guided for shot in self._shots) or self._settings.redraws
        libraries = _LIBRARIES + NEURAL_LIBRARIES[:1] * neural
        return Record(
            source=self._film.name,
            output=self._output,
            seconds=np.array(self._seconds, np.float32),
            mean_before=_stacked(self._before, (3,)),
            mean_after=_stacked(self._after, (3,)),
            correction_stops=_stacked(self._stops, tuple(_MAP.values())),
            shots=tuple(self._measured_shots()),
            visible_flicker_before=before,
            visible_flicker_after=after,
            stills=tuple(sorted((s[1] for s in self._stills), key=lambda still: still.index)),
            damaged=tuple(self._damaged),
            settings=to_dict(self._settings),
            versions={"python": platform.python_version()} | {n: version(n) for n in libraries},
            notes=(*notes, *self._suggestions()),
            wall_seconds=time.monotonic() - self._began,
        )

    def _expected(self) -> tuple[float, float]:
        """Visible flicker before and after, as predicted by analysis at full strength."""
        return mean_visible(
            [
                Visible(
                    before=shot.visible_before,
                    after=shot.visible_after,
                    frames=shot.stop - shot.start,
                )
                for shot in self._shots
            ]
        )

    def _measured_shots(self) -> Iterator[ShotPlan]:
        """The shots, with visible flicker as measured where it was."""
        for number, shot in enumerate(self._shots):
            before, after = self._visible_flicker.of_shot(number)
            if np.isnan(before):
                yield shot
            else:
                yield replace(shot, visible_before=before, visible_after=after)

    def _suggestions(self) -> tuple[str, ...]:
        """Suggested options for this film."""
        drifts = [shot.diagnosis.exposure_drift_stops for shot in self._shots]
        if self._settings.tone.lock_exposure or not any(drifts):
            return ()
        drifting = sum(drift > 0.0 for drift in drifts)
        where = "" if len(drifts) == 1 else f" in {drifting} of {len(drifts)} shots"
        return (
            f"automatic exposure or white balance drifts by up to {max(drifts):.1f} stops{where}; "
            "--lock-exposure removes it",
        )

    def _is_among_the_most_changed(self, seconds: float, change: float) -> bool:
        near = [c for c, still in self._stills if abs(still.seconds - seconds) < _APART_SECONDS]
        if near:
            return change > max(near)
        return len(self._stills) < _STILLS or change > self._stills[-1][0]

    def _heard_of_window(self, finding: Finding) -> None:
        if self._shot is None:
            self._shot = _Shot(start=finding.start)
        frames = finding.stop - finding.start - finding.overlap
        self._shot.windows.append(finding.tone)
        self._shot.visible.append(
            Visible(before=finding.visible_before, after=finding.visible_after, frames=frames)
        )
        if finding.course is not None:
            known = self._shot.course
            overlap = int((finding.roles.votes < finding.overlap).sum())
            self._shot.course = (
                known.followed_by(finding.course, overlap) if known else finding.course
            )
        self._shot.fine_light |= finding.fine_gain is not None
        self._shot.guided |= finding.guide_gain is not None
        self._shot.calmed |= finding.texture.amount > 0.0
        if finding.ends_shot:
            before, after = mean_visible(self._shot.visible)
            self._shots.append(
                ShotPlan(
                    start=self._shot.start,
                    stop=finding.stop,
                    diagnosis=self._diagnosis(finding.fps, visible=before),
                    fine_light=self._shot.fine_light,
                    guided=self._shot.guided,
                    calmed=self._shot.calmed,
                    visible_before=before,
                    visible_after=after,
                )
            )
            self._shot = None

    def _diagnosis(self, fps: float, *, visible: float) -> Diagnosis:
        assert self._shot is not None
        course = self._shot.course
        return diagnose(
            self._shot.windows,
            fps=fps,
            visible_delta_e=visible,
            exposure_drift_stops=drift_of(course, fps=fps) if course is not None else 0.0,
            locked=self._settings.tone.lock_exposure,
        )


def _mean(picture: Picture) -> Float32[np.ndarray, " 3"]:
    """Mean stored red, green and blue, of a sixteenth of the pixels."""
    colour = picture.planes[: picture.layout.colour_planes]
    means = [np.full((1, 1), cv2.mean(plane[::4, ::4])[0], np.float32) for plane in colour]
    return rgb_of_planes(means, picture)[0, 0]


def _still(picture: Picture) -> np.ndarray:
    height, width = picture.size
    scale = min(1.0, _STILL_WIDTH_PX / width)
    size = (max(1, round(height * scale)), max(1, round(width * scale)))
    return np.rint(small_rgb(picture, size=size) * 255.0).astype(np.uint8)


def _stacked(values: list[np.ndarray], shape: tuple[int, ...]) -> np.ndarray:
    return np.stack(values).astype(np.float32) if values else np.zeros((0, *shape), np.float32)
