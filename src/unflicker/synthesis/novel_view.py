"""Novel views: planes from photographs along a camera path, whose appearance changes by view.

Renderings of scenes learned from photographs carry the exposure, white balance and vignetting of
the nearest photograph, and show semi-transparent floating artefacts from some views. The ground
truth is the same path without either. Real renderings can be compared by a folder of films.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float32

from unflicker.frames.clip import Clip, from_float, to_float
from unflicker.synthesis.recipes import smooth_fields

_ENLARGED = 1.25
"""Size of the farthest plane, so that the path never leaves it."""
_PLANES, _FLOATERS = 4, 3
_PATH_SHARE = 0.09
"""Reach of the camera's path, in widths of the picture, for a plane at depth 1."""
_VIEW_FRAMES = (3, 7)
"""Frames for which the nearest photograph stays the same."""
_STOPS, _TINT, _VIGNETTE = 0.18, 0.05, 0.08
"""Deviations of log gain (in stops), of each channel's, and of a smooth field's."""


@dataclass(frozen=True, kw_only=True, eq=False)
class _Plane:
    """A picture that stands at a depth, with its opacity."""

    picture: Float32[np.ndarray, "height width 3"]
    alpha: Float32[np.ndarray, "height width"]
    depth: float
    """Relative to the farthest plane's, which is 1."""


def rendered_views(
    random: np.random.Generator, clip: Clip, *, strength: float
) -> tuple[Clip, Clip]:
    """Views of a made scene with changing appearance, and with a steady one.

    Args:
        random: Random generator.
        clip: Its frames are the photographs; as many views are rendered.
        strength: Factor on changes of appearance, and opacity of floating artefacts.
    """
    time, height, width = clip.pixels.shape[:3]
    planes, floaters = _scene(random, clip), _floaters(random, (height, width))
    phase, turns = random.uniform(), random.uniform(0.6, 1.4)
    shown = np.clip(np.sin(np.arange(time)[:, None] * random.uniform(0.2, 0.6, _FLOATERS)), 0, 1)
    looks = _appearance(random, time, strength)
    seen, steady = np.empty_like(clip.pixels), np.empty_like(clip.pixels)
    for t in range(time):
        way = 2 * np.pi * (phase + turns * t / max(time, 24))
        offset = _PATH_SHARE * width * np.array([np.sin(way), 0.4 * np.cos(1.7 * way)])
        picture = np.zeros((height, width, 3), np.float32)
        for plane in planes:
            picture = _over(picture, plane, offset)
        steady[t] = from_float(picture, dtype=clip.pixels.dtype)
        for plane, opacity in zip(floaters, shown[t], strict=True):
            picture = _over(picture, plane, offset, opacity=float(opacity) * min(strength, 1.0))
        gain = cv2.resize(looks[t], (width, height), interpolation=cv2.INTER_LINEAR)
        seen[t] = from_float(np.clip(picture * gain, 0, 1), dtype=clip.pixels.dtype)
    return Clip(pixels=seen, seconds=clip.seconds), Clip(pixels=steady, seconds=clip.seconds)


def _scene(random: np.random.Generator, clip: Clip) -> list[_Plane]:
    """The farthest plane and some parts of other photographs before it, the nearest last."""
    time, height, width = clip.pixels.shape[:3]
    size = round(width * _ENLARGED), round(height * _ENLARGED)
    far = cv2.resize(to_float(clip.pixels[0]), size, interpolation=cv2.INTER_CUBIC)
    planes = [_Plane(picture=np.clip(far, 0, 1), alpha=np.ones(size[::-1], np.float32), depth=1.0)]
    for depth in sorted(random.uniform(0.45, 0.9, _PLANES))[::-1]:
        photo = cv2.resize(to_float(clip.pixels[random.integers(time)]), size)
        alpha = np.zeros(size[::-1], np.float32)
        centre = int(random.uniform(0.2, 0.8) * size[0]), int(random.uniform(0.2, 0.8) * size[1])
        axes = int(random.uniform(0.08, 0.18) * size[0]), int(random.uniform(0.1, 0.22) * size[1])
        cv2.ellipse(alpha, centre, axes, random.uniform(0, 180), 0, 360, 1.0, -1, cv2.LINE_AA)
        planes.append(_Plane(picture=photo[:, ::-1].copy(), alpha=alpha, depth=float(depth)))
    return planes


def _floaters(random: np.random.Generator, size: tuple[int, int]) -> list[_Plane]:
    """Soft coloured blobs near the camera."""
    height, width = (round(side * _ENLARGED) for side in size)
    down, across = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
    blobs = []
    for _ in range(_FLOATERS):
        y, x = random.uniform(0.2, 0.8, 2)
        spread = random.uniform(0.03, 0.1, 2)
        far = ((down - y) / spread[0]) ** 2 + ((across - x) / spread[1]) ** 2
        colour = np.broadcast_to(random.uniform(0.2, 0.8, 3), (height, width, 3))
        alpha = 0.5 * np.exp(-0.5 * far)
        blobs.append(
            _Plane(picture=colour.astype(np.float32), alpha=alpha.astype(np.float32), depth=0.35)
        )
    return blobs


def _over(
    picture: Float32[np.ndarray, "height width 3"],
    plane: _Plane,
    offset: np.ndarray,
    *,
    opacity: float = 1.0,
) -> Float32[np.ndarray, "height width 3"]:
    """A plane laid over a picture, moved by the camera's offset over its depth."""
    size = picture.shape[1], picture.shape[0]
    margin = [(_ENLARGED - 1) / 2 * side for side in size]
    x, y = (float(m - o / plane.depth) for m, o in zip(margin, offset, strict=True))
    to_plane = np.array([[1, 0, x], [0, 1, y]], np.float32)
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    colour, alpha = (
        cv2.warpAffine(each, to_plane, size, flags=how, borderMode=border)
        for each, border in (
            (plane.picture, cv2.BORDER_REFLECT_101),
            (plane.alpha, cv2.BORDER_REPLICATE if plane.depth == 1.0 else cv2.BORDER_CONSTANT),
        )
    )
    share = (alpha * np.float32(opacity))[..., None]
    return picture * (1 - share) + colour * share


def _appearance(
    random: np.random.Generator, time: int, strength: float
) -> Float32[np.ndarray, "time rows columns 3"]:
    """Gain by place and channel of each view: that of the nearest photograph."""
    lengths: list[int] = []
    while sum(lengths) < time:
        lengths.append(int(random.integers(*_VIEW_FRAMES)))
    count = len(lengths)
    light = random.normal(0, _STOPS * np.log(2), (count, 1, 1, 1))
    tint = random.normal(0, _TINT, (count, 1, 1, 3))
    field = smooth_fields(random, time=count, channels=1, memory=0.0) * _VIGNETTE
    gains = np.exp(strength * (light + tint + field)).astype(np.float32)
    return np.repeat(gains, lengths, axis=0)[:time]
