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
