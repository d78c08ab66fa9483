"""Copies sound, subtitles, chapters, attachments and covers, packet by packet.

The source is read a second time for them, in step with the pictures: memory stays small at any
length.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av
from av.container import InputContainer, OutputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.stream import Discard, Stream
from av.video.stream import VideoStream

from unflicker.video.container import open_output, open_source
from unflicker.video.probe import is_cover
from unflicker.video.traits import Cut, Traits

_TEXT_SUBTITLES = ("subrip", "ass", "ssa", "mov_text", "webvtt", "text", "srt")
_TEXT_OF_CONTAINER = {
    "mp4": "mov_text",
    "ipod": "mov_text",
    "mov": "mov_text",
    "3gp": "mov_text",
    "matroska": "subrip",
    "webm": "webvtt",
}
_WRITTEN_ANEW = ("encoder", "major_brand", "minor_version", "compatible_brands", "duration")
_STATISTICS = ("BPS", "NUMBER_OF_", "_STATISTICS", "DURATION")
_PACKETS_TO_TRY = 400
_COPIED = ("audio", "subtitle", "video", "attachment", "data")


@dataclass(frozen=True, kw_only=True)
class Cover:
    """A picture attached to a file."""

    name: str
    mime_type: str
    data: bytes


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The treatment of each stream of the source besides the film itself."""

    container_format: str
    copied: tuple[int, ...] = ()
    """Indices of streams copied packet by packet."""
    converted: tuple[tuple[int, str], ...] = ()
    """Indices of text subtitles, each with the codec it is converted to."""
    covers: tuple[Cover, ...] = ()
    """Pictures to attach, where a container keeps covers as attachments."""
    notes: tuple[str, ...] = ()
    """What is converted or left out, and why."""


def plan_side_streams(traits: Traits, *, container_format: str) -> Plan:
    """The treatment of each other stream of the source, found by trial muxing.

    Args:
        traits: Of the source.
        container_format: FFmpeg's name of the muxer.
    """
    if traits.path is None:
        return Plan(container_format=container_format)
    copied: list[int] = []
    converted: list[tuple[int, str]] = []
    covers: list[Cover] = []
    notes: list[str] = []
    with open_source(traits.path) as source:
        others = [stream for stream in source.streams if stream.index != traits.stream_index]
        samples = _sample_packets(source, others)
        text = _TEXT_OF_CONTAINER.get(container_format)
        for stream in others:
            sample = samples.get(stream.index)
            if sample is not None and container_format == "matroska" and _is_cover(stream):
                covers.append(_cover(stream, sample))
            elif _can_hold(container_format, stream, sample):
                copied.append(stream.index)
            elif text and _name(stream) in _TEXT_SUBTITLES:
                converted.append((stream.index, text))
                notes.append(f"{_words(stream)} becomes {text}: {container_format} holds no other")
            elif not _is_made_by_the_muxer(stream, source):
                notes.append(
                    f"{_words(stream)} is left out: {container_format} cannot hold it; "
                    "an output ending in .mkv may"
                )
    return Plan(
        container_format=container_format,
        copied=tuple(copied),
        converted=tuple(converted),
        covers=tuple(covers),
        notes=tuple(notes),
    )


