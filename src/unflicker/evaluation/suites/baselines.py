"""Suite `baselines`: methods on processed video with its steady original.

The folder holds `processed`, pairs `NAME_processed`, `NAME_original`. Warping error of neighbours
along the original's motion: masked L1 and squared; visible flicker; sharpness over the input's and
PSNR to the input, as measures of lost detail. Time is processor time of one frame.
"""

from __future__ import annotations

import math
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
from unflicker.evaluation.suites.outcomes import Outcome, outcome
from unflicker.evaluation.suites.paired_means import paired_means
from unflicker.evaluation.suites.suite import Options, Performer, Row, Suite, asked_for
from unflicker.evaluation.suites.tables import markdown, number
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
_SUMMARY = {"l1": ("L1", 4), "visible_flicker": ("visible", 2), "sharpness": ("sharpness", 3)}
_USUAL = (INPUT, *BASELINES, "bonneel", "video_prior")

_Guided = Callable[[Clip, Clip], Clip] | Path


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
            made = outcome(_on(pair, method), pair.processed, path=path, original=pair.original)
            if made is None:
                options.tell(f"{name} has no film of {pair.processed.name}")
                continue
            spent = (time.process_time() - start) / len(made.result)
            yield {
                "clip": pair.processed.name,
                "method": name,
                **_measured(made, motion),
                "cpu_seconds": None if isinstance(method, Path) else spent,
                **made.about,
            }
            if not isinstance(method, Path):
                shown.append(made.result)
        places = np.linspace(0, len(pair.original) - 1, _SHEET_FRAMES).round().astype(int)
        write_sheet(
            options.out / "baselines" / f"{pair.processed.name}.png", shown, frames=places.tolist()
        )


def _methods(options: Options) -> dict[str, _Guided]:
    """The selected methods, each as a function of a processed clip and its original.

    A method that is fitted to each video runs at each of its efforts except the full one.
    """
    found: dict[str, _Guided] = {_ORIGINAL: lambda _, original: original}
    for method in asked_for(options, usual=_USUAL, guided=True, finished=True):
        if method.folder is not None:
            found[method.name] = method.folder
            continue
        efforts = [effort for effort in method.efforts if effort != "full"] or ["full"]
        for effort in efforts:
            name = method.name if len(efforts) == 1 else f"{method.name}, {effort}"
            function = callable_for(method, effort=effort, weights=options.weights)
            found[name] = function if method.guided else partial(_blind, method=function)
    return found


def _on(pair: Pair, method: _Guided) -> Performer:
    """The method as one that gets the processed film alone."""
    return method if isinstance(method, Path) else lambda clip: method(clip, pair.original)


def _blind(clip: Clip, _: Clip, *, method: Callable[[Clip], Clip]) -> Clip:
    return method(clip)


def _measured(made: Outcome, motion: BackwardMotion) -> Row:
    """Scores of a result, along the motion of the original on the part that both show."""
    original = made.original
    assert original is not None
    if made.about:
        motion = motion_back(original.as_float())
    along = {"flows": motion.backward, "visible": motion.visible_backward}
    pixels, fps = made.result.as_float(), made.given.fps
    return {
        "l1": warping_error(made.result, **along),
        "squared": squared_warping_error(made.result, **along),
        "visible_flicker": visible_flicker(pixels, motion=motion, fps=fps),
        "sharpness": sharpness_ratio(made.result, made.given.clip),
        "psnr_to_input": psnr(made.result, made.given.clip),
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
            number(math.nan if row["cpu_seconds"] is None else row["cpu_seconds"], digits=3),
        ]
        for row in rows
    ]
    head = ["film", "method", "L1", "squared", "visible", "sharpness", "dB to input", "s a frame"]
    return "\n".join([markdown(head=head, body=body), paired_means(rows, _SUMMARY)])


PAIRS = Suite(
    name="baselines",
    about="blind and guided methods on processed pairs: warping errors, visible flicker, cost",
    takes=("methods", "own", "weights", "clips", "width_px", "frames"),
    rows=_rows,
    table=_table,
)
