"""Pass 1: proxies in, one plan for each frame out, at full strength.

Windows of a shot overlap. In the overlap the corrections of two windows are crossfaded
(`crossfade`), so that no level jumps where a window ends. `analyse_window` analyses one window.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from jaxtyping import Float, Float32

from unflicker.analysis.analyse_window import Finding, analyse_window, light_scale
from unflicker.analysis.by_fields import Fields, by_frames, fields_differ
from unflicker.analysis.crossfade import Crossfade, LevelHold
from unflicker.analysis.exposure_window import ExposureWindows
from unflicker.analysis.findings import Findings
from unflicker.analysis.original import refuse_another
from unflicker.analysis.proxy import proxies_of
from unflicker.analysis.roles import Roles
from unflicker.analysis.seen import Earlier, Looking
from unflicker.analysis.tone_window import keep_frames
from unflicker.analysis.windows import Window, cut_into_windows
from unflicker.compute.context import ON_THE_CPU, RunContext
from unflicker.compute.threads import running_ahead
from unflicker.fine_light import cells_of
from unflicker.frames.shift import as_steps
from unflicker.grade import Grade
from unflicker.jobs.resources import ALONE, Resources
from unflicker.motion import USUAL_PX
from unflicker.plan import FramePlan
from unflicker.settings import USUAL_KEEP_SECONDS, Settings, without
from unflicker.tone import grade_of
from unflicker.tone.grading import GRID_BINS, GRID_COLUMNS, GRID_ROWS
from unflicker.video import VideoSource

_LONGER_HELD = 10.0
"""With an original, a level is held so many times longer than `keep_slower_than_seconds`."""
_MOST_WINDOW_FRAMES = 640
"""Longest window, in frames, for slow pumping: a gigabyte at the usual proxy."""
_PROXIES_AHEAD = 8
AFTER_TONE = ("fine-light", "refinement")
"""The stages of analysis that an atlas by itself does without."""


def analyse_film(
    film: VideoSource,
    settings: Settings,
    context: RunContext = ON_THE_CPU,
    *,
    resources: Resources = ALONE,
    measures_gate: bool = False,
) -> Iterator[FramePlan | Finding]:
    """The plan of every frame of a film, in order; each window's finding precedes its frames.

    Args:
        film: Read once, as proxies.
        settings: Of the run.
        context: Device and progress.
        resources: Findings are kept, and taken, there; windows may be analysed side by side.
        measures_gate: Whether gate weave is measured though it is not removed.

    Raises:
        InputError: The original of the film shows another scene.
        Cancelled: The work is abandoned.
    """
    if fields_differ(film):
        fields, alone = Fields(film), without(settings, ("refinement",))
        found = _analysed(fields, alone, context, resources=resources)
        yield from by_frames(found, lower_first=fields.lower_first)
    else:
        gate = settings.stabilise.gate or measures_gate
        yield from _analysed(film, settings, context, resources=resources, measures_gate=gate)


def _analysed(
    film: VideoSource,
    settings: Settings,
    context: RunContext,
    *,
    resources: Resources,
    measures_gate: bool = False,
) -> Iterator[FramePlan | Finding]:
    joined, findings = _Joined(settings, film.size), Findings(settings, context, resources)
    earlier = Earlier(film, settings, resources.work)
    for seen, finding in earlier.findings():
        yield from joined.plans(Looking.again(seen), finding)
    frames, px = earlier.frames(), settings.proxy.width_px
    read = proxies_of(film, px, frames=frames, measures_gate=measures_gate)
    with running_ahead(read, most=_PROXIES_AHEAD) as proxies:
        windows = cut_into_windows(
            proxies,
            window_frames=window_frames(settings),
            overlap_frames=settings.window.overlap_frames,
            least_frames=least_window_frames(settings),
            place=earlier.place(overlap=settings.window.overlap_frames),
        )
        checked = _checked(windows, film, earlier)
        for window, scale, finding in findings.of(checked, standing=earlier.standing):
            looking = Looking(window, scale=scale)
            yield from joined.plans(looking, finding)
            looking.keep(resources.work, mended=getattr(film, "mended", True))
            context.tell("analyse", done=window.stop, total=film.estimated_frames)


def _checked(
    windows: Iterator[Window], film: VideoSource, earlier: Earlier
) -> Iterator[tuple[Window, float]]:
    """The windows of a film, if its original is its own, with the factor on the light of the shot.

    Raises:
        InputError: It is another film's.
    """
    starts_shot, scale = earlier.shot_is_over, earlier.light_scale
    for window in windows:
        refuse_another(window, film, first=window.start == 0)
        scale = light_scale(window) if starts_shot else scale
        yield window, scale
        starts_shot = window.ends_shot


class _Joined:
    """The windows of a film, one after the other, joined so that no level jumps between them."""

    def __init__(self, settings: Settings, size: tuple[int, int]) -> None:
        self._settings, self._scale = settings, max(size) / USUAL_PX
        self._tone, self._fine, self._guided = Crossfade(), Crossfade(), Crossfade()
        self._weave = Crossfade()
        self._locking = ExposureWindows(settings)
        self._levels: LevelHold | None = None
        self._before, self._starts_shot = _Before(), True

    def plans(self, looking: Looking, finding: Finding) -> Iterator[FramePlan | Finding]:
        """The finding of the next window, then the plans of its frames without the overlap.

        Args:
            looking: At its frames.
            finding: What was found in it.
        """
        if self._starts_shot:
            self._before = _Before()
        overlap = 0 if finding.ends_shot else self._settings.window.overlap_frames
        light = self._levelled(finding, overlap)
        cells = cells_of(looking.proxy_size)
        fine = self._fine.faded(_or_zeros(finding.fine_gain, finding, (*cells, 3)), overlap)
        guided = _or_zeros(finding.guide_gain, finding, (GRID_ROWS, GRID_COLUMNS, GRID_BINS, 3))
        gain = self._guided.faded(guided, overlap)
        weave = self._scale * self._weave.faded(_or_zeros(finding.weave, finding, (2,)), overlap)
        exposure = self._locking.exposure_of(
            looking.shown, light, finding.tone.field, fps=finding.fps, overlap=overlap
        )
        yield finding
        for place in range(len(light) - overlap):
            grade = grade_of(light[place], finding.tone.field)
            grade = grade.followed_by(fine[place][:, :, None]).followed_by(gain[place])
            if exposure is not None:
                grade = self._locking.locked(grade, exposure[place])
            repeats = self._before.repeats(place, finding.roles)
            grade = self._before.grade if repeats else grade.at_scale(looking.light_scale)
            moved = self._before.weave_px if repeats else as_steps(weave[place])
            self._before.saw(place, finding.roles, grade, moved)
            yield replace(
                _planned(looking, place, grade, finding=finding),
                weave_px=moved,
                starts_shot=self._starts_shot and place == 0,
                repeats=repeats,
                light_scale=looking.light_scale,
            )
        self._before.ends_window(finding.roles, overlap)
        self._starts_shot = finding.ends_shot

    def _levelled(self, finding: Finding, overlap: int) -> Float[np.ndarray, "time 3 size"]:
        """The light of a finding, at the level of the previous window."""
        light = finding.tone.coefficients
        if self._levels is None or self._starts_shot or not light.any():
            self._levels = _levels(finding, self._settings)
        light = self._levels.levelled(light, overlap)
        light = self._tone.faded(light, overlap)
        light[finding.roles.keep_light] = 0.0
        return light


class _Before:
    """The last picture of a shot that was new, so that its repeats get the same grade."""

    def __init__(self) -> None:
        self.grade, self.weave_px = Grade.identity(), (0.0, 0.0)
        self._next_repeats = False

    def repeats(self, place: int, roles: Roles) -> bool:
        """Whether a frame of a window shows that picture again."""
        return self._next_repeats if place == 0 else bool(roles.repeats[place] != place)

    def saw(self, place: int, roles: Roles, grade: Grade, weave_px: tuple[float, float]) -> None:
        """Take note of a frame, unless it is blank: a blank frame cannot be repeated."""
        if roles.told_by[place] >= 0 or roles.repeats[place] == place:
            self.grade, self.weave_px = grade, weave_px

    def ends_window(self, roles: Roles, overlap: int) -> None:
        """Take note of whether the next window begins with a repeat."""
        first = len(roles.repeats) - overlap
        self._next_repeats = overlap > 0 and bool(roles.repeats[first] != first)


def analysed_windows(film: VideoSource, settings: Settings) -> Iterator[tuple[Window, Finding]]:
    """The windows of a film without overlap, and the finding of each, by tone alone.

    Args:
        film: Read once, as proxies.
        settings: Of the run; `atlas.window_frames` is the length of a window.
    """
    proxies = proxies_of(film, settings.proxy.width_px)
    frames, tone_alone = settings.atlas.window_frames, without(settings, AFTER_TONE)
    for window in cut_into_windows(proxies, window_frames=frames, overlap_frames=0):
        yield window, analyse_window(window, tone_alone)


def _or_zeros(
    gain: np.ndarray | None, finding: Finding, shape: tuple[int, ...]
) -> Float32[np.ndarray, "time *shape"]:
    """A window's gains, or none for each of its frames."""
    return (
        gain if gain is not None else np.zeros((finding.stop - finding.start, *shape), np.float32)
    )


