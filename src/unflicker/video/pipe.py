"""A y4m stream as a source whose frames are read once, and the same as a place for results."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from fractions import Fraction

from av.video.reformatter import ColorRange, Colorspace

from unflicker.errors import InputError, UsageError
from unflicker.frames.picture import Frame, Picture, PixelLayout
from unflicker.video.light_codes import shown_picture
from unflicker.video.pixel_formats import frame_of, planar_name, planes_of
from unflicker.video.raw_stream import Bytes, Header, Reader, Sink, Writer, colours_of, nearest
from unflicker.video.source import VideoSource
from unflicker.video.traits import FULL, LIMITED, UNSPECIFIED, ColourTags, Traits

_USUAL_RATE = Fraction(25)
_NO_RATE = f"the stream tells no rate; {_USUAL_RATE} frames a second (--tag rate=)"
_HEAD = 3
"""Frames that can be read again, for a trial of the encoder."""
_FIELDS = {"p": 1, "t": 2, "b": 3}
"""FFmpeg's numbers of field orders by the letters of y4m."""
_MATRICES = {"bt709": 1, "bt601": 6, "bt470bg": 5, "smpte240m": 7, "bt2020": 9}
_PRIMARIES = {"bt709": 1, "bt470bg": 5, "smpte170m": 6, "smpte240m": 7, "bt2020": 9, "p3": 12}
_TRANSFERS = {"bt709": 1, "smpte170m": 6, "linear": 8, "log": 9, "srgb": 13, "pq": 16, "hlg": 18}
_RANGES = {"limited": LIMITED, "full": FULL}
_ORDERS = {"progressive": "p", "top": "t", "bottom": "b"}


@dataclass(frozen=True, kw_only=True)
class StreamTags:
    """Facts of a stream that it does not tell, or tells wrongly."""

    rate: Fraction | None = None
    """Frames a second."""
    fields: str = ""
    """A letter of y4m."""
    matrix: int = UNSPECIFIED
    primaries: int = UNSPECIFIED
    transfer: int = UNSPECIFIED
    range: int = 0

    @classmethod
    def of(cls, given: Mapping[str, str]) -> StreamTags:
        """Tags by name, as `matrix=bt709`.

        Raises:
            UsageError: A name or a value is not known.
        """
        words = {
            "fields": _ORDERS,
            "matrix": _MATRICES,
            "primaries": _PRIMARIES,
            "transfer": _TRANSFERS,
            "range": _RANGES,
        }
        values: dict[str, object] = {}
        for name, value in given.items():
            if name == "rate":
                values[name] = _rate(value)
            elif name not in words:
                known = ", ".join(one.name for one in fields(cls))
                raise UsageError(f"no tag is named {name}; pass one of {known}")
            elif value not in words[name]:
                raise UsageError(f"the tag {name} is {value}; pass one of {', '.join(words[name])}")
            else:
                values[name] = words[name][value]
        return cls(**values)  # type: ignore[arg-type]

    @property
    def colours(self) -> ColourTags:
        """Those that concern colour."""
        return ColourTags(
            primaries=self.primaries,
            transfer=self.transfer,
            matrix=self.matrix,
            range=self.range,
        )


UNTAGGED = StreamTags()


class PipeSource:
    """A stream as a source, whose frames can be read once."""

    def __init__(self, source: Bytes, *, tags: StreamTags = UNTAGGED, name: str = "-") -> None:
        """Read the header and the first picture.

        Args:
            source: The bytes of the stream.
            tags: They replace what the stream tells.
            name: For messages.

        Raises:
            InputError: It is no y4m, or has no picture.
        """
        self._reader = Reader(source)
        self.header = _tagged(self._reader.header, tags)
        self._rest = self._read()
        self._first: list[Frame] = []
        self.name = name
        self.size = self.header.size
        self.layout = self.header.layout
        self.rate = self.header.rate or _USUAL_RATE
        self.estimated_frames: int | None = None
        self.traits = _traits(self.header, tags.colours)
        self.meaning = self.traits.tags.meaning(self.layout, size=self.size)
        untold = self.header.rate is None
        self.notes: tuple[str, ...] = (_NO_RATE,) * untold
        if next(self.frames(), None) is None:
            why = self._reader.fault or "it ends after its header"
            raise InputError(f"the y4m stream has no picture: {why}; check what writes it")

    @property
    def fault(self) -> str:
        """What is wrong with its end; empty if it is whole, as far as it was read."""
        return self._reader.fault

    def frames(self) -> Iterator[Frame]:
        """The frames; only one iterator may go beyond the first three."""
        for index in range(_HEAD):
            if len(self._first) <= index:
                frame = next(self._rest, None)
                if frame is None:
                    return
                self._first.append(frame)
            yield self._first[index]
        yield from self._rest

    def _read(self) -> Iterator[Frame]:
        for index, planes in enumerate(self._reader.pictures()):
            yield Frame(
                picture=Picture(planes=planes, layout=self.layout, meaning=self.meaning),
                index=index,
                pts=index,
                time_base=self.traits.time_base,
                duration=1,
            )


