"""Every sound, subtitle and data codec that FFmpeg writes, in every container that we write.

    python benchmarks/side_matrix.py                 all, as a table in Markdown
    python benchmarks/side_matrix.py --only mp2 --only subrip

A cell says what came of a film's stream: `kept`, `converted` (text of subtitles, announced),
`named` (left out, announced before the work), or `LOST`: neither kept nor announced. The exit code
is 1 if something was lost.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.codec.codec import Codec, codecs_available

from unflicker.video.source import open_video
from unflicker.video.target import CONTAINERS
from unflicker.video.writer import open_writer

ENDINGS = (
    "mp4", "m4v", "mov", "3gp", "mkv", "webm", "avi", "ts", "m2ts", "flv", "mxf", "nut", "mpg",
    "wmv",
)  # fmt: skip
"""One for each container; `tests/video/test_side_matrix.py` compares with the writer's list."""
_SOURCES = {
    "matroska": "mkv", "mov": "mov", "mp4": "mp4", "mpegts": "ts", "avi": "avi", "nut": "nut",
    "mpeg": "mpg",
}  # fmt: skip
_FRAMES, _RATE = 12, 25
_SECONDS = _FRAMES / _RATE
_LEAST_SOUND = 0.8
"""Share of a tone that a source's container must give back to be a source."""
_SHORTER = 0.06
"""Seconds of sound that may be missing: the last frame of some codecs."""
_HEADER = (
    b"[Script Info]\r\nScriptType: v4.00+\r\n\r\n[V4+ Styles]\r\nFormat: Name, Fontname\r\n"
    b"Style: Default,Arial\r\n\r\n[Events]\r\nFormat: ReadOrder, Layer, Style, Name, MarginL, "
    b"MarginR, MarginV, Effect, Text\r\n"
)
CUES = (0.04, 0.4)
"""When cues and data are due, in seconds: one while formats are tried, one long after."""
_TEXTS = {"ass": b"0,0,Default,,0,0,0,,words", "mov_text": b"\x00\x05words"}
_BYTES = {
    "ttml": b"<p>words</p>",
    "dvb_subtitle": bytes.fromhex("0f10000100020a0f80000100"),
    "dvd_subtitle": bytes.fromhex("00200010")
    + bytes(12)
    + bytes.fromhex("0000001001ff")
    + bytes(10),
    "klv": b"\x06\x0e\x2b\x34" + bytes(20),
    "timed_id3": b"ID3\x04\x00" + bytes(20),
}
_DATA = ("klv", "timed_id3")
"""Codecs of data that the bundled FFmpeg's muxers declare."""


@dataclass(frozen=True, kw_only=True)
class Side:
    """A film with one other stream."""

    codec: str
    """FFmpeg's name."""
    kind: str
    """audio, subtitle or data."""
    path: Path
    amount: float
    """Of sound the seconds, of others the packets."""


def sound_encoders() -> dict[str, Codec]:
    """Encoders of sound, one for each codec."""
    return _encoders("audio")


def subtitle_encoders() -> dict[str, Codec]:
    """Encoders of subtitles, one for each codec."""
    return _encoders("subtitle")


def _encoders(kind: str) -> dict[str, Codec]:
    found: dict[str, Codec] = {}
    for name in sorted(codecs_available):
        try:
            codec = Codec(name, "w")
        except ValueError:
            continue
        if codec.type == kind:
            found.setdefault(codec.canonical_name, codec)
    return found


def all_codecs() -> list[str]:
    """Names of all codecs of the matrix."""
    return [*sound_encoders(), *subtitle_encoders(), *_DATA]


def source_of(codec: str, folder: Path, *, cues: tuple[float, ...] = CUES) -> Side | None:
    """A film with a stream of a codec, in a container that gives it back; None if none does.

    Args:
        codec: FFmpeg's name.
        folder: For the film.
        cues: When subtitles and data are due, in seconds.
    """
    sounds, subtitles = sound_encoders(), subtitle_encoders()
    for form, ending in _SOURCES.items():
        for adds in _ways(codec, sounds, subtitles, cues):
            path = folder / f"source.{ending}"
            try:
                _film(path, form, adds)
            except (ValueError, OSError, av.FFmpegError):
                continue
            kind = "audio" if codec in sounds else "subtitle" if codec in subtitles else "data"
            found = side_of(path, kind)
            least = _LEAST_SOUND * _SECONDS if kind == "audio" else len(cues)
            if found is not None and found[0] in (codec, "") and found[1] >= least:
                return Side(codec=codec, kind=kind, path=path, amount=found[1])
    return None


def _ways(
    codec: str,
    sounds: dict[str, Codec],
    subtitles: dict[str, Codec],
    cues: tuple[float, ...],
) -> Iterator[Any]:
    if codec in sounds:
        yield lambda container: _sound(container, sounds[codec], layout="stereo", rate=None)
        yield lambda container: _sound(container, sounds[codec], layout="mono", rate=8000)
    elif codec in subtitles:
        yield lambda container: _cues(container, subtitles[codec], cues)
    else:
        yield lambda container: _data(container, codec, cues)


