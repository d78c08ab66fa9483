"""The refinement stage: graded frames in, refined frames out, one frame later.

For each frame it estimates the motion to its neighbours and their weights, on proxies, and blends
the picture's own planes. Light that flickers with its texture is corrected before (`fine_light`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace

import cv2
import numpy as np
from jaxtyping import Float32

from unflicker.frames.flow import Motion
from unflicker.frames.picture import Picture
from unflicker.refinement.alignment import refined_flow
from unflicker.refinement.detail import LostDetail
from unflicker.refinement.mixing import Neighbour, mixed
from unflicker.refinement.neighbour_weights import MOST, Way, neighbour_weight
from unflicker.refinement.views import View
from unflicker.refinement.with_original import RefinementWithOriginal, Side

Follow = Callable[[Float32[np.ndarray, "two rows columns 3"]], Motion]
"""Estimates the motion between two proxies."""
_FADE_FRAMES = 8
"""Frames over which refinement fades in and out within a shot."""
_STRONG_SHARE = 0.25
"""Largest weight of either neighbour where texture flickers strongly: more than `MOST`, since
detail is restored there (lab notebook)."""
_NOWHERE = np.zeros((1, 1), np.float32)


@dataclass(frozen=True, kw_only=True, eq=False)
class Graded:
    """A graded picture, with what is known of its shot."""

    picture: Picture
    texture_flickers: bool
    """Whether to refine it."""
    starts_shot: bool
    strength: float = 1.0
    """How much of what is found to do, 0 to 1."""
    stands_alone: bool = False
    """Whether it is an event, a flash: it is unchanged, and no source for its neighbours."""
    light_scale: float = 1.0
    """Factor on the light of its proxy."""
    where: Float32[np.ndarray, "rows columns"] | None = None
    """Share of the refinement by cells of the picture, 0 to 1; None is 1 everywhere."""
    original: Picture | None = None
    """The same frame of the steady original, uncorrected."""
    strong: float = 0.0
    """How strongly texture flickers, 0 to 1: then neighbours weigh more, and detail is restored."""


def refined(pictures: Iterable[Graded], *, follow: Follow, proxy_px: int) -> Iterator[Picture]:
    """Pictures in order, texture calmed where it flickers; the same objects elsewhere.

    Args:
        pictures: In order; one is read ahead.
        follow: Estimates the motion between two proxies.
        proxy_px: Longest side of these.
    """
    stage = _Refiner(follow=follow, proxy_px=proxy_px)
    waiting: Graded | None = None
    for graded in pictures:
        if waiting is not None:
            alone = graded.starts_shot or graded.stands_alone or waiting.stands_alone
            yield stage.next(waiting, after=None if alone else graded)
        waiting = graded
    if waiting is not None:
        yield stage.next(waiting, after=None)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Link:
    """Motion between a frame and the next, both ways."""

    forth: Way
    back: Way


@dataclass(kw_only=True, eq=False)
class _Refiner:
    follow: Follow
    proxy_px: int
    _before: View | None = None
    """The previous frame of the same shot."""
    _now: View | None = None
    """The next frame, if it was read already."""
    _link: _Link | None = None
    """Motion between these two, if it was needed."""
    _where: Float32[np.ndarray, "rows columns"] = field(default_factory=lambda: _NOWHERE)
    """Share of the refinement, by cells of the picture."""
    _beside: RefinementWithOriginal = field(default_factory=RefinementWithOriginal)
    _lost: LostDetail = field(default_factory=LostDetail)
    _strong: float = 0.0
    """How strongly texture flickers, 0 to 1, faded as its share is."""

    @property
    def _amount(self) -> float:
        """The largest share."""
        return float(self._where.max())

    def next(self, now: Graded, *, after: Graded | None) -> Picture:
        """The next picture refined; `after` follows it in its shot."""
        look = self._now or self._look(now)
        if now.starts_shot or now.stands_alone:
            self._before, self._link = None, None
            self._forget()
        self._fade(now)
        look_after = self._look(after) if after is not None else None
        result, link_after = now.picture, None
        if now.stands_alone:
            look = None
        elif self._amount * now.strength > 0.0:
            if self._link is None and self._before is not None:
                self._link = self._linked(self._before, look)
            link_after = self._linked(look, look_after) if look_after is not None else None
            result = self._refined(look, look_after, link_after, now)
        else:
            self._forget()
        self._before, self._now, self._link = look, look_after, link_after
        return result

    def _look(self, graded: Graded) -> View:
        return View(
            picture=graded.picture,
            original=graded.original,
            proxy_px=self.proxy_px,
            light_scale=graded.light_scale,
        )

    def _forget(self) -> None:
        self._beside, self._lost = RefinementWithOriginal(), LostDetail()

    def _fade(self, now: Graded) -> None:
        where = now.where if now.where is not None else _NOWHERE + 1.0
        where = where if now.texture_flickers else np.zeros_like(where)
        most = 1.0 if self._before is None else 1.0 / _FADE_FRAMES
        self._where = self._where + np.clip(where - self._where, -most, most, dtype=np.float32)
        strong = now.strong if now.texture_flickers else 0.0
        self._strong += min(max(strong - self._strong, -most), most)

    def _linked(self, before: View, after: View) -> _Link:
        motion = self.follow(np.stack([before.steady_light, after.steady_light]))
        forth = refined_flow(motion.forward[0], before.steady_fine, after.steady_fine)
        back = refined_flow(motion.backward[0], after.steady_fine, before.steady_fine)
        return _Link(
            forth=Way(flow=forth, seen=motion.visible_forward[0]),
            back=Way(flow=back, seen=motion.visible_backward[0]),
        )

    def _refined(
        self,
        look: View,
        look_after: View | None,
        link_after: _Link | None,
        now: Graded,
    ) -> Picture:
        amount = self._amount * now.strength
        back = self._link.back if self._link is not None else None
        forth = link_after.forth if link_after is not None else None
        if look.beside is not None:
            past, future = _side(self._before, back), _side(look_after, forth)
            return self._beside.refined(look, past=past, future=future, amount=amount)
        sides = [_neighbour(self._before, look, back), _neighbour(look_after, look, forth)]
        most = 1.0 + (_STRONG_SHARE / MOST - 1.0) * self._strong
        past, future = (_within(side, self._where * np.float32(most)) for side in sides)
        lost = self._lost if self._strong > 0.0 else None
        self._lost.degree = self._strong
        return mixed(look.picture, past=past, future=future, amount=now.strength, lost=lost)


def _within(side: Neighbour | None, where: Float32[np.ndarray, "rows columns"]) -> Neighbour | None:
    if side is None:
        return None
    rows, columns = side.share.shape
    share = cv2.resize(where, (columns, rows), interpolation=cv2.INTER_LINEAR)
    return replace(side, share=side.share * share)


def _side(other: View | None, way: Way | None) -> Side | None:
    if other is None or way is None or other.beside is None:
        return None
    return Side(look=other, way=way)


def _neighbour(other: View | None, look: View, way: Way | None) -> Neighbour | None:
    if other is None or way is None:
        return None
    share = neighbour_weight(other.light, look.light, way)
    return Neighbour(picture=other.picture, share=share, way=way)
