"""Pictures as stored: planes at their own depth, and the interpretation of their samples.

Pictures stay in the film's own planes from the decoder to the encoder, so that an uncorrected one
is unchanged bit for bit; only `frames.colour` and `grade.apply` convert to colour.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import numpy as np
from jaxtyping import Shaped

Family = Literal["yuv", "rgb", "grey"]
Matrix = Literal["bt601", "bt709", "bt2020", "smpte240m", "fcc", "ycgco", "identity"]
_PEAK_16 = np.float32(65535.0)
Transfer = Literal["power", "pq", "hlg", "linear", "log"]


@dataclass(frozen=True, kw_only=True)
class PixelLayout:
    """The arrangement of a picture's colours in planes."""

    family: Family
    """yuv: planes Y, U, V; rgb: R, G, B; grey: one plane. Alpha, if any, is the last."""
    depth: int
    """Bits a sample, 8 to 16. Samples are uint8 for 8 bits, else uint16 in the low bits."""
    chroma_shift: tuple[int, int] = (0, 0)
    """Halvings of the chroma planes, x then y: (1, 1) is 4:2:0, (1, 0) is 4:2:2."""
    alpha: bool = False
    """Whether a last plane holds transparency, which no stage touches."""

    @property
    def peak(self) -> int:
        """The largest sample value."""
        return (1 << self.depth) - 1

    @property
    def colour_planes(self) -> int:
        """How many planes hold colour: three, or one for grey."""
        return 1 if self.family == "grey" else 3

    def frame_bytes(self, height: int, width: int) -> int:
        """Bytes of a picture's samples.

        Args:
            height: Of the picture in px.
            width: Likewise.
        """
        across, down = self.chroma_shift
        chroma = (self.colour_planes - 1) * (height >> down) * (width >> across)
        full = (1 + self.alpha) * height * width
        return (full + chroma) * (1 if self.depth == 8 else 2)


@dataclass(frozen=True, kw_only=True)
class ColourMeaning:
    """The interpretation of a picture's samples, as far as the arithmetic needs it.

    The stream's own tags are copied from input to output by `video`; these follow them, with the
    conventions for untagged streams applied.
    """

    matrix: Matrix = "bt709"
    full_range: bool = True
    transfer: Transfer = "power"


@dataclass(frozen=True, kw_only=True, eq=False)
class Picture:
    """One picture: planes `(height, width)`, chroma planes smaller by `layout.chroma_shift`."""

    planes: tuple[Shaped[np.ndarray, "_ _"], ...]
    layout: PixelLayout
    meaning: ColourMeaning

    def __post_init__(self) -> None:
        """Refuse planes whose number, sample type or size contradicts the layout."""
        expected = self.layout.colour_planes + self.layout.alpha
        if len(self.planes) != expected:
            raise ValueError(f"{len(self.planes)} planes for {self.layout}; pass {expected}")
        sample = np.uint8 if self.layout.depth == 8 else np.uint16
        if any(plane.dtype != sample for plane in self.planes):
            raise ValueError(f"samples of {self.planes[0].dtype} for {self.layout}; pass {sample}")
        height, width = self.planes[0].shape
        shift_x, shift_y = self.layout.chroma_shift
        chroma = (-((-height) >> shift_y), -((-width) >> shift_x))
        if self.layout.family != "grey" and self.planes[1].shape != chroma:
            raise ValueError(f"chroma of {self.planes[1].shape} for {self.size}; pass {chroma}")

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        height, width = self.planes[0].shape
        return height, width


@dataclass(frozen=True, kw_only=True, eq=False)
class Frame:
    """A picture with its place in the film."""

    picture: Picture
    index: int
    """Place in the film, from 0."""
    pts: int
    """Presentation time in units of `time_base`."""
    time_base: Fraction
    """Seconds a unit of `pts`."""
    duration: int = 0
    """How long it is shown, in units of `time_base`; 0 where the container does not say."""
    damaged: bool = False
    """Whether the decoder reported an error in it: kept in time, excluded from statistics."""
    original: Picture | None = None
    """The same frame of the steady original, of any size, if the film has one."""

    @property
    def seconds(self) -> float:
        """Presentation time in seconds."""
        return float(self.pts * self.time_base)


def same_samples(one: Picture, other: Picture) -> bool:
    """Whether two pictures are equal bit for bit.

    Args:
        one: A picture.
        other: Another one.
    """
    return one.layout == other.layout and all(
        np.array_equal(a, b) for a, b in zip(one.planes, other.planes, strict=True)
    )


def as_picture(pixels: Shaped[np.ndarray, "height width *channels"]) -> Picture:
    """An array as a picture: RGB or grey, uint8, uint16 or float32 in [0, 1] (then of 16 bits)."""
    if pixels.dtype == np.float32:
        pixels = np.rint(np.clip(pixels, 0.0, 1.0) * _PEAK_16).astype(np.uint16)
    layout = PixelLayout(
        family="grey" if pixels.ndim == 2 else "rgb", depth=8 * pixels.dtype.itemsize
    )
    channels = [pixels] if pixels.ndim == 2 else np.moveaxis(pixels, -1, 0)
    planes = tuple(np.array(channel, order="C") for channel in channels)
    return Picture(planes=planes, layout=layout, meaning=ColourMeaning())


def as_array(
    picture: Picture, *, like: Shaped[np.ndarray, "height width *channels"]
) -> Shaped[np.ndarray, "height width *channels"]:
    """The picture as an array of the type of `like`; unchanged floats keep their exact values.

    Args:
        picture: Made by `as_picture`.
        like: The array that the picture was made of.
    """
    pixels = picture.planes[0] if like.ndim == 2 else np.stack(picture.planes, axis=-1)
    if like.dtype != np.float32:
        return pixels
    given = np.rint(np.clip(like, 0.0, 1.0) * _PEAK_16)
    return np.where(pixels == given, like, pixels.astype(np.float32) / _PEAK_16)
