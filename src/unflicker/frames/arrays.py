"""Conversion between callers' arrays and clips: lists, tensors, alpha, halves and doubles."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Shaped

from unflicker.errors import UsageError
from unflicker.frames.alpha import covered
from unflicker.frames.picture import Picture, as_array, as_picture

_log = logging.getLogger(__name__)
_TYPES = (np.uint8, np.uint16, np.float32)
_FLOATS = (np.float16, np.float64)
_BEYOND = 1e-4
"""How far a float may lie outside [0, 1]: resizing by cubics in single precision does so."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Pixels:
    """Pictures for the pipeline, and the conversion of its result to the caller's type."""

    pixels: Shaped[np.ndarray, "time height width *channels"]
    """RGB, or grey without channels; uint8, uint16 or float32 in [0, 1]. Not shared memory."""
    back: Callable[[np.ndarray], Any]


def pixels_of(frames: Any, *, what: str = "frames") -> Pixels:
    """Any frames as pixels.

    Args:
        frames: `(time, height, width, channels)` with 1, 3 or 4 channels, or grey without; a list
            of such pictures; a torch tensor. uint8, uint16, or floats in [0, 1].
        what: Their name, for messages.

    Raises:
        UsageError: Another shape or type, values outside [0, 1], NaN.
    """
    if hasattr(frames, "detach"):
        inner = pixels_of(_as_array(frames), what=what)
        return Pixels(pixels=inner.pixels, back=lambda out: frames.new_tensor(inner.back(out)))
    if isinstance(frames, (list, tuple)):
        inner = pixels_of(_stacked(frames, what), what=what)
        if hasattr(frames[0], "detach"):
            as_given = frames[0].new_tensor
            return Pixels(pixels=inner.pixels, back=lambda out: [*map(as_given, inner.back(out))])
        return Pixels(pixels=inner.pixels, back=lambda out: list(inner.back(out)))
    given = _as_array(frames)
    _check(given, what)
    _warn_of_few_bits(given, what)
    if given.dtype in _FLOATS:
        single = given.astype(np.float32)
        inner = pixels_of(single, what=what)

        def back(out: np.ndarray) -> np.ndarray:
            """Unchanged values keep the bits that single precision lacks."""
            result = inner.back(out)
            return np.where(result == single, given, result.astype(given.dtype))

        return Pixels(pixels=inner.pixels, back=back)
    if given.shape[-1] == 1 and given.ndim == 4:
        return Pixels(pixels=given[..., 0].copy(), back=lambda out: out[..., None])
    if given.shape[-1] == 4 and given.ndim == 4:
        return _with_alpha(given)
    return Pixels(pixels=given.copy(), back=lambda out: out)


def _warn_of_few_bits(given: np.ndarray, what: str) -> None:
    """Warn of 16-bit samples that are probably 10- or 12-bit ones: they would be very dark."""
    if given.dtype != np.uint16 or not given.size:
        return
    peak = int(given[..., :3].max())
    bits = next((bits for bits in (10, 12) if peak < 1 << bits), None)
    if bits is not None and peak >= 1 << (bits - 1):
        _log.warning(
            "%s of uint16 reach %d only, where white is 65535; if they have %d bits, pass them "
            "shifted: frames << %d",
            what,
            peak,
            bits,
            16 - bits,
        )


def _with_alpha(given: Shaped[np.ndarray, "time height width 4"]) -> Pixels:
    """Colours under alpha 0, which are undefined, extrapolated from visible ones; restored."""
    hidden = given[..., 3:] == 0
    pixels = given[..., :3].copy()
    for place in np.nonzero(hidden.any(axis=(1, 2, 3)))[0]:
        continued = as_array(_continued(given[place]), like=pixels[place])
        pixels[place] = np.where(hidden[place], continued, pixels[place])

    def back(out: np.ndarray) -> np.ndarray:
        colour = np.where(hidden, given[..., :3], out)
        return np.concatenate([colour, given[..., 3:]], axis=-1)

    return Pixels(pixels=pixels, back=back)


def _continued(rgba: Shaped[np.ndarray, "height width 4"]) -> Picture:
    """The colours of one picture, extrapolated from visible to transparent areas."""
    picture = as_picture(rgba[..., :3])
    seen = (rgba[..., 3] > 0).astype(picture.planes[0].dtype) * picture.layout.peak
    layout = replace(picture.layout, alpha=True)
    filled = covered(replace(picture, planes=(*picture.planes, seen), layout=layout))
    return replace(filled, planes=filled.planes[:3], layout=picture.layout)


def _as_array(pictures: Any) -> np.ndarray:
    if not hasattr(pictures, "detach"):
        return np.asarray(pictures)
    tensor = pictures.detach().cpu()
    # NumPy has no bfloat16; single precision holds all its values.
    return (tensor.float() if str(tensor.dtype).endswith("bfloat16") else tensor).numpy()


def _stacked(frames: Sequence[Any], what: str) -> np.ndarray:
    pictures = [_as_array(each) for each in frames]
    shapes = {picture.shape for picture in pictures}
    if len(shapes) != 1:
        told = (
            "no pictures" if not shapes else f"pictures of {' and '.join(map(str, sorted(shapes)))}"
        )
        raise UsageError(f"{what} is a list of {told}; pass pictures of one shape")
    return np.stack(pictures)


def _check(given: np.ndarray, what: str) -> None:
    colours = given.ndim == 4 and given.shape[-1] in (1, 3, 4)
    if given.ndim != 3 and not colours:
        raise UsageError(
            f"{what} of shape {given.shape}; pass (time, height, width, 1, 3 or 4) "
            "or (time, height, width)"
        )
    if given.dtype not in _TYPES + _FLOATS:
        raise UsageError(f"{what} of {given.dtype}; pass uint8, uint16, or floats in [0, 1]")
    if given.dtype.kind != "f" or not given.size:
        return
    broken = ~np.isfinite(given).reshape(len(given), -1).all(axis=1)
    if broken.any():
        raise UsageError(
            f"{what} hold values that are no numbers, first in frame {int(broken.argmax())}; "
            "pass finite values in [0, 1]"
        )
    least, most = float(given.min()), float(given.max())
    if least < -_BEYOND or most > 1.0 + _BEYOND:
        raise UsageError(
            f"{what} hold values from {least:.4g} to {most:.4g}; pass values in [0, 1] "
            "(divide 8-bit codes by 255)"
        )
