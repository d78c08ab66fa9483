"""Copies sound, subtitles, chapters, attachments and covers, packet by packet.

The source is read a second time for them, in step with the pictures: memory stays small at any
length.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from av.container import InputContainer, OutputContainer
from av.error import ArgumentError, FFmpegError
from av.packet import Packet
from av.stream import Discard, Stream
from av.video.stream import VideoStream

from unflicker.video.container import open_source
from unflicker.video.labels import Labels, cut_chapters, known_to, labels_of
from unflicker.video.probe import is_cover
from unflicker.video.timecode import moved
from unflicker.video.traits import Cut, Traits

_WRITTEN_ANEW = ("encoder", "major_brand", "minor_version", "compatible_brands", "duration")
_STATISTICS = ("BPS", "NUMBER_OF_", "_STATISTICS", "DURATION")
_NAMED_CHANNELS = ("mp4", "ipod", "3gp")
"""Containers that refuse PCM whose channels have no names, as that of MXF."""
_USUAL_CHANNELS = {
    "1 channels": "mono",
    "2 channels": "stereo",
    "6 channels": "5.1",
    "8 channels": "7.1",
}
"""FFmpeg's usual layouts, by its words for as many channels without names."""
_MAY_COINCIDE = 0x20000
"""FFmpeg's flag of containers in which packets of a stream may be due at one time
(AVFMT_TS_NONSTRICT)."""
_CUE_SECONDS = 5
"""How long a subtitle is shown whose file does not say."""
_TRIAL_PACKETS = 1000
"""Packets read in a trial, of all streams together: a stream may have none near the beginning."""
_LATEST_SECONDS = 60
"""How much later than the pictures sound may begin to be tried."""


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
    service: Mapping[str, str] = field(default_factory=dict)
    """Name and provider of the film's broadcast service, as metadata."""
    trial_seconds: Fraction | None = None
    """In a trial: only packets due before this time are copied."""
    trial_start: Fraction = Fraction(0)
    """In a trial: sound that begins later than `trial_seconds` is tried from here on."""
    begins: Fraction | None = None
    """Where pictures and sound begin at one time: that time of the film; None for its first
    picture."""
    notes: tuple[str, ...] = ()
    """What is converted, and why."""
    losses: tuple[str, ...] = ()
    """Streams that the result lacks, and why."""


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
        self._last_dts: dict[int, int] = {}
        self._last_due: dict[int, int] = {}
        """When the last packet of each stream of the output is decoded, in its units."""
        self._tried: set[int] = set()
        """In a trial: the streams that had a packet."""
        self.sound_begins: dict[int, Fraction] = {}
        """In a trial: when each stream of sound begins, by number of the stream in the source."""
        self.refused: dict[int, int] = {}
        """Packets that the muxer refused, by number of the stream in the output."""
        self.bytes: dict[int, int] = {}
        """Bytes handed to the muxer so far, by number of the stream in the source."""
        self.labels = Labels()
        """Metadata and chapters that the muxer was told."""

    def add_to(self, output: OutputContainer, *, pictures: VideoStream) -> None:
        """Declare all streams, chapters and metadata, before the first packet is muxed.

        Args:
            output: Opened for muxing.
            pictures: The stream of the new pictures.
        """
        if self._traits.path is None:
            return
        source = self._source = open_source(self._traits.path)
        chapters = self._copy_metadata(source, output, pictures=pictures)
        for index in self._plan.copied:
            self._copies[index] = add_copy(
                output, source.streams[index], container_format=self._plan.container_format
            )
        for index, codec in self._plan.converted:
            self._add_conversion(output, source.streams[index], codec=codec)
        for cover in self._plan.covers:
            output.add_attachment(cover.name, cover.mime_type, cover.data)
        self.labels = self._labels(output, pictures, chapters=chapters)
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
            for packet in self._translated(self._next):
                self._mux(packet, output)
            self._next = next(self._packets, None)

    def _mux(self, packet: Packet, output: OutputContainer) -> None:
        """Mux a packet; one that the muxer refuses is left out, and counted."""
        output.start_encoding()  # from here on the output's units of time are known
        if not output.format.flags & _MAY_COINCIDE:
            self._part(packet)
        try:
            output.mux(packet)
        except ArgumentError:
            if self._plan.trial_seconds is not None:
                raise
            self.refused[packet.stream_index] = self.refused.get(packet.stream_index, 0) + 1

    def _part(self, packet: Packet) -> None:
        """Let a packet come a unit of the output's time after the one before, where both coincide.

        Damaged and joined files have such packets.
        """
        unit, own = packet.stream.time_base, packet.time_base
        if packet.dts is None or not unit or not own:
            return
        due = round(packet.dts * own / unit)
        last = self._last_due.get(packet.stream_index)
        if last is not None and due <= last:
            late = last + 1 - due
            packet.pts = None if packet.pts is None else round(packet.pts * own / unit) + late
            packet.duration = round((packet.duration or 0) * own / unit)
            packet.dts = due = last + 1
            packet.time_base = unit
        self._last_due[packet.stream_index] = due

    def close(self) -> None:
        """Close the source."""
        if self._source is not None:
            self._source.close()
            self._source = None

    def _copy_metadata(
        self, source: InputContainer, output: OutputContainer, *, pictures: VideoStream
    ) -> int:
        """Copy metadata and chapters; returns how many chapters there are."""
        film: Any = source.streams[self._traits.stream_index]
        output.metadata.update(self._later(_kept(source.metadata), film))
        output.metadata.update(self._plan.service)
        own = known_to(self._plan.container_format, _kept(film.metadata))
        pictures.metadata.update(self._later(own, film))
        reels = [stream.metadata.get("reel_name") for stream in source.streams]
        reel = next((name for name in reels if name), None)
        if reel:
            pictures.metadata["reel_name"] = reel
        pictures.disposition = film.disposition
        chapters = cut_chapters(source.chapters(), cut=self._traits.cut)
        if chapters:
            output.set_chapters(chapters)
        return len(chapters)

    def _labels(self, output: OutputContainer, pictures: VideoStream, *, chapters: int) -> Labels:
        made = {**self._copies, **{index: one for index, (one, _) in self._conversions.items()}}
        languages = {
            f"{stream.type} stream {index}": stream.metadata.get("language", "")
            for index, stream in made.items()
            if stream.type in ("audio", "subtitle")
        }
        flowing = [stream.metadata for stream in made.values() if stream.type != "attachment"]
        return labels_of(
            output.metadata, pictures.metadata, *flowing, chapters=chapters, streams=languages
        )

    def _later(self, metadata: dict[str, str], film: Any) -> dict[str, str]:
        """Metadata with the timecode of the selected part's first frame."""
        cut, rate = self._traits.cut, film.average_rate or film.guessed_rate
        if cut is None or not rate:
            return metadata
        return {
            key: moved(value, cut.shift, rate=rate) if key.lower() == "timecode" else value
            for key, value in metadata.items()
        }

    def _add_conversion(self, output: OutputContainer, stream: Any, *, codec: str) -> None:
        decoder = stream.codec_context
        decoder.open(strict=False)
        made: Any = output.add_stream(codec)
        made.codec_context.subtitle_header = decoder.subtitle_header
        made.time_base = stream.time_base
        made.codec_context.time_base = stream.time_base
        _copy_labels(stream, made, container_format=self._plan.container_format)
        self._conversions[stream.index] = (made, decoder)

    def _wanted_packets(self, source: InputContainer, streams: list[Stream]) -> Iterator[Packet]:
        """Packets of the copied streams, cut and shifted as the film is."""
        cut, clock, until = self._traits.cut, self._traits.clock, self._plan.trial_seconds
        cut = cut if until is None else None
        sound = {stream.index for stream in streams if stream.type == "audio"}
        try:
            for count, packet in enumerate(source.demux(streams)):
                if until is not None and count > _TRIAL_PACKETS:
                    heard = sound <= self.sound_begins.keys()
                    if heard or _when(packet) > until + _LATEST_SECONDS:
                        return
                if is_attached(packet.stream) and packet.size:
                    packet.pts = packet.dts = 0
                    yield packet
                    continue
                if (packet.dts is None and packet.pts is None) or _is_filler(packet):
                    continue
                clock.apply(packet)
                if until is not None:
                    self._bring_near(packet, until)
                    if self._is_late(packet, until):
                        continue
                if cut is None or _inside(packet, cut):
                    yield self._risen(packet if cut is None else _shifted(packet, cut))
        except FFmpegError:
            # The end of the file is damaged; the film's reader has said so.
            return

    def _bring_near(self, packet: Packet, until: Fraction) -> None:
        """Move sound that begins after the end of a trial to its beginning."""
        if packet.stream.type == "audio":
            first = self.sound_begins.setdefault(packet.stream_index, _when(packet))
            if first > until:
                _move(packet, first - self._plan.trial_start)

    def _is_late(self, packet: Packet, until: Fraction) -> bool:
        """Whether a trial does without a packet; the first of each stream is never late, except
        sound: some containers do not show a stream of subtitles without one."""
        flows = packet.stream.type == "audio" or packet.stream_index in self._tried
        self._tried.add(packet.stream_index)
        return flows and _when(packet) > until

    def _risen(self, packet: Packet) -> Packet:
        """The packet, due no earlier than the one before: no muxer takes falling times.

        Sound without durations gets them, or MP4 would hide its last packet.
        """
        if packet.dts is not None:
            last = self._last_dts.get(packet.stream_index, packet.dts)
            if packet.dts < last:
                packet.dts = last
                packet.pts = None if packet.pts is None else max(packet.pts, last)
            if not packet.duration and packet.stream.type == "audio":
                packet.duration = packet.dts - last
            self._last_dts[packet.stream_index] = packet.dts
        return packet

    def _translated(self, packet: Packet) -> list[Packet]:
        index = packet.stream_index
        self.bytes[index] = self.bytes.get(index, 0) + packet.size
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
        text.pts, text.dts = packet.pts, packet.dts
        # MP4 hides a cue without duration; the next one ends it anyway.
        usual = round(_CUE_SECONDS / (packet.time_base or Fraction(1)))
        text.duration = packet.duration or usual
        return [text]


