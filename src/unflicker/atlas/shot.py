"""The data of a fit: frames, motion and masks of a shot, on one device."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor

FlowAndVisibility = tuple[
    Float32[np.ndarray, "_ height width 2"], Float32[np.ndarray, "_ height width"]
]
"""Flow in px from each frame to the one a stride later, and visibility there."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Way:
    """Motion from each frame to the one a stride away."""

    stride: int
    """In frames; negative backward."""
    flow: Float[Tensor, "pairs height width 2"]
    """From the first frame that has a partner on."""
    visible: Float[Tensor, "pairs height width"]

    def followed(
        self, points: Float[Tensor, "points 3"]
    ) -> tuple[Float[Tensor, "points 3"], Float[Tensor, " points"]]:
        """The points in their partner frames, and their visibility there; 0 without a partner."""
        pairs, height, width = self.visible.shape
        first = max(-self.stride, 0)
        t, y, x = points[:, 2].long() - first, points[:, 1].long(), points[:, 0].long()
        pixel = (t.clamp(min=0, max=pairs - 1) * height + y) * width + x
        weight = self.visible.view(-1)[pixel] * ((t >= 0) & (t < pairs))
        moved = points + torch.nn.functional.pad(self.flow.view(-1, 2)[pixel], (0, 1))
        last = pairs + abs(self.stride) - 1
        moved[:, 2] = (points[:, 2] + self.stride).clamp(min=0, max=last)
        return moved, weight


@dataclass(frozen=True, kw_only=True, eq=False)
class Shot:
    """The data of a shot, on the device of the fit."""

    frames: Float[Tensor, "time height width 3"]
    forward: tuple[Way, ...]
    """One for each stride; the longer, the fewer pairs."""
    backward: tuple[Way, ...] = ()
    """The same backward, or none."""
    masks: tuple[Float[Tensor, "time height width"], ...] = ()
    """Rough masks of the layers above the lowest."""

    @classmethod
    def of(
        cls,
        frames: Float32[np.ndarray, "time height width 3"],
        ways: Mapping[int, FlowAndVisibility],
        *,
        masks: tuple[Float32[np.ndarray, "time height width"], ...] = (),
        device: str,
    ) -> Shot:
        """The arrays of a shot on a device.

        Args:
            frames: RGB in [0, 1].
            ways: Motion by stride in frames, backward at negative strides.
            masks: Of the layers above the lowest.
            device: "cpu" or "cuda:n".
        """

        def there(array: np.ndarray) -> Tensor:
            return torch.from_numpy(np.ascontiguousarray(array)).to(device)

        made = [
            Way(stride=stride, flow=there(flow), visible=there(visible))
            for stride, (flow, visible) in ways.items()
        ]
        return cls(
            frames=there(frames),
            forward=tuple(way for way in made if way.stride > 0),
            backward=tuple(way for way in made if way.stride < 0),
            masks=tuple(there(mask) for mask in masks),
        )

    def ways(self, step: int) -> tuple[Way, ...]:
        """The motion of one step: strides take turns."""
        directions = (each for each in (self.forward, self.backward) if each)
        return tuple(each[step % len(each)] for each in directions)
