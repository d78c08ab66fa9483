"""The filter for VapourSynth: analysis once, then frames in any order.

from unflicker.plugins.vapoursynth import Unflicker

clip = Unflicker(clip, preset="standard", strength=0.9)
"""

from __future__ import annotations

import hashlib
import inspect
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from unflicker.compute.caches import cache_folder
from unflicker.compute.context import run_context
from unflicker.errors import UnflickerError
from unflicker.files.atomic import write_whole
from unflicker.frames.picture import Picture
from unflicker.grade.mask import read_mask
from unflicker.plugins.vapoursynth_clips import (
    ClipSource,
    as_integers,
    pictures_of,
    vs,
    with_changes,
)
from unflicker.recording import Recorder
from unflicker.rendering.checks import need_networks
from unflicker.rendering.options import RunOptions
from unflicker.rendering.planned import planned
from unflicker.rendering.random_access import RandomAccess
from unflicker.settings import Settings, asked_for, to_dict
from unflicker.video import VideoSource, WithOriginal

_HELD_BLOCKS = 6
"""Results of blocks that wait for their other frames: VapourSynth asks for some ahead."""
_SAMPLED = 8
"""Frames by whose content a clip is recognised; each frame's plan checks the rest."""


def Unflicker(  # noqa: N802, PLR0913 - named and called as filters of VapourSynth are
    clip: Any,
    *,
    preset: str = "standard",
    strength: float = 1.0,
    plan: str | Path | None = None,
    keep_slower_than: float | None = None,
    mask: str | Path | None = None,
    original: Any = None,
    settings: Settings | None = None,
) -> Any:
    """A clip without flicker, of the same format; its frames can be asked for in any order.

    Args:
        clip: GRAY, YUV or RGB of constant format; integers of 8 to 16 bits, or floats.
        preset: fast, standard or best.
        strength: Share of the flicker to remove, 0 to 1.
        plan: A plan from `unflicker analyze --plan`; else the clip is analysed now, and the plan is
            kept in a folder `.unflicker` next to the script.
        keep_slower_than: Light changes that take longer are kept, in seconds.
        mask: A picture: white is corrected, black kept.
        original: The steady original of a clip that was processed frame by frame.
        settings: A tree in place of a preset.

    Raises:
        vs.Error: What is wrong, what was got, what to do.
    """
    with _errors_of_vapoursynth():
        named = None if settings is not None else preset
        chosen = asked_for(
            settings, preset=named, strength=strength, keep_slower_than=keep_slower_than
        )
        if chosen.strength == 0.0:
            return clip
        integers = as_integers(clip)
        steady = _steady(integers, original, chosen, plan=plan, mask=mask)
        return steady if integers is clip else with_changes(clip, integers, steady)


def _steady(
    clip: Any,
    original: Any,
    settings: Settings,
    *,
    plan: str | Path | None,
    mask: str | Path | None,
) -> Any:
    """A clip of integers without flicker."""
    beside = None if original is None else as_integers(original)
    sources = [ClipSource(clip)]
    if beside is not None:
        sources.append(ClipSource(beside, name="the original"))
    film = sources[0] if beside is None else WithOriginal(*sources)
    path = Path(plan) if plan is not None else _plan_of(film, sources, settings)
    access = _opened(path, film, settings, guided=beside is not None, mask=mask)
    access.refuse_length(clip.num_frames, name="the clip")
    return _filtered(clip, beside, access)


def _opened(
    path: Path, film: VideoSource, settings: Settings, *, guided: bool, mask: str | Path | None
) -> RandomAccess:
    with run_context(device=settings.device, threads=settings.threads) as context:
        share = read_mask(Path(mask), size=film.size) if mask else None
        return RandomAccess(path, film, settings, guided=guided, mask=share, context=context)


def _plan_of(film: VideoSource, sources: Sequence[ClipSource], settings: Settings) -> Path:
    """The plan of a clip, from the folder next to the script, or made now."""
    if settings.redraws:
        raise UnflickerError("preset paper has no plan; pass preset='fast' or 'standard'")
    folder = _script_folder() / ".unflicker"
    path = folder / f"{_key(sources, settings)}.plan"
    if path.exists():
        return path
    guided = len(sources) > 1
    if not guided:
        need_networks(settings)
    try:
        write_whole(folder / ".gitignore", b"*\n")
    except UnflickerError:
        spare = cache_folder()
        if spare is None:
            raise
        path = spare / path.name
    # The original is not a file; the plan notes that there was one.
    options = RunOptions(save_plan=path, original=Path("original") if guided else None)
    recorder = Recorder(film, settings, output="", measured=False)
    running = run_context(device=settings.device, threads=settings.threads)
    with running as context, planned(film, settings, options, recorder, context) as found:
        for _ in found.frames:
            pass
    return path


