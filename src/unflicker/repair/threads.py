"""Thin things of a picture, and the motion of what is behind those that stay.

A thing that keeps its place holds back the motion that is estimated near it. So motion is estimated
on pictures without thin things that were there in the frames before, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float32, Int8, Int16, UInt8

from unflicker.motion import estimate_motion
from unflicker.repair.lines import scale_of
from unflicker.repair.looks import Look, disc, proxy_of

Votes = Int8[np.ndarray, "rows columns"]
"""Of each pixel for a thin thing: -127 a dark one, 127 a bright one, 0 none."""
Proxy = Float32[np.ndarray, "cells_down cells_across 3"]
Luma = UInt8[np.ndarray, "rows columns"]
Grid = Float32[np.ndarray, "cells_down cells_across 2"]
SURE = 127
"""Vote for a thing that is certain."""
TOGETHER = 5
"""Frames in succession whose votes are added."""
WIDEST_PX = 7.0
"""Width up to which something is thin, in px of a picture 640 px wide."""
_FLOOR, _USUAL_PX = 0.02, 32.0
"""Difference of luma that is not seen, and how far around (in px) it is compared."""
_STAYS, _SOFT_PX = 0.4, 1.0
"""Mean vote from which a pixel does not count for motion, with a margin, likewise."""
_TEXTURE, _SMOOTH_CELLS = 0.03, 8.0
"""Slope of luma at which a pixel of the proxy has half of its say on motion, and deviation of the
blur by which motion reaches what has no texture, such as the sky."""
_FROM_AFAR = np.float32(1e-3)
"""Weight of the motion of the whole picture, where nothing near has texture."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Threads:
    """The thin things of a frame."""

    votes: Votes
    sums: Int16[np.ndarray, "rows columns"]
    """Votes of this frame and the `TOGETHER` - 1 before it, as far as they are of one shot."""
    length: int
    """How many these are."""
    proxy: Proxy
    """The picture, small, without thin things that stay: they would hold the motion back."""


def threads(look: Look, before: Sequence[Threads]) -> Threads:
    """The thin things of a picture.

    Args:
        look: The picture.
        before: Those of the pictures before it in its shot, the last one last.
    """
    luma = np.rint(look.fine * np.float32(255.0)).astype(np.uint8)
    level = _level(luma)
    votes = _votes(luma, level)
    added = [one.votes for one in before[-TOGETHER + 1 :]] + [votes]
    sums = np.zeros(votes.shape, np.int16)
    for one in added:
        sums += one
    stays = (np.abs(sums) > int(_STAYS * SURE * len(added))).view(np.uint8)
    stays = cv2.dilate(stays, disc(max(1, round(_SOFT_PX * scale_of(luma.shape)))))
    proxy = proxy_of(np.where(stays > 0, level, luma).astype(np.float32) / np.float32(255.0))
    return Threads(votes=votes, sums=sums, length=len(added), proxy=proxy)


def _level(luma: Luma) -> Luma:
    """A picture without thin things; edges stay."""
    scale = scale_of(luma.shape)
    side = 2 * int(np.ceil(0.5 * WIDEST_PX * scale)) + 1
    square = np.ones((side, side), np.uint8)

    def after(*ways: int) -> np.ndarray:
        made = luma
        for way in ways:
            made = cv2.morphologyEx(made, way, square, borderType=cv2.BORDER_REPLICATE)
        return made

    bright, dark = cv2.MORPH_OPEN, cv2.MORPH_CLOSE
    return cv2.addWeighted(after(bright, dark), 0.5, after(dark, bright), 0.5, 0.0)


def _votes(luma: Luma, level: Luma) -> Votes:
    scale = scale_of(luma.shape)
    thin = luma.astype(np.float32) - level
    reach = 2 * int(_USUAL_PX * scale) + 1
    usual = cv2.blur(np.abs(thin), (reach, reach), borderType=cv2.BORDER_REPLICATE)
    thin *= np.float32(SURE)
    thin /= np.float32(2.0) * usual + np.float32(255.0 * _FLOOR)
    return np.clip(thin, -SURE, SURE).astype(np.int8)


def moves(first: Threads, second: Threads) -> Grid:
    """The motion from a picture to the next on the grid of its proxy, in px of `Look.fine`.

    Args:
        first: Of a picture.
        second: Of the next one.
    """
    flow = estimate_motion(np.stack([first.proxy, second.proxy])).forward[0]
    grey = first.proxy[..., 0]
    texture = cv2.Sobel(grey, -1, 1, 0) ** 2 + cv2.Sobel(grey, -1, 0, 1) ** 2
    weight = texture / (texture + np.float32(_TEXTURE**2)) + np.float32(1e-6)
    sums = cv2.GaussianBlur(flow * weight[..., None], (0, 0), _SMOOTH_CELLS)
    weights = cv2.GaussianBlur(weight, (0, 0), _SMOOTH_CELLS)[..., None]
    usual = (flow * weight[..., None]).sum(axis=(0, 1)) / weight.sum()
    smooth = (sums + _FROM_AFAR * usual) / (weights + _FROM_AFAR)
    return smooth * np.float32(first.votes.shape[1] / flow.shape[1])
