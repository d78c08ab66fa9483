"""Suite `baselines`: methods on processed video with its steady original.

The folder holds `processed`, pairs `NAME_processed`, `NAME_original`. Warping error of neighbours
along the original's motion: masked L1 and squared; visible flicker; sharpness over the input's and
PSNR to the input, as measures of lost detail. Time is processor time of one frame.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from unflicker.baselines import BASELINES
from unflicker.errors import InputError
from unflicker.evaluation.methods import INPUT, callable_for
from unflicker.evaluation.scores import motion_back
from unflicker.evaluation.suites.films import Pair, each, pair_films, read_pair, write_sheet
from unflicker.evaluation.suites.suite import Options, Row, Suite, asked_for
from unflicker.evaluation.suites.tables import markdown
from unflicker.frames.clip import Clip
from unflicker.frames.flow import BackwardMotion
from unflicker.metrics import (
    psnr,
    sharpness_ratio,
    squared_warping_error,
    visible_flicker,
    warping_error,
)

_WIDTH_PX, _FRAMES = 320, 24
_SHEET_FRAMES = 4
_ORIGINAL = "original"
_USUAL = (INPUT, *BASELINES, "bonneel", "video_prior")

_Guided = Callable[[Clip, Clip], Clip]


def _rows(folder: Path, options: Options) -> Iterator[Row]:
    methods = _methods(options)
    films = pair_films(folder / "processed", options)
    if not films:
        raise InputError(
            f"{folder} has no pair NAME_processed, NAME_original in processed/ to run on; "
            "name a folder that holds them"
        )
    for path in each(films, options, stage="baselines"):
        pair = read_pair(
            path,
            width_px=options.width_px or _WIDTH_PX,
            frames=options.frames or _FRAMES,
        )
        motion, shown = motion_back(pair.original.as_float()), []
        for name, method in methods.items():
            start = time.process_time()
            result = method(pair.processed.clip, pair.original)
            spent = (time.process_time() - start) / len(result)
            numbers = _measured(result, pair, motion)
            yield {"clip": pair.processed.name, "method": name, **numbers, "cpu_seconds": spent}
            shown.append(result)
        places = np.linspace(0, len(pair.original) - 1, _SHEET_FRAMES).round().astype(int)
        write_sheet(
            options.out / "baselines" / f"{pair.processed.name}.png", shown, frames=places.tolist()
        )


def _methods(options: Options) -> dict[str, _Guided]:
    """The selected methods, each as a function of a processed clip and its original.

    A method that is fitted to each video runs at each of its efforts except the full one.
    """
    found: dict[str, _Guided] = {_ORIGINAL: lambda _, original: original}
    for method in asked_for(options, usual=_USUAL, guided=True):
        efforts = [effort for effort in method.efforts if effort != "full"] or ["full"]
        for effort in efforts:
            name = method.name if len(efforts) == 1 else f"{method.name}, {effort}"
            function = callable_for(method, effort=effort, weights=options.weights)
            found[name] = function if method.guided else partial(_blind, method=function)
    return found


def _blind(clip: Clip, _: Clip, *, method: Callable[[Clip], Clip]) -> Clip:
    return method(clip)


def _measured(result: Clip, pair: Pair, motion: BackwardMotion) -> Row:
    given, along = pair.processed, {"flows": motion.backward, "visible": motion.visible_backward}
    return {
        "l1": warping_error(result, **along),
        "squared": squared_warping_error(result, **along),
        "visible_flicker": visible_flicker(result.as_float(), motion=motion, fps=given.fps),
        "sharpness": sharpness_ratio(result, given.clip),
        "psnr_to_input": psnr(result, given.clip),
    }


def _table(rows: Sequence[Row], _: Options) -> str:
    body = [
        [
            row["clip"],
            row["method"],
            f"{row['l1']:.4f}",
            f"{row['squared']:.6f}",
            f"{row['visible_flicker']:.2f}",
            f"{row['sharpness']:.3f}",
            f"{row['psnr_to_input']:.1f}",
            f"{row['cpu_seconds']:.3f}",
        ]
        for row in rows
    ]
    head = ["film", "method", "L1", "squared", "visible", "sharpness", "dB to input", "s a frame"]
    return markdown(head=head, body=body)


PAIRS = Suite(
    name="baselines",
    about="blind and guided methods on processed pairs: warping errors, visible flicker, cost",
    takes=("methods", "own", "weights", "clips", "width_px", "frames"),
    rows=_rows,
    table=_table,
)
