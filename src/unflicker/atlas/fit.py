"""Optimisation loop that fits an atlas to a shot, for both kinds of atlas."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from unflicker.atlas import losses
from unflicker.atlas.fields import Atlas, Rendering
from unflicker.atlas.grid import GridLayer, GridLight
from unflicker.atlas.shot import Shot
from unflicker.settings import AtlasSettings

_BENT_IN_TURN = 4
_STALL_STEPS = 100
_STALL_SHARE = 0.002
"""A fit that improved by less over so many steps has converged."""
_GRID_RATES = {"nodes": 0.1, "planes": 0.0015, "knots": 0.002, "logits": 0.05}
"""Adam's learning rates: px of a node, colour of a texel, log gain, logit of alpha."""


@dataclass(kw_only=True)
class FitLog:
    """Losses of a fit."""

    steps: list[int] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    losses: list[dict[str, float]] = field(default_factory=list)
    """Each term, weighted, at each logged step."""
    stalled: bool = False


Tell = Callable[[int, int], None]
"""Called with the steps done and the number of steps; raises to stop the fit."""


def nobody(done: int, total: int) -> None:
    """Report no progress.

    Args:
        done: Ignored.
        total: Ignored.
    """


def fit(
    atlas: Atlas,
    shot: Shot,
    settings: AtlasSettings,
    *,
    generator: torch.Generator,
    tell: Tell = nobody,
    most_seconds: float = float("inf"),
) -> FitLog:
    """Fit an atlas with Adam on sampled points; returns its losses by step.

    Args:
        atlas: Changed in place.
        shot: Frames and motion.
        settings: Steps, points and weights.
        generator: Draws the points.
        tell: Called after each step; may raise to stop.
        most_seconds: Limit of time; by default the fit also ends when it stalls.
    """
    optimiser, rates = _optimiser(atlas, settings)
    log, begun = FitLog(), time.monotonic()
    recent: list[float] = []
    for step in range(settings.steps):
        _anneal(optimiser, rates, step / settings.steps, settings)
        terms = _terms(atlas, shot, settings, step=step, generator=generator)
        loss = torch.stack(list(terms.values())).sum()
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        recent.append(float(loss.detach()))
        elapsed = time.monotonic() - begun
        if step % settings.log_every == 0 or step == settings.steps - 1:
            log.steps.append(step)
            log.seconds.append(elapsed)
            log.losses.append({name: float(term.detach()) for name, term in terms.items()})
        tell(step + 1, settings.steps)
        if (settings.stops_early and _stalls(recent)) or elapsed > most_seconds:
            log.stalled = elapsed <= most_seconds
            break
    return log


def _optimiser(atlas: Atlas, settings: AtlasSettings) -> tuple[torch.optim.Adam, list[float]]:
    """Adam with a rate for each kind of parameter; networks share one."""
    groups: dict[float, list[torch.nn.Parameter]] = {}
    for name, parameter in atlas.named_parameters():
        kinds = [rate for kind, rate in _GRID_RATES.items() if kind in name.split(".")]
        groups.setdefault(kinds[0] if kinds else settings.learning_rate, []).append(parameter)
    optimiser = torch.optim.Adam(
        [{"params": parameters, "lr": rate} for rate, parameters in groups.items()], fused=True
    )
    return optimiser, list(groups)


def _anneal(
    optimiser: torch.optim.Adam, rates: list[float], done: float, settings: AtlasSettings
) -> None:
    """Decay learning rates of grids; the reference's rate is constant."""
    if settings.kind == "grid":
        for group, rate in zip(optimiser.param_groups, rates, strict=True):
            group["lr"] = rate * (1.0 - done)


def _stalls(recent: list[float]) -> bool:
    if len(recent) < 2 * _STALL_STEPS:
        return False
    before = float(np.mean(recent[-2 * _STALL_STEPS : -_STALL_STEPS]))
    now = float(np.mean(recent[-_STALL_STEPS:]))
    return now > before * (1.0 - _STALL_SHARE)


def _terms(
    atlas: Atlas, shot: Shot, settings: AtlasSettings, *, step: int, generator: torch.Generator
) -> dict[str, Tensor]:
    """Every term that has a weight, times its weight."""
    points, pixel = _sampled(shot, settings.points, generator)
    count = len(points)
    if settings.gradient:
        points, pixel = _with_neighbours(points, pixel, shot)
    everything = atlas(points, flickering=True)
    seen = shot.frames.view(-1, 3).index_select(0, pixel)
    here, points, pixel = everything.first(count), points[:count], pixel[:count]
    terms = {"colour": settings.colour * _colour(everything, here, seen, settings)}
    if settings.gradient:
        rendered, wanted = (_differences(colour, count) for colour in (everything.colour, seen))
        terms["gradient"] = settings.gradient * losses.gradient_loss(rendered, wanted)
    if settings.flow and len(shot.frames) > 1:
        terms |= _flow(atlas, shot, settings, here, points, step)
    if settings.rigidity:
        terms["rigidity"] = settings.rigidity * _rigidity(atlas, points, here, reach_px=1.0)
    if settings.global_rigidity and step < settings.global_rigidity_steps:
        terms["global rigidity"] = settings.global_rigidity * _rigidity(
            atlas, points, here, reach_px=settings.global_rigidity_px
        )
    terms |= _of_grids(atlas, settings, step)
    if here.alphas:
        terms |= _of_alphas(shot, settings, pixel, here, step)
    return terms


