"""The reference system as published, for comparison: preset `paper`. It generates every frame.

    film ─► a quarter of its size ─► shots ─► atlas ─► guide      a window at a time
    frame + guide ─► U-Net ─► recurrent refinement ─► frame       one at a time, at full size

No tone, no grades: detail and colour both come out of networks, in the film's stored values.
Stages can be left out: without refinement the filter's frames stand; without the filter, the
guides themselves; without the atlas there is no guide, so the frames go to refinement as they are.
Source: Lei et al., Blind Video Deflickering (CVPR 2023). Ours is only what long films need: atlases
of windows, each fading into the next, and memory that is lost at cuts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float32

from unflicker.analysis.crossfade import Crossfade
from unflicker.analysis.proxy import Proxy
from unflicker.analysis.windows import Window, cut_into_windows
from unflicker.atlas.make import Footage, make_atlas
from unflicker.compute.context import ON_THE_CPU, RunContext
from unflicker.errors import MissingError
from unflicker.frames.colour import from_rgb, small_rgb, to_rgb
from unflicker.frames.picture import Frame, Picture
from unflicker.motion import estimate_motion, match
from unflicker.paper.convlstm import RefinementNetwork, Refiner, load_refinement
from unflicker.paper.unet import UNet, filtered, load_unet
from unflicker.settings import Settings
from unflicker.video import VideoSource

_ATLAS_SCALE = 4
"""Scale of the film relative to its atlas, across and down."""
_TRAINED_BY = {
    "neural_filter": "paper-filter",
    "refinement": "paper-refinement",
}


@dataclass(frozen=True, kw_only=True, eq=False)
class Networks:
    """Both trained networks; None where the stage is skipped."""

    neural_filter: UNet | None
    refinement: RefinementNetwork | None


@dataclass(frozen=True, kw_only=True, eq=False)
class Guided:
    """The atlas guide of one frame."""

    picture: Float32[np.ndarray, "rows columns 3"]
    """RGB in [0, 1], at a quarter of the frame's size."""
    starts_shot: bool


def load_networks(settings: Settings, context: RunContext = ON_THE_CPU) -> Networks:
    """The networks whose files the settings name.

    Args:
        settings: Of the run.
        context: Where they compute.

    Raises:
        MissingError: A file is not there; the message says how to make it.
        InputError: A file holds something else.
    """
    filters, refines = _filters(settings), settings.refinement.used
    if filters:
        _need_file("neural_filter", settings.neural_filter.weights)
    if refines:
        _need_file("refinement", settings.refinement.weights)
    device = context.device
    return Networks(
        neural_filter=load_unet(settings.neural_filter.weights, device=device) if filters else None,
        refinement=load_refinement(settings.refinement.weights, device=device) if refines else None,
    )


def _filters(settings: Settings) -> bool:
    """Whether the filter is in use and has a guide."""
    return settings.atlas.used and settings.neural_filter.used


def _need_file(network: str, path: str) -> None:
    if not path or not Path(path).is_file():
        raise MissingError(
            f"preset paper needs weights that you train, and {network}.weights "
            f"{f'is {path}, which is not there' if path else 'names no file'}; train them with "
            f"`unflicker train {_TRAINED_BY[network]} --data FOLDER -o FOLDER`, then pass "
            f"--set {network}.weights=FILE.safetensors"
        )


