"""Metadata of still pictures, carried from one file to another byte for byte.

EXIF, XMP, IPTC, colour profile, resolution, text and whatever else a file has besides its
pixels; not what says how they are stored.

Source: PNG 3rd edition (W3C 2024), 5.3 and 11.3; JPEG, ITU-T T.81, B.2.4.6.
"""

from __future__ import annotations

import io
import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from unflicker.video import tiff_tags
from unflicker.video.exr_header import whole_number_channels
from unflicker.video.picture_kinds import JPEG, TIFF
from unflicker.video.tiff_pictures import stored_tiff, with_alpha_named
from unflicker.video.tiff_tags import Directory, Parts, Tags

_PNG_BEGIN = b"\x89PNG\r\n\x1a\n"
_OF_PIXELS = (b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"hIST", b"acTL", b"fcTL", b"fdAT")
"""Chunks that say how pixels are stored, or belong to animations."""
_OF_THE_KIND = (b"bKGD", b"sBIT")
"""Chunks that depend on channels and depth."""
_OF_COLOUR = (b"iCCP", b"cHRM", b"gAMA", b"sRGB", b"cICP", b"mDCV", b"cLLI")
_EXIF = b"Exif\0\0"
_JFIF, _ADOBE, _SEVERAL, _PROFILE = b"JFIF\0", b"Adobe\0", b"MPF\0", b"ICC_PROFILE\0"
_CMYK, _GREY_AND_ALPHA = 5, 4
_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_XMP_CHUNK = b"XML:com.adobe.xmp\0\0"
_TURNED = re.compile(rb"""(tiff:Orientation(?:>|\s*=\s*["']))[2-8](?=["'<])""")


_KEPT_FILES = 2
"""TIFFs of many pages whose tags are kept in memory."""


def family(path: Path | str) -> str:
    """The kind of picture by a file's name: png, tif, jpg, or its suffix."""
    suffix = Path(path).suffix.lower()
    return "tif" if suffix in TIFF else "jpg" if suffix in JPEG else suffix.lstrip(".")


def with_metadata(encoded: bytes, source: Path, page: int | None = None) -> bytes:
    """An encoded picture with the metadata of another file of its kind.

    A source that cannot be read, or is of another kind, has none.

    Args:
        encoded: PNG, TIFF of one page, or JPEG; its pixels are upright.
        source: The file that it was made of.
        page: Number of the page of that file.
    """
    try:
        if encoded[:2] in (b"II", b"MM"):
            return tiff_with(encoded, tags_of(source, one=page is None), page or 0)
        data = source.read_bytes()
        if encoded[:8] == data[:8] == _PNG_BEGIN:
            return _png_with(encoded, data)
        if encoded[:2] == data[:2] == b"\xff\xd8":
            return _jpeg_with(encoded, data)
    except (OSError, ValueError, struct.error, IndexError):
        return encoded
    return encoded


def tags_of(source: Path, *, one: bool) -> Tags:
    """The tags of a TIFF.

    Args:
        source: The file; that of many pages is read once.
        one: Whether the first page is enough.

    Raises:
        OSError: It cannot be read.
        ValueError: It is damaged, or none.
    """
    if one:
        with source.open("rb") as file:
            return tiff_tags.read_tags(Parts(file), most_pages=1)
    status = source.stat()
    return _tags_of_pages(source, (status.st_size, status.st_mtime_ns))


@lru_cache(maxsize=_KEPT_FILES)
def _tags_of_pages(source: Path, _: tuple[int, int]) -> Tags:
    with source.open("rb") as file:
        return tiff_tags.read_tags(Parts(file))


def tiff_with(encoded: bytes, tags: Tags, page: int = 0) -> bytes:
    """An encoded TIFF with the tags of a page of another one.

    Args:
        encoded: Of one page.
        tags: Of the other file.
        page: Its number.
    """
    extra = stored_tiff(tags, page).extra
    more = carried_tags(tags, page, order=order_of(encoded))
    return with_tags(encoded, {**more, **with_alpha_named(encoded, extra)})


def with_tags(encoded: bytes, more: Directory) -> bytes:
    """An encoded TIFF of one page with further tags.

    Args:
        encoded: The file.
        more: In its byte order.
    """
    if not more:
        return encoded
    order, made = order_of(encoded), io.BytesIO()
    link = tiff_tags.begin_pages(made, order=order)
    tiff_tags.add_page(made, encoded, more, link=link, order=order)
    return made.getvalue()


def order_of(encoded: bytes) -> str:
    """The byte order of a TIFF."""
    return "<" if encoded[:2] == b"II" else ">"


