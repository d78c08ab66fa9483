"""The paper's neural filter: a U-Net from a frame and its guide to a filtered frame.

That upsampling is followed by a 3×3 convolution to half the channels is inferred from the published
number of parameters, 8.63 million.

Source: Lei et al., Blind Video Deflickering (CVPR 2023).
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor, nn
from torch.nn import functional

from unflicker.compute.weights import load_into, read_weights
from unflicker.frames.padding import mirrored

_WIDTH, _SIZES = 32, 5
_MULTIPLE = 2 ** (_SIZES - 1)


class UNet(nn.Module):
    """Six channels to three, at any size: padded as in a mirror, and cropped, never resized."""

    def __init__(self, *, inputs: int = 6, outputs: int = 3, width: int = _WIDTH) -> None:
        """Build it, with torch's own first weights.

        Args:
            inputs: Input channels; other than the filter's six for callers of `drawn`.
            outputs: Channels out.
            width: Channels at full size; they double each time the size is halved.
        """
        super().__init__()
        widths = tuple(width << level for level in range(_SIZES))
        down = zip((inputs, *widths[:-1]), widths, strict=True)
        self.down = nn.ModuleList(_block(*pair) for pair in down)
        rising = list(zip(widths[:0:-1], widths[-2::-1], strict=True))
        self.rise = nn.ModuleList(_convolution(wide, narrow) for wide, narrow in rising)
        self.up = nn.ModuleList(_block(2 * narrow, narrow) for _, narrow in rising)
        self.out = nn.Conv2d(width, outputs, 1)

    def forward(
        self,
        frame: Float[Tensor, "batch 3 height width"],
        guide: Float[Tensor, "batch 3 height width"],
    ) -> Float[Tensor, "batch 3 height width"]:
        """The frame in the guide's colours; about [0, 1], and not held to it."""
        return self.drawn(torch.cat([frame, guide], dim=1))

    def drawn(
        self, values: Float[Tensor, "batch inputs height width"]
    ) -> Float[Tensor, "batch outputs height width"]:
        """What the network makes of all its channels."""
        height, width = values.shape[2:]
        rows, columns = (
            torch.from_numpy(mirrored(length, multiple=_MULTIPLE)).to(values.device)
            for length in (height, width)
        )
        values = self.down[0](values.index_select(2, rows).index_select(3, columns))
        kept = []
        for block in list(self.down)[1:]:
            kept.append(values)
            values = block(functional.max_pool2d(values, 2))
        for rise, block in zip(self.rise, self.up, strict=True):
            larger = functional.interpolate(
                values, scale_factor=2, mode="bilinear", align_corners=False
            )
            values = block(torch.cat([kept.pop(), rise(larger)], dim=1))
        return self.out(values)[:, :, :height, :width]


def _convolution(inputs: int, outputs: int) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.ReLU(inplace=True)
    )


def _block(inputs: int, outputs: int) -> nn.Module:
    return nn.Sequential(_convolution(inputs, outputs), _convolution(outputs, outputs))


def load_unet(path: str, *, device: str) -> UNet:
    """The trained filter, ready for use.

    Args:
        path: Of its weights.
        device: "cpu" or "cuda:n".

    Raises:
        MissingError: The file is not there.
        InputError: It cannot be read, or is not this network's.
    """
    return load_into(UNet(), read_weights("", own=path), source=path).to(device)


@torch.no_grad()
def filtered(
    network: UNet,
    frame: Float32[np.ndarray, "height width 3"],
    guide: Float32[np.ndarray, "height width 3"],
) -> Float32[np.ndarray, "height width 3"]:
    """A frame in its guide's colours, RGB in [0, 1].

    Args:
        network: The filter, on any device.
        frame: RGB in [0, 1].
        guide: Of the frame, RGB in [0, 1].
    """
    device = network.out.weight.device
    pictures = (
        torch.from_numpy(np.ascontiguousarray(picture.transpose(2, 0, 1)))[None].to(device)
        for picture in (frame, guide)
    )
    out = network(*pictures)[0].clamp(0.0, 1.0)
    return np.ascontiguousarray(out.permute(1, 2, 0).cpu().numpy())
