"""Loss functions of the fit, one equation each.

Places are in px, so the reference system's factors of half a picture's width are already in them.
Weights are the caller's; the reference's are in `settings.AtlasSettings`.

Source: unless stated otherwise Kasten et al., Layered Neural Atlases (SIGGRAPH Asia 2021), and Lei
et al. 2023.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

_NEARLY = 1e-3
"""Added to a Jacobian's products before a division, as in the reference."""


def colour_loss(
    rendered: Float[Tensor, "points 3"], seen: Float[Tensor, "points 3"]
) -> Float[Tensor, ""]:
    """Mean of ‖c − I‖²: the reference's.

    Args:
        rendered: Colours of the atlas.
        seen: Colours of the frames at the same points.
    """
    return (rendered - seen).square().sum(dim=1).mean()


def robust_colour_loss(
    rendered: Float[Tensor, "points 3"], seen: Float[Tensor, "points 3"], *, outlier: float
) -> Float[Tensor, ""]:
    """Mean of √(‖c − I‖² + outlier²): outliers pull no harder than small errors.

    Args:
        rendered: Colours of the atlas.
        seen: Colours of the frames at the same points.
        outlier: Error from which on the loss is linear, in [0, 1].

    Source: Charbonnier et al., ICIP 1994.
    """
    squared = (rendered - seen).square().sum(dim=1)
    return (squared + outlier**2).sqrt().mean()


def gradient_loss(
    rendered: Float[Tensor, "points 2 3"], seen: Float[Tensor, "points 2 3"]
) -> Float[Tensor, ""]:
    """Mean squared error of finite differences of colour over one px, across and down.

    Args:
        rendered: Differences of the atlas's colours.
        seen: Differences of the frames' colours.
    """
    return (rendered - seen).square().sum(dim=(1, 2)).mean()


def flow_loss(
    here: Float[Tensor, "points 2"],
    there: Float[Tensor, "points 2"],
    weight: Float[Tensor, " points"],
) -> Float[Tensor, ""]:
    """Weighted mean of ‖M(p + f, t ± k) − M(p, t)‖ in px: a point keeps its place.

    Args:
        here: Places in the atlas, in px.
        there: Places of the same points in another frame.
        weight: Visibility there, 0 to 1.
    """
    miss = ((there - here).square().sum(dim=1) + _NEARLY**2).sqrt()
    return (miss * weight).sum() / weight.sum().clamp(min=1.0)


def rigidity_loss(jacobian: Float[Tensor, "points 2 2"]) -> Float[Tensor, ""]:
    """Mean of ‖JᵀJ‖_F + ‖(JᵀJ)⁻¹‖_F: mappings rotate and shift, but hardly stretch (Eq. 9)."""
    product = jacobian.transpose(1, 2) @ jacobian
    a, b = product[:, 0, 0] + _NEARLY, product[:, 0, 1]
    c, d = product[:, 1, 0], product[:, 1, 1] + _NEARLY
    determinant = a * d - b * c
    size = (a.square() + b.square() + c.square() + d.square()).sqrt()
    return (size + size / determinant.abs().clamp(min=_NEARLY**2)).mean()


def bending_loss(nodes: Float[Tensor, "time rows columns 2"]) -> Float[Tensor, ""]:
    """Mean squared second difference of a mesh's nodes, in px²: maps bend little.

    Source: the thin-plate energy of Duchon 1977, on a grid.
    """
    down = nodes[:, 2:] - 2.0 * nodes[:, 1:-1] + nodes[:, :-2]
    across = nodes[:, :, 2:] - 2.0 * nodes[:, :, 1:-1] + nodes[:, :, :-2]
    mixed = nodes[:, 1:, 1:] - nodes[:, :-1, 1:] - nodes[:, 1:, :-1] + nodes[:, :-1, :-1]
    return down.square().mean() + across.square().mean() + 2.0 * mixed.square().mean()


def alpha_bootstrapping_loss(
    alpha: Float[Tensor, " points"], mask: Float[Tensor, " points"]
) -> Float[Tensor, ""]:
    """Binary cross entropy of alpha to a rough mask, at the beginning of a fit.

    Args:
        alpha: In (0, 1).
        mask: 0 to 1.
    """
    inside = mask * torch.log(alpha)
    outside = (1.0 - mask) * torch.log1p(-alpha)
    return -(inside + outside).mean()


def alpha_flow_loss(
    here: Float[Tensor, " points"],
    there: Float[Tensor, " points"],
    weight: Float[Tensor, " points"],
) -> Float[Tensor, ""]:
    """Weighted mean of |α(p + f, t ± k) − α(p, t)|: a point keeps its layer.

    Args:
        here: Alpha of points.
        there: Alpha of the same points in another frame.
        weight: Visibility there, 0 to 1.
    """
    return ((there - here).abs() * weight).sum() / weight.sum().clamp(min=1.0)


def sparsity_loss(
    colour: Float[Tensor, "points 3"], alpha: Float[Tensor, " points"]
) -> Float[Tensor, ""]:
    """Mean of ‖(1 − α) c‖²: no colour where a layer is transparent.

    Args:
        colour: Of a layer.
        alpha: Its opacity.
    """
    return ((1.0 - alpha)[:, None] * colour).square().sum(dim=1).mean()


def evenness_loss(knots: Float[Tensor, "knots rows columns 3"]) -> Float[Tensor, ""]:
    """Mean squared log gain of slow light, and of its differences between regions."""
    down, across = knots.diff(dim=1), knots.diff(dim=2)
    return knots.square().mean() + down.square().mean() + across.square().mean()