def _film(path: Path, form: str, adds: Callable[[Any], Callable[[], None]]) -> None:
    """Write a film with another stream, which is declared and then fed by what `adds` returns."""
    with av.open(str(path), "w", format=form) as container:
        name = "mpeg2video" if form in ("mpeg", "mpegts") else "mpeg4"
        pictures: Any = container.add_stream(name, rate=_RATE)
        pictures.width, pictures.height, pictures.pix_fmt = 64, 48, "yuv420p"
        feed = adds(container)
        for index in range(_FRAMES):
            grey = np.full((72, 64), 60 + 4 * index, np.uint8)
            grey[20:30, index : index + 9] = 200
            frame = av.VideoFrame.from_ndarray(grey, format="yuv420p")
            frame.pts, frame.time_base = index, Fraction(1, _RATE)
            container.mux(pictures.encode(frame))
        feed()
        container.mux(pictures.encode(None))


def _sound(container: Any, codec: Codec, *, layout: str, rate: int | None) -> Callable[[], None]:
    rates = codec.audio_rates
    rate = rate or (48_000 if not rates or 48_000 in rates else max(rates))
    sample = codec.audio_formats[0].name if codec.audio_formats else "s16"
    stream = container.add_stream(codec.name, rate=rate, options={"strict": "-2"})
    stream.codec_context.layout, stream.codec_context.format = layout, sample
    stream.codec_context.open()

    def feed() -> None:
        wave = (np.sin(np.arange(int(rate * _SECONDS)) * 2764 / rate) * 8000).astype(np.int16)
        samples = np.repeat(wave, 2 if layout == "stereo" else 1)[None]
        tone = av.AudioFrame.from_ndarray(samples, "s16", layout)
        tone.sample_rate, tone.pts, tone.time_base = rate, 0, Fraction(1, rate)
        size = stream.codec_context.frame_size or 1024
        maker = av.AudioResampler(sample, layout, rate, frame_size=size)
        for frame in (*maker.resample(tone), *maker.resample(None)):
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))

    return feed


def _cues(container: Any, codec: Codec, cues: tuple[float, ...]) -> Callable[[], None]:
    stream = container.add_stream(codec.name)
    stream.time_base = stream.codec_context.time_base = Fraction(1, 1000)
    stream.codec_context.subtitle_header = _HEADER
    name = codec.canonical_name
    content = _TEXTS.get(name, _BYTES.get(name, b"words"))
    return lambda: _due(container, stream, content, cues)


def _data(container: Any, codec: str, cues: tuple[float, ...]) -> Callable[[], None]:
    stream = container.add_data_stream(codec)
    stream.time_base = Fraction(1, 90_000)
    return lambda: _due(container, stream, _BYTES[codec], cues)


def _due(container: Any, stream: Any, content: bytes, cues: tuple[float, ...]) -> None:
    for seconds in cues:
        packet = av.Packet(content)
        packet.stream, packet.time_base = stream, Fraction(1, 1000)
        packet.pts = packet.dts = round(1000 * seconds)
        packet.duration = 200
        container.mux(packet)


def side_of(path: Path, kind: str) -> tuple[str, float] | None:
    """Codec and amount of the first stream of a kind in a file; None if there is none.

    Args:
        path: Of the file.
        kind: audio, subtitle or data.
    """
    amount = 0.0
    with av.open(str(path), metadata_errors="replace") as container:
        streams = [stream for stream in container.streams if stream.type == kind]
        if not streams or (kind == "audio" and streams[0].codec_context is None):
            return None
        stream: Any = streams[0]
        context = stream.codec_context
        name = "" if context is None else context.codec.canonical_name
        for packet in container.demux(stream):
            # MP4 fills the time between cues with empty ones of two bytes.
            amount += packet.size > 2 if kind != "audio" else _seconds(packet)
    return name, amount


def _seconds(packet: Any) -> float:
    try:
        return sum(frame.samples / frame.sample_rate for frame in packet.decode())
    except av.FFmpegError:
        return 0.0


def outcome(side: Side, target: Path) -> str:
    """What comes of a film's stream in a container: kept, converted, named or LOST.

    Args:
        side: The film.
        target: The result; its ending says the container.
    """
    film = open_video(side.path)
    with open_writer(film, target, overwrite=True) as writer:
        announced = " ".join(writer.notes)
        for frame in film.frames():
            writer.write(frame)
    if f"{side.kind} stream" in announced and "left out" in announced:
        return "named"
    found = side_of(target, side.kind)
    if found is None or found[1] < side.amount - (_SHORTER if side.kind == "audio" else 0):
        return "LOST"
    return "converted" if f"{side.kind} stream" in announced else "kept"


def main() -> None:
    """Print the matrix as a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", action="append", default=None, metavar="CODEC")
    given = parser.parse_args()
    assert {CONTAINERS[f".{ending}"] for ending in ENDINGS} == set(CONTAINERS.values())
    sys.stdout.write(f"| | {' | '.join(ENDINGS)} |\n|{'---|' * (len(ENDINGS) + 1)}\n")
    count, lost = 0, 0
    for codec in given.only or all_codecs():
        with tempfile.TemporaryDirectory() as folder:
            side = source_of(codec, Path(folder))
            if side is None:
                sys.stdout.write(f"| {codec} | no container gives it back |\n")
                continue
            cells = [outcome(side, Path(folder) / f"result.{ending}") for ending in ENDINGS]
        count, lost = count + len(cells), lost + cells.count("LOST")
        sys.stdout.write(f"| {codec} | {' | '.join(cells)} |\n")
        sys.stdout.flush()
    sys.stdout.write(f"\n{count} pairs, {lost} lost\n")
    sys.exit(lost > 0)


if __name__ == "__main__":
    main()
