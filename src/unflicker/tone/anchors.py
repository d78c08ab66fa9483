"""Registration of two pictures of one scene, and their difference in exposure and white balance.

One picture is aligned to the other by the shift at which their structure correlates best, then by
dense motion with a forward-backward check. The common area gives their difference in light: a gain
and a power of tone for each channel, by robust regression. Anchors, pictures stored for a whole
shot, are compared in this way.

Source: anchors, Farbman and Lischinski, Tonal stabilization of video, SIGGRAPH 2011; colours
compared between distant frames along the dominant motion, and a power law for each channel, Frigo,
Sabater, Delon and Hellier, Motion driven tonal stabilization, ICIP 2015.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from jaxtyping import Bool, Float, Float32

from unflicker.frames.colour import LUMA
from unflicker.frames.flow import look_up, pixel_places
from unflicker.frames.structure import normalised
from unflicker.tone.illumination import TOE

Match = Callable[
    [Float32[np.ndarray, "height width 3"], Float32[np.ndarray, "height width 3"]],
    tuple[Float32[np.ndarray, "height width 2"], Float32[np.ndarray, "height width"]],
]
"""Estimates the flow between two pictures, and visibility (`motion.match`)."""
MIDDLE_GREY = 0.4
"""Where a power of tone changes nothing, in working light."""
LEAST_LIGHT = 1e-3
"""Working light below this is replaced by it, so that it has a logarithm."""

_THUMBNAIL_PX, _PADDED = 64, 128
_LEAST_OVERLAP = 0.25
"""Share of a picture that must overlap the other after a shift."""
_SMALLEST_PX = 16
_CLIPPED, _DARK = 0.97, 0.03
_BLUR_PX = 1.0
_NOISE, _NOISE_OF_LIGHT, _MISS_PX = 0.006, 0.01, 0.3
"""As in `correspondences`: in the dark, anywhere, and of the motion, where the picture is steep."""
_INDEPENDENT_SHARE = 0.008
"""Neighbouring pixels have correlated errors; as in `trajectory`."""
_FEWEST, _MOST = 150, 2000
"""Common pixels below which there is no result, and those used at most."""
_ROUNDS = 4
_SEEN = 0.5
_OUTLIER_DEVIATIONS = 2.0
_UPPER = 0.6
"""White of several sorts clips together; a sky that turns grey is worse than a wall that is white,
so the brighter sort decides (lab notebook)."""
_ONE_TONE = 0.002
"""Variance of tone among pixels at which a power and a gain are only half separable."""


@dataclass(frozen=True, kw_only=True, eq=False)
class View:
    """A small picture, prepared for comparison with others of its size."""

    light: Float32[np.ndarray, "height width 3"]
    """Working light in [0, 1]."""

    @cached_property
    def clipped(self) -> Bool[np.ndarray, "height width 3"]:
        """Which channels are clipped."""
        return self.light > _CLIPPED

    @cached_property
    def usable(self) -> Float32[np.ndarray, "height width"]:
        """1 where no channel is clipped or dark, else 0."""
        return (~self.clipped.any(axis=-1) & (self.light.min(axis=-1) > _DARK)).astype(np.float32)

    @cached_property
    def tone(self) -> Float32[np.ndarray, "height width 3"]:
        """Log light of each channel over a middle grey, slightly blurred."""
        blurred = cv2.GaussianBlur(self.light, (0, 0), _BLUR_PX)
        return cv2.log(np.maximum(blurred, LEAST_LIGHT) * np.float32(1.0 / MIDDLE_GREY))

    @cached_property
    def steepness(self) -> Float32[np.ndarray, "height width"]:
        """Squared change of log luma over a pixel."""
        log = cv2.log(cv2.GaussianBlur(self.light @ LUMA, (0, 0), _BLUR_PX) + TOE)
        across = cv2.Sobel(log, cv2.CV_32F, 1, 0, scale=0.125)
        down = cv2.Sobel(log, cv2.CV_32F, 0, 1, scale=0.125)
        return across * across + down * down

    @cached_property
    def thumbnail(self) -> tuple[int, int]:
        """Height and width at which shifts are estimated."""
        height, width = self.light.shape[:2]
        scale = min(1.0, _THUMBNAIL_PX / max(height, width))
        return max(1, round(height * scale)), max(1, round(width * scale))

    @cached_property
    def spectra(self) -> tuple[np.ndarray, np.ndarray]:
        """Of the thumbnail's structure, and of its energy; padded with zeros."""
        structure = normalised(self.light).astype(np.float32)
        small = cv2.resize(structure, self.thumbnail[::-1], interpolation=cv2.INTER_AREA)
        small -= small.mean()
        padded = (_PADDED, _PADDED)
        return np.fft.rfft2(small, padded), np.fft.rfft2(small * small, padded)


