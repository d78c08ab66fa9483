"""Training data of the neural filter: degraded photographs, and real guides of real clips.

A batch belongs to its step, not to the order of calls, so that a resumed run gives the same
result as one without interruption.
"""

from __future__ import annotations

import json
from collections.abc import Container
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor

from unflicker.atlas.guide import probability, signs
from unflicker.errors import InputError
from unflicker.files.atomic import write_whole
from unflicker.frames.clip import to_float
from unflicker.neural_filter.network import CELL_PX, SAMPLES, Pictures
from unflicker.training.distortions import blob, lit_otherwise, spoilt
from unflicker.training.footage import Guided
from unflicker.training.photos import PHOTO_ENDINGS, by_chance
from unflicker.video.target import CONTAINERS

SIZES = ((144, 256), (192, 256), (256, 144), (160, 224))
"""Heights and widths of the proxies in a batch; one of them for all of it."""
_MOST_SHRUNK = 2.0
_WRONG_GUIDE, _NO_TRUST, _UNTRUSTED_REGION = 0.05, 0.06, 0.25
_AS_FLICKERING = 0.35
"""Probability that a real frame is shown uncorrected, and not as tone left it."""
_NO_TONE, _MOST_REMOVED = 0.4, 40.0
"""How often a photograph's frame has no light removed by tone; and the largest ratio of that light
to the residual."""
_COMMON_GAIN = (0.6, 1.1)
"""Range of a common gain on frame, guide and truth: absolute level carries no information."""
_EVERY = 8


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Input and target of a network; at half the proxy's size."""

    pictures: Pictures
    target: Float[Tensor, "batch 3 height width"]


@dataclass(frozen=True, kw_only=True)
class Split:
    """Which files are for training, which for validation, and which are never read."""

    training: tuple[Path, ...]
    validation: tuple[Path, ...]
    left_out: tuple[Path, ...]

    def names(self) -> dict[str, list[str]]:
        """The split as file names."""
        return {
            "training": sorted(path.stem for path in self.training),
            "validation": sorted(path.stem for path in self.validation),
            "left out": sorted(path.stem for path in self.left_out),
        }


def split_files(
    folders: tuple[Path, ...], *, endings: Container[str], leave_out: frozenset[str]
) -> Split:
    """The files of some folders and their subfolders, divided deterministically.

    Folders named train, val and test keep their meaning; of other files every eighth by name is for
    validation.

    Args:
        folders: To search.
        endings: Suffixes of files that count.
        leave_out: Names of files that are never read.
    """
    split: dict[str, list[Path]] = {"train": [], "val": [], "test": []}
    files = [path for folder in folders for path in folder.rglob("*")]
    unnamed = 0
    for path in sorted(path for path in files if path.suffix.lower() in endings):
        own = next((part for part in reversed(path.parts[:-1]) if part in split), None)
        if path.stem in leave_out:
            own = "test"
        elif own is None:
            unnamed += 1
        split[own or ("train" if unnamed % _EVERY else "val")].append(path)
    return Split(
        training=tuple(split["train"]),
        validation=tuple(split["val"]),
        left_out=tuple(split["test"]),
    )


def files_to_learn_from(
    folders: tuple[Path, ...], *, out: Path, leave_out: frozenset[str], films: bool
) -> dict[str, Split]:
    """The split of photographs and films; also written to the folder `out`.

    Args:
        folders: To search.
        out: Of the training.
        leave_out: Names of files that are never read.
        films: Whether films count besides photographs.

    Raises:
        InputError: There is no file to train on.
    """
    kinds = {"photographs": PHOTO_ENDINGS} | ({"films": CONTAINERS} if films else {})
    split = {
        kind: split_files(folders, endings=endings, leave_out=leave_out)
        for kind, endings in kinds.items()
    }
    if not any(files.training for files in split.values()):
        raise InputError(
            f"no {' and no '.join(kinds)} to learn from in {', '.join(map(str, folders))}; "
            "pass a folder of them"
        )
    out.mkdir(parents=True, exist_ok=True)
    names = {kind: files.names() for kind, files in split.items()}
    write_whole(out / "split.json", json.dumps(names, indent=2) + "\n")
    return split


@dataclass(frozen=True, kw_only=True)
class FilterData:
    """Batches by step, half from photographs and half from real guides where there are any."""

    photos: tuple[Path, ...]
    guided: tuple[Guided, ...]
    batch: int
    seed: int

    def __getitem__(self, step: int) -> Batch:
        """The batch of a step; the same step always has the same batch."""
        random = np.random.default_rng([self.seed, step])
        size = SIZES[random.integers(len(SIZES))]
        samples = [self._sample(random, size) for _ in range(self.batch)]
        frame, guide, trust, removed, spread, target = (
            torch.from_numpy(np.stack(part)) for part in zip(*samples, strict=True)
        )
        pictures = Pictures(frame=frame, guide=guide, trust=trust, removed=removed, spread=spread)
        return Batch(pictures=pictures, target=target)

    def _sample(self, random: np.random.Generator, size: tuple[int, int]) -> _Sample:
        if self.guided and (not self.photos or random.uniform() < 0.5):
            guided = self.guided[random.integers(len(self.guided))]
            return _varied(random, guided.sample(random, as_came=_AS_FLICKERING), size)
        photos = [to_float(by_chance(random, self.photos)) for _ in range(2)]
        return photo_sample(random, *photos, size=size)


_BY_CELL = 3, 4
_Sample = tuple[np.ndarray, ...]
"""Frame, guide, trust and target, channels first, at half the proxy's size; removed light and its
spread, by cell, come before the target."""


