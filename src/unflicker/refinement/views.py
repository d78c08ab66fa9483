"""A picture in the form that refinement works on, with its steady original if there is one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from jaxtyping import Float32

from unflicker.frames.colour import from_rgb, proxy_size, small_rgb, to_working
from unflicker.frames.picture import Picture
from unflicker.refinement.alignment import fine_luma
from unflicker.refinement.local_linear_model import LocalLinearModel, local_linear_model


@dataclass(kw_only=True, eq=False)
class View:
    """A picture and the quantities derived from it, computed on first use."""

    picture: Picture
    original: Picture | None
    """The same frame of the steady original."""
    proxy_px: int
    """Longest side of proxies."""
    light_scale: float = 1.0
    """Factor on the light of proxies."""

    @cached_property
    def light(self) -> Float32[np.ndarray, "rows columns 3"]:
        """Its proxy, in working light."""
        return self._proxy(self.picture)

    @cached_property
    def beside(self) -> Picture | None:
        """The original in the picture's own size and planes."""
        return None if self.original is None else laid_out(self.original, like=self.picture)

    @cached_property
    def steady_light(self) -> Float32[np.ndarray, "rows columns 3"]:
        """The proxy on which motion is estimated: the original's, if there is one."""
        return self.light if self.beside is None else self._proxy(self.beside)

    @cached_property
    def steady_fine(self) -> Float32[np.ndarray, "height width"]:
        """The luma on which motion is refined, likewise."""
        return fine_luma(self.picture if self.beside is None else self.beside)

    @cached_property
    def local_linear_model(self) -> LocalLinearModel:
        """The picture's local linear model given its original."""
        assert self.beside is not None
        cells = self.steady_light.shape[0], self.steady_light.shape[1]
        return local_linear_model(self.picture, self.beside, cells=cells)

    def _proxy(self, picture: Picture) -> Float32[np.ndarray, "rows columns 3"]:
        size = proxy_size(picture.size, self.proxy_px)
        light = to_working(small_rgb(picture, size=size), picture.meaning)
        if self.light_scale == 1.0:
            return light
        return np.minimum(light * np.float32(self.light_scale), 1.0)


def laid_out(original: Picture, *, like: Picture) -> Picture:
    """A picture with the size and the planes of another.

    Args:
        original: Of any size and layout.
        like: Gives size, layout and meaning; its transparency is not taken.
    """
    layout = replace(like.layout, alpha=False)
    same = original.meaning == like.meaning or layout.family == "rgb"
    if same and original.size == like.size and replace(original.layout, alpha=False) == layout:
        return original
    return from_rgb(small_rgb(original, size=like.size), layout=layout, meaning=like.meaning)
