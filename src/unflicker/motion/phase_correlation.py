"""Shifts between two pictures to a fraction of a pixel, block by block, by phase correlation.

A shift multiplies a block's spectrum by a phase that grows in proportion to frequency. Whole pixels
come from the peak of the whitened correlation, the rest from the slope of the phase. Light is
divided out first, so that flicker has no effect.

Source:
    Kuglin and Hines 1975, The phase correlation image alignment method; Stone et al. 2001, A fast
    direct Fourier-based algorithm for subpixel registration of images.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import cv2
import numpy as np
from jaxtyping import Bool, Complex64, Float32, Int, UInt8

Blocks = Float32[np.ndarray, "blocks side side"]
Spectra = Complex64[np.ndarray, "blocks side half"]
_ACROSS, _DOWN = 5, 3
"""Blocks across and down a wide picture; of a tall one the other way round."""
_SIDE = 0.2
"""Side of a block, as a share of the picture's longer side."""
_LEAST_SIDE = 16
_MOST_CYCLES = 0.25
"""Highest frequency whose phase is read, in cycles for a pixel: half of what the samples hold."""
_CONTRAST_PX, _FLOOR = 5.0, 6.0
"""Deviation of the neighbourhood in which contrast is divided out, in px of a picture 640 px wide,
and what is added to the contrast, in codes of 8 bits: noise is not made texture."""
USUAL_PX = 640.0
"""Longer side of pictures for which lengths are stated."""
_TURNS = 3
_HALVED = 2
"""A shift to two px is start enough for a flow."""
_COHERENT = 0.5
"""Least share of a block's common spectrum whose phase agrees with the shift."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Shifts:
    """How far each block of a picture has moved from the picture before."""

    by_block: Float32[np.ndarray, "blocks 2"]
    """In px of a picture whose longer side is `USUAL_PX`, x first."""
    coherent: Bool[np.ndarray, " blocks"]
    """Which of them are to be trusted."""


class Registered:
    """A picture, to be compared with others of the same size."""

    def __init__(
        self,
        luma: UInt8[np.ndarray, "height width"],
        *,
        within: tuple[slice, slice] = (slice(None), slice(None)),
    ) -> None:
        """Prepare a picture.

        Args:
            luma: At least 48 px on each side.
            within: Rows and columns between bars, which stand still whatever the scene does.
        """
        self._structure = _structure(luma, within)
        self._unit = np.float32(USUAL_PX / max(luma.shape))
        self._places = _places(luma.shape)
        self.side = _side(luma.shape)

    @cached_property
    def spectra(self) -> Spectra:
        """Of all blocks."""
        return self._spectra_at(self._places)

    def shifts_from(self, before: Registered) -> Shifts:
        """How far each block has moved.

        Args:
            before: The picture before.
        """
        whole = _whole_shift(self.spectra, before.spectra)
        moved = np.flatnonzero(whole.any(axis=1))
        spectra = self.spectra
        if len(moved):
            spectra = spectra.copy()
            spectra[moved] = self._spectra_at((self._places + whole[:, ::-1])[moved])
        rest, coherence = _slope(spectra * before.spectra.conj())
        # The rest after whole px is a fraction, or the peak was of something else.
        sound = (coherence >= _COHERENT) & (np.abs(rest) <= 1.0).all(axis=1)
        return Shifts(by_block=self._unit * (whole + rest).astype(np.float32), coherent=sound)

    def _spectra_at(self, places: Int[np.ndarray, "blocks 2"]) -> Spectra:
        """Spectra of the blocks at some places; what is out of the picture has no structure."""
        side, size = self.side, self._structure.shape
        window = _window(side)
        blocks = np.zeros((len(places), side, side), np.float32)
        for block, (top, left) in zip(blocks, places, strict=True):
            rows = slice(max(top, 0), min(top + side, size[0]))
            columns = slice(max(left, 0), min(left + side, size[1]))
            if rows.start < rows.stop and columns.start < columns.stop:
                part = self._structure[rows, columns]
                block[
                    rows.start - top : rows.stop - top, columns.start - left : columns.stop - left
                ] = part
        blocks *= window
        return np.fft.rfft2(blocks)


def _structure(
    luma: UInt8[np.ndarray, "height width"], within: tuple[slice, slice]
) -> Float32[np.ndarray, "height width"]:
    """Detail over local contrast; none at bars and near them."""
    values = luma.astype(np.float32)
    reach = max(_CONTRAST_PX * max(luma.shape) / USUAL_PX, 1.5)
    width = 2 * round(1.5 * reach) + 1

    def blurred(plane: Float32[np.ndarray, "height width"]) -> Float32[np.ndarray, "height width"]:
        return cv2.blur(cv2.blur(plane, (width, width)), (width, width))

    detail = values - blurred(values)
    contrast = np.sqrt(np.maximum(blurred(detail * detail), 0.0))
    found = np.zeros_like(values)
    rows, columns = (
        _without_edges(part, whole, width) for part, whole in zip(within, luma.shape, strict=True)
    )
    part = rows, columns
    found[part] = detail[part] / (contrast[part] + np.float32(_FLOOR))
    return found


def _without_edges(part: slice, whole: int, margin: int) -> slice:
    """Lines of a part but those near its ends that are not ends of the whole."""
    start, stop, _ = part.indices(whole)
    return slice(start + margin * (start > 0), stop - margin * (stop < whole))


def _side(size: tuple[int, ...]) -> int:
    """Side of a block in px: even."""
    side = min(round(_SIDE * max(size)), min(size) - 2)
    return max(side // 4 * 4, _LEAST_SIDE)


def _places(size: tuple[int, ...]) -> Int[np.ndarray, "blocks 2"]:
    """Top and left of each block."""
    counts = (_DOWN, _ACROSS) if size[1] >= size[0] else (_ACROSS, _DOWN)
    side = _side(size)
    ends = [np.rint(np.linspace(0, n - side, many)) for n, many in zip(size, counts, strict=True)]
    return np.stack(np.meshgrid(*ends, indexing="ij"), axis=-1).reshape(-1, 2).astype(np.int64)


@lru_cache(maxsize=4)
def _window(side: int) -> Float32[np.ndarray, "side side"]:
    line = np.hanning(side + 2)[1:-1].astype(np.float32)
    return line[:, None] * line


@lru_cache(maxsize=4)
def _frequencies(side: int) -> Float32[np.ndarray, "used 2"]:
    """Those whose phase is read, in radians for a px, x first."""
    grid = _grid(side)
    return grid[_used(side)] * np.float32(2 * np.pi)


@lru_cache(maxsize=4)
def _grid(side: int) -> Float32[np.ndarray, "side half 2"]:
    down, across = np.fft.fftfreq(side), np.fft.rfftfreq(side)
    return np.stack(np.meshgrid(across, down), axis=-1).astype(np.float32)


@lru_cache(maxsize=4)
def _used(side: int) -> Bool[np.ndarray, "side half"]:
    away = np.hypot(*np.moveaxis(_grid(side), -1, 0))
    return (away <= _MOST_CYCLES) & (away > 0)


def _whole_shift(now: Spectra, before: Spectra) -> Int[np.ndarray, "blocks 2"]:
    """Whole px at the peak of the correlation, x first."""
    common = now * before.conj()
    common *= _used(common.shape[1])
    white = common / np.maximum(np.sqrt(np.abs(common)), np.float32(1e-6))
    found = np.fft.irfft2(white)
    side = found.shape[1]
    peak = found.reshape(len(found), -1).argmax(axis=1)
    places = np.stack([peak % side, peak // side], axis=1)
    return np.where(places > side // 2, places - side, places)


def _slope(
    common: Spectra,
) -> tuple[Float32[np.ndarray, "blocks 2"], Float32[np.ndarray, " blocks"]]:
    """Shift by the slope of the phase, in px, x first, and the share that agrees with it."""
    side = common.shape[1]
    waves, parts = _frequencies(side), common[:, _used(side)]
    weights = np.abs(parts)
    shift = np.zeros((len(parts), 2), np.float32)
    turned = parts
    for _ in range(_TURNS):
        turned = parts * np.exp(1j * (shift @ waves.T)).astype(np.complex64)
        phase = np.angle(turned)
        trust = weights * np.maximum(np.cos(phase), 0.0) ** 2
        left = np.einsum("bk,ki,kj->bij", trust, waves, waves, optimize=True)
        left += np.eye(2, dtype=np.float32) * 1e-6
        right = np.einsum("bk,ki->bi", -trust * phase, waves, optimize=True)
        shift += np.linalg.solve(left, right[..., None])[..., 0].astype(np.float32)
    whole = weights.sum(axis=1)
    turned = parts * np.exp(1j * (shift @ waves.T)).astype(np.complex64)
    agrees = turned.real.sum(axis=1) / np.maximum(whole, 1e-6)
    return shift, agrees.astype(np.float32)


def whole_shift(
    first: UInt8[np.ndarray, "height width"], second: UInt8[np.ndarray, "height width"]
) -> Float32[np.ndarray, " 2"]:
    """How far most of the first picture has moved in the second, in whole px, x first.

    Args:
        first: Normalised for light and contrast (`normalised`).
        second: Likewise, of the same size.

    Source: Kuglin and Hines 1975, The phase correlation image alignment method.
    """
    here, there = (_small_spectrum(picture) for picture in (first, second))
    common = there * here.conj()
    common /= np.sqrt(np.abs(common)) + np.float32(1e-6)
    height, width = (_HALVED * side for side in _half(first.shape))
    found = np.fft.irfft2(common, (height, width))
    down, across = np.unravel_index(found.argmax(), found.shape)
    places = np.array([across, down], np.float32)
    sizes = np.array([width, height], np.float32)
    return _HALVED * np.where(places > sizes / 2, places - sizes, places).astype(np.float32)


def _small_spectrum(
    picture: UInt8[np.ndarray, "height width"],
) -> Complex64[np.ndarray, "rows half"]:
    """Spectrum of a picture at half its size, faded out at its edges and padded to twice that, so
    that what leaves at one edge does not enter at the other."""
    height, width = _half(picture.shape)
    small = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32)
    small -= small.mean()
    small *= np.hanning(height + 2)[1:-1, None] * np.hanning(width + 2)[1:-1]
    return np.fft.rfft2(small, (2 * height, 2 * width)).astype(np.complex64)


def _half(size: tuple[int, ...]) -> tuple[int, int]:
    return size[0] // _HALVED, size[1] // _HALVED
