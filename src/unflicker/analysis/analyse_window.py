"""Analyses one window: the roles of its frames, its flicker, and overlays.

With a steady original, motion and all intended light are the original's.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float32

from unflicker.analysis.fine_window import FineWindow, fine_window
from unflicker.analysis.original import usable_originals
from unflicker.analysis.roles import Roles
from unflicker.analysis.scene import not_scene, scene_without
from unflicker.analysis.tone_window import Looked, toned, with_matrix, within_scene
from unflicker.analysis.weave_window import weave_window
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
"""The quantile of the brightest parts of a shot, the value below which they are dim, and the
largest factor of light."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Finding:
    """The result of analysing one window."""

    start: int
    """Index of the window's first frame."""
    stop: int
    """Index after its last."""
    overlap: int
    """Leading frames shared with the previous window."""
    ends_shot: bool
    tone: SteadyTone
    fps: float
    """Frames a second without repeats."""
    visible_before: float
    """Visible flicker in ΔE, of at most 32 frames with the largest correction."""
    visible_after: float
    roles: Roles
    """The frames that are measured, and the frames from which the others get their correction."""
    course: Course | None = None
    """Change of light, content and view over its frames, to recognise automatic exposure."""
    texture: TextureFlicker = NO_FLICKER
    """Flicker of texture, and its places."""
    fine_gain: Float32[np.ndarray, "time small_rows small_columns 3"] | None = None
    """Log gain by cells after the correction by tone; None if there is none."""
    guide_gain: Float32[np.ndarray, "time rows columns bins 3"] | None = None
    """Log gain that an atlas adds to these corrections; None if it adds none."""
    kept: tuple[Kept | None, ...] = ()
    """The part of each frame that is not the scene; empty if there is none in the window."""
    standing: Standing | None = None
    """The part of its last frame that is not the scene."""
    weave: Float32[np.ndarray, "time 2"] | None = None
    """How far each frame is from its place, in px of a picture 640 px wide, x first; None if not
    measured."""
    fields_a_frame: int = 1
    """Two where the window is of the fields of interlaced frames."""

    def without_tone(self) -> Finding:
        """The same finding without correction by tone."""
        tone, before = self.tone.unapplied(), self.visible_before
        return replace(self, tone=tone, fine_gain=None, visible_after=before)


def analyse_window(
    window: Window, settings: Settings, *, standing: Standing | None = None
) -> Finding:
    """The flicker of a window, and the correction by tone.

    Args:
        window: Of a film, its light scaled.
        settings: Of the run.
        standing: Overlays of the frame before; None if there are none.
    """
    looked, roles = _looked(window, settings)
    plain = toned(looked)
    share, standing = not_scene(window, _spread(plain.tone, roles), standing)
    kept = kept_of(share)
    voting = tuple(kept[place] for place in roles.votes) if kept else ()
    if kept:
        looked = _without(looked, voting)
        plain = within_scene(plain, looked)
    found = with_matrix(plain, looked)
    tone, motion = found.tone, found.motion
    texture, fine = _beyond_tone(looked, tone, motion, voting)
    visible_after = found.visible_after if tone.coefficients.any() else found.visible_before
    return Finding(
        start=window.start,
        stop=window.stop,
        overlap=window.overlap,
        ends_shot=window.ends_shot,
        tone=_spread(tone, roles),
        fps=looked.fps,
        visible_before=found.visible_before,
        visible_after=visible_after * (fine.left if fine is not None else 1.0),
        roles=roles,
        course=course_of(looked.pictures, motion),
        texture=texture,
        fine_gain=None if fine is None else roles.spread(fine.log_gain),
        kept=kept,
        standing=standing,
        weave=weave_window(window, roles),
    )


