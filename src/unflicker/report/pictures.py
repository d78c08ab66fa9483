"""Stills as JPEG for the page, and as arrays for the before/after picture."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import UInt8

from unflicker.recording.record import Record, Still
from unflicker.recording.repaired import RepairStill

_BUDGET_BYTES = 1_800_000
"""For all stills of a page together, as base64; the page then stays under 3 MB."""


@dataclass(frozen=True, kw_only=True)
class EmbeddedStill:
    """A frame before and after, as data URLs."""

    index: int
    seconds: float
    width: int
    height: int
    before: str
    after: str


def chosen_stills(record: Record, *, count: int) -> list[Still]:
    """The stills with the strongest correction, in order of time.

    Args:
        record: Of a run.
        count: Stills at most.
    """
    strength = np.abs(record.correction_stops).mean(axis=(1, 2))

    def weight(still: Still) -> float:
        return float(strength[still.index]) if still.index < len(strength) else 0.0

    strongest = sorted(record.stills, key=weight, reverse=True)[:count]
    return sorted(strongest, key=lambda still: still.index)


def embedded(
    stills: Sequence[Still] | Sequence[RepairStill], *, bytes_at_most: int = _BUDGET_BYTES
) -> list[EmbeddedStill]:
    """The stills as JPEG, at the best quality at which they fit on the page.

    Args:
        stills: Pictures before and after.
        bytes_at_most: For all of them together.
    """
    for quality in (90, 80, 65, 45, 25):
        made = [
            EmbeddedStill(
                index=still.index,
                seconds=still.seconds,
                width=still.before.shape[1],
                height=still.before.shape[0],
                before=_data_url(still.before, quality=quality),
                after=_data_url(still.after, quality=quality),
            )
            for still in stills
        ]
        if sum(len(one.before) + len(one.after) for one in made) <= bytes_at_most:
            return made
    return made[:1] if stills else []


def _data_url(rgb: UInt8[np.ndarray, "height width 3"], *, quality: int) -> str:
    bgr = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)
    _, jpeg = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return "data:image/jpeg;base64," + base64.b64encode(jpeg.tobytes()).decode("ascii")


def labelled(
    rgb: UInt8[np.ndarray, "height width 3"], text: str, *, right: bool = False
) -> UInt8[np.ndarray, "height width 3"]:
    """The picture with a word in an upper corner, readable on any ground.

    Args:
        rgb: The picture.
        text: The word.
        right: Whether in the right corner.
    """
    picture = rgb.copy()
    height, width = picture.shape[:2]
    scale = max(0.35, min(height, width) / 700.0)
    thick = max(1, round(2 * scale))
    (wide, high), base = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, thick)
    pad = max(2, round(8 * scale))
    left = max(0, width - wide - 3 * pad) if right else pad
    box = picture[pad : 3 * pad + high + base, left : left + wide + 2 * pad]
    box[:] = (box * 0.35).astype(np.uint8)
    return cv2.putText(
        picture,
        text,
        (left + pad, 2 * pad + high),
        cv2.FONT_HERSHEY_SIMPLEX,
        scale,
        (255, 255, 255),
        thick,
        cv2.LINE_AA,
    )