class TakenLater:
    """A source for analysis, each frame of which waits until rendering takes it."""

    def __init__(self, film: VideoSource) -> None:
        self._film = film
        self._waiting: deque[Frame] = deque()
        self.name, self.size, self.rate = film.name, film.size, film.rate
        self.layout, self.meaning, self.traits = film.layout, film.meaning, film.traits
        self.estimated_frames, self.notes = film.estimated_frames, film.notes

    def frames(self) -> Iterator[Frame]:
        """The frames of the film, once."""
        for frame in self._film.frames():
            self._waiting.append(frame)
            yield frame

    def take(self) -> Frame:
        """The first of the frames that wait."""
        return self._waiting.popleft()


@dataclass(kw_only=True)
class PipeTarget:
    """A stream to which a film's pictures are written."""

    film: VideoSource
    target: Sink
    _writer: Writer | None = field(default=None, init=False)

    @property
    def notes(self) -> tuple[str, ...]:
        """What of the film the stream does not hold."""
        notes = []
        if (layout := _written(self.film)) != self.film.layout:
            stored = self.film.traits.pixel_format or planar_name(self.film.layout)
            notes.append(f"y4m does not hold {stored}; it is converted to {planar_name(layout)}")
        if self.film.traits.path is not None:
            notes.append("y4m holds pictures at one rate: no sound, subtitles or times of frames")
        return tuple(notes)

    def write(self, picture: Picture) -> None:
        """Write the next picture; the first writes the header.

        Raises:
            OutputError: The disk is full or gone.
            BrokenPipeError: The reader has ended.
        """
        if self._writer is None:
            self._writer = Writer(self.target, header_of(self.film))
        shown = shown_picture(picture, self.film.traits.light)
        self._writer.write(_planes(shown, _written(self.film)))


def header_of(film: VideoSource) -> Header:
    """The header of a stream of a film's pictures: that of the film, if it is a stream.

    Args:
        film: A source.
    """
    if isinstance(film, PipeSource):
        return film.header
    layout, traits = _written(film), film.traits
    name = colours_of(layout)
    assert name is not None
    return Header(
        size=film.size,
        layout=layout,
        colours=name,
        rate=film.rate.limit_denominator(60_000),
        fields={2: "t", 3: "b", 4: "t", 5: "b"}.get(traits.field_order, "p"),
        aspect=traits.sample_aspect,
        full_range=film.meaning.full_range and film.layout.family != "rgb",
    )


def _written(film: VideoSource) -> PixelLayout:
    return film.layout if colours_of(film.layout) is not None else nearest(film.layout)


def _planes(picture: Picture, layout: PixelLayout) -> tuple:
    """The planes of a picture in a layout of y4m."""
    if picture.layout == layout:
        return picture.planes
    if replace(picture.layout, alpha=False) == layout:
        return picture.planes[: layout.colour_planes]
    frame = frame_of(picture.planes, layout=picture.layout)
    if picture.layout.family == "rgb":
        height, width = picture.size
        matrix = Colorspace.ITU709 if width >= 1280 or height > 576 else Colorspace.ITU601
        frame = frame.reformat(
            format=planar_name(layout),
            dst_colorspace=matrix,
            src_color_range=ColorRange.JPEG,
            dst_color_range=ColorRange.MPEG,
        )
    else:
        # Samples of another depth or density, of the same range.
        frame = frame.reformat(
            format=planar_name(layout),
            src_color_range=ColorRange.MPEG,
            dst_color_range=ColorRange.MPEG,
        )
    return planes_of(frame)


def _tagged(header: Header, tags: StreamTags) -> Header:
    told = {} if tags.range == 0 else {"full_range": tags.range == FULL}
    return replace(
        header, rate=tags.rate or header.rate, fields=tags.fields or header.fields, **told
    )


def _traits(header: Header, tags: ColourTags) -> Traits:
    told = {None: 0, True: FULL, False: LIMITED}[header.full_range]
    return Traits(
        pixel_format=planar_name(header.layout),
        tags=replace(tags, range=tags.range or told),
        sample_aspect=header.aspect,
        field_order=_FIELDS.get(header.fields, 0),
        time_base=1 / (header.rate or _USUAL_RATE),
    )


def _rate(text: str) -> Fraction:
    try:
        rate = Fraction(text.replace(":", "/"))
    except (ValueError, ZeroDivisionError):
        rate = Fraction(0)
    if not 0 < rate <= 100_000:
        raise UsageError(f"the tag rate is {text}; pass frames a second, as 25 or 30000/1001")
    return rate.limit_denominator(60_000)
