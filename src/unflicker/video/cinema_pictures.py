"""OpenEXR and DPX pictures: read, and written with their metadata (the only home of OpenImageIO).

A result has all attributes, channels, windows and the packing of its source.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

import numpy as np
from jaxtyping import Float32

from unflicker.errors import InputError, MissingError, OutputError
from unflicker.video.exr_header import carry_attributes

CINEMA = (".exr", ".dpx")
_FILM = ("Printing density", "Logarithmic")
_LINEAR = ("Linear",)
_DPX_MAGIC = {b"SDPX": "big", b"XPDS": "little"}
_DPX_ORIENTATION = 768
_DPX_UNDEFINED = 0xFFFF
_DPX_FLIPS = (
    (slice(None), slice(None)),
    (slice(None), slice(None, None, -1)),
    (slice(None, None, -1), slice(None)),
    (slice(None, None, -1), slice(None, None, -1)),
)
"""How rows and columns become upright, by orientation."""
_DPX_METADATA = ((36, 664), (1408, 2048))
"""Bytes of a DPX header that do not say how its pixels are stored: name, date, creator, project,
copyright; orientation, film and television information (SMPTE ST 268-1:2014)."""


@dataclass(frozen=True, kw_only=True, eq=False)
class CinemaPicture:
    """An OpenEXR or DPX picture as stored."""

    samples: Float32[np.ndarray, "height width channels"]
    """All channels; DPX in [0, 1]."""
    colours: tuple[int, ...]
    """Places of red, green and blue among the channels; or of one, for grey."""
    alpha: int | None
    """Place of the transparency."""
    values: Literal["linear", "film", "video"]
    """Meaning of the colours: proportional to light, to density, or as video."""
    depth: int
    """Bits of a sample of DPX; 32 for OpenEXR, also of half precision."""
    spec: Any
    """OpenImageIO's description, with all attributes."""
    turned: bool = False
    """Whether the file has it otherwise than upright."""


def read_cinema(path: Path) -> CinemaPicture | None:
    """A picture; None if it cannot be read.

    Args:
        path: An OpenEXR or DPX file.

    Raises:
        MissingError: OpenImageIO is not installed.
        InputError: It is of a kind that is not processed.
    """
    library = _library()
    opened = library.ImageInput.open(str(path))
    if opened is None:
        library.geterror()
        return None
    whole = _is_dpx(path)
    orientation = _dpx_orientation(path) if whole else 0
    try:
        spec = opened.spec()
        if spec.deep:
            raise InputError(f"{path} holds deep samples; flatten it to one sample a pixel")
        samples = opened.read_image("uint16" if whole else "float")
        if samples is None:
            return None
    finally:
        opened.close()
    samples = samples.reshape(spec.height, spec.width, spec.nchannels)[_DPX_FLIPS[orientation]]
    if whole:
        samples = samples.astype(np.float32) / np.float32(65535.0)
    colours = _colours(spec.channelnames, path)
    alpha = spec.alpha_channel if spec.alpha_channel >= 0 else None
    return CinemaPicture(
        samples=samples,
        colours=colours,
        alpha=alpha if alpha not in colours else None,
        values=_meaning(spec) if whole else "linear",
        depth=spec.get_int_attribute("oiio:BitsPerSample", 16) if whole else 32,
        spec=spec,
        turned=orientation > 0,
    )


def parts_of(path: Path) -> int:
    """Number of pictures in an OpenEXR file; 1 for what cannot be read."""
    opened = _library().ImageInput.open(str(path))
    if opened is None:
        _library().geterror()
        return 1
    try:
        return max(opened.spec().get_int_attribute("oiio:subimages", 1), 1)
    finally:
        opened.close()


def written_as(path: Path, *, model: CinemaPicture, samples: np.ndarray, source: Path) -> None:
    """Write a picture with everything else as in another one.

    Args:
        path: The file to write.
        model: The other picture.
        samples: All channels, of its size.
        source: Its file.

    Raises:
        OutputError: It cannot be written.
    """
    spec = model.spec
    if _is_dpx(path):
        with source.open("rb") as file:
            magic = file.read(4)
        spec.attribute("oiio:Endian", _DPX_MAGIC.get(magic, "big"))
        # OpenImageIO writes other numbers than it reads.
        spec.attribute("Orientation", 1)
        _write(path, spec, _as_16_bits(samples, model.depth))
        _carry_header(source, path)
        return
    level = spec.get_float_attribute("openexr:dwaCompressionLevel", 0.0)
    if level > 0.0:
        spec.attribute("compression", f"{spec.get_string_attribute('compression')}:{level:g}")
    _write(path, spec, samples.astype(np.float32))
    carry_attributes(source, path)


