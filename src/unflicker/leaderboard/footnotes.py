"""Footnotes to a method's numbers: reduced effort, fewer frames, failures."""

from __future__ import annotations

from collections import Counter

from unflicker.evaluation.methods import FINISHED_EFFORT
from unflicker.evaluation.results import COST
from unflicker.leaderboard.scores import Score, Scores

_USUAL_EFFORT = ("", "full", "default", "usual", "normal")


class Footnotes:
    """The footnotes of a table, each once, in order of first use."""

    def __init__(self) -> None:
        self._notes: dict[str, int] = {}

    @property
    def texts(self) -> tuple[str, ...]:
        """The notes; the first has number 1."""
        return tuple(self._notes)

    def of(self, notes: list[str]) -> tuple[int, ...]:
        """The numbers of notes, which are added if they are new."""
        return tuple(self._notes.setdefault(note, len(self._notes) + 1) for note in notes)


def marks(scores: Scores, method: str, examples: tuple[str, ...]) -> list[str]:
    """The notes on a method's numbers; empty if there are none.

    Args:
        scores: Of all methods.
        method: Name of the method.
        examples: Names of the examples.
    """
    notes = reductions(scores, method, examples)
    failed = scores.failures().get(method, {})
    if failed:
        tried = sum((method, name) in _tried(scores) for name in scores.examples)
        notes.append(f"failed on {len(failed)} of its {tried} examples")
    return notes


def reductions(scores: Scores, method: str, examples: tuple[str, ...]) -> list[str]:
    """Notes on examples where a method ran with less effort, or on other sizes, than the others.

    Args:
        scores: Of all methods.
        method: Name of the method.
        examples: Names of the examples.
    """
    efforts: Counter[str] = Counter()
    smaller: Counter[str] = Counter()
    for name in examples:
        own = _picture_score(scores, method, name)
        if own is None:
            continue
        if own.effort.lower() not in _USUAL_EFFORT:
            efforts[own.effort] += 1
        usual = _usual_size(scores, name)
        if usual is not None and _size(own) is not None and _size(own) != usual:
            width, frames = _size(own) or (0, 0)
            smaller[f"at {width} px and {frames} frames, others {usual[0]} px, {usual[1]}"] += 1
    efforts.pop(FINISHED_EFFORT, None)
    notes = [f"effort: {effort}" for effort in efforts] + list(smaller)
    return notes + _of_finished_films(scores, method, examples)


def _of_finished_films(scores: Scores, method: str, examples: tuple[str, ...]) -> list[str]:
    """The note on films that were made elsewhere, and on what they lack."""
    costs = [scores.by_key.get((method, name, COST)) for name in examples]
    films = [one for one in costs if one is not None and one.effort == FINISHED_EFFORT]
    if not films:
        return []
    note = "made elsewhere: time and memory unknown"
    least = min(one.values.get("aligned_share", 1.0) for one in films)
    if least < 1.0:
        note += f"; cropped, compared on {100 * least:.0f} % of the picture or more"
    moved = sum(one.values.get("aligned_offset_frames", 0.0) != 0.0 for one in films)
    if moved:
        note += f"; {moved} of {len(films)} with an offset in time"
    return [note]


def _tried(scores: Scores) -> set[tuple[str, str]]:
    return {key[:2] for key in scores.by_key}


def _picture_score(scores: Scores, method: str, example: str) -> Score | None:
    """A score of its pictures, else of its cost."""
    found = scores.of(method, example)
    return next(
        (found[of] for of in ("visible", "consistency", "fidelity", "cost") if of in found), None
    )


def _usual_size(scores: Scores, example: str) -> tuple[int, int] | None:
    sizes: Counter[tuple[int, int]] = Counter()
    for method in scores.methods:
        score = _picture_score(scores, method, example)
        if score is not None and (size := _size(score)) is not None:
            sizes[size] += 1
    return sizes.most_common(1)[0][0] if sizes else None


def _size(score: Score) -> tuple[int, int] | None:
    if score.width is None or score.frames is None:
        return None
    return int(score.width), int(score.frames)
