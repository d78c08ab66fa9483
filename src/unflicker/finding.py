"""What is found in one window: which frames tell about light, what flickers, what is not scene.

A film that comes with its steady original is looked at beside it: motion is the original's, and so
is all light that is wanted.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float32

from unflicker.analysis import Roles
from unflicker.frames.colour import proxy_size
from unflicker.frames.flow import Motion, resized
from unflicker.grade.mask import Kept, keep_places, kept_of
from unflicker.metrics import ADAPTATION_HERTZ, visible_flicker
from unflicker.motion import estimate_motion
from unflicker.refinement.texture import (
    LOOKED_AT,
    NO_FLICKER,
    TextureFlicker,
    Triple,
    middles,
    texture_beyond,
    texture_flicker,
)
from unflicker.scene import not_scene, scene_without
from unflicker.settings import USUAL_KEEP_SECONDS, Settings
from unflicker.shots import Window, scene_shown, usable_originals, usable_pictures
from unflicker.tone import (
    Course,
    Pace,
    SteadyTone,
    course_of,
    look_again,
    steady_tone,
    steady_whole,
)
from unflicker.tone.overlays import Standing

_FEWEST_KEPT_FRAMES = 16.0
"""Light is wanted only if it takes longer than this to change, in frames: of a time-lapse at one
picture a second two seconds show nothing."""
_BRIGHT, _DIM, _MOST_SCALE = 0.995, 0.25, 256.0
"""Where the brightest parts of a shot lie, below which value they are dim, and by how much light is
multiplied at most."""
_MEASURED_FRAMES = 32
_MEASURED_PX = 128
"""Visible flicker is a mean over a 64th of the width, so it is measured on half of a proxy."""


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
    """Frames a second that are looked at: none repeated."""
    visible_before: float
    """Visible flicker in ΔE, of the at most 32 frames that are corrected most."""
    visible_after: float
    roles: Roles
    """Which frames were looked at, and what the others get."""
    course: Course | None = None
    """How light, content and view change over its frames, to tell automatic exposure."""
    texture: TextureFlicker = NO_FLICKER
    """Texture that is to be calmed, and where."""
    guide_gain: Float32[np.ndarray, "time rows columns bins 3"] | None = None
    """Log gain that an atlas adds to what tone found; None where it has none to add."""
    kept: tuple[Kept | None, ...] = ()
    """What of each frame is not the scene; empty where nothing is found in the window."""
    standing: Standing | None = None
    """What of its last frame is not the scene."""

    def without_tone(self) -> Finding:
        """The same, nothing corrected."""
        return replace(self, tone=self.tone.unapplied(), visible_after=self.visible_before)


def find(window: Window, settings: Settings, *, standing: Standing | None = None) -> Finding:
    """What tone finds in a window; `standing` lay over the frame before."""
    looked = _Looked.at(window, settings)
    tone, motion = looked.toned()
    share, standing = not_scene(window, looked.spread(tone), standing)
    kept = kept_of(share)
    if kept:
        looked = looked.without(kept)
        tone, motion = looked.toned()
    seen = _Seen(pictures=looked.pictures, motion=motion, fps=looked.fps, asked=settings)
    before, after = seen.visible(tone)
    if tone.is_mostly_whole and not looked.originals:
        tone, after = _whole_if_no_worse(tone, after, seen, looked.pace)
    tone = seen.earned(tone, before=before, after=after)
    corrects = bool(tone.coefficients.any())
    texture = NO_FLICKER
    if settings.refinement.used:
        texture = _texture(looked, tone, motion, kept if corrects else ())
    return Finding(
        start=window.start,
        stop=window.stop,
        overlap=window.overlap,
        ends_shot=window.ends_shot,
        tone=looked.spread(tone),
        fps=looked.fps,
        visible_before=before,
        visible_after=after if corrects else before,
        roles=looked.roles,
        course=course_of(looked.pictures, motion),
        texture=texture,
        kept=kept,
        standing=standing,
    )


def light_scale(window: Window) -> float:
    """By how much the light of a shot is multiplied to be looked at: a power of two, 1 unless its
    brightest parts lie more than two stops below white.

    So counts of 12 bits in files of 16 look as they would shifted up.
    """
    brightest = max(float(np.quantile(f.pixels[::4, ::4], _BRIGHT)) for f in window.frames)
    if brightest <= 0.0 or brightest >= _DIM:
        return 1.0
    return min(2.0 ** np.ceil(np.log2(_DIM / brightest)), _MOST_SCALE)


def keep_frames(fps: float, settings: Settings) -> float:
    """Light that takes longer than this to change is wanted, in frames."""
    return max(settings.keep_slower_than_seconds * fps, _FEWEST_KEPT_FRAMES)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Looked:
    """The frames of a window that are looked at."""

    pictures: list[Float32[np.ndarray, "height width 3"]]
    originals: list[Float32[np.ndarray, "height width 3"]]
    scene: Float32[np.ndarray, "time height width"] | None
    """How far each pixel shows the scene; None where all do."""
    roles: Roles
    fps: float
    settings: Settings

    @classmethod
    def at(cls, window: Window, settings: Settings) -> _Looked:
        """What there is to look at in a window."""
        every, blank = usable_pictures(window)
        originals, fps = usable_originals(window), _fps(window)
        keep_flashes = settings.tone.flashes == "keep"
        if originals:  # which know all events
            roles = Roles.beside_original(blank)
        else:
            roles = Roles.of(every, blank, fps=fps, keep_flashes=keep_flashes)
        scene = scene_shown(window)
        return cls(
            pictures=[every[place] for place in roles.votes],
            originals=originals,
            scene=None if scene is None else scene[roles.votes],
            roles=roles,
            fps=fps * len(roles.votes) / len(every),
            settings=settings,
        )

    @property
    def pace(self) -> Pace:
        """How slow light must be to be wanted."""
        usual = max(USUAL_KEEP_SECONDS * self.fps, _FEWEST_KEPT_FRAMES)
        return Pace(keep_slower_frames=keep_frames(self.fps, self.settings), usual_frames=usual)

    def spread(self, tone: SteadyTone) -> SteadyTone:
        """What was found, for every frame of the window."""
        return replace(tone, coefficients=self.roles.spread(tone.coefficients))

    def without(self, kept: tuple[Kept | None, ...]) -> _Looked:
        """The same, what is not the scene left out."""
        voting = [kept[place] for place in self.roles.votes]
        scene = scene_without(voting, self.scene, size=self.pictures[0].shape[:2])
        return replace(self, scene=scene)

    def toned(self) -> tuple[SteadyTone, Motion]:
        """What light must go, as far as tone alone can say, and the motion."""
        light = np.stack(self.pictures)
        original = np.stack(self.originals) if self.originals else None
        motion = self._followed(_steadiest(light, self.originals))
        tone = steady_tone(
            light, motion, settings=self.settings.tone, pace=self.pace, original=original
        )
        if tone.is_strong:
            tone.apply(light)
            if tone.deceives_motion and original is None:
                del motion  # so that there is never room for two
                motion = self._followed(light)
            tone = look_again(tone, light, motion, pace=self.pace, original=original)
        return tone.with_whites(self.pictures, scene=self.scene), motion

    def _followed(self, light: Float32[np.ndarray, "time height width 3"]) -> Motion:
        return replace(estimate_motion(light), scene=self.scene)


def _whole_if_no_worse(
    tone: SteadyTone, visible: float, seen: _Seen, pace: Pace
) -> tuple[SteadyTone, float]:
    """Flicker of the whole picture alone, unless the eye then sees more of it than `visible` ΔE."""
    light = np.stack(seen.pictures)
    whole = steady_whole(light, seen.motion, like=tone, pace=pace)
    whole = whole.with_whites(seen.pictures, scene=seen.motion.scene)
    _, left = seen.visible(whole)
    return (whole, left) if left <= visible else (tone, visible)


def _steadiest(
    light: Float32[np.ndarray, "time height width 3"],
    originals: list[Float32[np.ndarray, "height width 3"]],
) -> Float32[np.ndarray, "time height width 3"]:
    """What shows the motion best: the original, as far as there is one."""
    return np.stack([*originals, *light[len(originals) :]]) if originals else light


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
    looked: _Looked, tone: SteadyTone, motion: Motion, kept: tuple[Kept | None, ...]
) -> TextureFlicker:
    """Flicker of texture in what tone has corrected, beyond an original's where there is one."""
    pictures, originals = looked.pictures, looked.originals
    voting = tuple(kept[place] for place in looked.roles.votes) if kept else ()

    def corrected(t: int) -> Triple:
        light = np.stack(pictures[t - 1 : t + 2])
        if tone.coefficients.any():
            tone.apply(light, first=t - 1)
            keep_places(light, pictures[t - 1 : t + 2], voting[t - 1 : t + 2])
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
        looked_at = middles(len(pictures), most=LOOKED_AT)
        flickers = bool(tone.coefficients.any())
        return texture_flicker((corrected(t) for t in looked_at), light_flickers=flickers)
    looked_at = middles(len(originals))
    beyond = texture_beyond(
        (corrected(t) for t in looked_at),
        (triple(np.stack(originals[t - 1 : t + 2]), t) for t in looked_at),
    )
    return TextureFlicker(amount=beyond)
