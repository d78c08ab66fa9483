"""How long work tells how far it is, and is told to stop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a stage is."""

    stage: str
    """What is being done, in one or two words: "analyse", "render"."""
    done: int
    """Units done."""
    total: int | None
    """Units in all, or None where nobody knows yet."""
    unit: str = "frames"
    """What is counted."""


Report = Callable[[Progress], None]
"""Receives a `Progress` now and then. It stops the work by raising `errors.Cancelled`."""


def silent(_: Progress) -> None:
    """Report to nobody."""
