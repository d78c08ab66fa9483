"""What a method makes of a film of a suite: computed here, or a finished film from a folder."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from unflicker.datasets.examples import REAL, Example
from unflicker.datasets.load import Loaded
from unflicker.evaluation.finished import film_of, finished
from unflicker.evaluation.suites.films import NamedClip
from unflicker.evaluation.suites.suite import Performer
from unflicker.frames.clip import Clip


@dataclass(frozen=True, kw_only=True, eq=False)
class Outcome:
    """A result, with the film on the part that both show."""

    given: NamedClip
    result: Clip
    original: Clip | None = None
    """The steady original of a processed film, on that part."""
    about: dict[str, float] = field(default_factory=dict)
    """How a finished film was aligned; empty for a function."""


def outcome(
    method: Performer, clip: NamedClip, *, path: Path, original: Clip | None = None
) -> Outcome | None:
    """The result of a method on a film; None if a folder has no film of it.

    Args:
        method: A function of clips, or a folder of finished films.
        clip: The flickering film.
        path: Its file.
        original: Its steady original, if there is one.

    Raises:
        InputError: A finished film shows something else.
    """
    if not isinstance(method, Path):
        return Outcome(given=clip, result=method(clip.clip), original=original)
    example = Example(
        name=clip.name,
        clip=clip.name,
        category="processed" if original is not None else REAL[0],
        kind="",
        video=path,
    )
    if film_of(method, example) is None:
        return None
    loaded = Loaded(example=example, video=clip.clip, truth=None, original=original, fps=clip.fps)
    found = finished(loaded, method)
    given = NamedClip(name=clip.name, clip=found.loaded.video, fps=clip.fps)
    return Outcome(
        given=given,
        result=found.result,
        original=found.loaded.original,
        about=found.as_numbers(),
    )
