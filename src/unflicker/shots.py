"""Where the film cuts, and the windows in which a long shot is thought about.

A cut changes the structure of the picture; flicker and flashes change its light. So frames are
compared as thumbnails of zero mean and unit variance, and a change counts as a cut only if the
picture does not come back within a few frames, as it does after a flash.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise, takewhile

import cv2
import numpy as np
from jaxtyping import Bool, Float32

from unflicker.errors import UsageError
from unflicker.frames.colour import LUMA
from unflicker.frames.picture import Picture

_THUMBNAIL = (96, 54)
_CUT_DISTANCE = 0.5
_CUT_CONTRAST = 1.6
_SAME_DISTANCE = 0.3
_FLASH_FRAMES = 4
_FLAT_DEVIATION = 0.004
_FLAT_CUT_STOPS = 0.75
_WHITE, _BLACK = 0.97, 0.02
_LEAST_USABLE = 0.05
_COMPARED = 8
"""Frames of a window that are compared with the original's."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Proxy:
    """A frame made small, in working light."""

    pixels: Float32[np.ndarray, "height width 3"]
    """RGB in [0, 1]."""
    seconds: float
    """When it is shown."""
    damaged: bool = False
    original: Float32[np.ndarray, "height width 3"] | None = None
    """The same frame of the steady original, as large, where there is one."""
    opaque: Float32[np.ndarray, "height width"] | None = None
    """How opaque each pixel is, 0 to 1; None where all are."""
    luma: Picture | None = None
    """Its luma, larger than the proxy, to find what was laid over the scene; None with
    transparency, under which anything may lie."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Window:
    """Frames of one shot that are thought about together."""

    start: int
    """Index in the film of the first frame."""
    frames: tuple[Proxy, ...]
    overlap: int
    """How many of the first frames the window before has as well; 0 at the start of a shot."""
    ends_shot: bool
    light_scale: float = 1.0
    """By how much light was multiplied in its proxies."""

    @property
    def stop(self) -> int:
        """Index in the film after the last frame."""
        return self.start + len(self.frames)

    def multiplied(self, factor: float) -> Window:
        """The same with its light multiplied."""
        if factor == 1.0:
            return self
        frames = tuple(
            replace(frame, pixels=np.minimum(frame.pixels * np.float32(factor), 1.0))
            for frame in self.frames
        )
        return replace(self, frames=frames, light_scale=factor)


def cut_into_windows(
    proxies: Iterable[Proxy], *, window_frames: int, overlap_frames: int
) -> Iterator[Window]:
    """Windows of a film in order, none of which reaches over a cut.

    Short shots are one window; long ones overlap. At most two windows of frames are held.

    Raises:
        UsageError: The overlap is not shorter than the window.
    """
    if not 0 <= overlap_frames < window_frames:
        raise UsageError(
            f"windows of {window_frames} frames that overlap by {overlap_frames}; "
            "choose an overlap below the window"
        )
    held: list[Proxy] = []
    start, overlap = 0, 0
    for proxy, cut in _with_cuts(proxies):
        if cut and held:
            yield Window(start=start, frames=tuple(held), overlap=overlap, ends_shot=True)
            start, overlap, held = start + len(held), 0, []
        held.append(proxy)
        if len(held) > window_frames + overlap_frames:
            yield Window(
                start=start, frames=tuple(held[:window_frames]), overlap=overlap, ends_shot=False
            )
            start += window_frames - overlap_frames
            held, overlap = held[window_frames - overlap_frames :], overlap_frames
    if held:
        yield Window(start=start, frames=tuple(held), overlap=overlap, ends_shot=True)


def find_cuts(proxies: Iterable[Proxy]) -> list[int]:
    """Indices of the first frame of each shot but the first."""
    return [index for index, (_, cut) in enumerate(_with_cuts(proxies)) if cut]


@dataclass(frozen=True, kw_only=True, eq=False)
class _Thumbnail:
    structure: Float32[np.ndarray, " pixels"]
    """Zero mean, unit variance; zeros where the picture is flat."""
    flat: bool
    level: float


def _thumbnail(proxy: Proxy) -> _Thumbnail:
    luma = cv2.resize(proxy.pixels @ LUMA, _THUMBNAIL, interpolation=cv2.INTER_AREA)
    broad = cv2.GaussianBlur(luma, (0, 0), 12)
    detail = (luma - broad) / (broad + 0.05)
    deviation = float(detail.std())
    flat = deviation < _FLAT_DEVIATION
    structure = np.zeros_like(detail) if flat else (detail - detail.mean()) / deviation
    return _Thumbnail(structure=structure.ravel(), flat=flat, level=float(luma.mean()))


def _distance(first: _Thumbnail, second: _Thumbnail) -> float:
    """0 for the same structure, 1 for unrelated ones; flat pictures are told by their level."""
    if first.flat and second.flat:
        stops = abs(np.log2((first.level + 0.01) / (second.level + 0.01)))
        return 1.0 if stops > _FLAT_CUT_STOPS else 0.0
    if first.flat or second.flat:
        return 1.0
    return 1.0 - float(first.structure @ second.structure) / first.structure.size


def _with_cuts(proxies: Iterable[Proxy]) -> Iterator[tuple[Proxy, bool]]:
    """Each proxy, and whether a shot starts with it; looks a few frames ahead."""
    ahead: deque[tuple[Proxy, _Thumbnail]] = deque()
    recent: deque[_Thumbnail] = deque(maxlen=_FLASH_FRAMES + 1)
    for proxy in proxies:
        ahead.append((proxy, _thumbnail(proxy)))
        if len(ahead) > _FLASH_FRAMES + 1:
            yield _decide(ahead, recent)
    while ahead:
        yield _decide(ahead, recent)


def _decide(
    ahead: deque[tuple[Proxy, _Thumbnail]], recent: deque[_Thumbnail]
) -> tuple[Proxy, bool]:
    proxy, thumbnail = ahead.popleft()
    cut = False
    if recent and not proxy.damaged:
        distance = _distance(recent[-1], thumbnail)
        following = [thumbnail, *(item for _, item in ahead)]
        if distance > _CUT_DISTANCE and distance > _CUT_CONTRAST * _unrest(list(recent), following):
            cut = not _comes_back(list(recent), following)
    if cut:
        recent.clear()
    if not proxy.damaged:
        recent.append(thumbnail)
    return proxy, cut


def _unrest(before: list[_Thumbnail], after: list[_Thumbnail]) -> float:
    """How far neighbours differ just before and just after: fast motion is not a cut."""
    sides = (before[-3:], after[:3])
    return max((_distance(a, b) for side in sides for a, b in pairwise(side)), default=0.0)


def _comes_back(before: list[_Thumbnail], after: list[_Thumbnail]) -> bool:
    """Whether some picture before is seen again after: then what lies between is a flash."""
    return any(
        _distance(old, new) < _SAME_DISTANCE
        for old in before
        for new in after
        if not (old.flat and new.flat and abs(old.level - new.level) > 0.02)
    )


def usable_pictures(
    window: Window,
) -> tuple[list[Float32[np.ndarray, "height width 3"]], Bool[np.ndarray, " time"]]:
    """The window's pictures, and which of them are all white or black: no gain can mend those.

    Those, and damaged ones, are replaced by the sound one before (or the first after): thinking
    goes on as if the picture had stood still.
    """
    nearest, blank = _nearest_sound(window)
    return [window.frames[place].pixels for place in nearest], blank


def usable_originals(window: Window) -> list[Float32[np.ndarray, "height width 3"]]:
    """What the same frames of the original show; fewer where it ends before, none without one."""
    nearest, _ = _nearest_sound(window)
    found = [window.frames[place].original for place in nearest]
    return list(takewhile(lambda original: original is not None, found))  # pyright: ignore


def scene_shown(window: Window) -> Float32[np.ndarray, "time height width"] | None:
    """How far each pixel of `usable_pictures` shows the scene, for all that transparency says: its
    opacity, 0 to 1; None where everything is opaque."""
    if all(frame.opaque is None for frame in window.frames):
        return None
    nearest, _ = _nearest_sound(window)
    shape = window.frames[0].pixels.shape[:2]
    opaque = [window.frames[place].opaque for place in nearest]
    return np.stack([np.ones(shape, np.float32) if one is None else one for one in opaque])


def likeness_to_original(window: Window, *, later: int = 0) -> float | None:
    """How much a window's frames look like those of its original, in structure: 1 the same, about
    0 for another film; None where nothing can be compared.

    Args:
        window: Of a film beside its original.
        later: Each frame is compared with the original's so many frames after it.
    """
    alike = []
    for place in range(0, len(window.frames), max(1, len(window.frames) // _COMPARED)):
        frame, other = window.frames[place], place + later
        original = window.frames[other].original if 0 <= other < len(window.frames) else None
        if original is None or frame.damaged:
            continue
        one, two = _thumbnail(frame), _thumbnail(replace(frame, pixels=original))
        if not (one.flat or two.flat):
            alike.append(1.0 - _distance(one, two))
    return float(np.median(alike)) if alike else None


def _nearest_sound(window: Window) -> tuple[list[int], Bool[np.ndarray, " time"]]:
    """For each frame the one to look at instead, and which are all white or black."""
    frames = window.frames
    blank = np.array([_is_blank(frame.pixels) for frame in frames])
    sound = [p for p, frame in enumerate(frames) if not (frame.damaged or blank[p])] or [0]
    nearest = [max((s for s in sound if s <= p), default=sound[0]) for p in range(len(frames))]
    return nearest, blank


def _is_blank(light: Float32[np.ndarray, "height width 3"]) -> bool:
    part = light[::4, ::4]
    shows = (part.min(axis=-1) < _WHITE) & (part.max(axis=-1) > _BLACK)
    return float(shows.mean()) < _LEAST_USABLE