def _planned(looking: Looking, place: int, grade: Grade, *, finding: Finding) -> FramePlan:
    look = looking.at(place, grade)
    return FramePlan(
        index=finding.start + place,
        seconds=look.seconds,
        grade=grade,
        mean_before=look.mean_before,
        mean_after=look.mean_after,
        damaged=look.damaged,
        texture=finding.texture,
        keeps_light=bool(finding.roles.keep_light[place]),
        kept=finding.kept[place] if finding.kept else None,
    )


def _levels(finding: Finding, settings: Settings) -> LevelHold:
    """Holds the level of a window as long as light changes that are kept take; longer with an
    original, which has the intended light."""
    longer = _LONGER_HELD if finding.tone.has_original else 1.0
    return LevelHold(held_frames=longer * keep_frames(finding.fps, settings))


def window_frames(settings: Settings) -> int:
    """Frames of a window: more where slower pumping than by default is removed, since a short
    window does not show it.

    Args:
        settings: Of the run.
    """
    longer = settings.keep_slower_than_seconds / USUAL_KEEP_SECONDS
    most = max(settings.window.frames, _MOST_WINDOW_FRAMES)
    return min(max(settings.window.frames, round(longer * settings.window.frames)), most)


def least_window_frames(settings: Settings) -> int:
    """Frames of the last window of a long shot, at least: half of a window that is to show slow
    pumping, any number else.

    Args:
        settings: Of the run.
    """
    frames = window_frames(settings)
    return frames // 2 if frames > settings.window.frames else 0
