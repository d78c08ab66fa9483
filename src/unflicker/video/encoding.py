"""One output file during encoding: encoder, muxer, and the other streams."""

from __future__ import annotations

import contextlib
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from av.container import OutputContainer
from av.packet import Packet
from av.video.frame import PictureType, VideoFrame
from av.video.reformatter import ColorRange, Colorspace, Interpolation

from unflicker.compute.threads import thread_count
from unflicker.frames.picture import Frame, Matrix, Picture
from unflicker.settings import EncodingSettings
from unflicker.video.container import open_output
from unflicker.video.encoders import CONSTANT_RATE, Candidate, quality_options
from unflicker.video.pixel_formats import EXACT, frame_of, stored_format
from unflicker.video.side_streams import Plan, SideStreams
from unflicker.video.source import VideoSource
from unflicker.video.traits import FULL, LIMITED, ColourTags

_FRAME_DURATION = 256
COUNTED = ("avi", "mxf", "mpeg")
"""Containers whose time is counted in frames, or nearly so."""
_ADDS_UP = ("mp4", "ipod", "mov", "3gp")
"""Containers whose length is the sum of durations in decoding order."""
_LARGEST_RATE_TERM = 60_000
_SCALER_MATRICES: dict[Matrix, Colorspace] = {
    "bt601": Colorspace.ITU601,
    "bt709": Colorspace.ITU709,
    "bt2020": Colorspace.BT2020,
    "smpte240m": Colorspace.SMPTE240M,
    "fcc": Colorspace.FCC,
}
_MATRIX_NUMBERS: dict[Matrix, int] = {"bt601": 6, "bt709": 1, "bt2020": 9, "smpte240m": 7, "fcc": 4}


class Encoding:
    """Encodes pictures with one candidate and muxes them with everything else."""

    def __init__(
        self,
        film: VideoSource,
        *,
        candidate: Candidate,
        plan: Plan,
        settings: EncodingSettings,
        place: Path | Any,
    ) -> None:
        """Open the output; on any fault it is closed again."""
        self._film = film
        self._candidate = candidate
        self._tags, self._full_range = _output_tags(film, candidate)
        self._counted = candidate.encoder in CONSTANT_RATE or plan.container_format in COUNTED
        self._last_pts: int | None = None
        self._packets_muxed = 0
        self._durations: dict[int, int] = {}
        self._held: Packet | None = None
        self._first_dts = 0
        self._end: tuple[int, int] | None = None
        self._adds_up = plan.container_format in _ADDS_UP
        # SVT-AV1 prints its settings to the terminal unless its own variable says otherwise.
        os.environ.setdefault("SVT_LOG", "1")
        self._output = open_output(place, container_format=plan.container_format)
        self._sides = SideStreams(film.traits, plan=plan)
        self._stream = self._add_stream(self._output, settings=settings, plan=plan)
        self._sides.add_to(self._output, pictures=self._stream)

    def write(self, frame: Frame) -> None:
        """Encode and mux one frame."""
        picture = self._as_encoded(frame.picture)
        picture.pict_type = PictureType.NONE
        picture.time_base = self._time_base
        picture.pts = self._ticks(frame)
        if frame.duration and not self._counted:
            picture.duration = self._durations[picture.pts] = frame.duration
            first = self._end[0] if self._end else picture.pts
            self._end = (first, picture.pts + frame.duration)
        self._mux(self._stream.encode(picture))

    def finish(self) -> None:
        """Flush the encoder, copy the rest of the other streams, complete the file."""
        packets = self._stream.encode(None)
        if self._candidate.encoder == "libx265" and not self._packets_muxed:
            _give_decoding_times(packets)
        self._mux(packets)
        self._mux_held(is_last=True)
        self._sides.feed(self._output, until_seconds=None)
        self._output.close()
        self._sides.close()

    def abandon(self) -> None:
        """Close everything, and ignore errors."""
        # The file is about to be removed: what is wrong with it matters no more.
        with contextlib.suppress(Exception):
            self._output.close()
        self._sides.close()

    def _add_stream(
        self, output: OutputContainer, *, settings: EncodingSettings, plan: Plan
    ) -> Any:
        film, traits, candidate = self._film, self._film.traits, self._candidate
        options = quality_options(candidate, traits, settings=settings)
        if plan.container_format == "avi":
            # AVI has decoding times only: frames must be coded in the order they are shown.
            options.setdefault("bf", "0")
        rate = film.rate.limit_denominator(_LARGEST_RATE_TERM)
        stream: Any = output.add_stream(candidate.encoder, rate=rate, options=options)
        stream.height, stream.width = film.size
        stream.pix_fmt = candidate.pixel_format
        stream.thread_type = "AUTO"
        # x264 with a number of its own choice gives other bytes from run to run (decision 18).
        stream.codec_context.thread_count = thread_count()
        self._time_base = 1 / rate if self._counted else traits.time_base
        stream.codec_context.time_base = self._time_base
        stream.time_base = self._time_base
        stream.codec_context.flags |= _FRAME_DURATION
        _set_tags(stream.codec_context, self._tags)
        if traits.sample_aspect:
            stream.codec_context.sample_aspect_ratio = traits.sample_aspect
        if traits.field_order > 1:
            stream.codec_context.field_order = traits.field_order
        if traits.display_matrix:
            stream.set_display_matrix(traits.display_matrix)
        return stream

    def _ticks(self, frame: Frame) -> int:
        """The frame's time in the encoder's units; counted ones rise by one at least."""
        if not self._counted and frame.time_base == self._time_base:
            return frame.pts
        ticks = round(frame.pts * frame.time_base / self._time_base)
        if self._last_pts is not None:
            ticks = max(ticks, self._last_pts + 1)
        self._last_pts = ticks
        return ticks

    def _mux(self, packets: list[Packet]) -> None:
        """Mux packets, one late, because the last needs a duration of its own."""
        for packet in packets:
            # Not every encoder hands a frame's duration on.
            if packet.pts in self._durations:
                packet.duration = self._durations.pop(packet.pts)
            if not self._packets_muxed:
                self._first_dts = packet.dts or 0
            self._packets_muxed += 1
            self._mux_held(is_last=False)
            self._held = packet

    def _mux_held(self, *, is_last: bool) -> None:
        packet, self._held = self._held, None
        if packet is None:
            return
        due = packet.dts if packet.dts is not None else packet.pts
        if is_last and self._adds_up and due is not None and self._end is not None:
            packet.duration = self._end[1] - self._end[0] - (due - self._first_dts)
        if due is not None and packet.time_base is not None:
            self._sides.feed(self._output, until_seconds=due * packet.time_base)
        self._output.mux(packet)

    def _as_encoded(self, picture: Picture) -> VideoFrame:
        frame = frame_of(picture.planes, layout=picture.layout)
        name = self._candidate.pixel_format
        if frame.format.name != name:
            frame = self._converted(frame, picture)
        _set_tags(frame, self._tags)
        return frame

    def _converted(self, frame: VideoFrame, picture: Picture) -> VideoFrame:
        """The frame in the encoder's format: repacked exactly, or converted by its colours."""
        matrix = _output_matrix(self._film)
        source_range = ColorRange.JPEG if picture.meaning.full_range else ColorRange.MPEG
        target_range = ColorRange.JPEG if self._full_range else ColorRange.MPEG
        exact = not self._candidate.converts
        return frame.reformat(
            format=self._candidate.pixel_format,
            interpolation=EXACT if exact else EXACT ^ Interpolation.POINT | Interpolation.BICUBIC,
            src_colorspace=_SCALER_MATRICES.get(matrix),
            dst_colorspace=_SCALER_MATRICES.get(matrix),
            src_color_range=ColorRange.MPEG if exact else source_range,
            dst_color_range=ColorRange.MPEG if exact else target_range,
        )


