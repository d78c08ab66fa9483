"""A folder of pictures as a film, and a film as a folder of pictures (OpenCV reads and writes)."""

from __future__ import annotations

import math
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType

import cv2
import numpy as np

from unflicker.errors import InputError, OutputError
from unflicker.files.outputs import PICTURE_ENDINGS
from unflicker.frames.picture import ColourMeaning, Frame, Picture, PixelLayout
from unflicker.video.segment_file import named
from unflicker.video.segments import OneAfterTheOther
from unflicker.video.target import discard, disk_error, part_of, segment_of, settle, sync
from unflicker.video.traits import Traits

ENDINGS = PICTURE_ENDINGS
DEFAULT_RATE = Fraction(24)
_JPEG = (".jpg", ".jpeg")
_JPEG_OPTIONS = [
    cv2.IMWRITE_JPEG_QUALITY,
    98,
    cv2.IMWRITE_JPEG_SAMPLING_FACTOR,
    cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
]
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
        self.name = folder.resolve().name
        self.rate = DEFAULT_RATE
        self.estimated_frames: int | None = len(files)
        self._model = self._first_readable()
        self.layout = _layout(self._model)
        self.meaning = ColourMeaning(matrix="identity", full_range=True, transfer="power")
        self.size: tuple[int, int] = self._model.shape[:2]
        self._notes: dict[str, None] = {}
        self.traits = Traits(
            pictures=tuple(files),
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
        before = self._model
        for index, file in enumerate(self._files):
            pixels = _read(file)
            damaged = pixels is None
            if pixels is None:
                self._miss(file)
                pixels = before
            elif pixels.shape != self._model.shape or pixels.dtype != self._model.dtype:
                raise InputError(
                    f"{file} is {_words(pixels)}, the first picture is {_words(self._model)}; "
                    "a film needs pictures of one size and kind"
                )
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

    def _first_readable(self) -> np.ndarray:
        for file in self._files:
            pixels = _read(file)
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


@dataclass(frozen=True, kw_only=True)
class FolderFormat:
    """How the pictures of a folder are encoded; see `segments.SegmentFormat`."""

    target: Path
    """The result, for messages."""
    names: tuple[str, ...]
    """Of the file of each frame."""

    @property
    def key(self) -> str:
        """All that segments depend on besides their frames; no paths."""
        return repr(self.names)

    def segment(self, place: Path) -> PictureSegment:
        """A new segment, a folder of pictures."""
        return PictureSegment(self, place)


class PictureSegment:
    """A folder of pictures during writing; see `segments.SegmentWriter`."""

    def __init__(self, form: FolderFormat, place: Path) -> None:
        """Prepare a segment; nothing is made yet."""
        self._form, self._place = form, place
        self._part = place.with_name(f"{place.name}.part")

    def __enter__(self) -> PictureSegment:
        """Make the folder under its temporary name; a killed run may have left one."""
        discard(self._part)
        try:
            self._part.mkdir()
        except OSError as fault:
            raise disk_error(self._form.target, fault) from fault
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Name the folder, or remove it."""
        try:
            if kind is None:
                named(self._part, self._place)
        except OSError as problem:
            raise disk_error(self._form.target, problem) from problem
        finally:
            discard(self._part)

    def write(self, frame: Frame) -> None:
        """Write one picture.

        Raises:
            OutputError: The disk is full or gone.
        """
        name = self._form.names[frame.index]
        options = _JPEG_OPTIONS if name.lower().endswith(_JPEG) else []
        done, data = cv2.imencode(Path(name).suffix, _pixels(frame.picture), options)
        if not done:
            raise OutputError(f"{name} cannot be encoded; choose PNG or TIFF pictures as input")
        try:
            (self._part / name).write_bytes(data.tobytes())
        except OSError as fault:
            raise disk_error(self._form.target / name, fault) from fault


class FolderWriter:
    """Writes pictures under the source's names into a folder that appears when it is complete."""

    def __init__(self, target: Path, *, names: tuple[str, ...], overwrite: bool) -> None:
        """Prepare to write.

        Args:
            target: The folder to write.
            names: Of the file of each frame.
            overwrite: Whether pictures of these names may be replaced.
        """
        self.notes: tuple[str, ...] = ()
        self.format = FolderFormat(target=target, names=names)
        self._target = target
        self._overwrite = overwrite
        self._part = part_of(target)
        self._frames = OneAfterTheOther(self, segment_of(self._target))

    def __enter__(self) -> FolderWriter:
        """Make the hidden folder."""
        try:
            self._part.mkdir()
        except OSError as fault:
            raise disk_error(self._target, fault) from fault
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Name the folder, or remove it."""
        try:
            if kind is None:
                self._frames.finish()
                settle(self._part, self._target, overwrite=self._overwrite)
        finally:
            self._frames.abandon()
            discard(self._part)

    def write(self, frame: Frame) -> None:
        """Write one picture.

        Raises:
            OutputError: The disk is full or gone.
        """
        self._frames.write(frame)

    def join(self, place: Path) -> None:
        """Append the pictures of a complete segment; they stay there, too, if the disk allows.

        Raises:
            OutputError: The disk is full or gone.
        """
        try:
            for file in place.iterdir():
                _linked(file, self._part / file.name)
        except OSError as fault:
            raise disk_error(self._target, fault) from fault


def _linked(file: Path, place: Path) -> None:
    """The same file under a second name; a copy where the disk cannot do that."""
    try:
        os.link(file, place)
    except OSError:
        shutil.copyfile(file, place)
        sync(place)


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


def _read(file: Path) -> np.ndarray | None:
    """The picture in OpenCV's order (blue first), or None; photographs come upright."""
    # A JPEG's EXIF rotation is applied here, because the written file carries no EXIF.
    jpeg = file.suffix.lower() in _JPEG
    flags = cv2.IMREAD_ANYDEPTH | cv2.IMREAD_ANYCOLOR if jpeg else cv2.IMREAD_UNCHANGED
    try:
        data = np.frombuffer(file.read_bytes(), np.uint8)
        pixels = cv2.imdecode(data, flags) if data.size else None
    except (OSError, cv2.error):
        return None
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


def _pixels(picture: Picture) -> np.ndarray:
    planes = picture.planes
    if len(planes) == 1:
        return np.ascontiguousarray(planes[0])
    if len(planes) == 2:
        # OpenCV writes no grey with alpha: the same light in three channels.
        planes = (planes[0], planes[0], planes[0], planes[1])
    return np.dstack([planes[2], planes[1], planes[0], *planes[3:]])


def _words(pixels: np.ndarray) -> str:
    height, width = pixels.shape[:2]
    layout = _layout(pixels)
    return f"{width}x{height} {layout.family}{' with alpha' * layout.alpha}, {layout.depth} bit"
