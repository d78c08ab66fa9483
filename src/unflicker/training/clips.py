"""Short clips with flicker, or with what a filter leaves of it, and their motion.

They come from steady films and from photographs (`ken_burns`), with synthetic flicker or synthetic
processing, of which a filter leaves a part. Motion is that of the steady clip.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from jaxtyping import Float32, UInt8
from torch import Tensor

from unflicker.frames.clip import Clip, from_float, to_float
from unflicker.motion import match
from unflicker.progress import Progress, Report
from unflicker.synthesis import KINDS, processed, synthesise
from unflicker.training.distortions import uneven_light
from unflicker.training.footage import first_frames
from unflicker.training.ken_burns import ken_burns
from unflicker.training.paper_networks import ClipBatch
from unflicker.training.photos import by_chance, part_of
from unflicker.video import open_video

_FPS = 25.0
_KEPT_FRAMES, _KEPT_PX = 48, 640
"""Of each film: number of its first frames, and their longest side, at most."""
_FASTEST = 3
"""Largest step between the frames of a clip, in frames of its film."""
_MARGIN_PX = 16
"""Margin of a Ken Burns clip, where the camera may see past the photograph's edge."""
_STRENGTHS, _LEFT = (0.2, 1.4), (0.03, 0.5)
"""Ranges of the strength of flicker, 1 being a recipe's own, and of the share that a filter leaves.
"""
_UNTOUCHED = 0.08
"""Probability of a clip without flicker, which must not be changed."""
_MOST_SOFT, _MOST_UNEVEN = 0.6, 0.012


@dataclass(frozen=True, kw_only=True, eq=False)
class ShortClip:
    """A few frames in three versions; RGB in [0, 1]."""

    frames: Float32[np.ndarray, "time height width 3"]
    """With flicker."""
    filtered: Float32[np.ndarray, "time height width 3"]
    """After a filter: with residual flicker and unsteady texture."""
    clean: Float32[np.ndarray, "time height width 3"]


@dataclass(frozen=True, kw_only=True)
class ClipData:
    """Batches by step, half from films and half from photographs where there are both."""

    photos: tuple[Path, ...]
    films: tuple[Path, ...]
    """From `kept_films`."""
    batch: int
    seed: int
    frames: int
    crop_px: int
    filtered: bool
    """Whether frames are filtered, or have all of their flicker."""
    processed_share: float = 0.0
    """Share of clips that are processed frame by frame; others have flicker of a recipe."""

    def __getitem__(self, step: int) -> ClipBatch:
        """The batch of a step, with motion; the same step always has the same batch."""
        clips = self.clips(step)
        frames = [clip.filtered if self.filtered else clip.frames for clip in clips]
        to_last, seen_in_last, to_first, seen_in_first = (
            np.stack(part) for part in zip(*(_motion(clip.clean) for clip in clips), strict=True)
        )
        return ClipBatch(
            frames=_channels_first(frames),
            clean=_channels_first([clip.clean for clip in clips]),
            to_last=_channels_first(list(to_last)),
            seen_in_last=torch.from_numpy(seen_in_last),
            to_first=_channels_first(list(to_first)),
            seen_in_first=torch.from_numpy(seen_in_first),
        )

    def clips(self, step: int) -> list[ShortClip]:
        """The clips of a step's batch."""
        random = np.random.default_rng([self.seed, step])
        return [
            with_synthetic_flicker(
                random, self._steady(random), processed_share=self.processed_share
            )
            for _ in range(self.batch)
        ]

    def _steady(self, random: np.random.Generator) -> Float32[np.ndarray, "time px px 3"]:
        if self.films and (not self.photos or random.uniform() < 0.5):
            film = np.load(self.films[random.integers(len(self.films))], mmap_mode="r")
            return _cut(random, film, self.frames, self.crop_px)
        whole = self.crop_px + 2 * _MARGIN_PX
        own, other = (
            part_of(random, by_chance(random, self.photos), (whole, whole)) for _ in range(2)
        )
        clip = ken_burns(random, own, other, frames=self.frames, size=(whole, whole))
        inner = slice(_MARGIN_PX, -_MARGIN_PX)
        return np.ascontiguousarray(clip[:, inner, inner])


def kept_films(
    films: tuple[Path, ...], kept: Path, *, least: tuple[int, int], progress: Report
) -> tuple[Path, ...]:
    """The first frames of films, as memory-mapped arrays in files, made once.

    Args:
        films: Steady films.
        kept: Folder of the files; existing ones are not made again.
        least: Least number of frames, and of px of the shorter side; other films are skipped.
        progress: Called with the number of clips done and in all.
    """
    kept.mkdir(parents=True, exist_ok=True)
    files = []
    for done, film in enumerate(films):
        progress(Progress(stage="films", done=done, total=len(films)))
        file = kept / f"{film.stem}-{zlib.crc32(os.fsencode(film)):08x}.npy"
        if not file.exists():
            part = file.with_suffix(".part")
            with part.open("wb") as stream:
                first = first_frames(open_video(film), most=_KEPT_FRAMES, longest_px=_KEPT_PX)
                np.save(stream, from_float(first, dtype=np.uint8))
            part.replace(file)
        time, *size = np.load(file, mmap_mode="r").shape[:3]
        if time >= least[0] and min(size) >= least[1]:
            files.append(file)
    return tuple(files)


