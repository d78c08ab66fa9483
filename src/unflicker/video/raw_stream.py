"""Raw video in a pipe: YUV4MPEG2, called y4m, read and written as a stream."""

from __future__ import annotations

import os
import re
import select
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Shaped

from unflicker.compute.threads import check_stopped
from unflicker.errors import InputError, OutputError
from unflicker.frames.picture import PixelLayout

_MAGIC, _FRAME = b"YUV4MPEG2", b"FRAME"
_LONGEST_LINE = 512
_LISTENS_SECONDS = 0.2
"""Wait for bytes before it is checked whether they are still needed."""
_SHIFTS = {"420": (1, 1), "422": (1, 0), "444": (0, 0), "411": (2, 0)}
_DEEP = re.compile(r"(420|422|444)p(9|10|12|14|16)|mono(9|10|12|16)")
_LARGEST_SIDE = 1 << 16
_HINT = "make one with: ffmpeg -i film.mp4 -f yuv4mpegpipe -strict -1 -"


@runtime_checkable
class Bytes(Protocol):
    """Where a stream comes from."""

    def read(self, count: int, /) -> bytes:
        """Up to `count` bytes; fewer at the end only."""
        ...


@runtime_checkable
class Sink(Protocol):
    """Where a stream goes."""

    def write(self, data: Any, /) -> int:
        """Take some bytes."""
        ...

    def flush(self) -> None:
        """Hand on all bytes."""
        ...


@dataclass(frozen=True, kw_only=True)
class Header:
    """The first line of a stream."""

    size: tuple[int, int]
    """Height and width."""
    layout: PixelLayout
    colours: str
    """Name of the layout and of the place of chroma samples, as `420mpeg2`."""
    rate: Fraction | None = None
    """Frames a second; None if unknown."""
    fields: str = "?"
    """p progressive, t or b interlaced with that field first, m mixed, ? unknown."""
    aspect: Fraction | None = None
    """Width of a sample by its height; None if unknown."""
    full_range: bool | None = None
    """None if untold."""
    extras: tuple[str, ...] = ()
    """Other parameters, unchanged."""

    @classmethod
    def parsed(cls, line: bytes) -> Header:
        """The header in a line.

        Raises:
            InputError: It is none, or the pictures are of a kind that y4m does not have.
        """
        words = line.decode("ascii", "replace").split()[1:]
        given = {word[0]: word[1:] for word in words if word[0] in "WHFIAC"}
        extras = [word for word in words if word[0] not in "WHFIAC"]
        colours = given.get("C", "420jpeg")
        size = _whole(given.get("H", "")), _whole(given.get("W", ""))
        if not all(0 < side < _LARGEST_SIDE for side in size):
            raise InputError(
                f"the y4m stream has pictures of {given.get('W')}×{given.get('H')} px; {_HINT}"
            )
        ranges = {"XCOLORRANGE=FULL": True, "XCOLORRANGE=LIMITED": False}
        told = [ranges[word] for word in extras if word in ranges]
        return cls(
            size=size,
            layout=_layout_of(colours),
            colours=colours,
            rate=_ratio(given.get("F", "")),
            fields=given.get("I", "?")[:1] or "?",
            aspect=_ratio(given.get("A", "")),
            full_range=told[-1] if told else None,
            extras=tuple(word for word in extras if word not in ranges),
        )

    def line(self) -> bytes:
        """The header as the first line of a stream."""
        height, width = self.size
        rate, aspect = self.rate or Fraction(0), self.aspect
        words = [
            _MAGIC.decode(),
            f"W{width}",
            f"H{height}",
            f"F{rate.numerator}:{rate.denominator if rate else 0}",
            f"I{self.fields}",
            f"A{aspect.numerator}:{aspect.denominator}" if aspect else "A0:0",
            f"C{self.colours}",
            *self.extras,
        ]
        if self.full_range is not None:
            words.append(f"XCOLORRANGE={'FULL' if self.full_range else 'LIMITED'}")
        return " ".join(words).encode() + b"\n"

    def shapes(self) -> tuple[tuple[int, int], ...]:
        """Height and width of each plane."""
        (height, width), (shift_x, shift_y) = self.size, self.layout.chroma_shift
        chroma = (-((-height) >> shift_y), -((-width) >> shift_x))
        planes = [self.size, *[chroma] * (self.layout.colour_planes - 1)]
        return (*planes, self.size) if self.layout.alpha else tuple(planes)


class Reader:
    """The pictures of a stream, one after the other."""

    def __init__(self, source: Bytes) -> None:
        """Read the header.

        Raises:
            InputError: The bytes are no y4m.
        """
        self._source = source
        line = _line(source)
        if not line.startswith(_MAGIC):
            got = "is empty" if not line else f"begins with {line[:12]!r}"
            raise InputError(f"the input is no y4m stream: it {got}; {_HINT}")
        self.header = Header.parsed(line)
        self.fault = ""
        """What is wrong with the end of the stream; empty if it is whole, as far as it was read."""

    def pictures(self) -> Iterator[tuple[Shaped[np.ndarray, "_ _"], ...]]:
        """The planes of each picture, read-only; it ends where the stream is broken (`fault`)."""
        shapes = self.header.shapes()
        sample = np.dtype(np.uint8 if self.header.layout.depth == 8 else "<u2")
        lengths = [height * width * sample.itemsize for height, width in shapes]
        while line := _line(self._source):
            if not line.startswith(_FRAME):
                self.fault = f"{line[:12]!r} stands where a frame should begin"
                return
            data = self._source.read(sum(lengths))
            if len(data) < sum(lengths):
                self.fault = "it ends within a frame"
                return
            starts = np.cumsum([0, *lengths[:-1]])
            yield tuple(
                np.frombuffer(data, sample, height * width, int(start)).reshape(height, width)
                for start, (height, width) in zip(starts, shapes, strict=True)
            )


