"""Lai et al. 2018: steadies a clip processed frame by frame, given its steady original.

Needs torch and trained weights.
"""

from __future__ import annotations

from pathlib import Path

from unflicker.errors import UsageError
from unflicker.frames.clip import Clip
from unflicker.paper.convlstm import load_refinement, refined_clip


def lai(clip: Clip, original: Clip, *, weights: Path, device: str = "cpu") -> Clip:
    """The processed clip, one shot, steadied given its original; no motion is needed.

    Args:
        clip: The processed clip; its first frame is unchanged.
        original: Its steady original, frame for frame; any sample type.
        weights: Written by `unflicker train lai`.
        device: "cpu" or "cuda:n".

    Raises:
        UsageError: The original has another size or another number of frames.
        MissingError: The weights, or torch, are missing.
        InputError: The file cannot be read, or is of another network.

    Source: Lai, Huang, Wang, Shechtman, Yumer and Yang, Learning Blind Video Temporal Consistency
    (ECCV 2018).
    """
    if clip.pixels.shape != original.pixels.shape:
        time, height, width = original.pixels.shape[:3]
        wanted, tall, wide = clip.pixels.shape[:3]
        raise UsageError(
            f"the original has {time} frames of {width}x{height}, the processed clip {wanted} of "
            f"{wide}x{tall}; pass the clip it was made of, at its size"
        )
    return refined_clip(clip, load_refinement(str(weights), device=device), original=original)
