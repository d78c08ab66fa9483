"""Steady clips that no constant was chosen on: Ken Burns clips of photographs, drawn by a seed.

    python benchmarks/fresh.py PHOTOS -o FOLDER --seed 20261130 [--clips 8]

The rule is in docs/constants.md: the seed is the date of the measurement, the photographs are those
of BSDS500's test part. Writes lossless films `fresh_SEED_N.mkv`, and `fresh.json` with the two
photographs of each. The same seed and photographs give the same pixels.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np

from unflicker.errors import UsageError
from unflicker.files.atomic import write_whole
from unflicker.frames.clip import Clip, from_float
from unflicker.settings import EncodingSettings
from unflicker.training.ken_burns import ken_burns
from unflicker.training.photos import PHOTO_ENDINGS, stored_photo
from unflicker.video import ArraySource, open_writer

SIZE = (216, 384)
"""Height and width in px: photographs of 481 × 321 px are not enlarged."""
FRAMES, FPS = 48, 25.0


def main() -> None:
    """Draw the clips of a seed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photos", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--clips", type=int, default=8)
    options = parser.parse_args()
    photos = photographs(options.photos)
    told = {}
    for number, (clip, of) in enumerate(drawn(photos, seed=options.seed, clips=options.clips)):
        name = f"fresh_{options.seed}_{number}"
        _write(clip, options.output / f"{name}.mkv")
        told[name] = of
    text = json.dumps({"seed": options.seed, "clips": told}, indent=1) + "\n"
    write_whole(options.output / "fresh.json", text)
    print(text, end="")


def photographs(folder: Path) -> list[Path]:
    """The photographs of a folder, by name.

    Args:
        folder: Of photographs.

    Raises:
        UsageError: It holds fewer than two.
    """
    found = sorted(path for path in folder.glob("*") if path.suffix.lower() in PHOTO_ENDINGS)
    if len(found) < 2:
        raise UsageError(f"{folder} holds {len(found)} photographs; two are needed")
    return found


def drawn(
    photos: Sequence[Path], *, seed: int, clips: int, frames: int = FRAMES
) -> Iterator[tuple[Clip, list[str]]]:
    """Clips of a seed, each with the names of its background and of what moves before it.

    The first clips of a seed are the same for any number of clips; no photograph is used twice
    before all were.

    Args:
        photos: Two or more, in an order that belongs to them.
        seed: Of the draw.
        clips: Number of clips.
        frames: Of each clip.
    """
    order = np.random.default_rng([seed, 0]).permutation(len(photos))
    for number in range(clips):
        random = np.random.default_rng([seed, 1, number])
        pair = [photos[order[(2 * number + part) % len(photos)]] for part in range(2)]
        behind, before = (stored_photo(path).astype(np.float32) / 255.0 for path in pair)
        pixels = ken_burns(random, behind, before, frames=frames, size=SIZE)
        clip = Clip.at_rate(from_float(pixels, dtype=np.uint8), fps=FPS)
        yield clip, [path.stem for path in pair]


def _write(clip: Clip, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    film = ArraySource(clip, name=path.stem)
    encoding = EncodingSettings(codec="ffv1")
    with open_writer(film, path, encoding=encoding, overwrite=True) as writer:
        for frame in islice(film.frames(), len(clip)):
            writer.write(frame)


if __name__ == "__main__":
    main()
