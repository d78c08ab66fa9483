"""The illumination model: the light of a frame as a smooth function of place and tone.

The logarithm of the light that flicker adds at a pixel is written as
    Σ a_ij cos(πi x) cos(πj y)  +  Σ b_k τ(v)^k  +  τ(luma) Σ c_ij cos(πi x) cos(πj y)
with x, y in 0 to 1 over the picture and τ the logarithm of tone. The first sum is light by place:
its constant is exposure, its columns (0, j) are bands. The second is the same for the whole picture
and follows each channel's own value: its linear term is gamma. The third lets contrast differ by
place. One set of coefficients describes each channel of each frame.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float, Float32, Int

from unflicker.frames.colour import LUMA

TOE = 0.02
"""Added to values before a logarithm: below it, noise is larger than light."""
_MIDDLE = 0.4
_WHITENING = 0.97
"""Values above this blend into clipped white."""


def tone_of(value: Float[np.ndarray, "*shape"]) -> Float[np.ndarray, "*shape"]:
    """The tone τ of values in [0, 1]: their logarithm above the toe, zero at a middle grey."""
    return np.log((np.maximum(value, 0.0) + TOE) / (_MIDDLE + TOE))


def whiteness_of(value: Float[np.ndarray, "*shape"]) -> Float[np.ndarray, "*shape"]:
    """Weight of values in [0, 1] as clipped white, 0 to 1."""
    return np.clip((value - _WHITENING) / (1.0 - _WHITENING), 0.0, 1.0)


@dataclass(frozen=True, kw_only=True, eq=False)
class IlluminationModel:
    """The functions that describe light, for pictures of one size.

    Functions come in the order: light by place, contrast by place, then `powers` powers of tone for
    red, for green and for blue. A channel uses the shared ones and its own powers.
    """

    height: int
    width: int
    waves_across: int = 9
    """Cosines over the width, the constant included."""
    waves_down: int = 11
    """Cosines over the height; more than across, because bands lie across."""
    powers: int = 3
    """Powers of tone for the whole picture; 1 is gamma, more are free curves."""
    contrast_waves: int = 3
    """Contrast by place varies in cosines of order i + j below this; 0 for none."""

    @cached_property
    def waves(self) -> Int[np.ndarray, "places 2"]:
        """Orders (across, down) of light by place, within an ellipse; the first is constant."""
        pairs = [
            (i, j)
            for j in range(self.waves_down)
            for i in range(self.waves_across)
            if (i / self.waves_across) ** 2 + (j / self.waves_down) ** 2 < 1.0
        ]
        return np.array(pairs)

    @cached_property
    def wave_power(self) -> Float[np.ndarray, " places"]:
        """Mean square over the picture of each function of light by place."""
        return 0.5 ** (self.waves > 0).sum(axis=1)

    @cached_property
    def contrasts(self) -> Int[np.ndarray, "places 2"]:
        """Orders (across, down) of contrast by place."""
        orders = range(self.contrast_waves)
        pairs = [(i, j) for j in orders for i in orders if 0 < i + j < self.contrast_waves]
        return np.array(pairs, int).reshape(-1, 2)

    @property
    def shared(self) -> int:
        """Number of coefficients by place (light and contrast)."""
        return len(self.waves) + len(self.contrasts)

    @property
    def size(self) -> int:
        """Coefficients of one channel of one frame."""
        return self.shared + self.powers

    @cached_property
    def whole(self) -> Int[np.ndarray, " whole"]:
        """Which coefficients of a channel are global: exposure and powers."""
        return np.concatenate([[0], np.arange(self.shared, self.size)])

    @property
    def functions(self) -> int:
        """Rows of a design: the shared functions and every channel's own."""
        return self.shared + 3 * self.powers

    @cached_property
    def by_channel(self) -> Int[np.ndarray, "3 size"]:
        """Which rows of a design belong to each channel."""
        own = self.shared + np.arange(3 * self.powers).reshape(3, self.powers)
        return np.concatenate([np.tile(np.arange(self.shared), (3, 1)), own], axis=1)

    def at_places(
        self, places: Float[np.ndarray, "samples 2"]
    ) -> tuple[Float32[np.ndarray, "places samples"], Float32[np.ndarray, "contrasts samples"]]:
        """The cosines of light and of contrast at places in px, x first."""
        x = (np.pi / self.width) * (places[:, 0] + 0.5)
        y = (np.pi / self.height) * (places[:, 1] + 0.5)
        # Contrast may have orders that light by place has not.
        across = _cosines(x.astype(np.float32), max(self.waves_across, self.contrast_waves))
        down = _cosines(y.astype(np.float32), max(self.waves_down, self.contrast_waves))
        light = across[self.waves[:, 0]] * down[self.waves[:, 1]]
        contrast = across[self.contrasts[:, 0]] * down[self.contrasts[:, 1]]
        return light, contrast

    def design(
        self,
        light: Float32[np.ndarray, "places samples"],
        contrast: Float32[np.ndarray, "contrasts samples"],
        colours: Float32[np.ndarray, "samples 3"],
    ) -> Float32[np.ndarray, "functions samples"]:
        """All functions at samples.

        Args:
            light: Cosines of light at the samples (`at_places`).
            contrast: Cosines of contrast at the samples.
            colours: RGB of the samples, in [0, 1].
        """
        tone = tone_of(colours.T)
        powers = np.repeat(tone[:, None], self.powers, axis=1)
        for power in range(1, self.powers):
            powers[:, power] *= powers[:, power - 1]
        shaped = contrast * tone_of(colours @ LUMA)
        return np.concatenate([light, shaped, powers.reshape(-1, len(colours))])

    def expected_size(self, flicker: float) -> Float[np.ndarray, " size"]:
        """Prior standard deviations of coefficients, for global flicker of `flicker` (log).

        Fine waves and high powers have smaller ones, which regularises what no pixel determines.
        """
        order = (self.waves**2).sum(1)
        by_place = flicker / (1.0 + order / 8.0)
        by_contrast = np.full(len(self.contrasts), 0.3 * flicker)
        by_tone = 0.7 * flicker / 2.0 ** np.arange(self.powers)
        return np.concatenate([by_place, by_contrast, by_tone])


def _cosines(
    angle: Float32[np.ndarray, " samples"], count: int
) -> Float32[np.ndarray, "count samples"]:
    """cos(k · angle) for k below count, by Chebyshev's recurrence: one cosine instead of many."""
    rows = np.empty((count, len(angle)), np.float32)
    rows[0] = 1.0
    if count > 1:
        rows[1] = np.cos(angle)
    for order in range(2, count):
        rows[order] = 2.0 * rows[1] * rows[order - 1] - rows[order - 2]
    return rows
