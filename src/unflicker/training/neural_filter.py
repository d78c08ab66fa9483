"""How the neural filter is trained, from the first step to the weights that are shipped.

The loss is the mean, over a batch, of the logarithm of each picture's squared error, over that of
the frame left alone: a decibel counts the same where flicker is strong and where tone has left
almost nothing, and a loss below none means that something is won.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import cv2
import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.utils.data import DataLoader

from unflicker.errors import Cancelled, InputError
from unflicker.neural_filter.network import GridFilter, Pictures, graded
from unflicker.progress import Progress, Report
from unflicker.settings import of_preset
from unflicker.training import checkpoint
from unflicker.training.checkpoint import Entry, Standing
from unflicker.training.data import Batch, FilterData, split_files
from unflicker.training.footage import guided_footage, guided_photographs
from unflicker.training.photos import PHOTO_ENDINGS
from unflicker.video.target import CONTAINERS

WEIGHTS = "neural_filter.safetensors"
_RATE, _WARM_UP_STEPS, _LEAST_RATE_SHARE = 1e-3, 100, 0.02
_WEIGHT_DECAY, _LARGEST_GRADIENT = 1e-2, 1.0
_FLOOR = 2e-6
"""Squared error that counts as none: 57 dB."""
_DB_OF_A_LOG = 10.0 / float(np.log(10.0))
_LOOKED_AT, _SHOWN = 24, 8
"""Batches of validation, and how many of them lend a picture to the sheet."""
_SHEET_PX, _ROW_PX = 1000, 120


@dataclass(frozen=True, kw_only=True)
class Training:
    """What to train on, how long, and where it is kept."""

    data: tuple[Path, ...]
    out: Path
    steps: int = 12_000
    batch: int = 12
    panned: int = 240
    """Clips made of photographs, for real guides of more scenes than there are films."""
    seed: int = 0
    device: str = "cpu"
    leave_out: frozenset[str] = frozenset()
    keep_every: int = 250


def train_neural_filter(
    training: Training, *, progress: Report, resumes: Callable[[int], None]
) -> Path:
    """Train the filter, or go on with a training that stopped; the path of its weights.

    Args:
        training: What, how long and where.
        progress: Told how far it is; may raise to stop.
        resumes: Told from which step, where a training goes on.

    Raises:
        UnflickerError: No data, or the folder holds another training.
    """
    training.out.mkdir(parents=True, exist_ok=True)
    learning, checking, recipe = _data(training, progress)
    torch.manual_seed(training.seed)
    network = GridFilter().to(training.device)
    network = network.to(memory_format=torch.channels_last)  # pyright: ignore - torch's stubs lack it
    optimiser = torch.optim.AdamW(network.parameters(), lr=_RATE, weight_decay=_WEIGHT_DECAY)
    standing = Standing(network=network, optimiser=optimiser)
    if checkpoint.resume(standing, training.out, recipe):
        resumes(standing.steps)
    checkpoint.write_recipe(training.out, recipe)
    checkpoint.logged(training.out, up_to=standing.steps)
    _run(standing, learning, checking, training, progress)
    weights = training.out / WEIGHTS
    about = {"network": "grid filter", "steps": str(standing.steps)}
    checkpoint.write_weights(standing.average, weights, about=about, half=False)
    return weights


def _run(
    standing: Standing,
    learning: FilterData,
    checking: Sequence[Batch],
    training: Training,
    progress: Report,
) -> None:
    """Step by step to the end; kept and checked now and then."""
    steps = range(standing.steps, training.steps)
    batches = DataLoader(
        learning,  # pyright: ignore - anything with __getitem__ will do
        batch_size=None,
        sampler=steps,
        num_workers=1,
    )
    clock, losses = _Clock(standing), []
    try:
        for batch in batches:
            for group in standing.optimiser.param_groups:
                group["lr"] = _RATE * rate_share(standing.steps, training.steps)
            losses.append(_step(standing, _moved(batch, training.device)))
            if standing.steps % training.keep_every == 0 or standing.steps == training.steps:
                clock.read()
                checkpoint.keep(standing, training.out)
                won = validated(standing, checking, training.device)
                checkpoint.log(training.out, _entry(standing, losses, won))
                write_sheet(standing, checking, training)
                losses.clear()
            progress(Progress(stage="train", done=standing.steps, total=training.steps))
    except Cancelled:
        clock.read()
        checkpoint.keep(standing, training.out)
        raise


class _Clock:
    """Adds the seconds that pass to those that a training took."""

    def __init__(self, standing: Standing) -> None:
        self._standing, self._last = standing, time.monotonic()

    def read(self) -> None:
        now = time.monotonic()
        self._standing.seconds += now - self._last
        self._last = now


def _entry(standing: Standing, losses: list[float], won: float) -> Entry:
    return Entry(
        step=standing.steps,
        seconds=round(standing.seconds, 1),
        loss=round(float(np.mean(losses)), 5),
        validation_db=won,
    )


def _step(standing: Standing, batch: Batch) -> float:
    with torch.autocast(batch.target.device.type, dtype=torch.bfloat16):
        log_gain = standing.network(batch.pictures)
    frame = batch.pictures.frame
    loss = filter_loss(graded(frame, log_gain.float()), frame, batch.target)
    standing.optimiser.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(standing.network.parameters(), _LARGEST_GRADIENT)
    standing.optimiser.step()
    standing.stepped()
    return float(loss.detach())


def filter_loss(
    result: Float[Tensor, "batch 3 height width"],
    frame: Float[Tensor, "batch 3 height width"],
    target: Float[Tensor, "batch 3 height width"],
) -> Float[Tensor, ""]:
    """Mean logarithm of each picture's squared error over that of its frame left alone."""
    left, before = squared_errors(result, target), squared_errors(frame, target)
    return ((left + _FLOOR) / (before + _FLOOR)).log().mean()


