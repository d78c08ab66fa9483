"""The first reading: small pictures in, one grade a frame out.

Windows of a shot overlap; where they do, the light that one found fades into what the next found
(`fading`), so that no level jumps where a window ends. A film that comes with its steady original
is thought about beside it: motion is the original's, and so is all light that is wanted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np
from jaxtyping import Bool, Float32

from unflicker.ahead import running_ahead
from unflicker.analysis import Roles
from unflicker.errors import InputError
from unflicker.fading import Fading, Levelling
from unflicker.frames.colour import proxy_size, small_rgb, to_working
from unflicker.frames.flow import Motion, resized
from unflicker.frames.picture import Picture
from unflicker.grade import Grade
from unflicker.grade.apply import apply_to_light
from unflicker.guiding import guided_gain, steadied
from unflicker.locking import Locking
from unflicker.metrics import ADAPTATION_HERTZ, visible_flicker
from unflicker.motion import estimate_motion
from unflicker.refinement.texture import Triple, middles, texture_beyond, texture_flicker
from unflicker.settings import USUAL_KEEP_SECONDS, Settings
from unflicker.shots import (
    Proxy,
    Window,
    cut_into_windows,
    likeness_to_original,
    usable_originals,
    usable_pictures,
)
from unflicker.tone import (
    Course,
    Pace,
    SteadyTone,
    course_of,
    grade_of,
    look_again,
    steady_tone,
    steady_whole,
)
from unflicker.tone.grading import GRID_BINS, GRID_COLUMNS, GRID_ROWS
from unflicker.video import Film

_LEAST_ALIKE = 0.15
"""Likeness of a film to its original (`likeness_to_original`), below which it is another film's."""
_LATER = (-3, -2, -1, 1, 2, 3)
_CLEARLY_MORE = 0.03
"""Likeness that a guide gains by so many frames, from which on it is out of step."""
_LONGER_HELD = 10.0
"""Beside an original light is held so many times longer than `keep_slower_than_seconds`."""
_FEWEST_KEPT_FRAMES = 16.0
"""Light is wanted only if it takes longer than this to change, in frames: of a time-lapse at one
picture a second two seconds show nothing."""
_MOST_WINDOW_FRAMES = 640
"""Longest window, in frames, for slow pumping: a gigabyte at the usual proxy."""
_BRIGHT, _DIM, _MOST_SCALE = 0.995, 0.25, 256.0
"""Where the brightest parts of a shot lie, below which value they are dim, and by how much light is
multiplied at most."""
_MEASURED_FRAMES = 32
_MEASURED_PX = 128
"""Visible flicker is a mean over a 64th of the width, so it is measured on half of a proxy."""
_PROXIES_AHEAD = 8
_MEAN_STEP_PX = 2
"""Every other pixel across and down tells the mean of a picture."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Thought:
    """What was thought of one frame."""

    index: int
    seconds: float
    grade: Grade
    mean_before: Float32[np.ndarray, " 3"]
    """Mean red, green and blue of its proxy, in working light."""
    mean_after: Float32[np.ndarray, " 3"]
    damaged: bool
    starts_shot: bool
    texture_flickers: bool
    """Whether the refinement has something to do."""
    repeats: bool = False
    """Whether it shows the same picture as the frame before."""
    keeps_light: bool = False
    """Whether its light is an event of the film, a flash: then nothing evens it out."""
    light_scale: float = 1.0
    """By how much its light was multiplied to be looked at (`light_scale`)."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Finding:
    """What was found in one window."""

    start: int
    """Index of the window's first frame."""
    stop: int
    """Index after its last."""
    overlap: int
    """How many of the first frames the window before has as well."""
    ends_shot: bool
    tone: SteadyTone
    fps: float
    visible_before: float
    """Visible flicker in ΔE, of the at most 32 frames that are corrected most."""
    visible_after: float
    roles: Roles
    """Which frames were looked at, and what the others get."""
    course: Course | None = None
    """How light, content and view change over its frames, to tell automatic exposure."""
    texture: float = 0.0
    """Texture flicker relative to light (`refinement.texture`); 0 where there is none to calm."""
    guide_gain: Float32[np.ndarray, "time rows columns bins 3"] | None = None
    """Log gain that an atlas adds to what tone found; None where it has none to add."""

    def without_tone(self) -> Finding:
        """The same, nothing corrected."""
        return replace(self, tone=self.tone.unapplied(), visible_after=self.visible_before)


