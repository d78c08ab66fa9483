"""A folder of pictures as a film (OpenCV reads)."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from unflicker.errors import InputError
from unflicker.files.outputs import PICTURE_ENDINGS
from unflicker.frames.picture import ColourMeaning, Frame, Picture, PixelLayout
from unflicker.video.picture_kinds import (
    PictureKind,
    as_kind,
    common_turn,
    joint_kind,
    kind_of,
    pages_in,
    turned,
)
from unflicker.video.traits import Traits

ENDINGS = PICTURE_ENDINGS
DEFAULT_RATE = Fraction(24)
_JPEG = (".jpg", ".jpeg")
_CHANNELS = {1: "grey", 3: "colour", 4: "with alpha"}
_ELSEWHERE = (".exr", ".dpx", ".cin", ".hdr", ".webp", ".bmp", ".dng", ".cr2", ".nef", ".arw")


class FolderSource:
    """The pictures of a folder in natural order (2 before 10); see `film.VideoSource`."""

    def __init__(
        self,
        folder: Path,
        *,
        start_seconds: float = 0.0,
        duration_seconds: float | None = None,
        strict: bool = False,
    ) -> None:
        files = pictures_in(folder)
        first = math.ceil(start_seconds * DEFAULT_RATE - 1e-9)
        count = len(files)
        if duration_seconds is not None:
            count = math.ceil(duration_seconds * DEFAULT_RATE - 1e-9)
        files = files[first : first + count]
        if not files:
            raise InputError(
                f"{folder} has no picture in the part asked for; check --start and --duration"
            )
        self._files = files
        self._strict = strict
        self._notes: dict[str, None] = {}
        found = self._looked_at(files)
        self._known_notes = len(self._notes)
        self.name = folder.resolve().name
        self.rate = DEFAULT_RATE
        self.estimated_frames: int | None = len(files)
        self._model = self._first_readable()
        if self._kind is not None:
            self._model = as_kind(self._model, self._kind)
        self.layout = _layout(self._model)
        self.meaning = ColourMeaning(matrix="identity", full_range=True, transfer="power")
        self.size: tuple[int, int] = self._model.shape[:2]
        self.traits = Traits(
            pictures=tuple(files),
            kinds=tuple(found) if self._kind is not None else (),
            time_base=1 / DEFAULT_RATE,
            bytes=sum(file.stat().st_size for file in files),
        )

    @property
    def notes(self) -> tuple[str, ...]:
        """Which pictures could not be read, as far as they have been reached."""
        return tuple(self._notes)

    def frames(self) -> Iterator[Frame]:
        """The pictures; an unreadable one is flagged and replaced by its predecessor.

        Raises:
            InputError: A picture of another size or kind; or an unreadable one, when strict.
        """
        return self._frames(0)

    def frames_from(self, index: int, pts: int) -> Iterator[Frame]:
        """The same frames as `frames()`, from one on; pictures before it are read only if it
        cannot be.

        Args:
            index: Of the first.
            pts: Its time.

        Raises:
            InputError: As in `frames`.
        """
        del pts
        first = next((at for at in range(index, 0, -1) if _read(self._files[at]) is not None), 0)
        return (frame for frame in self._frames(first) if frame.index >= index)

    @property
    def mended(self) -> bool:
        """Whether some pictures could not be read as they are, as far as they have been reached."""
        return len(self._notes) > self._known_notes

    def _frames(self, first: int) -> Iterator[Frame]:
        before = self._model
        for index, file in enumerate(self._files[first:], start=first):
            pixels = self._pixels_of(file)
            damaged = pixels is None
            if pixels is None:
                self._miss(file)
                pixels = before
            before = pixels
            picture = Picture(planes=_planes(pixels), layout=self.layout, meaning=self.meaning)
            yield Frame(
                picture=picture,
                index=index,
                pts=index,
                time_base=self.traits.time_base,
                duration=1,
                damaged=damaged,
            )

    def _looked_at(self, files: list[Path]) -> list[PictureKind | None]:
        """The kinds of all files, by their headers; decides how they are brought together."""
        for file in files:
            _refuse_pages(file)
        found = [kind_of(file) for file in files]
        known = [kind for kind in found if kind is not None]
        self._turn = common_turn(known) if known else None
        if self._turn is not None:
            self._notes[
                "the pictures' EXIF tags disagree about what is upright; all are turned alike"
            ] = None
        mixed = len({(kind.channels, kind.depth) for kind in known}) > 1
        self._kind = joint_kind(known) if mixed else None
        if self._kind is not None:
            kinds = f"{self._kind.depth} bits, {_CHANNELS[self._kind.channels]}"
            self._notes[
                f"pictures of several kinds are read as {kinds}, and written as each was"
            ] = None
        return found

    def _pixels_of(self, file: Path) -> np.ndarray | None:
        """The picture in the size and kind of all; None if it cannot be read."""
        pixels = _read(file, turn=self._turn)
        if pixels is None:
            return None
        if self._kind is not None:
            pixels = as_kind(pixels, self._kind)
        if pixels.shape[:2] != self.size and _same_shape(pixels.shape, self.size):
            height, width = self.size
            self._notes[
                f"pictures of other sizes are scaled to {width}x{height}, that of the first"
            ] = None
            pixels = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA)
        if pixels.shape != self._model.shape or pixels.dtype != self._model.dtype:
            raise InputError(
                f"{file} is {_words(pixels)}, the first picture is {_words(self._model)}; "
                "a film needs pictures of one size and kind"
            )
        return pixels

    def _first_readable(self) -> np.ndarray:
        for file in self._files:
            pixels = _read(file, turn=self._turn)
            if pixels is not None:
                return pixels
            if self._strict:
                break
        raise InputError(
            f"{self._files[0]} cannot be read as a picture; check that PNG, TIFF or JPEG is in it"
        )

    def _miss(self, file: Path) -> None:
        if self._strict:
            raise InputError(
                f"{file} cannot be read as a picture; get it again, or leave --strict away"
            )
        self._notes[f"{file.name} cannot be read; the picture before it stands in"] = None


def pictures_in(folder: Path) -> list[Path]:
    """The folder's pictures in natural order.

    Raises:
        InputError: There is none that we read.
    """
    try:
        files = [
            file for file in folder.iterdir() if file.is_file() and not file.name.startswith(".")
        ]
    except OSError as fault:
        raise InputError(f"{folder} cannot be read: {fault.strerror}; check its rights") from fault
    pictures = [file for file in files if file.suffix.lower() in ENDINGS]
    if pictures:
        return sorted(pictures, key=_natural)
    others = sorted({file.suffix.lower() for file in files} & set(_ELSEWHERE))
    found = f"only {', '.join(others)}" if others else f"{len(files)} other files"
    raise InputError(
        f"{folder} has no PNG, TIFF or JPEG picture in it, {found}; "
        "convert them to 16-bit PNG or TIFF, or pass a video file"
    )


def _natural(file: Path) -> tuple[list[tuple[int, str]], str]:
    parts = re.split(r"(\d+)", file.name.lower())
    key = [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]
    return key, file.name


def _refuse_pages(file: Path) -> None:
    """Refuse a TIFF of several pages, of which only the first would be read.

    Raises:
        InputError: It has several.
    """
    pages = pages_in(file)
    if pages > 1:
        raise InputError(
            f"{file} holds {pages} pages, one picture a file is read; split the pages into files "
            "of their own first, as `tiffsplit` does, and pass their folder"
        )


def _same_shape(one: tuple[int, ...], other: tuple[int, int]) -> bool:
    """Whether two sizes have the same proportions, within half a pixel."""
    return abs(one[0] * other[1] - one[1] * other[0]) <= max(other) // 2


def _read(file: Path, *, turn: int | None = None) -> np.ndarray | None:
    """The picture in OpenCV's order (blue first), or None; photographs come upright.

    Args:
        file: To read.
        turn: EXIF's orientation for all; None for the file's own.
    """
    # A JPEG's EXIF rotation is applied here, because the written file carries no EXIF.
    jpeg = file.suffix.lower() in _JPEG
    flags = cv2.IMREAD_ANYDEPTH | cv2.IMREAD_ANYCOLOR if jpeg else cv2.IMREAD_UNCHANGED
    if jpeg and turn is not None:
        flags |= cv2.IMREAD_IGNORE_ORIENTATION
    try:
        data = np.frombuffer(file.read_bytes(), np.uint8)
        pixels = cv2.imdecode(data, flags) if data.size else None
    except (OSError, cv2.error):
        return None
    if pixels is not None and jpeg and turn is not None:
        pixels = turned(pixels, turn)
    if pixels is not None and pixels.dtype not in (np.uint8, np.uint16):
        raise InputError(
            f"{file} holds {pixels.dtype} samples, 8 or 16 bit integers are read; convert it"
        )
    return pixels


def _layout(pixels: np.ndarray) -> PixelLayout:
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    return PixelLayout(
        family="grey" if channels < 3 else "rgb",
        depth=8 if pixels.dtype == np.uint8 else 16,
        alpha=channels in (2, 4),
    )


def _planes(pixels: np.ndarray) -> tuple[np.ndarray, ...]:
    if pixels.ndim == 2:
        return (pixels,)
    order = (2, 1, 0, 3)[: pixels.shape[2]] if pixels.shape[2] > 2 else (0, 1)
    return tuple(np.ascontiguousarray(pixels[..., channel]) for channel in order)


def _words(pixels: np.ndarray) -> str:
    height, width = pixels.shape[:2]
    layout = _layout(pixels)
    return f"{width}x{height} {layout.family}{' with alpha' * layout.alpha}, {layout.depth} bit"
