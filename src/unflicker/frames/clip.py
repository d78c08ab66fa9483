"""Consecutive frames in memory."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Shaped


@dataclass(frozen=True, kw_only=True, eq=False)
class Clip:
    """Frames in RGB, with their times."""

    pixels: Shaped[np.ndarray, "time height width 3"]
    """uint8, uint16 (full range) or float32 in [0, 1]."""
    seconds: Shaped[np.ndarray, " time"]
    """When each frame is shown; float64, rising."""

    def __post_init__(self) -> None:
        """Refuse times that do not match the frames, and unsupported sample types."""
        if len(self.seconds) != len(self.pixels):
            raise ValueError(f"{len(self.seconds)} times for {len(self.pixels)} frames")
        if self.pixels.dtype not in (np.uint8, np.uint16, np.float32):
            raise ValueError(f"pixels of {self.pixels.dtype}; pass uint8, uint16 or float32")

    def __len__(self) -> int:
        """Return the number of frames."""
        return len(self.pixels)

    @classmethod
    def at_rate(cls, pixels: Shaped[np.ndarray, "time height width 3"], *, fps: float) -> Clip:
        """Frames shown at a constant rate, from time 0.

        Args:
            pixels: RGB, uint8, uint16 or float32 in [0, 1].
            fps: Frames a second, above 0.
        """
        return cls(pixels=pixels, seconds=np.arange(len(pixels)) / fps)

    def as_float(self) -> Float32[np.ndarray, "time height width 3"]:
        """The pixels in [0, 1]."""
        return to_float(self.pixels)


def to_float(pixels: Shaped[np.ndarray, ...]) -> Float32[np.ndarray, ...]:
    """Integers as fractions of their full scale; float32 as it is."""
    if pixels.dtype == np.float32:
        return pixels
    return pixels.astype(np.float32) / np.float32(np.iinfo(pixels.dtype).max)


def from_float(
    pixels: Float32[np.ndarray, ...], *, dtype: np.dtype | type
) -> Shaped[np.ndarray, ...]:
    """Values in [0, 1] as integers of a type, rounded and clipped; float32 is unchanged.

    Args:
        pixels: Any shape.
        dtype: uint8, uint16 or float32.
    """
    if np.dtype(dtype) == np.float32:
        return pixels.astype(np.float32)
    peak = np.iinfo(dtype).max
    return np.clip(np.rint(pixels * peak), 0, peak).astype(dtype)
