"""Metadata of a film, which the writer reproduces."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from unflicker.frames.picture import ColourMeaning, Matrix, PixelLayout, Transfer
from unflicker.video.clock import Clock
from unflicker.video.light_codes import LightCodes
from unflicker.video.picture_kinds import PictureKind

UNSPECIFIED = 2
"""FFmpeg's number for unspecified primaries, transfer and matrix."""
LIMITED, FULL = 1, 2
"""FFmpeg's numbers for the range of the samples; 0 is unspecified."""

_MATRICES: dict[int, Matrix] = {
    0: "identity",
    1: "bt709",
    4: "fcc",
    5: "bt601",
    6: "bt601",
    7: "smpte240m",
    8: "ycgco",
    9: "bt2020",
    10: "bt2020",
}
_TRANSFERS: dict[int, Transfer] = {8: "linear", 9: "log", 10: "log", 16: "pq", 18: "hlg"}
_BT2020_PRIMARIES = 9


@dataclass(frozen=True, kw_only=True)
class ColourTags:
    """FFmpeg's numbers for a stream's colour tags; copied unchanged to the output."""

    primaries: int = UNSPECIFIED
    transfer: int = UNSPECIFIED
    matrix: int = UNSPECIFIED
    range: int = 0

    def meaning(self, layout: PixelLayout, *, size: tuple[int, int]) -> ColourMeaning:
        """The interpretation of the tags, with the usual conventions where they are missing.

        Untagged YUV is BT.601 up to 576 lines and under 1280 columns, BT.709 above, as in players;
        limited range unless tagged. RGB and grey are full range unless tagged.
        """
        if layout.family == "rgb":
            matrix: Matrix = "identity"
        elif self.primaries == _BT2020_PRIMARIES and self.matrix == UNSPECIFIED:
            matrix = "bt2020"
        else:
            height, width = size
            usual: Matrix = "bt709" if width >= 1280 or height > 576 else "bt601"
            matrix = _MATRICES.get(self.matrix, usual)
        limited = self.range == LIMITED or (self.range == 0 and layout.family == "yuv")
        return ColourMeaning(
            matrix=matrix,
            full_range=not limited,
            transfer=_TRANSFERS.get(self.transfer, "power"),
        )


@dataclass(frozen=True, kw_only=True)
class MasteringDisplay:
    """The screen an HDR film was graded on (SMPTE ST 2086)."""

    red: tuple[float, float]
    green: tuple[float, float]
    blue: tuple[float, float]
    white: tuple[float, float]
    """Chromaticities x, y."""
    darkest_nits: float
    brightest_nits: float

    @classmethod
    def from_bytes(cls, data: bytes) -> MasteringDisplay | None:
        """Read FFmpeg's structure: ten fractions as pairs of int32, then two flags."""
        if len(data) < 88:
            return None
        numbers = struct.unpack("=22i", data[:88])
        if not (numbers[20] and numbers[21]):
            return None
        values = [
            numerator / denominator if denominator else 0.0
            for numerator, denominator in zip(numbers[:20:2], numbers[1:20:2], strict=True)
        ]
        return cls(
            red=(values[0], values[1]),
            green=(values[2], values[3]),
            blue=(values[4], values[5]),
            white=(values[6], values[7]),
            darkest_nits=values[8],
            brightest_nits=values[9],
        )

    def in_steps(self) -> str:
        """In the units of x264 and x265: chromaticities in 1/50000, light in 1/10000 nits."""
        points = "".join(
            f"{name}({round(x * 50_000)},{round(y * 50_000)})"
            for name, (x, y) in zip("GBR", (self.green, self.blue, self.red), strict=True)
        )
        white = f"WP({round(self.white[0] * 50_000)},{round(self.white[1] * 50_000)})"
        light = f"L({round(self.brightest_nits * 10_000)},{round(self.darkest_nits * 10_000)})"
        return points + white + light

    def in_decimals(self) -> str:
        """In the format of SVT-AV1: plain decimal numbers."""
        points = "".join(
            f"{name}({x:.5f},{y:.5f})"
            for name, (x, y) in zip("GBR", (self.green, self.blue, self.red), strict=True)
        )
        white = f"WP({self.white[0]:.5f},{self.white[1]:.5f})"
        return f"{points}{white}L({self.brightest_nits:.4f},{self.darkest_nits:.4f})"


@dataclass(frozen=True, kw_only=True)
class Cut:
    """The selected part of a film, in seconds of the source's own clock."""

    start: Fraction
    stop: Fraction | None
    """None: to the end."""
    shift: Fraction
    """Subtracted from every time, so that the part begins where the film began."""


@dataclass(frozen=True, kw_only=True)
class Traits:
    """Codec, colours, geometry and origin of a film; the defaults are those of bare pictures."""

    path: Path | None = None
    """The file the film comes from, from which sound and the rest are copied; or None."""
    pictures: tuple[Path, ...] = ()
    """The files of a folder of pictures, one a frame; the output's get the same names."""
    kinds: tuple[PictureKind | None, ...] = ()
    """How each of these files is stored, where they differ; None for damaged ones."""
    pages: tuple[int, ...] = ()
    """Numbers of the pages, where the pictures are those of one TIFF."""
    light: LightCodes | None = None
    """How values of OpenEXR and DPX became the pictures' codes; None where they are video."""
    stream_index: int = 0
    """Which stream of the file the pictures are."""
    codec: str = ""
    """FFmpeg's name of the codec, or empty for pictures that were never a video."""
    profile: str = ""
    pixel_format: str = ""
    tags: ColourTags = field(default_factory=ColourTags)
    sample_aspect: Fraction | None = None
    """Width of a sample by its height, or None if unspecified."""
    display_matrix: tuple[int, ...] | None = None
    """Rotation and mirroring on display, nine numbers in FFmpeg's fixed point."""
    mastering: MasteringDisplay | None = None
    light_level: tuple[int, int] | None = None
    """Brightest pixel, and brightest frame on average, in nits."""
    field_order: int = 0
    """FFmpeg's number; above 1 is interlaced."""
    lossless: bool = False
    """Whether the source is known to be lossless, so that the output must be too."""
    time_base: Fraction = Fraction(1, 90_000)
    """Seconds a unit of the frames' times."""
    cut: Cut | None = None
    own_keys: bool = False
    """Whether the file has metadata under keys of its maker's, as telephones write them."""
    uncarried: tuple[str, ...] = ()
    """What the film has and no result can have, in words."""
    clock: Clock = field(default_factory=Clock)
    """What is added to the times of the file's packets; cuts count on the sum."""
    bytes: int = 0
    """Size of the source on disk."""
