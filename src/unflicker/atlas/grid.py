"""Fields on grids: the default kind, which learns in hundreds of steps."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from unflicker.atlas.canvas import Canvas
from unflicker.atlas.light import SlowLight
from unflicker.atlas.mesh import Mesh
from unflicker.atlas.start import Sketch

_COARSER = (4, 16)
"""Besides the texture itself, planes of this many times larger texels: a change of colour that a
whole region shares is learned at once."""


class GridLayer(nn.Module):
    """A mesh of places for each frame, and a texture of several resolutions.

    The texture's planes are simply added: with a network to decode them it could be neither
    painted from the frames nor drawn upon, and pictures from the sketch need none (decision 6).
    """

    def __init__(self, sketch: Sketch) -> None:
        """Begin where a sketch ended."""
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
        nodes = self.nodes.view(-1, 2)
        above = torch.lerp(nodes[corner], nodes[corner + 1], across)
        below = torch.lerp(nodes[corner + columns], nodes[corner + columns + 1], across)
        return torch.lerp(above, below, down)

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

    @torch.no_grad()
    def texture(self) -> Float[Tensor, "rows columns 3"]:
        """All planes as one picture."""
        size = self.planes[0].shape[2:]
        grown = [
            functional.interpolate(plane, size, mode="bilinear", align_corners=True)
            for plane in self.planes
        ]
        return torch.stack(grown).sum(dim=0)[0].permute(1, 2, 0)


class GridAlpha(nn.Module):
    """How far a layer covers those below, as a small picture for each frame."""

    def __init__(self, alpha: Float[Tensor, "time rows columns"], *, size: tuple[int, int]) -> None:
        """Begin with an alpha for frames of a size; it is kept between 0.02 and 0.98."""
        super().__init__()
        self.logits = nn.Parameter(torch.logit(alpha, eps=0.02))
        self._size = size

    def forward(self, points: Float[Tensor, "points 3"]) -> Float[Tensor, " points"]:
        """Bilinear in place; frames do not mix."""
        frames, rows, columns = self.logits.shape
        height, width = self._size
        row = ((points[:, 1] + 0.5) * (rows / height) - 0.5).clamp(0, rows - 1)
        column = ((points[:, 0] + 0.5) * (columns / width) - 0.5).clamp(0, columns - 1)
        top, left = row.floor(), column.floor()
        down, across = row - top, column - left
        right, bottom = (left + 1).clamp(max=columns - 1), (top + 1).clamp(max=rows - 1)
        flat = self.logits.view(-1)

        def logit(row: Tensor, column: Tensor) -> Tensor:
            return flat[((points[:, 2] * rows + row) * columns + column).long()]

        above = torch.lerp(logit(top, left), logit(top, right), across)
        below = torch.lerp(logit(bottom, left), logit(bottom, right), across)
        return torch.sigmoid(torch.lerp(above, below, down))


class GridLight(nn.Module):
    """Light on a few knots in time, coarse in place (`atlas.light`)."""

    def __init__(self, light: SlowLight, *, size: tuple[int, int]) -> None:
        """Begin with the light of a sketch."""
        super().__init__()
        self.knots = nn.Parameter(torch.from_numpy(light.knots.copy()))
        self.hats: Tensor
        self.register_buffer("hats", torch.from_numpy(light.hats.copy()))
        self._size = size

    def forward(self, points: Float[Tensor, "points 3"]) -> Float[Tensor, "points 3"]:
        """Bilinear in place, linear in time."""
        _, rows, columns, _ = self.knots.shape
        height, width = self._size
        row = ((points[:, 1] + 0.5) * (rows / height) - 0.5).clamp(0, rows - 1)
        column = ((points[:, 0] + 0.5) * (columns / width) - 0.5).clamp(0, columns - 1)
        place = _hats(row, rows)[:, :, None] * _hats(column, columns)[:, None, :]
        share = self.hats[points[:, 2].long()][:, :, None, None] * place[:, None]
        knots = self.knots - torch.tensordot(self.hats.mean(dim=0), self.knots, dims=1)
        return torch.exp(share.flatten(1) @ knots.flatten(0, 2))

    def as_slow_light(self) -> SlowLight:
        """The light as arrays."""
        mean = torch.tensordot(self.hats.mean(dim=0), self.knots, dims=1)
        knots = (self.knots - mean).detach().cpu().numpy()
        return SlowLight(knots=knots, hats=self.hats.cpu().numpy())


def _hats(places: Float[Tensor, " points"], nodes: int) -> Float[Tensor, "points nodes"]:
    """How much of each node's value each place takes, linear."""
    at = torch.arange(nodes, device=places.device)
    return (1.0 - (places[:, None] - at).abs()).clamp(min=0.0)
