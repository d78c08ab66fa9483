"""Films in and out; the only package that knows PyAV."""

from unflicker.video.original import FilmFiles, WithOriginal, open_original
from unflicker.video.pipe import PipeSource, PipeTarget, StreamTags
from unflicker.video.source import ArraySource, VideoSource, frames_from, open_video
from unflicker.video.stream import StreamSource
from unflicker.video.writer import (
    Writer,
    default_target,
    is_picture_folder,
    open_writer,
    planned_target,
    resolve_target,
)

__all__ = [
    "ArraySource",
    "FilmFiles",
    "PipeSource",
    "PipeTarget",
    "StreamSource",
    "StreamTags",
    "VideoSource",
    "WithOriginal",
    "Writer",
    "default_target",
    "frames_from",
    "is_picture_folder",
    "open_original",
    "open_video",
    "open_writer",
    "planned_target",
    "resolve_target",
]