def think(film: Film, settings: Settings) -> Iterator[Thought | Finding]:
    """A grade for every frame of a film, in order; each window's finding before its frames."""
    with running_ahead(_proxies(film, settings.proxy.width_px), most=_PROXIES_AHEAD) as proxies:
        windows = cut_into_windows(
            proxies,
            window_frames=_window_frames(settings),
            overlap_frames=settings.window.overlap_frames,
        )
        tone, guided, levels, starts_shot = Fading(), Fading(), None, True
        scale, before = 1.0, _Before()
        locking = Locking(settings)
        for window in windows:
            _refuse_another(window, film, first=window.start == 0)
            if starts_shot:
                scale, before = light_scale(window), _Before()
            shown = window.multiplied(scale)
            finding = find(shown, settings)
            flickers = finding.tone.coefficients.any()
            if not settings.tone.used:
                finding = finding.without_tone()
            overlap = 0 if window.ends_shot else settings.window.overlap_frames
            light = finding.tone.coefficients
            if levels is None or starts_shot or not light.any():
                levels = _levels(finding, settings)
            light = levels.levelled(light, overlap)
            if flickers and settings.atlas.used and not finding.tone.has_original:
                finding = _guided(shown, finding, settings)
            light = tone.faded(light, overlap)
            light[finding.roles.keep_light] = 0.0
            gain = guided.faded(_gain_or_zeros(finding), overlap)
            exposure = locking.exposure_of(
                shown, light, finding.tone.field, fps=finding.fps, overlap=overlap
            )
            yield finding
            for place in range(len(light) - overlap):
                grade = grade_of(light[place] * settings.strength, finding.tone.field)
                grade = grade.followed_by(gain[place] * np.float32(settings.strength))
                if exposure is not None:
                    grade = locking.locked(grade, exposure[place])
                repeats = before.repeats(place, finding.roles)
                grade = before.grade if repeats else grade.at_scale(scale)
                before.saw(place, finding.roles, grade)
                thought = _thought(window, place, grade, finding=finding)
                yield replace(
                    thought,
                    starts_shot=starts_shot and place == 0,
                    repeats=repeats,
                    light_scale=scale,
                )
            before.ends_window(finding.roles, overlap)
            starts_shot = window.ends_shot


class _Before:
    """The last picture of a shot that was new, so that its repeats get the same grade."""

    def __init__(self) -> None:
        self.grade = Grade.identity()
        self._next_repeats = False

    def repeats(self, place: int, roles: Roles) -> bool:
        """Whether a frame of a window shows that picture again."""
        return self._next_repeats if place == 0 else bool(roles.repeats[place] != place)

    def saw(self, place: int, roles: Roles, grade: Grade) -> None:
        """Take note of a frame; one that is blank shows nothing that could be repeated."""
        if roles.told_by[place] >= 0 or roles.repeats[place] == place:
            self.grade = grade

    def ends_window(self, roles: Roles, overlap: int) -> None:
        """Take note of whether the next window begins with a repeat."""
        first = len(roles.repeats) - overlap
        self._next_repeats = overlap > 0 and bool(roles.repeats[first] != first)


def corrected_windows(film: Film, settings: Settings) -> Iterator[tuple[Window, Finding]]:
    """The windows of a film that do not overlap, and what tone found in each."""
    proxies = _proxies(film, settings.proxy.width_px)
    frames = settings.atlas.window_frames
    for window in cut_into_windows(proxies, window_frames=frames, overlap_frames=0):
        yield window, find(window, settings)


