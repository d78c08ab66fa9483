"""What scenes are made of: photographs, masks, letters, smooth noise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

SIZE, FRAMES, FPS = (180, 320), 90, 24.0
ROWS, COLUMNS = np.mgrid[: SIZE[0], : SIZE[1]].astype(np.float32)
FAR = (15.0, 100.0)
"""Rows and columns of a photograph beyond its middle, for pans."""
MIDDLE = FRAMES // 2

Picture = np.ndarray
Scene = Callable[[int], Picture]
SCENES: dict[str, Callable[[Maker], Scene]] = {}


@dataclass(frozen=True, eq=False)
class Maker:
    """What scenes are made of."""

    photos: list[Path]
    random: np.random.Generator

    def photo(self, wide: float = 1.6) -> Picture:
        """A photograph of `wide` times a frame's size, in [0, 1]."""
        photo = self.photos[self.random.integers(len(self.photos))]
        return read_photo(photo, (int(SIZE[0] * wide), int(SIZE[1] * wide)))

    def still(self) -> Picture:
        """A whole photograph of a frame's size."""
        return view(self.photo(), zoom=0.7)

    def words(self, length: int) -> str:
        """Letters and blanks."""
        letters = self.random.choice(list("abcdefghijklmnopqrstuvwxyz   "), length)
        return "".join(letters)

    def clouds(self, wide: int, blur: float) -> Picture:
        """Smooth noise of unit deviation, some frames wide."""
        noise = self.random.normal(0, 1, (SIZE[0] * 2, SIZE[1] * wide)).astype(np.float32)
        noise = cv2.GaussianBlur(noise, (0, 0), blur)
        return noise / noise.std()


def photos_in(folder: Path) -> list[Path]:
    """The photographs in a folder and those below it, in order."""
    return sorted(p for p in folder.rglob("*") if p.suffix in {".jpg", ".png"})


def read_photo(path: Path, size: tuple[int, int]) -> Picture:
    """A photograph that covers a size, rows and columns, in [0, 1]."""
    pixels = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
    scale = max(size[0] / pixels.shape[0], size[1] / pixels.shape[1])
    covering = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return covering[: size[0], : size[1]].astype(np.float32) / 255


def scene(make: Callable[[Maker], Scene]) -> Callable[[Maker], Scene]:
    """Add a scene to the list."""
    SCENES[make.__name__] = make
    return make


def rendered(name: str, photos: list[Path], *, seed: int) -> Picture:
    """A scene's frames, 8 bits."""
    number = sum(ord(letter) * (k + 1) for k, letter in enumerate(name))
    made = SCENES[name](Maker(photos, np.random.default_rng([seed, number])))
    frames = (np.clip(made(t), 0, 1) for t in range(FRAMES))
    return np.stack([np.rint(frame * 255).astype(np.uint8) for frame in frames])


def view(
    photo: Picture, dx: float = 0.0, dy: float = 0.0, *, zoom: float = 0.75, angle: float = 0.0
) -> Picture:
    """A frame of a photograph, moved from its middle by px."""
    middle = photo.shape[1] / 2, photo.shape[0] / 2
    turn = cv2.getRotationMatrix2D(middle, angle, zoom)
    turn[:, 2] += (SIZE[1] / 2 - middle[0] - dx, SIZE[0] / 2 - middle[1] - dy)
    how = {"flags": cv2.INTER_CUBIC, "borderMode": cv2.BORDER_REFLECT}
    return np.clip(cv2.warpAffine(photo, turn, SIZE[::-1], **how), 0, 1)


def disc(x: float, y: float, radius: float, soft: float = 1.0) -> Picture:
    """The mask of a disc."""
    return np.clip((radius - np.hypot(COLUMNS - x, ROWS - y)) / soft + 0.5, 0, 1)[..., None]


def box(left: float, top: float, right: float, bottom: float) -> Picture:
    """The mask of a rectangle."""
    inside = np.minimum.reduce([COLUMNS - left, right - COLUMNS, ROWS - top, bottom - ROWS])
    return np.clip(inside + 0.5, 0, 1)[..., None]


def glow(x: float, y: float, wide: float, high: float) -> Picture:
    """Light around a place."""
    return np.exp(-(((COLUMNS - x) / wide) ** 2) - ((ROWS - y) / high) ** 2)[..., None]


def over(under: Picture, upper: Picture | float, mask: Picture) -> Picture:
    """One picture before another."""
    return under * (1 - mask) + upper * mask


def write(picture: Picture, text: str, at: tuple[int, int], size: float, thick: int = 1) -> None:
    """Write white letters into a picture."""
    bytes_ = np.zeros(picture.shape, np.uint8)
    white = (255, 255, 255)
    cv2.putText(bytes_, text, at, cv2.FONT_HERSHEY_SIMPLEX, size, white, thick, cv2.LINE_AA)
    np.maximum(picture, bytes_.astype(np.float32) / 255, out=picture)
