"""Clock of a file: one that starts again where recordings were joined, or that begins below zero.

Broadcast containers allow a clock to jump. Such files are read once, without decoding, to find
where; packets after a jump are moved, pictures and sound by the same amount, so that the new
recording begins when the old one has ended.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

from av.error import FFmpegError
from av.format import Flags
from av.packet import Packet

from unflicker.files.remote import as_path
from unflicker.video.container import open_source

_JUMP_SECONDS = 10
"""A step ahead that is a new clock and no gap: the default of ffmpeg's -dts_delta_threshold."""
_SAME_JUMP_SECONDS = 1
"""Largest difference between the jumps of two streams at one place."""
_SAME_PLACE_BYTES = 1 << 22
"""Streams are interleaved: they reach a new clock within about a second of high bit rate."""
_HELD_PACKETS = 3
"""Packets a demuxer may hold when another recording begins, and then call corrupt."""


@dataclass(frozen=True, kw_only=True)
class Clock:
    """What is added to the times of a file's packets."""

    shift: Fraction = Fraction(0)
    """Seconds added to all times."""
    places: tuple[tuple[int, ...], ...] = ()
    """For each later recording: the place in the file where it begins, by stream, in bytes."""
    shifts: tuple[Fraction, ...] = ()
    """Seconds added to each later recording besides."""
    spared: tuple[int, ...] = ()
    """Places of packets that FFmpeg calls corrupt only because another recording follows."""
    end: Fraction | None = None
    """When the pictures end, after these shifts; None if the file was not searched."""

    def seconds(self, packet: Packet) -> Fraction:
        """Seconds to add to the times of a packet."""
        if not self.shifts or packet.pos is None:
            return self.shift
        begins = [place[packet.stream_index] for place in self.places]
        number = bisect_right(begins, packet.pos)
        return self.shift + (self.shifts[number - 1] if number else 0)

    def apply(self, packet: Packet, *, earlier: Fraction = Fraction(0)) -> Packet:
        """Move the times of a packet.

        Args:
            packet: As demuxed; it is changed.
            earlier: Seconds to subtract besides.
        """
        seconds = self.seconds(packet) - earlier
        if seconds:
            ticks = round(seconds / (packet.time_base or Fraction(1)))
            packet.pts = None if packet.pts is None else packet.pts + ticks
            packet.dts = None if packet.dts is None else packet.dts + ticks
        return packet

    @property
    def notes(self) -> tuple[str, ...]:
        """What was mended, for the user."""
        notes = []
        if self.shift:
            notes.append(
                f"the clock begins at {float(-self.shift):.3f} s; pictures and sound are moved to 0"
            )
        if self.shifts:
            count = len(self.shifts)
            often = "once" if count == 1 else f"{count} times"
            notes.append(
                f"joined recordings: the clock starts again {often}; each part follows the one "
                "before, pictures and sound together"
            )
        return tuple(notes)


def read_clock(path: Path, *, stream_index: int) -> Clock:
    """The clock of a file, without a shift of its beginning.

    Args:
        path: Of the file.
        stream_index: Number of the stream that is the film.
    """
    status = path.stat()
    return _searched(str(path), stream_index, (status.st_size, status.st_mtime_ns))


@lru_cache(maxsize=8)
def _searched(path: str, main: int, _: tuple[int, int]) -> Clock:
    with open_source(as_path(path)) as container:
        if not container.format.flags & Flags.ts_discont.value:
            return Clock()
        kinds = [stream.type for stream in container.streams]
        lines = [_Line() for _ in kinds]
        try:
            for packet in container.demux():
                if packet.stream_index < len(lines):
                    lines[packet.stream_index].see(packet)
        except FFmpegError:
            pass  # The reader says so.
    heard = [line for kind, line in zip(kinds, lines, strict=True) if kind == "audio"]
    return _joined(lines, lines[main], heard)


@dataclass(kw_only=True)
class _Jump:
    """A place where a stream's clock jumps."""

    place: int
    end: Fraction
    """When the stream ended before it, by the old clock."""
    begin: Fraction
    """When it goes on, by the new clock."""
    before: tuple[int, ...]
    """Places of the last packets before it."""


@dataclass(kw_only=True)
class _Line:
    """The times of one stream while its packets pass."""

    jumps: list[_Jump] = field(default_factory=list)
    first_place: int | None = None
    last_places: tuple[int, ...] = ()
    end: Fraction | None = None
    _last: Fraction | None = None
    _step: Fraction = Fraction(0)

    def see(self, packet: Packet) -> None:
        """Take note of a packet's times."""
        ticks = packet.dts if packet.dts is not None else packet.pts
        if ticks is None or packet.time_base is None or packet.pos is None:
            return
        due = ticks * packet.time_base
        shown = due if packet.pts is None else packet.pts * packet.time_base
        length = (packet.duration or 0) * packet.time_base or self._step
        end = shown + length
        if self.first_place is None:
            self.first_place = packet.pos
        if self._last is not None and self.end is not None:
            ahead = due - max(self._last, self.end)
            if due < self._last or ahead > _JUMP_SECONDS:
                self.jumps.append(
                    _Jump(place=packet.pos, end=self.end, begin=shown, before=self.last_places)
                )
                self.end = end
            elif due > self._last:
                self._step = due - self._last
        self.end = end if self.end is None else max(self.end, end)
        self._last, self.last_places = due, (*self.last_places, packet.pos)[-_HELD_PACKETS:]

    def is_around(self, place: int) -> bool:
        """Whether there are packets before and after a place."""
        if self.first_place is None:
            return False
        return self.first_place < place < self.last_places[-1]


def _joined(lines: list[_Line], main: _Line, heard: list[_Line]) -> Clock:
    """The clock of a file from the jumps of its streams."""
    places: list[tuple[int, ...]] = []
    shifts: list[Fraction] = []
    spared: list[int] = []
    for jump in main.jumps:
        others = {id(line): _same_jump(line, jump) for line in lines if line is not main}
        unmoved = [line for line in heard if line.is_around(jump.place) and not others[id(line)]]
        found = [jump, *(other for other in others.values() if other is not None)]
        if len(found) == 1 and unmoved:
            continue  # The sound goes on: not a new clock.
        shift = shifts[-1] if shifts else Fraction(0)
        end, begin = max(one.end for one in found) + shift, min(one.begin for one in found)
        shifts.append(end - begin)
        spared += jump.before
        first = min(one.place for one in found)
        own = [jump if line is main else others[id(line)] for line in lines]
        places.append(tuple(first if one is None else one.place for one in own))
    last = main.end
    if last is not None and shifts:
        last += shifts[-1]
    return Clock(places=tuple(places), shifts=tuple(shifts), spared=tuple(spared), end=last)


def _same_jump(line: _Line, jump: _Jump) -> _Jump | None:
    """The jump of another stream that belongs to one of the pictures; it is taken from its line."""
    alike = [
        other
        for other in line.jumps
        if abs(other.place - jump.place) < _SAME_PLACE_BYTES
        and abs((other.begin - other.end) - (jump.begin - jump.end)) < _SAME_JUMP_SECONDS
    ]
    if not alike:
        return None
    found = min(alike, key=lambda other: abs(other.place - jump.place))
    line.jumps.remove(found)
    return found
