"""Damage of old film with its truth: spots of single frames and scratches, drawn or from textures.

Damage is a density in [-1, 1], as in `synthesis.dirt`: negative covers with black, positive with
white.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Shaped

from unflicker.errors import InputError
from unflicker.frames.clip import from_float, to_float
from unflicker.frames.colour import LUMA

Density = Float32[np.ndarray, "height width"]
Texture = Float32[np.ndarray, "rows columns"]
"""Opacity of a texture, 0 to 1."""
SPOTS = (5, 40)
"""Fewest and most spots of a frame."""
SPOT_PX = (2.0, 30.0)
"""Smallest and largest diameter of a spot in px of a film 640 px wide; small ones are as frequent
as large ones in each octave."""
OPACITY = (0.4, 0.95)
"""Opacity of a spot, least and most."""
_DARK = 0.7
"""Share of spots that are dark: dust on a print. Dust on its negative is bright."""
SEEN = 0.03
"""Change of luma, of the whole range, from which damage counts as visible."""
_DRAWN_WIDTH_PX = 640
_CORNERS = 24
"""Corners of a drawn spot's outline."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Damaged:
    """A picture with damage, and where it is."""

    pixels: Shaped[np.ndarray, "height width *channels"]
    truth: Bool[np.ndarray, "height width"]
    """Where the damage is visible (`SEEN`)."""


def damaged(pixels: Shaped[np.ndarray, "height width *channels"], density: Density) -> Damaged:
    """The picture under damage.

    Args:
        pixels: RGB or grey.
        density: Of the damage, of the same size.
    """
    values = to_float(pixels)
    part = density.reshape(density.shape + (1,) * (values.ndim - 2))
    covered = values * (1 - np.abs(part)) + np.maximum(part, 0)
    made = from_float(covered.astype(np.float32), dtype=pixels.dtype)
    change = to_float(made) - values
    luma = change if change.ndim == 2 else change @ LUMA
    return Damaged(pixels=np.where(part == 0, pixels, made), truth=np.abs(luma) >= SEEN)


