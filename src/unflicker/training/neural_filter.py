"""The training task of the neural filter: data, loss, validation.

The loss is the mean, over a batch, of the logarithm of each picture's squared error relative to
that of the uncorrected frame: a decibel counts the same where flicker is strong and where tone has
left almost none, and a loss below zero is a gain.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from unflicker.compute.weights import NEURAL_FILTER
from unflicker.neural_filter.network import GridFilter, graded
from unflicker.progress import Report
from unflicker.settings import Settings
from unflicker.training.data import Batch, FilterData, Split, files_to_learn_from
from unflicker.training.footage import guided_footage, guided_photographs
from unflicker.training.loop import (
    Training,
    TrainingTask,
    mixed_precision,
    rate_share,
    trained,
)

_RATE, _WEIGHT_DECAY, _LARGEST_GRADIENT = 1e-3, 1e-2, 1.0
_FLOOR = 2e-6
"""Squared error that counts as none: 57 dB."""
_DB_OF_A_LOG = 10.0 / float(np.log(10.0))
_LOOKED_AT = 24
"""Batches of validation."""


def train_neural_filter(
    training: Training, *, progress: Report, resumes: Callable[[int], None]
) -> Path:
    """Train the filter, resuming a stopped training; returns the path of the weights.

    Args:
        training: What, how long and where.
        progress: Called with the progress; may raise to stop.
        resumes: Called with the step at which a training resumes.

    Raises:
        UnflickerError: No data, or the folder holds another training.
    """
    split = files_to_learn_from(
        training.data, out=training.out, leave_out=training.leave_out, films=True
    )
    learning, checking = _data(training, split, progress)
    torch.manual_seed(training.seed)
    network = GridFilter().to(training.device)
    network = network.to(memory_format=torch.channels_last)  # pyright: ignore - torch's stubs lack it
    task = TrainingTask(
        recipe=_recipe(training, split),
        network=network,
        optimiser=torch.optim.AdamW(network.parameters(), lr=_RATE, weight_decay=_WEIGHT_DECAY),
        rate=lambda step, steps: _RATE * rate_share(step, steps),
        loss=_loss,
        won_db=_won_db,
        row=_row,
        learning=learning,
        checking=checking,
        weights=NEURAL_FILTER,
        half=False,
        largest_gradient=_LARGEST_GRADIENT,
    )
    return trained(task, training, progress=progress, resumes=resumes)


def _recipe(training: Training, split: dict[str, Split]) -> dict[str, Any]:
    return {
        "network": "grid filter",
        "steps": training.steps,
        "batch": training.batch,
        "panned": training.panned,
        "seed": training.seed,
        "rate": _RATE,
        "split": {kind: files.names() for kind, files in split.items()},
    }


def _loss(network: GridFilter, batch: Batch) -> Float[Tensor, ""]:
    with mixed_precision(batch.target.device.type):
        log_gain = network(batch.pictures)
    frame = batch.pictures.frame
    return filter_loss(graded(frame, log_gain.float()), frame, batch.target)


def _won_db(network: GridFilter, batch: Batch) -> Float[Tensor, ""]:
    """Mean gain of the network in dB."""
    result = graded(batch.pictures.frame, network(batch.pictures)).clamp(0.0, 1.0)
    return won_db(result, batch.pictures.frame, batch.target)


def _row(network: GridFilter, batch: Batch) -> Float[Tensor, "3 height width"]:
    """Frame, guide, trust, result, truth."""
    pictures = batch.pictures
    result = graded(pictures.frame, network(pictures))
    trust = pictures.trust.expand(-1, 3, -1, -1)
    parts = (pictures.frame, pictures.guide, trust, result, batch.target)
    return torch.cat([part[0] for part in parts], dim=2)


def filter_loss(
    result: Float[Tensor, "batch 3 height width"],
    frame: Float[Tensor, "batch 3 height width"],
    target: Float[Tensor, "batch 3 height width"],
) -> Float[Tensor, ""]:
    """Mean log of each picture's squared error relative to its uncorrected frame.

    Args:
        result: Output of the filter.
        frame: Its input.
        target: Ground truth.
    """
    left, before = squared_errors(result, target), squared_errors(frame, target)
    return ((left + _FLOOR) / (before + _FLOOR)).log().mean()


def squared_errors(
    result: Float[Tensor, "batch 3 height width"], target: Float[Tensor, "batch 3 height width"]
) -> Float[Tensor, " batch"]:
    """Mean squared error of each picture.

    Args:
        result: RGB in [0, 1].
        target: Ground truth.
    """
    return (result - target).square().mean(dim=(1, 2, 3))


def won_db(
    result: Float[Tensor, "batch 3 height width"],
    frame: Float[Tensor, "batch 3 height width"],
    target: Float[Tensor, "batch 3 height width"],
) -> Float[Tensor, ""]:
    """Mean gain of results over their frames, in dB.

    Args:
        result: Output of the filter.
        frame: Its input.
        target: Ground truth.
    """
    return -_DB_OF_A_LOG * filter_loss(result, frame, target)


def _data(
    training: Training, split: dict[str, Split], progress: Report
) -> tuple[FilterData, Sequence[Batch]]:
    photos, films = split["photographs"], split["films"]
    guides = training.out / "guides"
    settings = Settings.from_preset("standard")

    def guided(paths: tuple[Path, ...]) -> tuple:
        return tuple(guided_footage(paths, guides, settings=settings, progress=progress))

    made = guided_photographs(
        photos.training, guides, count=training.panned, settings=settings, progress=progress
    )
    learning = FilterData(
        photos=photos.training,
        guided=(*guided(films.training), *(made if photos.training else ())),
        batch=training.batch,
        seed=training.seed,
    )
    looked_at = FilterData(
        photos=photos.validation or photos.training,
        guided=guided(films.validation),
        batch=training.batch,
        seed=training.seed + 1,
    )
    return learning, [looked_at[step] for step in range(_LOOKED_AT)]
