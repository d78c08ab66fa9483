"""Scenes whose geometry, light and layers are known exactly."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np


@dataclass(frozen=True, kw_only=True, eq=False)
class Scene:
    """A textured plane under a path of homographies, perhaps a square before it, fading light."""

    frames: np.ndarray
    homographies: list[np.ndarray]
    """From a frame's pixels to the plane, in px."""
    masks: np.ndarray
    """1 where the square is."""

    def places_in_middle(self, frame: int) -> np.ndarray:
        """Where each pixel of a frame lies in the middle one."""
        height, width = self.frames.shape[1:3]
        y, x = np.mgrid[0:height, 0:width].astype(float)
        to_middle = np.linalg.inv(self.homographies[len(self.frames) // 2])
        places = np.stack([x, y, np.ones_like(x)], -1) @ (to_middle @ self.homographies[frame]).T
        return places[..., :2] / places[..., 2:]


def known_scene(
    *, time: int = 24, size: tuple[int, int] = (96, 160), square: bool = False, fade: float = 0.0
) -> Scene:
    """A scene in which the camera turns, zooms and pans; its light falls by `fade` in the end."""
    height, width = size
    plane = _texture((height * 3, width * 3), seed=1)
    thing = _texture((44, 44), seed=2)[..., ::-1] * np.array([1.0, 0.4, 0.4], np.float32)
    frames, homographies, masks = [], [], []
    for t in range(time):
        way = t / max(time - 1, 1) - 0.5
        cosine, sine = np.cos(0.08 * way), np.sin(0.08 * way)
        zoom = 1.0 + 0.06 * way
        to_plane = np.array(
            [
                [cosine * zoom, -sine, width + 24.0 * way],
                [sine, cosine * zoom, height + 10.0 * way],
                [6e-5 * way, 3e-5 * way, 1.0],
            ]
        )
        frame, mask = _seen(plane, to_plane, size), np.zeros(size, np.float32)
        if square:
            corner = np.array([[1.0, 0.0, 24 + 2.0 * t], [0.0, 1.0, 24 + 8.0 * np.sin(t / 7)]])
            mask = cv2.warpAffine(np.ones((44, 44), np.float32), corner, (width, height))
            laid = cv2.warpAffine(thing, corner, (width, height))
            frame = frame * (1.0 - mask[..., None]) + laid
        frames.append(frame * np.float32(1.0 - fade * t / max(time - 1, 1)))
        homographies.append(to_plane)
        masks.append(mask)
    return Scene(
        frames=np.clip(np.stack(frames), 0.0, 1.0).astype(np.float32),
        homographies=homographies,
        masks=np.stack(masks),
    )


def _seen(plane: np.ndarray, to_plane: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpPerspective(plane, to_plane, size[::-1], flags=how)


def _texture(size: tuple[int, int], *, seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    total = np.zeros((*size, 3), np.float32)
    for cell, share in ((24, 0.5), (8, 0.3), (3, 0.2)):
        shape = max(2, size[0] // cell), max(2, size[1] // cell), 3
        coarse = random.random(shape).astype(np.float32)
        total += share * cv2.resize(coarse, size[::-1], interpolation=cv2.INTER_CUBIC)
    return np.clip((total - 0.5) * 1.2 + 0.5, 0.05, 0.95)
