"""The motion of a steady clip, along which results are assessed, with a cache on disk.

It is the most expensive part of an assessment, and the same for all results of a clip.
"""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import numpy as np

from unflicker.analysis.cuts import find_cuts
from unflicker.analysis.proxy import Proxy
from unflicker.files.atomic import write_whole
from unflicker.frames.clip import Clip, to_float
from unflicker.frames.flow import visibility
from unflicker.metrics import Paths
from unflicker.motion import estimate_motion, match

_SEEN = 0.5
"""Visibility above which a pixel is seen: in the published errors it is 0 or 1."""
_MARK = "paths 1"


def paths_of(steady: Clip, *, keep_in: Path | None = None) -> Paths:
    """The motion of a steady clip, from each frame to the one before and to its shot's first.

    Args:
        steady: The clean clip, or the original of a processed one.
        keep_in: Cache folder of motion, in half precision, with a hash of the pixels as its key, so
            that all examples of a clip share it; None for no cache.
    """
    if keep_in is None:
        return _found(steady)
    mark = hashlib.sha256(_MARK.encode())
    mark.update(str(steady.pixels.shape).encode())
    mark.update(np.ascontiguousarray(steady.pixels).tobytes())
    file = keep_in / f"{mark.hexdigest()[:32]}.npz"
    if file.exists():
        with np.load(file) as kept:
            return _unpacked(dict(kept))
    paths = _found(steady)
    content = io.BytesIO()
    np.savez(content, allow_pickle=False, **_packed(paths))
    write_whole(file, content.getvalue())
    # In half precision, as when read from the cache, so that all results are assessed alike.
    return _unpacked(_packed(paths))


def shot_starts(clip: Clip) -> list[int]:
    """The index of the first frame of each shot."""
    frames = (
        Proxy(pixels=to_float(picture), seconds=float(seconds))
        for picture, seconds in zip(clip.pixels, clip.seconds, strict=True)
    )
    return [0, *find_cuts(frames)]


def _found(steady: Clip) -> Paths:
    frames = steady.as_float()
    starts = shot_starts(steady)
    motion = estimate_motion(frames)
    back, seen = motion.backward, np.empty(motion.backward.shape[:3], bool)
    to_first, seen_in_first = np.zeros_like(back), np.zeros_like(seen)
    first = []
    for pair in range(len(back)):
        now = pair + 1
        start = max(index for index in starts if index <= now)
        first.append(start)
        seen[pair] = visibility(back[pair], motion.forward[pair]) > _SEEN
        if now == start:
            seen[pair] = False
        elif now - start == 1:
            to_first[pair], seen_in_first[pair] = back[pair], seen[pair]
        else:
            to_first[pair], there = match(frames[now], frames[start])
            seen_in_first[pair] = there > _SEEN
    return Paths(
        back=back, seen=seen, to_first=to_first, seen_in_first=seen_in_first, first=tuple(first)
    )


def _packed(paths: Paths) -> dict[str, np.ndarray]:
    return {
        "back": paths.back.astype(np.float16),
        "to_first": paths.to_first.astype(np.float16),
        "seen": np.packbits(paths.seen),
        "seen_in_first": np.packbits(paths.seen_in_first),
        "first": np.array(paths.first, np.int32),
    }


def _unpacked(kept: dict[str, np.ndarray]) -> Paths:
    back = kept["back"].astype(np.float32)
    shape = back.shape[:3]
    count = int(np.prod(shape))
    seen, seen_in_first = (
        np.unpackbits(kept[name], count=count).astype(bool).reshape(shape)
        for name in ("seen", "seen_in_first")
    )
    return Paths(
        back=back,
        seen=seen,
        to_first=kept["to_first"].astype(np.float32),
        seen_in_first=seen_in_first,
        first=tuple(int(index) for index in kept["first"]),
    )
