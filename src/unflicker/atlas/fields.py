"""Components of an atlas: fields over points of a shot, with one interface and two kinds.

A point is `(x, y, t)`: a pixel of the proxy, x first, and a frame's number. A place is `(x, y)` in
the atlas, in px: one px of it is one px of the proxy, where nothing deforms.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar, cast, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from unflicker.atlas.layers import shares

Kind = TypeVar("Kind")


@runtime_checkable
class Layer(Protocol):
    """One layer of an atlas: every visible point has one place, and every place one colour."""

    def place(self, points: Float[Tensor, "points 3"]) -> Float[Tensor, "points 2"]:
        """Where points lie in the atlas, in px."""
        ...

    def colour(self, places: Float[Tensor, "points 2"]) -> Float[Tensor, "points 3"]:
        """The colour of places in the atlas, RGB in [0, 1]."""
        ...


@runtime_checkable
class Alpha(Protocol):
    """Opacity of a layer over those below it."""

    def __call__(self, points: Float[Tensor, "points 3"]) -> Float[Tensor, " points"]:
        """Between 0 and 1, both excluded, at each point."""
        ...


@runtime_checkable
class Light(Protocol):
    """Difference of light from the atlas's own."""

    def __call__(self, points: Float[Tensor, "points 3"]) -> Float[Tensor, "points 3"]:
        """The gain of each channel at each point."""
        ...


@dataclass(frozen=True, kw_only=True, eq=False)
class Rendering:
    """An atlas's values at some points."""

    colour: Float[Tensor, "points 3"]
    places: tuple[Float[Tensor, "points 2"], ...]
    """In each layer, the lowest first."""
    layer_colours: tuple[Float[Tensor, "points 3"], ...]
    """Of each layer, without light."""
    alphas: tuple[Float[Tensor, " points"], ...]
    """Of each layer but the lowest."""

    def first(self, count: int) -> Rendering:
        """The same for the first points only."""
        return Rendering(
            colour=self.colour[:count],
            places=tuple(place[:count] for place in self.places),
            layer_colours=tuple(colour[:count] for colour in self.layer_colours),
            alphas=tuple(alpha[:count] for alpha in self.alphas),
        )


class Atlas(nn.Module):
    """Layers one above the other, under slowly changing light."""

    def __init__(
        self,
        layers: Sequence[nn.Module],
        *,
        alphas: Sequence[nn.Module],
        light: nn.Module | None,
        flicker: nn.Module | None = None,
    ) -> None:
        """Combine layers, the lowest first.

        Args:
            layers: Of the atlas.
            alphas: Of all layers but the lowest.
            light: Slow light, which the atlas renders.
            flicker: Fast light, which it does not render; it keeps flicker out of the fitted
                mappings.

        Raises:
            ValueError: The number of alphas is not one less than that of layers.
        """
        super().__init__()
        if len(alphas) != len(layers) - 1:
            raise ValueError(f"{len(alphas)} alphas for {len(layers)} layers; pass one fewer")
        self.layers = nn.ModuleList(layers)
        self.alphas = nn.ModuleList(alphas)
        self.light, self.flicker = light, flicker

    def forward(self, points: Float[Tensor, "points 3"], *, flickering: bool = False) -> Rendering:
        """Colours, places and alphas at points; flicker is included on request."""
        places = tuple(layer.place(points) for layer in self.each_layer)
        colours = tuple(
            layer.colour(place) for layer, place in zip(self.each_layer, places, strict=True)
        )
        alphas = tuple(alpha(points) for alpha in self.each_alpha)
        colour = colours[0]
        for above, alpha in zip(colours[1:], alphas, strict=True):
            colour = torch.lerp(colour, above, alpha[:, None])
        if self.light is not None:
            colour = colour * self.light(points)
        if flickering and self.flicker is not None:
            colour = colour * self.flicker(points)
        return Rendering(colour=colour, places=places, layer_colours=colours, alphas=alphas)

    @property
    def each_layer(self) -> list[Layer]:
        """The layers, the lowest first."""
        return cast("list[Any]", list(self.layers))

    @property
    def each_alpha(self) -> list[Alpha]:
        """Alpha of each layer but the lowest."""
        return cast("list[Any]", list(self.alphas))

    @property
    def device(self) -> torch.device:
        """Where its parameters are."""
        return next(self.parameters()).device

    def layer(self, number: int) -> Layer:
        """One layer, the lowest being 0."""
        return self.each_layer[number]

    def of_kind(self, kind: type[Kind]) -> list[Kind]:
        """The layers of a kind."""
        return [layer for layer in self.layers if isinstance(layer, kind)]

    def shares(self, alphas: tuple[Tensor, ...], points: int) -> tuple[Tensor, ...]:
        """The weight of each layer at each point: its alpha times the transparency of those above.

        Args:
            alphas: Of the layers above the lowest.
            points: Number of points.
        """
        return tuple(shares(alphas, torch.ones(points, device=self.device)))


def every_point(
    frame: int, *, size: tuple[int, int], device: torch.device | str
) -> Float[Tensor, "points 3"]:
    """All pixels of a frame, as points (x, y, frame).

    Args:
        frame: Its index.
        size: Height and width in px.
        device: Of the result.
    """
    y, x = torch.meshgrid(
        torch.arange(size[0], device=device), torch.arange(size[1], device=device), indexing="ij"
    )
    return torch.stack([x, y, torch.full_like(x, frame)], dim=-1).view(-1, 3).float()
