"""Initialisation of several layers, and the masks that divide the frames among them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np
from jaxtyping import Float32

from unflicker.atlas.initialisation import Initialisation, Match, Seen, matched, repainted
from unflicker.atlas.layers import settled, shares
from unflicker.frames.flow import Motion

_ERROR_BLUR_PX = 1.5


@dataclass(frozen=True, kw_only=True, eq=False)
class Layered:
    """Layers of one shot, the lowest first."""

    masks: tuple[Float32[np.ndarray, "time height width"], ...]
    """Of the layers above the lowest."""
    seen: tuple[Seen, ...]
    sketches: list[Initialisation]
    shown: Float32[np.ndarray, "time height width"]
    """0 for held-out frames."""

    @classmethod
    def of(
        cls,
        frames: Float32[np.ndarray, "time height width 3"],
        motion: Motion,
        masks: tuple[Float32[np.ndarray, "time height width"], ...],
        shown: Float32[np.ndarray, "time height width"],
    ) -> Layered:
        """Layers before their initialisation.

        Args:
            frames: RGB in [0, 1].
            motion: Between them.
            masks: Of the layers above the lowest, 0 to 1.
            shown: Where frames show anything, 0 to 1.
        """
        nothing = Seen(frames=frames, motion=motion, counts=shown, painted=shown)
        seen = (nothing,) * (len(masks) + 1)
        return cls(masks=masks, seen=seen, sketches=[], shown=shown)._shared(masks)

    @property
    def shares(self) -> list[Float32[np.ndarray, "time height width"]]:
        """How far each pixel belongs to each layer."""
        return [seen.counts for seen in self.seen]

    def initialised(self, sketch: Callable[[Seen], Initialisation]) -> Layered:
        """With an initialisation of each layer."""
        return replace(self, sketches=[sketch(seen) for seen in self.seen])

    def settled(self) -> Layered:
        """With masks updated by what each layer explains."""
        return self._shared(settled(self.masks, [self._errors(layer) for layer in self.sketches]))

    def matched_again(self, match: Match) -> Layered:
        """With each frame registered to each layer again, after a change of masks."""
        pairs = zip(self.sketches, self.seen, strict=True)
        repaired = [repainted(layer, seen) for layer, seen in pairs]
        pairs = zip(repaired, self.seen, strict=True)
        return replace(self, sketches=[matched(layer, seen, match) for layer, seen in pairs])

    def whole(self) -> Layered:
        """Painted from all frames, including held-out ones."""
        pairs = zip(self.sketches, self.seen, strict=True)
        return replace(self, sketches=[repainted(layer, seen.whole()) for layer, seen in pairs])

    def _shared(self, masks: tuple[np.ndarray, ...]) -> Layered:
        """With the frames divided by these masks; later ones lie above."""
        seen = tuple(
            replace(each, counts=share, painted=share * self.shown)
            for each, share in zip(self.seen, shares(masks, np.ones_like(self.shown)), strict=True)
        )
        return replace(self, masks=masks, seen=seen)

    def _errors(self, layer: Initialisation) -> np.ndarray:
        frames = self.seen[0].frames
        errors = np.empty(frames.shape[:3], np.float32)
        for t, frame in enumerate(frames):
            miss = layer.rendered(t) - frame
            errors[t] = cv2.GaussianBlur((miss * miss).mean(axis=-1), (0, 0), _ERROR_BLUR_PX)
        return errors
