"""Tags of TIFF files and of EXIF data, which is a TIFF without a picture: read, and written again.

Source: TIFF 6.0 (1992); Exif 2.32 (CIPA DC-008), 4.6; BigTIFF, as libtiff 4 reads it.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from io import BufferedIOBase
from typing import Any

import numpy as np

from unflicker.video.tiff_form import FORMS, TiffForm

ORIENTATION = 274
EXIF, GPS, INTEROPERABILITY = 34665, 34853, 40965
PROFILE, XMP = 34675, 700
"""The ICC profile; the XMP packet."""
PHOTOMETRIC, COMPRESSION = 262, 259
WIDTH, HEIGHT, BITS, SAMPLES, EXTRA_SAMPLES = 256, 257, 258, 277, 338
SUBFILE, REDUCED = 254, 1
"""What a page is, and the bit for a smaller copy of another one."""
SUB_PICTURES = 330
"""Offsets of smaller pictures, or of a raw picture."""
_OFFSETS, _COUNTS = (273, 324), (279, 325)
_INNER = (EXIF, GPS, INTEROPERABILITY)
_DATE_TAKEN, _FRACTION, _DATE_CHANGED = 36867, 37521, 306
_SIZES = {
    1: 1,
    2: 1,
    3: 2,
    4: 4,
    5: 8,
    6: 1,
    7: 1,
    8: 2,
    9: 4,
    10: 8,
    11: 4,
    12: 8,
    13: 4,
    16: 8,
    17: 8,
    18: 8,
}
"""Bytes of a value of each type."""
_UNITS = {3: 2, 4: 4, 5: 4, 8: 2, 9: 4, 10: 4, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
"""Bytes that change places in the other byte order."""
_LONG = 4
_NARROWER = {16: 4, 18: 13}
"""Types of 64 bits that a TIFF of less than 4 GB stores as types of 32."""
_MOST_PAGES = 100_000
_OF_PIXELS = frozenset(
    [
        *(254, 255, 256, 257, 258, 259, 262, 263, 264, 265, 266, 273, 277, 278, 279, 280, 281),
        *(284, 288, 289, 290, 291, 292, 293, 301, 317, 320, 322, 323, 324, 325, SUB_PICTURES),
        *(332, 333, 334, 336, 338, 339, 340, 341, 342, 347, 512, 513, 514, 515, 517, 518, 519),
        *(520, 521, 529, 530, 531, 532, 559),
    ]
)
"""Tags that say how the pixels are stored; those of the new file are its own."""


@dataclass(frozen=True, kw_only=True)
class Tag:
    """The value of one tag, in the byte order of its file."""

    kind: int
    """Type of its numbers, 1 to 13."""
    count: int
    data: bytes
    inner: Mapping[int, Tag] = field(default_factory=dict)
    """The tags that it leads to, as those of EXIF."""


Directory = Mapping[int, Tag]


@dataclass(frozen=True, kw_only=True)
class Tags:
    """The tags of all pages of a TIFF."""

    order: str
    """`<` for little-endian, `>` for big-endian."""
    pages: tuple[Directory, ...]
    places: tuple[int, ...] = ()
    """Where the directory of each page is."""
    wide: bool = False
    """Whether it is a BigTIFF, with places of 64 bits."""

    def numbers(self, tag: Tag) -> tuple[Any, ...]:
        """The numbers of a tag of whole numbers."""
        letters = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 13: "I"}
        if tag.kind not in letters:
            return ()
        return struct.unpack(f"{self.order}{tag.count}{letters[tag.kind]}", tag.data)


class Parts:
    """A file whose parts are read as they are asked for: `file[first:stop]`."""

    def __init__(self, file: BufferedIOBase) -> None:
        self._file = file

    def __getitem__(self, part: slice) -> bytes:
        """The bytes from one place to another."""
        self._file.seek(part.start or 0)
        return self._file.read(part.stop - (part.start or 0))


def read_tags(data: Any, *, most_pages: int = _MOST_PAGES) -> Tags:
    """The tags of a TIFF, or of EXIF data.

    Args:
        data: From its first byte on; bytes, or a file in memory.
        most_pages: Read no more of them.

    Raises:
        ValueError: It is none, or is damaged.
    """
    form = FORMS.get(bytes(data[:4]))
    if form is None:
        raise ValueError("no TIFF")
    pages: dict[int, Directory] = {}
    first = 8 if form.wide else 4
    try:
        (place,) = struct.unpack(form.order + form.place, data[first : first + form.bytes])
        while place and place not in pages and len(pages) < most_pages:
            at = place
            pages[at], place = _directory(data, at, form, depth=0)
    except (struct.error, IndexError) as fault:
        raise ValueError("a damaged TIFF") from fault
    return Tags(order=form.order, pages=tuple(pages.values()), places=tuple(pages), wide=form.wide)


def date_taken(tags: Tags) -> str:
    """The time at which a picture was taken, as text that sorts by time; empty if not known."""
    first = tags.pages[0] if tags.pages else {}
    exif = first[EXIF].inner if EXIF in first else {}
    for place, name in ((exif, _DATE_TAKEN), (first, _DATE_TAKEN), (first, _DATE_CHANGED)):
        if name in place:
            fraction = _text(exif[_FRACTION]) if _FRACTION in exif and place is exif else ""
            taken = _text(place[name])
            if any("1" <= sign <= "9" for sign in taken):
                return f"{taken}.{fraction}" if fraction else taken
    return ""


def upright(directory: Directory, order: str) -> Directory:
    """The same tags for a picture whose pixels are upright.

    Args:
        directory: Of a page, or of EXIF data.
        order: Its byte order.
    """
    if ORIENTATION not in directory:
        return directory
    one = Tag(kind=3, count=1, data=struct.pack(f"{order}H", 1))
    return {**directory, ORIENTATION: one}


def orientation_of(exif: bytes) -> tuple[int, int]:
    """The orientation in EXIF data, and where it stands; (1, 0) if it is not there.

    Other tags may be damaged or missing.

    Args:
        exif: From its first byte on.
    """
    form = FORMS.get(bytes(exif[:4]))
    try:
        if form is None or form.wide:
            return 1, 0
        (place,) = struct.unpack(f"{form.order}I", exif[4:8])
        entries, end = form.entries(exif, place)
        for at, entry in enumerate(reversed(entries), start=1):
            number, _, _, value = struct.unpack(f"{form.order}HHIH", entry[:10])
            if number == ORIENTATION:
                return (value if 1 <= value <= 8 else 1), end - at * len(entry) + 8
    except (struct.error, ValueError):
        pass
    return 1, 0


def without_pixels(directory: Directory) -> Directory:
    """The tags of a page that do not say how its pixels are stored."""
    return {number: tag for number, tag in directory.items() if number not in _OF_PIXELS}


def in_order(directory: Directory, given: str, wanted: str) -> Directory:
    """Tags in another byte order.

    Args:
        directory: The tags.
        given: Their order.
        wanted: The other one.
    """
    if given == wanted:
        return directory
    return {number: _swapped(tag, given, wanted) for number, tag in directory.items()}


def begin_pages(file: BufferedIOBase, *, order: str) -> int:
    """Begin a TIFF without pages.

    Args:
        file: Open for writing at its beginning.
        order: Its byte order.

    Returns:
        Where the place of the first page is to be written.
    """
    file.write((b"II*\0" if order == "<" else b"MM\0*") + bytes(4))
    return 4


def add_page(
    file: BufferedIOBase, picture: bytes, more: Directory, *, link: int, order: str
) -> int:
    """Append an encoded picture to a TIFF as its next page.

    Args:
        file: The TIFF, open at its end.
        picture: A TIFF of one page, of the same byte order.
        more: Tags to add to its own; they replace those of the same number.
        link: From the page before, or from `begin_pages`.
        order: The byte order.

    Returns:
        The link for the next page.

    Raises:
        ValueError: It is no TIFF, or the result would exceed 4 GB.
    """
    own = read_tags(picture, most_pages=1).pages[0]
    file.write(bytes(-file.tell() % 8))
    begin = file.tell()
    tags = {**_moved(own, by=begin, order=order), **more}
    file.write(picture)
    file.write(bytes(-file.tell() % 2))
    place = file.tell()
    body = stored(tags, at=place, order=order)
    if place + len(body) >= 1 << 32:
        raise ValueError("a TIFF of more than 4 GB")
    file.seek(link)
    file.write(struct.pack(f"{order}I", place))
    file.seek(place)
    file.write(body)
    return place + 2 + 12 * len(tags)


def stored(directory: Directory, *, at: int, order: str) -> bytes:
    """A directory with its values after it.

    Args:
        directory: Tags, which may lead to others.
        at: Its place in the file.
        order: The byte order of their values.
    """
    head = struct.pack(f"{order}H", len(directory))
    after = at + 2 + 12 * len(directory) + 4
    values = bytearray()
    for number, tag in sorted(directory.items()):
        data = tag.data
        if tag.inner:
            values += bytes((after + len(values)) % 2)
            place = after + len(values)
            values += stored(tag.inner, at=place, order=order)
            data = struct.pack(f"{order}I", place)
        elif len(data) > 4:
            values += bytes((after + len(values)) % 2)
            place = after + len(values)
            values += data
            data = struct.pack(f"{order}I", place)
        head += struct.pack(f"{order}HHI", number, tag.kind, tag.count) + data.ljust(4, b"\0")
    return head + bytes(4) + bytes(values)


def put_first(data: bytearray, tags: Tags, page: int) -> None:
    """Make a page the first of its file.

    Args:
        data: The file, which is changed.
        tags: Of its pages.
        page: Its number.
    """
    form = TiffForm(order=tags.order, wide=tags.wide)
    struct.pack_into(form.order + form.place, data, 8 if form.wide else 4, tags.places[page])


def put_number(data: bytearray, tags: Tags, page: int, *, number: int, value: int) -> None:
    """Replace a short number of a page.

    Args:
        data: The file, which is changed.
        tags: Of its pages.
        page: Its number.
        number: Of the tag, which holds one short number.
        value: The new one.
    """
    form = TiffForm(order=tags.order, wide=tags.wide)
    entries, end = form.entries(data, tags.places[page])
    for at, entry in enumerate(reversed(entries), start=1):
        if struct.unpack(f"{form.order}H", entry[:2])[0] == number:
            place = end - at * len(entry) + 4 + form.bytes
            struct.pack_into(f"{form.order}H", data, place, value)


def _directory(data: Any, place: int, form: TiffForm, *, depth: int) -> tuple[Directory, int]:
    """A directory of tags, and the place of the next."""
    entries, end = form.entries(data, place)
    found: dict[int, Tag] = {}
    for entry in entries:
        number, kind, many = struct.unpack(f"{form.order}HH{form.place}", entry[: 4 + form.bytes])
        size = _SIZES.get(kind, 0) * many
        if not size:
            continue
        value = entry[-form.bytes :][:size]
        if size > form.bytes:
            (start,) = struct.unpack(form.order + form.place, entry[-form.bytes :])
            value = bytes(data[start : start + size])
            if len(value) < size:
                raise ValueError("a damaged TIFF")
        tag = _narrow(Tag(kind=kind, count=many, data=value), form.order)
        if number in _INNER and depth < len(_INNER) and len(tag.data) == 4:
            (start,) = struct.unpack(f"{form.order}I", tag.data)
            inner, _ = _directory(data, start, form, depth=depth + 1)
            tag = replace(tag, inner=inner)
        found[number] = tag
    following = bytes(data[end : end + form.bytes])
    if len(following) < form.bytes:
        return found, 0
    return found, struct.unpack(form.order + form.place, following)[0]


def _narrow(tag: Tag, order: str) -> Tag:
    """A tag of 64-bit numbers as one of 32 bits, where they fit."""
    if tag.kind not in _NARROWER:
        return tag
    numbers = struct.unpack(f"{order}{tag.count}Q", tag.data)
    if max(numbers) >= 1 << 32:
        return tag
    data = struct.pack(f"{order}{tag.count}I", *numbers)
    return replace(tag, kind=_NARROWER[tag.kind], data=data)


def _moved(directory: Directory, *, by: int, order: str) -> Directory:
    """A page's tags when its file lies later in another one."""
    moved = dict(directory)
    for number in _OFFSETS:
        if number in directory:
            tag = directory[number]
            letter = "H" if tag.kind == 3 else "I"
            places = struct.unpack(f"{order}{tag.count}{letter}", tag.data)
            data = struct.pack(f"{order}{tag.count}I", *(place + by for place in places))
            moved[number] = replace(tag, kind=_LONG, data=data)
    return moved


def _swapped(tag: Tag, given: str, wanted: str) -> Tag:
    unit = _UNITS.get(tag.kind, 1)
    data = tag.data
    if unit > 1:
        data = np.frombuffer(data, f"u{unit}").byteswap().tobytes()
    return replace(tag, data=data, inner=in_order(tag.inner, given, wanted))


def _text(tag: Tag) -> str:
    return tag.data.split(b"\0")[0].decode("latin-1").strip()
