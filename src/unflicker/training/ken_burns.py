"""Ken Burns clips: a virtual camera over one photograph, with another moving in front of it.

They are steady, and their number is unlimited.
"""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Float32

from unflicker.training.distortions import blob

_FASTEST_SHARE, _MOST_ZOOM, _MOST_TURN = 0.012, 0.006, 0.006
"""A camera's largest step between frames: of the picture's width, of its size, and in radians."""
_INERTIA = 0.9
_OBJECTS = (0, 0, 1, 1, 2)
_NOISE = 0.006


def ken_burns(
    random: np.random.Generator,
    photo: Float32[np.ndarray, "h w 3"],
    other: Float32[np.ndarray, "_h _w 3"],
    *,
    frames: int,
    size: tuple[int, int],
) -> Float32[np.ndarray, "time height width 3"]:
    """A Ken Burns clip: a virtual camera over one photograph, parts of another moving in front.

    Args:
        random: Random generator.
        photo: The background, RGB in [0, 1].
        other: Source of the moving parts.
        frames: Number of frames.
        size: Height and width in px.
    """
    behind = _camera(random, frames, size, speed=random.uniform(0.0, 1.0))
    shapes = [blob(random, size) for _ in range(_OBJECTS[random.integers(len(_OBJECTS))])]
    before = [_camera(random, frames, size, speed=random.uniform(0.3, 1.5)) for _ in shapes]
    scene, things = _covering(photo, size), _covering(other, size)
    still = random.uniform() < 0.2
    out = np.empty((frames, *size, 3), np.float32)
    for t in range(frames):
        picture = _seen(scene, behind[0] if still else behind[t], size)
        for shape, moves in zip(shapes, before, strict=True):
            cover = _seen(shape, moves[t], size)[..., None]
            picture = picture * (1.0 - cover) + _seen(things, moves[t], size) * cover
        out[t] = np.clip(picture + random.normal(0.0, _NOISE, picture.shape), 0.0, 1.0)
    return out


def _camera(
    random: np.random.Generator, frames: int, size: tuple[int, int], *, speed: float
) -> Float32[np.ndarray, "time 2 3"]:
    """A smooth walk of place, zoom and turn, as matrices from frame to scene."""
    most = np.array([_FASTEST_SHARE * size[1]] * 2 + [_MOST_ZOOM, _MOST_TURN]) * speed
    step, pose = random.normal(0.0, most), np.zeros(4)
    centre = np.array([size[1] / 2.0, size[0] / 2.0])
    matrices = np.empty((frames, 2, 3), np.float32)
    for t in range(frames):
        scale, (cosine, sine) = np.exp(pose[2]), (np.cos(pose[3]), np.sin(pose[3]))
        turned = scale * np.array([[cosine, -sine], [sine, cosine]])
        matrices[t, :, :2] = turned
        matrices[t, :, 2] = centre + pose[:2] - turned @ centre
        step = _INERTIA * step + np.sqrt(1.0 - _INERTIA**2) * random.normal(0.0, most)
        pose = (pose + step) * 0.995
    return matrices


def _covering(
    photo: Float32[np.ndarray, "h w 3"], size: tuple[int, int]
) -> Float32[np.ndarray, "height width 3"]:
    """The photograph at a size, cut to its shape."""
    scale = max(size[0] / photo.shape[0], size[1] / photo.shape[1])
    wide, tall = (
        max(size[1], round(photo.shape[1] * scale)),
        max(size[0], round(photo.shape[0] * scale)),
    )
    whole = cv2.resize(np.ascontiguousarray(photo), (wide, tall), interpolation=cv2.INTER_AREA)
    top, left = (tall - size[0]) // 2, (wide - size[1]) // 2
    return whole[top : top + size[0], left : left + size[1]]


def _seen(
    picture: np.ndarray, matrix: Float32[np.ndarray, "2 3"], size: tuple[int, int]
) -> np.ndarray:
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(picture, matrix, size[::-1], flags=flags, borderMode=cv2.BORDER_REFLECT)
