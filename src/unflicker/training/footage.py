"""Real guides with ground truth: steady clips with synthetic flicker, analysed as any film.

Making one takes seconds, so they are made once and stored in a folder; training samples them.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import torch
from jaxtyping import Float16, Float32
from torch.nn import functional

from unflicker.analysis.analyse_film import AFTER_TONE
from unflicker.analysis.analyse_window import analyse_window
from unflicker.analysis.atlas_window import CorrectedWindow, guided_by_atlas
from unflicker.analysis.proxy import Proxy
from unflicker.analysis.windows import Window, cut_into_windows, usable_pictures
from unflicker.compute.context import RunContext
from unflicker.compute.devices import chosen
from unflicker.files.atomic import write_whole
from unflicker.files.json_text import parsed
from unflicker.frames.clip import Clip, from_float, to_float
from unflicker.frames.colour import proxy_size, small_rgb
from unflicker.neural_filter.network import removed_light, seen_size
from unflicker.progress import Progress, Report
from unflicker.settings import Settings, without
from unflicker.synthesis import KINDS, synthesise
from unflicker.training.ken_burns import ken_burns
from unflicker.training.photos import by_chance
from unflicker.video import VideoSource, open_video

CASES = (*KINDS, "clean")
CLIP_FRAMES, PANNED_FRAMES = 48, 24
PANNED_SIZES = ((144, 256), (144, 256), (192, 256), (256, 144))
_FEWEST_FRAMES = 16
_SEED = 1
"""Added to seeds, so that no flicker is that of the benchmark."""
_PARTS = ("flickering", "corrected", "guide", "trust", "clean")
_KEPT_EVERY = 3
"""One frame in so many is kept: neighbours add little."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Guided:
    """Frames of one window, their guides, and ground truth, at half precision and half size."""

    flickering: Float16[np.ndarray, "time 3 height width"]
    corrected: Float16[np.ndarray, "time 3 height width"]
    """After tone."""
    guide: Float16[np.ndarray, "time 3 height width"]
    trust: Float16[np.ndarray, "time 1 height width"]
    clean: Float16[np.ndarray, "time 3 height width"]

    @cached_property
    def light(self) -> tuple[Float32[np.ndarray, "time 3 rows columns"], ...]:
        """Log light by cell that tone removed, and its deviation over the window."""
        before, after = (
            torch.from_numpy(part.astype(np.float32)) for part in (self.flickering, self.corrected)
        )
        removed, spread = removed_light(*(_whole_cells(part) for part in (before, after)))
        return removed.numpy(), spread.numpy()

    def sample(
        self, random: np.random.Generator, *, as_came: float
    ) -> tuple[Float32[np.ndarray, "channels _height _width"], ...]:
        """Frame, guide, trust, removed light, its spread, and ground truth of a random frame.

        Args:
            random: Random generator.
            as_came: Probability of the uncorrected frame, without tone.
        """
        place = int(random.integers(len(self.clean)))
        light = tuple(part[place] for part in self.light)
        frame = self.corrected[place]
        if random.uniform() < as_came:
            frame, light = self.flickering[place], tuple(np.zeros_like(part) for part in light)
        pictures = frame, self.guide[place], self.trust[place], self.clean[place]
        seen = [part.astype(np.float32) for part in pictures]
        return (*seen[:3], *light, seen[3])


def guided_footage(
    clips: tuple[Path, ...], kept: Path, *, settings: Settings, progress: Report
) -> Iterator[Guided]:
    """Every window of the clips with every kind of flicker, and without.

    Args:
        clips: Steady films.
        kept: Folder of the results; existing ones are not made again.
        settings: Of the analysis, with an atlas.
        progress: Called with the number done and in all.
    """
    kept.mkdir(parents=True, exist_ok=True)
    wanted = [(clip, case) for clip in clips for case in CASES]
    for done, (clip, case) in enumerate(wanted):
        progress(Progress(stage="guides", done=done, total=len(wanted)))
        mark = f"{clip.stem}-{case.replace(' ', '-')}"
        yield from _kept(kept, mark, partial(_of_clip, clip, case, settings))


def guided_photographs(
    photos: tuple[Path, ...], kept: Path, *, count: int, settings: Settings, progress: Report
) -> Iterator[Guided]:
    """Windows of Ken Burns clips (`ken_burns`), each with random flicker.

    Args:
        photos: Of which clips are made.
        kept: As in `guided_footage`.
        count: Number of clips.
        settings: Of the analysis, with an atlas.
        progress: Called with the number done and in all.
    """
    kept.mkdir(parents=True, exist_ok=True)
    for place in range(count):
        progress(Progress(stage="panned", done=place, total=count))
        random = np.random.default_rng([_SEED, place])
        yield from _kept(kept, f"panned-{place}", partial(_of_photos, random, photos, settings))


