"""Reads one picture of a folder, or one page of a TIFF, upright (OpenCV decodes)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from unflicker.errors import InputError
from unflicker.frames.picture import PixelLayout
from unflicker.video.cinema_pictures import CINEMA, CinemaPicture, parts_of, read_cinema
from unflicker.video.light_codes import LightCodes
from unflicker.video.picture_kinds import (
    JPEG,
    TIFF,
    Pixels,
    kind_of,
    pages_in,
    turned,
    turned_back,
)
from unflicker.video.raw_pictures import is_raw, read_preview
from unflicker.video.tiff_pictures import decoded_tiff

_SAMPLED = 5
"""Pictures read to find the range of scene-linear light."""


@dataclass(frozen=True, kw_only=True)
class Still:
    """One picture: a file, or a page of it."""

    path: Path
    page: int | None = None
    """Number of the page, for the pages of one TIFF."""

    @property
    def name(self) -> str:
        """For messages."""
        page = "" if self.page is None else f", page {self.page + 1}"
        return f"{self.path.name}{page}"


def read_still(still: Still, *, turn: int | None, light: LightCodes | None) -> Pixels | None:
    """A picture in OpenCV's order (blue first), upright; None if it cannot be read.

    Args:
        still: To read.
        turn: EXIF's orientation for all; None for the file's own.
        light: How values of OpenEXR and DPX become codes; None for other kinds.

    Raises:
        InputError: Its samples are of a kind that is not processed.
    """
    if still.path.suffix.lower() in CINEMA:
        found = read_cinema(still.path)
        return None if found is None else _coded(found, light)
    if is_raw(still.path):
        return read_preview(still.path)
    kind = kind_of(still.path)
    known = 1 if kind is None else kind.orientation
    if still.path.suffix.lower() in TIFF:
        pixels = decoded_tiff(still.path, still.page)
    else:
        pixels = _decoded(still.path, by_tag=kind is None and turn is None)
    if pixels is None:
        return None
    if pixels.dtype not in (np.uint8, np.uint16):
        raise InputError(
            f"{still.path} holds {pixels.dtype} samples; whole numbers of 8 or 16 bits are read, "
            "and floats from OpenEXR: convert it"
        )
    if still.path.suffix.lower() in TIFF:
        # libtiff turns pictures by their own tags, whatever OpenCV is asked for.
        return pixels if turn in (None, known) else turned(turned_back(pixels, known), turn)
    return turned(pixels, known if turn is None else turn)


def light_of_stills(stills: Sequence[Still]) -> LightCodes | None:
    """How values of pictures become codes; None where samples are processed as they are.

    Args:
        stills: All of one kind; a few of them are read.

    Raises:
        InputError: Their transfer characteristics differ.
    """
    if stills[0].path.suffix.lower() not in CINEMA:
        return None
    last = len(stills) - 1
    places = sorted({last * at // max(_SAMPLED - 1, 1) for at in range(_SAMPLED)})
    read = [(stills[at], read_cinema(stills[at].path)) for at in places]
    known = [(still, found) for still, found in read if found is not None]
    meanings = {found.values: still for still, found in known}
    if len(meanings) > 1:
        which = ", ".join(f"{still.name} as {meaning}" for meaning, still in meanings.items())
        raise InputError(f"pictures store light in several ways ({which}); process each alone")
    if "film" in meanings:
        return LightCodes.of_film()
    if "linear" in meanings:
        return LightCodes.of_linear(_colours(found) for _, found in known)
    return None


def samples_coded(
    found: CinemaPicture, light: LightCodes | None
) -> tuple[list[np.ndarray], np.ndarray | None]:
    """The codes of a picture's colours, one array each, and of its transparency.

    Args:
        found: The picture.
        light: How values become codes; None for video.
    """
    colours = [found.samples[..., place] for place in found.colours]
    if light is None:
        codes = [np.rint(np.clip(colour, 0.0, 1.0) * 65535.0) for colour in colours]
    else:
        codes = [light.codes(colour) for colour in colours]
    alpha = None
    if found.alpha is not None:
        seen = np.nan_to_num(found.samples[..., found.alpha], nan=0.0)
        alpha = np.rint(np.clip(seen, 0.0, 1.0) * 65535.0).astype(np.uint16)
    return [code.astype(np.uint16) for code in codes], alpha


def refuse_mixture(stills: Sequence[Still]) -> None:
    """Refuse pictures that make no film together, by their names and headers, as one list.

    Raises:
        InputError: OpenEXR or DPX is among others, files have pages or parts, or shapes differ.
    """
    suffixes = [still.path.suffix.lower() for still in stills]
    special = set(suffixes) & set(CINEMA)
    if special and len(set(suffixes)) > 1:
        counted = ", ".join(f"{suffixes.count(one)} {one}" for one in sorted(set(suffixes)))
        raise InputError(
            f"{stills[0].path.parent} mixes {counted}; OpenEXR and DPX are not brought together "
            "with other kinds: put each kind into a folder of its own"
        )
    if not special:
        with_pages = [s for s in stills if s.page is None and len(pages_in(s.path)) > 1]
        if with_pages:
            raise InputError(
                f"{with_pages[0].path} holds {len(pages_in(with_pages[0].path))} pages, a folder "
                "has one picture a file; pass that file itself: its pages are frames"
            )
        return
    with_parts = [still for still in stills if special == {".exr"} and parts_of(still.path) > 1]
    if with_parts:
        raise InputError(
            f"{with_parts[0].path} holds {parts_of(with_parts[0].path)} parts, one is read; "
            "split it into files of one part, such as by `oiiotool -i FILE --subimage 0 -o NEW`"
        )


def layout_of(pixels: Pixels) -> PixelLayout:
    """The layout of pixels in OpenCV's order."""
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    return PixelLayout(
        family="grey" if channels < 3 else "rgb",
        depth=8 if pixels.dtype == np.uint8 else 16,
        alpha=channels in (2, 4),
    )