def photo_sample(
    random: np.random.Generator,
    photo: Float32[np.ndarray, "h w 3"],
    other: Float32[np.ndarray, "_h _w 3"],
    *,
    size: tuple[int, int],
) -> _Sample:
    """A frame, its guide and trust, made from one photograph and degraded with another.

    Args:
        random: Random generator.
        photo: The target.
        other: Source of wrong patches.
        size: Height and width of the proxies in px.
    """
    target, stranger = _cropped(random, photo, size), _cropped(random, other, size)
    frame = lit_otherwise(random, target)
    wrong = random.uniform() < _WRONG_GUIDE
    guide = stranger if wrong else spoilt(random, target, other=stranger)
    # Trust knows structure and no light, as in `atlas.guide`; how often a place was seen is chance.
    trust = probability(signs(frame, guide)) * np.float32(random.uniform(0.7, 1.0))
    if random.uniform() < _UNTRUSTED_REGION:
        trust = trust * (1.0 - blob(random, size))
    if wrong or random.uniform() < _NO_TRUST:
        trust = np.zeros_like(trust)
    seen = _half(frame), _half(guide), _half(trust[..., None])
    return *seen, *_removed(random, seen[0], _half(target)), _half(target)


def _removed(
    random: np.random.Generator,
    frame: Float32[np.ndarray, "3 height width"],
    target: Float32[np.ndarray, "3 height width"],
) -> tuple[Float32[np.ndarray, "3 rows columns"], Float32[np.ndarray, "3 rows columns"]]:
    """Light that a tone stage might have removed to leave this residual; often zero."""
    rows, columns = (side // SAMPLES for side in frame.shape[1:])
    if random.uniform() < _NO_TONE:
        return np.zeros((3, rows, columns), np.float32), np.zeros((3, rows, columns), np.float32)
    left = float(np.abs(frame - target).mean() / (target.mean() + 0.02))
    size = (left + 0.003) * np.exp(random.uniform(0.0, np.log(_MOST_REMOVED)))
    nodes = np.exp(random.normal(0.0, 0.3, (2, 3, 3))) * random.uniform(0.5, 1.5, 3)
    spread = cv2.resize((nodes * size).astype(np.float32), (columns, rows)).transpose(2, 0, 1)
    return spread * np.float32(random.normal()), spread


def _cropped(
    random: np.random.Generator, photo: Float32[np.ndarray, "h w 3"], size: tuple[int, int]
) -> Float32[np.ndarray, "height width 3"]:
    """A random crop of a photograph at a size, slightly rotated and scaled."""
    if random.uniform() < 0.5:
        photo = photo[:, ::-1]
    height, width = photo.shape[:2]
    whole = min(height / size[0], width / size[1])
    scale = float(np.exp(random.uniform(np.log(max(whole / _MOST_SHRUNK, 0.5)), np.log(whole))))
    tall, wide = min(height, round(size[0] * scale)), min(width, round(size[1] * scale))
    top, left = random.integers(height - tall + 1), random.integers(width - wide + 1)
    part = np.ascontiguousarray(photo[top : top + tall, left : left + wide])
    kind = cv2.INTER_AREA if scale > 1.0 else cv2.INTER_LINEAR
    return np.clip(cv2.resize(part, size[::-1], interpolation=kind), 0.0, 1.0)


def _varied(random: np.random.Generator, sample: _Sample, size: tuple[int, int]) -> _Sample:
    """A real sample with random crop, mirroring, exchange of colours and exposure."""
    height, width = (side // SAMPLES for side in sample[0].shape[1:])
    wanted = size[0] // CELL_PX, size[1] // CELL_PX
    scale = min(height / wanted[0], width / wanted[1]) * random.uniform(0.75, 1.0)
    tall, wide = max(1, round(wanted[0] * scale)), max(1, round(wanted[1] * scale))
    tall, wide = min(tall, height), min(wide, width)
    top, left = random.integers(height - tall + 1), random.integers(width - wide + 1)
    order, mirrored = random.permutation(3), random.uniform() < 0.5
    gain = np.float32(random.uniform(*_COMMON_GAIN))
    varied = []
    for place, part in enumerate(sample):
        by_cell = place in _BY_CELL
        step = 1 if by_cell else SAMPLES
        there = part[:, top * step : (top + tall) * step, left * step : (left + wide) * step]
        there = there[:, :, ::-1] if mirrored else there
        there = _resized(there, (wanted[0] * step, wanted[1] * step))
        there = there[order] if len(there) == 3 else there
        colour = len(there) == 3 and not by_cell
        varied.append(np.minimum(there * gain, np.float32(1.0)) if colour else there)
    return tuple(np.ascontiguousarray(part, np.float32) for part in varied)


def _resized(
    picture: Float32[np.ndarray, "channels _height _width"], size: tuple[int, int]
) -> Float32[np.ndarray, "channels height width"]:
    last = np.ascontiguousarray(picture.transpose(1, 2, 0))
    resized = cv2.resize(last, size[::-1], interpolation=cv2.INTER_AREA)
    return resized.reshape(*size, -1).transpose(2, 0, 1)


def _half(picture: Float32[np.ndarray, "height width channels"]) -> np.ndarray:
    """At half the size, channels first."""
    height, width = picture.shape[:2]
    small = cv2.resize(picture, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    small = small.reshape(height // 2, width // 2, -1).transpose(2, 0, 1)
    return np.ascontiguousarray(small, np.float32)