def squared_errors(
    result: Float[Tensor, "batch 3 height width"], target: Float[Tensor, "batch 3 height width"]
) -> Float[Tensor, " batch"]:
    """Mean squared error of each picture."""
    return (result - target).square().mean(dim=(1, 2, 3))


def rate_share(step: int, steps: int) -> float:
    """The learning rate over its largest: rising at first, then falling along a cosine."""
    rising = min(1.0, (step + 1) / _WARM_UP_STEPS)
    falling = 0.5 * (1.0 + np.cos(np.pi * min(step / max(steps, 1), 1.0)))
    return float(rising * (_LEAST_RATE_SHARE + (1.0 - _LEAST_RATE_SHARE) * falling))


@torch.no_grad()
def validated(standing: Standing, checking: Sequence[Batch], device: str) -> float:
    """By how many dB the averaged weights bring frames nearer to the truth, on what was not
    learned from."""
    network = GridFilter().to(device).eval()
    network.load_state_dict(standing.average)
    won = []
    for batch in checking:
        there = _moved(batch, device)
        result = graded(there.pictures.frame, network(there.pictures)).clamp(0.0, 1.0)
        won.append(-filter_loss(result, there.pictures.frame, there.target))
    return round(_DB_OF_A_LOG * float(torch.stack(won).mean()), 4) if won else 0.0


@torch.no_grad()
def write_sheet(standing: Standing, checking: Sequence[Batch], training: Training) -> None:
    """Validation pictures as PNG, a row each: frame, guide, trust, result, truth."""
    network = GridFilter().to(training.device).eval()
    network.load_state_dict(standing.average)
    rows = []
    for batch in checking[:_SHOWN]:
        there = _moved(batch, training.device)
        pictures = there.pictures
        result = graded(pictures.frame, network(pictures))
        trust = pictures.trust.expand(-1, 3, -1, -1)
        parts = (pictures.frame, pictures.guide, trust, result, there.target)
        row = torch.cat([part[0] for part in parts], dim=2).clamp(0.0, 1.0)
        codes = (row.permute(1, 2, 0).cpu().numpy() * 255.0 + 0.5).astype(np.uint8)
        rows.append(cv2.resize(codes[..., ::-1], (_SHEET_PX, _ROW_PX)))
    _, stream = cv2.imencode(".png", np.concatenate(rows))
    (training.out / "validation.png").write_bytes(stream.tobytes())


def _data(training: Training, progress: Report) -> tuple[FilterData, list[Batch], dict]:
    photos = split_files(training.data, endings=PHOTO_ENDINGS, leave_out=training.leave_out)
    films = split_files(training.data, endings=CONTAINERS, leave_out=training.leave_out)
    if not photos.training and not films.training:
        raise InputError(
            f"no photographs and no films to learn from in {_listed(training.data)}; "
            "pass a folder of them"
        )
    guides = training.out / "guides"
    settings = of_preset("standard")

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
    checking = [looked_at[step] for step in range(_LOOKED_AT)]
    split = {"photographs": photos.names(), "films": films.names()}
    (training.out / "split.json").write_text(json.dumps(split, indent=2) + "\n")
    recipe = {
        "network": "grid filter",
        "steps": training.steps,
        "batch": training.batch,
        "panned": training.panned,
    }
    recipe |= {"seed": training.seed, "rate": _RATE, "split": split}
    return learning, checking, recipe


def _listed(folders: tuple[Path, ...]) -> str:
    return ", ".join(str(folder) for folder in folders)


def _moved(batch: Batch, device: str) -> Batch:
    if device == "cpu":
        return batch
    pictures = {
        field.name: getattr(batch.pictures, field.name).to(device)
        for field in fields(batch.pictures)
    }
    return Batch(pictures=Pictures(**pictures), target=batch.target.to(device))
