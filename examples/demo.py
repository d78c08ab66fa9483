"""The demo: a steady clip is made to flicker, and steadied again.

The clip is a slow move over a photograph that comes with matplotlib (an official portrait of Grace
Hopper, public domain). Its flicker is the sum of two kinds: exposure, and local.
"""

import argparse
import sys
from pathlib import Path

import cv2
import numpy as np
from matplotlib.cbook import get_sample_data

from unflicker.cli.main import exit_code
from unflicker.frames.clip import Clip
from unflicker.settings import EncodingSettings
from unflicker.synthesis import synthesise
from unflicker.video import ArraySource, open_writer

WIDTH, HEIGHT, FPS, FRAMES = 480, 360, 24, 96


def main() -> int:
    """Make the flickering clip, steady it, and say where everything is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("demo"))
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    flickering, steady = folder / "flickering.mp4", folder / "steady.mp4"
    report, sheet = folder / "report.html", folder / "before_after.png"
    write(flicker(moving_picture()), flickering)
    places = ["-o", str(steady), "--report", str(report), "--sheet", str(sheet)]
    code = exit_code(["run", str(flickering), *places, "--overwrite", "-q"])
    if code == 0:
        print(f"input                 {flickering}")
        print(f"result                {steady}")
        print(f"before/after picture  {sheet}")
        print(f"report                {report}")
        print("your own film         .venv/bin/unflicker film.mp4")
        print(f"in a browser          .venv/bin/unflicker studio {folder}")
    return code


def moving_picture() -> Clip:
    """A slow move over the photograph, closing in on it."""
    with get_sample_data("grace_hopper.jpg") as file:
        data = np.frombuffer(file.read(), np.uint8)
    photograph = cv2.cvtColor(cv2.imdecode(data, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
    frames = []
    for share in np.linspace(0.0, 1.0, FRAMES):
        zoom = WIDTH / (510.0 - 110.0 * share)
        left, top = 1.0 + 60.0 * share, 2.0 + 90.0 * (1.0 - share)
        move = np.array([[zoom, 0.0, -left * zoom], [0.0, zoom, -top * zoom]])
        frames.append(cv2.warpAffine(photograph, move, (WIDTH, HEIGHT), flags=cv2.INTER_AREA))
    return Clip.at_rate(np.stack(frames), fps=FPS)


def flicker(clip: Clip) -> Clip:
    """The clip with exposure flicker and, on top, local flicker."""
    whole = synthesise(clip, kind="exposure", seed=2, strength=0.7).clip
    return synthesise(whole, kind="local", seed=5, strength=0.8).clip


def write(clip: Clip, target: Path) -> None:
    """Write a clip as usual video: H.264, 8 bit, 4:2:0."""
    settings = EncodingSettings(codec="libx264", crf=16.0, pix_fmt="yuv420p")
    film = ArraySource(clip)
    with open_writer(film, target, encoding=settings, overwrite=True) as writer:
        for frame in film.frames():
            writer.write(frame)


if __name__ == "__main__":
    sys.exit(main())
