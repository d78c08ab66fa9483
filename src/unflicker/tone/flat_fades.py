"""Fades from and to a flat picture, black, white or of any colour, found by contrast.

In such a fade the contrast of the picture grows from zero, or falls to zero, in proportion to
the share of the picture that shows. Flicker does not lead contrast to zero over several frames,
so these fades are found whatever the light, however short they are and however close to each other.
Those that no fade of light explains keep their light (`apart`); and whether there is flicker is
judged without the frames of all of them (`without`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from unflicker.tone.ramps import Ramp

_LONGEST_FRAMES = 60
_PLATEAU_FRAMES, _LEAST_PLATEAU = 8, 3
"""Frames next to a fade that show the contrast of the whole picture, at most and at least."""
_PHASES = (0.05, 0.25, 0.5, 0.75, 1.0)
"""Frames from the flat picture to the first frame of a fade."""
_POWERS = (0.45, 1.0, 2.0)
"""Of the share: a fade in linear light, in coded values, and one that starts slowly."""
_LEAST_SHARE = 0.02
"""Share of the picture below which contrast is rounding and noise."""
_DEPTH, _DEEP = float(np.log(2.0)), float(np.log(2.5))
"""Least fall of log contrast: at an end of the window, and within it, where a fade out and a fade
in must meet."""
_FEWEST = 2
"""Least number of frames of a fade."""
_STILL_FALLEN = 0.15
"""Least fall of log contrast in the frame next to the flat one: else a single frame was lost."""
_MISFIT = 0.15
"""Largest root mean square error of a fade's log contrast, relative to its fall."""
_MOST_DIPS = 2
"""So many times a window may go through a flat picture; more often it is light that pulses."""
_SOUGHT_FRAMES = 3
"""A flat picture has the least contrast among so many frames on either side."""
_COVERED = 0.8
"""Share of its frames that recognised fades must cover for a fade to be explained by them."""


def flat_fades(quantiles: Float[np.ndarray, "time levels 3"] | None) -> tuple[Ramp, ...]:
    """The fades from and to a flat picture: first and last frame that shows less than all of it.

    Args:
        quantiles: Of each frame's channels, in [0, 1] (`trajectory.frame_quantiles`); where they
            are not known, there is none.
    """
    if quantiles is None:
        return ()
    spread = quantiles.max(axis=1) - quantiles.min(axis=1)
    contrast = np.log(spread.mean(axis=1) + 1e-3)
    last = len(contrast) - 1
    if last < _FEWEST + _LEAST_PLATEAU:
        return ()
    found: list[Ramp] = []
    for lowest in range(last + 1):
        near = contrast[max(lowest - _SOUGHT_FRAMES, 0) : lowest + _SOUGHT_FRAMES + 1]
        if contrast[lowest] > near.min() or (found and lowest <= found[-1][1]):
            continue
        is_end = lowest in (0, last)
        before = _length(contrast[lowest::-1], is_end=is_end)
        after = _length(contrast[lowest:], is_end=is_end)
        if before and after and max(before, after) >= _FEWEST:
            found.append((lowest - before + 1, lowest + after - 1))
    within = sum(start > 0 and stop < last for start, stop in found)
    return tuple(found) if within <= _MOST_DIPS else ()


def _length(contrast: Float[np.ndarray, " frames"], *, is_end: bool) -> int:
    """Frames that a fade takes from its flat picture on: 1 if the whole picture follows at once, or
    nothing; 0 if something else does.

    Args:
        contrast: Its logarithm, from the flat picture away.
        is_end: Whether the flat picture is the first or last of the window.
    """
    usual = float(np.median(contrast[1 : 1 + _PLATEAU_FRAMES])) if len(contrast) > 1 else np.inf
    at_once = len(contrast) == 1 or contrast[1] > usual - _STILL_FALLEN
    best, least = int(at_once), _MISFIT
    for length in range(_FEWEST, min(_LONGEST_FRAMES, len(contrast) - _LEAST_PLATEAU) + 1):
        near = contrast[: length + _PLATEAU_FRAMES]
        usual = float(np.median(near[length:]))
        off = np.maximum(near - usual, np.log(_LEAST_SHARE))
        if -off[0] < (_DEPTH if is_end else _DEEP) or -off[1] < _STILL_FALLEN:
            continue
        squares = ((off - _log_shares(length, len(near))) ** 2).mean(axis=1)
        misfit = float(np.sqrt(squares.min()) / -off[0])
        if misfit < least:
            best, least = length, misfit
    return best


def _log_shares(length: int, count: int) -> Float[np.ndarray, "shapes count"]:
    """The logarithm of the picture's share in `count` frames of which `length` fade."""
    frames = np.arange(count)
    phases, powers = np.array(_PHASES)[:, None, None], np.array(_POWERS)[:, None]
    share = np.minimum((frames + phases) / (length + phases), 1.0)
    return np.maximum(powers * np.log(share), np.log(_LEAST_SHARE)).reshape(-1, count)


def unexplained(fades: Sequence[Ramp], ramps: Sequence[Ramp]) -> tuple[Ramp, ...]:
    """The fades that are not covered by others.

    Args:
        fades: From `flat_fades`.
        ramps: Fades of light that were recognised.
    """
    return tuple(
        (start, stop)
        for start, stop in fades
        if np.mean([any(a <= t <= b for a, b in ramps) for t in range(start, stop + 1)]) < _COVERED
    )


def bridged(
    levels: Float[np.ndarray, "time any"], fades: Sequence[Ramp]
) -> Float[np.ndarray, "time any"]:
    """A path without some fades: what is next to each is continued straight, at one level.

    Args:
        levels: Of light.
        fades: From `flat_fades`.
    """
    bridged = levels.copy()
    for start, stop in fades:
        if stop < len(levels) - 1 and start > 0:
            bridged[stop + 1 :] += bridged[start - 1] - bridged[stop + 1]
        bridged[start : stop + 1] = bridged[start - 1 if start > 0 else stop + 1]
    return bridged


def without(
    levels: Float[np.ndarray, "time any"], fades: Sequence[Ramp]
) -> Float[np.ndarray, "some any"]:
    """A path without the frames of some fades; what is next to each is joined at one level.

    Args:
        levels: Of light.
        fades: From `flat_fades`.
    """
    frames = [t for start, stop in fades for t in range(start, stop + 1)]
    return np.delete(bridged(levels, fades), frames, axis=0)


def apart(fades: Sequence[Ramp], time: int) -> Float[np.ndarray, "time shapes"]:
    """Shapes that explain any light within some fades, and another level after each.

    Args:
        fades: From `flat_fades`.
        time: Number of frames.
    """
    frames = np.arange(time)
    single = [frames == t for start, stop in fades for t in range(start, stop + 1)]
    after = [frames > stop for start, stop in fades if start > 0 and stop < time - 1]
    shapes = [*single, *after]
    return np.stack(shapes, axis=1).astype(float) if shapes else np.zeros((time, 0))
