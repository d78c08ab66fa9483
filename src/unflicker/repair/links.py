"""Motion between neighbours for the repair, and their remaining difference of light."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import cv2
import numpy as np
from jaxtyping import Bool, Float32

from unflicker.frames.flow import look_up, pixel_places
from unflicker.motion import estimate_motion
from unflicker.refinement.alignment import refined_flow
from unflicker.repair.looks import proxy_of

Fine = Float32[np.ndarray, "rows columns"]
_HALF = np.float32(0.5)
_LIGHT_LIMIT = 0.06
"""Difference of luma up to which it counts as light: grades leave less than that of flicker."""
_LIGHT_CELLS = 6.0
"""Deviation in cells of the blur that tells light from content: a fortieth of the width, larger
than a spot."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Way:
    """The way from a picture to a neighbour, on the grid of its proxy."""

    flow: Float32[np.ndarray, "cells_down cells_across 2"]
    """In px of the grid, x first."""
    lift: Fine
    """What is to be added to the neighbour's luma, in [0, 1], for each pixel of the picture."""
    places: Float32[np.ndarray, "rows columns 2"]
    """Where each pixel of the picture is in the neighbour, in px, x first."""

    def aligned(self, there: Fine) -> Fine:
        """The motion-compensated neighbour, at the light of the picture."""
        found = look_up(there, self.places)
        found += self.lift
        return found

    def nearest(self, there: Fine) -> Fine:
        """The same by the nearest pixels, not interpolated."""
        border, nearest = cv2.BORDER_REPLICATE, cv2.INTER_NEAREST
        remap: Any = cv2.remap  # the stubs do not know a map of two channels alone
        found = remap(there, self.places, None, nearest, borderMode=border)
        found += self.lift
        return found

    @cached_property
    def seen(self) -> Bool[np.ndarray, "rows columns"]:
        """Which pixels of the picture are within the neighbour."""
        ends = np.array([self.places.shape[1], self.places.shape[0]], np.float32) - _HALF
        x, y = self.places[..., 0], self.places[..., 1]
        return (x > -_HALF) & (y > -_HALF) & (x < ends[0]) & (y < ends[1])

    def compared(self, here: Fine, there: Fine) -> Fine:
        """The difference of a picture from its motion-compensated neighbour.

        Args:
            here: The picture.
            there: The neighbour.
        """
        return here - self.aligned(there)


@dataclass(frozen=True, kw_only=True, eq=False)
class Link:
    """Ways between a picture and the next."""

    forth: Way
    back: Way


def linked(first: Fine, second: Fine, *, refine: bool, leaps: bool = True) -> Link:
    """The motion between two pictures.

    Args:
        first: Luma in [0, 1].
        second: Of the next picture.
        refine: Whether the motion is refined at this size.
        leaps: Whether leaps of the whole picture are followed.
    """
    motion = estimate_motion(np.stack([proxy_of(first), proxy_of(second)]), leaps=leaps)
    forth, back = motion.forward[0], motion.backward[0]
    if refine:
        forth, back = refined_flow(forth, first, second), refined_flow(back, second, first)
    return Link(forth=way(forth, first, second), back=way(back, second, first))


def enlarged(
    flow: Float32[np.ndarray, "cells_down cells_across 2"], size: tuple[int, int]
) -> Float32[np.ndarray, "height width 2"]:
    """A flow at another size, in its px.

    Args:
        flow: In px of its own grid.
        size: Height and width of the result.
    """
    return cv2.resize(flow * scale_of(flow, size), size[::-1], interpolation=cv2.INTER_LINEAR)


def scale_of(
    flow: Float32[np.ndarray, "cells_down cells_across 2"], size: tuple[int, int]
) -> Float32[np.ndarray, " 2"]:
    """Px of a picture for one of a flow's grid, x first.

    Args:
        flow: On its grid.
        size: Height and width of the picture.
    """
    return np.array([size[1] / flow.shape[1], size[0] / flow.shape[0]], np.float32)


def way(flow: Float32[np.ndarray, "cells_down cells_across 2"], here: Fine, there: Fine) -> Way:
    """The way along a flow, with the difference of light that remains.

    Args:
        flow: From the picture to the neighbour, in px of its grid, x first.
        here: Luma of the picture in [0, 1].
        there: Of the neighbour.
    """
    size = here.shape[0], here.shape[1]
    places = enlarged(flow, size)
    places += pixel_places(*size)
    difference = look_up(there, places)
    np.subtract(here, difference, out=difference)
    np.clip(difference, -_LIGHT_LIMIT, _LIGHT_LIMIT, out=difference)
    cells = flow.shape[1], flow.shape[0]
    small = cv2.resize(difference, cells, interpolation=cv2.INTER_AREA)
    lift = cv2.resize(cv2.GaussianBlur(small, (0, 0), _LIGHT_CELLS), size[::-1])
    return Way(flow=flow, lift=lift, places=places)
