"""Converts coefficients of the illumination model to the grade that removes them."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
from jaxtyping import Float

from unflicker.grade import Grade
from unflicker.grade.grade import bin_luma, curve_inputs
from unflicker.tone.illumination import IlluminationModel, tone_of, whiteness_of
from unflicker.tone.mixing import matrix_logarithms

GRID_ROWS = 24
GRID_COLUMNS = 32
GRID_BINS = 6
_MOST_LOG_GAIN = 1.6
"""Limit of a correction: e^1.6 is 2.3 stops."""


def grade_of(coefficients: Float[np.ndarray, "3 size"], field: IlluminationModel) -> Grade:
    """The grade that divides by the light that these coefficients describe.

    Further coefficients may follow those of the model: one of highlights (`highlights`), then two
    of the colour matrix (`mixing`). The global part becomes the curves; the rest becomes the grid.

    Args:
        coefficients: Of one frame, for red, green and blue.
        field: The illumination model.
    """
    if not coefficients.any():
        return Grade.identity()
    by_place = coefficients[:, 1 : field.shared].any()
    log_gain = _grid(coefficients, field) if by_place else np.zeros((1, 1, 1, 3), np.float32)
    grade = Grade(curves=_curves(coefficients, field), log_gain=log_gain)
    mixing = coefficients[:, field.size + 1 :]
    if not mixing.any():
        return grade
    return replace(grade, log_matrix=-matrix_logarithms(mixing).astype(np.float32))


def _curves(coefficients: Float[np.ndarray, "3 size"], field: IlluminationModel) -> np.ndarray:
    inputs = curve_inputs()
    powers = tone_of(inputs.astype(float))[:, None] ** np.arange(field.powers + 1)
    whole = coefficients[:, field.whole] @ powers.T
    white = coefficients[:, field.size : field.size + 1].sum(axis=1, keepdims=True)
    whole += white * whiteness_of(inputs)
    curves = inputs * np.exp(np.clip(-whole, -_MOST_LOG_GAIN, _MOST_LOG_GAIN))
    return np.maximum.accumulate(np.clip(curves, 0.0, 2.0), axis=1).astype(np.float32)


def _grid(coefficients: Float[np.ndarray, "3 size"], field: IlluminationModel) -> np.ndarray:
    light, contrast = _at_cells(field)
    by_place = light[1:].T @ coefficients[:, 1 : len(field.waves)].T
    by_contrast = contrast.T @ coefficients[:, len(field.waves) : field.shared].T
    tone = tone_of(bin_luma(GRID_BINS).astype(float))
    log_gain = -(by_place[:, None] + by_contrast[:, None] * tone[:, None])
    log_gain = np.clip(log_gain, -_MOST_LOG_GAIN, _MOST_LOG_GAIN)
    # In half precision, so that a plan on disk holds exactly what a run would apply.
    halved = log_gain.astype(np.float16).astype(np.float32)
    return halved.reshape(GRID_ROWS, GRID_COLUMNS, GRID_BINS, 3)


@lru_cache(maxsize=2)
def _at_cells(field: IlluminationModel) -> tuple[np.ndarray, np.ndarray]:
    """The cosines at the grid's cells: the same for every frame of a window."""
    x, y = np.meshgrid(
        (np.arange(GRID_COLUMNS) + 0.5) / GRID_COLUMNS * field.width - 0.5,
        (np.arange(GRID_ROWS) + 0.5) / GRID_ROWS * field.height - 0.5,
    )
    return field.at_places(np.stack([x, y], -1).reshape(-1, 2))
