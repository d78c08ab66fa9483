"""Records a run while it is in progress, in a few hundred bytes a frame."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from jaxtyping import Float32

from unflicker.analysis.analyse_window import Finding
from unflicker.compute.versions import library_versions
from unflicker.metrics.flashes import Flashes, joined
from unflicker.motion import USUAL_PX
from unflicker.plan import FramePlan, ShotPlan
from unflicker.recording.measuring import MAP, Measured, RankedStill, ranked, stacked
from unflicker.recording.record import Record
from unflicker.recording.repaired import Repaired
from unflicker.recording.visible import Visible, mean_visible
from unflicker.settings import Settings, to_dict
from unflicker.tone import Course, Diagnosis, SteadyTone, diagnose, drift_of
from unflicker.video import VideoSource


@dataclass(kw_only=True, eq=False)
class _Shot:
    """A shot whose windows are being analysed."""

    start: int
    windows: list[SteadyTone] = field(default_factory=list)
    visible: list[Visible] = field(default_factory=list)
    """Of each window."""
    weave: list[Float32[np.ndarray, "time 2"]] = field(default_factory=list)
    """Gate weave of each window without overlap, as far as measured."""
    course: Course | None = None
    repeats: float = 1.0
    """Frames of the last window for each one that was measured."""
    fine_light: bool = False
    guided: bool = False
    calmed: bool = False

    def weave_px(self, size: tuple[int, int]) -> tuple[float, float] | None:
        """Gate weave sideways and up and down, root mean square in px; None if not measured.

        Args:
            size: Height and width of the film.
        """
        if not self.weave:
            return None
        right, down = np.sqrt((np.concatenate(self.weave) ** 2).mean(axis=0))
        scale = max(size) / USUAL_PX
        return float(right * scale), float(down * scale)


class Recorder:
    """Collects findings and measurements during a run, and makes the record of it."""

    def __init__(
        self, film: VideoSource, settings: Settings, *, output: str, measured: bool = True
    ) -> None:
        """Begin a record.

        Args:
            film: The source.
            settings: Of the run.
            output: Path of the result, empty if there is none.
            measured: Whether segments will be measured; if not, values of frames are those that
                their plans predict.
        """
        self._film, self.settings, self._output = film, settings, output
        self._predicts = not measured
        self.incomplete = False
        """Whether something was damaged that belongs to the film and is not its pictures."""
        self._began = time.monotonic()
        self._seconds: list[float] = []
        self._before: list[np.ndarray] = []
        self._after: list[np.ndarray] = []
        self._stops: list[np.ndarray] = []
        self._damaged: list[int] = []
        self._repaired = Repaired.nothing()
        self._shot: _Shot | None = None
        self._shots: list[ShotPlan] = []
        self._stills: tuple[RankedStill, ...] = ()
        self._follows = False
        """Whether a plan from a file is followed: then workers alone may read the film."""
        self._heard_notes: tuple[str, ...] = ()
        self._visible: list[Visible] = []
        self._flashes: list[tuple[Flashes, Flashes]] = []

    @property
    def shots(self) -> tuple[ShotPlan, ...]:
        """The shots that are completely analysed."""
        return tuple(self._shots)

    def heard(self, planned: FramePlan | Finding) -> None:
        """Take note of a frame's plan, or of a window's finding."""
        if isinstance(planned, Finding):
            self._heard_of_window(planned)
        elif self._predicts:
            self._seconds.append(planned.seconds)
            self._before.append(planned.mean_before)
            self._after.append(planned.mean_after)
            self._stops.append(planned.grade.stops_by_place(**MAP))
            if planned.damaged:
                self._damaged.append(planned.index)

    def heard_of_shots(self, shots: Sequence[ShotPlan]) -> None:
        """Take note of the shots of a plan from a file."""
        self._shots += shots
        self._follows = True

    def add(self, segment: Measured) -> None:
        """Take note of the measurements of the next segment."""
        self._seconds += segment.seconds
        self._before += list(segment.before)
        self._after += list(segment.after)
        self._stops += list(segment.stops)
        self._damaged += segment.damaged
        self._repaired = self._repaired.followed_by(segment.repaired)
        self._visible += segment.visible
        self._flashes.append(segment.flashes)
        if self._follows:
            self.incomplete |= segment.incomplete
            self._heard_notes += segment.notes
        for still in segment.stills:
            self._stills = ranked(self._stills, still)

    def record(self, *, notes: tuple[str, ...]) -> Record:
        """The record of the run, with these notes for the user."""
        before, after = mean_visible(self._visible)
        if np.isnan(before):
            before, after = self._expected()
        neural = any(shot.guided for shot in self._shots) or self.settings.redraws
        return Record(
            source=self._film.name,
            output=self._output,
            seconds=np.array(self._seconds, np.float32),
            mean_before=stacked(self._before, (3,)),
            mean_after=stacked(self._after, (3,)),
            correction_stops=stacked(self._stops, tuple(MAP.values())),
            shots=tuple(self._measured_shots()),
            visible_flicker_before=before,
            visible_flicker_after=after,
            flashes_before=joined(each[0] for each in self._flashes),
            flashes_after=joined(each[1] for each in self._flashes),
            stills=tuple(sorted((s.still for s in self._stills), key=lambda still: still.index)),
            damaged=tuple(self._damaged),
            incomplete=self.incomplete or getattr(self._film, "incomplete", False),
            repaired=self._repaired,
            settings=to_dict(self.settings),
            versions=library_versions(neural=neural),
            notes=(*_once(notes, self._heard_notes), *self._suggestions(), *self._unsteadied()),
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
            before, after = mean_visible([each for each in self._visible if each.shot == number])
            if np.isnan(before):
                yield shot
            else:
                yield replace(shot, visible_before=before, visible_after=after)

    def _suggestions(self) -> tuple[str, ...]:
        """Suggested options for this film."""
        drifts = [shot.diagnosis.exposure_drift_stops for shot in self._shots]
        if self.settings.tone.lock_exposure or not any(drifts):
            return ()
        drifting = sum(drift > 0.0 for drift in drifts)
        where = "" if len(drifts) == 1 else f" in {drifting} of {len(drifts)} shots"
        return (
            f"automatic exposure or white balance drifts by up to {max(drifts):.1f} stops{where}; "
            "--lock-exposure removes it",
        )

    def _unsteadied(self) -> tuple[str, ...]:
        """Why gate weave was not removed from a film from which it was to be."""
        if not self.settings.stabilise.gate or self._film.traits.field_order <= 1:
            return ()
        return (
            "gate weave is kept: the film is interlaced, and the fields of a frame lie apart in "
            "time; deinterlace it first",
        )

    def _heard_of_window(self, finding: Finding) -> None:
        if self._shot is None:
            self._shot = _Shot(start=-(-finding.start // finding.fields_a_frame))
        frames = finding.stop - finding.start - finding.overlap
        self._shot.windows.append(finding.tone)
        self._shot.repeats = (finding.stop - finding.start) / max(len(finding.roles.votes), 1)
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
        if finding.weave is not None:
            self._shot.weave.append(finding.weave[finding.overlap :])
        if finding.ends_shot:
            before, after = mean_visible(self._shot.visible)
            self._shots.append(
                ShotPlan(
                    start=self._shot.start,
                    stop=-(-finding.stop // finding.fields_a_frame),
                    diagnosis=self._diagnosis(finding.fps, visible=before),
                    fine_light=self._shot.fine_light,
                    guided=self._shot.guided,
                    calmed=self._shot.calmed,
                    weave_px=self._shot.weave_px(self._film.size),
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
            fps=fps * self._shot.repeats,
            visible_delta_e=visible,
            exposure_drift_stops=drift_of(course, fps=fps) if course is not None else 0.0,
            locked=self.settings.tone.lock_exposure,
        )


def _once(notes: tuple[str, ...], heard: tuple[str, ...]) -> tuple[str, ...]:
    """Notes, and those that workers heard besides; of some that differ in numbers the last."""
    numberless = {re.sub(r"\d+", "#", note): note for note in heard}
    known = {re.sub(r"\d+", "#", note) for note in notes}
    return (*notes, *(note for form, note in numberless.items() if form not in known))
