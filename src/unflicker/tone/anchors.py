"""Pictures of a shot that are remembered, and what a later picture says of its light beside them.

A picture is laid over an anchor by the shift at which their structure agrees best, then by dense
motion that is followed there and back. What both show says how exposure and white balance differ:
a gain for each channel and a power of tone, fitted so that points that disagree (objects that
moved, shading, a wrong motion) lose their weight.

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
from unflicker.tone.light_field import TOE

Match = Callable[..., tuple[np.ndarray, np.ndarray]]
"""Estimates the motion between two pictures, and how far it can be trusted (`motion.match`)."""

_THUMBNAIL_PX = 64
_PADDED = 128
_LEAST_OVERLAP = 0.25
"""Share of a picture that a shift has to leave in sight of another."""
MIDDLE_GREY = 0.4
"""Where a power of tone changes nothing, in working light."""
_LEAST_LIGHT = 1e-3
_CLIPPED, _DARK = 0.97, 0.03
_NOISE, _NOISE_OF_LIGHT, _MISS_PX = 0.006, 0.01, 0.3
"""As `observations`: in the dark, anywhere, and of the motion, where the picture is steep."""
_INDEPENDENT_SHARE = 0.008
"""Neighbouring pixels err alike (`path`)."""
_FEWEST = 150
"""Pixels in common below which nothing is said."""
_ROUNDS = 4
_TRUSTED = 0.5
_OUTLIER = 2.0


@dataclass(frozen=True, kw_only=True, eq=False)
class View:
    """A small picture, made ready to be compared with others of the same size."""

    light: Float32[np.ndarray, "height width 3"]
    """Working light in [0, 1]."""

    @cached_property
    def usable(self) -> Bool[np.ndarray, "height width"]:
        """Where no channel is clipped or dark."""
        return (self.light.max(axis=-1) < _CLIPPED) & (self.light.min(axis=-1) > _DARK)

    @cached_property
    def tone(self) -> Float32[np.ndarray, "height width 3"]:
        """Log light of each channel over a middle grey, of a slightly blurred picture."""
        light = cv2.GaussianBlur(self.light, (0, 0), 1.0)
        return cv2.log(np.maximum(light, _LEAST_LIGHT) / np.float32(MIDDLE_GREY))

    @cached_property
    def steepness(self) -> Float32[np.ndarray, "height width"]:
        """Squared change of log luma over a pixel."""
        log = np.log(cv2.GaussianBlur(self.light @ LUMA, (0, 0), 1.0) + TOE)
        across = cv2.Sobel(log, cv2.CV_32F, 1, 0, scale=0.125)
        down = cv2.Sobel(log, cv2.CV_32F, 0, 1, scale=0.125)
        return across * across + down * down

    @cached_property
    def _spectrum(self) -> tuple[np.ndarray, np.ndarray, tuple[int, int]]:
        """Of its structure and of its energy, padded, and the thumbnail's size."""
        height, width = self.light.shape[:2]
        scale = min(1.0, _THUMBNAIL_PX / max(height, width))
        size = max(1, round(height * scale)), max(1, round(width * scale))
        small = cv2.resize(
            normalised(self.light).astype(np.float32), size[::-1], interpolation=cv2.INTER_AREA
        )
        small -= small.mean()
        padded = (_PADDED, _PADDED)
        return np.fft.rfft2(small, padded), np.fft.rfft2(small * small, padded), size

    def shift_to(self, other: View) -> tuple[tuple[int, int], float]:
        """Where this picture lies in another: px down and across, and how well they agree there.

        Agreement is the correlation of what both show, −1 to 1.
        """
        one, energy_one, size = self._spectrum
        two, energy_two, _ = other._spectrum
        mask = np.fft.rfft2(np.ones(size, np.float32), (_PADDED, _PADDED))
        spectra = np.stack([one.conj() * two, energy_one.conj() * mask, mask.conj() * energy_two])
        both, first, second = np.fft.irfft2(spectra, (_PADDED, _PADDED))
        overlap = np.fft.irfft2(mask.conj() * mask, (_PADDED, _PADDED))
        score = both / np.sqrt(np.maximum(first * second, 1e-3))
        score[overlap < _LEAST_OVERLAP * size[0] * size[1]] = -1.0
        best = int(np.argmax(score))
        down, across = (int(p) for p in np.unravel_index(best, score.shape))
        down, across = down - _PADDED * (down > size[0]), across - _PADDED * (across > size[1])
        scale = self.light.shape[0] / size[0], self.light.shape[1] / size[1]
        return (round(down * scale[0]), round(across * scale[1])), float(score.flat[best])


