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
from unflicker.analysis.atlas_window import CorrectedWindow, guided_gain
from unflicker.analysis.crossfade import Crossfade, LevelHold
from unflicker.analysis.exposure_window import ExposureWindows
from unflicker.analysis.fine_window import with_fine_light
from unflicker.analysis.original import refuse_another
from unflicker.analysis.proxy import proxies_of
from unflicker.analysis.roles import Roles
from unflicker.analysis.tone_window import keep_frames
from unflicker.analysis.windows import Window, cut_into_windows, usable_pictures
from unflicker.compute.context import ON_THE_CPU, RunContext
from unflicker.compute.threads import running_ahead
from unflicker.files.workspace import Workspace
from unflicker.fine_light import cells_of
from unflicker.grade import Grade
from unflicker.grade.apply import apply_to_light
from unflicker.grade.mask import keep_places
from unflicker.plan import FramePlan
from unflicker.plan.fingerprint import SPARSE, mean_light
from unflicker.settings import USUAL_KEEP_SECONDS, Settings, without
from unflicker.tone import grade_of
from unflicker.tone.grading import GRID_BINS, GRID_COLUMNS, GRID_ROWS
from unflicker.tone.overlays import Standing
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
    work: Workspace | None = None,
) -> Iterator[FramePlan | Finding]:
    """The plan of every frame of a film, in order; each window's finding precedes its frames.

    Args:
        film: Read once, as proxies.
        settings: Of the run.
        context: Device and progress.
        work: Findings are kept in it, and taken from it if they are there.

    Raises:
        InputError: The original of the film shows another scene.
        Cancelled: The work is abandoned.
    """
    with running_ahead(proxies_of(film, settings.proxy.width_px), most=_PROXIES_AHEAD) as proxies:
        joined = _Joined(settings, context, work)
        for window in cut_into_windows(
            proxies,
            window_frames=_window_frames(settings),
            overlap_frames=settings.window.overlap_frames,
        ):
            refuse_another(window, film, first=window.start == 0)
            yield from joined.plans(window)
            context.tell("analyse", done=window.stop, total=film.estimated_frames)


class _Joined:
    """The windows of a film, one after the other, joined so that no level jumps between them."""

    def __init__(self, settings: Settings, context: RunContext, work: Workspace | None) -> None:
        self._settings, self._context, self._work = settings, context, work
        self._tone, self._fine, self._guided = Crossfade(), Crossfade(), Crossfade()
        self._locking = ExposureWindows(settings)
        self._levels: LevelHold | None = None
        self._before, self._scale, self._starts_shot = _Before(), 1.0, True
        self._standing: Standing | None = None

    def plans(self, window: Window) -> Iterator[FramePlan | Finding]:
        """The finding of the next window, then the plans of its frames without the overlap."""
        if self._starts_shot:
            self._scale, self._before = light_scale(window), _Before()
        shown = window.multiplied(self._scale)
        finding = self._found(shown)
        self._standing = finding.standing
        overlap = 0 if window.ends_shot else self._settings.window.overlap_frames
        light = self._levelled(finding, overlap)
        cells = cells_of(shown.frames[0].pixels.shape[:2])
        fine = self._fine.faded(_or_zeros(finding.fine_gain, finding, (*cells, 3)), overlap)
        guided = _or_zeros(finding.guide_gain, finding, (GRID_ROWS, GRID_COLUMNS, GRID_BINS, 3))
        gain = self._guided.faded(guided, overlap)
        exposure = self._locking.exposure_of(
            shown, light, finding.tone.field, fps=finding.fps, overlap=overlap
        )
        yield finding
        for place in range(len(light) - overlap):
            grade = grade_of(light[place], finding.tone.field)
            grade = grade.followed_by(fine[place][:, :, None]).followed_by(gain[place])
            if exposure is not None:
                grade = self._locking.locked(grade, exposure[place])
            repeats = self._before.repeats(place, finding.roles)
            grade = self._before.grade if repeats else grade.at_scale(self._scale)
            self._before.saw(place, finding.roles, grade)
            yield replace(
                _planned(window, place, grade, finding=finding),
                starts_shot=self._starts_shot and place == 0,
                repeats=repeats,
                light_scale=self._scale,
            )
        self._before.ends_window(finding.roles, overlap)
        self._starts_shot = window.ends_shot

    def _found(self, shown: Window) -> Finding:
        """The finding of a window, from the workspace if it is there."""
        name = f"windows/{shown.start:09d}.finding"
        known = self._work.load(name) if self._work is not None else None
        if isinstance(known, Finding):
            return known
        finding = _analysed(shown, self._settings, self._context, standing=self._standing)
        if self._work is not None:
            self._work.store(name, finding)
        return finding

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
        self.grade = Grade.identity()
        self._next_repeats = False

    def repeats(self, place: int, roles: Roles) -> bool:
        """Whether a frame of a window shows that picture again."""
        return self._next_repeats if place == 0 else bool(roles.repeats[place] != place)

    def saw(self, place: int, roles: Roles, grade: Grade) -> None:
        """Take note of a frame, unless it is blank: a blank frame cannot be repeated."""
        if roles.told_by[place] >= 0 or roles.repeats[place] == place:
            self.grade = grade

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


