"""Writes frames to a new film, with progress."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unflicker.cli.display import shown
from unflicker.cli.messages import Talk
from unflicker.cli.options import settings_from
from unflicker.progress import Progress

if TYPE_CHECKING:
    from unflicker.frames.picture import Frame
    from unflicker.video import VideoSource


def write_film(
    film: VideoSource, frames: Iterable[Frame], *, target: Path, given: dict[str, Any], talk: Talk
) -> None:
    """Write frames as a new film with the sound, times and metadata of another one.

    Args:
        film: The other film.
        frames: In order.
        target: The file to write.
        given: Values of the command's options, by name.
        talk: Shows progress and notes.
    """
    from unflicker.video import open_writer

    encoding = settings_from(given).encoding
    with (
        shown(talk, title=str(target)) as tell,
        open_writer(film, target, encoding=encoding, overwrite=given["overwrite"]) as writer,
    ):
        tell(Progress(stage="prepare", done=0, total=None, notes=(*film.notes, *writer.notes)))
        for done, frame in enumerate(frames, start=1):
            writer.write(frame)
            tell(Progress(stage="write", done=done, total=film.estimated_frames))
    for note in film.notes:
        talk.note(note, film=str(target))
