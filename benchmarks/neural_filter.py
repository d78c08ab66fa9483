"""What the neural filter makes of photographs it never saw, beside the closed form.

    python benchmarks/neural_filter.py BSDS500/test -o OUT

Each photograph is lit otherwise (the frame) and spoilt (the guide), as in training, with seeds of
its own; both methods see the same frame, guide and trust. Prints a table in Markdown.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import torch

from unflicker.atlas.guide import Guide
from unflicker.atlas.transfer import transferred_gain
from unflicker.grade import Grade
from unflicker.grade.apply import apply_to_light
from unflicker.neural_filter.apply import trained_filter
from unflicker.neural_filter.network import Pictures, graded
from unflicker.training.data import photo_sample
from unflicker.training.photos import PHOTO_ENDINGS, stored_photo

_SEED = 987_000
_SIZE = (144, 256)
_ROWS, _COLUMNS = 24, 32


def main() -> None:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="photographs that no training saw")
    parser.add_argument("-o", "--output", type=Path, default=Path("out/neural_filter"))
    parser.add_argument("--weights", default="", help="weights to measure; those that ship if none")
    parser.add_argument("--crops", type=int, default=400)
    options = parser.parse_args()
    paths = sorted(path for path in options.folder.iterdir() if path.suffix in PHOTO_ENDINGS)
    network = trained_filter(own=options.weights)
    rows = [_row(paths, place, network) for place in range(options.crops)]
    table = _table(np.array(rows))
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "neural_filter.md").write_text(table)
    print(table)
    print(f"{len(rows)} crops of {len(paths)} photographs", file=sys.stderr)


def _row(paths: list[Path], place: int, network: torch.nn.Module) -> tuple[float, ...]:
    """Whether the guide is trusted at all, and PSNR of the frame, the closed form, the filter."""
    random = np.random.default_rng([_SEED, place])
    own, other = (
        stored_photo(paths[index]).astype(np.float32) / np.float32(255.0)
        for index in (place % len(paths), random.integers(len(paths)))
    )
    frame, guide, trust, removed, _, target = photo_sample(random, own, other, size=_SIZE)
    # A photograph alone: no tone stage has looked at it.
    parts = frame, guide, trust, np.zeros_like(removed), np.zeros_like(removed)
    names = "frame", "guide", "trust", "removed", "spread"
    tensors = [torch.from_numpy(part)[None] for part in parts]
    with torch.inference_mode():
        log_gain = network(Pictures(**dict(zip(names, tensors, strict=True))))
        filtered = graded(tensors[0], log_gain)[0].numpy()
    light = np.ascontiguousarray(frame.transpose(1, 2, 0))
    said = Guide(pictures=guide.transpose(1, 2, 0)[None], trust=trust)
    gain = transferred_gain(light[None], said, rows=_ROWS, columns=_COLUMNS)[0]
    closed = apply_to_light(light, Grade.identity().followed_by(gain[:, :, None]))
    results = frame, closed.transpose(2, 0, 1), filtered
    return (float(trust.max() > 0.0), *(_psnr(result, target) for result in results))


def _psnr(result: np.ndarray, target: np.ndarray) -> float:
    return float(-10.0 * np.log10(np.mean((np.clip(result, 0.0, 1.0) - target) ** 2) + 1e-6))


def _table(rows: np.ndarray) -> str:
    lines = [
        "| | crops | frame left alone | closed form | neural filter |",
        "|---|---|---|---|---|",
    ]
    for name, chosen in (("trusted guide", rows[:, 0] > 0), ("trust 0", rows[:, 0] == 0)):
        means = " | ".join(f"{value:.2f}" for value in rows[chosen, 1:].mean(axis=0))
        lines.append(f"| {name} | {int(chosen.sum())} | {means} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
