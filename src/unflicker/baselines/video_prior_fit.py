"""The fit of the deep video prior, which needs torch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Float32, Shaped
from torch import Tensor, nn
from torch.nn import functional

from unflicker.baselines.video_prior_effort import Effort
from unflicker.frames.clip import Clip, from_float, to_float
from unflicker.paper.unet import UNet
from unflicker.progress import Progress, Report

MINOR_SHARE = 0.9
"""Weight of the second picture while both learn the first frame; less, so that it lags behind."""
RIM_PX = 32
"""Reflection padding of frames at inference: without it the network's zero padding causes a dark
line at the border."""
START_SHARE = 5
"""One epoch of so many, with two modes, learns the first frame only."""
_LEAST_LIGHT = 0.1


@dataclass(frozen=True, kw_only=True, eq=False)
class Task:
    """A clip to fit, with its original and options."""

    clip: Clip
    original: Clip
    effort: Effort
    two_modes: bool
    seed: int


def drawn(task: Task, *, report: Report) -> Clip:
    """The output of a network that is fitted to a clip.

    Args:
        task: Clip, original and effort.
        report: Called with the progress.
    """
    network = _fitted(task, report).eval()
    pixels = np.empty_like(task.clip.pixels)
    for index, frame in enumerate(task.original.pixels):
        pixels[index] = from_float(_picture(network, frame), dtype=pixels.dtype)
    return Clip(pixels=pixels, seconds=task.clip.seconds)


@torch.no_grad()
def _picture(
    network: UNet, frame: Shaped[np.ndarray, "height width 3"]
) -> Float32[np.ndarray, "height width 3"]:
    """The network's output for a frame, in [0, 1]; its first picture if there are two."""
    rim, (height, width) = RIM_PX, frame.shape[:2]
    wide = np.pad(frame, ((rim, rim), (rim, rim), (0, 0)), mode="symmetric")
    picture = network.drawn(_batch(wide))[0, :3, rim : rim + height, rim : rim + width]
    return np.ascontiguousarray(picture.clamp(0.0, 1.0).permute(1, 2, 0).numpy())


def first_network(*, width: int, pictures: int, seed: int) -> UNet:
    """A network with initial weights (Glorot, normal).

    Args:
        width: Channels at full size.
        pictures: Output pictures, 1 or 2.
        seed: Of the weights.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = UNet(inputs=3, outputs=3 * pictures, width=width)
        for module in network.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.xavier_normal_(module.weight)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
    # Colours last in memory: half again as quick on a CPU.
    return network.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]


def _fitted(task: Task, report: Report) -> UNet:
    """The network after all epochs: frame by frame in order, one step each."""
    effort, frames = task.effort, len(task.clip)
    network = first_network(width=effort.width, pictures=1 + task.two_modes, seed=task.seed)
    optimiser = torch.optim.Adam(network.parameters(), lr=effort.rate)
    random = np.random.default_rng(task.seed)
    for epoch in range(effort.epochs):
        starts = task.two_modes and epoch * START_SHARE < effort.epochs
        for index in range(frames):
            at = 0 if starts else index
            frame, processed = _window(task, at, random)
            pictures = network.drawn(frame)
            loss = (start_loss if starts else fit_loss)(pictures, processed, frame)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
        report(Progress(stage="fit", done=(epoch + 1) * frames, total=effort.epochs * frames))
    return network


def fit_loss(
    pictures: Float[Tensor, "batch drawn height width"],
    processed: Float[Tensor, "batch 3 height width"],
    frame: Float[Tensor, "batch 3 height width"],
) -> Float[Tensor, ""]:
    """Mean L1 distance to the processed frame, of the picture or of the nearer of two.

    The nearer is chosen at each pixel by the largest difference of its channels, relative to the
    original's light.

    Args:
        pictures: Output of the network, 3 or 6 channels.
        processed: The processed frame, RGB in [0, 1].
        frame: The original's frame.
    """
    if pictures.shape[1] == 3:
        return functional.l1_loss(pictures, processed)
    main, minor = ((part - processed).abs() for part in pictures.split(3, dim=1))
    with torch.no_grad():
        far = [(part / (frame + _LEAST_LIGHT)).amax(dim=1, keepdim=True) for part in (main, minor)]
        confident = far[0] < far[1]
    return torch.where(confident, main, minor).mean()


def start_loss(
    pictures: Float[Tensor, "batch 6 height width"],
    processed: Float[Tensor, "batch 3 height width"],
    _: Float[Tensor, "batch 3 height width"],
) -> Float[Tensor, ""]:
    """Mean L1 distance of both pictures to the first frame, the second with less weight.

    Args:
        pictures: Output of the network.
        processed: The first processed frame, RGB in [0, 1].
        _: Not used.
    """
    main, minor = (functional.l1_loss(part, processed) for part in pictures.split(3, dim=1))
    return main + MINOR_SHARE * minor


def _window(task: Task, index: int, random: np.random.Generator) -> tuple[Tensor, Tensor]:
    """A frame of the original and of the processed clip, or the same crop of both."""
    size = task.clip.pixels.shape[1:3]
    side = task.effort.window_px or max(size)
    top, left = (int(random.integers(max(length - side, 0) + 1)) for length in size)
    part = (slice(top, top + side), slice(left, left + side))
    return _batch(task.original.pixels[index][part]), _batch(task.clip.pixels[index][part])


def _batch(frame: Shaped[np.ndarray, "height width 3"]) -> Float[Tensor, "1 3 height width"]:
    """A frame in [0, 1] as a batch of one, colours last in memory."""
    return torch.from_numpy(to_float(np.ascontiguousarray(frame)).copy()).permute(2, 0, 1)[None]
