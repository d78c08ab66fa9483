"""Writes a film as a folder of pictures, or as the pages of a TIFF, which appears when complete."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, field, replace
from io import BufferedIOBase
from pathlib import Path
from types import TracebackType

from unflicker.errors import OutputError
from unflicker.files.parts import begin, discard, part_of
from unflicker.frames.picture import Frame
from unflicker.video import tiff_tags
from unflicker.video.picture_encoding import PictureStyle, write_picture
from unflicker.video.picture_kinds import PictureKind
from unflicker.video.picture_metadata import order_of
from unflicker.video.picture_order import name_by_pattern
from unflicker.video.picture_reading import Still
from unflicker.video.segment_file import named
from unflicker.video.segments import OneAfterTheOther
from unflicker.video.target import disk_error, segment_of, settle, sync
from unflicker.video.traits import Traits

_PAGE = "%08d.tif"
"""Names of pages in a segment."""


@dataclass(frozen=True, kw_only=True)
class FolderFormat:
    """How the pictures of a folder are encoded; see `segments.SegmentFormat`."""

    target: Path
    """The result, for messages."""
    names: tuple[str, ...] = ()
    """Of the file of each frame; empty if they follow a pattern."""
    pattern: str = ""
    """Such as `%06d.png`."""
    kinds: tuple[PictureKind | None, ...] = ()
    """How each is stored; as the frame is where there is none."""
    sources: tuple[Still, ...] = ()
    """The picture that each is made of; empty for films."""
    style: PictureStyle = field(default_factory=PictureStyle)

    @classmethod
    def of(cls, target: Path, traits: Traits, *, pattern: str = "") -> FolderFormat:
        """The format of a film's stills.

        Args:
            target: The result.
            traits: Of the film.
            pattern: Of the names; empty for the source's own names.
        """
        stills = tuple(Still(path=path) for path in traits.pictures)
        if traits.pages:
            pairs = zip(stills, traits.pages, strict=True)
            stills = tuple(replace(still, page=page) for still, page in pairs)
        names = () if pattern else tuple(file.name for file in traits.pictures)
        if traits.pages and not pattern:
            pattern, names = f"{traits.pictures[0].stem.replace('%', '_')}_%04d.tif", ()
        return cls(
            target=target,
            names=names,
            pattern=pattern,
            kinds=() if pattern else traits.kinds,
            sources=stills,
            style=PictureStyle(light=traits.light, tags=traits.tags),
        )

    @property
    def key(self) -> str:
        """All that segments depend on besides their frames; no paths."""
        pages = [still.page for still in self.sources]
        return repr((self.names, self.pattern, self.kinds, self.style, pages))

    def name(self, index: int) -> str:
        """The name of the file of a frame."""
        return self.names[index] if self.names else name_by_pattern(self.pattern, index)

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
        begin(self._part)
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
        form = self._form
        name = form.name(frame.index)
        # An unreadable source has no metadata, and its picture is that of another one.
        source = form.sources[frame.index] if form.sources and not frame.damaged else None
        kind = form.kinds[frame.index] if form.kinds else None
        try:
            write_picture(
                self._part / name, frame.picture, source=source, kind=kind, style=form.style
            )
        except OSError as fault:
            raise disk_error(form.target / name, fault) from fault


class _HiddenWriter:
    """Writes pictures under a hidden name; they get their own when all are complete."""

    def __init__(self, form: FolderFormat, *, losses: tuple[str, ...], overwrite: bool) -> None:
        """Prepare to write.

        Args:
            form: How the pictures are encoded, and what to write.
            losses: What the pictures lack of their source.
            overwrite: Whether what has the same names may be replaced.
        """
        self.notes = self.losses = losses
        self.incomplete = False
        self.format = form
        self._target = form.target
        self._overwrite = overwrite
        self._part = part_of(form.target)
        self._frames = OneAfterTheOther(self, segment_of(self._target))

    def __enter__(self) -> _HiddenWriter:
        """Make what is hidden."""
        begin(self._part)
        try:
            self._begin()
        except OSError as fault:
            raise disk_error(self._target, fault) from fault
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give it its name, or remove it."""
        try:
            if kind is None:
                self._frames.finish()
                self._end()
                settle(self._part, self._target, overwrite=self._overwrite)
        finally:
            self._frames.abandon()
            self._end()
            discard(self._part)

    def write(self, frame: Frame) -> None:
        """Write one picture.

        Raises:
            OutputError: The disk is full or gone.
        """
        self._frames.write(frame)

    def join(self, place: Path) -> None:
        """Append the pictures of a complete segment."""
        raise NotImplementedError

    def _begin(self) -> None:
        raise NotImplementedError

    def _end(self) -> None:
        """Close what is open; called twice."""


class FolderWriter(_HiddenWriter):
    """Writes pictures into a folder that appears when it is complete."""

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

    def _begin(self) -> None:
        self._part.mkdir()


class StackWriter(_HiddenWriter):
    """Writes pictures as the pages of one TIFF, which appears when it is complete."""

    def __init__(self, form: FolderFormat, *, losses: tuple[str, ...], overwrite: bool) -> None:
        """Prepare to write.

        Args:
            form: How the pictures are encoded, and the file to write.
            losses: What the pages lack of their source.
            overwrite: Whether an existing file may be replaced.
        """
        pages = replace(form, names=(), pattern=_PAGE)
        super().__init__(pages, losses=losses, overwrite=overwrite)
        self._file: BufferedIOBase | None = None
        self._link = 0

    def join(self, place: Path) -> None:
        """Append the pictures of a complete segment as pages.

        Raises:
            OutputError: The disk is full or gone, or the file would exceed 4 GB.
        """
        try:
            for file in sorted(place.iterdir()):
                self._add(file.read_bytes())
        except OSError as fault:
            raise disk_error(self._target, fault) from fault
        except ValueError as fault:
            raise OutputError(
                f"{self._target} would exceed the 4 GB of a TIFF; name a pattern of files, "
                f"such as -o {self._target.stem}/%06d.tif"
            ) from fault

    def _begin(self) -> None:
        self._file = self._part.open("w+b")

    def _add(self, picture: bytes) -> None:
        assert self._file is not None
        order = order_of(picture)
        if not self._link:
            self._link = tiff_tags.begin_pages(self._file, order=order)
        self._link = tiff_tags.add_page(self._file, picture, {}, link=self._link, order=order)

    def _end(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            file.close()


def _linked(file: Path, place: Path) -> None:
    """The same file under a second name; a copy where the disk cannot do that."""
    try:
        os.link(file, place)
    except OSError:
        shutil.copyfile(file, place)
        sync(place)
