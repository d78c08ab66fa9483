"""Suite `guide`: processed video without and with its steady original.

The folder holds `processed` (pairs `NAME_processed`, `NAME_original`) and `clean` (steady clips, of
which the development half gets synthetic processing flicker). Of each: warping errors along the
original's motion to the frame before and to the first frame (masked L1, in 1/10000), the squared
one to the frame before (in 1/10000), sharpness and contrast over the processed video's. The rows
`original` and `processed` are for reference: compare an error with the original's own, multiplied
by the ratio of sharpness of the processed video and the original.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from unflicker.datasets.reading import films_in
from unflicker.errors import InputError
from unflicker.evaluation.selection import HALVES, half
from unflicker.evaluation.suites.films import (
    NamedClip,
    Pair,
    each,
    is_wanted,
    pair_films,
    read,
    read_pair,
    write_sheet,
)
from unflicker.evaluation.suites.paired_means import paired_means
from unflicker.evaluation.suites.suite import Options, Row, Suite, presets
from unflicker.evaluation.suites.tables import markdown
from unflicker.frames.clip import Clip, to_float
from unflicker.frames.flow import visibility
from unflicker.frames.structure import normalised
from unflicker.metrics import (
    contrast_ratio,
    sharpness_ratio,
    squared_warping_error,
    warping_error,
    warping_error_to_first,
)
from unflicker.motion import estimate_motion
from unflicker.motion.flow import estimate_flow
from unflicker.pipeline import deflicker
from unflicker.settings import Settings
from unflicker.synthesis import processed

_WIDTH_PX, _FRAMES = 640, 24
_SHEET_FRAMES = 5
_SUMMARY = {
    "to_before": ("to before", 4),
    "to_first": ("to first", 4),
    "sharpness": ("sharpness", 3),
}
_IN_TEN_THOUSANDTHS = 1e4


@dataclass(frozen=True, kw_only=True, eq=False)
class _Ways:
    """Motion along which errors are measured: flow and visibility."""

    before: dict[str, np.ndarray]
    """To the frame before."""
    first: dict[str, np.ndarray]
    """To the first frame."""

    @classmethod
    def of(cls, original: Clip) -> _Ways:
        """Those of a steady clip."""
        light = to_float(original.pixels)
        motion = estimate_motion(light)
        structure = [normalised(frame) for frame in light]
        there = [estimate_flow(later, structure[0]) for later in structure[1:]]
        seen = [
            visibility(flow, estimate_flow(structure[0], later))
            for flow, later in zip(there, structure[1:], strict=True)
        ]
        return cls(
            before={"flows": motion.backward, "visible": motion.visible_backward},
            first={"flows": np.stack(there), "visible": np.stack(seen)},
        )


def _rows(folder: Path, options: Options) -> Iterator[Row]:
    settings = presets(options, usual=("fast", "standard"))
    pairs = _pairs(folder, options)
    if not pairs:
        raise InputError(
            f"{folder} has no pair in processed/ and no clip in clean/ to run on; "
            "name a folder that holds them"
        )
    paths = {name: Path(name) for name in pairs}
    for path in each(paths, options, stage="guide"):
        pair = pairs[str(path)]()
        results = dict(_results(pair, settings))
        ways = _Ways.of(pair.original)
        for name, result in results.items():
            yield _measured(pair.processed, name, result, ways)
        first = max(0, len(pair.original) // 2 - _SHEET_FRAMES // 2)
        frames = range(first, first + _SHEET_FRAMES)
        write_sheet(
            options.out / "guide" / f"{pair.processed.name}.png", results.values(), frames=frames
        )


def _results(pair: Pair, settings: dict[str, Settings]) -> Iterator[tuple[str, Clip]]:
    """The original and the processed video, then each preset without and with the original."""
    given = pair.processed
    yield "original", pair.original
    yield "processed", given.clip
    for name, one in settings.items():
        for guide in (None, pair.original.pixels):
            pixels = deflicker(given.clip.pixels, fps=given.fps, settings=one, original=guide)
            label = name if guide is None else f"{name} + guide"
            yield label, Clip.at_rate(pixels, fps=given.fps)


def _measured(given: NamedClip, method: str, result: Clip, ways: _Ways) -> Row:
    return {
        "clip": given.name,
        "method": method,
        "to_before": warping_error(result, **ways.before),
        "to_first": warping_error_to_first(result, **ways.first),
        "squared": squared_warping_error(result, **ways.before),
        "sharpness": sharpness_ratio(result, given.clip),
        "contrast": contrast_ratio(result, given.clip),
    }


def _pairs(folder: Path, options: Options) -> dict[str, Callable[[], Pair]]:
    """The selected pairs by name, as functions that read them."""
    size: dict[str, Any] = {
        "width_px": options.width_px or _WIDTH_PX,
        "frames": options.frames or _FRAMES,
    }
    found: dict[str, Callable[[], Pair]] = {}
    for name, path in pair_films(folder / "processed", options).items():
        found[name] = partial(read_pair, path, first=options.first, **size)
    clean = films_in(folder / "clean")
    halved = half(options.split_file, HALVES[0]) if clean else ()
    # The seed of a clip is its place in the whole half, in any selection.
    for seed, name in enumerate(name for name in clean if name in halved):
        if is_wanted(name, options):
            found[name] = partial(_made, clean[name], seed=seed, size=size)
    return found


def _made(path: Path, *, seed: int, size: dict[str, Any]) -> Pair:
    """A clean clip with synthetic processing flicker."""
    clean = read(path, **size)
    return Pair(
        processed=replace(clean, clip=processed(clean.clip, seed=seed)), original=clean.clip
    )


def _table(rows: Sequence[Row], _: Options) -> str:
    body = []
    for row in rows:
        errors = [f"{_IN_TEN_THOUSANDTHS * row[name]:.1f}" for name in ("to_before", "to_first")]
        squared = f"{_IN_TEN_THOUSANDTHS * row['squared']:.2f}"
        kept = [f"{row['sharpness']:.3f}", f"{row['contrast']:.3f}"]
        body.append([row["clip"], row["method"], *errors, squared, *kept])
    head = ["film", "method", "to before", "to first", "squared", "sharpness", "contrast"]
    return "\n".join([markdown(head=head, body=body), paired_means(rows, _SUMMARY)])


GUIDE = Suite(
    name="guide",
    about="processed video without and with its steady original",
    takes=("methods", "clips", "width_px", "frames", "first"),
    rows=_rows,
    table=_table,
)