def _channels_first(clips: Sequence[np.ndarray]) -> Tensor:
    """Clips, or their motion, with channels first."""
    return torch.from_numpy(np.stack(clips).transpose(0, 1, 4, 2, 3).copy())


def with_synthetic_flicker(
    random: np.random.Generator,
    clean: Float32[np.ndarray, "time height width 3"],
    *,
    processed_share: float = 0.0,
) -> ShortClip:
    """A steady clip with flicker of a random kind, and what a filter would leave of it.

    Args:
        random: Random generator.
        clean: The steady clip.
        processed_share: Probability of frame-by-frame processing instead.
    """
    if random.uniform() < _UNTOUCHED:
        return ShortClip(frames=clean, filtered=clean, clean=clean)
    kind, seed = KINDS[random.integers(len(KINDS))], int(random.integers(1 << 30))
    strength, left = (float(np.exp(random.uniform(*np.log(span)))) for span in (_STRENGTHS, _LEFT))
    clip = Clip.at_rate(clean, fps=_FPS)
    frame_by_frame = processed_share > 0.0 and random.uniform() < processed_share

    def flickering(size: float) -> Float32[np.ndarray, "time height width 3"]:
        if frame_by_frame:
            return processed(clip, seed=seed, strength=size).pixels
        return synthesise(clip, kind=kind, seed=seed, strength=size).clip.pixels

    frames, rest = flickering(strength), flickering(strength * left)
    return ShortClip(frames=frames, filtered=_restless(random, rest), clean=clean)


def _restless(
    random: np.random.Generator, clip: Float32[np.ndarray, "time height width 3"]
) -> Float32[np.ndarray, "time height width 3"]:
    """Clips with sharpness and light that vary slightly by place from frame to frame, as after
    networks."""
    blur_px, softest = random.uniform(0.5, 1.5), random.uniform(0.0, _MOST_SOFT)
    uneven = float(np.exp(random.uniform(np.log(0.0005), np.log(_MOST_UNEVEN))))
    size = clip.shape[1:3]
    out = np.empty_like(clip)
    for picture, into in zip(clip, out, strict=True):
        nodes = random.uniform(0.0, softest, (4, 4)).astype(np.float32)
        share = cv2.resize(nodes, size[::-1], interpolation=cv2.INTER_LINEAR)[..., None]
        soft = cv2.GaussianBlur(picture, (0, 0), blur_px)
        into[:] = (picture + (soft - picture) * share) * uneven_light(random, size, uneven)
    return np.clip(out, 0.0, 1.0)


def _motion(
    clean: Float32[np.ndarray, "time height width 3"],
) -> tuple[
    Float32[np.ndarray, "pairs height width 2"],
    Float32[np.ndarray, "pairs height width"],
    Float32[np.ndarray, "pairs height width 2"],
    Float32[np.ndarray, "pairs height width"],
]:
    """Flow from each frame but the first to the one before it, and visibility there; the same for
    the first frame of the clip."""
    to_last = [match(clean[t], clean[t - 1]) for t in range(1, len(clean))]
    to_first = [to_last[0], *(match(clean[t], clean[0]) for t in range(2, len(clean)))]
    flows, seen = (np.stack(part) for part in zip(*to_last, strict=True))
    far_flows, far_seen = (np.stack(part) for part in zip(*to_first, strict=True))
    return flows, seen, far_flows, far_seen


def _cut(
    random: np.random.Generator,
    film: UInt8[np.ndarray, "_time _h _w 3"],
    frames: int,
    crop_px: int,
) -> Float32[np.ndarray, "time px px 3"]:
    """Random frames and a random crop of a film, randomly mirrored and reversed in time."""
    time, height, width = film.shape[:3]
    every = int(random.integers(1, min(_FASTEST, (time - 1) // (frames - 1)) + 1))
    start = int(random.integers(time - (frames - 1) * every))
    top = int(random.integers(height - crop_px + 1))
    left = int(random.integers(width - crop_px + 1))
    clip = film[start : start + (frames - 1) * every + 1 : every]
    clip = clip[:, top : top + crop_px, left : left + crop_px]
    clip = clip[:, :, ::-1] if random.uniform() < 0.5 else clip
    clip = clip[::-1] if random.uniform() < 0.5 else clip
    return to_float(np.ascontiguousarray(clip))
