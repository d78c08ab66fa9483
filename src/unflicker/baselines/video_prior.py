"""The deep video prior: a network fitted to one video, from its steady original to each frame.

A network first learns what all frames have in common, and flicker last; early stopping therefore
gives a steady result. The fit itself, which needs torch, is in `video_prior_fit`.

Source: Lei, Xing and Chen, Blind video temporal consistency via deep video prior, NeurIPS 2020.
"""

from __future__ import annotations

from importlib import import_module

from unflicker.baselines.pairs import need_alike
from unflicker.baselines.video_prior_effort import EFFORTS, Effort
from unflicker.compute.weights import need_neural
from unflicker.frames.clip import Clip
from unflicker.progress import Report, silent

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
    """The output of a network that is fitted to the processed clip, given its original.

    Args:
        clip: Processed.
        original: Its steady original, of the same size and length.
        effort: Length and network size of the fit.
        two_modes: For multimodal processing, such as two colours for one thing: the network outputs
            two pictures, each is trained where it is nearer, and the first is the result (their
            iteratively reweighted training).
        seed: Of the initial weights and of the crops.
        report: Called after each epoch; may raise `Cancelled`.

    Raises:
        UsageError: The clips do not match.
        MissingError: torch is not installed.
    """
    need_alike(clip, original)
    need_neural()
    if not len(clip):
        return clip
    fit = import_module("unflicker.baselines.video_prior_fit")
    task = fit.Task(clip=clip, original=original, effort=effort, two_modes=two_modes, seed=seed)
    return fit.drawn(task, report=report)
