"""Positional encoding: places as sines and cosines of many octaves."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor


def octaves(values: Float[Tensor, "points channels"], *, count: int) -> Float[Tensor, "points _"]:
    """Sine and cosine of π · 2^k · value for k below `count`.

    Args:
        values: To encode.
        count: Number of octaves.

    Source: Mildenhall et al., NeRF (ECCV 2020), Eq. 4, as in layered neural atlases.
    """
    factors = torch.pi * 2.0 ** torch.arange(count, device=values.device)
    angles = (values[:, :, None] * factors).flatten(1)
    return torch.cat([angles.sin(), angles.cos()], dim=1)