def write_new(
    path: Path,
    samples: Float32[np.ndarray, "height width channels"],
    *,
    depth: int = 10,
    attributes: dict[str, Any] | None = None,
) -> None:
    """Write a picture that has no model: half-precision OpenEXR, or DPX.

    Args:
        path: The file to write; its suffix says which.
        samples: Grey, RGB, either with alpha; in [0, 1] for DPX.
        depth: Bits of a sample of DPX.
        attributes: Numbers and texts to store, by OpenImageIO's names.

    Raises:
        OutputError: It cannot be written.
    """
    library = _library()
    height, width, channels = samples.shape
    dpx = _is_dpx(path)
    spec = library.ImageSpec(width, height, channels, "uint16" if dpx else "half")
    spec.channelnames = {1: ("Y",), 2: ("Y", "A"), 3: tuple("RGB"), 4: tuple("RGBA")}[channels]
    if dpx:
        spec.attribute("oiio:BitsPerSample", depth)
    else:
        spec.attribute("compression", "zip")
    for name, value in (attributes or {}).items():
        if isinstance(value, tuple):
            spec.attribute(name, f"float[{len(value)}]", value)
        else:
            spec.attribute(name, value)
    _write(path, spec, _as_16_bits(samples, depth) if dpx else samples.astype(np.float32))


def _library() -> ModuleType:
    try:
        import OpenImageIO
    except ImportError as fault:
        raise MissingError(
            "OpenEXR and DPX pictures need OpenImageIO, which is not installed; "
            "run: pip install 'unflicker[images]'"
        ) from fault
    return OpenImageIO


def _is_dpx(path: Path) -> bool:
    return path.suffix.lower() == ".dpx"


def _colours(names: tuple[str, ...], path: Path) -> tuple[int, ...]:
    """Places of red, green and blue; layers' names may stand before them."""
    last = [name.rpartition(".")[2].lower() for name in names]
    places: list[int] = []
    for short, long in (("r", "red"), ("g", "green"), ("b", "blue")):
        found = [at for at, name in enumerate(last) if name in (short, long)]
        places += found[:1]
    if len(places) == 3:
        return tuple(places)
    grey = [at for at, name in enumerate(last) if name in ("y", "i", "l", "luma", "gray")]
    if len(grey) == 1 and not {"ry", "by"} & set(last):
        return tuple(grey)
    raise InputError(
        f"{path} has the channels {', '.join(names)}; red, green and blue, or Y alone, are read"
    )


def _meaning(spec: Any) -> Literal["linear", "film", "video"]:
    transfer = spec.get_string_attribute("dpx:Transfer", "")
    return "film" if transfer in _FILM else "linear" if transfer in _LINEAR else "video"


def _dpx_orientation(path: Path) -> int:
    """How the rows and columns of a DPX are stored, 0 to 3 (SMPTE ST 268-1:2014, 5.2)."""
    with path.open("rb") as file:
        order = _DPX_MAGIC.get(file.read(4), "big")
        file.seek(_DPX_ORIENTATION)
        found = int.from_bytes(file.read(2), "little" if order == "little" else "big")
    if found == _DPX_UNDEFINED:
        return 0
    if found >= len(_DPX_FLIPS):
        raise InputError(f"{path} is stored by columns (orientation {found}); turn it upright")
    return found


def _as_16_bits(samples: np.ndarray, depth: int) -> np.ndarray:
    """Samples in [0, 1] at a depth, their bits repeated to 16 as OpenImageIO reads them."""
    peak = (1 << depth) - 1
    codes = np.rint(np.clip(samples, 0.0, 1.0).astype(np.float64) * peak).astype(np.uint32)
    return (codes << (16 - depth) | codes >> (2 * depth - 16)).astype(np.uint16)


def _write(path: Path, spec: Any, samples: np.ndarray) -> None:
    library = _library()
    if not spec.get_string_attribute("DateTime"):
        # An empty one keeps OpenImageIO from writing the time.
        spec.attribute("DateTime", "")
    output = library.ImageOutput.create(path.suffix.lstrip("."))
    if output is None or not output.open(str(path), spec):
        raise OutputError(f"{path.name} cannot be written: {library.geterror()}; choose TIFF")
    try:
        if not output.write_image(np.ascontiguousarray(samples)):
            raise OutputError(f"{path.name} cannot be written: {output.geterror()}; free the disk")
    finally:
        output.close()


def _carry_header(source: Path, path: Path) -> None:
    """Give a DPX the parts of another one's header that do not concern its pixels."""
    with source.open("rb") as given, path.open("r+b") as made:
        if given.read(4) != made.read(4):
            return
        for first, stop in _DPX_METADATA:
            given.seek(first)
            made.seek(first)
            made.write(given.read(stop - first))