def _analysed(
    window: Window, settings: Settings, context: RunContext, *, standing: Standing | None
) -> Finding:
    """All that is found in one window; it depends on nothing else."""
    finding = analyse_window(window, settings, standing=standing)
    flickers = finding.tone.coefficients.any()
    if not settings.tone.used:
        finding = finding.without_tone()
    if flickers and settings.atlas.used and not finding.tone.has_original:
        finding = _guided(window, finding, settings, context)
    return finding


def _guided(window: Window, finding: Finding, settings: Settings, context: RunContext) -> Finding:
    """The finding with the atlas's part, if it has one."""
    roles = finding.roles
    pictures = usable_pictures(window)[0]
    came = np.stack([pictures[place] for place in roles.votes])
    corrected = CorrectedWindow.of(came, finding.tone, fps=finding.fps, at=roles.votes)
    if finding.fine_gain is not None:
        with_fine_light(corrected.light, finding.fine_gain[roles.votes])
    if finding.kept:
        keep_places(corrected.light, list(came), [finding.kept[place] for place in roles.votes])
    gain, visible = guided_gain(corrected, settings, context)
    if gain is None:
        return finding
    gain = roles.spread(gain)
    return replace(finding, guide_gain=gain, visible_after=min(visible, finding.visible_after))


def _or_zeros(
    gain: np.ndarray | None, finding: Finding, shape: tuple[int, ...]
) -> Float32[np.ndarray, "time *shape"]:
    """A window's gains, or none for each of its frames."""
    return (
        gain if gain is not None else np.zeros((finding.stop - finding.start, *shape), np.float32)
    )


def _planned(window: Window, place: int, grade: Grade, *, finding: Finding) -> FramePlan:
    proxy = window.frames[place]
    sparse = proxy.pixels[SPARSE]
    return FramePlan(
        index=window.start + place,
        seconds=proxy.seconds,
        grade=grade,
        mean_before=mean_light(sparse),
        mean_after=mean_light(apply_to_light(sparse, grade)),
        damaged=proxy.damaged,
        texture=finding.texture,
        keeps_light=bool(finding.roles.keep_light[place]),
        kept=finding.kept[place] if finding.kept else None,
    )


def _levels(finding: Finding, settings: Settings) -> LevelHold:
    """Holds the level of a window as long as light changes that are kept take; longer with an
    original, which has the intended light."""
    longer = _LONGER_HELD if finding.tone.has_original else 1.0
    return LevelHold(held_frames=longer * keep_frames(finding.fps, settings))


def _window_frames(settings: Settings) -> int:
    """Frames of a window: more where slower pumping than by default is removed, since a short
    window does not show it."""
    longer = settings.keep_slower_than_seconds / USUAL_KEEP_SECONDS
    most = max(settings.window.frames, _MOST_WINDOW_FRAMES)
    return min(max(settings.window.frames, round(longer * settings.window.frames)), most)
