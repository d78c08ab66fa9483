"""Opens files with FFmpeg: local files only, with errors as `InputError`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
from av.container import InputContainer, OutputContainer
from av.error import FFmpegError

from unflicker.errors import InputError
from unflicker.files.outputs import is_device
from unflicker.files.remote import RemotePath

_LOCAL_ONLY = {"protocol_whitelist": "file,crypto,data"}
"""A playlist or a movie that refers to other places must not cause network access."""
_MOV = ("mp4", "mov", "ipod", "3gp")
_PAGED = (".tif", ".tiff")
_NO_FILM = ("tty", "image2", "_pipe", "bin", "lrc", "webvtt", "srt", "ass")
"""FFmpeg demuxes any text as a terminal recording, and any picture as a film of one frame."""


def open_source(path: Path) -> InputContainer:
    """A video file, opened for reading.

    Raises:
        InputError: It is not there, not readable, or not a film.
    """
    if not path.exists():
        raise InputError(f"no such file: {path}; check the name")
    if path.is_dir():
        raise InputError(f"{path} is a folder, not a video file; pass one file")
    if not isinstance(path, RemotePath) and is_device(path):
        raise InputError(
            f"{path} is a pipe or a device, which cannot be read twice; save it as a file, or send "
            "raw video: unflicker - (docs/pipes.md)"
        )
    try:
        # The prefix keeps a name like `a:b.mp4` or `-x.mp4` a name.
        place = path.open("rb") if isinstance(path, RemotePath) else f"file:{path}"
        container = av.open(place, options=dict(_LOCAL_ONLY), metadata_errors="replace")
    except (FFmpegError, OSError, ValueError) as fault:
        raise InputError(
            f"{path} cannot be read as a video: {_reason(fault)}; "
            "check that it is complete and plays elsewhere"
        ) from fault
    if container.format.name.endswith(_NO_FILM):
        container.close()
        if path.suffix.lower() in _PAGED:
            raise InputError(
                f"{path} is a picture, or a stack of pages; split the pages into files of their "
                "own, as `tiffsplit` does, and pass their folder"
            )
        raise InputError(
            f"{path} is not a film: FFmpeg takes it for {container.format.name!r}; "
            "pass a video file, or a folder of pictures"
        )
    return container


def open_output(
    place: str | Path | Any, *, container_format: str, own_keys: bool = False
) -> OutputContainer:
    """A file opened for muxing.

    Args:
        place: Path, or object with `write` and `seek`.
        container_format: FFmpeg's name of the muxer.
        own_keys: Whether metadata have keys that MP4 and MOV hold only in a list of their own.
    """
    # Without dates and random numbers, the same film becomes the same file every time.
    options = {"fflags": "+bitexact"}
    if container_format in ("matroska", "webm"):
        # Sound of MP4 begins some ms before 0; without this all pictures would come later.
        options["avoid_negative_ts"] = "disabled"
    if container_format == "m2ts":
        container_format, options["mpegts_m2ts_mode"] = "mpegts", "1"
    flags = "+use_metadata_tags" if own_keys and container_format in _MOV else ""
    if flags:
        options["movflags"] = flags
    if not isinstance(place, (str, Path)):
        return av.open(place, "w", format=container_format, options=options)
    if container_format in ("mp4", "ipod", "3gp"):
        # The index goes first in files that get sent around; that needs a file to open again.
        options["movflags"] = f"{flags}+faststart"
    return av.open(f"file:{place}", "w", format=container_format, options=options)


def _reason(fault: Exception) -> str:
    return getattr(fault, "strerror", None) or str(fault)