def carried_tags(tags: Tags, page: int, *, order: str) -> Directory:
    """The tags of a page that its result gets.

    Args:
        tags: Of the file.
        page: Number of the page.
        order: The result's byte order.
    """
    own = tags.pages[page]
    kept = dict(tiff_tags.without_pixels(own))
    if _first(tags, own, tiff_tags.PHOTOMETRIC) == _CMYK:
        kept.pop(tiff_tags.PROFILE, None)
    if tiff_tags.XMP in kept:
        packet = kept[tiff_tags.XMP]
        kept[tiff_tags.XMP] = replace(packet, data=_upright_xmp(packet.data))
    return tiff_tags.upright(tiff_tags.in_order(kept, tags.order, order), order)


def tiff_compression(source: Path) -> int:
    """How a TIFF is compressed, by the tag's number; 5 (LZW) if it is not known, or is lossy."""
    try:
        tags = tags_of(source, one=True)
        found = _first(tags, tags.pages[0], tiff_tags.COMPRESSION)
    except (OSError, ValueError, IndexError):
        return 5
    return {1: 1, 8: 8, 32946: 8}.get(found, 5)


def not_carried(source: Path) -> tuple[str, ...]:
    """What a picture has besides its pixels that its result cannot have, in words.

    Args:
        source: A PNG, TIFF or JPEG; what cannot be read has no such things.
    """
    try:
        if family(source) == "tif":
            with source.open("rb") as file:
                return _not_carried_of_tiff(Parts(file))
        if family(source) == "exr":
            names = ", ".join(whole_number_channels(source))
            return (f"the last bits of whole numbers (channels {names})",) if names else ()
        data = source.read_bytes()
        if data[:8] == _PNG_BEGIN:
            return tuple(_not_carried_of_png(data))
        if data[:2] == b"\xff\xd8":
            return tuple(_not_carried_of_jpeg(data))
    except OSError:
        return ()
    except (ValueError, struct.error, IndexError, StopIteration):
        return ("the metadata of a picture, which are damaged",)
    return ()


def has_profile(source: Path) -> bool:
    """Whether a picture has a colour profile of its own."""
    try:
        if family(source) == "tif":
            with source.open("rb") as file:
                tags = tiff_tags.read_tags(Parts(file), most_pages=1)
            return tiff_tags.PROFILE in tags.pages[0]
        data = source.read_bytes()
        if data[:8] == _PNG_BEGIN:
            return any(name in (b"iCCP", b"cICP") for name, _ in chunks_of(data))
        return data[:2] == b"\xff\xd8" and any(b.startswith(_PROFILE) for _, b in segments_of(data))
    except (OSError, ValueError, struct.error, IndexError):
        return False


def date_of(source: Path) -> str:
    """When a picture was taken, as text that sorts by time; empty if its file does not say.

    Args:
        source: A PNG, TIFF or JPEG, or a raw picture that is built as a TIFF.
    """
    try:
        with source.open("rb") as file:
            begin = file.read(8)
            if begin[:2] in (b"II", b"MM"):
                return tiff_tags.date_taken(tiff_tags.read_tags(Parts(file), most_pages=1))
        exif = exif_of(source)
        return tiff_tags.date_taken(tiff_tags.read_tags(exif)) if exif else ""
    except (OSError, ValueError, struct.error, IndexError):
        return ""


def exif_of(source: Path) -> bytes:
    """The EXIF data of a PNG or JPEG; empty if there is none.

    Raises:
        OSError: It cannot be read.
    """
    data = source.read_bytes()
    if data[:8] == _PNG_BEGIN:
        return next((body for name, body in chunks_of(data) if name == b"eXIf"), b"")
    if data[:2] == b"\xff\xd8":
        found = (body[len(_EXIF) :] for _, body in segments_of(data) if body.startswith(_EXIF))
        return next(found, b"")
    return b""


def _first(tags: Tags, directory: Directory, number: int) -> int:
    return tags.numbers(directory[number])[0] if number in directory else 0


def _not_carried_of_tiff(file: Parts) -> tuple[str, ...]:
    tags = tiff_tags.read_tags(file)
    own, found = tags.pages[0], []
    if tiff_tags.SUB_PICTURES in own:
        found.append("smaller pictures inside a TIFF (SubIFDs)")
    copies = (page.get(tiff_tags.SUBFILE) for page in tags.pages)
    if any(tag is not None and tags.numbers(tag)[0] & tiff_tags.REDUCED for tag in copies):
        found.append("the smaller copy inside a TIFF")
    return (*found, *stored_tiff(tags).converted())


def _not_carried_of_png(data: bytes) -> Iterator[str]:
    names = dict(chunks_of(data))
    if b"acTL" in names:
        yield "the animation of a PNG"
    if b"IHDR" in names and names[b"IHDR"][9] == _GREY_AND_ALPHA:
        yield "the grey of a PNG with transparency (it becomes RGB)"


def _not_carried_of_jpeg(data: bytes) -> Iterator[str]:
    if any(body.startswith(_SEVERAL) for _, body in segments_of(data)):
        yield "further pictures inside a JPEG (MPF)"
    if _channels(data) == len("CMYK"):
        yield "the CMYK colours of a JPEG, with their profile (it becomes RGB)"


