"""An atlas on grids: the default kind, which converges in hundreds of steps."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from unflicker.atlas.canvas import Canvas
from unflicker.atlas.initialisation import Initialisation
from unflicker.atlas.light import SlowLight
from unflicker.atlas.mesh import Mesh

_COARSER = (4, 16)
"""Besides the texture itself, planes of this many times larger texels: a change of colour of a
whole region is learned at once."""


class GridLayer(nn.Module):
    """A mesh of places for each frame, and a texture of several resolutions.

    The texture's planes are simply added: with a network to decode them it could be neither
    painted from the frames nor drawn upon, and initial pictures need none (decision 6).
    """

    def __init__(self, sketch: Initialisation) -> None:
        """Start from an initialisation."""
        super().__init__()
        self.mesh: Mesh = sketch.mesh
        self.canvas: Canvas = sketch.canvas
        self.nodes = nn.Parameter(torch.from_numpy(sketch.nodes.copy()))
        finest = torch.from_numpy(sketch.texture).permute(2, 0, 1)[None].contiguous()
        rows, columns = finest.shape[2:]
        coarser = [torch.zeros(1, 3, rows // by + 2, columns // by + 2) for by in _COARSER]
        self.planes = nn.ParameterList([finest, *coarser])

    def place(self, points: Float[Tensor, "points 3"]) -> Float[Tensor, "points 2"]:
        """Bilinear between the four nodes around each point."""
        rows, columns = self.mesh.rows, self.mesh.columns
        down_px, across_px = self.mesh.step_px
        row = (points[:, 1] / down_px).clamp(0, rows - 1)
        column = (points[:, 0] / across_px).clamp(0, columns - 1)
        top, left = row.floor().clamp(max=rows - 2), column.floor().clamp(max=columns - 2)
        down, across = (row - top)[:, None], (column - left)[:, None]
        corner = ((points[:, 2] * rows + top) * columns + left).long()
        corners = torch.cat([corner, corner + 1, corner + columns, corner + columns + 1])
        nodes = self.nodes.view(-1, 2).index_select(0, corners).view(4, -1, 2)
        across_then = torch.lerp(nodes[0::2], nodes[1::2], across)
        return torch.lerp(across_then[0], across_then[1], down)

    def colour(self, places: Float[Tensor, "points 2"]) -> Float[Tensor, "points 3"]:
        """The sum of all planes, each bilinear."""
        corner = places.new_tensor([self.canvas.left_px, self.canvas.top_px])
        last = places.new_tensor([self.canvas.columns - 1, self.canvas.rows - 1])
        at = ((places - corner) * (2.0 * self.canvas.texels_per_px) / last - 1.0)[None, None]
        looked_up = [
            functional.grid_sample(plane, at, align_corners=True, padding_mode="border")
            for plane in self.planes
        ]
        return torch.stack(looked_up).sum(dim=0)[0, :, 0].T


class GridAlpha(nn.Module):
    """Alpha of a layer, as a small picture for each frame."""

    def __init__(self, alpha: Float[Tensor, "time rows columns"], *, size: tuple[int, int]) -> None:
        """Begin with an alpha for frames of a size; it is kept between 0.02 and 0.98."""
        super().__init__()
        self.logits = nn.Parameter(torch.logit(alpha, eps=0.02))
        self._size = size

    def forward(self, points: Float[Tensor, "points 3"]) -> Float[Tensor, " points"]:
        """Bilinear in place; frames do not mix."""
        _, rows, columns = self.logits.shape
        logits = self.logits.view(-1, 1)
        return torch.sigmoid(_between(logits, points, (rows, columns), self._size)[:, 0])


class GridLight(nn.Module):
    """Light on knots in time, coarse in place (`atlas.light`)."""

    def __init__(
        self, light: SlowLight, *, size: tuple[int, int], beside: SlowLight | None = None
    ) -> None:
        """Start from the light of an initialisation.

        Args:
            light: Initial values.
            size: Height and width of frames in px.
            beside: Slower light that is fitted as well, and excluded from this one.
        """
        super().__init__()
        self.knots = nn.Parameter(torch.from_numpy(light.knots.copy()))
        self.hats: Tensor
        self.slower: Tensor | None
        self.register_buffer("hats", torch.from_numpy(light.hats.copy()))
        slower = None if beside is None else torch.from_numpy(light.without(beside))
        self.register_buffer("slower", slower)
        self._size = size

    def forward(self, points: Float[Tensor, "points 3"]) -> Float[Tensor, "points 3"]:
        """Bilinear in place, linear in time."""
        by_frame = torch.tensordot(self.hats, self._centred(), dims=1)
        _, rows, columns, _ = by_frame.shape
        cells = by_frame.flatten(0, 2)
        return torch.exp(_between(cells, points, (rows, columns), self._size))

    def _centred(self) -> Float[Tensor, "knots rows columns 3"]:
        """Knots without the part of slower light, or, if there is none, of the texture."""
        if self.slower is not None:
            return torch.tensordot(self.slower, self.knots, dims=1)
        mean = torch.tensordot(self.hats.mean(dim=0), self.knots, dims=1)
        return self.knots - mean.mean(dim=(0, 1))

    def as_slow_light(self) -> SlowLight:
        """The light as arrays."""
        knots = self._centred().detach().cpu().numpy()
        return SlowLight(knots=knots, hats=self.hats.cpu().numpy())


def _between(
    cells: Float[Tensor, "cells channels"],
    points: Float[Tensor, "points 3"],
    shape: tuple[int, int],
    size: tuple[int, int],
) -> Float[Tensor, "points channels"]:
    """Values between the cells of each frame's small picture, bilinear; frames do not mix.

    Args:
        cells: All cells of all frames' small pictures.
        points: Where.
        shape: Rows and columns of a small picture.
        size: Height and width of a frame.
    """
    rows, columns = shape
    row = ((points[:, 1] + 0.5) * (rows / size[0]) - 0.5).clamp(0, rows - 1)
    column = ((points[:, 0] + 0.5) * (columns / size[1]) - 0.5).clamp(0, columns - 1)
    top, left = row.floor(), column.floor()
    bottom, right = (top + 1).clamp(max=rows - 1), (left + 1).clamp(max=columns - 1)
    first = points[:, 2] * rows
    corners = [(first + down) * columns + side for down in (top, bottom) for side in (left, right)]
    values = cells.index_select(0, torch.cat(corners).long()).view(4, len(points), -1)
    across_then = torch.lerp(values[0::2], values[1::2], (column - left)[:, None])
    return torch.lerp(across_then[0], across_then[1], (row - top)[:, None])
