"""A folder of pictures, or the pages of a TIFF, as a film."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import cv2

from unflicker.errors import InputError
from unflicker.files.outputs import PICTURE_ENDINGS
from unflicker.frames.picture import ColourMeaning, Frame, Picture
from unflicker.video.picture_kinds import (
    PictureKind,
    Pixels,
    as_kind,
    common_turn,
    joint_kind,
    kind_of,
    pages_in,
)
from unflicker.video.picture_order import AS_NUMBERED, Stills, ordered
from unflicker.video.picture_reading import (
    Still,
    layout_of,
    light_of_stills,
    planes_of,
    read_still,
    refuse_mixture,
    words_of,
)
from unflicker.video.raw_pictures import RAW, is_raw
from unflicker.video.traits import Traits

ENDINGS = PICTURE_ENDINGS
_CHANNELS = {1: "grey", 3: "colour", 4: "with alpha"}
_ELSEWHERE = (".cin", ".hdr", ".webp", ".bmp", *RAW)
_LISTED = 5


class FolderSource:
    """The pictures of a folder in order, or of a TIFF with pages; see `source.VideoSource`."""

    def __init__(
        self,
        folder: Path,
        *,
        start_seconds: float = 0.0,
        duration_seconds: float | None = None,
        strict: bool = False,
        stills: Stills = AS_NUMBERED,
    ) -> None:
        self._notes: dict[str, None] = {}
        files = self._part(folder, start_seconds, duration_seconds, stills)
        self._files = files
        self._strict = strict
        found = self._looked_at(files)
        self._known_notes = len(self._notes)
        self.name = folder.resolve().name
        self.rate = stills.rate
        self.estimated_frames: int | None = len(files)
        self._model = self._first_readable()
        if self._kind is not None:
            self._model = as_kind(self._model, self._kind)
        self._refuse_misfits(found)
        self.layout = layout_of(self._model)
        self.meaning = ColourMeaning(matrix="identity", full_range=True, transfer="power")
        self.size: tuple[int, int] = self._model.shape[:2]
        self.traits = Traits(
            pictures=tuple(still.path for still in files),
            pages=tuple(still.page for still in files if still.page is not None),
            kinds=tuple(found) if self._kind is not None else (),
            light=self._light,
            time_base=1 / stills.rate,
            bytes=sum(path.stat().st_size for path in {still.path for still in files}),
        )

    def _part(
        self, folder: Path, start_seconds: float, duration_seconds: float | None, stills: Stills
    ) -> list[Still]:
        """The pictures of the part that is asked for, in order."""
        if folder.is_dir():
            files, note = ordered(pictures_in(folder, previews=stills.previews), stills.order)
            every = [Still(path=file) for file in files]
            if note:
                self._notes[note] = None
        else:
            every = [Still(path=folder, page=page) for page in pages_in(folder)]
        first = math.ceil(start_seconds * stills.rate - 1e-9)
        count = len(every)
        if duration_seconds is not None:
            count = math.ceil(duration_seconds * stills.rate - 1e-9)
        part = every[first : first + count]
        if not part:
            raise InputError(
                f"{folder} has no picture in the part asked for; check --start and --duration"
            )
        return part

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
        first = next((at for at in range(index, 0, -1) if self._read(at) is not None), 0)
        return (frame for frame in self._frames(first) if frame.index >= index)

    @property
    def mended(self) -> bool:
        """Whether some pictures could not be read as they are, as far as they have been reached."""
        return len(self._notes) > self._known_notes

    def _frames(self, first: int) -> Iterator[Frame]:
        before = self._model
        for index, still in enumerate(self._files[first:], start=first):
            pixels = self._pixels_of(still)
            damaged = pixels is None
            if pixels is None:
                self._miss(still)
                pixels = before
            before = pixels
            picture = Picture(planes=planes_of(pixels), layout=self.layout, meaning=self.meaning)
            yield Frame(
                picture=picture,
                index=index,
                pts=index,
                time_base=self.traits.time_base,
                duration=1,
                damaged=damaged,
            )

    def _read(self, index: int) -> Pixels | None:
        return read_still(self._files[index], turn=self._turn, light=self._light)

    def _looked_at(self, files: list[Still]) -> list[PictureKind | None]:
        """The kinds of all files, by their headers; decides how they are brought together."""
        refuse_mixture(files)
        self._light = light_of_stills(files)
        found = [None if is_raw(still.path) else kind_of(still.path) for still in files]
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

    def _refuse_misfits(self, found: list[PictureKind | None]) -> None:
        """Refuse pictures of other shapes, all in one message, as far as headers tell."""
        shape = self._model.shape[:2]
        misfits = []
        for still, kind in zip(self._files, found, strict=True):
            # Where all are turned alike, they have one size.
            if kind is None or still.page is not None or self._turn is not None:
                continue
            height, width = kind.upright
            if not _same_shape((height, width), shape):
                misfits.append(f"{still.name} is {width}x{height}")
        if misfits:
            more = len(misfits) - _LISTED
            listed = ", ".join(misfits[:_LISTED]) + (f" and {more} more" if more > 0 else "")
            raise InputError(
                f"{listed}, the first picture is {words_of(self._model)}; "
                "a film needs pictures of one shape: put them into a folder of their own"
            )

    def _pixels_of(self, still: Still) -> Pixels | None:
        """The picture in the size and kind of all; None if it cannot be read."""
        pixels = read_still(still, turn=self._turn, light=self._light)
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
                f"{still.name} is {words_of(pixels)}, the first picture is "
                f"{words_of(self._model)}; a film needs pictures of one size and kind"
            )
        return pixels

    def _first_readable(self) -> Pixels:
        for index in range(len(self._files)):
            pixels = self._read(index)
            if pixels is not None:
                return pixels
            if self._strict:
                break
        raise InputError(
            f"{self._files[0].path} cannot be read as a picture; check that what its name says "
            "is in it"
        )

    def _miss(self, still: Still) -> None:
        if self._strict:
            raise InputError(
                f"{still.name} cannot be read as a picture; get it again, or leave --strict away"
            )
        self._notes[f"{still.name} cannot be read; the picture before it stands in"] = None


def pictures_in(folder: Path, *, previews: bool = False) -> list[Path]:
    """The folder's pictures, by the numbers in their names.

    Args:
        folder: Searched, without its subfolders.
        previews: Whether camera raw is read; other pictures are then passed over.

    Raises:
        InputError: There is none that we read.
    """
    try:
        files = [
            file for file in folder.iterdir() if file.is_file() and not file.name.startswith(".")
        ]
    except OSError as fault:
        raise InputError(f"{folder} cannot be read: {fault.strerror}; check its rights") from fault
    raw = [file for file in files if file.suffix.lower() in RAW] if previews else []
    pictures = raw or [file for file in files if file.suffix.lower() in ENDINGS]
    if pictures:
        return ordered(pictures, "number")[0]
    others = sorted({file.suffix.lower() for file in files} & set(_ELSEWHERE))
    found = f"only {', '.join(others)}" if others else f"{len(files)} other files"
    way = "convert them to 16-bit PNG or TIFF, or pass a video file"
    if set(others) & set(RAW):
        way = "develop them to 16-bit TIFF, or write exposures for raw files with --xmp"
    raise InputError(
        f"{folder} has no PNG, TIFF, JPEG, OpenEXR or DPX picture in it, {found}; {way}"
    )


def _same_shape(one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    """Whether two sizes have the same proportions, within half a pixel."""
    return abs(one[0] * other[1] - one[1] * other[0]) <= max(other[:2]) // 2
