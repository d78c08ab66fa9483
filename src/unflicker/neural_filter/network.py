"""The network that predicts a grade from a frame and its guide.

It estimates for each pixel how far the guide's colour is believed, pools the believed colours by
region and tone at several scales, and predicts the weight of each: a gain, never a texture. It
works on cells of the proxy, at any size of picture.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from unflicker.frames.colour import LUMA

CELL_PX = 8
"""Pixels of the proxy, across and down, that share a cell of the grid."""
BINS = 4
"""Tone bins of the grid; their luma is `grade.bin_luma`."""
SAMPLES = 4
"""Samples in a cell, across and down."""
_FEATURES, _WIDTH, _BLOCKS = 32, 80, 4
_DARK = 0.02
"""Added to both sides of a ratio of light: near black, noise dominates."""
_MOST_LOG_RATIO = 1.5
_LIGHT_SCALE = 3.0
"""Flicker is a third of an e-fold at most, networks like numbers near one."""
_SCALES = (1, 3, 9)
"""Half sizes, in cells, of the regions over which log ratios are averaged; and the whole picture.
"""
_DOUBT = 0.15
"""Weight of leaving a region unchanged, as belief in a share of its pixels."""


@dataclass(frozen=True, kw_only=True)
class Pictures:
    """The network's input, a batch of it, at `seen_size`."""

    frame: Float[Tensor, "batch 3 height width"]
    guide: Float[Tensor, "batch 3 height width"]
    trust: Float[Tensor, "batch 1 height width"]
    removed: Float[Tensor, "batch 3 rows columns"]
    """Log light that tone removed from the frame; zero where tone found none."""
    spread: Float[Tensor, "batch 3 rows columns"]
    """Its standard deviation over the window: residual flicker is likelier where light flickered.
    """


class GridFilter(nn.Module):
    """Frame, guide and trust to log gains by region and tone; 0.6 million parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.look = nn.Conv2d(12, _FEATURES, 3, padding=1)
        self.look_wider = nn.Conv2d(_FEATURES, _FEATURES, 3, padding=2, dilation=2)
        self.belief = nn.Conv2d(_FEATURES, 1, 1)
        evidence = 3 * (BINS + len(_SCALES) + 1) + BINS + _FEATURES + 13
        self.gather = nn.Conv2d(evidence, _WIDTH, 3, padding=1)
        self.blocks = nn.ModuleList(_Block(dilation=1 + i % 2) for i in range(_BLOCKS))
        self.shares = nn.Conv2d(_WIDTH, BINS + len(_SCALES) + 1, 1)
        self.correction = nn.Conv2d(_WIDTH, 3 * BINS, 1)
        nn.init.constant_(self.belief.bias, 2.0)  # pyright: ignore - it has a bias
        for layer in (self.belief, self.shares, self.correction):
            nn.init.zeros_(layer.weight)
        nn.init.constant_(self.shares.bias, -2.0)  # pyright: ignore - it has a bias
        nn.init.zeros_(self.correction.bias)  # pyright: ignore - it has a bias

    def forward(self, pictures: Pictures) -> Float[Tensor, "batch 3 bins rows columns"]:
        """The natural logarithm of the gain that matches each frame to its guide's light."""
        frame, guide, trust = pictures.frame, pictures.guide, pictures.trust
        ratio = ((guide + _DARK) / (frame + _DARK)).log().clamp(-_MOST_LOG_RATIO, _MOST_LOG_RATIO)
        luma = luma_of(frame)
        structure = _local_structure(luma), _local_structure(luma_of(guide))
        seen = functional.relu(
            self.look(torch.cat([frame, guide, trust, ratio, *structure], dim=1))
        )
        seen = seen + functional.relu(self.look_wider(seen))
        belief = trust * torch.sigmoid(self.belief(seen).float())
        by_tone = belief[:, None] * tone_shares(luma)[:, :, None]
        weight = _in_cells(by_tone.flatten(1, 2))
        summed = _in_cells((by_tone * ratio[:, None]).flatten(1, 2)).unflatten(1, (BINS, 3))
        said = _evidence(summed, weight)
        known = torch.cat([pictures.removed, pictures.spread], dim=1) * _LIGHT_SCALE
        context = torch.cat([_in_cells(torch.cat([frame, guide, trust], dim=1)), known], dim=1)
        hidden = self.gather(
            torch.cat([said.flatten(1, 2), weight, _in_cells(seen.float()), context], dim=1)
        )
        for block in self.blocks:
            hidden = block(hidden)
        shares = torch.sigmoid(self.shares(hidden).float())[:, :, None]
        taken = shares * said
        grid = taken[:, :BINS] + taken[:, BINS:].sum(dim=1, keepdim=True)
        grid = grid + self.correction(hidden).float().unflatten(1, (BINS, 3))
        return (grid * _heard(weight)[:, None]).transpose(1, 2)


