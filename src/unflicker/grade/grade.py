"""The grade of one frame: a matrix, curves for the whole picture, then gains by place and tone."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import cv2
import numpy as np
from jaxtyping import Float32

from unflicker.frames.colour import LUMA, WORKING_POWER
from unflicker.grade.matrix import matrix_exponential

KNOTS = 129
"""Knots of a tone curve; they lie at (k / 128)², closer together near black."""
_MIDDLE_GREY = 0.4


@dataclass(frozen=True, kw_only=True, eq=False)
class Grade:
    """The change of light and colour of one frame, by place and by tone.

    Applied in working light (`frames.colour`): a matrix mixes the channels, then each channel
    passes through its curve; then the luma of the result and the place in the picture select a gain
    for each channel.
    """

    curves: Float32[np.ndarray, "3 knots"]
    """Output in [0, 1] of each channel's curve at the inputs `curve_inputs()`."""
    log_gain: Float32[np.ndarray, "rows columns bins 3"]
    """Natural logarithm of the gain. Cell centres lie evenly over the picture, at
    (row + ½) / rows of its height; bin centres lie at the luma `bin_luma`, closer near black."""
    log_matrix: Float32[np.ndarray, "3 3"] = field(
        default_factory=lambda: np.zeros((3, 3), np.float32)
    )
    """Logarithm of the matrix that mixes red, green and blue; zeros mix nothing. Its rows sum to
    zero, so grey stays grey."""

    @classmethod
    def identity(cls, *, rows: int = 1, columns: int = 1, bins: int = 1) -> Grade:
        """The grade that changes nothing.

        Args:
            rows: Of its grid, 1 or more.
            columns: Likewise.
            bins: Tones of its grid, 1 or more.
        """
        curves = np.tile(curve_inputs(), (3, 1)).astype(np.float32)
        return cls(curves=curves, log_gain=np.zeros((rows, columns, bins, 3), np.float32))

    @property
    def is_identity(self) -> bool:
        """Whether it changes nothing at all; such a frame passes through bit for bit."""
        if self.log_gain.any() or self.mixes:
            return False
        return np.array_equal(self.curves, np.tile(curve_inputs(), (3, 1)))

    @property
    def mixes(self) -> bool:
        """Whether the matrix mixes channels; else it is the identity."""
        return bool(self.log_matrix.any())

    @property
    def matrix(self) -> Float32[np.ndarray, "3 3"]:
        """The colour matrix: rows are the new channels and sum to one."""
        return matrix_exponential(self.log_matrix.astype(np.float64)).astype(np.float32)

    def scaled(self, strength: float) -> Grade:
        """The grade at a share of its strength, on logarithms; 1 is unchanged, 0 the identity."""
        if strength == 1.0 or self.is_identity:
            return self
        if strength == 0.0:
            return Grade.identity()
        inputs = curve_inputs()
        factors = np.maximum(self.curves[:, 1:], 1e-6) / inputs[1:]
        curves = np.concatenate([self.curves[:, :1], inputs[1:] * factors**strength], axis=1)
        return Grade(
            curves=curves.astype(np.float32),
            log_gain=self.log_gain * np.float32(strength),
            log_matrix=self.log_matrix * np.float32(strength),
        )

    def followed_by(self, log_gain: Float32[np.ndarray, "rows columns bins 3"]) -> Grade:
        """This grade followed by gains by place and tone, as one pair of curves and grid.

        Later gains are selected by the tone after this grade's gains. Exact for grey at the grid's
        cells and bins. The result has the finer cells of both grids. They must have the same bins,
        or one of them a single one.
        """
        if not log_gain.any():
            return self
        rows, columns, bins = (
            max(one, other)
            for one, other in zip(self.log_gain.shape[:3], log_gain.shape[:3], strict=True)
        )
        first, log_gain = (
            np.broadcast_to(_at_cells(gain, (rows, columns)), (rows, columns, bins, 3))
            for gain in (self.log_gain, log_gain)
        )
        later = log_gain if not first.any() else _at_tone_after(log_gain, first)
        # In half precision, so that a plan on disk holds exactly what a run would apply.
        both = (first + later).astype(np.float16).astype(np.float32)
        return replace(self, log_gain=both)

    def at_scale(self, scale: float) -> Grade:
        """The same change for light that is not multiplied by `scale`, as it was when this grade
        was estimated."""
        if scale == 1.0 or self.is_identity:
            return self
        inputs = curve_inputs()
        factors = np.maximum(self.curves[:, 1:], 1e-6) / inputs[1:]
        seen = np.minimum(inputs * scale, 1.0)
        factors = np.stack([np.interp(seen[1:], inputs[1:], channel) for channel in factors])
        curves = np.concatenate([self.curves[:, :1] / scale, inputs[1:] * factors], axis=1)
        luma = np.minimum(bin_luma(self.log_gain.shape[2]) * np.float32(scale), 1.0)
        moved = _at_luma(self.log_gain, np.broadcast_to(luma, self.log_gain.shape[:3]))
        halved = moved.astype(np.float16).astype(np.float32)
        return replace(self, curves=curves.astype(np.float32), log_gain=halved)

    def recurved(self, curves: Float32[np.ndarray, "3 knots"]) -> Grade:
        """This grade followed by other curves for the whole picture.

        Gains by tone follow the tone at which they were estimated. Exact where the grid is one cell
        or the later curves are gains.
        """
        inputs, first = curve_inputs(), np.maximum(self.curves[:, 1:], 1e-6)
        factors = curves[:, 1:] / inputs[1:]
        both = [np.interp(x, inputs[1:], y) * x for x, y in zip(first, factors, strict=True)]
        joined = np.concatenate([self.curves[:, :1], both], axis=1).astype(np.float32)
        if self.log_gain.shape[2] == 1 or not self.log_gain.any():
            return replace(self, curves=joined)
        bins = bin_luma(self.log_gain.shape[2])
        grey = np.interp(bins, np.maximum.accumulate(LUMA @ curves), inputs).astype(np.float32)
        moved = _at_luma(self.log_gain, np.broadcast_to(grey, self.log_gain.shape[:3]))
        halved = moved.astype(np.float16).astype(np.float32)
        return replace(self, curves=joined, log_gain=halved)

    def of_whole_picture(self) -> Grade:
        """The matrix and the curves alone."""
        return replace(self, log_gain=np.zeros((1, 1, 1, 3), np.float32))

    def whole_log_gain(self) -> Float32[np.ndarray, " 3"]:
        """Natural logarithm of the gain that the curves give a middle grey, for each channel."""
        middle = int(np.searchsorted(curve_inputs(), _MIDDLE_GREY))
        return np.log(np.maximum(self.curves[:, middle], 1e-6) / curve_inputs()[middle])

    def stops_by_place(self, *, rows: int, columns: int) -> Float32[np.ndarray, "rows columns"]:
        """Light added in each part of the picture to a middle grey, in stops of linear light.

        Args:
            rows: Parts down the picture.
            columns: Parts across.
        """
        working = self.working_stops_by_place(rows=rows, columns=columns)
        return working / np.float32(WORKING_POWER)

    def working_stops_by_place(
        self, *, rows: int, columns: int
    ) -> Float32[np.ndarray, "rows columns"]:
        """The same in doublings of working light, in which grades are applied.

        Args:
            rows: Parts down the picture.
            columns: Parts across.
        """
        bins = self.log_gain.shape[2]
        tone = int(np.abs(bin_luma(bins) - _MIDDLE_GREY).argmin())
        grid = cv2.resize(
            np.ascontiguousarray(self.log_gain[:, :, tone]),
            (columns, rows),
            interpolation=cv2.INTER_AREA,
        )
        return ((grid + self.whole_log_gain()).mean(axis=-1) / np.log(2.0)).astype(np.float32)