def _of_photos(
    random: np.random.Generator, photos: tuple[Path, ...], settings: Settings
) -> Iterator[Guided]:
    own, other = (by_chance(random, photos) for _ in range(2))
    size = PANNED_SIZES[random.integers(len(PANNED_SIZES))]
    pixels = ken_burns(random, to_float(own), to_float(other), frames=PANNED_FRAMES, size=size)
    clip = Clip.at_rate(from_float(pixels, dtype=np.uint16), fps=25.0)
    case = CASES[random.integers(len(CASES))]
    yield from _made(clip, case, seed=int(random.integers(1 << 30)), fps=25.0, settings=settings)


def _of_clip(path: Path, case: str, settings: Settings) -> Iterator[Guided]:
    film = open_video(path)
    first = first_frames(film, most=CLIP_FRAMES, longest_px=settings.proxy.width_px)
    fps = float(film.rate)
    clip = Clip.at_rate(from_float(first, dtype=np.uint16), fps=fps)
    seed = zlib.crc32(path.stem.encode(errors="surrogateescape")) % 10_000 + _SEED
    yield from _made(clip, case, seed=seed, fps=fps, settings=settings)


def _kept(kept: Path, mark: str, make: Callable[[], Iterator[Guided]]) -> Iterator[Guided]:
    """The file with a name in the folder, made now if it is missing."""
    index = kept / f"{mark}.json"
    if not index.exists():
        names = []
        for place, guided in enumerate(make()):
            names.append(f"{mark}-{place}.npz")
            parts = {name: getattr(guided, name) for name in _PARTS}
            np.savez(kept / names[-1], **parts)
        write_whole(index, json.dumps(names))
    for name in parsed(index.read_text()):
        with np.load(kept / name) as there:
            yield Guided(**{part: there[part] for part in _PARTS})


def _made(clip: Clip, case: str, *, seed: int, fps: float, settings: Settings) -> Iterator[Guided]:
    made = clip if case == "clean" else synthesise(clip, kind=case, seed=seed).clip
    proxies = [
        Proxy(pixels=to_float(picture), seconds=index / fps, damaged=False)
        for index, picture in enumerate(made.pixels)
    ]
    for window in cut_into_windows(
        iter(proxies), window_frames=settings.window.frames, overlap_frames=0
    ):
        if window.stop - window.start >= _FEWEST_FRAMES:
            yield _analysed(window, clip, settings)


def _analysed(window: Window, clip: Clip, settings: Settings) -> Guided:
    finding = analyse_window(window, without(settings, AFTER_TONE))
    pictures = np.stack(usable_pictures(window)[0])
    corrected = CorrectedWindow.of(pictures, finding.tone, fps=finding.fps)
    context = RunContext(device=chosen(settings.device))
    guide = guided_by_atlas(corrected, settings, context)
    every = slice(None, None, _KEPT_EVERY)
    flickering = np.stack([proxy.pixels for proxy in window.frames[every]])
    clean = to_float(clip.pixels[window.start : window.stop][every])
    return Guided(
        flickering=_halved(flickering),
        corrected=_halved(corrected.light[every]),
        guide=_halved(guide.pictures[every]),
        trust=_halved(guide.trust[every][..., None]),
        clean=_halved(clean),
    )


def first_frames(
    film: VideoSource, *, most: int, longest_px: int
) -> Float32[np.ndarray, "time height width 3"]:
    """The first frames of a film, downscaled, RGB in [0, 1].

    Args:
        film: To read.
        most: Number of frames, at most.
        longest_px: Longest side of the result, at most.
    """
    size = proxy_size(film.size, longest_px)
    return np.stack([small_rgb(f.picture, size=size) for f in islice(film.frames(), most)])


def _whole_cells(pictures: torch.Tensor) -> torch.Tensor:
    """At the size at which the network sees them: the proxy's half, rounded to whole cells."""
    height, width = (2 * side for side in pictures.shape[2:])
    return functional.interpolate(pictures, seen_size((height, width)), mode="area")


def _halved(
    pictures: Float32[np.ndarray, "time tall wide channels"],
) -> Float16[np.ndarray, "time channels height width"]:
    height, width = pictures.shape[1] // 2, pictures.shape[2] // 2
    small = [
        cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA).reshape(
            height, width, -1
        )
        for picture in pictures
    ]
    return np.stack(small).transpose(0, 3, 1, 2).astype(np.float16)