@dataclass(frozen=True, kw_only=True, eq=False)
class Difference:
    """What two pictures say about their light: that of the second less that of the first."""

    light: Float[np.ndarray, "3 2"]
    """Of each channel: log gain at a middle grey, and how it rises with tone."""
    information: Float[np.ndarray, "3 2 2"]
    """Inverse covariance of that."""
    seen: float
    """Share of the second picture that the first shows, too."""


def difference(
    first: View, second: View, match: Match, *, shift: tuple[int, int] = (0, 0), error: float
) -> Difference | None:
    """What two pictures of one scene say about their light; None where too little is in common.

    Args:
        first: A picture.
        second: Another of the same size.
        match: Estimates the motion.
        shift: Where the first lies in the second, roughly, in px down and across.
        error: Deviation of log light by which even a good match may be wrong (lenses, shading).
    """
    one, two = _in_common(first.light.shape[:2], shift)
    if min(one[0].stop - one[0].start, one[1].stop - one[1].start) < 16:
        return None
    flow, visible = match(first.light[one], second.light[two])
    places = pixel_places(*flow.shape[:2]) + flow
    sees = (visible > _TRUSTED) & first.usable[one]
    sees &= look_up(second.usable[two].astype(np.float32), places) > 0.99
    part = float((visible > _TRUSTED).sum()) / first.usable.size
    if sees.sum() < _FEWEST:
        return None
    before, after = first.tone[one][sees], look_up(second.tone[two], places)[sees]
    weight = visible[sees] / _variance(before, after, first.steepness[one][sees])
    light, information = _fitted(before, after, weight)
    spread = np.linalg.inv(information) + np.diag([error**2, (2.0 * error) ** 2])
    return Difference(light=light, information=np.linalg.inv(spread), seen=part)


def _in_common(
    size: tuple[int, int], shift: tuple[int, int]
) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    one = tuple(
        slice(max(0, -by), min(long, long - by)) for long, by in zip(size, shift, strict=True)
    )
    two = tuple(
        slice(part.start + by, part.stop + by) for part, by in zip(one, shift, strict=True)
    )
    return (one[0], one[1]), (two[0], two[1])


def _variance(
    before: Float32[np.ndarray, "pixels 3"],
    after: Float32[np.ndarray, "pixels 3"],
    steepness: Float32[np.ndarray, " pixels"],
) -> Float32[np.ndarray, " pixels"]:
    darker = np.minimum(before, after).min(axis=1)
    of_noise = (_NOISE / (MIDDLE_GREY * np.exp(darker))) ** 2
    return of_noise + _NOISE_OF_LIGHT**2 + _MISS_PX**2 * steepness


def _fitted(
    before: Float32[np.ndarray, "pixels 3"],
    after: Float32[np.ndarray, "pixels 3"],
    weight: Float32[np.ndarray, " pixels"],
) -> tuple[Float[np.ndarray, "3 2"], Float[np.ndarray, "3 2 2"]]:
    """A gain and a power for each channel, and the information in them; robust."""
    change = (after - before).T.astype(np.float64)
    tone = 0.5 * (after + before).T.astype(np.float64)
    middle = np.median(change, axis=1)
    left = change - middle[:, None]
    design = np.stack([np.ones_like(tone), tone], axis=1)
    light = np.stack([middle, np.zeros(3)], axis=1)
    for _ in range(_ROUNDS):
        squared = (left**2 * weight).mean(axis=0)
        usual = max(float(np.median(squared)) / 0.8, 1e-3)
        trusted = weight / (1.0 + squared / (usual * _OUTLIER**2)) ** 2
        normal = np.einsum("ckp,p,clp->ckl", design, trusted, design)
        normal += np.diag([1e-6, 1e-6 + 0.02 * float(trusted.sum())])
        light = np.linalg.solve(normal, np.einsum("ckp,p,cp->ck", design, trusted, change)[..., None])[..., 0]
        left = change - np.einsum("ckp,ck->cp", design, light)
    return light, normal * (_INDEPENDENT_SHARE / max(usual, 1.0))