def planes_of(pixels: Pixels) -> tuple[np.ndarray, ...]:
    """Pixels in OpenCV's order as planes: red, green, blue, transparency; or grey."""
    if pixels.ndim == 2:
        return (pixels,)
    order = (2, 1, 0, 3)[: pixels.shape[2]] if pixels.shape[2] > 2 else (0, 1)
    return tuple(np.ascontiguousarray(pixels[..., channel]) for channel in order)


def words_of(pixels: Pixels) -> str:
    """Size, colours and depth of pixels, for messages."""
    height, width = pixels.shape[:2]
    layout = layout_of(pixels)
    return f"{width}x{height} {layout.family}{' with alpha' * layout.alpha}, {layout.depth} bit"


def _decoded(path: Path, *, by_tag: bool) -> Pixels | None:
    """The pixels as stored; turned by OpenCV itself where their orientation could not be read."""
    jpeg = path.suffix.lower() in JPEG
    flags = cv2.IMREAD_ANYDEPTH | cv2.IMREAD_ANYCOLOR if jpeg else cv2.IMREAD_UNCHANGED
    if jpeg and not by_tag:
        flags |= cv2.IMREAD_IGNORE_ORIENTATION
    try:
        data = np.frombuffer(path.read_bytes(), np.uint8)
        return cv2.imdecode(data, flags) if data.size else None
    except (OSError, cv2.error):
        return None


def _coded(found: CinemaPicture, light: LightCodes | None) -> Pixels:
    codes, alpha = samples_coded(found, light)
    if len(codes) == 1 and alpha is None:
        return codes[0]
    if len(codes) == 1:
        codes = codes * 3
    return np.dstack([*codes[::-1], *(() if alpha is None else (alpha,))])


def _colours(found: CinemaPicture) -> np.ndarray:
    return found.samples[..., list(found.colours)]
