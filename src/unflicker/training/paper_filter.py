"""The training task of the paper's neural filter: single photographs, degraded twice (Eq. 4).

Published: the loss, Adam at 1e-4, batches of 8, 20 epochs of COCO. Ours: the distortions, crops,
initialisation to the identity, and averaging of the weights over the last steps.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor

from unflicker.paper.unet import UNet
from unflicker.progress import Report
from unflicker.training.data import Split, files_to_learn_from
from unflicker.training.distortions import lit_otherwise, spoilt
from unflicker.training.loop import (
    Training,
    TrainingTask,
    begun,
    mixed_precision,
    rate_of,
    trained,
)
from unflicker.training.neural_filter import won_db
from unflicker.training.paper_networks import LEARNING_RATE, FilterBatch, filter_loss
from unflicker.training.photos import by_chance, part_of

WEIGHTS = "paper_filter.safetensors"
CROP_PX = 128
_LOOKED_AT = 12
"""Batches of validation."""
_PASSED = 6
"""Channels of frame and guide together."""
_ATLAS_SCALE, _QUARTERED = 4, 0.7
"""Scale of an atlas relative to the frame, and share of guides at that scale."""


def train_paper_filter(
    training: Training, *, progress: Report, resumes: Callable[[int], None]
) -> Path:
    """Train the paper's U-Net, resuming a stopped training; returns the path of the weights.

    Args:
        training: What, how long and where; films are not used.
        progress: Called with the progress; may raise to stop.
        resumes: Called with the step at which a training resumes.

    Raises:
        UnflickerError: No photographs, or the folder holds another training.
    """
    split = files_to_learn_from(
        training.data, out=training.out, leave_out=training.leave_out, films=False
    )
    learning, looked_at = _data(training, split["photographs"])
    torch.manual_seed(training.seed)
    network = begun(leaving_the_frame(UNet()), training)
    network = network.to(memory_format=torch.channels_last)  # pyright: ignore - torch's stubs lack it
    task = TrainingTask(
        recipe=_recipe(training, split),
        network=network,
        optimiser=torch.optim.Adam(network.parameters(), lr=LEARNING_RATE),
        rate=rate_of(training, published=LEARNING_RATE),
        loss=_loss,
        won_db=_won_db,
        row=_row,
        learning=learning,
        checking=[looked_at[step] for step in range(_LOOKED_AT)],
        weights=WEIGHTS,
    )
    return trained(task, training, progress=progress, resumes=resumes)


def _data(training: Training, photos: Split) -> tuple[PhotoData, PhotoData]:
    """Photographs for training, and for validation."""
    learning = PhotoData(
        photos=photos.training,
        batch=training.batch,
        seed=training.seed,
        crop_px=training.crop_px or CROP_PX,
    )
    apart = photos.validation or photos.training
    return learning, replace(learning, photos=apart, seed=training.seed + 1)


@torch.no_grad()
def leaving_the_frame(network: UNet) -> UNet:
    """The network with some weights set so that it is the identity on the frame.

    Six channels past the outermost skip pass frame and guide through; others start at random.
    """
    wide = range(_PASSED)
    first, second = network.down[0]  # pyright: ignore - a sequence of two
    third, fourth = network.up[-1]  # pyright: ignore - likewise
    for step in (first, second, third, fourth):
        weight = step[0].weight
        weight[:_PASSED] = 0.0
        weight[wide, wide, 1, 1] = 1.0
    network.out.weight.zero_()
    network.out.weight[range(3), range(3)] = 1.0
    network.out.bias.zero_()  # pyright: ignore - there is one
    return network


def _recipe(training: Training, split: dict[str, Split]) -> dict[str, Any]:
    return {
        "network": "paper filter",
        "steps": training.steps,
        "batch": training.batch,
        "crop": training.crop_px or CROP_PX,
        "seed": training.seed,
        "rate": training.rate or LEARNING_RATE,
        "begins with": training.begin_with.name if training.begin_with else "",
        "split": {kind: files.names() for kind, files in split.items()},
    }


@dataclass(frozen=True, kw_only=True)
class PhotoData:
    """Batches by step, of crops of photographs."""

    photos: tuple[Path, ...]
    batch: int
    seed: int
    crop_px: int

    def __getitem__(self, step: int) -> FilterBatch:
        """The batch of a step; the same step always has the same batch."""
        random = np.random.default_rng([self.seed, step])
        samples = [self._sample(random) for _ in range(self.batch)]
        clean, frame, guide = (
            torch.from_numpy(np.stack(part).transpose(0, 3, 1, 2).copy())
            for part in zip(*samples, strict=True)
        )
        return FilterBatch(clean=clean, frame=frame, guide=guide)

    def _sample(
        self, random: np.random.Generator
    ) -> tuple[
        Float32[np.ndarray, "px px 3"],
        Float32[np.ndarray, "px px 3"],
        Float32[np.ndarray, "px px 3"],
    ]:
        """The photograph, its frame and its guide."""
        clean, other = (
            part_of(random, by_chance(random, self.photos), (self.crop_px, self.crop_px))
            for _ in range(2)
        )
        guide = spoilt(random, clean, other=other)
        if random.uniform() < _QUARTERED:
            guide = _quartered(guide)
        return clean, lit_otherwise(random, clean), guide


def _quartered(
    guide: Float32[np.ndarray, "height width 3"],
) -> Float32[np.ndarray, "height width 3"]:
    """The picture as an atlas of a quarter of the frame's size renders it, enlarged."""
    height, width = guide.shape[:2]
    small = max(1, width // _ATLAS_SCALE), max(1, height // _ATLAS_SCALE)
    shrunk = cv2.resize(guide, small, interpolation=cv2.INTER_AREA)
    return cv2.resize(shrunk, (width, height), interpolation=cv2.INTER_LINEAR)


def _loss(network: UNet, batch: FilterBatch) -> Float[Tensor, ""]:
    with mixed_precision(batch.clean.device.type):
        return filter_loss(network, batch)


def _won_db(network: UNet, batch: FilterBatch) -> Float[Tensor, ""]:
    """Mean gain of results over frames, in dB."""
    result = network(batch.frame, batch.guide).clamp(0.0, 1.0)
    return won_db(result, batch.frame, batch.clean)


def _row(network: UNet, batch: FilterBatch) -> Float[Tensor, "3 height width"]:
    """Frame, guide, result, photograph."""
    result = network(batch.frame, batch.guide)
    return torch.cat([part[0] for part in (batch.frame, batch.guide, result, batch.clean)], dim=2)
