"""The state of a training on disk, from which it resumes at the same step."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save
from torch import Tensor, nn

from unflicker.errors import InputError, UsageError
from unflicker.files.atomic import write_whole
from unflicker.files.json_text import parsed

_STATE, _LOG, _RECIPE = "training.pt", "log.jsonl", "recipe.json"
_EMA_DECAY = 0.998


@dataclass
class TrainingState:
    """The networks and the optimiser during training, and the number of steps done."""

    network: nn.Module
    optimiser: torch.optim.Optimizer
    steps: int = 0
    seconds: float = 0.0
    average: dict[str, Tensor] = field(default_factory=dict)
    """Exponential moving average of the network's weights."""
    best: dict[str, Tensor] = field(default_factory=dict)
    """The average with the best validation so far, which is the result; empty before the first."""
    best_db: float = -math.inf
    best_step: int = 0
    whole: bool = True
    """False during a step: an interruption there leaves nothing to keep."""

    def __post_init__(self) -> None:
        """Initialise the average with the network."""
        if not self.average:
            self.average = {name: value.clone() for name, value in self._weights().items()}

    def step(self) -> None:
        """Take one step along the gradients and update the average, faster at first."""
        self.whole = False
        self.optimiser.step()
        self.steps += 1
        decay = min(_EMA_DECAY, (1.0 + self.steps) / (10.0 + self.steps))
        for name, value in self._weights().items():
            self.average[name].lerp_(value, 1.0 - decay)
        self.whole = True

    def compare(self, validation_db: float) -> None:
        """Keep the average if its validation is the best so far; of equal ones the later."""
        if validation_db >= self.best_db:
            self.best_db, self.best_step = validation_db, self.steps
            self.best = {name: value.clone() for name, value in self.average.items()}

    def _weights(self) -> dict[str, Tensor]:
        return {name: value.detach() for name, value in self.network.state_dict().items()}


def resume(state: TrainingState, folder: Path, recipe: Mapping[str, Any]) -> bool:
    """Restore the state of a stopped training; False where the folder has none.

    Args:
        state: Changed in place.
        folder: Of the training.
        recipe: Must equal that of the stopped training.

    Raises:
        UsageError: The training in the folder has another recipe.
        InputError: What lies there cannot be read.
    """
    path = folder / _STATE
    if not path.exists():
        return False
    there = _recipe_in(folder)
    wanted = json.loads(json.dumps(dict(recipe)))
    different = [name for name in wanted if there.get(name) != wanted[name]]
    if different:
        name = different[0]
        raise UsageError(
            f"{folder} holds a training with {name} {there.get(name)}, not {wanted[name]}; "
            "name another folder, or train with the same"
        )
    try:
        device = next(state.network.parameters()).device
        held = torch.load(path, map_location=device, weights_only=True)
        state.network.load_state_dict(held["network"])
        state.optimiser.load_state_dict(held["optimiser"])
        state.average = _like(held["average"], state.average)
        state.best, state.best_db, state.best_step = (
            held.get(name, getattr(state, name)) for name in ("best", "best_db", "best_step")
        )
        state.steps, state.seconds = _done(held)
    except Exception as fault:  # files of other kinds fail in many ways
        raise InputError(
            f"{path} is no state of this training: {str(fault)[:200]}; remove it to start again"
        ) from fault
    return True


def _done(held: Mapping[str, Any]) -> tuple[int, float]:
    """Steps and seconds of a training.

    Raises:
        ValueError: They are not those of one.
    """
    steps, seconds = int(held["steps"]), float(held["seconds"])
    if steps < 0 or not 0.0 <= seconds < math.inf:
        raise ValueError(f"it tells of {steps} steps in {seconds} s")
    return steps, seconds


def _like(held: Any, wanted: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Averaged weights of a file, if they are those of the network.

    Raises:
        ValueError: They are not.
    """
    there = {name: value.shape for name, value in held.items()}
    if there != {name: value.shape for name, value in wanted.items()}:
        raise ValueError("its averaged weights are of another network")
    return held


def _recipe_in(folder: Path) -> dict[str, Any]:
    """The recipe of the training in a folder."""
    path = folder / _RECIPE
    try:
        found = parsed(path.read_text())
        if not isinstance(found, dict):
            raise ValueError("it is no object")
        return found
    except (OSError, ValueError) as fault:
        raise InputError(
            f"{path}, the description of the training in its folder, cannot be read: {fault}; "
            f"put it back, or remove {folder / _STATE} to start again"
        ) from fault


def keep(state: TrainingState, folder: Path) -> None:
    """Write the state of a training; the previous one is replaced when the new one is complete.

    Args:
        state: To write.
        folder: Of the training.
    """
    part = folder / f".{_STATE}.part"
    torch.save(
        {
            "network": state.network.state_dict(),
            "optimiser": state.optimiser.state_dict(),
            "average": state.average,
            "best": state.best,
            "best_db": state.best_db,
            "best_step": state.best_step,
            "steps": state.steps,
            "seconds": state.seconds,
        },
        part,
    )
    part.replace(folder / _STATE)


def write_recipe(folder: Path, recipe: Mapping[str, Any]) -> None:
    """Write the recipe of a training as JSON.

    Args:
        folder: Of the training.
        recipe: All that determines the result.
    """
    write_whole(folder / _RECIPE, json.dumps(dict(recipe), indent=2) + "\n")


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A line of a training's log."""

    step: int
    seconds: float
    loss: float
    validation_db: float | None = None


def log(folder: Path, entry: Entry) -> None:
    """Append a line to the log.

    Args:
        folder: Of the training.
        entry: The line.
    """
    with (folder / _LOG).open("a") as lines:
        lines.write(json.dumps(asdict(entry)) + "\n")


def logged(folder: Path, *, up_to: int | None = None) -> list[Entry]:
    """The log so far.

    Args:
        folder: Of the training.
        up_to: Lines after this step are removed from the file; all are kept if None.
    """
    path = folder / _LOG
    if not path.exists():
        return []
    entries = [Entry(**parsed(line)) for line in path.read_text().splitlines() if line]
    if up_to is not None:
        entries = [entry for entry in entries if entry.step <= up_to]
        text = "".join(json.dumps(asdict(entry)) + "\n" for entry in entries)
        write_whole(path, text)
    return entries


def write_weights(
    weights: Mapping[str, Tensor], path: Path, *, about: Mapping[str, str], half: bool
) -> None:
    """Write a network's weights as safetensors.

    Args:
        weights: By name.
        path: Of the file.
        about: Its metadata.
        half: Whether in half precision.
    """
    kind = torch.float16 if half else torch.float32
    tensors = {name: value.to("cpu", kind).contiguous() for name, value in weights.items()}
    write_whole(path, save(tensors, metadata=dict(about)))


def read_weights(path: Path) -> dict[str, Tensor]:
    """Tensors of a safetensors file in single precision."""
    return {name: value.float() for name, value in load_file(str(path)).items()}
