"""Encodes viewing copies for browsers; scores are computed before encoding."""

from __future__ import annotations

from pathlib import Path

from unflicker.datasets.examples import Example
from unflicker.evaluation.results import VIDEOS, folder_name
from unflicker.files.parts import discard
from unflicker.frames.clip import Clip
from unflicker.settings import EncodingSettings
from unflicker.video import ArraySource, open_writer

_FOR_BROWSERS = EncodingSettings(
    codec="libx264", pix_fmt="yuv420p", crf=18.0, options=(("preset", "veryfast"),)
)


def folder_of(example: Example, out: Path) -> Path:
    """The folder of an example's viewing copies.

    Args:
        example: The example.
        out: Folder of the results.
    """
    return out / VIDEOS / folder_name(example.name)


def write_copy(clip: Clip, path: Path) -> None:
    """Write a clip as H.264, 4:2:0; an odd last row or column is cut off.

    Args:
        clip: The clip.
        path: The file to write.
    """
    height, width = (length - length % 2 for length in clip.pixels.shape[1:3])
    even = Clip(pixels=clip.pixels[:, :height, :width], seconds=clip.seconds)
    path.parent.mkdir(parents=True, exist_ok=True)
    film = ArraySource(even, name=path.stem)
    with open_writer(film, path, encoding=_FOR_BROWSERS, overwrite=True) as writer:
        for frame in film.frames():
            writer.write(frame)


def remove_unfinished(out: Path) -> None:
    """Remove the unfinished files of ended processes; none may be running."""
    for part in (out / VIDEOS).glob("*/.*.part.mp4"):
        discard(part)