def curve_inputs() -> Float32[np.ndarray, " knots"]:
    """The input values in [0, 1] at which a grade's curves are given."""
    return (np.linspace(0.0, 1.0, KNOTS) ** 2).astype(np.float32)


def bin_luma(bins: int) -> Float32[np.ndarray, " bins"]:
    """The luma in [0, 1] at which the tone bins of a grid lie: even in its square root."""
    return (np.linspace(0.0, 1.0, bins) ** 2 if bins > 1 else np.ones(1)).astype(np.float32)


def _at_cells(
    log_gain: Float32[np.ndarray, "rows columns bins 3"], cells: tuple[int, int]
) -> Float32[np.ndarray, "rows_ columns_ bins 3"]:
    """Gains at the centres of other cells, as they are applied there; a single cell as it is."""
    if log_gain.shape[:2] in (cells, (1, 1)):
        return log_gain
    planes = [
        cv2.resize(np.ascontiguousarray(plane), cells[::-1], interpolation=cv2.INTER_LINEAR)
        for plane in np.moveaxis(log_gain, 2, 0)
    ]
    return np.stack(planes, axis=2)


def _at_tone_after(
    log_gain: Float32[np.ndarray, "rows columns bins 3"],
    first: Float32[np.ndarray, "rows columns bins 3"],
) -> Float32[np.ndarray, "rows columns bins 3"]:
    """Gains at the luma that grey has after other gains."""
    bins = log_gain.shape[2]
    if bins == 1:
        return log_gain
    return _at_luma(log_gain, bin_luma(bins) * np.exp(first @ LUMA))


def _at_luma(
    log_gain: Float32[np.ndarray, "rows columns bins 3"],
    luma: Float32[np.ndarray, "rows columns bins"],
) -> Float32[np.ndarray, "rows columns bins 3"]:
    """Gains at a luma for each place and bin."""
    bins = log_gain.shape[2]
    place = np.clip(np.sqrt(luma) * (bins - 1), 0.0, bins - 1.0)[..., None]
    lower = np.minimum(place.astype(np.int64), bins - 2)
    share = (place - lower).astype(np.float32)
    low = np.take_along_axis(log_gain, lower, axis=2)
    high = np.take_along_axis(log_gain, lower + 1, axis=2)
    return low * (1.0 - share) + high * share
