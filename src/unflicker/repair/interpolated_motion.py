"""Motion at a picture, interpolated from the motion between its two neighbours.

Motion from a picture to its neighbours is estimated on its dirt as well: a large blot is matched
with something dark far away. Motion between the neighbours does not see the picture; half of it,
moved by the path's bend, is the motion at the picture.
"""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Bool, Float32

from unflicker.frames.flow import look_up, pixel_places, visibility
from unflicker.motion import estimate_motion
from unflicker.repair.links import Fine, Link, Way, way
from unflicker.repair.looks import proxy_of
from unflicker.repair.spots import EachSpot, Spots

Flow = Float32[np.ndarray, "cells_down cells_across 2"]
_ROUNDS = 4
"""Steps of the search for the place in the middle of a way."""
_BEND_CELLS = 20.0
"""Deviation in cells of the blur of the bend: larger than a blot, which bends the motion on it.
Of blots in drawn pictures 0.75 px of that remained at 6 cells, 0.37 at 12, 0.18 at 20."""
_AGREES_PX = 0.25
"""Difference of both motions, in px of the proxy, at which a place counts a quarter for the bend.
"""
_LIKE = 0.5
"""Share of a spot's contrast by which a place it is followed to may differ."""
_SEEN_AGAIN = 0.5
"""Visibility from which a round trip ends where it began."""


def interpolated(now: Fine, others: tuple[Fine, Fine], links: tuple[Link, Link]) -> tuple[Way, Way]:
    """Ways from a picture to both neighbours that the picture itself does not bend.

    Args:
        now: Luma in [0, 1]; only the light of the ways is taken from it.
        others: Of the previous and of the next picture.
        links: Motion as estimated from the picture: between the previous one and it, and between it
            and the next.
    """
    motion = estimate_motion(np.stack([proxy_of(other) for other in others]))
    half = _halved(motion.forward[0], motion.backward[0])
    bend = _bend(links, half)
    return way(bend - half, now, others[0]), way(bend + half, now, others[1])


def seen_again(now: Fine, others: tuple[Fine, Fine], links: tuple[Link, Link]) -> Fine:
    """The difference of each pixel from the neighbour in which it is seen again; else infinite.

    Where dirt is matched with something else, the motion back does not return to it.

    Args:
        now: Luma of a picture in [0, 1].
        others: Of the previous and of the next picture.
        links: Motion between the previous picture and this one, and between this one and the next.
    """
    least = np.full(now.shape, np.inf, np.float32)
    trips = (links[0].back, links[0].forth), (links[1].forth, links[1].back)
    for other, (there, back) in zip(others, trips, strict=True):
        difference = np.abs(there.compared(now, other))
        np.minimum(least, difference, out=least, where=_returns(there.flow, back.flow, now.shape))
    return least


def followed(spots: Spots, again: Fine) -> EachSpot:
    """The share of each spot that is seen again in one of the neighbours: it moves.

    Args:
        spots: Of a picture.
        again: From `seen_again`.
    """
    allowed = (_LIKE * np.abs(spots.contrast)).astype(np.float32)
    return spots.share_in(again < allowed[spots.labels])


def _returns(there: Flow, back: Flow, size: tuple[int, ...]) -> Bool[np.ndarray, "rows columns"]:
    seen = visibility(there, back)
    return cv2.resize(seen, (size[1], size[0]), interpolation=cv2.INTER_LINEAR) > _SEEN_AGAIN


def _halved(forward: Flow, backward: Flow) -> Flow:
    """Half of the motion between two pictures, at the places of the picture between them."""
    places = pixel_places(*forward.shape[:2])
    quarter = np.float32(0.25)
    half = quarter * (forward - backward)
    for _ in range(_ROUNDS):
        half = quarter * (look_up(forward, places - half) - look_up(backward, places + half))
    return half


def _bend(links: tuple[Link, Link], half: Flow) -> Flow:
    """By how much the picture's places are off the middle of the way, such as by weave: smooth.

    Only places count whose round trips return, and where both motions agree.

    Args:
        links: Between the previous picture and this one, and between this one and the next.
        half: Half of the motion between those.
    """
    back, forth = links[0].back.flow, links[1].forth.flow
    middle = np.float32(0.5)
    off = np.linalg.norm(middle * (forth - back) - half, axis=-1) / np.float32(_AGREES_PX)
    weight = visibility(back, links[0].forth.flow) * visibility(forth, links[1].back.flow)
    weight /= (1.0 + off**2) ** 2
    sums = cv2.GaussianBlur(middle * (forth + back) * weight[..., None], (0, 0), _BEND_CELLS)
    weights = cv2.GaussianBlur(weight, (0, 0), _BEND_CELLS)
    return sums / np.maximum(weights, np.float32(1e-4))[..., None]
