"""A video file as a source: decoded again at each reading, damaged frames kept in time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import islice
from math import ceil
from pathlib import Path

from av.container import InputContainer
from av.error import FFmpegError
from av.format import Flags
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from unflicker.errors import InputError
from unflicker.frames.picture import ColourMeaning, Frame, Picture, PixelLayout
from unflicker.video.clock import Clock, read_clock
from unflicker.video.container import open_source
from unflicker.video.gaps import Gaps
from unflicker.video.pixel_formats import planes_of, stored_format
from unflicker.video.probe import Probe, look_at, main_stream
from unflicker.video.promised import (
    credible_rate,
    origin_of,
    promise_of,
    seconds_of,
    shortfall,
)
from unflicker.video.timing import Part, Timekeeper
from unflicker.video.traits import Cut, Traits
from unflicker.video.uniform import AsItBegins

_OUTPUT_CORRUPT = 8
_SEEK_MARGIN_SECONDS = 3


class FileSource:
    """The main video stream of a file; see `film.VideoSource` for what each attribute means."""

    def __init__(
        self,
        path: Path,
        *,
        start_seconds: float = 0.0,
        duration_seconds: float | None = None,
        strict: bool = False,
    ) -> None:
        look = look_at(path)
        self.name = path.name
        self._path = path
        self._strict = strict
        self.layout: PixelLayout = stored_format(look.first.format.name).layout
        self.size = (look.first.height, look.first.width)
        self.meaning: ColourMeaning = look.traits.tags.meaning(self.layout, size=self.size)
        self._as_it_begins = AsItBegins(look.first, changed=self._changed)
        self._notes: dict[str, None] = dict.fromkeys(look.notes)
        self.incomplete = False
        """Whether something of the film is missing, as far as it has been read."""
        self._is_broken = False
        """Whether packets or frames were damaged in the reading that goes on."""
        self.mended = False
        """Whether something was amiss that its notes tell of, as far as it has been read."""
        self._fill_in(look, start_seconds=start_seconds, duration_seconds=duration_seconds)

    @property
    def notes(self) -> tuple[str, ...]:
        """Notes for the user; some are added during reading."""
        return tuple(self._notes)

    def frames(self) -> Iterator[Frame]:
        """Frames of the film, from its beginning, or from its cut's.

        Raises:
            InputError: A damaged frame, when the film was opened as strict.
        """
        start = self.traits.cut.start if self.traits.cut is not None else None
        found = self._frames(near=start, index=0)
        first = next(found, None)
        if first is None:
            raise InputError(
                f"{self._path} has no frame in the part asked for; check --start and --duration"
            )
        yield first
        yield from found

    def frames_from(self, index: int, pts: int) -> Iterator[Frame]:
        """The same frames as `frames()`, from one on; those before it are decoded only if the file
        cannot be entered near it.

        Args:
            index: Of the first.
            pts: Its time, as `frames()` gives it.

        Raises:
            InputError: As in `frames`.
        """
        cut = self.traits.cut
        near = pts * self.traits.time_base + (cut.shift if cut is not None else 0)
        found = self._frames(near=near, index=index, least=pts)
        first = next(found, None)
        # A frame that seems damaged may only lack what comes before the place that was found.
        if first is None or first.pts != pts or first.damaged:
            yield from islice(self.frames(), index, None)
            return
        yield first
        yield from found

    def _frames(
        self, *, near: Fraction | None, index: int, least: int | None = None
    ) -> Iterator[Frame]:
        """Frames from a keyframe before a time of the file's own clock on.

        Args:
            near: That time; None for the beginning.
            index: Of the first frame.
            least: Time of the first frame, as `frames()` gives it.
        """
        part = Part.of(self.traits.cut, time_base=self.traits.time_base)
        keeper = Timekeeper(delay=self._delay, usual=round(1 / self.rate / self.traits.time_base))
        waiting: Frame | None = None
        gaps, self._is_broken = Gaps(), False
        for pts, (decoded, damaged) in keeper.timed(self._decoded(near)):
            if part.is_over(pts):
                break
            shown = pts - part.shift
            if not part.is_wanted(pts) or (least is not None and shown < least):
                continue
            gaps.see(pts)
            self._is_broken |= damaged
            self.mended |= damaged or keeper.has_mended
            if damaged and self._strict:
                raise InputError(self._damage_message(decoded))
            if waiting is not None:
                yield replace(waiting, duration=shown - waiting.pts)
            waiting = self._frame(decoded, index=index, pts=shown, damaged=damaged)
            index += 1
        for note in keeper.notes:
            self._note(note)
        if self._may_lose_frames:
            self._compare_steps(gaps)
        if waiting is not None:
            yield replace(waiting, duration=self._last_duration(waiting))

    def _fill_in(
        self, look: Probe, *, start_seconds: float, duration_seconds: float | None
    ) -> None:
        with open_source(self._path) as container:
            stream = main_stream(container, path=self._path)
            self.rate = credible_rate(stream.average_rate, stream.guessed_rate)
            self._header_seconds = seconds_of(container, stream)
            self._promise = promise_of(self._path, container, stream)
            self._may_lose_frames = bool(container.format.flags & Flags.ts_discont.value)
            begin, length = stream.start_time, stream.duration
            # MP4 gives durations in decoding order; only their sum says when the last frame ends.
            self._end: int | None = None
            if "mp4" in container.format.name and begin is not None and length:
                self._end = begin + length
            origin = origin_of(container, stream)
            # AVI stores no times of showing; FFmpeg's guess comes late by the decoder's delay.
            self._delay = (look.first.pts or 0) if container.format.name == "avi" else 0
        clock = self._clock(look, origin)
        origin += clock.shift
        cut = None
        if start_seconds > 0 or duration_seconds is not None:
            start = origin + Fraction(max(start_seconds, 0.0)).limit_denominator(1_000_000)
            length = duration_seconds
            cut = Cut(
                start=start,
                stop=None if length is None else start + Fraction(length).limit_denominator(10**6),
                shift=start - origin,
            )
        self._origin = origin
        self.traits: Traits = replace(look.traits, cut=cut, clock=clock)
        self._notes |= dict.fromkeys(clock.notes)
        self.estimated_frames = self._estimate(start_seconds, duration_seconds)

    def _clock(self, look: Probe, origin: Fraction) -> Clock:
        """The clock of the file, which begins at 0 if it began below."""
        clock, unit = (
            read_clock(self._path, stream_index=look.traits.stream_index),
            (look.traits.time_base),
        )
        if look.first.pts is not None and not self._delay:
            self._first_pts: int | None = look.first.pts
            if look.first.pts < 0:
                ticks = ceil(-min(origin, look.first.pts * unit) / unit)
                clock = replace(clock, shift=ticks * unit)
                self._first_pts += ticks
        else:
            self._first_pts = None
        if clock.end is not None:
            self._header_seconds = float(clock.end - origin)
        return clock

    def _estimate(self, start_seconds: float, duration_seconds: float | None) -> int | None:
        seconds = self._header_seconds
        if seconds is not None:
            seconds = max(seconds - start_seconds, 0.0)
        if duration_seconds is not None:
            seconds = duration_seconds if seconds is None else min(seconds, duration_seconds)
        return None if seconds is None else max(1, round(seconds * float(self.rate)))

    def _last_duration(self, last: Frame) -> int:
        """Duration of the last frame: to the stream's end, if that is credible."""
        if self._end is None or self.traits.cut is not None:
            return last.duration
        left = self._end - last.pts
        credible = max(4 * last.duration, round(1 / self.traits.time_base))
        return left if 0 < left <= credible else last.duration

    def _frame(self, decoded: VideoFrame, *, index: int, pts: int, damaged: bool) -> Frame:
        picture = Picture(
            planes=planes_of(self._as_it_begins(decoded)), layout=self.layout, meaning=self.meaning
        )
        return Frame(
            picture=picture,
            index=index,
            pts=pts,
            time_base=self.traits.time_base,
            duration=decoded.duration or 0,
            damaged=damaged,
        )

    def _changed(self, text: str) -> None:
        """Note that the film changes in the middle; a strict reading ends there."""
        if self._strict:
            raise InputError(f"{self._path}: {text}; omit --strict to convert them")
        self._note(text)

    def _decoded(self, near: Fraction | None) -> Iterator[tuple[VideoFrame, bool]]:
        """Frames from before a time on, in presentation order, each with whether it is damaged."""
        with open_source(self._path) as container:
            stream = main_stream(container, path=self._path)
            stream.thread_type = "AUTO"
            stream.codec_context.flags |= _OUTPUT_CORRUPT
            whole = not self._seek(container, stream, near)
            corrupt_times: set[int] = set()
            read = _Read()
            for packet in self._packets(container, stream):
                if packet is not None:
                    self._saw(packet, read, corrupt_times)
                for frame in self._decode(stream, packet):
                    damaged = frame.is_corrupt or frame.pts in corrupt_times
                    corrupt_times.discard(frame.pts or 0)
                    if damaged and whole and self._is_early(frame.pts):
                        continue
                    read.last = frame
                    self._as_it_begins.see_shape(stream.codec_context.sample_aspect_ratio)
                    yield frame, damaged
            self._compare(read, whole=whole)

    def _saw(self, packet: Packet, read: _Read, corrupt_times: set[int]) -> None:
        """Move a packet by the clock, and take note of it."""
        clock = self.traits.clock
        read.packets += 1
        clock.apply(packet)
        if packet.pts is None:
            return
        if packet.is_corrupt and packet.pos not in clock.spared:
            corrupt_times.add(packet.pts)
        if self._is_early(packet.pts) and not packet.is_discard:
            read.early += 1
            self.mended = True

    def _is_early(self, pts: int | None) -> bool:
        """Whether a time is before that of the first frame that can be decoded."""
        return pts is not None and self._first_pts is not None and pts < self._first_pts

    def _packets(self, container: InputContainer, stream: VideoStream) -> Iterator[Packet | None]:
        """The stream's packets, then None to flush the decoder."""
        try:
            for packet in container.demux(stream):
                if packet.size or packet.dts is not None:
                    yield packet
        except FFmpegError as fault:
            if self._strict:
                raise InputError(f"{self._path} ends in mid-film: {fault.strerror}") from fault
            self._lacks(
                f"the file cannot be read to its end ({fault.strerror}); kept what there is"
            )
        yield None

    def _decode(self, stream: VideoStream, packet: Packet | None) -> list[VideoFrame]:
        try:
            return stream.decode(packet)
        except FFmpegError as fault:
            if packet is not None and self._is_early(packet.pts):
                return []
            if self._strict:
                raise InputError(
                    f"{self._path}: a frame cannot be decoded ({fault.strerror}); "
                    "omit --strict to continue without it"
                ) from fault
            self._is_broken = True
            self._lacks("some frames could not be decoded and are missing; times are kept")
            return []

    def _seek(self, container: InputContainer, stream: VideoStream, near: Fraction | None) -> bool:
        """Seek to before a time, to avoid decoding what comes long before it; whether it did.

        A file whose clock starts again has no order of times to seek in.
        """
        if near is None or near <= self._origin or self.traits.clock.shifts:
            return False
        unit, shift = self.traits.time_base, self.traits.clock.shift
        place = int((max(self._origin, near - _SEEK_MARGIN_SECONDS) - shift) / unit)
        try:
            container.seek(place, stream=stream, backward=True)
            packet = next(iter(container.demux(stream)))
            early = packet.pts is not None and packet.pts * unit + shift <= near
            place = place if early else 0
            container.seek(place, stream=stream, backward=True)
        except (FFmpegError, StopIteration):
            container.seek(0)
        return True

    def _damage_message(self, frame: VideoFrame) -> str:
        unit = self.traits.time_base
        seconds = f" at {float(frame.pts * unit):.3f} s" if frame.pts is not None else ""
        return (
            f"{self._path}: the frame{seconds} is damaged; "
            "omit --strict to keep it in time and continue"
        )

    def _note(self, text: str) -> None:
        self._notes[text] = None
        self.mended = True

    def _lacks(self, text: str) -> None:
        """Note that something of the film is missing."""
        self._note(text)
        self.incomplete = True

    def _compare_steps(self, gaps: Gaps) -> None:
        """Note frames that were lost on the way: containers for broadcasts promise nothing."""
        places, frames = gaps.missing(joins=len(self.traits.clock.shifts))
        if not places:
            return
        where = "one place" if places == 1 else f"{places} places"
        count = "1 frame is" if frames == 1 else f"about {frames} frames are"
        self._note(f"{count} missing at {where} of the film; times are kept")
        self.incomplete |= self._is_broken

    def _compare(self, read: _Read, *, whole: bool) -> None:
        """Compare what was read to its end with what the file promises.

        Args:
            read: What was read.
            whole: Whether from the beginning; else packets are not counted.
        """
        if read.early:
            self._note(
                f"left out: {read.early} at the beginning, which need pictures that are not in the "
                "file"
            )
        last = read.last
        if last is None or last.pts is None:
            return
        end = (last.pts + (last.duration or 0)) * self.traits.time_base - self.traits.clock.shift
        # Some writers count from the beginning of the file, others from 0.
        length = float(max(end, end + self.traits.clock.shift - self._origin))
        packets = read.packets if whole else None
        lack = shortfall(
            self._promise, path=self._path, packets=packets, seconds=length, rate=self.rate
        )
        if lack is None:
            return
        what, certain = lack
        if certain and self._strict:
            raise InputError(
                f"{self._path} is cut off: {what}; omit --strict to keep what there is"
            )
        self._note(f"the file {'is' if certain else 'may be'} cut off: {what}; kept what there is")
        self.incomplete |= certain


@dataclass(kw_only=True)
class _Read:
    """What has been read of a film."""

    packets: int = 0
    early: int = 0
    """Packets of frames that cannot be decoded, before the first that can."""
    last: VideoFrame | None = field(default=None)
