"""An atlas as MLPs: the reference system's kind, for the `paper` preset and for comparison.

Sizes are theirs (`docs/atlas.md` has the table).

Source: Lei et al., Blind Video Deflickering (CVPR 2023); Kasten et al., Layered Neural Atlases
(SIGGRAPH Asia 2021).
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from unflicker.atlas.encoding import octaves

_WIDE = 256
_MAPPING_LAYERS, _TEXTURE_LAYERS, _ALPHA_LAYERS = 6, 8, 8
_TEXTURE_OCTAVES, _ALPHA_OCTAVES = 10, 5
_TEXTURE_SKIPS = (4, 7)
START_SCALE = 0.8
"""Initial mappings place a pixel of [-1, 1] at 0.8 times its coordinates, so that none is clipped.
"""


class Perceptron(nn.Module):
    """Linear layers with ReLU between and tanh at the end; some get the input again."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        layers: int,
        octaves: int = 0,
        skips: tuple[int, ...] = (),
    ) -> None:
        """Build it, with torch's own initialisation."""
        super().__init__()
        self._octaves, self._skips = octaves, skips
        encoded = inputs * 2 * octaves if octaves else inputs
        widths = [encoded] + [_WIDE] * (layers - 1)
        self.layers = nn.ModuleList(
            nn.Linear(
                width + (encoded if place in skips else 0),
                outputs if place == layers - 1 else _WIDE,
            )
            for place, width in enumerate(widths)
        )

    def forward(self, values: Float[Tensor, "points inputs"]) -> Float[Tensor, "points outputs"]:
        """Values between -1 and 1."""
        start = octaves(values, count=self._octaves) if self._octaves else values
        out = start
        for place, layer in enumerate(self.layers):
            if place:
                out = torch.relu(out)
            if place in self._skips:
                out = torch.cat([out, start], dim=1)
            out = layer(out)
        return torch.tanh(out)


class Frame(nn.Module):
    """Scaling of points for networks: the longer side and the time span from -1 to 1."""

    def __init__(self, *, frames: int, size: tuple[int, int]) -> None:
        """Remember the size of a shot."""
        super().__init__()
        self._half_px, self._half_frames = max(size) / 2.0, max(frames / 2.0, 1.0)
        self.atlas_half_px = self._half_px / START_SCALE
        """Px of the atlas for one unit of a mapping's output."""

    def forward(self, points: Float[Tensor, "points 3"]) -> Float[Tensor, "points 3"]:
        """Points as networks see them."""
        scale = points.new_tensor([self._half_px, self._half_px, self._half_frames])
        return points / scale - 1.0


class MlpLayer(nn.Module):
    """Two networks: point to place, and place to colour."""

    def __init__(self, frame: Frame, texture: Perceptron, *, quarter: float | None = None) -> None:
        """Build a mapping above a texture.

        Args:
            frame: How points are scaled.
            texture: From places in [-1, 1] to colours; layers may share it.
            quarter: Where several layers share a texture: +0.5 or -0.5, each layer's own part.
        """
        super().__init__()
        self.mapping = Perceptron(3, 2, layers=_MAPPING_LAYERS)
        self.texture_network = texture
        self._frame, self._quarter = frame, quarter

    def place(self, points: Float[Tensor, "points 3"]) -> Float[Tensor, "points 2"]:
        """Where points lie, in px."""
        return self.mapping(self._frame(points)) * self._frame.atlas_half_px

    def colour(self, places: Float[Tensor, "points 2"]) -> Float[Tensor, "points 3"]:
        """The colour there."""
        at = places / self._frame.atlas_half_px
        if self._quarter is not None:
            at = at * 0.5 + self._quarter
        return (self.texture_network(at) + 1.0) * 0.5

    def start_loss(self, points: Float[Tensor, "points 3"]) -> Float[Tensor, ""]:
        """Distance of the mapping from the identity, in units of [-1, 1]."""
        scaled = self._frame(points)
        return (self.mapping(scaled) - scaled[:, :2] * START_SCALE).norm(dim=1).mean()


class MlpAlpha(nn.Module):
    """Alpha of a layer."""

    def __init__(self, frame: Frame) -> None:
        """Build the network."""
        super().__init__()
        self.network = Perceptron(3, 1, layers=_ALPHA_LAYERS, octaves=_ALPHA_OCTAVES)
        self._frame = frame

    def forward(self, points: Float[Tensor, "points 3"]) -> Float[Tensor, " points"]:
        """Between 0.001 and 0.991."""
        return (self.network(self._frame(points))[:, 0] * 0.5 + 0.5) * 0.99 + 0.001


def texture_network() -> Perceptron:
    """The network from place to colour."""
    return Perceptron(2, 3, layers=_TEXTURE_LAYERS, octaves=_TEXTURE_OCTAVES, skips=_TEXTURE_SKIPS)