def _guided(window: Window, finding: Finding, settings: Settings) -> Finding:
    """The finding with what an atlas adds to it, if it adds anything."""
    roles = finding.roles
    pictures = usable_pictures(window)[0]
    came = np.stack([pictures[place] for place in roles.votes])
    light, motion = steadied(came, finding.tone, at=roles.votes)
    gain, visible = guided_gain(came, light, motion, fps=finding.fps, settings=settings)
    if gain is None:
        return finding
    gain = roles.spread(gain)
    return replace(finding, guide_gain=gain, visible_after=min(visible, finding.visible_after))


def _gain_or_zeros(finding: Finding) -> Float32[np.ndarray, "time rows columns bins 3"]:
    if finding.guide_gain is not None:
        return finding.guide_gain
    return np.zeros(
        (finding.stop - finding.start, GRID_ROWS, GRID_COLUMNS, GRID_BINS, 3), np.float32
    )


def _thought(window: Window, place: int, grade: Grade, *, finding: Finding) -> Thought:
    proxy = window.frames[place]
    sparse = proxy.pixels[::_MEAN_STEP_PX, ::_MEAN_STEP_PX]
    return Thought(
        index=window.start + place,
        seconds=proxy.seconds,
        grade=grade,
        mean_before=_mean(sparse),
        mean_after=_mean(apply_to_light(sparse, grade)),
        damaged=proxy.damaged,
        starts_shot=False,
        texture_flickers=finding.texture > 0.0,
        keeps_light=bool(finding.roles.keep_light[place]),
    )


def light_of(picture: Picture, *, size: tuple[int, int]) -> Float32[np.ndarray, "height width 3"]:
    """A picture in working light at another size."""
    return to_working(small_rgb(picture, size=size), picture.meaning)


def _proxies(film: Film, longest_px: int) -> Iterator[Proxy]:
    size = proxy_size(film.size, longest_px)
    for frame in film.frames():
        yield Proxy(
            pixels=light_of(frame.picture, size=size),
            seconds=frame.seconds,
            damaged=frame.damaged,
            original=light_of(frame.original, size=size) if frame.original is not None else None,
        )


def _refuse_another(window: Window, film: Film, *, first: bool) -> None:
    """Stop where the guide of a film shows something else than its first shot.

    Raises:
        InputError: The two look unlike.
    """
    alike = likeness_to_original(window) if first else None
    if alike is None:
        return
    if alike < _LEAST_ALIKE:
        raise InputError(
            f"the guide does not show what {film.name} shows; pass the original that it was made "
            "of, from the same first frame on"
        )
    shifted = {k: likeness_to_original(window, later=k) or 0.0 for k in _LATER}
    later = max(shifted, key=lambda frames: shifted[frames])
    if shifted[later] - alike > _CLEARLY_MORE and 1.0 - shifted[later] < 0.5 * (1.0 - alike):
        late, by = ("early" if later < 0 else "late"), abs(later)
        raise InputError(
            f"the guide is {by} frames {late}: it shows what {film.name} shows at another time; "
            "cut both to the same first frame"
        )


def _levels(finding: Finding, settings: Settings) -> Levelling:
    """How long the level of a window is held: as long as light that is kept, or longer beside an
    original, which knows what is wanted."""
    longer = _LONGER_HELD if finding.tone.has_original else 1.0
    return Levelling(held_frames=longer * _keep_frames(finding.fps, settings))


def _window_frames(settings: Settings) -> int:
    """Frames thought about together: more where light is to go that pumps more slowly than usual,
    for of that a short window sees nothing."""
    longer = settings.keep_slower_than_seconds / USUAL_KEEP_SECONDS
    most = max(settings.window.frames, _MOST_WINDOW_FRAMES)
    return min(max(settings.window.frames, round(longer * settings.window.frames)), most)


