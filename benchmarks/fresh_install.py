"""A wheel of this tree in a new environment: what it holds, and whether it runs.

Builds the wheel, installs it with the pinned versions, then runs a film twice by the program that
was installed, and prints how long both took. Needs the package index.

    python benchmarks/fresh_install.py --newest --python python3.13

installs what a user gets instead: the newest versions that pyproject.toml allows, for that Python.
"""

import argparse
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
NEEDED = (
    "unflicker/shipped/neural_filter.safetensors",
    "unflicker/py.typed",
    "unflicker/web/studio/pages/",
    "unflicker/web/study/pages/",
    "share/man/man1/unflicker.1",
)
MAKE = """
import numpy as np
from unflicker.frames.clip import Clip
from unflicker.video import ArraySource, open_writer
from pathlib import Path
light = np.random.default_rng(0).uniform(0.8, 1.0, 27)
scene = np.random.default_rng(1).integers(40, 220, (12, 16, 3)).repeat(10, 0).repeat(10, 1)
film = ArraySource(Clip.at_rate((scene * light[:, None, None, None]).astype(np.uint8), fps=24))
with open_writer(film, Path("film.mp4")) as writer:
    for frame in film.frames():
        writer.write(frame)
"""


def called(*command: object, cwd: Path) -> str:
    """Run a command and return what it prints; stop with its words if it fails."""
    words = [str(word) for word in command]
    done = subprocess.run(words, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(words)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def main() -> None:
    """Build, look, install, run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--python", default=sys.executable, help="makes the environment")
    parser.add_argument("--newest", action="store_true", help="versions that are not pinned")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        called(sys.executable, "-m", "pip", "wheel", "--no-deps", "-w", folder, ROOT, cwd=folder)
        (wheel,) = folder.glob("*.whl")
        held = zipfile.ZipFile(wheel).namelist()
        lacking = [part for part in NEEDED if not any(part in entry for entry in held)]
        if lacking:
            raise SystemExit(f"{wheel.name} lacks {', '.join(lacking)}")
        size = wheel.stat().st_size / 1e6
        print(f"{wheel.name}: {size:.1f} MB, {len(held)} files, all parts there")
        called(given.python, "-m", "venv", folder / "new", cwd=folder)
        program, python = (folder / "new" / "bin" / name for name in ("unflicker", "python"))
        pinned = [] if given.newest else ["-c", ROOT / "constraints.txt"]
        called(python, "-m", "pip", "install", "-q", *pinned, wheel, cwd=folder)
        called(python, "-c", MAKE, cwd=folder)
        print(called(program, "--version", cwd=folder).strip())
        for run in ("first", "second"):
            began = time.monotonic()
            called(program, "film.mp4", "--overwrite", cwd=folder)
            print(f"{run} run of 27 frames: {time.monotonic() - began:.1f} s")
        there = (folder / "new" / "share" / "man" / "man1" / "unflicker.1").is_file()
        print(f"manual page installed: {there}")


if __name__ == "__main__":
    main()
