"""How a film is encoded, and one segment of it during encoding."""

from __future__ import annotations

import contextlib
import io
import os
from dataclasses import dataclass, replace
from fractions import Fraction
from io import BufferedIOBase
from pathlib import Path
from types import TracebackType
from typing import Any

from av.container import OutputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.video.frame import PictureType, VideoFrame
from av.video.reformatter import ColorRange, Colorspace, Interpolation

from unflicker.compute.scheduling import scheduling_kept
from unflicker.errors import UsageError
from unflicker.files.parts import begin, discard
from unflicker.frames.picture import ColourMeaning, Frame, Matrix, Picture, PixelLayout
from unflicker.settings import EncodingSettings
from unflicker.video.container import open_output
from unflicker.video.encoders import CONSTANT_RATE, Candidate, quality_options
from unflicker.video.frame_facts import BY_FIELDS, INTERLACED_FLAGS, FrameFacts
from unflicker.video.light_codes import shown_picture
from unflicker.video.pixel_formats import EXACT, frame_of, stored_format
from unflicker.video.segment_file import PacketWriter, named
from unflicker.video.source import VideoSource
from unflicker.video.target import disk_error
from unflicker.video.traits import FULL, LIMITED, ColourTags, Traits

_FRAME_DURATION = 256
_THREADS = 4
"""Of an encoder: the same number everywhere, whatever `--threads` says: x264 gives other bytes with
another."""
COUNTED = ("avi", "mxf", "mpeg")
"""Containers whose time is counted in frames, or nearly so."""
_APPLE = ("mp4", "mov", "ipod")
"""Containers in which Apple's players show HEVC only under the name `hvc1`."""
_LARGEST_RATE_TERM = 60_000
_SCALER_MATRICES: dict[Matrix, Colorspace] = {
    "bt601": Colorspace.ITU601,
    "bt709": Colorspace.ITU709,
    "bt2020": Colorspace.BT2020,
    "smpte240m": Colorspace.SMPTE240M,
    "fcc": Colorspace.FCC,
}
_MATRIX_NUMBERS: dict[Matrix, int] = {"bt601": 6, "bt709": 1, "bt2020": 9, "smpte240m": 7, "fcc": 4}


@dataclass(frozen=True, kw_only=True)
class VideoFormat:
    """How the frames of a film are encoded; see `segments.SegmentFormat`."""

    target: Path
    """The result, for messages."""
    traits: Traits
    size: tuple[int, int]
    rate: Fraction
    layout: PixelLayout
    meaning: ColourMeaning
    candidate: Candidate
    settings: EncodingSettings
    container_format: str
    threads: int
    """Of the encoder; in processes with fewer, too."""

    @classmethod
    def of(
        cls,
        film: VideoSource,
        candidate: Candidate,
        *,
        settings: EncodingSettings,
        container_format: str,
        target: Path,
    ) -> VideoFormat:
        """The format of a film's result.

        Args:
            film: The source.
            candidate: Encoder and pixel format.
            settings: Of the encoder.
            container_format: FFmpeg's name of the muxer.
            target: The result.
        """
        return cls(
            target=target,
            traits=film.traits,
            size=film.size,
            rate=film.rate,
            layout=film.layout,
            meaning=film.meaning,
            candidate=candidate,
            settings=settings,
            container_format=container_format,
            threads=_THREADS,
        )

    @property
    def key(self) -> str:
        """All that segments depend on besides their frames; no paths."""
        traits = replace(self.traits, path=None, bytes=0)
        return repr(replace(self, target=Path(), traits=traits))

    def segment(self, place: Path) -> EncodedSegment:
        """A new segment, to be written at a path."""
        return EncodedSegment(self, place)

    @property
    def counted(self) -> bool:
        """Whether times are counted in frames."""
        return self.candidate.encoder in CONSTANT_RATE or self.container_format in COUNTED

    @property
    def time_base(self) -> Fraction:
        """Seconds in a unit of the encoder's times."""
        return 1 / self._rate if self.counted else self.traits.time_base

    @property
    def _rate(self) -> Fraction:
        return self.rate.limit_denominator(_LARGEST_RATE_TERM)

    @property
    def output_tags(self) -> tuple[ColourTags, bool]:
        """The colour tags that are written, and whether the samples have full range."""
        return _output_tags(self)

    def add_stream(self, output: OutputContainer) -> Any:
        """Declare the stream of pictures in an output, with its encoder."""
        traits, candidate = self.traits, self.candidate
        # SVT-AV1 prints its settings to the terminal unless its own variable says otherwise.
        os.environ.setdefault("SVT_LOG", "1")
        options = quality_options(candidate, traits, settings=self.settings)
        if self.container_format == "avi":
            # AVI has decoding times only: frames must be coded in the order they are shown.
            options.setdefault("bf", "0")
        stream: Any = output.add_stream(candidate.encoder, rate=self._rate, options=options)
        stream.height, stream.width = self.size
        stream.pix_fmt = candidate.pixel_format
        stream.thread_type = "AUTO"
        stream.codec_context.thread_count = self.threads
        stream.codec_context.time_base = self.time_base
        stream.time_base = self.time_base
        stream.codec_context.flags |= _FRAME_DURATION
        if candidate.encoder == "libx265" and self.container_format in _APPLE:
            stream.codec_context.codec_tag = "hvc1"
        _set_tags(stream.codec_context, _output_tags(self)[0])
        if traits.sample_aspect:
            stream.codec_context.sample_aspect_ratio = traits.sample_aspect
        if traits.field_order > 1:
            stream.codec_context.field_order = traits.field_order
            if candidate.encoder in BY_FIELDS:
                stream.codec_context.flags |= INTERLACED_FLAGS
        if traits.display_matrix:
            stream.set_display_matrix(traits.display_matrix)
        return stream


