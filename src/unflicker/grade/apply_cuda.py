"""Applies a grade with torch, on a GPU: as `grade.apply` does, band by band.

Each step is one of `grade.row_steps`, for all pixels of a band at once, so that both devices give
the same picture within a code value. No step is a matrix product: those may run in less than single
precision on a GPU.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from jaxtyping import Float32, Shaped

from unflicker.compute.devices import torch_library
from unflicker.frames.colour import LUMA, sample_scale, yuv_to_rgb_matrix
from unflicker.frames.picture import Picture
from unflicker.grade.apply import Tables, apply_grade, gains_of, tables_of
from unflicker.grade.grade import Grade
from unflicker.grade.row_steps import TABLE

_log = logging.getLogger(__name__)

MOST_PIXELS = 1 << 22
"""Pixels of the first band tried: about 900 MB on the device; larger is not faster."""
FEWEST_ROWS = 32
"""Rows of a band below which the processor does the rest sooner."""


@dataclass(frozen=True, kw_only=True, eq=False)
class _Work:
    """One picture to grade, in host memory."""

    picture: Picture
    gains: Float32[np.ndarray, "rows columns bins 3"]
    tables: Tables
    mask: Float32[np.ndarray, "height width"] | None
    device: str

    @property
    def block(self) -> tuple[int, int]:
        """Height and width in pixels of what one chroma sample stands for."""
        shift_x, shift_y = self.picture.layout.chroma_shift
        return 1 << shift_y, 1 << shift_x

    @property
    def planes(self) -> tuple[Shaped[np.ndarray, "_ _"], ...]:
        """The planes that hold colour."""
        return self.picture.planes[: self.picture.layout.colour_planes]


@dataclass(frozen=True, kw_only=True)
class _Band:
    """Rows `first` to before `last` of a picture; no block of chroma lies in two bands."""

    first: int
    last: int

    def rows_of(self, plane: int, block: tuple[int, int]) -> slice:
        """The rows of a plane that belong to the band; the first plane is whole."""
        tall = block[0] if plane else 1
        return slice(self.first // tall, -(-self.last // tall))


def apply_grade_on(
    picture: Picture,
    grade: Grade,
    *,
    device: str,
    mask: Float32[np.ndarray, "height width"] | None = None,
) -> Picture:
    """The picture with a grade applied on a device by torch, as `apply_grade` does.

    If the device is out of memory, bands of the picture shrink by half until they fit; if none
    fits, the CPU takes over.

    Args:
        picture: Of any layout; transparency passes through.
        grade: To apply; the identity gives the same object back.
        device: As torch names it, such as cuda:0.
        mask: Correction share of each pixel, 0 to 1; 1 everywhere if None.

    Raises:
        ValueError: A mask of another size than the picture.
        MissingError: No torch is installed.
    """
    if grade.is_identity:
        return picture
    if mask is not None and mask.shape != picture.size:
        raise ValueError(f"a mask of {mask.shape} for a picture of {picture.size}; resize it")
    tables = tables_of(grade, picture.meaning)
    work = _Work(picture=picture, gains=gains_of(grade), tables=tables, mask=mask, device=device)
    colour = _in_bands(work)
    if colour is None:
        _tell_that_memory_ran_out(device)
        return apply_grade(picture, grade, mask=mask)
    planes = colour + picture.planes[picture.layout.colour_planes :]
    return Picture(planes=planes, layout=picture.layout, meaning=picture.meaning)


@lru_cache(maxsize=8)
def _tell_that_memory_ran_out(device: str) -> None:
    """Logged once for each device, not for each frame."""
    _log.warning("the memory of %s ran out; the processor grades such frames", device)


def _in_bands(work: _Work) -> tuple[Shaped[np.ndarray, "_ _"], ...] | None:
    """The graded colour planes, or None if not even a small band fits the device."""
    height, width = work.picture.size
    tall, _ = work.block
    out = tuple(np.empty_like(plane) for plane in work.planes)
    rows, first = max(1, -(-min(height, MOST_PIXELS // width) // tall)) * tall, 0
    while first < height:
        band = _Band(first=first, last=min(first + rows, height))
        graded = _graded_if_it_fits(work, band)
        if graded is not None:
            for index, part in enumerate(graded):
                out[index][band.rows_of(index, work.block)] = part
            first = band.last
        elif rows <= FEWEST_ROWS:
            return None
        else:
            rows = max(1, rows // 2 // tall) * tall
    return out


def _graded_if_it_fits(work: _Work, band: _Band) -> list[Shaped[np.ndarray, "_ _"]] | None:
    """A band's graded planes, or None if the device is out of memory.

    A function of its own, so that the memory of a failed attempt is released when it returns.
    """
    try:
        return _graded(work, band)
    except RuntimeError as error:  # torch names several classes so, by version and by device
        if "out of memory" not in str(error):
            raise
        _log.debug("%s: no room for %d rows", work.device, band.last - band.first)
        return None


def _graded(work: _Work, band: _Band) -> list[Shaped[np.ndarray, "_ _"]]:
    """The colour planes of a band with the grade, rounded."""
    torch = torch_library()
    layout = work.picture.layout
    offset, span, middle, chroma_span = sample_scale(layout, work.picture.meaning)
    planes = _uploaded(work, band)
    first = (planes[0] - offset) / span
    corner = (0, band.first)
    if layout.family == "grey":
        change = _change(work, band, first.expand(3, -1, -1)).mean(dim=0)
        return [_rounded((first + change) * span + offset, corner, work)]
    if layout.family == "rgb":
        stored = torch.stack(planes) / span
        new = (stored + _change(work, band, stored)) * span
        return [_rounded(channel, corner, work) for channel in new]
    to_rgb = yuv_to_rgb_matrix(work.picture.meaning)
    to_yuv = np.linalg.inv(to_rgb).astype(np.float32).tolist()
    chroma = [(plane - middle) / chroma_span for plane in planes[1:]]
    spread = [_spread(plane, work.block, first.shape) for plane in chroma]
    change = _change(work, band, _mixed(to_rgb.tolist(), [first, *spread]))
    luma = first + _mixed(to_yuv[:1], change)[0]
    mean = torch.nn.functional.avg_pool2d(change, work.block, ceil_mode=True)
    new = torch.stack(chroma) + _mixed(to_yuv[1:], mean)
    chroma_corner = (17, 31 + band.first // work.block[0])
    graded = [_rounded(luma * span + offset, corner, work)]
    return graded + [_rounded(p * chroma_span + middle, chroma_corner, work) for p in new]


def _uploaded(work: _Work, band: _Band) -> list[Float32[Any, "_ _"]]:
    """The samples of a band on the device."""
    planes = []
    for index, plane in enumerate(work.planes):
        planes.append(_on_device(plane[band.rows_of(index, work.block)], work.device).float())
    return planes


def _on_device(values: Shaped[np.ndarray, ...], device: str) -> Shaped[Any, ...]:
    """The array as a tensor there."""
    # torch takes neither a read-only array, without a warning, nor one that runs backwards.
    usable = np.require(values, requirements=("C", "W"))
    return torch_library().from_numpy(usable).to(device)


def _spread(
    plane: Float32[Any, "rows columns"], block: tuple[int, int], size: tuple[int, int]
) -> Float32[Any, "height width"]:
    """Each chroma sample over the block of pixels that it stands for."""
    whole = plane.repeat_interleave(block[0], dim=0).repeat_interleave(block[1], dim=1)
    return whole[: size[0], : size[1]]


def _mixed(matrix: list[list[float]], channels: Any) -> Float32[Any, "out height width"]:
    """Three channels times the rows of a matrix."""
    rows = [
        sum(weight * channel for weight, channel in zip(row, channels, strict=True))
        for row in matrix
    ]
    return torch_library().stack(rows)


def _change(
    work: _Work, band: _Band, stored: Float32[Any, "3 height width"]
) -> Float32[Any, "3 height width"]:
    """The change of stored colours by the grade, scaled by the mask."""
    *transfers, matrix = work.tables[1:]
    table = _on_device(work.tables[0], work.device)
    to_stored, to_light = (
        None if each is None else _on_device(each, work.device) for each in transfers
    )
    last = TABLE - 1
    light = stored
    if matrix is not None:
        light = light if to_light is None else _between(light, to_light)
        light = _mixed(matrix.tolist(), light)
    entries = (light.clamp(0, 1) * last + 0.5).long()
    curve = table.gather(1, entries.flatten(1)).view(stored.shape)
    light = light * curve if matrix is not None or to_stored is None else curve
    new = light * _gain(work, band, light)
    if to_stored is not None:
        new = _between(new, to_stored)
    change = new - stored
    if work.mask is None:
        return change
    return change * _on_device(work.mask[band.first : band.last], work.device)


def _between(
    values: Float32[Any, "3 height width"], table: Float32[Any, " entries"]
) -> Float32[Any, "3 height width"]:
    """Values in [0, 1] by a table, between its entries."""
    last = len(table) - 1
    at = values.clamp(0, 1) * last
    low = at.long().clamp(max=last - 1)
    below, above = table[low], table[low + 1]
    return below + (above - below) * (at - low)


def _gain(
    work: _Work, band: _Band, light: Float32[Any, "3 height width"]
) -> Float32[Any, "3 height width"]:
    """The grid's gain for each pixel, by its place and luma."""
    torch = torch_library()
    (height, width), bins = work.picture.size, work.gains.shape[2]
    red, green, blue = (
        weight * channel for weight, channel in zip(LUMA.tolist(), light, strict=True)
    )
    tone = (red + green + blue).clamp(0, 1).sqrt() * (bins - 1)
    rows = torch.arange(band.first, band.last, device=work.device)
    columns = torch.arange(width, device=work.device)
    # torch's places run from -1 at the first cell's outer edge to 1 at the last one's.
    down = ((2 * rows + 1) / height - 1)[:, None].expand(tone.shape)
    across = ((2 * columns + 1) / width - 1)[None].expand(tone.shape)
    places = torch.stack([down, across, (2 * tone + 1) / bins - 1], dim=-1)
    # The grid's axes from the slowest are rows, columns, bins; places name them from the fastest.
    grid = _on_device(work.gains.transpose(3, 0, 1, 2), work.device)
    between = torch.nn.functional.grid_sample(
        grid[None], places.flip(-1)[None, None], padding_mode="border", align_corners=False
    )
    return between[0, :, 0]


def _rounded(
    values: Float32[Any, "height width"], corner: tuple[int, int], work: _Work
) -> Shaped[np.ndarray, "height width"]:
    """Samples of the picture's own type, rounded with the fixed pattern of `row_steps`.

    Args:
        values: In sample units.
        corner: Where in the pattern they begin, x then y.
        work: The picture they are of.
    """
    torch = torch_library()
    height, width = values.shape
    x = torch.arange(corner[0], corner[0] + width, device=values.device)
    y = torch.arange(corner[1], corner[1] + height, device=values.device)
    inner = (0.06711056 * x)[None] + (0.00583715 * y)[:, None]
    noise = 0.98 * ((52.9829189 * inner.frac()).frac() - 0.5)
    whole = ((values + noise).clamp(0, work.picture.layout.peak) + 0.5).floor()
    sample = torch.uint8 if work.picture.layout.depth == 8 else torch.uint16
    return whole.to(sample).cpu().numpy()
