"""Whether films come out the same: run twice, by a plan, and as an earlier version made them.

    python benchmarks/same.py FILMS --presets fast,standard --write before.json
    python benchmarks/same.py FILMS --presets fast,standard --against before.json

Each film (its first frames) is run twice, and once by `analyze` and `apply`; the three files must
have the same bytes. The hash of their decoded frames is written, or compared with one written
before a change: then it says for which films the pictures are other ones, and by how much time
changed. Hashes are those of a machine: vector instructions of other kinds round differently.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tempfile
import time
from pathlib import Path

import unflicker
from unflicker.files.atomic import write_whole
from unflicker.settings import EncodingSettings, Settings
from unflicker.video.frame_sums import frame_sums

LOSSLESS = EncodingSettings(codec="ffv1")


def made(film: Path, preset: str, *, seconds: float) -> dict[str, object]:
    """What a film becomes: whether its three files are equal, the hash of its frames, its cost.

    Args:
        film: A video.
        preset: Its name.
        seconds: Length of the part that is made.
    """
    settings = Settings.from_preset(preset, encoding=LOSSLESS)
    with tempfile.TemporaryDirectory() as folder:
        places = [Path(folder) / f"{name}.mkv" for name in ("run", "again", "applied")]
        plan, part = Path(folder) / "film.plan", {"duration_seconds": seconds}
        began = time.process_time()
        for place in places[:2]:
            options = unflicker.RunOptions(**part, jobs=1)
            unflicker.run(film, place, settings=settings, options=options)
        spent = (time.process_time() - began) / 2
        saving = unflicker.RunOptions(**part, save_plan=plan, jobs=1)
        unflicker.analyze(film, settings=settings, options=saving)
        applying = unflicker.RunOptions(**part, plan=plan, jobs=1)
        unflicker.run(film, places[2], settings=settings, options=applying)
        files = {place.read_bytes() for place in places}
        frames = frame_sums(places[0])
    return {
        "film": film.stem,
        "preset": preset,
        "frames": sum(not line.startswith("#") for line in frames.splitlines()),
        "equal": len(files) == 1,
        "md5": hashlib.md5(frames.encode()).hexdigest(),
        "processor_seconds": round(spent, 2),
    }


def main() -> None:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("films", type=Path, help="a folder")
    parser.add_argument("--presets", default="fast,standard")
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--most", type=int, default=10, help="films, the first by name")
    parser.add_argument("--write", type=Path, metavar="JSON")
    parser.add_argument("--against", type=Path, metavar="JSON")
    given = parser.parse_args()
    films = sorted(path for path in given.films.iterdir() if path.suffix in (".mp4", ".mkv"))
    before = json.loads(given.against.read_text()) if given.against else []
    known = {(row["film"], row["preset"]): row for row in before}
    rows = []
    for film in films[: given.most]:
        for preset in given.presets.split(","):
            row = made(film, preset, seconds=given.seconds)
            rows.append(row)
            earlier = known.get((row["film"], row["preset"]), row)
            told = "" if earlier["md5"] == row["md5"] else ", other pictures than before"
            sys.stdout.write(f"{json.dumps(row)}{told}\n")
            sys.stdout.flush()
    if given.write:
        write_whole(given.write, json.dumps(rows, indent=1) + "\n")
    sys.exit(not all(row["equal"] for row in rows))


if __name__ == "__main__":
    main()