def _script_folder() -> Path:
    """The folder of the script that calls the filter; else the current one."""
    for each in inspect.stack():
        own = str(each.frame.f_globals.get("__name__", "")).startswith("unflicker")
        file = each.frame.f_globals.get("__file__")
        if not own and file and Path(file).is_file():
            return Path(file).resolve().parent
    return Path.cwd()


def _key(sources: Sequence[ClipSource], settings: Settings) -> str:
    """What a plan depends on, as a name: some frames, the clip's facts, settings, version."""
    from unflicker import __version__

    unused = {"strength", "device", "threads"}
    told = {name: value for name, value in to_dict(settings).items() if name not in unused}
    facts = [(one.size, one.layout, one.meaning, one.rate, one.estimated_frames) for one in sources]
    digest = hashlib.sha256(repr((__version__, facts, sorted(told.items()))).encode())
    for source in sources:
        for picture in source.sampled(_SAMPLED):
            for plane in picture.planes:
                digest.update(np.ascontiguousarray(plane).data)
    return digest.hexdigest()[:24]


def _filtered(clip: Any, original: Any, access: RandomAccess) -> Any:
    """A node for each way a frame is made, and one that chooses between them."""
    blocks = _Blocks(access)
    light = vs.core.std.ModifyFrame(clip, _given([clip], original), partial(_alone, clip, access))
    before, frames, after = access.reach
    near = [_block_frame(clip, place - before, frames) for place in range(before + frames + after)]
    others = (
        []
        if original is None
        else [_block_frame(original, place - before, frames) for place in range(len(near))]
    )
    heavy = vs.core.std.ModifyFrame(clip, [clip, *near, *others], partial(blocks.frame, clip))

    def chosen(n: int) -> Any:
        return light if len(access.needed(n).block) == 1 else heavy

    return vs.core.std.FrameEval(clip, chosen, clip_src=[light, heavy])


def _given(clips: list[Any], original: Any) -> list[Any]:
    return clips if original is None else [*clips, original]


def _block_frame(clip: Any, offset: int, frames: int) -> Any:
    """A clip that shows, for each frame, the one at an offset from the start of its block."""
    moved = clip[max(offset, 0) :] if offset < clip.num_frames else clip[-1]
    if offset < 0:
        moved = clip[0] * -offset + clip
    starts = moved.std.SelectEvery(cycle=frames, offsets=[0] * frames, modify_duration=False)
    lacking = clip.num_frames - starts.num_frames
    return (starts + starts[-1] * lacking if lacking > 0 else starts)[: clip.num_frames]


def _alone(clip: Any, access: RandomAccess, n: int, f: Any) -> Any:
    """A frame that depends on itself alone."""
    given, original = f if isinstance(f, list) else (f, None)
    with _errors_of_vapoursynth():
        frame = pictures_of(clip, given, index=n, original=original)
        picture = access.rendered([frame])[0]
    return given if picture is frame.picture else _filled(given, picture)


@dataclass
class _Made:
    """Results of a block."""

    pictures: list[Picture]
    start: int


class _Blocks:
    """Frames that depend on their neighbours, made by blocks."""

    def __init__(self, access: RandomAccess) -> None:
        self._access, self._lock = access, threading.Lock()
        self._held: OrderedDict[int, _Made] = OrderedDict()

    def frame(self, clip: Any, n: int, f: Sequence[Any]) -> Any:
        """One frame, with all others of its block, which are kept for a while."""
        needed = self._access.needed(n)
        with _errors_of_vapoursynth(), self._lock:
            made = self._held.get(needed.block.start)
            if made is None:
                made = self._made(clip, f[1:], needed.start, needed.stop)
                self._held[needed.block.start] = made
                if len(self._held) > _HELD_BLOCKS:
                    self._held.popitem(last=False)
        return _filled(f[0], made.pictures[n - made.start])

    def _made(self, clip: Any, near: Sequence[Any], start: int, stop: int) -> _Made:
        count = stop - start
        originals = near[count:] or [None] * count
        first, last = max(start, 0), min(stop, len(self._access))
        frames = [
            pictures_of(
                clip,
                near[place - start],
                index=place,
                original=originals[place - start],
                copy=True,
            )
            for place in range(first, last)
        ]
        return _Made(pictures=self._access.rendered(frames), start=first)


def _filled(given: Any, picture: Picture) -> Any:
    """A frame with the planes of a picture and the properties of another frame."""
    result = given.copy()
    for index, plane in enumerate(picture.planes):
        np.copyto(np.asarray(result[index]), plane)
    return result


@contextmanager
def _errors_of_vapoursynth() -> Iterator[None]:
    """Turn our errors into those of VapourSynth, with the same message."""
    try:
        yield
    except UnflickerError as fault:
        raise vs.Error(f"Unflicker: {fault}") from fault
