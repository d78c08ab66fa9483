"""Memory of a film without end: resident memory while generated frames pass through.

    python benchmarks/endless.py --frames 100000                        pictures through `stream`
    python benchmarks/endless.py --frames 100000 --film --size 160x90   a file through `run`

Frames are a few textures, moved and flickering, with a cut every ten seconds. A file has its
pictures once, a cut apart, and shows them again and again: it is made without encoding each. With
`--coarse` analysis has fewer basis functions and smaller proxies, for long counts.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

import unflicker
from unflicker.progress import Progress
from unflicker.settings import Settings, replaced

FPS, SHOT_FRAMES, TEXTURES = 24, 240, 4
COARSE = {"tone.waves_across": 3, "tone.waves_down": 3, "proxy.width_px": 64}
"""The same stages and windows in a third to a half of the time."""


def generated(frames: int, size: tuple[int, int]) -> Iterator[np.ndarray]:
    """Frames of a flickering film, each at the cost of two copies.

    Args:
        frames: Number.
        size: Height and width.
    """
    random = np.random.default_rng(1)
    coarse = random.uniform(0.2, 0.8, (TEXTURES, 12, 16, 3))
    repeat = (-(-size[0] // 12), -(-size[1] // 16), 1)
    textures = [
        (255 * np.kron(each, np.ones(repeat))[: size[0], : size[1]]).astype(np.uint8)
        for each in coarse
    ]
    textures = [
        np.clip(each + random.normal(0, 6, each.shape), 0, 255).astype(np.uint8)
        for each in textures
    ]
    levels = [np.rint(np.arange(256) * gain).astype(np.uint8) for gain in np.linspace(0.7, 1.0, 32)]
    for index in range(frames):
        texture = textures[index // SHOT_FRAMES % TEXTURES]
        moved = np.roll(texture, index % SHOT_FRAMES, axis=1)
        yield levels[random.integers(32)][moved]


def memory() -> tuple[int, int]:
    """Resident memory of this process now, and the most so far, in KiB."""
    text = Path("/proc/self/status").read_text()
    found = {name: int(size) for name, size in re.findall(r"(VmRSS|VmHWM):\s+(\d+)", text)}
    return found["VmRSS"], found["VmHWM"]


def sampler(every: int) -> Callable[[int], None]:
    """Writes a line for every so many frames.

    Args:
        every: Frames.
    """
    began = time.monotonic()
    sys.stdout.write("frames\tseconds\tprocessor s\tresident KiB\tmost KiB\n")

    def sample(done: int) -> None:
        if done % every == 0:
            now, most = memory()
            seconds, work = time.monotonic() - began, time.process_time()
            sys.stdout.write(f"{done}\t{seconds:.0f}\t{work:.1f}\t{now}\t{most}\n")
            sys.stdout.flush()

    return sample


def written(place: Path, frames: int, size: tuple[int, int]) -> None:
    """Write a film that repeats its pictures, packet by packet.

    Args:
        place: The file.
        frames: Number.
        size: Height and width.
    """
    once = TEXTURES * SHOT_FRAMES
    with av.open(place, "w") as film:
        stream = film.add_stream("mpeg4", rate=FPS, options={"bf": "0", "g": str(SHOT_FRAMES)})
        stream.height, stream.width, stream.pix_fmt = *size, "yuv420p"
        stream.bit_rate = 4_000_000
        packets = []
        for picture in generated(once, size):
            packets += stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24"))
        packets += stream.encode(None)
        contents = [(bytes(packet), packet.is_keyframe) for packet in packets]
        for index in range(frames):
            content, is_key = contents[index % once]
            packet = av.Packet(content)
            packet.stream, packet.time_base = stream, Fraction(1, FPS)
            packet.pts = packet.dts = index
            packet.duration, packet.is_keyframe = 1, is_key
            film.mux(packet)


def main() -> None:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=100_000)
    parser.add_argument("--size", default="854x480", help="width x height")
    parser.add_argument("--preset", default="fast")
    parser.add_argument("--every", type=int, default=1000, help="frames from sample to sample")
    parser.add_argument("--coarse", action="store_true", help="analysis at less cost")
    parser.add_argument("--film", action="store_true", help="a file through `run`")
    given = parser.parse_args()
    width, height = (int(side) for side in given.size.split("x"))
    size, sample = (height, width), sampler(given.every)
    settings = Settings.from_preset(given.preset)
    if given.coarse:
        settings = replaced(settings, COARSE)
    if not given.film:
        frames = generated(given.frames, size)
        for index, _ in enumerate(unflicker.stream(frames, fps=FPS, settings=settings)):
            sample(index + 1)
        return
    with tempfile.TemporaryDirectory() as folder:
        film = Path(folder) / "film.mkv"
        written(film, given.frames, size)

        def report(progress: Progress) -> None:
            if progress.stage == "render":
                sample(progress.done)

        options = unflicker.RunOptions(jobs=1)
        result = film.with_name("result.mkv")
        record = unflicker.run(film, result, settings=settings, options=options, progress=report)
        sys.stdout.write(f"{len(record.seconds)} frames\n")


if __name__ == "__main__":
    main()
