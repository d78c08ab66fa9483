"""The methods that benchmarks compare, by name; any function from a clip to a clip can join.

A method not listed here is given as `name=package.module:function`. The names `curves` and `path`
stand for the product's two models alone: no kind of flicker may come out worse than the better.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

import numpy as np

from unflicker.baselines import BASELINES
from unflicker.frames.clip import Clip, from_float
from unflicker.synthesis import SyntheticFlicker, mean_grade, ungraded

Method = Callable[[Clip], Clip]
KNOWN = "known"
"""The one method that is told the truth: no method can be better without guessing right."""


def the_input(clip: Clip) -> Clip:
    """The clip as it came."""
    return clip


def fast(clip: Clip) -> Clip:
    """The product, with its preset `fast`."""
    return _by_preset(clip, "fast")


def standard(clip: Clip) -> Clip:
    """The product, with its preset `standard`."""
    return _by_preset(clip, "standard")


def _by_preset(clip: Clip, preset: str) -> Clip:
    from unflicker import deflicker
    from unflicker.settings import Settings

    fps = 1.0 / float(np.diff(clip.seconds).mean()) if len(clip) > 1 else 25.0
    pixels = deflicker(clip.pixels, fps=fps, settings=Settings.from_preset(preset))
    return Clip(pixels=np.asarray(pixels), seconds=clip.seconds)


def known(made: SyntheticFlicker) -> Clip:
    """The true grades undone, all but their mean over the clip, which no blind method can know."""
    keep = mean_grade(made.grades)
    dtype = made.clip.pixels.dtype
    pixels = [
        from_float(ungraded(frame, grade, keep=keep), dtype=dtype)
        for frame, grade in zip(made.clip.pixels, made.grades, strict=True)
    ]
    return Clip(pixels=np.stack(pixels), seconds=made.clip.seconds)


METHODS: dict[str, Method] = {"input": the_input, **BASELINES, "fast": fast, "standard": standard}


def chosen(words: str) -> dict[str, Method | None]:
    """The methods named between commas, `known` as None; others as `name=package.module:function`.

    Raises:
        SystemExit: A name that does not exist.
    """
    return dict(_chosen(word.strip()) for word in words.split(","))


def _chosen(word: str) -> tuple[str, Method | None]:
    if word == KNOWN:
        return word, None
    if word in METHODS:
        return word, METHODS[word]
    name, _, place = word.rpartition("=")
    module, colon, function = place.partition(":")
    if not colon:
        there = ", ".join([*METHODS, KNOWN])
        raise SystemExit(f"no method {word}; there are {there}, or pass name=module:function")
    return name or place, getattr(import_module(module), function)
