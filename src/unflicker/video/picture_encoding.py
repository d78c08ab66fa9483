"""Writes one picture: in the kind that its name says, with the metadata of its source."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float32

from unflicker.errors import OutputError
from unflicker.frames.colour import WORKING_POWER, to_rgb, to_working
from unflicker.frames.picture import Picture
from unflicker.video.cinema_pictures import (
    CINEMA,
    CinemaPicture,
    read_cinema,
    write_new,
    written_as,
)
from unflicker.video.light_codes import LightCodes, shown_picture
from unflicker.video.picture_kinds import JPEG, PictureKind, Pixels, as_kind, kind_of
from unflicker.video.picture_metadata import (
    family,
    tiff_compression,
    with_metadata,
    with_tags,
)
from unflicker.video.picture_reading import Still, read_still, samples_coded
from unflicker.video.profiles import profile_of, with_profile
from unflicker.video.tiff_pictures import with_alpha_named
from unflicker.video.traits import UNSPECIFIED, ColourTags

_JPEG_OPTIONS = [
    cv2.IMWRITE_JPEG_QUALITY,
    98,
    cv2.IMWRITE_JPEG_SAMPLING_FACTOR,
    cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
]
_LZW = 5
_PEAK = 65535.0
_PQ_WHITE = 203.0 / 10_000.0
"""Linear light of white in PQ, which becomes 1 in OpenEXR (ITU-R BT.2408)."""
_DPX_DEPTH = 10
_CHROMATICITIES = {
    1: (0.64, 0.33, 0.30, 0.60, 0.15, 0.06, 0.3127, 0.3290),
    9: (0.708, 0.292, 0.170, 0.797, 0.131, 0.046, 0.3127, 0.3290),
    12: (0.68, 0.32, 0.265, 0.69, 0.15, 0.06, 0.3127, 0.3290),
}
"""Red, green, blue and white by FFmpeg's number of primaries (ITU-T H.273)."""


@dataclass(frozen=True, kw_only=True)
class PictureStyle:
    """How pictures of a film are stored, apart from their source's own ways."""

    light: LightCodes | None = None
    """How the source's values became codes."""
    tags: ColourTags = field(default_factory=ColourTags)
    """Of a film, to be named in its stills."""


def write_picture(
    path: Path,
    picture: Picture,
    *,
    source: Still | None,
    kind: PictureKind | None,
    style: PictureStyle,
) -> None:
    """Write a picture.

    Args:
        path: The file; its suffix says which kind.
        picture: Of any layout.
        source: The picture that it was made of, where that is a file.
        kind: Channels and depth; as the picture has them if None.
        style: Of all pictures.

    Raises:
        OutputError: It cannot be encoded.
        OSError: It cannot be written.
    """
    if path.suffix.lower() in CINEMA:
        _write_cinema(path, picture, source, style)
        return
    path.write_bytes(encoded(path.name, picture, source=source, kind=kind, style=style))


def encoded(
    name: str,
    picture: Picture,
    *,
    source: Still | None,
    kind: PictureKind | None,
    style: PictureStyle,
) -> bytes:
    """A picture as the content of a PNG, TIFF or JPEG file.

    Args:
        name: Of the file; its suffix says which kind.
        picture: Of any layout.
        source: As for `write_picture`.
        kind: As for `write_picture`.
        style: Of all pictures.

    Raises:
        OutputError: It cannot be encoded.
    """
    suffix = Path(name).suffix
    jpeg = suffix.lower() in JPEG
    pixels = _pixels_of_kind(picture, kind, style, jpeg=jpeg)
    alike = source is not None and family(source.path) == family(name)
    if source is not None and alike and jpeg and _is_unchanged(source, pixels):
        return source.path.read_bytes()
    options = _options(name, source.path if source is not None and alike else None)
    done, data = cv2.imencode(suffix, pixels, options)
    if not done:
        raise OutputError(f"{name} cannot be encoded; name pictures that end in .png or .tif")
    content = data.tobytes()
    if source is not None and alike:
        return with_metadata(content, source.path, source.page)
    if family(name) == "tif":
        content = with_tags(content, with_alpha_named(content, None))
    if source is None:
        return _tagged(content, style.tags)
    return with_profile(content, profile_of(source.path))


def _pixels_of_kind(
    picture: Picture, kind: PictureKind | None, style: PictureStyle, *, jpeg: bool
) -> Pixels:
    """The pixels to store, of a kind that the file can have."""
    pixels = _pixels(picture, style.light)
    if kind is not None:
        pixels = as_kind(pixels, kind)
    if jpeg and pixels.dtype != np.uint8:
        channels = 1 if pixels.ndim == 2 else 3
        pixels = as_kind(pixels, PictureKind(channels=channels, depth=8))
    return pixels


def _is_unchanged(source: Still, pixels: Pixels) -> bool:
    """Whether a file holds these pixels as they are, upright: encoding a JPEG again would lose."""
    kind = kind_of(source.path)
    if kind is None or kind.orientation != 1:
        return False
    given = read_still(source, turn=1, light=None)
    return given is not None and np.array_equal(given, pixels)


def _options(name: str, model: Path | None) -> list[int]:
    """Options for OpenCV's encoder: quality, and the compression of a picture of that kind."""
    if Path(name).suffix.lower() in JPEG:
        return _JPEG_OPTIONS
    if family(name) != "tif":
        return []
    compression = _LZW if model is None else tiff_compression(model)
    return [cv2.IMWRITE_TIFF_COMPRESSION, compression]


