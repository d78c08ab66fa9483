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
from jaxtyping import Float32

from unflicker.ahead import running_ahead
from unflicker.errors import InputError
from unflicker.fading import Fading, Levelling
from unflicker.frames.colour import proxy_size, small_rgb, to_working
from unflicker.frames.flow import Motion
from unflicker.frames.picture import Picture
from unflicker.grade import Grade
from unflicker.grade.apply import apply_to_light
from unflicker.guiding import guided_gain, steadied
from unflicker.motion import estimate_motion
from unflicker.refinement.texture import Triple, middles, texture_beyond, texture_flicker
from unflicker.settings import Settings
from unflicker.shots import (
    Proxy,
    Window,
    cut_into_windows,
    likeness_to_original,
    usable_originals,
    usable_pictures,
)
from unflicker.tone import SteadyTone, grade_of
from unflicker.tone.grading import GRID_BINS, GRID_COLUMNS, GRID_ROWS
from unflicker.tone.mixing import mixing_of
from unflicker.tone.observations import sightings
from unflicker.toning import About, mixed_if_better, toned_window, visible_in
from unflicker.video import Film

_LEAST_ALIKE = 0.15
"""Likeness of a film to its original (`likeness_to_original`), below which it is another film's."""
_LATER = (-3, -2, -1, 1, 2, 3)
_CLEARLY_MORE = 0.03
"""Likeness that a guide gains by so many frames, from which on it is out of step."""
_LONGER_HELD = 10.0
"""Beside an original light is held so many times longer than `keep_slower_than_seconds`."""
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
            window_frames=settings.window.frames,
            overlap_frames=settings.window.overlap_frames,
        )
        tone, guided, levels, starts_shot = Fading(), Fading(), None, True
        for window in windows:
            _refuse_another(window, film, first=window.start == 0)
            finding = find(window, settings)
            flickers = finding.tone.coefficients.any()
            if not settings.tone.used:
                finding = finding.without_tone()
            overlap = 0 if window.ends_shot else settings.window.overlap_frames
            light = finding.tone.coefficients
            if finding.tone.has_original:
                if levels is None or starts_shot:
                    levels = _levels(finding.fps, settings)
                light = levels.levelled(light, overlap)
            elif flickers and settings.atlas.used:
                finding = _guided(window, finding, settings)
            light = tone.faded(light, overlap)
            gain = guided.faded(_gain_or_zeros(finding), overlap)
            yield finding
            for place in range(len(light) - overlap):
                grade = grade_of(light[place] * settings.strength, finding.tone.field)
                grade = grade.followed_by(gain[place] * np.float32(settings.strength))
                starts = starts_shot and place == 0
                yield _thought(window, place, grade, finding=finding, starts_shot=starts)
            starts_shot = window.ends_shot


def corrected_windows(film: Film, settings: Settings) -> Iterator[tuple[Window, Finding]]:
    """The windows of a film that do not overlap, and what tone found in each."""
    proxies = _proxies(film, settings.proxy.width_px)
    frames = settings.atlas.window_frames
    for window in cut_into_windows(proxies, window_frames=frames, overlap_frames=0):
        yield window, find(window, settings)


def _guided(window: Window, finding: Finding, settings: Settings) -> Finding:
    """The finding with what an atlas adds to it, if it adds anything."""
    light, motion = steadied(window, finding.tone)
    came = np.stack(usable_pictures(window)[0])
    gain, visible = guided_gain(came, light, motion, fps=finding.fps, settings=settings)
    if gain is None:
        return finding
    return replace(finding, guide_gain=gain, visible_after=min(visible, finding.visible_after))


def _gain_or_zeros(finding: Finding) -> Float32[np.ndarray, "time rows columns bins 3"]:
    if finding.guide_gain is not None:
        return finding.guide_gain
    return np.zeros(
        (finding.stop - finding.start, GRID_ROWS, GRID_COLUMNS, GRID_BINS, 3), np.float32
    )


def _thought(
    window: Window, place: int, grade: Grade, *, finding: Finding, starts_shot: bool
) -> Thought:
    proxy = window.frames[place]
    sparse = proxy.pixels[::_MEAN_STEP_PX, ::_MEAN_STEP_PX]
    return Thought(
        index=window.start + place,
        seconds=proxy.seconds,
        grade=grade,
        mean_before=_mean(sparse),
        mean_after=_mean(apply_to_light(sparse, grade)),
        damaged=proxy.damaged,
        starts_shot=starts_shot,
        texture_flickers=finding.texture > 0.0,
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


def _levels(fps: float, settings: Settings) -> Levelling:
    return Levelling(held_frames=_LONGER_HELD * settings.keep_slower_than_seconds * fps)


def find(window: Window, settings: Settings) -> Finding:
    """What tone finds in a window."""
    pictures, blank = usable_pictures(window)
    fps = _fps(window)
    originals = usable_originals(window)
    about = About(
        original=np.stack(originals) if originals else None,
        fps=fps,
        keep_slower_frames=settings.keep_slower_than_seconds * fps,
        settings=settings.tone,
    )
    light = np.stack(pictures)
    motion = estimate_motion(_steadiest(light, originals))
    seen = None if originals else sightings(light, motion)
    del light
    mixing = None
    if seen is not None:
        mixing = mixing_of(seen, keep_slower_frames=about.keep_slower_frames)
    toned = toned_window(pictures, motion, about, seen=seen)
    tone, motion = toned.earned.with_mixing(None), toned.motion
    before, after = toned.visible_before, toned.visible_after
    if mixing is not None:
        tone = mixed_if_better(tone, mixing, pictures, motion, about)
        before, after = visible_in(pictures, tone, motion, fps)
    tone.coefficients[blank] = 0.0
    texture = _texture(pictures, originals, tone, motion) if settings.refinement.used else 0.0
    return Finding(
        start=window.start,
        stop=window.stop,
        overlap=window.overlap,
        ends_shot=window.ends_shot,
        tone=tone,
        fps=fps,
        visible_before=before,
        visible_after=after if tone.coefficients.any() else before,
        texture=texture,
    )


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
