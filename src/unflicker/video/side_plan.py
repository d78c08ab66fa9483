"""What becomes of a film's other streams, tried as they will be muxed: with its pictures."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from io import BufferedIOBase
from typing import Any

import av
from av.container import InputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.stream import Stream

from unflicker.video.container import open_output, open_source
from unflicker.video.encoding import VideoFormat
from unflicker.video.labels import lost_labels, repeats_chapters
from unflicker.video.muxing import mux_alone
from unflicker.video.segment_file import timings
from unflicker.video.service_names import Services, services_of
from unflicker.video.side_streams import Cover, Plan, add_copy, is_attached, name_of

_TEXT_SUBTITLES = ("subrip", "ass", "ssa", "mov_text", "webvtt", "text", "srt")
_TEXT_OF_CONTAINER = {
    "mp4": "mov_text",
    "ipod": "mov_text",
    "mov": "mov_text",
    "3gp": "mov_text",
    "matroska": "subrip",
    "webm": "webvtt",
}
_COPIED = ("audio", "subtitle", "video", "attachment", "data")
_COVERS_TO_TRY = 400
"""Packets until a cover must have come."""
_TRIAL_SECONDS = Fraction(1, 10)
"""Least length of the other streams in a trial: several packets of sound."""
_TOGETHER = ("avi", "mxf")
"""Containers in which pictures and sound begin at one time."""
_HOLDS = "avi"
"""One in which a picture may last longer, so that sound that begins earlier keeps its time."""
_HEARD_SECONDS = Fraction(45, 1000)
"""How far sound may be ahead or behind unnoticed (ITU-R BT.1359: 45 ms ahead)."""
_NAMED_SERVICES = 4
_WIDE = {".mkv": "matroska", ".mov": "mov", ".wmv": "asf", ".avi": "avi"}
"""Containers that hold many kinds of streams, by their endings, in order of preference."""
_KEPT_SHARE = 0.25
"""Of the bytes of a stream that come back: headers of some ten bytes a packet are allowed for."""
_FLV_SOUND = ("aac", "ac3", "eac3", "flac", "opus", "mp3")
"""Codecs at which the bundled FFmpeg's muxer of FLV does not end the process by an assertion (its
flvenc.c, line 536): all others that the format has were tried."""
_FAULTS = (FFmpegError, ValueError, OSError, RuntimeError, OverflowError)
_ONE_KIND = {"mp1": "mp3", "mp2": "mp3", "ssa": "ass"}
"""Codecs that one decoder reads, and that containers do not distinguish."""


def plan_side_streams(form: VideoFormat, *, pictures: BufferedIOBase) -> Plan:
    """The treatment of each other stream of the source, found by trial.

    Args:
        form: How the film is encoded.
        pictures: A segment of its first frames.
    """
    plan = Plan(container_format=form.container_format)
    if form.traits.path is None:
        return plan
    trial, services = _Trial(form, pictures), _services(form)
    plan = _streams_planned(form, replace(plan, service=services.own), trial)
    lost = (*trial.lost_labels(plan), *_services_lost(services.others))
    return trial.in_step(replace(plan, losses=(*plan.losses, *lost)))


def _services(form: VideoFormat) -> Services:
    """The broadcast services of the source."""
    path = form.traits.path
    assert path is not None
    with open_source(path) as source:
        if source.format.name != "mpegts":
            return Services()
        return services_of(path, pid=source.streams[form.traits.stream_index].id)


def _services_lost(others: tuple[str, ...]) -> tuple[str, ...]:
    """That streams of several broadcast services become those of one, in words."""
    if not others:
        return ()
    return (
        f"the streams of {len(others) + 1} broadcast services are written as those of one; "
        f"lost: the name {' and '.join(others[:_NAMED_SERVICES])}",
    )


def _streams_planned(form: VideoFormat, plan: Plan, trial: _Trial) -> Plan:
    """The plan of all streams, from one of none; labels are not compared yet."""
    none = plan
    assert form.traits.path is not None
    with open_source(form.traits.path) as source:
        others = [stream for stream in source.streams if stream.index != form.traits.stream_index]
        others = [stream for stream in others if not _is_made_by_the_muxer(stream, source)]
        if not others:
            return plan
        ways = {stream.index: list(_ways(stream, source, plan)) for stream in others}
        for index in ways:
            plan = ways[index][0](plan) if ways[index] else plan
        if all(ways.values()) and trial.holds(plan, source):
            return plan
        plan = none
        for stream in others:
            plan = _with(stream, ways[stream.index], plan, trial, source)
    return plan


def _with(stream: Stream, ways: list[Any], plan: Plan, trial: _Trial, source: Any) -> Plan:
    """The plan with one more stream, in the first way that holds."""
    for way in ways:
        wider = way(plan)
        if trial.holds(wider, source):
            return wider
    note = (
        f"{_words(stream)} is left out: {plan.container_format} cannot hold it; "
        f"{_advice(stream, plan.container_format)}"
    )
    return replace(plan, losses=(*plan.losses, note))


def _advice(stream: Stream, container_format: str) -> str:
    """Which other kind of output may hold a stream."""
    for ending, kind in _WIDE.items():
        if kind == container_format:
            continue
        try:
            with open_output(io.BytesIO(), container_format=kind) as output:
                add_copy(output, stream, container_format=kind)
        except _FAULTS:
            continue
        return f"an output ending in {ending} may"
    return "no other kind of output can"


def _ways(stream: Any, source: InputContainer, plan: Plan) -> Iterator[Any]:
    """Functions that add a stream to a plan, the best way first."""
    if is_attached(stream) and plan.container_format == "matroska":
        cover = _cover(stream, source)
        if cover is not None:
            yield lambda plan: replace(plan, covers=(*plan.covers, cover))
    if stream.type in _COPIED and not _is_hopeless(stream, plan.container_format):
        yield lambda plan: replace(plan, copied=(*plan.copied, stream.index))
    text = _TEXT_OF_CONTAINER.get(plan.container_format)
    if text and name_of(stream) in _TEXT_SUBTITLES:
        note = f"{_words(stream)} becomes {text}: {plan.container_format} holds no other"
        yield lambda plan: replace(
            plan,
            converted=(*plan.converted, (stream.index, text)),
            notes=(*plan.notes, note),
        )


def _is_hopeless(stream: Any, container_format: str) -> bool:
    """Whether a stream is not tried: FFmpeg would end the process, or lose some of its packets."""
    if container_format == "mpeg" and stream.type == "subtitle":
        return True  # Which cues come back depends on when they are due.
    if container_format != "flv" or stream.type != "audio" or stream.codec_context is None:
        return False
    return stream.codec_context.codec.canonical_name not in _FLV_SOUND


class _Trial:
    """Muxes the first frames of a film with other streams, and reads them back."""

    def __init__(self, form: VideoFormat, pictures: BufferedIOBase) -> None:
        self._form, self._pictures = form, pictures
        self._begin = form.traits.clock.shift + _start(form)
        shown = timings(pictures)
        times = [timing.pts + timing.duration for timing in shown]
        # Interleaved containers drop sound that goes on after the last picture.
        length = (max(times) - min(times)) * form.time_base if times else 0
        self._until = self._begin + max(_TRIAL_SECONDS, length)
        self._first = min((timing.pts for timing in shown), default=0) * form.time_base
        self._sound_begins: dict[int, Fraction] = {}

    def holds(self, plan: Plan, source: InputContainer) -> bool:
        """Whether the container gives back every stream of a plan.

        Args:
            plan: What is copied and converted.
            source: The film, for the names of its streams.
        """
        file, short = io.BytesIO(), self._short(plan)
        try:
            muxed = mux_alone(self._form, self._pictures, plan=short, place=file)
            self._sound_begins |= muxed.sound_begins
            return _come_back(file, plan, source, muxed.copied_bytes)
        except _FAULTS:
            return False

    def lost_labels(self, plan: Plan) -> tuple[str, ...]:
        """Metadata and chapters that the container does not give back, in words.

        Args:
            plan: What becomes of all other streams.
        """
        file, short = io.BytesIO(), self._short(plan)
        try:
            told = mux_alone(self._form, self._pictures, plan=short, place=file).labels
            if told.is_empty:
                return ()
            file.seek(0)
            with av.open(file, mode="r", metadata_errors="replace") as back:
                return lost_labels(told, back, container_format=plan.container_format)
        except _FAULTS:
            return ()

    def in_step(self, plan: Plan) -> Plan:
        """The plan, with when a file begins that has one beginning for all, and what that changes.

        Args:
            plan: What becomes of all other streams.
        """
        if plan.container_format not in _TOGETHER:
            return plan
        late = {index: self._late(index) for index in plan.copied if index in self._sound_begins}
        held = -min(late.values(), default=Fraction(0))
        held = held if held > _HEARD_SECONDS else Fraction(0)
        if plan.container_format == _HOLDS:
            plan = replace(plan, begins=self._first - held)
            late = {index: seconds + held for index, seconds in late.items()}
        found = [
            f"audio stream {index} begins {float(abs(seconds)):.2f} s "
            f"{'after' if seconds > 0 else 'before'} the pictures, and with them in "
            f"{plan.container_format}; an output ending in .mkv keeps its time"
            for index, seconds in late.items()
            if abs(seconds) > _HEARD_SECONDS
        ]
        if plan.container_format == _HOLDS and held:
            found.append(
                f"sound begins {float(held):.2f} s before the pictures: in {_HOLDS} the first "
                "picture is shown from then on; an output ending in .mkv keeps its time"
            )
        return replace(plan, losses=(*plan.losses, *found))

    def _late(self, index: int) -> Fraction:
        """How much later than the pictures a stream of sound begins, in seconds."""
        begins, cut = self._sound_begins[index], self._form.traits.cut
        if cut is None:
            return begins - self._first
        return max(begins - cut.start, Fraction(0))

    def _short(self, plan: Plan) -> Plan:
        return replace(plan, trial_seconds=self._until, trial_start=self._begin)


def _start(form: VideoFormat) -> Fraction:
    """When the file begins, by its own clock."""
    path = form.traits.path
    if path is None:
        return Fraction(0)
    with open_source(path) as source:
        return Fraction(source.start_time or 0, av.time_base)


def _come_back(
    file: io.BytesIO, plan: Plan, source: InputContainer, copied: dict[int, int]
) -> bool:
    """Whether a file shows the streams it was given; some muxers accept any, and hide it as data.

    Args:
        file: As muxed.
        plan: Its streams.
        source: The film, for the names of its streams.
        copied: Bytes of each stream that were muxed.
    """
    streams = [source.streams[index] for index in plan.copied]
    wanted = [
        (_kind(stream), copied.get(stream.index, 0))
        for stream in streams
        # Sound of which no packet was found has nothing to show.
        if stream.type != "audio" or copied.get(stream.index)
    ]
    texts = [codec for _, codec in plan.converted]
    wanted += [(("subtitle", _ONE_KIND.get(text, text)), 0) for text in texts]
    file.seek(0)
    with av.open(file, mode="r", metadata_errors="replace") as back:
        found = [(_kind(stream), stream.index) for stream in back.streams]
        sizes = dict.fromkeys((index for _, index in found), 0)
        for packet in back.demux():
            sizes[packet.stream_index] += packet.size * _is_sound(packet)
    found.remove(next(one for one in found if one[0][0] == "video"))  # The pictures.
    for kind, size in wanted:
        least = _KEPT_SHARE * size
        match = next((one for one in found if one[0] == kind and sizes[one[1]] >= least), None)
        if match is None:
            return False
        found.remove(match)
    return True


def _is_sound(packet: Packet) -> bool:
    """Whether a packet is no sound, or sound that can be decoded."""
    if packet.stream.type != "audio":
        return True
    try:
        packet.decode()
    except FFmpegError:
        return False
    return True


def _kind(stream: Any) -> tuple[str, str]:
    """Type of a stream, and its codec whatever the program that reads it is called."""
    context = stream.codec_context
    name = name_of(stream) if context is None else context.codec.canonical_name
    return stream.type, _ONE_KIND.get(name, name)


def _cover(stream: Any, source: InputContainer) -> Cover | None:
    """The picture of a stream that is one."""
    sample = _first_packet(stream, source)
    if sample is None:
        return None
    kind = "png" if name_of(stream) == "png" else "jpeg"
    return Cover(
        name=stream.metadata.get("filename", f"cover.{kind.replace('jpeg', 'jpg')}"),
        mime_type=stream.metadata.get("mimetype", f"image/{kind}"),
        data=bytes(sample),
    )


def _first_packet(stream: Any, source: InputContainer) -> Packet | None:
    try:
        for count, packet in enumerate(source.demux(stream)):
            if packet.size:
                return packet
            if count > _COVERS_TO_TRY:
                break
        source.seek(0)
    except FFmpegError:
        pass
    return None


def _is_made_by_the_muxer(stream: Stream, source: InputContainer) -> bool:
    """Whether a stream only repeats chapters or a timecode tag."""
    if stream.type == "subtitle":
        return repeats_chapters(stream, source)
    if stream.type != "data":
        return False
    if name_of(stream) == "bin_data" and source.chapters():
        return True
    return "timecode" in stream.metadata


def _words(stream: Any) -> str:
    kind = "cover" if is_attached(stream) else stream.type
    language = f", {stream.language}" if stream.language else ""
    return f"{kind} stream {stream.index} ({name_of(stream)}{language})"