def light_scale(window: Window) -> float:
    """Factor of a shot's light for analysis: a power of two, above 1 only if its brightest parts
    lie more than two stops below white.

    12-bit values in 16-bit files are so analysed as if shifted up.
    """
    brightest = max(float(np.quantile(f.pixels[::4, ::4], _BRIGHT)) for f in window.frames)
    if brightest <= 0.0 or brightest >= _DIM:
        return 1.0
    return min(2.0 ** np.ceil(np.log2(_DIM / brightest)), _MOST_SCALE)


def _looked(window: Window, settings: Settings) -> tuple[Looked, Roles]:
    """The frames of a window that are measured, and the roles of all its frames."""
    every, blank = usable_pictures(window)
    originals, fps = usable_originals(window), _fps(window)
    keep_flashes = settings.tone.flashes == "keep"
    if originals:  # they show all events
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
    """The same, without the parts that are not the scene."""
    scene = scene_without(kept, looked.scene, size=looked.pictures[0].shape[:2])
    return replace(looked, scene=scene)


def _spread(tone: SteadyTone, roles: Roles) -> SteadyTone:
    """The correction for every frame of the window."""
    return replace(tone, coefficients=roles.spread(tone.coefficients))


def _fps(window: Window) -> float:
    times = np.array([frame.seconds for frame in window.frames])
    gaps = np.diff(times)
    gaps = gaps[gaps > 0]
    return float(1.0 / np.median(gaps)) if len(gaps) else 24.0


def _beyond_tone(
    looked: Looked, tone: SteadyTone, motion: Motion, kept: tuple[Kept | None, ...]
) -> tuple[TextureFlicker, FineWindow | None]:
    """Flicker of texture that tone leaves, and the correction of fine light, as far as used."""
    settings, texture, fine = looked.settings, NO_FLICKER, None
    if not (settings.refinement.used or settings.fine_light.used):
        return texture, fine
    light = _corrected(looked, tone, kept)
    if settings.refinement.used:
        flickers = bool(tone.coefficients.any())
        texture = _texture(looked, light, motion, light_flickers=flickers)
    if settings.fine_light.used:
        fine = _fine(looked, light, motion, texture)
    return texture, fine


def _corrected(
    looked: Looked, tone: SteadyTone, kept: tuple[Kept | None, ...]
) -> Float32[np.ndarray, "time height width 3"]:
    """The measured frames, corrected by tone."""
    light = np.stack(looked.pictures)
    if tone.coefficients.any():
        tone.apply(light)
        keep_places(light, looked.pictures, kept)
    return light


def _fine(
    looked: Looked,
    light: Float32[np.ndarray, "time height width 3"],
    motion: Motion,
    texture: TextureFlicker,
) -> FineWindow | None:
    """The correction of fine light after tone; None with an original, whose light is intended."""
    if looked.originals:
        return None
    keep_frames = looked.pace.keep_slower_frames
    return fine_window(light, motion, fps=looked.fps, keep_frames=keep_frames, texture=texture)


def _texture(
    looked: Looked,
    light: Float32[np.ndarray, "time height width 3"],
    motion: Motion,
    *,
    light_flickers: bool,
) -> TextureFlicker:
    """Flicker of texture after correction by tone, beyond the original's if there is one."""
    originals = looked.originals

    def triple(light: Float32[np.ndarray, "3 height width 3"], t: int) -> Triple:
        return Triple(
            light=light,
            back=motion.backward[t - 1],
            forth=motion.forward[t],
            back_again=motion.forward[t - 1],
            forth_again=motion.backward[t],
        )

    if not originals:
        looked_at = middles(len(light), most=LOOKED_AT)
        triples = (triple(light[t - 1 : t + 2], t) for t in looked_at)
        return texture_flicker(triples, light_flickers=light_flickers)
    looked_at = middles(len(originals))
    beyond = texture_beyond(
        (triple(light[t - 1 : t + 2], t) for t in looked_at),
        (triple(np.stack(originals[t - 1 : t + 2]), t) for t in looked_at),
    )
    return TextureFlicker(amount=beyond)