class _Block(nn.Module):
    """Two convolutions and the mean of the whole picture, added to the input."""

    def __init__(self, *, dilation: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(_WIDTH, _WIDTH, 3, padding=dilation, dilation=dilation)
        self.second = nn.Conv2d(_WIDTH, _WIDTH, 3, padding=1)
        self.whole = nn.Linear(_WIDTH, _WIDTH)

    def forward(
        self, hidden: Float[Tensor, "batch width rows columns"]
    ) -> Float[Tensor, "batch width rows columns"]:
        inner = functional.relu(self.first(hidden))
        whole = self.whole(inner.mean(dim=(2, 3)))[:, :, None, None]
        return hidden + self.second(functional.relu(inner + whole))


def seen_size(size: tuple[int, int]) -> tuple[int, int]:
    """The size at which a network sees proxies of a size: four places a cell, down and across."""
    down, across = (SAMPLES * max(1, round(side / CELL_PX)) for side in size)
    return down, across


def removed_light(
    flickering: Float[Tensor, "time 3 height width"],
    corrected: Float[Tensor, "time 3 height width"],
) -> tuple[Float[Tensor, "time 3 rows columns"], Float[Tensor, "time 3 rows columns"]]:
    """Log light by cell that a correction removed from each frame, and its deviation over all.

    Args:
        flickering: An uncorrected window, at the size at which the network sees it.
        corrected: The same after tone.
    """
    before, after = ((_in_cells(pictures) + _DARK).log() for pictures in (flickering, corrected))
    removed = before - after
    return removed, removed.std(dim=0, correction=0, keepdim=True).expand_as(removed)


def graded(
    frame: Float[Tensor, "batch 3 height width"],
    log_gain: Float[Tensor, "batch 3 bins rows columns"],
) -> Float[Tensor, "batch 3 height width"]:
    """Frames under gains, as `grade.apply` computes them, but differentiable.

    Args:
        frame: RGB in working light, in [0, 1].
        log_gain: Natural logarithm of gains by channel, tone and place.
    """
    size = list(frame.shape[2:])
    planes = functional.interpolate(log_gain.flatten(1, 2), size, mode="bilinear")
    by_tone = planes.unflatten(1, (3, BINS)) * tone_shares(luma_of(frame))[:, None]
    return frame * by_tone.sum(dim=2).exp()


def luma_of(
    picture: Float[Tensor, "batch 3 height width"],
) -> Float[Tensor, "batch 1 height width"]:
    """Luma, as `frames.colour` has it."""
    weights = picture.new_tensor(LUMA.tolist())[:, None, None]
    return (picture * weights).sum(dim=1, keepdim=True)


def tone_shares(
    luma: Float[Tensor, "batch 1 height width"],
) -> Float[Tensor, "batch bins height width"]:
    """Weight of each tone bin at each pixel, even in the root of luma; they sum to one."""
    place = luma.clamp(0.0, 1.0).sqrt() * (BINS - 1)
    bins = torch.arange(BINS, device=luma.device, dtype=luma.dtype)[:, None, None]
    return (1.0 - (place - bins).abs()).clamp(min=0.0)


def _local_structure(
    luma: Float[Tensor, "batch 1 height width"],
) -> Float[Tensor, "batch 1 height width"]:
    """Detail over local contrast, which is invariant to light."""
    mean = functional.avg_pool2d(luma, 7, stride=1, padding=3, count_include_pad=False)
    detail = luma - mean
    power = functional.avg_pool2d(detail**2, 7, stride=1, padding=3, count_include_pad=False)
    return detail / (power.sqrt() + 0.01)


def _in_cells(
    values: Float[Tensor, "batch channels height width"],
) -> Float[Tensor, "batch channels rows columns"]:
    return functional.avg_pool2d(values, SAMPLES)


def _evidence(
    summed: Float[Tensor, "batch bins 3 rows columns"],
    weight: Float[Tensor, "batch bins rows columns"],
) -> Float[Tensor, "batch kinds 3 rows columns"]:
    """Mean log ratios: by tone in the neighbourhood, then of all tones in ever wider regions."""
    near = _around(summed.flatten(1, 2), 1).unflatten(1, (BINS, 3))
    kinds = [near / (_around(weight, 1) + _DOUBT / BINS)[:, :, None]]
    total, believed = summed.sum(dim=1), weight.sum(dim=1, keepdim=True)
    for half in _SCALES:
        kinds.append((_around(total, half) / (_around(believed, half) + _DOUBT))[:, None])
    whole = total.mean(dim=(2, 3), keepdim=True)
    whole = whole / (believed.mean(dim=(2, 3), keepdim=True) + _DOUBT)
    kinds.append(whole.expand_as(total)[:, None])
    return torch.cat(kinds, dim=1)


def _heard(
    weight: Float[Tensor, "batch bins rows columns"],
) -> Float[Tensor, "batch 1 rows columns"]:
    """0 where nothing near is believed, towards 1 where much is: no guide, no change."""
    near = _around(weight.sum(dim=1, keepdim=True), _SCALES[1])
    far = weight.sum(dim=1, keepdim=True).mean(dim=(2, 3), keepdim=True)
    both = near + far
    return both / (both + _DOUBT / 2.0)


def _around(
    values: Float[Tensor, "batch channels rows columns"], half: int
) -> Float[Tensor, "batch channels rows columns"]:
    """Means over squares of cells, without places outside the picture."""
    return functional.avg_pool2d(
        values, 2 * half + 1, stride=1, padding=half, count_include_pad=False
    )
