"""The before/after picture: the worst moments above, the same moments steady below."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from jaxtyping import UInt8

from unflicker.errors import UsageError
from unflicker.files.atomic import write_whole
from unflicker.recording.record import Record
from unflicker.report.pictures import chosen_stills, labelled

_GAP_PX = 8
_GROUND = 24
"""Grey level of the gaps."""
_CELL_PX = 360
"""Longest side of one picture on the sheet."""


def write_sheet(record: Record, path: Path, *, count: int = 4) -> None:
    """Write the before/after picture as PNG.

    Args:
        record: Of a run, with stills.
        path: Of the file.
        count: Moments at most.

    Raises:
        UsageError: The record holds no stills.
        OutputError: The file cannot be written.
    """
    picture = cv2.cvtColor(sheet(record, count=count), cv2.COLOR_RGB2BGR)
    _, png = cv2.imencode(".png", picture, [cv2.IMWRITE_PNG_COMPRESSION, 9])
    write_whole(path, png.tobytes())


def sheet(record: Record, *, count: int = 4) -> UInt8[np.ndarray, "height width 3"]:
    """The before/after picture: moments side by side, before over after.

    Args:
        record: Of a run, with stills.
        count: Moments at most.

    Raises:
        UsageError: The record has no stills.
    """
    stills = chosen_stills(record, count=count)
    if not stills:
        raise UsageError("no before/after picture: the record holds no stills; run the film first")
    above = [_cell(still.before, f"before  {still.seconds:.2f} s") for still in stills]
    below = [_cell(still.after, "after") for still in stills]
    return _stacked([_beside(above), _beside(below)])


def _cell(rgb: UInt8[np.ndarray, "_ _ 3"], text: str) -> UInt8[np.ndarray, "_ _ 3"]:
    height, width = rgb.shape[:2]
    factor = min(1.0, _CELL_PX / max(height, width))
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    return labelled(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), text)


def _beside(cells: list[UInt8[np.ndarray, "_ _ 3"]]) -> UInt8[np.ndarray, "_ _ 3"]:
    gap = np.full((cells[0].shape[0], _GAP_PX, 3), _GROUND, np.uint8)
    parts = [gap]
    for cell in cells:
        parts += [cell, gap]
    return np.hstack(parts)


def _stacked(rows: list[UInt8[np.ndarray, "_ _ 3"]]) -> UInt8[np.ndarray, "_ _ 3"]:
    gap = np.full((_GAP_PX, rows[0].shape[1], 3), _GROUND, np.uint8)
    parts = [gap]
    for row in rows:
        parts += [row, gap]
    return np.vstack(parts)