def linear_light(
    picture: Picture, light: LightCodes | None
) -> Float32[np.ndarray, "height width 3"]:
    """A picture's colours as linear light, in which white is 1.

    Args:
        picture: Of any layout.
        light: How values became its codes; None for video.
    """
    rgb = to_rgb(picture)
    if light is not None:
        return (rgb ** np.float32(1.0 / WORKING_POWER) * np.float32(light.limit)).astype(np.float32)
    linear = to_working(rgb, picture.meaning) ** np.float32(1.0 / WORKING_POWER)
    white = _PQ_WHITE if picture.meaning.transfer == "pq" else 1.0
    return (linear / np.float32(white)).astype(np.float32)


def _write_cinema(path: Path, picture: Picture, source: Still | None, style: PictureStyle) -> None:
    if source is not None and source.path.suffix.lower() == path.suffix.lower():
        found = read_cinema(source.path)
        if found is not None and found.samples.shape[:2] == picture.size:
            samples = _changed(found, picture, style.light)
            if not found.turned and np.array_equal(samples, found.samples, equal_nan=True):
                path.write_bytes(source.path.read_bytes())
                return
            written_as(path, model=found, samples=samples, source=source.path)
            return
    alpha = picture.planes[-1] if picture.layout.alpha else None
    more = [] if alpha is None else [alpha[..., None].astype(np.float32) / picture.layout.peak]
    if path.suffix.lower() == ".exr":
        colours = linear_light(picture, style.light)
        points = _CHROMATICITIES.get(style.tags.primaries)
        attributes = {} if points is None else {"chromaticities": points}
        write_new(path, np.concatenate([colours, *more], axis=-1), attributes=attributes)
        return
    shown = _pixels(picture, style.light)
    colours = shown if shown.ndim == 3 else np.repeat(shown[..., None], 3, axis=-1)
    peak = np.iinfo(shown.dtype).max
    samples = colours[..., 2::-1].astype(np.float32) / np.float32(peak)
    depth = _DPX_DEPTH if picture.layout.depth <= _DPX_DEPTH else 16
    write_new(path, np.concatenate([samples, *more], axis=-1), depth=depth)


def _changed(found: CinemaPicture, picture: Picture, light: LightCodes | None) -> np.ndarray:
    """The samples of a picture with the change that its codes got; other channels as they are."""
    before, _ = samples_coded(found, light)
    samples = found.samples.copy()
    noise = _noise(picture.size) if found.depth < 16 else 0.0
    for place, old, new in zip(found.colours, before, picture.planes, strict=False):
        given = found.samples[..., place]
        if light is None:
            change = (new.astype(np.float32) - old.astype(np.float32)) / np.float32(_PEAK)
            result = given + change
        else:
            result = light.changed(given, before=old, after=new)
        if found.depth < 16:
            moved = result != given
            result = result + moved * noise / np.float32((1 << found.depth) - 1)
        samples[..., place] = result
    return samples


def _noise(size: tuple[int, int]) -> Float32[np.ndarray, "height width"]:
    """A fixed pattern in (-½, ½), to round by.

    Source: interleaved gradient noise, Jimenez, SIGGRAPH 2014.
    """
    y, x = np.mgrid[: size[0], : size[1]].astype(np.float32)
    inner = np.modf(0.06711056 * x + 0.00583715 * y)[0]
    return (0.98 * (np.modf(52.9829189 * inner)[0] - 0.5)).astype(np.float32)


def _pixels(picture: Picture, light: LightCodes | None) -> Pixels:
    """A picture in OpenCV's order, full range, 8 or 16 bits."""
    shown = shown_picture(picture, light)
    layout, planes = picture.layout, shown.planes
    as_stored = layout.family == "rgb" or (layout.family == "grey" and picture.meaning.full_range)
    if not as_stored or layout.depth not in (8, 16):
        rgb = np.rint(to_rgb(shown) * np.float32(_PEAK)).astype(np.uint16)
        scale = np.float32(_PEAK / layout.peak)
        more = [np.rint(plane * scale).astype(np.uint16) for plane in planes[-1:] * layout.alpha]
        if layout.family == "grey" and not more:
            return np.ascontiguousarray(rgb[..., 0])
        return np.dstack([rgb[..., ::-1], *more])
    if len(planes) == 1:
        return np.ascontiguousarray(planes[0])
    if len(planes) == 2:
        # OpenCV writes no grey with alpha: the same light in three channels.
        planes = (planes[0], planes[0], planes[0], planes[1])
    return np.dstack([planes[2], planes[1], planes[0], *planes[3:]])


def _tagged(content: bytes, tags: ColourTags) -> bytes:
    """A PNG that names a film's colours (chunk cICP, PNG 3rd edition, 11.3.2.6); others as is."""
    known = UNSPECIFIED not in (tags.primaries, tags.transfer)
    if content[:4] != b"\x89PNG" or not known:
        return content
    body = b"cICP" + bytes([tags.primaries, tags.transfer, 0, 1])
    chunk = struct.pack(">I", 4) + body + struct.pack(">I", zlib.crc32(body))
    after_header = 8 + 25
    return content[:after_header] + chunk + content[after_header:]
