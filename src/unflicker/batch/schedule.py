"""Which films of a batch are divided among the workers, and which are given to one.

A film that is given to one worker costs nothing but its own time, but the last of them keep one
worker busy while the others wait. A divided film is decoded by one thread, its driver, which hands
its windows and segments to all workers that are free; so it ends early, but never before it is
decoded. Both kinds are made at the same time, by the same workers.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass

SERIAL = 0.1
"""Share of a film's work that one process does when it is divided: decoding, downscaling, cuts,
joining. Measured: 4.4 and 5.1 of 53 s (`fast`), 5.7 of 106 s (`standard`), by
benchmarks/scale.py."""
OVERHEAD = 0.05
"""What dividing adds to the work: burn-in of segments, transfer. Measured: 8, 0 and −2 %."""
_TRIED = 64
"""Numbers of divided films that are considered, from none on."""


@dataclass(frozen=True, kw_only=True)
class Work:
    """The work that a film is."""

    length: float
    """In any unit; 0 where it is not known."""
    parts: int = 1
    """Segments that several workers can do side by side."""


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """Places of films in their list."""

    divided: tuple[int, ...]
    """Each by all workers that are free, the longest first; some at the same time."""
    whole: tuple[int, ...]
    """Side by side, each by one worker, the longest first."""


def schedule(films: Sequence[Work], *, workers: int, drivers: int = 1) -> Schedule:
    """The schedule that is expected to end first; the longest films are divided, if any.

    Args:
        films: The work that each is.
        workers: Number of workers.
        drivers: Divided films that are in progress at the same time, at most.
    """
    everything = tuple(range(len(films)))
    if workers <= 1:
        return Schedule(divided=(), whole=everything)
    order = sorted(everything, key=lambda place: -films[place].length)
    tried = [*range(min(len(order), _TRIED) + 1)]
    if len(order) > _TRIED:
        tried.append(len(order))
    sorted_films = [films[place] for place in order]

    def expected(count: int) -> float:
        divided, whole = sorted_films[:count], sorted_films[count:]
        return expected_time(divided, whole, workers=workers, drivers=drivers)

    best = min(tried, key=expected)
    return Schedule(divided=tuple(order[:best]), whole=tuple(order[best:]))


def divided_time(film: Work, *, workers: int) -> float:
    """How long a divided film takes, in the unit of its length.

    Args:
        film: The work, and its parts.
        workers: Number of workers.
    """
    rounds = -(-film.parts // workers)
    return film.length * max((1 + OVERHEAD) * rounds / film.parts, SERIAL)


def expected_time(
    divided: Sequence[Work], whole: Sequence[Work], *, workers: int, drivers: int
) -> float:
    """When all films are expected to be done.

    It is what takes longest: the whole films on workers of their own, the work of all shared
    evenly, what drivers do by themselves, or the longest of the divided films.

    Args:
        divided: Films that are divided.
        whole: Films that are given to one worker, the longest first.
        workers: Number of workers.
        drivers: Divided films that are in progress at the same time, at most.
    """
    ends = [0.0] * min(workers, max(1, len(whole)))
    for film in whole:
        heapq.heapreplace(ends, ends[0] + film.length)
    apart = sum(film.length for film in divided)
    return max(
        *ends,
        (sum(film.length for film in whole) + (1 + OVERHEAD) * apart) / workers,
        SERIAL * apart / drivers,
        *(divided_time(film, workers=workers) for film in divided),
    )
