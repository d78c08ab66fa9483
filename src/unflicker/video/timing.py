"""Gives every frame a rising time, whatever the container omits or repeats."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from av.video.frame import VideoFrame

from unflicker.video.traits import Cut

_MOST_FALLEN = 8
"""Frames that may be held until a time rises again; more are a clock that starts again."""
_Decoded = tuple[VideoFrame, bool]


@dataclass(frozen=True, kw_only=True)
class Part:
    """The selected part of a film, in units of the stream's time."""

    start: Fraction | None = None
    stop: Fraction | None = None
    shift: int = 0
    """Subtracted from times: a part begins where the film began."""

    @classmethod
    def of(cls, cut: Cut | None, *, time_base: Fraction) -> Part:
        """The part of a cut.

        Args:
            cut: In seconds; None is the whole film.
            time_base: Seconds in a unit.
        """
        if cut is None:
            return cls()
        return cls(
            start=cut.start / time_base,
            stop=None if cut.stop is None else cut.stop / time_base,
            shift=round(cut.shift / time_base),
        )

    def is_over(self, pts: int) -> bool:
        """Whether a time is after the part."""
        return self.stop is not None and pts >= self.stop

    def is_wanted(self, pts: int) -> bool:
        """Whether a time is not before the part."""
        return self.start is None or pts >= self.start


class Timekeeper:
    """Times of decoded frames, in order.

    Frames whose times repeat or fall are spread evenly up to the next that rises.
    """

    def __init__(self, *, delay: int, usual: int) -> None:
        """Begin.

        Args:
            delay: Subtracted from all times.
            usual: Ticks from one frame to the next.
        """
        self._delay, self._usual = delay, max(usual, 1)
        self._shift = 0
        self._last: int | None = None
        self._last_duration = 1
        self._spread = self._restarts = 0

    @property
    def has_mended(self) -> bool:
        """Whether a time was changed."""
        return bool(self._spread or self._restarts)

    @property
    def notes(self) -> tuple[str, ...]:
        """What was mended so far, for the user."""
        notes = []
        if self._spread:
            notes.append(
                f"times that repeat or fall ({self._spread} in all) are spread up to the next"
            )
        if self._restarts:
            notes.append(
                "the clock of the pictures starts again in the middle "
                f"({self._restarts} in all); they go on without a gap"
            )
        return tuple(notes)

    def timed(self, frames: Iterator[_Decoded]) -> Iterator[tuple[int, _Decoded]]:
        """Each frame with its time."""
        fallen: list[_Decoded] = []
        for found in frames:
            time = self._own_time(found[0])
            if self._last is not None and time <= self._last:
                fallen.append(found)
                if len(fallen) > _MOST_FALLEN:
                    yield from self._restarted(fallen)
                continue
            yield from self._spread_out(fallen, time)
            yield self._taken(time, found)
        yield from self._spread_out(fallen, None)

    def _own_time(self, frame: VideoFrame) -> int:
        """The frame's time; where the file has none, the decoding time, or the next in line."""
        ticks = frame.pts if frame.pts is not None else frame.dts
        if ticks is None:
            return 0 if self._last is None else self._last + self._last_duration
        return ticks - self._delay + self._shift

    def _taken(self, time: int, found: _Decoded) -> tuple[int, _Decoded]:
        self._last, self._last_duration = time, found[0].duration or self._last_duration
        return time, found

    def _spread_out(
        self, fallen: list[_Decoded], stop: int | None
    ) -> Iterator[tuple[int, _Decoded]]:
        """The frames that were held, between the last time and the next."""
        waiting, begin = list(fallen), self._last or 0
        fallen.clear()
        step = self._usual if stop is None else (stop - begin) / (len(waiting) + 1)
        for number, found in enumerate(waiting, start=1):
            self._spread += 1
            time = max(begin + int(number * step), (self._last or 0) + 1)
            yield self._taken(time, found)

    def _restarted(self, fallen: list[_Decoded]) -> Iterator[tuple[int, _Decoded]]:
        """The frames that were held, by a clock that goes on after the last time."""
        waiting = list(fallen)
        fallen.clear()
        self._restarts += 1
        self._shift += (self._last or 0) + self._usual - self._own_time(waiting[0][0])
        for found in waiting:
            time = max(self._own_time(found[0]), (self._last or 0) + 1)
            yield self._taken(time, found)
