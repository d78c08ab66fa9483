"""The trained baselines and the paper's own system with the weights of a folder, on a few clips.

    python benchmarks/trained.py DATA_FOLDER -o OUT [--weights benchmarks/weights]

DATA_FOLDER holds `clean` (steady films) and `processed` (pairs `NAME_processed`, `NAME_original`).
Of clean clips made to flicker: PSNR and warping error of the input, of ConvLSTM and of preset
`paper`, whose atlas is fitted in few steps, stage by stage (atlas, filter, all). Of pairs: the
warping error of Lai et al.'s network beside the steady original, and of ConvLSTM without. The
warping error is the paper's: masked L1 to the last and to the first frame, motion from the steady
clip. Writes a Markdown table and, for each clip, a sheet of frames.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import cv2
import numpy as np

from unflicker.baselines.convlstm import convlstm
from unflicker.baselines.lai import lai
from unflicker.compute.weights import weights_in
from unflicker.evaluation.suites.films import chosen_films, pair_films, read, read_pair
from unflicker.evaluation.suites.suite import Options
from unflicker.frames.clip import Clip, from_float
from unflicker.frames.colour import to_rgb
from unflicker.metrics import psnr, sharpness_ratio, warping_error, warping_error_to_first
from unflicker.motion import match
from unflicker.paper.convlstm import Refiner
from unflicker.paper.pipeline import guides, load_networks
from unflicker.paper.unet import filtered
from unflicker.settings import Settings, replaced
from unflicker.synthesis import synthesise
from unflicker.video import ArraySource

SEED = 1000
"""Of made flicker; trainings use other ones."""
SHEET_FRAMES, SHEET_PX = 6, 240


def main() -> None:
    """Run the benchmark from the command line."""
    options = _options()
    options.output.mkdir(parents=True, exist_ok=True)
    size = {"width_px": options.width, "frames": options.frames}
    lines = [
        "| clip | method | PSNR dB | E_warp | to the last | to the first | sharpness |",
        "|---|---|---|---|---|---|---|",
    ]
    named = Options(out=options.output, clips=tuple(options.clips.split(",")))
    for path in chosen_films(options.data / "clean", named).values():
        clean = read(path, **size).clip
        for kind in options.kinds.split(","):
            made = synthesise(clean, kind=kind, seed=SEED).clip
            lines += _measured(f"{path.stem}/{kind}", _blind(made, options), clean, options.output)
    for path in pair_films(options.data / "processed", Options(out=options.output)).values():
        pair = read_pair(path, **size)
        processed, steady = pair.processed.clip, pair.original
        lines += _measured(path.stem, _guided(processed, steady, options), steady, options.output)
    text = "\n".join(lines) + "\n"
    (options.output / "trained.md").write_text(text)
    print(text)


def _blind(clip: Clip, options: argparse.Namespace) -> dict[str, Clip]:
    """What each method makes of a flickering clip; the input first."""
    settings = paper_settings(options.weights, steps=options.atlas_steps)
    return {
        "input": clip,
        "convlstm": convlstm(clip, weights=weights_in(options.weights, network="convlstm")),
        **_paper_stages(clip, settings),
    }


def _guided(clip: Clip, steady: Clip, options: argparse.Namespace) -> dict[str, Clip]:
    """The same of a processed clip and its original."""
    folder = options.weights
    return {
        "input": clip,
        "original": steady,
        "convlstm": convlstm(clip, weights=weights_in(folder, network="convlstm")),
        "lai": lai(clip, steady, weights=weights_in(folder, network="lai")),
    }


def paper_settings(folder: Path, *, steps: int) -> Settings:
    """Preset `paper` with the weights of a folder, and an atlas fitted in so many steps."""
    changes = {
        "neural_filter.weights": str(weights_in(folder, network="paper-filter")),
        "refinement.weights": str(weights_in(folder, network="paper-refinement")),
        "atlas.steps": steps,
        "atlas.points": 400,
    }
    return replaced(Settings.from_preset("paper"), changes)


def _paper_stages(clip: Clip, settings: Settings) -> dict[str, Clip]:
    """What comes out of each stage of preset `paper`, as `unflicker.paper.pipeline` has them."""
    networks, film = load_networks(settings), ArraySource(clip)
    refiner = Refiner(networks.refinement)
    stages = {"atlas": [], "filter": [], "paper": []}
    for guided, frame in zip(guides(film, settings), film.frames(), strict=True):
        seen = to_rgb(frame.picture)
        guide = cv2.resize(guided.picture, seen.shape[1::-1], interpolation=cv2.INTER_LINEAR)
        drawn = filtered(networks.neural_filter, seen, guide)
        for name, picture in zip(stages, (guide, drawn, refiner.refined(drawn)), strict=True):
            stages[name].append(from_float(np.clip(picture, 0.0, 1.0), dtype=np.uint8))
    return {
        name: Clip(pixels=np.stack(pictures), seconds=clip.seconds)
        for name, pictures in stages.items()
    }


def _measured(name: str, results: dict[str, Clip], steady: Clip, folder: Path) -> list[str]:
    """The rows of a clip; its sheet is written to the folder."""
    print(name, file=sys.stderr, flush=True)
    pixels = steady.as_float()
    ways = [
        [match(pixels[t], pixels[0 if to_first else t - 1]) for t in range(1, len(pixels))]
        for to_first in (False, True)
    ]
    (flows, visible), (far, far_visible) = (
        (np.stack(part) for part in zip(*pairs, strict=True)) for pairs in ways
    )
    rows = []
    for method, clip in results.items():
        last = warping_error(clip, flows=flows, visible=visible)
        first = warping_error_to_first(clip, flows=far, visible=far_visible)
        near = f"{psnr(clip, steady):.2f}" if "_processed" not in name else "–"
        sharp = sharpness_ratio(clip, results["input"])
        rows.append(
            f"| {name} | {method} | {near} | {last + first:.4f} | {last:.4f} | {first:.4f} "
            f"| {sharp:.3f} |"
        )
    _write_sheet(results, folder / f"{name.replace('/', '-').replace(' ', '-')}.png")
    return rows


def _write_sheet(results: dict[str, Clip], path: Path) -> None:
    """A row a method, some frames of each."""
    rows = []
    for clip in results.values():
        places = np.linspace(0, len(clip) - 1, SHEET_FRAMES).round().astype(int)
        height = round(SHEET_PX * clip.pixels.shape[1] / clip.pixels.shape[2])
        rows.append(np.hstack([cv2.resize(clip.pixels[t], (SHEET_PX, height)) for t in places]))
    cv2.imwrite(str(path), np.ascontiguousarray(np.vstack(rows)[..., ::-1]))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--weights", type=Path, default=Path(__file__).parent / "weights")
    parser.add_argument("--clips", default="wolf,paragliding-launch")
    parser.add_argument("--kinds", default="exposure,local")
    parser.add_argument("--frames", type=int, default=24)
    parser.add_argument("--width", type=int, default=320)
    parser.add_argument("--atlas-steps", type=int, default=150)
    return parser.parse_args()


if __name__ == "__main__":
    main()