def _sampled(
    shot: Shot, count: int, generator: torch.Generator
) -> tuple[Float[Tensor, "points 3"], Tensor]:
    """Random pixels of the shot, none on its last row or column, as points and as numbers."""
    time_, height, width = shot.frames.shape[:3]
    chances = torch.rand(3, count, generator=generator).to(shot.frames.device)
    t = (chances[0] * time_).long().clamp(max=time_ - 1)
    y = (chances[1] * max(height - 1, 1)).long()
    x = (chances[2] * max(width - 1, 1)).long()
    points = torch.stack([x, y, t], dim=1).to(shot.frames.dtype)
    return points, (t * height + y) * width + x


def _with_neighbours(points: Tensor, pixel: Tensor, shot: Shot) -> tuple[Tensor, Tensor]:
    """Points, then the pixels to the right of each, then those below."""
    across, down = points.new_tensor([1.0, 0.0, 0.0]), points.new_tensor([0.0, 1.0, 0.0])
    height, width = shot.frames.shape[1:3]
    right = pixel + 1 if width > 1 else pixel
    below = pixel + width if height > 1 else pixel
    return torch.cat([points, points + across, points + down]), torch.cat([pixel, right, below])


def _differences(colours: Tensor, count: int) -> Float[Tensor, "points 2 3"]:
    """Differences of colour from each point to its right neighbour, and to the one below."""
    here, right, below = colours.view(3, count, 3)
    return torch.stack([right - here, below - here], dim=1)


def _colour(
    everything: Rendering, here: Rendering, seen: Tensor, settings: AtlasSettings
) -> Tensor:
    """The reference's loss uses the points alone, the robust one their neighbours too."""
    if settings.outlier:
        return losses.robust_colour_loss(everything.colour, seen, outlier=settings.outlier)
    return losses.colour_loss(here.colour, seen[: len(here.colour)])


def _flow(
    atlas: Atlas, shot: Shot, settings: AtlasSettings, here: Rendering, points: Tensor, step: int
) -> dict[str, Tensor]:
    """Flow loss for one stride a step, in turn; with several layers, by visibility.

    With motion both ways half of it follows the motion forward and half backward.
    """
    ways = shot.ways(step)
    shares = [share.detach() for share in atlas.shares(here.alphas, len(points))]
    terms: dict[str, Tensor] = {}
    for way in ways:
        moved, weight = way.followed(points)
        kept = [
            losses.flow_loss(place, layer.place(moved), weight * share)
            for layer, place, share in zip(atlas.each_layer, here.places, shares, strict=True)
        ]
        _add(terms, "flow", settings.flow * torch.stack(kept).sum() / len(ways))
        if here.alphas and settings.alpha_flow:
            kept = [
                losses.alpha_flow_loss(covered, alpha(moved), weight)
                for alpha, covered in zip(atlas.each_alpha, here.alphas, strict=True)
            ]
            _add(terms, "alpha flow", settings.alpha_flow * torch.stack(kept).sum() / len(ways))
    return terms


def _add(terms: dict[str, Tensor], name: str, term: Tensor) -> None:
    terms[name] = terms[name] + term if name in terms else term


def _rigidity(atlas: Atlas, points: Tensor, here: Rendering, *, reach_px: float) -> Tensor:
    offsets = points.new_tensor([[reach_px, 0.0, 0.0], [0.0, reach_px, 0.0]])
    terms = []
    for layer, place in zip(atlas.each_layer, here.places, strict=True):
        before = layer.place((points - offsets[:, None]).flatten(0, 1)).view(2, -1, 2)
        jacobian = ((place - before) / reach_px).permute(1, 2, 0)
        terms.append(losses.rigidity_loss(jacobian))
    return torch.stack(terms).sum()


def _of_grids(atlas: Atlas, settings: AtlasSettings, step: int) -> dict[str, Tensor]:
    """Terms on the values of grids; bending for one frame in four, in turn."""
    terms = {}
    some = slice(step % _BENT_IN_TURN, None, _BENT_IN_TURN)
    grids = [layer.nodes for layer in atlas.each_layer if isinstance(layer, GridLayer)]
    nodes = [each[some] if len(each) >= _BENT_IN_TURN else each for each in grids]
    if nodes and settings.bending:
        bending = torch.stack([losses.bending_loss(each) for each in nodes]).sum()
        terms["bending"] = settings.bending * bending
    lights = [each.knots for each in (atlas.light, atlas.flicker) if isinstance(each, GridLight)]
    if lights and settings.evenness:
        uneven = torch.stack([losses.evenness_loss(knots) for knots in lights]).sum()
        terms["evenness"] = settings.evenness * uneven
    return terms


def _of_alphas(
    shot: Shot, settings: AtlasSettings, pixel: Tensor, here: Rendering, step: int
) -> dict[str, Tensor]:
    """Losses of layers above the lowest: against leaving their masks, and hiding colours."""
    terms = {}
    if settings.bootstrapping and step < settings.bootstrapping_steps:
        pairs = zip(here.alphas, shot.masks, strict=True)
        lost = [
            losses.alpha_bootstrapping_loss(alpha, mask.view(-1)[pixel]) for alpha, mask in pairs
        ]
        terms["bootstrapping"] = settings.bootstrapping * torch.stack(lost).sum()
    if settings.sparsity:
        pairs = zip(here.layer_colours[1:], here.alphas, strict=True)
        hidden = [losses.sparsity_loss(colour, alpha) for colour, alpha in pairs]
        terms["sparsity"] = settings.sparsity * torch.stack(hidden).sum()
    return terms
