"""Methods that the tests compare: good ones, and some that go wrong."""

import os
import time
from pathlib import Path

from unflicker.frames.clip import Clip


def levelled(clip: Clip) -> Clip:
    """Every frame brought to the clip's mean brightness."""
    means = clip.as_float().mean(axis=(1, 2), keepdims=True)
    pixels = (clip.pixels * (means.mean() / means)).clip(0, 255).astype(clip.pixels.dtype)
    return Clip(pixels=pixels, seconds=clip.seconds)


def counted(clip: Clip) -> Clip:
    """The clip; a line in a file says that it was asked."""
    with Path(os.environ["COUNTED"]).open("a") as file:
        file.write("x")
    return clip


def given_back(clip: Clip, original: Clip) -> Clip:
    """The steady original."""
    return original


def raising(clip: Clip) -> Clip:
    raise ValueError("this clip is not to my taste")


def dying(clip: Clip) -> Clip:
    os._exit(9)


def dawdling(clip: Clip) -> Clip:
    time.sleep(600)
    return clip
