"""How the paper's refinement is trained: on short clips that a filter has been through.

What is published: the loss's terms, Adam at 1e-4, batches of 8, 50 epochs of DAVIS. Ours: the
clips, the weights of the terms, and that the weights written are an average over the last steps.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from unflicker.errors import InputError
from unflicker.progress import Report
from unflicker.refinement.convlstm import RefinementNetwork
from unflicker.training.clips import ClipData, kept_films
from unflicker.training.data import Split, files_to_learn_from
from unflicker.training.loop import (
    Lesson,
    Training,
    begun,
    mixed_precision,
    rate_of,
    trained,
)
from unflicker.training.paper_networks import (
    LEARNING_RATE,
    ClipBatch,
    clip_loss,
    refined_clip,
    refinement_loss,
)

WEIGHTS = "paper_refinement.safetensors"
FRAMES, CROP_PX = 8, 128
_LOOKED_AT = 4
"""Batches of validation."""
_LEAST_LOSS = 1e-5
"""What counts as none; a clip that nobody made to flicker loses nothing when it is left alone."""


def train_paper_refinement(
    training: Training, *, progress: Report, resumes: Callable[[int], None]
) -> Path:
    """Train the paper's refinement, or go on with a training that stopped; its weights' path.

    Args:
        training: What, how long and where.
        progress: Told how far it is; may raise to stop.
        resumes: Told from which step, where a training goes on.

    Raises:
        UnflickerError: No data, or the folder holds another training.
    """
    split = files_to_learn_from(
        training.data, out=training.out, leave_out=training.leave_out, films=True
    )
    learning, looked_at = _data(training, split, progress)
    torch.manual_seed(training.seed)
    network = begun(RefinementNetwork(), training)
    lesson = Lesson(
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
    return trained(lesson, training, progress=progress, resumes=resumes)


def _recipe(training: Training, split: dict[str, Split]) -> dict[str, Any]:
    return {
        "network": "paper refinement",
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
    training: Training, split: dict[str, Split], progress: Report
) -> tuple[ClipData, ClipData]:
    """Clips to learn from, and to look at: those of files set apart, if there are any."""
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


def _loss(network: RefinementNetwork, batch: ClipBatch) -> Float[Tensor, ""]:
    with mixed_precision(batch.filtered.device.type):
        return refinement_loss(network, batch)


def _won_db(network: RefinementNetwork, batch: ClipBatch) -> Float[Tensor, ""]:
    """By how many dB the loss is below that of clips left alone."""
    alone = clip_loss(batch.filtered.unbind(dim=1), batch)
    left = refinement_loss(network, batch)
    return 20.0 * ((alone + _LEAST_LOSS) / (left + _LEAST_LOSS)).log10()


def _row(network: RefinementNetwork, batch: ClipBatch) -> Float[Tensor, "3 height width"]:
    """The frames of a clip, and below them what came of each."""
    outputs = torch.stack(refined_clip(network, batch.filtered), dim=1)
    rows = (torch.cat(list(clip[0]), dim=2) for clip in (batch.filtered, outputs))
    return torch.cat(list(rows), dim=1)
