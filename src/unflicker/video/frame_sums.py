"""MD5 of each decoded frame, in the form of FFmpeg's muxer `framemd5`."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import av

from unflicker.video.container import open_source
from unflicker.video.probe import main_stream


def frame_sums(path: Path) -> str:
    """The MD5 of each frame of a film's main video stream.

    Hashes are those of `ffmpeg -i FILM -map 0:v:0 -f framemd5 -`; times are in the stream's units.

    Args:
        path: A video file.

    Raises:
        InputError: It cannot be read.
    """
    text = io.BytesIO()
    with open_source(path) as container:
        stream = main_stream(container, path=path)
        stream.thread_type = "AUTO"
        sums = av.open(text, "w", format="framemd5", options={"fflags": "+bitexact"})
        raw: Any = None
        for frame in container.decode(stream):
            if raw is None:
                raw = sums.add_stream("rawvideo", rate=stream.average_rate or 25)
                raw.width, raw.height = frame.width, frame.height
                raw.pix_fmt = frame.format.name
                raw.time_base = raw.codec_context.time_base = stream.time_base
            sums.mux(raw.encode(frame))
        if raw is not None:
            sums.mux(raw.encode(None))
        sums.close()
    return text.getvalue().decode()