class SideStreams:
    """The source's other streams, during copying into one output."""

    def __init__(self, traits: Traits, *, plan: Plan) -> None:
        self._traits = traits
        self._plan = plan
        self._source: InputContainer | None = None
        self._copies: dict[int, Stream] = {}
        self._conversions: dict[int, tuple[Any, Any]] = {}
        self._packets: Iterator[Packet] = iter(())
        self._next: Packet | None = None

    def add_to(self, output: OutputContainer, *, pictures: VideoStream) -> None:
        """Declare all streams, chapters and metadata, before the first packet is muxed.

        Args:
            output: Opened for muxing.
            pictures: The stream of the new pictures.
        """
        if self._traits.path is None:
            return
        source = self._source = open_source(self._traits.path)
        self._copy_metadata(source, output, pictures=pictures)
        for index in self._plan.copied:
            self._copies[index] = add_copy(output, source.streams[index])
        for index, codec in self._plan.converted:
            self._add_conversion(output, source.streams[index], codec=codec)
        for cover in self._plan.covers:
            output.add_attachment(cover.name, cover.mime_type, cover.data)
        wanted = [*self._copies, *self._conversions]
        flowing = [
            source.streams[index] for index in wanted if source.streams[index].type != "attachment"
        ]
        for stream in source.streams:
            if stream not in flowing:
                stream.discard = Discard.all
        if flowing:
            self._packets = self._wanted_packets(source, flowing)
            self._next = next(self._packets, None)

    def feed(self, output: OutputContainer, *, until_seconds: Fraction | None) -> None:
        """Copy packets up to a time of the output.

        Args:
            output: Opened for muxing.
            until_seconds: That time; all remaining packets if None.
        """
        while self._next is not None:
            if until_seconds is not None and _when(self._next) > until_seconds:
                return
            output.mux(self._translated(self._next))
            self._next = next(self._packets, None)

    def close(self) -> None:
        """Close the source."""
        if self._source is not None:
            self._source.close()
            self._source = None

    def _copy_metadata(
        self, source: InputContainer, output: OutputContainer, *, pictures: VideoStream
    ) -> None:
        output.metadata.update(_kept(source.metadata))
        film = source.streams[self._traits.stream_index]
        pictures.metadata.update(_kept(film.metadata))
        pictures.disposition = film.disposition
        chapters = _cut_chapters(source.chapters(), cut=self._traits.cut)
        if chapters:
            output.set_chapters(chapters)

    def _add_conversion(self, output: OutputContainer, stream: Any, *, codec: str) -> None:
        decoder = stream.codec_context
        decoder.open(strict=False)
        made: Any = output.add_stream(codec)
        made.codec_context.subtitle_header = decoder.subtitle_header
        made.time_base = stream.time_base
        made.codec_context.time_base = stream.time_base
        _copy_labels(stream, made)
        self._conversions[stream.index] = (made, decoder)

    def _wanted_packets(self, source: InputContainer, streams: list[Stream]) -> Iterator[Packet]:
        """Packets of the copied streams, cut and shifted as the film is."""
        cut = self._traits.cut
        try:
            for packet in source.demux(streams):
                if _is_cover(packet.stream) and packet.size:
                    packet.pts = packet.dts = 0
                    yield packet
                elif (packet.dts is None and packet.pts is None) or _is_filler(packet):
                    continue
                elif cut is None or _inside(packet, cut):
                    yield packet if cut is None else _shifted(packet, cut)
        except FFmpegError:
            # The end of the file is damaged; the film's reader has said so.
            return

    def _translated(self, packet: Packet) -> list[Packet]:
        index = packet.stream_index
        if index in self._copies:
            packet.stream = self._copies[index]
            return [packet]
        made, decoder = self._conversions[index]
        subtitle = decoder.decode2(packet)
        if subtitle is None or not len(subtitle):
            return []
        text = made.codec_context.encode_subtitle(subtitle)
        text.stream = made
        text.time_base = packet.time_base
        text.pts, text.dts, text.duration = packet.pts, packet.dts, packet.duration
        return [text]


def add_copy(output: OutputContainer, stream: Any) -> Stream:
    """A new stream declared for the same packets as another.

    Args:
        output: Opened for muxing.
        stream: Of the source.
    """
    made = output.add_stream_from_template(stream, opaque=True)
    _copy_labels(stream, made)
    return made


def _copy_labels(stream: Stream, made: Stream) -> None:
    made.metadata.update(_kept(stream.metadata))
    made.disposition = stream.disposition


def _kept(metadata: dict[str, str]) -> dict[str, str]:
    """Metadata without entries that describe the old file rather than the film."""
    return {
        key: value
        for key, value in metadata.items()
        if key.lower() not in _WRITTEN_ANEW and not key.upper().startswith(_STATISTICS)
    }


def _can_hold(container_format: str, stream: Stream, sample: Packet | None) -> bool:
    """Whether a container accepts a stream and its first packet, and returns them on reading."""
    if stream.type not in _COPIED:
        return False
    file = io.BytesIO()
    try:
        output = open_output(file, container_format=container_format)
        made = add_copy(output, stream)
        output.start_encoding()
        if sample is not None:
            packet = _clone(sample)
            packet.stream = made
            output.mux(packet)
        output.close()
        return sample is None or _is_recognised(file, stream)
    except (FFmpegError, ValueError, OSError, RuntimeError):
        return False