class Writer:
    """Writes a stream, a picture at a time."""

    def __init__(self, target: Sink, header: Header) -> None:
        """Write the header.

        Args:
            target: Where to; every picture is flushed.
            header: Of the pictures.
        """
        self._target, self._shapes = target, header.shapes()
        self._put(header.line())

    def write(self, planes: tuple[Shaped[np.ndarray, "_ _"], ...]) -> None:
        """Write the next picture.

        Raises:
            OutputError: The disk is full or gone.
            BrokenPipeError: The reader has ended.
        """
        if tuple(plane.shape for plane in planes) != self._shapes:
            raise ValueError(f"planes {[plane.shape for plane in planes]}; pass {self._shapes}")
        self._put(_FRAME + b"\n", *(np.ascontiguousarray(plane).data for plane in planes))

    def _put(self, *parts: bytes | memoryview) -> None:
        try:
            for part in parts:
                self._target.write(part)
            self._target.flush()
        except BrokenPipeError:
            raise
        except OSError as fault:
            raise OutputError(f"cannot write the stream: {fault.strerror}; free space") from fault


class PipeBytes:
    """Bytes of a file descriptor; a read ends when the work that needs it is abandoned."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def read(self, count: int) -> bytes:
        """Up to `count` bytes; fewer at the end only.

        Raises:
            Cancelled: This thread's work was abandoned meanwhile.
        """
        data = bytearray()
        while len(data) < count:
            self._wait()
            part = os.read(self._descriptor, min(count - len(data), 1 << 20))
            if not part:
                break
            data += part
        return bytes(data)

    def _wait(self) -> None:
        check_stopped()
        if os.name == "nt":  # there `select` knows sockets only
            return
        while not select.select([self._descriptor], [], [], _LISTENS_SECONDS)[0]:
            check_stopped()


def colours_of(layout: PixelLayout) -> str | None:
    """The y4m name of a layout; None if y4m has none.

    Args:
        layout: Of the pictures to be written.
    """
    for name in _names():
        if _layout_of(name) == layout:
            return name
    return None


def nearest(layout: PixelLayout) -> PixelLayout:
    """The narrowest layout of y4m that holds the colours of another; RGB becomes YUV of ten bits or
    more.

    Args:
        layout: Of the pictures to be written.
    """
    depth = layout.depth if layout.family != "rgb" else max(10, layout.depth)
    plain = replace(layout, alpha=False, depth=depth)
    if layout.family == "rgb":
        plain = replace(plain, family="yuv")
    fitting = [one for one in map(_layout_of, _names()) if _holds(one, plain)]
    return min(fitting, key=lambda one: (one.depth, -sum(one.chroma_shift)))


def _holds(one: PixelLayout, other: PixelLayout) -> bool:
    return (
        one.family == other.family
        and one.depth >= other.depth
        and not one.alpha
        and all(a <= b for a, b in zip(one.chroma_shift, other.chroma_shift, strict=True))
    )


def _names() -> list[str]:
    deep = [
        f"{chroma}p{depth}" for chroma in ("420", "422", "444") for depth in (9, 10, 12, 14, 16)
    ]
    grey = ["mono", *(f"mono{depth}" for depth in (9, 10, 12, 16))]
    return ["420jpeg", "422", "444", "411", "444alpha", *deep, *grey]


def _layout_of(colours: str) -> PixelLayout:
    if colours in ("420jpeg", "420mpeg2", "420paldv", *_SHIFTS):
        return PixelLayout(family="yuv", depth=8, chroma_shift=_SHIFTS[colours[:3]])
    if colours == "444alpha":
        return PixelLayout(family="yuv", depth=8, alpha=True)
    if colours == "mono":
        return PixelLayout(family="grey", depth=8)
    deep = _DEEP.fullmatch(colours)
    if deep is None:
        raise InputError(f"y4m pictures of the kind C{colours} are not known; convert them before")
    chroma, depth, grey_depth = deep.groups()
    if grey_depth:
        return PixelLayout(family="grey", depth=int(grey_depth))
    return PixelLayout(family="yuv", depth=int(depth), chroma_shift=_SHIFTS[chroma])


def _line(source: Bytes) -> bytes:
    """The bytes up to the end of a line; empty at the end of the stream."""
    line = bytearray()
    while len(line) < _LONGEST_LINE:
        byte = source.read(1)
        if byte in (b"", b"\n"):
            break
        line += byte
    return bytes(line)


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() else 0


def _ratio(text: str) -> Fraction | None:
    """A ratio of two numbers; None for 0:0 and anything else that is none."""
    above, _, below = text.partition(":")
    terms = _whole(above), _whole(below)
    return Fraction(*terms) if all(terms) else None