def _keep_frames(fps: float, settings: Settings) -> float:
    """Light that takes longer than this to change is wanted, in frames."""
    return max(settings.keep_slower_than_seconds * fps, _FEWEST_KEPT_FRAMES)


def find(window: Window, settings: Settings) -> Finding:
    """What tone finds in a window."""
    every, blank = usable_pictures(window)
    originals = usable_originals(window)
    roles = _roles(every, blank, originals, window=window, settings=settings)
    pictures = [every[place] for place in roles.votes]
    light = np.stack(pictures)
    fps = _fps(window) * len(pictures) / len(every)
    keep = _keep_frames(fps, settings)
    original = np.stack(originals) if originals else None
    usual = max(USUAL_KEEP_SECONDS * fps, _FEWEST_KEPT_FRAMES)
    pace = Pace(keep_slower_frames=keep, usual_frames=usual)
    beside = {"pace": pace, "original": original}
    motion = estimate_motion(_steadiest(light, originals))
    tone = steady_tone(light, motion, settings=settings.tone, **beside)
    if tone.is_strong:
        tone.apply(light)
        if tone.deceives_motion and original is None:
            del motion  # so that there is never room for two
            motion = estimate_motion(light)
        tone = look_again(tone, light, motion, **beside)
    del light
    tone = tone.with_whites(pictures)
    seen = _Seen(pictures=pictures, motion=motion, fps=fps, asked=settings)
    before, after = seen.visible(tone)
    if tone.is_mostly_whole and original is None:
        tone, after = _whole_if_no_worse(tone, after, seen, pace)
    tone = seen.earned(tone, before=before, after=after)
    texture = _texture(pictures, originals, tone, motion) if settings.refinement.used else 0.0
    return Finding(
        start=window.start,
        stop=window.stop,
        overlap=window.overlap,
        ends_shot=window.ends_shot,
        tone=replace(tone, coefficients=roles.spread(tone.coefficients)),
        fps=fps,
        visible_before=before,
        visible_after=after if tone.coefficients.any() else before,
        roles=roles,
        course=course_of(pictures, motion),
        texture=texture,
    )


def _roles(
    pictures: list[Float32[np.ndarray, "height width 3"]],
    blank: Bool[np.ndarray, " time"],
    originals: list[Float32[np.ndarray, "height width 3"]],
    *,
    window: Window,
    settings: Settings,
) -> Roles:
    """Which frames tell about light; beside an original, which knows all events, every one."""
    if originals:
        every = Roles.all_vote(len(pictures))
        return replace(every, told_by=np.where(blank, -1, every.told_by))
    return Roles.of(pictures, blank, fps=_fps(window), keep_flashes=settings.tone.flashes == "keep")


def light_scale(window: Window) -> float:
    """By how much the light of a shot is multiplied to be looked at: a power of two, 1 unless its
    brightest parts lie more than two stops below white.

    So counts of 12 bits in files of 16 look as they would shifted up.
    """
    brightest = max(float(np.quantile(f.pixels[::4, ::4], _BRIGHT)) for f in window.frames)
    if brightest <= 0.0 or brightest >= _DIM:
        return 1.0
    return min(2.0 ** np.ceil(np.log2(_DIM / brightest)), _MOST_SCALE)


def _whole_if_no_worse(
    tone: SteadyTone, visible: float, seen: _Seen, pace: Pace
) -> tuple[SteadyTone, float]:
    """Flicker of the whole picture alone, unless the eye then sees more of it than `visible` ΔE."""
    light = np.stack(seen.pictures)
    whole = steady_whole(light, seen.motion, like=tone, pace=pace)
    whole = whole.with_whites(seen.pictures)
    _, left = seen.visible(whole)
    return (whole, left) if left <= visible else (tone, visible)