def _is_recognised(file: io.BytesIO, stream: Stream) -> bool:
    """Whether a file shows the stream it was given; some muxers accept any, and hide it as data."""
    file.seek(0)
    with av.open(file) as back:
        kinds = {(found.type, _name(found)) for found in back.streams}
    return (stream.type, _name(stream)) in kinds


def _is_cover(stream: Any) -> bool:
    return stream.type == "video" and is_cover(stream)


def _cover(stream: Any, sample: Packet) -> Cover:
    kind = "png" if _name(stream) == "png" else "jpeg"
    return Cover(
        name=stream.metadata.get("filename", f"cover.{kind.replace('jpeg', 'jpg')}"),
        mime_type=stream.metadata.get("mimetype", f"image/{kind}"),
        data=bytes(sample),
    )


def _is_filler(packet: Packet) -> bool:
    """Whether a packet is MP4's empty subtitle, which the muxer writes itself."""
    return packet.size == 2 and _name(packet.stream) == "mov_text"


def _clone(packet: Packet) -> Packet:
    copy = Packet(bytes(packet))
    copy.pts, copy.dts, copy.duration = packet.pts, packet.dts, packet.duration
    copy.time_base, copy.is_keyframe = packet.time_base, packet.is_keyframe
    return copy


def _sample_packets(source: InputContainer, streams: list[Stream]) -> dict[int, Packet]:
    """The first packet of each stream that has one near the beginning."""
    flowing = [stream for stream in streams if stream.type != "attachment"]
    samples: dict[int, Packet] = {}
    if not flowing:
        return samples
    try:
        for count, packet in enumerate(source.demux(flowing)):
            if packet.dts is not None or (packet.size and _is_cover(packet.stream)):
                samples.setdefault(packet.stream_index, packet)
            if len(samples) == len(flowing) or count > _PACKETS_TO_TRY:
                break
    except FFmpegError:
        pass
    return samples


def _is_made_by_the_muxer(stream: Stream, source: InputContainer) -> bool:
    """Whether a data stream only repeats chapters or a timecode tag."""
    if stream.type != "data":
        return False
    if _name(stream) == "bin_data" and source.chapters():
        return True
    return "timecode" in stream.metadata


def _name(stream: Any) -> str:
    codec = stream.codec_context
    return codec.name if codec is not None else getattr(stream, "name", None) or "unknown"


def _words(stream: Any) -> str:
    kind = "cover" if _is_cover(stream) else stream.type
    language = f", {stream.language}" if stream.language else ""
    return f"{kind} stream {stream.index} ({_name(stream)}{language})"


def _when(packet: Packet) -> Fraction:
    """When a packet is due, in seconds."""
    ticks = packet.dts if packet.dts is not None else packet.pts
    return (ticks or 0) * (packet.time_base or Fraction(1))


def _inside(packet: Packet, cut: Cut) -> bool:
    """Whether a packet overlaps the selected part."""
    begin = packet.pts if packet.pts is not None else packet.dts or 0
    base = packet.time_base or Fraction(1)
    starts, stops = begin * base, (begin + (packet.duration or 0)) * base
    return stops > cut.start and (cut.stop is None or starts < cut.stop)


def _shifted(packet: Packet, cut: Cut) -> Packet:
    """The packet at its time in the output; one that overlaps the beginning starts with it."""
    shift = round(cut.shift / (packet.time_base or Fraction(1)))
    for name in ("pts", "dts"):
        ticks = getattr(packet, name)
        if ticks is not None:
            setattr(packet, name, ticks - shift)
    return packet


def _cut_chapters(chapters: list[Any], *, cut: Cut | None) -> list[Any]:
    """The chapters that overlap the selected part, clipped to it and shifted."""
    if cut is None:
        return chapters
    kept = []
    for chapter in chapters:
        base = chapter["time_base"]
        start = max(chapter["start"], round(cut.start / base))
        end = chapter["end"]
        if cut.stop is not None:
            end = min(end, round(cut.stop / base))
        if start < end:
            shift = round(cut.shift / base)
            kept.append({**chapter, "start": start - shift, "end": end - shift})
    return kept
