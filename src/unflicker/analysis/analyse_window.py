"""What is found in one window: which frames tell about light, what flickers, what is not scene.

A film that comes with its steady original is looked at beside it: motion is the original's, and so
is all light that is wanted.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float32

from unflicker.analysis.original import usable_originals
from unflicker.analysis.roles import Roles
from unflicker.analysis.scene import not_scene, scene_without
from unflicker.analysis.tone_window import Looked, toned, with_matrix
from unflicker.analysis.windows import Window, scene_shown, usable_pictures
from unflicker.frames.flow import Motion
from unflicker.grade.mask import Kept, keep_places, kept_of
from unflicker.refinement.texture import (
    LOOKED_AT,
    NO_FLICKER,
    TextureFlicker,
    Triple,
    middles,
    texture_beyond,
    texture_flicker,
)
from unflicker.settings import Settings
from unflicker.tone import Course, SteadyTone, course_of
from unflicker.tone.overlays import Standing

_BRIGHT, _DIM, _MOST_SCALE = 0.995, 0.25, 256.0
"""Where the brightest parts of a shot lie, below which value they are dim, and by how much light is
multiplied at most."""


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


def analyse_window(
    window: Window, settings: Settings, *, standing: Standing | None = None
) -> Finding:
    """What tone finds in a window; `standing` lay over the frame before."""
    looked, roles = _looked(window, settings)
    plain = toned(looked)
    share, standing = not_scene(window, _spread(plain.tone, roles), standing)
    kept = kept_of(share)
    voting = tuple(kept[place] for place in roles.votes) if kept else ()
    if kept:
        looked = _without(looked, voting)
        plain = toned(looked)
    found = with_matrix(plain, looked)
    tone, motion = found.tone, found.motion
    corrects = bool(tone.coefficients.any())
    texture = NO_FLICKER
    if settings.refinement.used:
        texture = _texture(looked, tone, motion, voting if corrects else ())
    return Finding(
        start=window.start,
        stop=window.stop,
        overlap=window.overlap,
        ends_shot=window.ends_shot,
        tone=_spread(tone, roles),
        fps=looked.fps,
        visible_before=found.visible_before,
        visible_after=found.visible_after if corrects else found.visible_before,
        roles=roles,
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


def _looked(window: Window, settings: Settings) -> tuple[Looked, Roles]:
    """What there is to look at in a window, and what its other frames get."""
    every, blank = usable_pictures(window)
    originals, fps = usable_originals(window), _fps(window)
    keep_flashes = settings.tone.flashes == "keep"
    if originals:  # which know all events
        roles = Roles.beside_original(blank)
    else:
        roles = Roles.of(every, blank, fps=fps, keep_flashes=keep_flashes)
    scene = scene_shown(window)
    looked = Looked(
        pictures=[every[place] for place in roles.votes],
        originals=originals,
        scene=None if scene is None else scene[roles.votes],
        fps=fps * len(roles.votes) / len(every),
        settings=settings,
    )
    return looked, roles


def _without(looked: Looked, kept: tuple[Kept | None, ...]) -> Looked:
    """The same, what is not the scene left out."""
    scene = scene_without(kept, looked.scene, size=looked.pictures[0].shape[:2])
    return replace(looked, scene=scene)


def _spread(tone: SteadyTone, roles: Roles) -> SteadyTone:
    """What was found, for every frame of the window."""
    return replace(tone, coefficients=roles.spread(tone.coefficients))


def _fps(window: Window) -> float:
    times = np.array([frame.seconds for frame in window.frames])
    gaps = np.diff(times)
    gaps = gaps[gaps > 0]
    return float(1.0 / np.median(gaps)) if len(gaps) else 24.0


def _texture(
    looked: Looked, tone: SteadyTone, motion: Motion, kept: tuple[Kept | None, ...]
) -> TextureFlicker:
    """Flicker of texture in what tone has corrected, beyond an original's where there is one."""
    pictures, originals = looked.pictures, looked.originals

    def corrected(t: int) -> Triple:
        light = np.stack(pictures[t - 1 : t + 2])
        if tone.coefficients.any():
            tone.apply(light, first=t - 1)
            keep_places(light, pictures[t - 1 : t + 2], kept[t - 1 : t + 2])
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
