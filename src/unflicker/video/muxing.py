"""One output file while segments are joined: muxer, decoding times, and the other streams."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from contextlib import nullcontext
from fractions import Fraction
from io import BufferedIOBase
from pathlib import Path
from typing import Any

from av.packet import Packet

from unflicker.compute.scheduling import scheduling_kept
from unflicker.video.container import open_output
from unflicker.video.encoding import VideoFormat
from unflicker.video.labels import Labels
from unflicker.video.matroska_shape import store_pixel_shape
from unflicker.video.segment_file import Timing, packets, timings
from unflicker.video.side_streams import Plan, SideStreams

_FROM_ZERO = "avi"
"""A container whose first picture is at 0, and held until the time of the second."""
_MATROSKA = ("matroska", "webm")
_ADDS_UP = ("mp4", "ipod", "mov", "3gp")
"""Containers whose length is the sum of durations in decoding order."""


class Muxer:
    """Joins the segments of a film and everything else of it in one file.

    Each encoder counts decoding times from its own first frame, so they are assigned again: a
    packet is decoded when the picture is shown that comes so many pictures before it as the encoder
    reorders.
    """

    def __init__(self, form: VideoFormat, *, plan: Plan, place: Path | Any) -> None:
        """Open the output.

        Args:
            form: Of the film.
            plan: What becomes of the other streams.
            place: Path of the file, or a file object.
        """
        self._form, self._place = form, place
        self._origin: int | None = 0
        """Time of the film at which the output begins, in its units; None for the first picture."""
        if plan.container_format == _FROM_ZERO:
            self._origin = None if plan.begins is None else round(plan.begins / form.time_base)
        self._due: list[int] | None = None
        """Decoding times that the next packets get; None before the first segment."""
        self._last_pts: int | None = None
        self._held: Packet | None = None
        self._first_dts = 0
        self._end: tuple[int, int] | None = None
        self._adds_up = plan.container_format in _ADDS_UP
        self._output = open_output(
            place, container_format=plan.container_format, own_keys=form.traits.own_keys
        )
        self._sides = SideStreams(form.traits, plan=plan)
        try:
            # Its encoder encodes nothing: it tells the container what segments' encoders are like.
            self._stream = form.add_stream(self._output)
            self._sides.add_to(self._output, pictures=self._stream)
        except BaseException:
            self.abandon()
            raise

    def add(self, segment: BufferedIOBase) -> None:
        """Append a complete segment, and what goes with it of the other streams."""
        times = timings(segment)
        if not times:
            return
        shown = self._shown(times)
        if self._due is None:
            with scheduling_kept():
                self._output.start_encoding()
            self._due = _before_the_first(times, shown)
            self._first_dts = [*self._due, min(shown.values())][0]
        due = [*self._due, *sorted(shown[timing.pts] for timing in times)]
        self._due = due[len(times) :]
        for packet, timing, dts in zip(packets(segment), times, due, strict=False):
            packet.stream, packet.time_base = self._stream, self._form.time_base
            packet.pts, packet.dts, packet.duration = shown[timing.pts], dts, timing.duration
            self._note_end(packet)
            self._mux_held(is_last=False)
            self._held = packet

    def finish(self) -> None:
        """Copy the rest of the other streams, and complete the file."""
        self._mux_held(is_last=True)
        self._sides.feed(self._output, until_seconds=None)
        self._output.close()
        self._sides.close()
        self._store_pixel_shape()

    def abandon(self) -> None:
        """Close everything, and ignore errors."""
        # The file is about to be removed: what is wrong with it matters no more.
        with contextlib.suppress(Exception):
            self._output.close()
        self._sides.close()

    @property
    def refused_packets(self) -> int:
        """Packets of other streams that the container refused, because they are damaged."""
        return sum(self._sides.refused.values())

    @property
    def copied_bytes(self) -> dict[int, int]:
        """Bytes of each other stream that were muxed, by its number in the source."""
        return self._sides.bytes

    @property
    def sound_begins(self) -> dict[int, Fraction]:
        """In a trial: when each stream of sound begins in the source, by its number there."""
        return self._sides.sound_begins

    @property
    def labels(self) -> Labels:
        """Metadata and chapters that the file was given."""
        return self._sides.labels

    def _store_pixel_shape(self) -> None:
        shape, kind = self._form.traits.sample_aspect, self._form.container_format
        if kind not in _MATROSKA or not shape or shape == 1:
            return
        place = self._place
        with place.open("r+b") if isinstance(place, Path) else nullcontext(place) as file:
            store_pixel_shape(file, shape, as_ratio=kind == "matroska")

    def _shown(self, times: Sequence[Timing]) -> dict[int, int]:
        """The presentation time of each packet in the film, by that in its segment.

        They differ where times are counted in frames, and rise by one at least; and where all
        begin at 0.
        """
        shown = {}
        order = sorted(timing.pts for timing in times)
        if self._origin is None:
            self._origin = order[0]
        for pts in order:
            moved = pts - self._origin
            least = moved if self._last_pts is None else self._last_pts + 1
            shown[pts] = max(moved, least) if self._form.counted else moved
            self._last_pts = shown[pts]
        return shown

    def _note_end(self, packet: Packet) -> None:
        if packet.duration and packet.pts is not None and not self._form.counted:
            first, end = self._end or (packet.pts, packet.pts)
            self._end = min(first, packet.pts), max(end, packet.pts + packet.duration)

    def _mux_held(self, *, is_last: bool) -> None:
        """Mux packets one late, because the last needs a duration of its own."""
        packet, self._held = self._held, None
        if packet is None or packet.dts is None:
            return
        if is_last and self._adds_up and self._end is not None:
            packet.duration = self._end[1] - self._end[0] - (packet.dts - self._first_dts)
        due = (packet.dts + (self._origin or 0)) * self._form.time_base
        self._sides.feed(self._output, until_seconds=due)
        self._output.mux(packet)


def mux_alone(
    form: VideoFormat, segment: BufferedIOBase, *, plan: Plan, place: Path | Any
) -> Muxer:
    """Mux one segment as a whole film, for trials.

    Args:
        form: Of the film.
        segment: A complete one.
        plan: What becomes of the other streams.
        place: Path of the file, or a file object.

    Returns:
        The muxer, closed: what was copied.
    """
    muxer = Muxer(form, plan=plan, place=place)
    try:
        muxer.add(segment)
        muxer.finish()
    except BaseException:
        muxer.abandon()
        raise
    return muxer


def _before_the_first(times: Sequence[Timing], shown: dict[int, int]) -> list[int]:
    """Decoding times of the packets that come before the first picture is shown.

    As many as the encoder reorders by, at the distances of the first pictures.
    """
    order = sorted(timing.pts for timing in times)
    place = {pts: number for number, pts in enumerate(order)}
    needed = max(number - place[timing.pts] for number, timing in enumerate(times))
    early = sum(timing.dts is not None and timing.dts < order[0] for timing in times)
    delay = max(needed, min(early, len(order) - 1))
    begin = [shown[pts] for pts in order]
    return [pts - (begin[delay] - begin[0]) for pts in begin[:delay]]
