"""Applies the trained network to frames and their guides."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import torch
from jaxtyping import Float32
from torch.nn import functional

from unflicker.compute.weights import NEURAL_FILTER, load_into, read_weights
from unflicker.neural_filter.network import (
    GridFilter,
    Pictures,
    removed_light,
    seen_size,
)

_FRAMES_AT_ONCE = 4


@lru_cache(maxsize=2)
def trained_filter(*, own: str = "", device: str = "cpu") -> GridFilter:
    """The network with trained weights on a device; loaded once for all windows.

    Args:
        own: Path of other weights; those that ship if empty.
        device: "cpu", or "cuda:n".

    Raises:
        UnflickerError: No such weights, or weights of something else.
    """
    weights = read_weights(NEURAL_FILTER, own=own)
    network = load_into(GridFilter(), weights, source=own or NEURAL_FILTER)
    return network.to(device).to(memory_format=torch.channels_last)


@dataclass(frozen=True, kw_only=True, eq=False)
class Window:
    """Proxies of one window, before and after tone, and their atlas guides."""

    flickering: Float32[np.ndarray, "time height width 3"]
    corrected: Float32[np.ndarray, "time height width 3"]
    guides: Float32[np.ndarray, "time height width 3"]
    trust: Float32[np.ndarray, "time height width"]


@torch.inference_mode()
def filtered_gain(
    window: Window, network: GridFilter
) -> Float32[np.ndarray, "time rows columns bins 3"]:
    """Natural logarithm of the gain that matches each corrected frame to its guide's light.

    Args:
        window: Frames, guides, trust and removed light.
        network: Trained.
    """
    device = next(network.parameters()).device
    size = seen_size(window.corrected.shape[1:3])
    flickering, corrected, guides, trust = (
        _shrunk(pictures, size, device)
        for pictures in (
            window.flickering,
            window.corrected,
            window.guides,
            window.trust[..., None],
        )
    )
    removed, spread = removed_light(flickering, corrected)
    gains = []
    for first in range(0, len(corrected), _FRAMES_AT_ONCE):
        part = slice(first, first + _FRAMES_AT_ONCE)
        seen = Pictures(
            frame=corrected[part],
            guide=guides[part],
            trust=trust[part],
            removed=removed[part],
            spread=spread[part],
        )
        gains.append(network(seen).permute(0, 3, 4, 2, 1).cpu().numpy())
    return np.ascontiguousarray(np.concatenate(gains))


def on_grid(
    log_gain: Float32[np.ndarray, "rows columns bins 3"], *, cells: tuple[int, int, int]
) -> Float32[np.ndarray, "_rows _columns _bins 3"]:
    """The same gains on another grid, by interpolation.

    Args:
        log_gain: Natural logarithm of gains.
        cells: Rows, columns and bins of the result.
    """
    rows, columns, bins = cells
    place = np.linspace(0.0, log_gain.shape[2] - 1.0, bins)
    lower = np.minimum(place.astype(int), log_gain.shape[2] - 2)
    share = (place - lower).astype(np.float32)[:, None]
    toned = log_gain[:, :, lower] * (1.0 - share) + log_gain[:, :, lower + 1] * share
    flat = toned.reshape(*log_gain.shape[:2], -1)
    return cv2.resize(flat, (columns, rows), interpolation=cv2.INTER_LINEAR).reshape(
        rows, columns, bins, 3
    )


def _shrunk(
    pictures: Float32[np.ndarray, "time tall wide channels"],
    size: tuple[int, int],
    device: torch.device,
) -> torch.Tensor:
    """Channels first, at the size at which the network sees them."""
    small = [
        functional.interpolate(torch.from_numpy(picture).permute(2, 0, 1)[None], size, mode="area")
        for picture in pictures
    ]
    return torch.cat(small).to(device)
