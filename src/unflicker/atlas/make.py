"""The atlas of a shot, from its frames and their motion: initialise, choose layers, fit."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float32

from unflicker.atlas import mlp
from unflicker.atlas.fields import Atlas, every_point
from unflicker.atlas.fit import FitLog, Tell, fit, nobody
from unflicker.atlas.grid import GridAlpha, GridLayer, GridLight
from unflicker.atlas.initialisation import (
    Initialisation,
    Match,
    Seen,
    flicker_of,
    initialised,
    repainted,
)
from unflicker.atlas.layered import Layered
from unflicker.atlas.layers import moving_masks
from unflicker.atlas.mesh import Mesh
from unflicker.atlas.shot import FlowAndVisibility, Shot
from unflicker.compute.threads import in_parallel
from unflicker.frames.flow import Motion, resized
from unflicker.settings import AtlasSettings

_HELD_EVERY = 5
"""One frame in so many is held out to choose the number of layers."""
_MUST_WIN_DB = 0.1
"""Gain on held-out frames that layers found from motion must have over one layer, in dB."""
_MAY_LOSE_DB = 0.3
"""Loss on held-out frames that layers from the user's masks may have, in dB."""
_START_RATE, _START_STEPS_A_FRAME, _START_PX = 1e-4, 100, 0.5
_LEAST_MASK_SHARE = 0.002
_STRIDES_GROW = 4
"""Factor between strides of the flow loss: 1, 4, 16."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ShotAtlas:
    """An atlas, with its losses."""

    model: Atlas
    size: tuple[int, int]
    """Height and width of the frames it explains."""
    frames: int
    log: FitLog
    held_out_db: tuple[float, float] | None
    """PSNR of held-out frames with one layer and with several; None if not compared."""

    @torch.no_grad()
    def rendered(self, frame: int) -> Float32[np.ndarray, "height width 3"]:
        """How the atlas renders a frame, in [0, 1]."""
        colour = self.model(self._points(frame)).colour.clamp(0.0, 1.0)
        return colour.cpu().numpy().reshape(*self.size, 3)

    @torch.no_grad()
    def places(self, frame: int, *, layer: int = 0) -> Float32[np.ndarray, "height width 2"]:
        """Places of a frame's pixels in a layer, in px, x first.

        Args:
            frame: Its index.
            layer: 0 is the lowest.
        """
        place = self.model.layer(layer).place(self._points(frame))
        return place.cpu().numpy().reshape(*self.size, 2)

    @torch.no_grad()
    def shares(self, frame: int) -> Float32[np.ndarray, "layers height width"]:
        """Weight of each layer at each pixel, the lowest first; they sum to one."""
        points = self._points(frame)
        alphas = tuple(alpha(points) for alpha in self.model.alphas)
        shares = torch.stack(self.model.shares(alphas, len(points)))
        return shares.cpu().numpy().reshape(-1, *self.size)

    def _points(self, frame: int) -> torch.Tensor:
        device = self.model.device
        return every_point(frame, size=self.size, device=device)


@dataclass(frozen=True, kw_only=True, eq=False)
class Footage:
    """The input of an atlas."""

    frames: Float32[np.ndarray, "time height width 3"]
    """RGB in [0, 1], preferably without flicker of light."""
    motion: Motion
    """Between neighbouring frames."""
    masks: tuple[Float32[np.ndarray, "time height width"], ...] = ()
    """Mask of each object, one array for each layer above the background; none to find them."""
    knots_apart: float = 24.0
    """Frames between knots of slow light: slower light is no flicker."""


def make_atlas(
    footage: Footage,
    settings: AtlasSettings,
    *,
    match: Match,
    device: str = "cpu",
    tell: Tell = nobody,
    most_seconds: float = float("inf"),
) -> ShotAtlas:
    """The atlas of one shot.

    Args:
        footage: The shot.
        settings: Of this stage, with the seed.
        match: Estimates the flow between any two pictures (`motion.match`).
        device: Where the fit runs: "cpu" or "cuda:n".
        tell: Called with the progress of the fit; may raise to stop it.
        most_seconds: Limit of the fit's time.
    """
    frames = footage.frames
    masks = tuple(mask for mask in footage.masks if float(mask.mean()) > _LEAST_MASK_SHARE)
    footage = replace(footage, masks=masks)
    if settings.kind == "grid":
        model, masks, held_out = _on_grids(footage, settings, match)
    else:
        model, masks, held_out = _of_networks(footage, settings)
    model = model.to(device)
    generator = torch.Generator().manual_seed(settings.seed)
    shot = Shot.of(frames, _ways(footage, settings, match), masks=masks, device=device)
    if settings.kind == "mlp":
        _pretrained(model, shot, settings, generator, tell)
    log = fit(model, shot, settings, generator=generator, tell=tell, most_seconds=most_seconds)
    return ShotAtlas(
        model=model.eval(),
        size=frames.shape[1:3],
        frames=len(frames),
        log=log,
        held_out_db=held_out,
    )


def _ways(footage: Footage, settings: AtlasSettings, match: Match) -> dict[int, FlowAndVisibility]:
    """Motion to the next frame, and, estimated directly, to much later ones, where chains drift;
    with `flow_both_ways` also back from each."""
    frames, motion = footage.frames, footage.motion
    ways = {1: (motion.forward, motion.visible_forward)}
    if settings.flow_both_ways:
        ways[-1] = (motion.backward, motion.visible_backward)
    stride = _STRIDES_GROW
    while stride <= settings.longest_stride and stride < len(frames):
        ways[stride] = _matched(match, frames[:-stride], frames[stride:])
        if settings.flow_both_ways:
            ways[-stride] = _matched(match, frames[stride:], frames[:-stride])
        stride *= _STRIDES_GROW
    return ways


def _matched(match: Match, here: np.ndarray, there: np.ndarray) -> FlowAndVisibility:
    flows, visible = zip(*in_parallel(match, here, there), strict=True)
    return np.stack(flows), np.stack(visible)


_Masks = tuple[np.ndarray, ...]
_Built = tuple[Atlas, _Masks, tuple[float, float] | None]


def _on_grids(footage: Footage, settings: AtlasSettings, match: Match) -> _Built:
    """Grids from an initialisation, with the number of layers that explains the shot best."""
    frames, motion, masks = footage.frames, footage.motion, footage.masks
    mesh = Mesh(height=frames.shape[1], width=frames.shape[2], cell_px=settings.cell_px)

    def sketch(seen: Seen) -> Initialisation:
        return initialised(
            seen,
            mesh=mesh,
            texels_per_px=settings.texels_per_px,
            knots_apart=footage.knots_apart,
            rounds=settings.rounds,
            match=match,
        )

    everything = np.ones(frames.shape[:3], np.float32)
    found = masks or _found_masks(motion, settings)
    if not found or len(frames) < _HELD_EVERY:
        seen = Seen(frames=frames, motion=motion, counts=everything, painted=everything)
        return _grid_atlas([sketch(seen)], (), seen), (), None
    held = np.arange(len(frames)) % _HELD_EVERY == _HELD_EVERY // 2
    shown = everything * ~held[:, None, None]
    one = Seen(frames=frames, motion=motion, counts=everything, painted=shown)
    single = sketch(one)
    layered = Layered.of(frames, motion, found, shown)
    layered = layered.initialised(sketch).settled().matched_again(match).settled()
    held_out = single_psnr, layered_psnr = (
        _psnr(frames, [single], [everything], held),
        _psnr(frames, layered.sketches, layered.shares, held),
    )
    wins = layered_psnr >= single_psnr + (-_MAY_LOSE_DB if masks else _MUST_WIN_DB)
    if wins or settings.layers > 1:
        whole = layered.whole()
        model = _grid_atlas(whole.sketches, whole.masks, whole.seen[0])
        return model, whole.masks, held_out
    return _grid_atlas([repainted(single, one.whole())], (), one.whole()), (), held_out


def _found_masks(motion: Motion, settings: AtlasSettings) -> _Masks:
    """Masks of independently moving objects, unless one layer is asked for."""
    found = moving_masks(motion) if settings.layers != 1 else None
    return () if found is None else (found,)


def _psnr(
    frames: np.ndarray, layers: list[Initialisation], shares: list[np.ndarray], held: np.ndarray
) -> float:
    """PSNR of held-out frames in dB."""
    errors = []
    for t in np.flatnonzero(held).tolist():
        parts = [
            layer.rendered(t) * share[t][..., None]
            for layer, share in zip(layers, shares, strict=True)
        ]
        errors.append(float(np.mean((np.clip(sum(parts), 0.0, 1.0) - frames[t]) ** 2)))
    return float(-10.0 * np.log10(np.mean(errors) + 1e-10))


def _grid_atlas(layers: list[Initialisation], masks: _Masks, lowest: Seen) -> Atlas:
    size = layers[0].mesh.height, layers[0].mesh.width
    half = max(1, size[0] // 2), max(1, size[1] // 2)
    slow = layers[0].light
    return Atlas(
        [GridLayer(layer) for layer in layers],
        alphas=[GridAlpha(torch.from_numpy(resized(mask, half)), size=size) for mask in masks],
        light=GridLight(slow, size=size),
        flicker=GridLight(flicker_of(lowest, layers[0]), size=size, beside=slow),
    )


def _of_networks(footage: Footage, settings: AtlasSettings) -> _Built:
    """The reference system's networks, without light or initial motion."""
    frames, motion, masks = footage.frames, footage.motion, footage.masks
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        masks = masks or (_found_masks(motion, settings) if settings.layers > 1 else ())
        frame = mlp.Frame(frames=len(frames), size=frames.shape[1:3])
        texture = mlp.texture_network()
        if not masks:
            return Atlas([mlp.MlpLayer(frame, texture)], alphas=[], light=None), (), None
        corners = np.linspace(-0.5, 0.5, len(masks) + 1)
        layers = [mlp.MlpLayer(frame, texture, quarter=float(corner)) for corner in corners]
        alphas = [mlp.MlpAlpha(frame) for _ in masks]
    return Atlas(layers, alphas=alphas, light=None), masks, None


def _pretrained(
    model: Atlas, shot: Shot, settings: AtlasSettings, generator: torch.Generator, tell: Tell
) -> None:
    """Pre-train mappings to the identity."""
    layers = model.of_kind(mlp.MlpLayer)
    mappings = [parameter for layer in layers for parameter in layer.mapping.parameters()]
    optimiser = torch.optim.Adam(mappings, lr=_START_RATE)
    count, height, width = shot.frames.shape[:3]
    span = torch.tensor([width - 1.0, height - 1.0, count - 1.0], device=shot.frames.device)
    near = _START_PX / max(height, width) * 2.0
    for _ in range(_START_STEPS_A_FRAME * count):
        chances = torch.rand(settings.points, 3, generator=generator).to(span.device)
        losses = [layer.start_loss(chances * span) for layer in layers]
        loss = torch.stack(losses).sum()
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        tell(0, settings.steps)
        if float(loss.detach()) < near:
            break
