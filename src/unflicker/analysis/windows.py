"""Windows: the frames of a shot that are analysed together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
from jaxtyping import Bool, Float32

from unflicker.analysis.cuts import with_cuts
from unflicker.analysis.proxy import Proxy
from unflicker.errors import UsageError

_WHITE, _BLACK = 0.97, 0.02
_LEAST_USABLE = 0.05


@dataclass(frozen=True, kw_only=True, eq=False)
class Window:
    """Frames of one shot that are analysed together."""

    start: int
    """Index in the film of the first frame."""
    frames: tuple[Proxy, ...]
    overlap: int
    """Leading frames shared with the previous window; 0 at the start of a shot."""
    ends_shot: bool
    light_scale: float = 1.0
    """Factor of light in its proxies."""

    @property
    def stop(self) -> int:
        """Index in the film after the last frame."""
        return self.start + len(self.frames)

    def multiplied(self, factor: float) -> Window:
        """The window with its light multiplied, clipped at 1."""
        if factor == 1.0:
            return self
        frames = tuple(
            replace(frame, pixels=np.minimum(frame.pixels * np.float32(factor), 1.0))
            for frame in self.frames
        )
        return replace(self, frames=frames, light_scale=factor)


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where the next window of a film begins."""

    start: int = 0
    """Index of its first frame."""
    overlap: int = 0
    """Leading frames that it shares with the one before."""
    before: int = 0
    """Number of proxies of earlier frames of its shot that are read first, for `with_cuts`."""


BEGINNING = Place()


def cut_into_windows(
    proxies: Iterable[Proxy],
    *,
    window_frames: int,
    overlap_frames: int,
    least_frames: int = 0,
    place: Place = BEGINNING,
) -> Iterator[Window]:
    """Windows of a film in order, none of which crosses a cut.

    A short shot is one window; windows of a long shot overlap. At most two are held in memory.

    Args:
        proxies: Of the film, in order.
        window_frames: Frames of a window.
        overlap_frames: Frames shared by neighbouring windows; 0 to less than `window_frames`.
        least_frames: Of a long shot's last window; the last two share theirs where it had fewer.
        place: Of the first; windows from there on are those of a reading from the beginning.

    Raises:
        UsageError: The overlap is not shorter.
    """
    _refuse_overlap(window_frames, overlap_frames)
    onward = window_frames - overlap_frames
    most = held_frames(window_frames, overlap_frames, least_frames)
    now = Window(start=place.start, frames=(), overlap=place.overlap, ends_shot=True)
    held: list[Proxy] = []
    ahead = iter(proxies)
    for proxy, cut in with_cuts(ahead, before=list(islice(ahead, place.before))):
        if cut and held:
            whole = replace(now, frames=tuple(held))
            yield from _ending(whole, window_frames, overlap_frames)
            now, held = replace(now, start=whole.stop, overlap=0), []
        held.append(proxy)
        if len(held) > most:
            yield replace(now, frames=tuple(held[:window_frames]), ends_shot=False)
            start, held = now.start + onward, held[onward:]
            now = replace(now, start=start, overlap=overlap_frames)
    if held:
        yield from _ending(replace(now, frames=tuple(held)), window_frames, overlap_frames)


def held_frames(window_frames: int, overlap_frames: int, least_frames: int) -> int:
    """Frames of a long shot that are held; with one more, a window of it is complete.

    Args:
        window_frames: Of a window.
        overlap_frames: Shared by neighbouring windows.
        least_frames: Of a long shot's last window.
    """
    return window_frames + max(overlap_frames, least_frames - overlap_frames)


def _refuse_overlap(window_frames: int, overlap_frames: int) -> None:
    if not 0 <= overlap_frames < window_frames:
        raise UsageError(
            f"windows of {window_frames} frames that overlap by {overlap_frames}; "
            "choose an overlap below the window"
        )


def _ending(whole: Window, window_frames: int, shared: int) -> Iterator[Window]:
    """The end of a shot as one window, or as two of about the same length that share frames."""
    count = len(whole.frames)
    if count <= window_frames + shared:
        yield whole
        return
    first = (count + shared + 1) // 2
    yield replace(whole, frames=whole.frames[:first], ends_shot=False)
    rest = whole.frames[first - shared :]
    yield replace(whole, start=whole.start + first - shared, frames=rest, overlap=shared)


def usable_pictures(
    window: Window,
) -> tuple[list[Float32[np.ndarray, "height width 3"]], Bool[np.ndarray, " time"]]:
    """The window's pictures, and which are all white or black, so that no gain can correct them.

    Those, and damaged ones, are replaced by the previous intact one (or the first after), as if the
    picture had stood still.
    """
    nearest, blank = nearest_sound(window)
    return [window.frames[place].pixels for place in nearest], blank


def scene_shown(window: Window) -> Float32[np.ndarray, "time height width"] | None:
    """Opacity of each pixel of `usable_pictures`, 0 to 1; None if all are opaque."""
    if all(frame.opaque is None for frame in window.frames):
        return None
    nearest, _ = nearest_sound(window)
    shape = window.frames[0].pixels.shape[:2]
    opaque = [window.frames[place].opaque for place in nearest]
    return np.stack([np.ones(shape, np.float32) if one is None else one for one in opaque])


def nearest_sound(window: Window) -> tuple[list[int], Bool[np.ndarray, " time"]]:
    """For each frame the intact one that replaces it, and which are all white or black."""
    frames = window.frames
    blank = np.array([_is_blank(frame.pixels) for frame in frames])
    sound = [p for p, frame in enumerate(frames) if not (frame.damaged or blank[p])] or [0]
    nearest = [max((s for s in sound if s <= p), default=sound[0]) for p in range(len(frames))]
    return nearest, blank


def _is_blank(light: Float32[np.ndarray, "height width 3"]) -> bool:
    part = light[::4, ::4]
    shows = (part.min(axis=-1) < _WHITE) & (part.max(axis=-1) > _BLACK)
    return float(shows.mean()) < _LEAST_USABLE
