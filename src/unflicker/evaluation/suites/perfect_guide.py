"""Suite `perfect-guide`: the acceptance test of the paper's networks.

No atlas is better than the clean frames themselves, at the size of an atlas. With these as guides,
whatever is missing in a result is missing in the filter: a system whose filter fails here cannot be
rescued by a better atlas, and its scores are not those of the published one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from unflicker.compute.weights import need_neural, weights_in
from unflicker.datasets.build import seed_of
from unflicker.errors import MissingError
from unflicker.evaluation.intervals import estimated, with_interval
from unflicker.evaluation.suites.films import chosen_films, each, half_of, read
from unflicker.evaluation.suites.suite import Options, Row, Suite, asked_kinds
from unflicker.evaluation.suites.tables import aim, markdown
from unflicker.frames.clip import Clip, from_float
from unflicker.frames.flow import Motion
from unflicker.metrics import level_free_psnr, psnr, sharpness_ratio, warping_error
from unflicker.motion import estimate_motion
from unflicker.settings import Settings, replaced
from unflicker.synthesis import ADDED_KINDS, KINDS, SyntheticFlicker, synthesise

if TYPE_CHECKING:
    from unflicker.paper.pipeline import Networks

_WIDTH_PX, _FRAMES = 448, 30
_KINDS = ("w1", "w3", "w10", "exposure", "local")
_INPUT, _GUIDE, _FILTER, _REFINED = "input", "guide, enlarged", "filter", "filter, refinement"
_LEAST_PSNR, _MOST_RATIO = 38.0, 1.2
"""The aims, of the filter."""


def _rows(folder: Path, options: Options) -> Iterator[Row]:
    kinds = asked_kinds(options, known=(*KINDS, *ADDED_KINDS), usual=_KINDS)
    films = chosen_films(folder, options)
    networks = _networks(options)
    for path in each(films, options, stage="perfect-guide"):
        clip = read(path, width_px=options.width_px or _WIDTH_PX, frames=options.frames or _FRAMES)
        motion = estimate_motion(clip.clip.as_float())
        split = half_of(options.split_file, clip.name)
        for kind in kinds:
            for draw in range(options.seeds or 1):
                made = synthesise(clip.clip, kind=kind, seed=seed_of(clip.name, draw=draw))
                for row in _measured(clip.clip, made, networks, motion):
                    yield {"clip": clip.name, "split": split, "kind": kind, **row}


def _networks(options: Options) -> Networks:
    """The paper's networks from the folder of weights."""
    need_neural()
    if options.weights is None:
        raise MissingError(
            "suite perfect-guide needs the weights of the paper's networks; "
            "name their folder with --weights"
        )
    from unflicker.paper.pipeline import load_networks

    changes = {
        f"{part}.weights": str(weights_in(options.weights, network=network))
        for part, network in (
            ("neural_filter", "paper-filter"),
            ("refinement", "paper-refinement"),
        )
    }
    return load_networks(replaced(Settings.from_preset("paper"), changes))


def _measured(
    clean: Clip, made: SyntheticFlicker, networks: Networks, motion: Motion
) -> Iterator[Row]:
    """The scores of each stage on one synthetic flicker."""
    paths = {
        "flows": motion.backward,
        "visible": motion.visible_backward,
        "valid": ~made.clipped,
    }
    own = max(warping_error(clean, **paths), 1e-9)
    for stage, result in with_perfect_guides(clean, made.clip, networks).items():
        yield {
            "stage": stage,
            "seed": made.seed,
            "psnr": psnr(result, clean),
            "level_free_psnr": level_free_psnr(result, clean),
            "warping_ratio": warping_error(result, **paths) / own,
            "sharpness": sharpness_ratio(result, clean),
        }


def with_perfect_guides(clean: Clip, flickering: Clip, networks: Networks) -> dict[str, Clip]:
    """What each stage of the paper's system makes of a clip with clean frames as guides.

    Args:
        clean: The clip without flicker, 8 bits.
        flickering: The same with flicker.
        networks: Both of the paper's.
    """
    from unflicker.paper.convlstm import Refiner
    from unflicker.paper.pipeline import atlas_size, drawn

    assert networks.refinement is not None
    refiner = Refiner(networks.refinement)
    small = atlas_size(clean.pixels.shape[1:3])
    stages: dict[str, list[np.ndarray]] = {name: [] for name in (_GUIDE, _FILTER, _REFINED)}
    for steady, seen in zip(clean.as_float(), flickering.as_float(), strict=True):
        guide = cv2.resize(steady, small[::-1], interpolation=cv2.INTER_AREA)
        filtered = drawn(networks.neural_filter, seen, guide)
        pictures = (drawn(None, seen, guide), filtered, refiner.refined(filtered))
        for stage, picture in zip(stages, pictures, strict=True):
            stages[stage].append(from_float(np.clip(picture, 0.0, 1.0), dtype=np.uint8))
    results = {
        name: Clip(pixels=np.stack(pictures), seconds=clean.seconds)
        for name, pictures in stages.items()
    }
    return {_INPUT: flickering, **results}


def _table(rows: Sequence[Row], _: Options) -> str:
    """Means with intervals by stage, PSNR by kind, and the verdict."""
    stages = list(dict.fromkeys(row["stage"] for row in rows))
    kinds = list(dict.fromkeys(row["kind"] for row in rows))
    body = []
    for stage in stages:
        cells = [
            f"{np.mean([row['psnr'] for row in _of(rows, stage) if row['kind'] == kind]):.1f}"
            for kind in kinds
        ]
        for value, digits in (
            ("psnr", 1),
            ("level_free_psnr", 1),
            ("warping_ratio", 2),
            ("sharpness", 3),
        ):
            found = {
                (row["clip"], row["kind"], row["seed"]): row[value] for row in _of(rows, stage)
            }
            cells.append(with_interval(estimated(found, clip_of=lambda key: key[0]), digits=digits))
        body.append([stage, *cells])
    clips = len({row["clip"] for row in rows})
    head = ["", *kinds, "PSNR, dB", "level-free", "E_warp ratio", "sharpness"]
    title = (
        f"Guides are clean frames at a quarter of the size; {clips} clips; PSNR in dB by kind, "
        "then means with 95 % intervals by bootstrap over clips"
    )
    ratio = float(np.mean([row["warping_ratio"] for row in _of(rows, _FILTER)]))
    decibels = float(np.mean([row["psnr"] for row in _of(rows, _FILTER)]))
    verdicts = [
        aim("PSNR of the filter, dB", decibels, at_least=_LEAST_PSNR),
        aim("E_warp of the filter, over the clean clip's", ratio, at_most=_MOST_RATIO),
    ]
    return "\n".join([markdown(title=title, head=head, body=body), *verdicts, ""])


def _of(rows: Sequence[Row], stage: str) -> list[Row]:
    return [row for row in rows if row["stage"] == stage]


PERFECT_GUIDE = Suite(
    name="perfect-guide",
    about="the paper's filter with perfect guides: the test that its networks must pass",
    takes=("weights", "clips", "split", "kinds", "width_px", "frames", "seeds"),
    rows=_rows,
    table=_table,
)