def add_copy(output: OutputContainer, stream: Any, *, container_format: str) -> Stream:
    """A new stream declared for the same packets as another.

    Args:
        output: Opened for muxing.
        stream: Of the source.
        container_format: FFmpeg's name of the muxer.
    """
    made: Any = output.add_stream_from_template(stream, opaque=True)
    if stream.type == "audio" and output.format.name in _NAMED_CHANNELS:
        usual = _USUAL_CHANNELS.get(stream.codec_context.layout.name)
        if usual:
            made.codec_context.layout = usual
    _copy_labels(stream, made, container_format=container_format)
    return made


def _copy_labels(stream: Stream, made: Stream, *, container_format: str) -> None:
    made.metadata.update(known_to(container_format, _kept(stream.metadata)))
    made.disposition = stream.disposition


def _kept(metadata: dict[str, str]) -> dict[str, str]:
    """Metadata without entries that describe the old file rather than the film."""
    return {
        key: value
        for key, value in metadata.items()
        if key.lower() not in _WRITTEN_ANEW and not key.upper().startswith(_STATISTICS)
    }


def is_attached(stream: Any) -> bool:
    """Whether a stream is a cover."""
    return stream.type == "video" and is_cover(stream)


def name_of(stream: Any) -> str:
    """FFmpeg's name of a stream's codec, or of an attachment's file."""
    if stream.codec_context is not None:
        return stream.codec_context.name
    try:
        return getattr(stream, "name", None) or "unknown"
    except FFmpegError:
        return "unknown"


def _is_filler(packet: Packet) -> bool:
    """Whether a packet is MP4's empty subtitle, which the muxer writes itself."""
    return packet.size == 2 and name_of(packet.stream) == "mov_text"


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
    _move(packet, cut.shift)
    return packet


def _move(packet: Packet, earlier: Fraction) -> None:
    """Have a packet due so many seconds earlier."""
    shift = round(earlier / (packet.time_base or Fraction(1)))
    for name in ("pts", "dts"):
        ticks = getattr(packet, name)
        if ticks is not None:
            setattr(packet, name, ticks - shift)