def _output_matrix(film: VideoSource) -> Matrix:
    """The matrix that leads from the film's family to the encoder's, where they differ."""
    if film.layout.family == "yuv":
        return film.meaning.matrix
    height, width = film.size
    return "bt709" if width >= 1280 or height > 576 else "bt601"


def _output_tags(film: VideoSource, candidate: Candidate) -> tuple[ColourTags, bool]:
    """The tags to write, and whether the samples then have full range."""
    tags = film.traits.tags
    family = stored_format(candidate.pixel_format).layout.family
    if family == film.layout.family:
        # Motion JPEG exists in full range only; FFmpeg reads it so whatever its tags say.
        full = film.meaning.full_range or candidate.encoder == "mjpeg"
        tagged = tags.range or (FULL if full and family == "yuv" else 0)
        return replace(tags, range=FULL if candidate.encoder == "mjpeg" else tagged), full
    if family == "yuv":
        full = candidate.encoder == "mjpeg"
        number = _MATRIX_NUMBERS.get(_output_matrix(film), 1)
        return replace(tags, matrix=number, range=FULL if full else LIMITED), full
    return replace(tags, matrix=0 if family == "rgb" else tags.matrix, range=FULL), True


def _give_decoding_times(packets: list[Packet]) -> None:
    """Give decoding times to a film shorter than the encoder's delay, in place.

    x265 derives them from a frame that such a film does not have, and returns noise.
    """
    shown = [packet.pts for packet in packets if packet.pts is not None]
    if len(shown) != len(packets) or not shown:
        return
    delay = max(late - pts for late, pts in zip(sorted(shown), shown, strict=True))
    for packet, pts in zip(packets, sorted(shown), strict=True):
        packet.dts = pts - delay


def _set_tags(place: Any, tags: ColourTags) -> None:
    """Put the tags on a frame or an encoder."""
    place.color_primaries = tags.primaries
    place.color_trc = tags.transfer
    place.colorspace = tags.matrix
    place.color_range = tags.range
