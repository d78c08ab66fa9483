"""Training tasks of the recurrent networks: the paper's refinement, its ConvLSTM, and Lai et al.'s.

All three are one network that processes short clips frame by frame. They differ in input, in the
use of the steady original, and in the loss.

Published, refinement: the loss's terms, Adam at 1e-4, batches of 8, 50 epochs of DAVIS. Lai et al.:
the losses and their weights, Adam at 1e-4, halved every 20 of 100 epochs of 1,000 batches of 4, 11
frames of 192 px. ConvLSTM: the same with the flickering frames for both films. Ours: the clips,
weights of terms where `paper_networks` says so, gradients through the whole clip, initialisation to
the identity, and averaging over the last steps.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from unflicker.errors import InputError
from unflicker.paper.convlstm import RefinementNetwork
from unflicker.progress import Report
from unflicker.training.clips import ClipData, kept_films
from unflicker.training.data import Split, files_to_learn_from
from unflicker.training.loop import (
    Training,
    TrainingTask,
    begun,
    mixed_precision,
    rate_of,
    trained,
)
from unflicker.training.paper_networks import (
    LEARNING_RATE,
    ClipBatch,
    clip_loss,
    consistency_loss,
    refined_clip,
)

FRAMES, CROP_PX = 8, 128
_LOOKED_AT = 4
"""Batches of validation."""
_LEAST_LOSS = 1e-5
"""Losses below count as zero; a steady clip has no loss when it is unchanged."""
_LARGEST_GRADIENT = 1.0
_DIFFERENCES = 6
"""Features initialised as differences of light between a frame and the previous output."""


@dataclass(frozen=True, kw_only=True)
class _Kind:
    """Loss and input of a network."""

    network: str
    """Its name in recipes."""
    weights: str
    """Name of the file of weights."""
    loss: Callable[[Sequence[Tensor], ClipBatch], Tensor]
    """Of the output frames, and the batch."""
    filtered: bool = False
    """Whether the clips have passed a filter."""
    guided: bool = False
    """Whether the steady clip is an input besides the one that flickers."""
    processed_share: float = 0.0
    """As in `ClipData`."""

    def outputs(self, network: RefinementNetwork, batch: ClipBatch) -> list[Tensor]:
        """The output, frame by frame."""
        originals = batch.clean if self.guided else None
        return refined_clip(network, batch.frames, originals=originals)


_REFINEMENT = _Kind(
    network="paper refinement",
    weights="paper_refinement.safetensors",
    loss=clip_loss,
    filtered=True,
)
_CONVLSTM = _Kind(network="convlstm", weights="convlstm.safetensors", loss=consistency_loss)
_LAI = _Kind(
    network="lai",
    weights="lai.safetensors",
    loss=consistency_loss,
    guided=True,
    processed_share=0.5,
)


def train_paper_refinement(
    training: Training, *, progress: Report, resumes: Callable[[int], None]
) -> Path:
    """Train the paper's refinement, resuming a stopped training; returns its weights' path.

    Args:
        training: What, how long and where.
        progress: Called with the progress; may raise to stop.
        resumes: Called with the step at which a training resumes.

    Raises:
        UnflickerError: No data, or the folder holds another training.
    """
    return _train(_REFINEMENT, training, progress, resumes)


def train_convlstm(training: Training, *, progress: Report, resumes: Callable[[int], None]) -> Path:
    """Train the paper's ConvLSTM, blind, on flickering clips; returns its weights' path.

    Args:
        training: What, how long and where.
        progress: Called with the progress; may raise to stop.
        resumes: Called with the step at which a training resumes.
    """
    return _train(_CONVLSTM, training, progress, resumes)


def train_lai(training: Training, *, progress: Report, resumes: Callable[[int], None]) -> Path:
    """Train Lai et al.'s network on processed clips with their originals.

    Args:
        training: What, how long and where.
        progress: Called with the progress; may raise to stop.
        resumes: Called with the step at which a training resumes.
    """
    return _train(_LAI, training, progress, resumes)


def _train(
    kind: _Kind, training: Training, progress: Report, resumes: Callable[[int], None]
) -> Path:
    split = files_to_learn_from(
        training.data, out=training.out, leave_out=training.leave_out, films=True
    )
    learning, looked_at = _data(kind, training, split, progress)
    torch.manual_seed(training.seed)
    network = begun(leaving_all(RefinementNetwork()), training)
    task = TrainingTask(
        recipe=_recipe(kind, training, split),
        network=network,
        optimiser=torch.optim.Adam(network.parameters(), lr=LEARNING_RATE),
        rate=rate_of(training, published=LEARNING_RATE),
        loss=partial(_loss, kind),
        won_db=partial(_won_db, kind),
        row=partial(_row, kind),
        learning=learning,
        checking=[looked_at[step] for step in range(_LOOKED_AT)],
        weights=kind.weights,
        largest_gradient=_LARGEST_GRADIENT,
    )
    return trained(task, training, progress=progress, resumes=resumes)


@torch.no_grad()
def leaving_all(network: RefinementNetwork) -> RefinementNetwork:
    """The network with some weights set so that it is the identity.

    Its output is zero at first, and six features, two a colour, are positive and negative local
    differences of light between the last output and the frame; others start at random.
    """
    network.out.weight.zero_()
    network.out.bias.zero_()  # pyright: ignore[reportOptionalMemberAccess] - there is one
    sees = network.last_1
    sees.weight[:_DIFFERENCES] = 0.0
    sees.bias[:_DIFFERENCES] = 0.0  # pyright: ignore[reportOptionalSubscript] - there is one
    share = 1.0 / sees.weight[0, 0].numel()
    for colour in range(3):
        for feature, sign in ((2 * colour, share), (2 * colour + 1, -share)):
            sees.weight[feature, 3 + colour] = sign
            sees.weight[feature, colour] = -sign
    return network


def _recipe(kind: _Kind, training: Training, split: dict[str, Split]) -> dict[str, Any]:
    return {
        "network": kind.network,
        "steps": training.steps,
        "batch": training.batch,
        "crop": training.crop_px or CROP_PX,
        "frames": FRAMES,
        "seed": training.seed,
        "rate": training.rate or LEARNING_RATE,
        "begins with": training.begin_with.name if training.begin_with else "",
        "split": {kind: files.names() for kind, files in split.items()},
    }


def _data(
    kind: _Kind, training: Training, split: dict[str, Split], progress: Report
) -> tuple[ClipData, ClipData]:
    """Clips for training, and for validation: of files set apart, if there are any."""
    photos, films = split["photographs"], split["films"]

    def clips(photos: tuple[Path, ...], films: tuple[Path, ...], seed: int) -> ClipData:
        return ClipData(
            photos=photos,
            films=kept_films(
                films,
                training.out / "films",
                least=(FRAMES, training.crop_px or CROP_PX),
                progress=progress,
            ),
            batch=training.batch,
            seed=seed,
            frames=FRAMES,
            crop_px=training.crop_px or CROP_PX,
            filtered=kind.filtered,
            processed_share=kind.processed_share,
        )

    learning = clips(photos.training, films.training, training.seed)
    if not learning.photos and not learning.films:
        raise InputError(
            f"every film is smaller than {CROP_PX} px or shorter than {FRAMES} frames; "
            "pass larger ones, or photographs"
        )
    looked_at = clips(photos.validation, films.validation, training.seed + 1)
    if not looked_at.photos and not looked_at.films:
        looked_at = replace(learning, seed=training.seed + 1)
    return learning, looked_at


def _loss(kind: _Kind, network: RefinementNetwork, batch: ClipBatch) -> Float[Tensor, ""]:
    with mixed_precision(batch.frames.device.type):
        return kind.loss(kind.outputs(network, batch), batch)


def _won_db(kind: _Kind, network: RefinementNetwork, batch: ClipBatch) -> Float[Tensor, ""]:
    """By how many dB the loss is below that of unchanged clips."""
    alone = kind.loss(batch.frames.unbind(dim=1), batch)
    left = kind.loss(kind.outputs(network, batch), batch)
    return 20.0 * ((alone + _LEAST_LOSS) / (left + _LEAST_LOSS)).log10()


def _row(
    kind: _Kind, network: RefinementNetwork, batch: ClipBatch
) -> Float[Tensor, "3 height width"]:
    """The frames of a clip, and below them the results."""
    outputs = torch.stack(kind.outputs(network, batch), dim=1)
    rows = (torch.cat(list(clip[0]), dim=2) for clip in (batch.frames, outputs))
    return torch.cat(list(rows), dim=1)
