"""Flickering films with something laid over them that does not flicker, the truth known."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from made_clips import scene

KINDS = ("logo", "subtitle", "bare subtitle", "clock", "black bars", "grey bars", "side bars")


@dataclass(frozen=True, kw_only=True, eq=False)
class Overlaid:
    """A film, the same without flicker, and where in each frame something lies over the scene."""

    frames: np.ndarray
    truth: np.ndarray
    over: np.ndarray
    """Places that look the same in both, in colours that flicker would show in."""

    def picture(self) -> np.ndarray:
        """Places of the scene, a little away from what lies over it."""
        wide = [cv2.dilate(o.astype(np.uint8), np.ones((7, 7), np.uint8)) for o in self.over]
        return np.stack(wide) == 0

    def level_rms(self, frames: np.ndarray) -> float:
        """How much the level of the scene varies over the frames, in log light."""
        shown = self.picture() & (self.truth.min(axis=-1) > 12) & (self.frames.max(axis=-1) < 250)
        levels = [
            np.log(frame[place].mean() / true[place].mean())
            for frame, true, place in zip(frames.astype(float), self.truth, shown, strict=True)
        ]
        return float(np.std(levels))

    def overlay_deviation(self, frames: np.ndarray) -> float:
        """How much the mean light of what lies over the scene varies beside the truth, in codes."""
        off = [
            (frame[place].mean() - true[place].mean())
            for frame, true, place in zip(frames.astype(float), self.truth, self.over, strict=True)
            if place.any()
        ]
        return float(np.std(off))


def overlaid(
    kind: str,
    *,
    seed: int,
    time: int = 36,
    size: tuple[int, int] = (144, 216),
    flicker: float = 0.1,
    pan: float = 1.3,
) -> Overlaid:
    """A pan over a still scene under light that differs from frame to frame, and an overlay."""
    random = np.random.default_rng(seed)
    gain = np.exp(random.normal(0.0, flicker, time))
    wide = scene(seed=seed, size=(size[0], size[1] + int(pan * time) + 2))
    ink = int(random.integers(200, 250))
    frames, truth, over = [], [], []
    for t in range(time):
        shift = np.array([[1, 0, -pan * t], [0, 1, 0]], np.float32)
        light = cv2.warpAffine(wide, shift, size[::-1])
        steady, lit = (_coded(light * g) for g in (1.0, gain[t]))
        bare = steady.copy()
        for frame in (steady, lit):
            _lay(frame, kind, t, ink)
        same = (steady == lit).all(axis=-1) & (steady != bare).any(axis=-1)
        frames.append(lit)
        truth.append(steady)
        over.append(same & (steady.max(axis=-1) > 30))
    return Overlaid(frames=np.stack(frames), truth=np.stack(truth), over=np.stack(over))


def _coded(light: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(light * 255), 0, 255).astype(np.uint8)


def _lay(frame: np.ndarray, kind: str, t: int, ink: int) -> None:
    height, width = frame.shape[:2]
    if kind == "logo":
        cv2.rectangle(frame, (width - 50, 12), (width - 16, 34), (190, 60, 30), -1)
    elif kind.endswith("subtitle"):
        _write(frame, "what she says", (30, height - 16), ink, outlined=kind == "subtitle")
    elif kind == "clock":
        cv2.rectangle(frame, (50, 10), (176, 36), (24, 24, 24), -1)
        _write(frame, f"01:{t // 24:02d}:{t % 24:02d}", (56, 30), ink, outlined=False)
    elif kind == "side bars":
        frame[:, :20] = frame[:, width - 20 :] = 40
    elif kind.endswith("bars"):
        frame[:18] = frame[height - 18 :] = 0 if kind == "black bars" else 56
        _write(frame, f"{t:03d} A", (60, 15), ink, outlined=False)


def _write(frame: np.ndarray, words: str, at: tuple[int, int], ink: int, *, outlined: bool) -> None:
    if outlined:
        cv2.putText(frame, words, at, cv2.FONT_HERSHEY_SIMPLEX, 0.6, (0, 0, 0), 4)
    cv2.putText(frame, words, at, cv2.FONT_HERSHEY_SIMPLEX, 0.6, (ink,) * 3, 2)
