"""Whether a result is whole: it lasts as long as its film, and is there to its end."""

from __future__ import annotations

from pathlib import Path

from av.error import FFmpegError

from unflicker.errors import InputError
from unflicker.video.container import open_source
from unflicker.video.original import FilmFiles
from unflicker.video.picture_folder import FolderSource
from unflicker.video.probe import main_stream
from unflicker.video.promised import end_of, missing_bytes, promise_of
from unflicker.video.source import open_video

_SHORTER = 0.02
_FRAMES = 2
"""A result may have this share of frames less than its film's header says, or this many: headers
count frames by rate and length, and round."""
_SECONDS = 1.0
"""From the last frame to the end that the header says; as for truncated sources."""


def lack_of(result: Path, film: FilmFiles) -> str:
    """What a finished-looking result lacks, in words; empty if it is whole.

    Its header and its last frames are read, not all of it: what the header promises must be there
    (`promised`), as for sources, and it must last as long as its film.

    Args:
        result: The file, or folder of pictures.
        film: What it was made of.

    Raises:
        InputError: The film cannot be read.
    """
    wanted = film.open().estimated_frames
    try:
        there = open_video(result)
        if wanted is not None and there.estimated_frames is not None:
            least = min(wanted * (1 - _SHORTER), wanted - _FRAMES)
            if there.estimated_frames < least:
                return f"it has about {there.estimated_frames} frames, its film {wanted}"
        if isinstance(there, FolderSource):
            return ""
        return _lack_at_the_end(result)
    except InputError as fault:
        return str(fault)


def _lack_at_the_end(result: Path) -> str:
    with open_source(result) as container:
        stream = main_stream(container, path=result)
        base = stream.time_base
        cut = missing_bytes(promise_of(result, container, stream), path=result)
        if cut:
            return cut
        end = end_of(container, stream)
        if end is None or base is None:
            return ""
        last: float | None = None
        try:
            container.seek(max(0, round((end - 2 * _SECONDS) * 1_000_000)), backward=True)
            for frame in container.decode(stream):
                if frame.pts is not None:
                    last = float(frame.pts * base)
        except FFmpegError as fault:
            return f"its end cannot be decoded: {fault.strerror}"
        frame_seconds = 1 / float(stream.average_rate or 25)
        if last is None or last + frame_seconds < end - _SECONDS:
            return "its end is missing"
    return ""
