"""Refinement with a steady original, which shows where earlier frames may be reused.

The local linear model is filtered over many frames; the original's own grain is averaged with its
neighbours, as texture is without an original; the rest has a memory of a few frames.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from jaxtyping import Float32

from unflicker.frames.flow import warp
from unflicker.frames.picture import Picture
from unflicker.refinement.local_linear_model import LocalLinearModel, picture_of
from unflicker.refinement.mixing import Neighbour, mixed
from unflicker.refinement.neighbour_weights import MOST, Way, neighbour_weight
from unflicker.refinement.views import View

_MEMORY = 0.9
"""Decay per frame of the local linear model."""
_REST_OF_PAST, _REST_OF_FUTURE = 0.6, 0.15
"""Shares of the rest (lab notebook)."""
_NEIGHBOURS = np.ones((3, 3), np.uint8)
Share = Float32[np.ndarray, "rows columns"]
"""Weight of a neighbour at each place."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Side:
    """A frame's neighbour and the motion to it."""

    look: View
    way: Way


class RefinementWithOriginal:
    """The memory of a shot; a new one starts with every shot."""

    def __init__(self) -> None:
        """Begin a shot."""
        self._before: LocalLinearModel | None = None

    def refined(
        self, look: View, *, past: Side | None, future: Side | None, amount: float
    ) -> Picture:
        """The next picture of the shot, refined; all views have their originals.

        Args:
            look: View of the picture.
            past: The previous frame, if there is one.
            future: The next frame, likewise.
            amount: Share of the refinement, 0 to 1.
        """
        assert look.beside is not None
        back, forth = _shared(past, look), _shared(future, look)
        steady = mixed(look.beside, past=_own(past, back), future=_own(future, forth), amount=1.0)
        known = self._steadied(look.local_linear_model, past, back)
        rest = _calmed_rest(look, (past, back), (future, forth), before=self._before)
        self._before = replace(known, rest=rest)
        return picture_of(self._before, steady, into=look.picture, amount=amount)

    def _steadied(
        self, now: LocalLinearModel, past: Side | None, back: Share | None
    ) -> LocalLinearModel:
        """Slope and level of earlier frames, where the original shows the same places."""
        if self._before is None or past is None or back is None:
            return now
        trust = cv2.erode(back, _NEIGHBOURS)[..., None] * np.float32(_MEMORY / MOST)

        def kept(
            now: Float32[np.ndarray, "rows columns planes"],
            before: Float32[np.ndarray, "rows columns planes"],
        ) -> Float32[np.ndarray, "rows columns planes"]:
            moved = warp(before, past.way.flow).reshape(now.shape)
            return now + trust * (moved - now)

        return replace(
            now,
            slope=kept(now.slope, self._before.slope),
            level=kept(now.level, self._before.level),
        )


def _calmed_rest(
    look: View,
    past: tuple[Side | None, Share | None],
    future: tuple[Side | None, Share | None],
    *,
    before: LocalLinearModel | None,
) -> Picture:
    """The rest, averaged with earlier ones and slightly with the next."""
    sides = []
    for (side, share), most, rest in (
        (past, _REST_OF_PAST, before.rest if before is not None else None),
        (
            future,
            _REST_OF_FUTURE,
            future[0].look.local_linear_model.rest if future[0] is not None else None,
        ),
    ):
        if side is None or share is None or rest is None:
            sides.append(None)
            continue
        scaled = share * np.float32(most / MOST)
        sides.append(Neighbour(picture=rest, share=scaled, way=side.way))
    return mixed(look.local_linear_model.rest, past=sides[0], future=sides[1], amount=1.0)


def _shared(side: Side | None, look: View) -> Share | None:
    """Weights of a neighbour, by the similarity of the originals."""
    if side is None:
        return None
    return neighbour_weight(side.look.steady_light, look.steady_light, side.way)


def _own(side: Side | None, share: Share | None) -> Neighbour | None:
    """The neighbour's original."""
    if side is None or share is None or side.look.beside is None:
        return None
    return Neighbour(picture=side.look.beside, share=share, way=side.way)
