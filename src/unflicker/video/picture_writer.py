"""Writes a film as a folder of pictures, which appears when it is complete (OpenCV encodes)."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import cv2
import numpy as np

from unflicker.errors import OutputError
from unflicker.frames.picture import Frame, Picture
from unflicker.video.picture_kinds import PictureKind, as_kind
from unflicker.video.segment_file import named
from unflicker.video.segments import OneAfterTheOther
from unflicker.video.target import discard, disk_error, part_of, segment_of, settle, sync
from unflicker.video.traits import Traits

_JPEG = (".jpg", ".jpeg")
_JPEG_OPTIONS = [
    cv2.IMWRITE_JPEG_QUALITY,
    98,
    cv2.IMWRITE_JPEG_SAMPLING_FACTOR,
    cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
]


@dataclass(frozen=True, kw_only=True)
class FolderFormat:
    """How the pictures of a folder are encoded; see `segments.SegmentFormat`."""

    target: Path
    """The result, for messages."""
    names: tuple[str, ...]
    """Of the file of each frame."""
    kinds: tuple[PictureKind | None, ...] = ()
    """How each is stored; as the frame is where there is none."""

    @property
    def key(self) -> str:
        """All that segments depend on besides their frames; no paths."""
        return repr((self.names, self.kinds))

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
        pixels = _pixels(frame.picture)
        kind = self._form.kinds[frame.index] if self._form.kinds else None
        if kind is not None:
            pixels = as_kind(pixels, kind)
        done, data = cv2.imencode(Path(name).suffix, pixels, options)
        if not done:
            raise OutputError(f"{name} cannot be encoded; choose PNG or TIFF pictures as input")
        try:
            (self._part / name).write_bytes(data.tobytes())
        except OSError as fault:
            raise disk_error(self._form.target / name, fault) from fault


class FolderWriter:
    """Writes pictures under the source's names into a folder that appears when it is complete."""

    def __init__(self, target: Path, traits: Traits, *, overwrite: bool) -> None:
        """Prepare to write.

        Args:
            target: The folder to write.
            traits: Of the source, a folder of pictures.
            overwrite: Whether pictures of the same names may be replaced.
        """
        self.notes: tuple[str, ...] = ()
        self.losses: tuple[str, ...] = ()
        self.incomplete = False
        names = tuple(file.name for file in traits.pictures)
        self.format = FolderFormat(target=target, names=names, kinds=traits.kinds)
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


def _pixels(picture: Picture) -> np.ndarray:
    planes = picture.planes
    if len(planes) == 1:
        return np.ascontiguousarray(planes[0])
    if len(planes) == 2:
        # OpenCV writes no grey with alpha: the same light in three channels.
        planes = (planes[0], planes[0], planes[0], planes[1])
    return np.dstack([planes[2], planes[1], planes[0], *planes[3:]])
