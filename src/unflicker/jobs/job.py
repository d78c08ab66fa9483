"""Batches of jobs, and what becomes of each job."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Tell = Callable[[tuple[Any, ...]], None]
"""Receives ("begun", place) and ("done", place, result) of each job, in order; ("unfit", why) if no
job of the batch's name can be done; ("end",) after the last."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Batch:
    """Jobs that one process does, one after the other."""

    name: str
    """Of what they share; once it is unfit, no batch of that name is started."""
    jobs: tuple[Any, ...]
    work: Callable[[tuple[Any, ...], Tell], None]
    """Does the jobs in order, and tells of each. It is pickled, and runs in the other process."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Done:
    """A job that ended, with what its work returned."""

    job: Any
    result: Any


@dataclass(frozen=True, kw_only=True, eq=False)
class Failed:
    """A job whose process died or took too long."""

    job: Any
    why: str
    late: bool = False
    """Whether it took too long."""


@dataclass(frozen=True, kw_only=True)
class Unfit:
    """A name whose jobs cannot be done here."""

    name: str
    why: str


Event = Done | Failed | Unfit