class EncodedSegment:
    """One segment during encoding; see `segments.SegmentWriter`."""

    def __init__(self, form: VideoFormat, place: Path) -> None:
        """Prepare a segment; nothing is opened yet."""
        self._form, self._place = form, place
        self._part = place.with_name(f"{place.name}.part")
        self._file: BufferedIOBase | None = None
        self._encoder: SegmentEncoder | None = None

    def __enter__(self) -> EncodedSegment:
        """Open the encoder, and the file under its temporary name."""
        try:
            begin(self._part)
            self._file = self._part.open("wb")
            self._encoder = SegmentEncoder(self._form, self._file)
        except BaseException as fault:
            self.__exit__(type(fault), fault, None)
            raise self._known(fault) from fault
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Complete the file and name it, or remove it.

        Args:
            kind: Type of the exception that ended the block; None without one.
            fault: That exception.
            trace: Its traceback.

        Raises:
            OutputError: The disk is full or gone.
        """
        encoder, self._encoder = self._encoder, None
        file, self._file = self._file, None
        try:
            if kind is None and encoder is not None and file is not None:
                encoder.finish()
                file.close()
                named(self._part, self._place)
        except BaseException as problem:
            raise self._known(problem) from problem
        finally:
            if encoder is not None:
                encoder.close()
            if file is not None:
                with contextlib.suppress(OSError):
                    file.close()
            discard(self._part)

    def write(self, frame: Frame) -> None:
        """Encode the next frame.

        Raises:
            OutputError: The disk is full or gone.
        """
        if self._encoder is None:
            raise UsageError("the segment is closed; write inside its with-block")
        try:
            self._encoder.write(frame)
        except (OSError, FFmpegError) as fault:
            raise self._known(fault) from fault

    def _known(self, fault: BaseException) -> BaseException:
        if isinstance(fault, (OSError, FFmpegError)):
            return disk_error(self._form.target, fault)
        return fault


class SegmentEncoder:
    """Encodes the pictures of one segment into a file of packets."""

    def __init__(self, form: VideoFormat, file: BufferedIOBase) -> None:
        """Open the encoder.

        Args:
            form: Of the film.
            file: Opened for writing.
        """
        self._form = form
        self._tags, self._full_range = _output_tags(form)
        self._facts = FrameFacts(form.traits, encoder=form.candidate.encoder)
        self._durations: dict[int, int] = {}
        self._last_pts: int | None = None
        # Encoders are set up for a container, so there is one, which stays empty.
        self._output = open_output(io.BytesIO(), container_format=form.container_format)
        self._stream = form.add_stream(self._output)
        self._packets = PacketWriter(file)

    def write(self, frame: Frame) -> None:
        """Encode one frame."""
        picture = self._as_encoded(frame.picture)
        picture.pict_type = PictureType.NONE
        picture.time_base = self._form.time_base
        picture.pts = self._ticks(frame)
        if frame.duration and not self._form.counted:
            picture.duration = self._durations[picture.pts] = frame.duration
        self._keep(self._coded(picture))

    def finish(self) -> None:
        """Flush the encoder and mark the end of the file."""
        self._keep(self._coded(None))
        self._packets.finish()

    def close(self) -> None:
        """Close the encoder, and ignore errors."""
        with contextlib.suppress(Exception):
            self._output.close()

    def _coded(self, picture: VideoFrame | None) -> list[Packet]:
        """The packets for a picture; the first one opens the encoder."""
        if self._stream.codec_context.is_open:
            return self._stream.encode(picture)
        with scheduling_kept():
            return self._stream.encode(picture)

    def _keep(self, packets: list[Packet]) -> None:
        for packet in packets:
            # Not every encoder hands a frame's duration on.
            duration = self._durations.pop(packet.pts or 0, packet.duration or 0)
            self._packets.add(packet, duration=duration)

    def _ticks(self, frame: Frame) -> int:
        """The frame's time in the encoder's units; counted ones rise by one at least."""
        if not self._form.counted and frame.time_base == self._form.time_base:
            return frame.pts
        ticks = round(frame.pts * frame.time_base / self._form.time_base)
        if self._last_pts is not None:
            ticks = max(ticks, self._last_pts + 1)
        self._last_pts = ticks
        return ticks

    def _as_encoded(self, picture: Picture) -> VideoFrame:
        shown = shown_picture(picture, self._form.traits.light)
        frame = frame_of(shown.planes, layout=picture.layout)
        name = self._form.candidate.pixel_format
        if frame.format.name != name:
            frame = self._converted(frame, picture)
        _set_tags(frame, self._tags)
        return self._facts.marked(frame)

    def _converted(self, frame: VideoFrame, picture: Picture) -> VideoFrame:
        """The frame in the encoder's format: repacked exactly, or converted by its colours."""
        matrix = _output_matrix(self._form)
        source_range = ColorRange.JPEG if picture.meaning.full_range else ColorRange.MPEG
        target_range = ColorRange.JPEG if self._full_range else ColorRange.MPEG
        exact = not self._form.candidate.converts
        return frame.reformat(
            format=self._form.candidate.pixel_format,
            interpolation=EXACT if exact else EXACT ^ Interpolation.POINT | Interpolation.BICUBIC,
            src_colorspace=_SCALER_MATRICES.get(matrix),
            dst_colorspace=_SCALER_MATRICES.get(matrix),
            src_color_range=ColorRange.MPEG if exact else source_range,
            dst_color_range=ColorRange.MPEG if exact else target_range,
        )