def _steadiest(
    light: Float32[np.ndarray, "time height width 3"],
    originals: list[Float32[np.ndarray, "height width 3"]],
) -> Float32[np.ndarray, "time height width 3"]:
    """What shows the motion best: the original, as far as there is one."""
    return np.stack([*originals, *light[len(originals) :]]) if originals else light


def _mean(light: Float32[np.ndarray, "height width 3"]) -> Float32[np.ndarray, " 3"]:
    return np.array(cv2.mean(light)[:3], np.float32)  # NumPy takes 20 times as long


def _fps(window: Window) -> float:
    times = np.array([frame.seconds for frame in window.frames])
    gaps = np.diff(times)
    gaps = gaps[gaps > 0]
    return float(1.0 / np.median(gaps)) if len(gaps) else 24.0


@dataclass(frozen=True, kw_only=True, eq=False)
class _Seen:
    """A window as the eye sees it."""

    pictures: list[Float32[np.ndarray, "height width 3"]]
    motion: Motion
    fps: float
    asked: Settings

    def visible(self, tone: SteadyTone) -> tuple[float, float]:
        """Visible flicker before and after, where a window is corrected most, as ordinary video."""
        return self._measured(tone, most_frames=_MEASURED_FRAMES, corner=ADAPTATION_HERTZ)

    def earned(self, tone: SteadyTone, *, before: float, after: float) -> SteadyTone:
        """The correction if the eye sees enough less flicker for it; where slower light is to go
        than the eye takes for flicker, an eye as slow must."""
        slower = self.asked.keep_slower_than_seconds
        if slower > USUAL_KEEP_SECONDS and tone.coefficients.any():
            frames = max(_MEASURED_FRAMES, round(slower * self.fps))
            before, after = self._measured(tone, most_frames=frames, corner=1.0 / slower)
        return tone.earned(visible_before=before, visible_after=after)

    def _measured(
        self, tone: SteadyTone, *, most_frames: int, corner: float
    ) -> tuple[float, float]:
        pictures = self.pictures
        if len(pictures) < 3:
            return 0.0, 0.0
        change = (tone.coefficients**2).sum(axis=(1, 2))
        sums = np.convolve(change, np.ones(min(most_frames, len(pictures))), mode="valid")
        first = int(np.argmax(sums)) if change.any() else (len(pictures) - 1) // 4
        last = min(first + most_frames, len(pictures)) - 1
        size = proxy_size(pictures[0].shape[:2], _MEASURED_PX)
        shown = resized(np.stack(pictures[first : last + 1]), size)
        seen = {
            "motion": self.motion.back(first, last, size=size),
            "fps": self.fps,
            "adaptation_hertz": corner,
        }
        before = visible_flicker(shown, **seen)
        if not tone.coefficients.any():
            return before, before
        tone.apply(shown, first=first)
        return before, visible_flicker(shown, **seen)


def _texture(
    pictures: list[Float32[np.ndarray, "height width 3"]],
    originals: list[Float32[np.ndarray, "height width 3"]],
    tone: SteadyTone,
    motion: Motion,
) -> float:
    """Flicker of texture in what tone has corrected, beyond an original's where there is one."""

    def corrected(t: int) -> Triple:
        light = np.stack(pictures[t - 1 : t + 2])
        if tone.coefficients.any():
            tone.apply(light, first=t - 1)
        return triple(light, t)

    def triple(light: Float32[np.ndarray, "3 height width 3"], t: int) -> Triple:
        return Triple(
            light=light,
            back=motion.backward[t - 1],
            forth=motion.forward[t],
            back_again=motion.forward[t - 1],
            forth_again=motion.backward[t],
        )

    if not originals:
        return texture_flicker(corrected(t) for t in middles(len(pictures)))
    looked_at = middles(len(originals))
    return texture_beyond(
        (corrected(t) for t in looked_at),
        (triple(np.stack(originals[t - 1 : t + 2]), t) for t in looked_at),
    )
