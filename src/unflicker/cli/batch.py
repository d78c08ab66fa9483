"""Several films: what is said of each, and the exit code of all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from unflicker.batch import FilmJob, Outcome
from unflicker.cli.display import View
from unflicker.cli.messages import Talk, notes_of, tell_batch, tell_programs
from unflicker.errors import PartlyFailedError, UnflickerError

if TYPE_CHECKING:
    from unflicker.batch.make import State


def tell(outcome: Outcome, *, films: int, talk: Talk, view: View) -> None:
    """Print what became of a film.

    Args:
        outcome: Of the film.
        films: How many there are in all.
        talk: Receives the messages.
        view: Is paused for them.

    Raises:
        UnflickerError: The only film failed.
    """
    if outcome.fault is not None and films == 1:
        tell_state(outcome)
        raise outcome.fault
    with view.paused():
        tell_state(outcome)
        if outcome.fault is None:
            _say(outcome, talk, named=films > 1)
        else:
            _complain(outcome.job, outcome.fault, talk)


def tell_state(outcome: Outcome) -> None:
    """Tell programs that a film is done, and how."""
    _tell(str(outcome.job.source), str(outcome.job.target), outcome.state, outcome.frames)


@dataclass(kw_only=True)
class OneFilm:
    """What a command has done to a film, for programs."""

    frames: int = 0


@contextmanager
def one_film(film: str, output: str | None = None, *, begins: bool = True) -> Iterator[OneFilm]:
    """The work of a command on one film, from its event `batch` to its event `film`.

    Args:
        film: Its name.
        output: That of its result; None where no result is written.
        begins: Whether the batch has this film alone.
    """
    if begins:
        tell_batch([(film, output)])
    done = OneFilm()
    try:
        yield done
    except PartlyFailedError:
        _tell(film, output, "damaged", done.frames)
        raise
    except Exception:
        _tell(film, output, "failed", done.frames)
        raise
    _tell(film, output, "done", done.frames)


def _tell(film: str, output: str | None, state: State, frames: int) -> None:
    tell_programs("film", film=film, output=output, state=state, frames=frames)


def check(outcomes: Sequence[Outcome]) -> None:
    """Raise if something is amiss with some films.

    Args:
        outcomes: Of all films.

    Raises:
        PartlyFailedError: Some failed, or some frames were damaged.
    """
    failed, damaged = (
        ", ".join(str(outcome.job.source) for outcome in outcomes if outcome.state == state)
        for state in ("failed", "damaged")
    )
    if failed:
        count = sum(outcome.state == "failed" for outcome in outcomes)
        raise PartlyFailedError(f"{count} of {len(outcomes)} films failed; see above: {failed}")
    if damaged:
        raise PartlyFailedError(
            f"damaged or missing frames in {damaged}; the others are done, each at its time; "
            "--strict stops at the first instead"
        )


def write_index(outcomes: Sequence[Outcome], path: Path) -> None:
    """Write the index of a batch.

    Args:
        outcomes: Of all films.
        path: Of the page or JSON.
    """
    from unflicker import report

    rows = [
        report.Row(
            source=outcome.job.source,
            target=outcome.job.target,
            state=outcome.state,
            about=outcome.kind if outcome.fault is None else str(outcome.fault),
            frames=outcome.frames,
            before=outcome.flicker[0],
            after=outcome.flicker[1],
            seconds=outcome.seconds,
            papers=outcome.wrote,
        )
        for outcome in outcomes
    ]
    report.write_index(rows, path)


def _say(outcome: Outcome, talk: Talk, *, named: bool) -> None:
    for note in outcome.notes:
        talk.note(note, film=str(outcome.job.source), named=named)
    for line in outcome.says:
        talk.say(line)
    if outcome.state == "skipped":
        return
    click.echo(outcome.output)
    for what, path in outcome.wrote:
        talk.say(f"{what}: {path}")


def _complain(job: FilmJob, fault: BaseException, talk: Talk) -> None:
    named = str(job.source) in str(fault)
    text = str(fault) if isinstance(fault, UnflickerError) else f"internal error, {fault!r}"
    film = str(job.source)
    talk.complain(text if named else f"{job.source}: {text}", film=film)
    for note in notes_of(fault):
        talk.complain(note, film=film)
