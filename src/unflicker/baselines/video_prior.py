"""A network fitted to one video, from its steady original to what was made of each frame.

A network first learns what all frames have in common, and flicker last: so a fit that stops early
is steady. Source: Lei, Xing and Chen, Blind video temporal consistency via deep video prior,
NeurIPS 2020. The fit itself, which needs torch, is in `video_prior_fit`.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module

from unflicker.baselines.pairs import need_alike
from unflicker.errors import UsageError
from unflicker.frames.clip import Clip
from unflicker.progress import Report, silent
from unflicker.weights import need_neural


@dataclass(frozen=True, kw_only=True)
class Effort:
    """How long a video is fitted, and with how large a network."""

    epochs: int
    """How often each frame is learned from, one step each; more learns the flicker too."""
    width: int
    """Channels of the network at full size; they double each time the size is halved."""
    window_px: int
    """Side of the square of a frame that a step sees, at a place by chance; 0 is all of it."""
    rate: float
    """Adam's."""

    def __post_init__(self) -> None:
        """Refuse a fit that cannot be."""
        if min(self.epochs, self.width) < 1 or self.window_px < 0 or not self.rate > 0:
            raise UsageError(f"no fit can have {self}; pass one epoch and channel or more")


EFFORTS = {
    "published": Effort(epochs=25, width=32, window_px=0, rate=1e-4),
    "reduced": Effort(epochs=25, width=16, window_px=128, rate=1e-3),
    "quick": Effort(epochs=15, width=8, window_px=96, rate=2e-3),
}
"""As their program has it, and two that two cores can afford: smaller networks that see a window
of each frame, at a higher rate. All are fitted and applied at the video's own size."""
SEED = 2020


def video_prior(
    clip: Clip,
    original: Clip,
    *,
    effort: Effort = EFFORTS["reduced"],
    two_modes: bool = False,
    seed: int = SEED,
    report: Report = silent,
) -> Clip:
    """The processed clip as a network draws it from the original, fitted to this clip alone.

    Args:
        clip: What flickers.
        original: The steady clip that it was made of, alike in size and length.
        effort: How long and how large the fit is.
        two_modes: Whether processing may have taken frames one way or another, such as two colours
            for one thing: then the network draws both, learns each where it is nearer, and the
            first is taken (their iteratively reweighted training).
        seed: Of the network's first weights and of the windows.
        report: Told of each epoch; may raise `Cancelled`.

    Raises:
        UsageError: The clips are not alike.
        MissingError: torch is not installed.
    """
    need_alike(clip, original)
    need_neural()
    if not len(clip):
        return clip
    fit = import_module("unflicker.baselines.video_prior_fit")
    task = fit.Task(clip=clip, original=original, effort=effort, two_modes=two_modes, seed=seed)
    return fit.drawn(task, report=report)
