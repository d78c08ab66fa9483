"""The paper's blind baseline: Lai et al.'s network, retrained without the steady original.

The flickering frames replace both of its films. No atlas, no filter. Needs torch and trained
weights.
"""

from __future__ import annotations

from pathlib import Path

from unflicker.frames.clip import Clip
from unflicker.paper.convlstm import load_refinement, refined_clip


def convlstm(clip: Clip, *, weights: Path, device: str = "cpu") -> Clip:
    """The clip, one shot, steadied frame by frame by a recurrent network.

    Args:
        clip: The flickering clip; its first frame is unchanged.
        weights: Written by `unflicker train convlstm`.
        device: "cpu" or "cuda:n".

    Raises:
        MissingError: The weights, or torch, are missing.
        InputError: The file cannot be read, or is of another network.

    Source: Lei et al., Blind Video Deflickering (CVPR 2023), baseline ConvLSTM; its network is that
    of Lai et al., Learning Blind Video Temporal Consistency (ECCV 2018).
    """
    return refined_clip(clip, load_refinement(str(weights), device=device))
