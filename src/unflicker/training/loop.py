"""The training loop of all networks: steps, validation, checkpoints, resuming.

    task = TrainingTask(network=…, loss=…, learning=…, …)
    weights = trained(task, training, progress=…, resumes=…)

A batch belongs to its step, so a resumed training gives the same result as one without a stop.
"""

from __future__ import annotations

import copy
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar, runtime_checkable

import cv2
import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.utils.data import DataLoader

from unflicker.compute.weights import load_into, read_weights
from unflicker.errors import Cancelled
from unflicker.files.atomic import write_whole
from unflicker.progress import Progress, Report
from unflicker.training import checkpoint
from unflicker.training.checkpoint import Entry, TrainingState

_WARM_UP_STEPS, _LEAST_RATE_SHARE = 100, 0.02
_LOOKS, _LOOKED_AT_EVERY = 10, 250
_SHOWN, _SHEET_PX = 8, 1000
"""Batches of validation with a picture on the sheet, and its width."""
_MOST_WORKERS = 6
"""Processes that make batches for a GPU; a CPU needs its cores for the network, and has one."""


@dataclass(frozen=True, kw_only=True)
class Training:
    """Data, length and folder of a training."""

    data: tuple[Path, ...]
    out: Path
    steps: int = 12_000
    batch: int = 12
    panned: int = 240
    """Of the neural filter: Ken Burns clips, for real guides of more scenes than there are films.
    """
    seed: int = 0
    device: str = "cpu"
    leave_out: frozenset[str] = frozenset()
    rate: float | None = None
    """Of the paper's networks: peak of a learning rate with warm-up and cosine, for trainings
    shorter than the published; None for the published constant."""
    crop_px: int | None = None
    """Of the paper's networks: width and height of crops; None for the default."""
    begin_with: Path | None = None
    """Initial weights, of an earlier training of the same network; None for random ones."""
    keep_every: int | None = None
    """Steps between checkpoints; None for a tenth of all, 250 at most."""

    @property
    def looked_at_every(self) -> int:
        """Steps between validations: short trainings have ten as well."""
        return self.keep_every or min(_LOOKED_AT_EVERY, max(1, self.steps // _LOOKS))


Batch = TypeVar("Batch")


@runtime_checkable
class ByStep(Protocol):
    """Batches by step: the same step always has the same batch."""

    def __getitem__(self, step: int) -> Any:
        """The batch of a step, on the CPU."""
        ...


@dataclass(frozen=True, kw_only=True, eq=False)
class TrainingTask(Generic[Batch]):
    """A network, its data, loss and validation."""

    recipe: Mapping[str, Any]
    """All that determines the result, as JSON; `network` names it. Another recipe is refused."""
    network: nn.Module
    """On the device of the training, with its initial weights."""
    optimiser: torch.optim.Optimizer
    rate: Callable[[int, int], float]
    """The learning rate, from step and number of steps."""
    loss: Callable[[Any, Batch], Float[Tensor, ""]]
    """Of the network and a batch."""
    won_db: Callable[[Any, Batch], Float[Tensor, ""]]
    """Gain of the network on a batch in dB; without gradients, as the next."""
    row: Callable[[Any, Batch], Float[Tensor, "3 height width"]]
    """A row of the sheet: the first of a batch, its result, and ground truth."""
    learning: ByStep
    checking: Sequence[Batch]
    """For validation, the same each time."""
    weights: str
    """Name of the file of weights."""
    half: bool = True
    """Whether they are written in half precision."""
    largest_gradient: float = float("inf")


def trained(
    task: TrainingTask, training: Training, *, progress: Report, resumes: Callable[[int], None]
) -> Path:
    """Train to the end, resuming a stopped training; returns the path of the weights.

    They are those of the best validation, not the last.

    Args:
        task: What is learned.
        training: How long and where.
        progress: Called with the progress; may raise `Cancelled` to stop, and the state is kept,
            as it is after Ctrl-C.
        resumes: Called with the step at which a training resumes.

    Raises:
        UsageError: The folder holds another training.
        InputError: What lies there cannot be read.
    """
    state = TrainingState(network=task.network, optimiser=task.optimiser)
    if checkpoint.resume(state, training.out, task.recipe):
        resumes(state.steps)
    checkpoint.write_recipe(training.out, task.recipe)
    checkpoint.logged(training.out, up_to=state.steps)
    with _one_thread_of_opencv():
        _run(state, task, training, progress)
    weights = training.out / task.weights
    about = {"network": str(task.recipe["network"]), "steps": str(state.steps)}
    if state.best:
        about |= {"best step": str(state.best_step), "validation dB": str(state.best_db)}
    checkpoint.write_weights(state.best or state.average, weights, about=about, half=task.half)
    return weights


def _run(state: TrainingState, task: TrainingTask, training: Training, progress: Report) -> None:
    """All steps to the end, with checkpoints and validation."""
    clock, losses = _Clock(state), []
    try:
        for batch in _batches(task, training, begin=state.steps):
            rate = task.rate(state.steps, training.steps)
            losses.append(_step(state, task, moved(batch, training.device), rate))
            if state.steps % training.looked_at_every == 0 or state.steps == training.steps:
                clock.read()
                won = validated(state, task, training.device)
                state.compare(won)
                checkpoint.keep(state, training.out)
                checkpoint.log(training.out, _entry(state, losses, won))
                write_sheet(state, task, training)
                losses.clear()
            progress(Progress(stage="train", done=state.steps, total=training.steps))
    except (Cancelled, KeyboardInterrupt):
        clock.read()
        if state.whole:
            checkpoint.keep(state, training.out)
        raise


def _batches(task: TrainingTask, training: Training, *, begin: int) -> DataLoader:
    """The batches of the remaining steps, made by other processes."""
    workers = 1 if training.device == "cpu" else min(_MOST_WORKERS, os.cpu_count() or 1)
    return DataLoader(
        task.learning,  # pyright: ignore - anything with __getitem__ will do
        batch_size=None,
        sampler=range(begin, training.steps),
        num_workers=workers,
    )


@contextmanager
def _one_thread_of_opencv() -> Iterator[None]:
    """Keep OpenCV to one thread while processes are forked: its threads do not survive a fork, and
    a child would wait for them for ever."""
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(threads)


def _step(state: TrainingState, task: TrainingTask, batch: Any, rate: float) -> float:
    for group in state.optimiser.param_groups:
        group["lr"] = rate
    loss = task.loss(state.network, batch)
    state.optimiser.zero_grad(set_to_none=True)
    loss.backward()
    if np.isfinite(task.largest_gradient):
        torch.nn.utils.clip_grad_norm_(state.network.parameters(), task.largest_gradient)
    state.step()
    return float(loss.detach())


class _Clock:
    """Adds the elapsed seconds to those of a training."""

    def __init__(self, state: TrainingState) -> None:
        self._standing, self._last = state, time.monotonic()

    def read(self) -> None:
        now = time.monotonic()
        self._standing.seconds += now - self._last
        self._last = now


def _entry(state: TrainingState, losses: list[float], won: float) -> Entry:
    return Entry(
        step=state.steps,
        seconds=round(state.seconds, 1),
        loss=round(float(np.mean(losses)), 5),
        validation_db=won,
    )


@torch.no_grad()
def validated(state: TrainingState, task: TrainingTask, device: str) -> float:
    """Mean gain in dB of the averaged weights on validation data.

    Args:
        state: Of the training.
        task: Gives validation batches.
        device: "cpu" or "cuda:n".
    """
    network = _averaged(state)
    won = [task.won_db(network, moved(batch, device)) for batch in task.checking]
    return round(float(torch.stack(won).mean()), 4) if won else 0.0


@torch.no_grad()
def write_sheet(state: TrainingState, task: TrainingTask, training: Training) -> None:
    """Write validation pictures as PNG, one row a batch.

    Args:
        state: Of the training.
        task: Gives validation batches.
        training: Gives folder and device.
    """
    network = _averaged(state)
    rows = []
    for batch in task.checking[:_SHOWN]:
        row = task.row(network, moved(batch, training.device)).clamp(0.0, 1.0)
        codes = (row.permute(1, 2, 0).cpu().numpy() * 255.0 + 0.5).astype(np.uint8)
        height = max(1, round(_SHEET_PX * codes.shape[0] / codes.shape[1]))
        rows.append(cv2.resize(codes[..., ::-1], (_SHEET_PX, height)))
    if rows:
        _, stream = cv2.imencode(".png", np.concatenate(rows))
        write_whole(training.out / "validation.png", stream.tobytes())


def _averaged(state: TrainingState) -> nn.Module:
    """The network with the averaged weights, ready for use."""
    network = copy.deepcopy(state.network).eval()
    network.load_state_dict(state.average)
    return network


def rate_share(step: int, steps: int) -> float:
    """The learning rate relative to its peak: linear warm-up, then a cosine.

    Args:
        step: From 0.
        steps: Of the whole training.
    """
    rising = min(1.0, (step + 1) / _WARM_UP_STEPS)
    falling = 0.5 * (1.0 + np.cos(np.pi * min(step / max(steps, 1), 1.0)))
    return float(rising * (_LEAST_RATE_SHARE + (1.0 - _LEAST_RATE_SHARE) * falling))


def rate_of(training: Training, *, published: float) -> Callable[[int, int], float]:
    """The learning rate by step: the published constant, or one with warm-up and cosine.

    Args:
        training: Gives the peak, if chosen.
        published: The constant.
    """
    peak = training.rate
    if peak is None:
        return lambda _step, _steps: published
    return lambda step, steps: peak * rate_share(step, steps)


def begun(network: nn.Module, training: Training) -> nn.Module:
    """The network on the training's device, with its initial weights.

    Args:
        network: To train.
        training: Gives device and initial weights.

    Raises:
        MissingError: The file of weights is not there.
        InputError: It cannot be read, or is not this network's.
    """
    if training.begin_with is not None:
        weights = read_weights("", own=str(training.begin_with))
        network = load_into(network, weights, source=str(training.begin_with)).train()
        network.requires_grad_(requires_grad=True)
    return network.to(training.device)


def mixed_precision(device: str) -> torch.autocast:
    """Gradients in bfloat16 where hardware has it; emulated, they take ten times as long."""
    has_it = device != "cpu" or torch.ops.mkldnn._is_mkldnn_bf16_supported()
    return torch.autocast(device, dtype=torch.bfloat16, enabled=has_it)


def moved(batch: Batch, device: str | torch.device) -> Batch:
    """A batch on a device.

    Args:
        batch: A tensor, or a dataclass of batches.
        device: "cpu" or "cuda:n".
    """
    if isinstance(batch, Tensor):
        return batch.to(device)  # pyright: ignore - which is a batch
    parts = {each.name: moved(getattr(batch, each.name), device) for each in fields(batch)}  # pyright: ignore - a dataclass
    return replace(batch, **parts)  # pyright: ignore - the same
