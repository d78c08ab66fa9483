"""Networks that can be trained, by the name that `unflicker train` gives them. Loads no torch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from unflicker.errors import UsageError


@dataclass(frozen=True, kw_only=True)
class NetworkSpec:
    """The training function of a network, and its usual length."""

    module: str
    """In `unflicker.training`."""
    function: str
    """From a `Training` to the path of the weights, as `neural_filter.train_neural_filter`."""
    steps: int
    batch: int


NETWORKS = {
    "neural-filter": NetworkSpec(
        module="neural_filter", function="train_neural_filter", steps=12_000, batch=12
    ),
    "paper-filter": NetworkSpec(
        module="paper_filter", function="train_paper_filter", steps=100_000, batch=8
    ),
    "paper-refinement": NetworkSpec(
        module="recurrent", function="train_paper_refinement", steps=20_000, batch=8
    ),
    "convlstm": NetworkSpec(module="recurrent", function="train_convlstm", steps=20_000, batch=4),
    "lai": NetworkSpec(module="recurrent", function="train_lai", steps=100_000, batch=4),
}


def trainer(network: str) -> Callable[..., Path]:
    """The function that trains a network.

    Raises:
        UsageError: There is no such network.
    """
    if network not in NETWORKS:
        raise UsageError(f"unknown network {network!r}; there are {', '.join(NETWORKS)}")
    spec = NETWORKS[network]
    return getattr(import_module(f"{__package__}.{spec.module}"), spec.function)