def redrawn(
    film: VideoSource,
    networks: Networks,
    settings: Settings,
    context: RunContext = ON_THE_CPU,
    *,
    mask: Float32[np.ndarray, "height width"] | None = None,
) -> Iterator[tuple[Frame, Float32[np.ndarray, "height width 3"]]]:
    """Every frame of a film, in order, and its new picture: RGB in [0, 1], stored values.

    Args:
        film: Read twice, the second time frame by frame; memory is bounded by a window.
        networks: From `load_networks`.
        settings: `strength` mixes what is drawn with what was there.
        context: Device; called with the progress of each atlas.
        mask: Where to do so, 0 to 1; everywhere if None.
    """
    refiner = Refiner(networks.refinement) if networks.refinement else None
    share = np.full((*film.size, 1), settings.strength, np.float32)
    if mask is not None:
        share *= mask[..., None]
    # Guides come first: the film has no frame more than it has guides.
    for guided, frame in zip(guides(film, settings, context), film.frames(), strict=True):
        seen = to_rgb(frame.picture)
        picture = (
            drawn(networks.neural_filter, seen, guided.picture) if settings.atlas.used else seen
        )
        if refiner and guided.starts_shot:
            refiner.restart()
        if refiner:
            picture = refiner.refined(picture)
        yield frame, seen + (picture - seen) * share


def drawn(
    neural_filter: UNet | None,
    seen: Float32[np.ndarray, "height width 3"],
    guide: Float32[np.ndarray, "rows columns 3"],
) -> Float32[np.ndarray, "height width 3"]:
    """A frame in its guide's light, or its guide if no filter is used.

    Args:
        neural_filter: The filter, or None.
        seen: The frame, RGB in [0, 1].
        guide: Of the frame, RGB in [0, 1], of any size.
    """
    enlarged = cv2.resize(guide, seen.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    return filtered(neural_filter, seen, enlarged) if neural_filter else enlarged


def as_picture(rgb: Float32[np.ndarray, "height width 3"], like: Picture) -> Picture:
    """RGB in the planes of a film's picture, whose transparency is kept.

    Args:
        rgb: Stored values, clipped to [0, 1].
        like: Gives layout, meaning and transparency.
    """
    picture = from_rgb(np.clip(rgb, 0.0, 1.0), layout=like.layout, meaning=like.meaning)
    if not like.layout.alpha:
        return picture
    return replace(picture, planes=(*picture.planes[:-1], like.planes[-1]))


def guides(
    film: VideoSource, settings: Settings, context: RunContext = ON_THE_CPU
) -> Iterator[Guided]:
    """What atlases say of every frame of a film, in order; windows of a shot fade into the next.

    Args:
        film: Read once.
        settings: Of the run.
        context: Device, progress.
    """
    windows = cut_into_windows(
        _quarters(film),
        window_frames=settings.window.frames,
        overlap_frames=settings.window.overlap_frames,
    )
    fading = Crossfade()
    for window in windows:
        overlap = 0 if window.ends_shot else settings.window.overlap_frames
        pictures = fading.faded(_guide(window, settings, context), overlap)
        for place in range(len(pictures) - overlap):
            starts_shot = place == 0 and window.overlap == 0
            yield Guided(picture=pictures[place], starts_shot=starts_shot)


def atlas_size(size: tuple[int, int]) -> tuple[int, int]:
    """Height and width of the guides of a film, in px.

    Args:
        size: Height and width of the film in px.
    """
    return max(1, round(size[0] / _ATLAS_SCALE)), max(1, round(size[1] / _ATLAS_SCALE))


def _quarters(film: VideoSource) -> Iterator[Proxy]:
    size = atlas_size(film.size)
    for frame in film.frames():
        pixels = small_rgb(frame.picture, size=size)
        yield Proxy(pixels=pixels, seconds=frame.seconds, damaged=frame.damaged)


def _guide(
    window: Window, settings: Settings, context: RunContext
) -> Float32[np.ndarray, "time rows columns 3"]:
    """The atlas guides of a window's frames; the frames themselves without atlas."""
    frames = np.stack([frame.pixels for frame in window.frames])
    if not settings.atlas.used:
        return frames
    atlas = make_atlas(
        Footage(frames=frames, motion=estimate_motion(frames)),
        settings.atlas,
        match=match,
        device=context.device,
        tell=context.steps_of("fit atlas"),
    )
    return np.stack([atlas.rendered(t) for t in range(len(frames))])
