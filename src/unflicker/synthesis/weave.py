"""Gate weave with its truth: each picture of a clip moved a little, as a worn gate does."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32, Shaped

from unflicker.frames.clip import from_float, to_float

_PERSISTENCE = (0.0, 0.7)
"""Correlation from frame to frame: the claw alone, or a gate that lets the film wander."""


def gate_weave(
    random: np.random.Generator, *, time: int, rms_px: float
) -> Float32[np.ndarray, "time 2"]:
    """How far each frame is moved, in px, x first; about as much up and down as sideways.

    Args:
        random: Random generator.
        time: Number of frames.
        rms_px: Root mean square of either direction.
    """
    persistence = random.uniform(*_PERSISTENCE)
    jumps = random.standard_normal((time, 2))
    moved = np.empty_like(jumps)
    moved[0] = jumps[0]
    for t in range(1, time):
        moved[t] = persistence * moved[t - 1] + np.sqrt(1 - persistence**2) * jumps[t]
    moved -= moved.mean(axis=0)
    return (moved * rms_px / np.sqrt((moved**2).mean(axis=0))).astype(np.float32)


def moved(
    pixels: Shaped[np.ndarray, "height width *channels"], shift: Float32[np.ndarray, " 2"]
) -> Shaped[np.ndarray, "height width *channels"]:
    """A picture moved by fractions of a pixel, exact for what its samples hold.

    By the phase of its spectrum; at the borders the picture is mirrored.

    Args:
        pixels: RGB or grey.
        shift: In px, x first; down and to the right are positive.
    """
    height, width = pixels.shape[:2]
    room = int(np.ceil(np.abs(shift).max())) + 32
    room = min(room, height - 1, width - 1)
    edges = ((room, room), (room, room)) + ((0, 0),) * (pixels.ndim - 2)
    wide = np.pad(to_float(pixels).astype(np.float64), edges, mode="symmetric")
    down = np.fft.fftfreq(wide.shape[0])[:, None] * float(shift[1])
    across = np.fft.rfftfreq(wide.shape[1])[None] * float(shift[0])
    turn = np.exp(-2j * np.pi * (down + across)).reshape(
        *(down + across).shape, *(1,) * (pixels.ndim - 2)
    )
    back = np.fft.irfft2(np.fft.rfft2(wide, axes=(0, 1)) * turn, s=wide.shape[:2], axes=(0, 1))
    inner = back[room : room + height, room : room + width]
    return from_float(np.clip(inner, 0.0, 1.0).astype(np.float32), dtype=pixels.dtype)