def chunks_of(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The chunks of a PNG: names and contents."""
    place = 8
    while place + 12 <= len(data):
        (length,) = struct.unpack(">I", data[place : place + 4])
        yield data[place + 4 : place + 8], data[place + 8 : place + 8 + length]
        place += 12 + length


def _png_with(encoded: bytes, source: bytes) -> bytes:
    own, given = list(chunks_of(encoded)), list(chunks_of(source))
    same_kind = own[0][1][8:10] == given[0][1][8:10]
    same_colour = bool(own[0][1][9] & 2) == bool(given[0][1][9] & 2)
    end = next(at for at, (name, _) in enumerate(given) if name == b"IDAT")
    # An orientation after the pixels is not looked at, so it stays.
    before = [
        (name, _upright_chunk(name, body))
        for name, body in given[:end]
        if _goes_along(name, same_kind, same_colour)
    ]
    after = [chunk for chunk in given[end:] if _goes_along(chunk[0], same_kind, same_colour)]
    pixels = [chunk for chunk in own if chunk[0] in _OF_PIXELS]
    # Colour and its depth stand before a palette, which our encoder does not write.
    return _PNG_BEGIN + b"".join(
        png_chunk(*chunk) for chunk in (pixels[0], *before, *pixels[1:-1], *after, pixels[-1])
    )


def _upright_chunk(name: bytes, body: bytes) -> bytes:
    if name == b"eXIf":
        return _upright_exif(body)
    return _upright_xmp(body) if name == b"iTXt" and body.startswith(_XMP_CHUNK) else body


def _goes_along(name: bytes, same_kind: bool, same_colour: bool) -> bool:  # noqa: FBT001
    if name in _OF_PIXELS:
        return False
    if name in _OF_THE_KIND:
        return same_kind
    return same_colour or name not in _OF_COLOUR


def png_chunk(name: bytes, body: bytes) -> bytes:
    """A chunk of a PNG.

    Args:
        name: Four letters.
        body: Its content.
    """
    check = zlib.crc32(name + body)
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", check)


def segments_of(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The segments of a JPEG up to its pixels: markers and contents."""
    place = 2
    while data[place] == 0xFF and data[place + 1] != 0xDA:
        (length,) = struct.unpack(">H", data[place + 2 : place + 4])
        yield data[place + 1], data[place + 4 : place + 2 + length]
        place += 2 + length


def _jpeg_with(encoded: bytes, source: bytes) -> bytes:
    grey = _channels(encoded) == 1
    same_colour = grey == (_channels(source) == 1) and _channels(source) < 4
    given = list(segments_of(source))
    carried = [one for one in given if _is_metadata(*one)]
    if not same_colour:
        carried = [one for one in carried if not one[1].startswith(_PROFILE)]
    begin = [one for one in carried if one[1].startswith(_JFIF)]
    rest = [one for one in carried if not one[1].startswith(_JFIF)]
    own = [one for one in segments_of(encoded) if not (begin and one[1].startswith(_JFIF))]
    jfif = [one for one in own if one[1].startswith(_JFIF)]
    tables = [one for one in own if not one[1].startswith(_JFIF)]
    head = b"".join(segment_of_jpeg(*one) for one in (*begin, *jfif, *rest, *tables))
    return b"\xff\xd8" + head + encoded[_scan(encoded) :]


def _is_metadata(marker: int, body: bytes) -> bool:
    if marker == 0xFE:
        return True
    return 0xE0 <= marker <= 0xEF and not body.startswith((_ADOBE, _SEVERAL))


def segment_of_jpeg(marker: int, body: bytes) -> bytes:
    """A segment of a JPEG; EXIF data become those of an upright picture.

    Args:
        marker: Of its kind.
        body: Its content.
    """
    if body.startswith(_EXIF):
        body = _EXIF + _upright_exif(body[len(_EXIF) :])
    elif body.startswith(_XMP):
        body = _upright_xmp(body)
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def _channels(data: bytes) -> int:
    frames = (0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF)
    return next(body[5] for marker, body in segments_of(data) if marker in frames)


def _scan(data: bytes) -> int:
    """Where the pixels of a JPEG begin."""
    return 2 + sum(4 + len(body) for _, body in segments_of(data))


def _upright_exif(exif: bytes) -> bytes:
    """EXIF data for a picture whose pixels are upright; all other bytes stay."""
    _, at = tiff_tags.orientation_of(exif)
    if not at:
        return exif
    return exif[:at] + struct.pack(f"{order_of(exif)}H", 1) + exif[at + 2 :]


def _upright_xmp(packet: bytes) -> bytes:
    """An XMP packet for a picture whose pixels are upright; all other bytes stay."""
    return _TURNED.sub(rb"\g<1>1", packet)
