"""Values without an upper limit, or of film density, as 16-bit codes of working light, and back.

Analysis and corrections work on codes. A result is not decoded from codes: each value of the
source gets the change that its code got, so values that were not corrected stay exact, and
highlights above the range of the codes keep their values.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from jaxtyping import Float32, UInt16

from unflicker.frames.colour import WORKING_POWER
from unflicker.frames.picture import Picture

_PEAK = 65535
_FILM_CODES = 1023.0
_FILM_WHITE = 685.0 / _FILM_CODES
_CODES_A_DECADE = 300.0 / _FILM_CODES
"""0.002 of density a code, over a gamma of 0.6 of the negative."""
_DARK = 16
"""Codes below have no exact ratio; they are 1/4096 of the range, 12 stops below a 1/2.4 power."""
_BRIGHT_PERCENT = 98.0
_STOPS = (-8, 6)
"""Least and most of the range's limit, over white."""
_TOP_PERCENT = 99.0


@dataclass(frozen=True, kw_only=True)
class LightCodes:
    """The relation between a picture's values and its codes.

    Source: of film density, Kodak, "Conversion of 10-bit log film data to 8-bit linear or video
    data" (1995): white at code 685 of 1023.
    """

    values: Literal["linear", "film"] = "linear"
    """Proportional to light; or to density, in [0, 1]."""
    limit: float = 1.0
    """Linear light of the largest code, where white is 1. A power of two for linear values."""

    @classmethod
    def of_film(cls) -> LightCodes:
        """Codes of film density; the largest is the density of code 1023."""
        return cls(values="film", limit=float(10.0 ** ((1.0 - _FILM_WHITE) / _CODES_A_DECADE)))

    @classmethod
    def of_linear(cls, pictures: Iterable[Float32[np.ndarray, "_ _ _"]]) -> LightCodes:
        """Codes of linear light in which nearly all values of sample pictures have room.

        The few that are brighter share the largest code, and change as the brightest below it.

        Args:
            pictures: Values of red, green and blue; NaN and infinity do not count.
        """
        highest = 0.0
        for picture in pictures:
            finite = picture[np.isfinite(picture)]
            if finite.size:
                highest = max(highest, float(np.percentile(finite, _BRIGHT_PERCENT)))
        if highest <= 0.0:
            return cls()
        return cls(limit=float(2.0 ** np.clip(np.ceil(np.log2(highest)), *_STOPS)))

    def codes(self, values: Float32[np.ndarray, "..."]) -> UInt16[np.ndarray, "..."]:
        """The codes of values; what is not a number, or negative, is 0.

        Args:
            values: As stored.
        """
        light = self._light(values) / self.limit
        with np.errstate(invalid="ignore"):
            clipped = np.clip(np.nan_to_num(light, nan=0.0, posinf=1.0, neginf=0.0), 0.0, 1.0)
        return np.rint(clipped**WORKING_POWER * _PEAK).astype(np.uint16)

    def changed(
        self,
        values: Float32[np.ndarray, "..."],
        *,
        before: UInt16[np.ndarray, "..."],
        after: UInt16[np.ndarray, "..."],
    ) -> Float32[np.ndarray, "..."]:
        """Values of one channel with the change of their codes; unchanged ones stay exact.

        Args:
            values: As stored.
            before: Their codes.
            after: The corrected codes.
        """
        ratio = after.astype(np.float32) / np.maximum(before, 1).astype(np.float32)
        top = before == _PEAK
        if top.any():
            ratio[top] = _ratio_at_the_top(before, ratio)
        dark = (before < _DARK) & (after != before)
        with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
            if self.values == "film":
                stops = np.log10(np.maximum(ratio, 1e-6)) / WORKING_POWER
                result = values + np.float32(_CODES_A_DECADE) * stops
            else:
                result = values * ratio ** np.float32(1.0 / WORKING_POWER)
        result = np.where(dark, self.decoded(after), result)
        same = (after == before) & ~(top & (ratio != 1.0))
        return np.where(same, values, result).astype(np.float32)

    def decoded(self, codes: UInt16[np.ndarray, "..."]) -> Float32[np.ndarray, "..."]:
        """Values of codes alone.

        Args:
            codes: Of any shape.
        """
        light = (codes.astype(np.float32) / _PEAK) ** np.float32(1.0 / WORKING_POWER) * self.limit
        if self.values == "linear":
            return light.astype(np.float32)
        with np.errstate(divide="ignore"):
            density = _FILM_WHITE + _CODES_A_DECADE * np.log10(light)
        return np.maximum(density, 0.0).astype(np.float32)

    def shown(self, codes: UInt16[np.ndarray, "..."]) -> UInt16[np.ndarray, "..."]:
        """Codes as full-range video of 16 bits, in which white is the largest; more is clipped.

        Args:
            codes: Of any shape.
        """
        return _shown_table(self.limit)[codes]

    def _light(self, values: Float32[np.ndarray, "..."]) -> np.ndarray:
        if self.values == "linear":
            return values
        return 10.0 ** ((values - _FILM_WHITE) / _CODES_A_DECADE)


def shown_picture(picture: Picture, light: LightCodes | None) -> Picture:
    """A picture of codes as full-range video; others as they are.

    Args:
        picture: Its transparency passes through.
        light: How values became its codes; None if they are video.
    """
    if light is None:
        return picture
    count = picture.layout.colour_planes
    planes = (*map(light.shown, picture.planes[:count]), *picture.planes[count:])
    return replace(picture, planes=planes)


def _shown_table(limit: float) -> UInt16[np.ndarray, "codes"]:
    codes = np.arange(_PEAK + 1) * float(limit) ** WORKING_POWER
    return np.minimum(np.rint(codes), _PEAK).astype(np.uint16)


def _ratio_at_the_top(before: UInt16[np.ndarray, "..."], ratio: np.ndarray) -> float:
    """The change of the brightest values that have a code of their own."""
    inside = (before < _PEAK) & (before >= _DARK)
    if not inside.any():
        return float(np.median(ratio[before == _PEAK]))
    brightest = before >= np.percentile(before[inside], _TOP_PERCENT)
    return float(np.median(ratio[inside & brightest]))