def shift_between(first: View, second: View) -> tuple[tuple[int, int], float]:
    """The shift between two pictures at which their structure correlates best.

    Args:
        first: A picture.
        second: Another one, of the same size.

    Returns:
        The shift in px, down first; the correlation of the common area, −1 to 1.
    """
    size = first.thumbnail
    padded = (_PADDED, _PADDED)
    mask = np.fft.rfft2(np.ones(size, np.float32), padded)
    (one, energy_one), (two, energy_two) = first.spectra, second.spectra
    spectra = [one.conj() * two, energy_one.conj() * mask, mask.conj() * energy_two]
    both, energy_first, energy_second = np.fft.irfft2(np.stack(spectra), padded)
    in_common = np.fft.irfft2(mask.conj() * mask, padded)
    score = both / np.sqrt(np.maximum(energy_first * energy_second, 1e-3))
    score[in_common < _LEAST_OVERLAP * size[0] * size[1]] = -1.0
    best = np.unravel_index(int(np.argmax(score)), score.shape)
    shift = [int(at) - _PADDED * (at > _PADDED // 2) for at in best]
    down, across = (
        round(by * long / short)
        for by, long, short in zip(shift, first.light.shape, size, strict=False)
    )
    return (down, across), float(score[best])


@dataclass(frozen=True, kw_only=True, eq=False)
class Difference:
    """The difference in light of a second picture from a first."""

    light: Float[np.ndarray, "3 2"]
    """Of each channel: log gain at a middle grey, and how it rises with tone."""
    information: Float[np.ndarray, "3 2 2"]
    """Its inverse covariance."""
    seen: float
    """Share of a picture that both show."""
    whites: Float[np.ndarray, "3 2"]
    """Of each channel: share of a picture that is clipped in the second and seen in the first, and
    the `View.tone` that two fifths of it exceed there (infinite where that is clipped as well)."""


def difference(
    first: View, second: View, match: Match, *, shift: tuple[int, int] = (0, 0), error: float
) -> Difference | None:
    """Difference in light of two pictures of one scene; None if too little is in common.

    Args:
        first: A picture.
        second: Another of the same size.
        match: Estimates the motion.
        shift: Approximate place of the first in the second, in px, down first.
        error: Standard deviation in log light of a good match (lens, shading).
    """
    one, two = _in_common(first.light.shape[:2], shift)
    if min(part.stop - part.start for part in one) < _SMALLEST_PX:
        return None
    flow, visible = match(first.light[one], second.light[two])
    places = pixel_places(*flow.shape[:2]) + flow
    seen = visible > _SEEN
    fit = seen & (first.usable[one] > 0) & (look_up(second.usable[two], places) > 0.99)
    found = np.flatnonzero(fit)
    if len(found) < _FEWEST:
        return None
    every = -(-len(found) // _MOST)
    at = np.unravel_index(found[::every], fit.shape)
    after = look_up(second.tone[two], places)
    pair = first.tone[one][at], after[at]
    weight = visible[at] / _variance(*pair, first.steepness[one][at])
    light, information = _fitted(*pair, weight)
    spread = np.linalg.inv(information * every) + np.diag([error**2, (2.0 * error) ** 2])
    clipped = look_up(second.clipped[two].astype(np.float32), places) > 0.5
    return Difference(
        light=light,
        information=np.linalg.inv(spread),
        seen=float(seen.sum()) / first.usable.size,
        whites=_whites(first, one, clipped & seen[..., None]),
    )


def _in_common(
    size: tuple[int, ...], shift: tuple[int, int]
) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """The common parts of two pictures after a shift of the first."""
    down, across = (
        slice(max(0, -by), long - max(0, by)) for long, by in zip(size, shift, strict=True)
    )
    return (down, across), (
        slice(down.start + shift[0], down.stop + shift[0]),
        slice(across.start + shift[1], across.stop + shift[1]),
    )


def _whites(
    first: View, part: tuple[slice, slice], clipped: Bool[np.ndarray, "rows columns 3"]
) -> Float[np.ndarray, "3 2"]:
    """See `Difference.whites`; `clipped` is the second picture's mask."""
    found = np.zeros((3, 2))
    tone = np.where(first.clipped[part], np.inf, first.tone[part])
    for channel, where in enumerate(np.moveaxis(clipped, -1, 0)):
        seen = tone[where, channel]
        if len(seen):
            upper = np.quantile(seen, _UPPER, method="higher")
            found[channel] = len(seen) / first.usable.size, upper
    return found


def _variance(
    before: Float32[np.ndarray, "pixels 3"],
    after: Float32[np.ndarray, "pixels 3"],
    steepness: Float32[np.ndarray, " pixels"],
) -> Float32[np.ndarray, " pixels"]:
    """Expected variance of the difference of both, in log light."""
    darkest = MIDDLE_GREY * np.exp(np.minimum(before, after).min(axis=1))
    return (_NOISE / darkest) ** 2 + _NOISE_OF_LIGHT**2 + _MISS_PX**2 * steepness


def _fitted(
    before: Float32[np.ndarray, "pixels 3"],
    after: Float32[np.ndarray, "pixels 3"],
    weight: Float32[np.ndarray, " pixels"],
) -> tuple[Float[np.ndarray, "3 2"], Float[np.ndarray, "3 2 2"]]:
    """A gain and a power for each channel, and their information matrix.

    Tone is the mean of both pictures', so that the result does not depend on their order.
    """
    change = (after - before).T.astype(np.float64)
    tone = 0.5 * (after + before).T.astype(np.float64)
    usual, normal = 1.0, np.tile(np.eye(2), (3, 1, 1))
    light = np.stack([np.median(change, axis=1), np.zeros(3)], axis=1)
    for _ in range(_ROUNDS):
        left = change - light[:, :1] - light[:, 1:] * tone
        squared = (left**2).mean(axis=0) * weight
        usual = max(float(np.median(squared)), 1e-3)
        trusted = weight / (1.0 + squared / (usual * _OUTLIER_DEVIATIONS**2)) ** 2
        weighted, total = tone * trusted, trusted.sum()
        normal[:, 0, 0] = total
        normal[:, 1, 1] = (weighted * tone).sum(axis=1) + total * _ONE_TONE
        normal[:, 0, 1] = normal[:, 1, 0] = weighted.sum(axis=1)
        right = np.stack([change @ trusted, (weighted * change).sum(axis=1)], axis=1)
        light = np.linalg.solve(normal, right[..., None])[..., 0]
    return light, normal * (_INDEPENDENT_SHARE / max(usual, 1.0))