def _output_matrix(form: VideoFormat) -> Matrix:
    """The matrix that leads from the film's family to the encoder's, where they differ."""
    if form.layout.family == "yuv":
        return form.meaning.matrix
    height, width = form.size
    return "bt709" if width >= 1280 or height > 576 else "bt601"


def _output_tags(form: VideoFormat) -> tuple[ColourTags, bool]:
    """The tags to write, and whether the samples then have full range."""
    tags = form.traits.tags
    family = stored_format(form.candidate.pixel_format).layout.family
    if family == form.layout.family:
        # Motion JPEG exists in full range only; FFmpeg reads it so whatever its tags say.
        full = form.meaning.full_range or form.candidate.encoder == "mjpeg"
        tagged = tags.range or (FULL if full and family == "yuv" else 0)
        return replace(tags, range=FULL if form.candidate.encoder == "mjpeg" else tagged), full
    if family == "yuv":
        full = form.candidate.encoder == "mjpeg"
        number = _MATRIX_NUMBERS.get(_output_matrix(form), 1)
        return replace(tags, matrix=number, range=FULL if full else LIMITED), full
    return replace(tags, matrix=0 if family == "rgb" else tags.matrix, range=FULL), True


def _set_tags(place: Any, tags: ColourTags) -> None:
    """Put the tags on a frame or an encoder."""
    place.color_primaries = tags.primaries
    place.color_trc = tags.transfer
    place.colorspace = tags.matrix
    place.color_range = tags.range
