"""Flash safety: how many general flashes a second a film has, by area.

A general flash is a pair of opposing changes of relative luminance of 10 % of white or more, where
the darker picture is below 80 % of white. A film is safe with at most three in any second, or
where they fill at most a quarter of the area: of any part of the screen that spans 10 degrees
(WCAG), or of the whole screen (ITU-R). ITU-R states 20 and 160 cd/m², which are the same shares
of a display of 200 cd/m².

Source: W3C, Web Content Accessibility Guidelines 2.2, success criterion 2.3.1 and its definition of
general flash and red flash thresholds; ITU-R BT.1702-3, Guidance for the reduction of
photosensitive epileptic seizures caused by television.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float32

from unflicker.metrics.pictures import Pictures, as_pixels

GRID = (18, 32)
"""Rows and columns of the cells in which luminance is followed."""
MOST_FLASHES = 3
"""General flashes in any second that are safe."""
_CHANGE, _DARKER_BELOW = 0.1, 0.8
_AREA = 0.25
_FIELD = (256 / 768, 341 / 1024)
"""Share of height and width of a field of 10 degrees: 341 × 256 px of 1024 × 768 (WCAG)."""
_WINDOW_SECONDS, _ROUNDING = 1.0, 1e-6
_LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)

Luminance = Float32[np.ndarray, "rows columns"]


@dataclass(frozen=True, kw_only=True)
class Flashes:
    """General flashes of some frames."""

    picture: int
    """Most in one second over more than a quarter of the picture; each place is counted apart."""
    field: int
    """The same over more than a quarter of any field a third as wide and high."""
    unsafe_seconds: float
    """Length of the film within seconds of more than three flashes in a field."""

    @property
    def safe(self) -> bool:
        """Whether no field has more than three flashes in any second."""
        return self.field <= MOST_FLASHES


NO_FLASHES = Flashes(picture=0, field=0, unsafe_seconds=0.0)


class FlashCounter:
    """Counts general flashes, frame by frame."""

    def __init__(self) -> None:
        """Start before the first frame."""
        shape = GRID
        self._high = np.full(shape, -np.inf, np.float32)
        self._low = np.full(shape, np.inf, np.float32)
        self._rising = np.zeros(shape, np.int8)
        """Direction of the last change: 1 up, -1 down, 0 none yet."""
        self._recent: deque[tuple[float, np.ndarray]] = deque()
        """Frames of the last second with a change: when, and where."""
        self._count = np.zeros(shape, np.int32)
        self._picture, self._field = 0, 0
        self._unsafe, self._unsafe_until = 0.0, -np.inf

    def saw(self, luminance: Luminance, *, seconds: float) -> None:
        """Take note of the next frame.

        Args:
            luminance: Relative luminance of each cell of `GRID`, 0 to 1.
            seconds: When it is shown.
        """
        changed = self._changed(luminance)
        while self._recent and self._recent[0][0] <= seconds - _WINDOW_SECONDS + _ROUNDING:
            self._count -= self._recent.popleft()[1]
        if not changed.any():
            return
        self._recent.append((seconds, changed))
        self._count += changed
        flashes = self._count // 2
        self._picture = max(self._picture, _over_a_quarter(flashes))
        fields = np.lib.stride_tricks.sliding_window_view(flashes, _field_cells())
        now = _over_a_quarter(fields)
        self._field = max(self._field, now)
        if now > MOST_FLASHES:
            begin = max(self._unsafe_until, self._recent[0][0])
            self._unsafe += max(seconds - begin, 0.0)
            self._unsafe_until = seconds

    def found(self) -> Flashes:
        """The flashes of all frames so far."""
        return Flashes(
            picture=self._picture, field=self._field, unsafe_seconds=round(self._unsafe, 3)
        )

    def _changed(self, light: Luminance) -> np.ndarray:
        """Where a change of light is complete that opposes the one before."""
        up, down = self._rising >= 0, self._rising <= 0
        self._high = np.where(up, np.maximum(self._high, light), self._high)
        self._low = np.where(down, np.minimum(self._low, light), self._low)
        falls = up & (self._high - light >= _CHANGE) & (light < _DARKER_BELOW)
        rises = down & (light - self._low >= _CHANGE) & (self._low < _DARKER_BELOW) & ~falls
        self._rising[falls], self._low[falls] = -1, light[falls]
        self._rising[rises], self._high[rises] = 1, light[rises]
        return falls | rises


def flashes_in(pictures: Pictures, *, fps: float) -> Flashes:
    """The general flashes of a clip.

    Args:
        pictures: Stored values, taken as sRGB.
        fps: Frames a second as shown.
    """
    counter = FlashCounter()
    for index, frame in enumerate(as_pixels(pictures)):
        counter.saw(luminance_of(frame), seconds=index / fps)
    return counter.found()


def luminance_of(picture: np.ndarray) -> Luminance:
    """Relative luminance of each cell of a picture: RGB, stored values taken as sRGB."""
    size = GRID[::-1]
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    if small.dtype != np.float32:
        small = small.astype(np.float32) / np.float32(np.iinfo(picture.dtype).max)
    return linear_srgb(small) @ _LUMINANCE


def linear_srgb(values: Float32[np.ndarray, "*shape"]) -> Float32[np.ndarray, "*shape"]:
    """Linear light of sRGB values, as WCAG defines relative luminance (IEC 61966-2-1)."""
    values = np.clip(values, 0.0, 1.0)
    return np.where(
        values <= np.float32(0.04045),
        values / np.float32(12.92),
        ((values + np.float32(0.055)) / np.float32(1.055)) ** np.float32(2.4),
    ).astype(np.float32)


def joined(parts: Iterable[Flashes]) -> Flashes:
    """The flashes of consecutive parts of a film; those across a border count in neither."""
    known = list(parts)
    return Flashes(
        picture=max((part.picture for part in known), default=0),
        field=max((part.field for part in known), default=0),
        unsafe_seconds=round(sum(part.unsafe_seconds for part in known), 3),
    )


def _field_cells() -> tuple[int, int]:
    rows, columns = (max(1, round(n * share)) for n, share in zip(GRID, _FIELD, strict=True))
    return rows, columns


def _over_a_quarter(windows: np.ndarray) -> int:
    """The most flashes that more than a quarter of the cells of a window have.

    Called with cells along the last two axes.
    """
    cells = np.sort(windows.reshape(*windows.shape[:-2], -1), axis=-1)[..., ::-1]
    return int(cells[..., int(cells.shape[-1] * _AREA)].max())