def drawn_spots(random: np.random.Generator, *, size: tuple[int, int]) -> Density:
    """Spots of one frame: irregular outlines with soft edges.

    Args:
        random: Random generator.
        size: Height and width in px.
    """
    density = np.zeros(size, np.float32)
    scale = size[1] / _DRAWN_WIDTH_PX
    for _ in range(int(random.integers(SPOTS[0], SPOTS[1] + 1))):
        across = scale * np.exp(random.uniform(*np.log(SPOT_PX)))
        sign = -1.0 if random.uniform() < _DARK else 1.0
        spot = _spot(random, across_px=float(across)) * np.float32(random.uniform(*OPACITY))
        top, left = (int(random.integers(-len(spot) // 2, most)) for most in size)
        _put(density, spot * np.float32(sign), top=top, left=left)
    return density


def drawn_scratches(
    random: np.random.Generator, *, size: tuple[int, int], time: int, count: int
) -> Iterator[Density]:
    """Scratches of each frame: upright lines that last, and drift a little.

    Args:
        random: Random generator.
        size: Height and width in px.
        time: Number of frames.
        count: Number of scratches in all.

    Yields:
        The density of each frame.
    """
    scratches = [_Scratch.drawn(random, size=size, time=time) for _ in range(count)]
    yield from lasting(scratches, size=size, time=time)


@runtime_checkable
class Lasting(Protocol):
    """Damage that is seen in several frames."""

    def put(self, density: Density, frame: int) -> None:
        """Draw it into the density of a frame, if it is seen there.

        Args:
            density: Of what is drawn so far.
            frame: Number of the frame.
        """
        ...


def lasting(damage: Sequence[Lasting], *, size: tuple[int, int], time: int) -> Iterator[Density]:
    """The density of each frame of damage that lasts.

    Args:
        damage: In the order in which it is drawn.
        size: Height and width in px.
        time: Number of frames.
    """
    for frame in range(time):
        density = np.zeros(size, np.float32)
        for one in damage:
            one.put(density, frame)
        yield density


def texture_densities(folder: Path) -> list[Texture]:
    """The textures of damage in a folder, as densities; dark where they are drawn dark.

    Args:
        folder: Of pictures with transparency, whose alpha is the opacity.

    Raises:
        InputError: The folder holds no such picture.
    """
    found = []
    for path in sorted(folder.rglob("*.png")):
        picture = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        if picture is None or picture.ndim != 3 or picture.shape[2] != 4:
            continue
        opacity = to_float(picture[..., 3])
        if opacity.min() < 1.0:
            found.append(opacity)
    if not found:
        raise InputError(f"{folder} holds no PNG pictures with transparency; name another folder")
    return found


def texture_spots(
    random: np.random.Generator, textures: list[Texture], *, size: tuple[int, int], count: int
) -> Density:
    """Damage of one frame from textures: some of them, turned, at random places.

    Args:
        random: Random generator.
        textures: Opacities, as of `texture_densities`.
        size: Height and width of the frame in px.
        count: Number of textures in the frame.
    """
    density = np.zeros(size, np.float32)
    scale = size[1] / _DRAWN_WIDTH_PX
    for _ in range(count):
        texture = np.rot90(textures[int(random.integers(len(textures)))], int(random.integers(4)))
        small = cv2.resize(texture, (0, 0), fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        sign = -1.0 if random.uniform() < _DARK else 1.0
        part = small * np.float32(sign * random.uniform(*OPACITY))
        top, left = (int(random.integers(-len(small) // 2, most)) for most in size)
        _put(density, part, top=top, left=left)
    return density


LOST = ("black", "grey", "torn", "burnt", "streaked")
"""Ways in which a frame may be bad as a whole."""


def lost_frame(
    random: np.random.Generator, pixels: Shaped[np.ndarray, "height width *channels"], *, kind: str
) -> Shaped[np.ndarray, "height width *channels"]:
    """A picture that is bad as a whole.

    Args:
        random: Random generator.
        pixels: RGB or grey.
        kind: One of `LOST`: blank frames, a tear whose lower part is displaced, a burn that covers
            the middle, and rows that are displaced one by one, as a bad transfer has them.
    """
    height, width = pixels.shape[:2]
    values = to_float(pixels)
    if kind in ("black", "grey"):
        level = 0.02 if kind == "black" else 0.6 * float(values.mean())
        noise = random.normal(level, 0.004, pixels.shape).astype(np.float32)
        return from_float(np.clip(noise, 0.0, 1.0), dtype=pixels.dtype)
    if kind == "torn":
        row = int(height * random.uniform(0.1, 0.35))
        made = np.roll(values, int(width * random.uniform(0.1, 0.3)), axis=1)
        made[:row] = values[:row]
        return from_float(made, dtype=pixels.dtype)
    if kind == "burnt":
        y, x = np.mgrid[:height, :width]
        away = np.hypot((y / height - 0.5) / 0.5, (x / width - 0.5) / 0.5)
        cover = np.clip((1.1 - away) / 0.2, 0, 1).astype(np.float32)
        cover = cover.reshape(cover.shape + (1,) * (pixels.ndim - 2))
        return from_float(values * (1 - 0.97 * cover), dtype=pixels.dtype)
    jumps = random.normal(0.0, 0.08 * width, height)
    rows = [np.roll(row, int(jump), axis=0) for row, jump in zip(values, jumps, strict=True)]
    return from_float(np.stack(rows), dtype=pixels.dtype)


@dataclass(frozen=True, kw_only=True)
class _Scratch:
    start: int
    stop: int
    x: float
    drift: float
    wobble: float
    width_px: float
    opacity: float
    rows: tuple[int, int]

    @classmethod
    def drawn(cls, random: np.random.Generator, *, size: tuple[int, int], time: int) -> _Scratch:
        lasts = int(np.exp(random.uniform(np.log(10), np.log(200))))
        start = int(random.integers(-lasts // 2, max(time - lasts // 2, 1)))
        top = int(size[0] * max(0.0, random.uniform(-0.5, 0.4)))
        bottom = int(size[0] * min(1.0, random.uniform(0.6, 1.5)))
        sign = 1.0 if random.uniform() < 0.5 else -1.0
        scale = size[1] / _DRAWN_WIDTH_PX
        return cls(
            start=start,
            stop=start + lasts,
            x=float(random.uniform(0.03, 0.97) * size[1]),
            drift=float(random.normal(0, 0.15) * scale),
            wobble=float(random.uniform(0, 0.5) * scale),
            width_px=float(random.uniform(1, 4) * scale),
            opacity=float(sign * random.uniform(0.2, 0.7)),
            rows=(top, bottom),
        )

    def put(self, density: Density, frame: int) -> None:
        if not self.start <= frame < self.stop:
            return
        age = frame - self.start
        x = self.x + self.drift * age + self.wobble * np.sin(0.9 * age)
        places = np.arange(density.shape[1])
        # The share of each pixel that the scratch covers.
        half = 0.5 * self.width_px
        cover = np.clip(
            np.minimum(places + 0.5, x + half) - np.maximum(places - 0.5, x - half), 0, 1
        )
        line = (cover * self.opacity).astype(np.float32)
        part = density[self.rows[0] : self.rows[1]]
        np.copyto(part, np.broadcast_to(line, part.shape), where=np.abs(line) > np.abs(part))


def _spot(random: np.random.Generator, *, across_px: float) -> Density:
    """The opacity of a spot, 0 to 1, with some room around it."""
    side = int(np.ceil(across_px * 1.6)) + 6
    angles = np.linspace(0, 2 * np.pi, _CORNERS, endpoint=False)
    radius = np.full(_CORNERS, 0.5 * across_px)
    for wave in (1, 2, 3):
        swing = random.uniform(0, 0.35 / wave)
        radius = radius * (1 + swing * np.cos(wave * angles + random.uniform(0, 2 * np.pi)))
    radius *= 0.5 * across_px / radius.mean()
    flat, turn = random.uniform(0.5, 1.0), random.uniform(0, np.pi)
    x, y = radius * np.cos(angles), radius * np.sin(angles) * flat
    x, y = x * np.cos(turn) - y * np.sin(turn), x * np.sin(turn) + y * np.cos(turn)
    corners = np.stack([x, y], axis=-1) + 0.5 * side
    spot = np.zeros((side, side), np.float32)
    fine = np.rint(corners * 16).astype(np.int32)
    canvas = np.zeros((side, side), np.uint8)
    cv2.fillPoly(canvas, [fine], 255, cv2.LINE_AA, shift=4)
    spot = canvas.astype(np.float32) / 255.0
    return cv2.GaussianBlur(spot, (0, 0), 0.5 + 0.03 * across_px)


def _put(
    density: Density, part: Float32[np.ndarray, "rows columns"], *, top: int, left: int
) -> None:
    """Lay a part over the density, the stronger of both at each pixel."""
    height, width = density.shape
    rows = slice(max(top, 0), min(top + part.shape[0], height))
    columns = slice(max(left, 0), min(left + part.shape[1], width))
    if rows.start >= rows.stop or columns.start >= columns.stop:
        return
    cut = part[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
    place = density[rows, columns]
    np.copyto(place, cut, where=np.abs(cut) > np.abs(place))
