"""Clips of VapourSynth as sources, and their frames as pictures."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from importlib import import_module
from typing import Any

import numpy as np

from unflicker.errors import MissingError, UsageError
from unflicker.frames.picture import ColourMeaning, Frame, Picture, PixelLayout
from unflicker.video.traits import FULL, LIMITED, UNSPECIFIED, ColourTags, Traits

try:
    vs: Any = import_module("vapoursynth")
except ImportError as missing:
    raise MissingError(
        "VapourSynth is not installed for this Python; "
        "use Python 3.12 or newer and pip install 'unflicker[vapoursynth]'"
    ) from missing

_USUAL_RATE = Fraction(25)
_FAMILIES = {vs.GRAY: "grey", vs.YUV: "yuv", vs.RGB: "rgb"}
_PEAK = 65535


class ClipSource:
    """A clip of integers as a source; its frames can be read again."""

    def __init__(self, clip: Any, *, name: str = "the clip") -> None:
        """Look at the first frame.

        Args:
            clip: Of integers, of constant format.
            name: For messages.
        """
        self._clip = clip
        self.name = name
        self.size: tuple[int, int] = (clip.height, clip.width)
        self.layout = layout_of(clip)
        self.rate = Fraction(clip.fps) if clip.fps_num else _USUAL_RATE
        self.estimated_frames: int | None = clip.num_frames
        self.notes: tuple[str, ...] = ()
        with clip.get_frame(0) as first:
            self.meaning: ColourMeaning = meaning_of(first, self.layout, self.size)
            tags = tags_of(first)
        self.traits = Traits(tags=tags, time_base=1 / self.rate)

    def frames(self) -> Iterator[Frame]:
        """The frames in order, copied."""
        for index, given in enumerate(self._clip.frames(close=False)):
            with given:
                yield pictures_of(self._clip, given, index=index, copy=True)

    def sampled(self, count: int) -> Iterator[Picture]:
        """Some pictures, evenly spread.

        Args:
            count: How many, at most.
        """
        last = self._clip.num_frames - 1
        for index in sorted({round(part) for part in np.linspace(0, last, count)}):
            with self._clip.get_frame(index) as given:
                yield pictures_of(self._clip, given, index=index).picture


def layout_of(clip: Any) -> PixelLayout:
    """The layout of a clip's pictures.

    Raises:
        UsageError: Its format varies, or has samples of another kind.
    """
    form = clip.format
    if form is None or not clip.width:
        raise UsageError("the clip has a varying format or size; bring it to one with resize")
    if form.sample_type != vs.INTEGER or not 8 <= form.bits_per_sample <= 16:
        raise UsageError(f"the clip is {form.name}; convert it to 8 to 16 bits or to floats")
    return PixelLayout(
        family=_FAMILIES[form.color_family],  # type: ignore[arg-type]
        depth=form.bits_per_sample,
        chroma_shift=(form.subsampling_w, form.subsampling_h),
    )


def tags_of(frame: Any) -> ColourTags:
    """The colour tags in the properties of a frame."""
    props = frame.props
    if "_Range" in props:
        told = FULL if int(props["_Range"]) == 1 else LIMITED
    else:
        told = {0: FULL, 1: LIMITED}.get(props.get("_ColorRange", -1), 0)
    return ColourTags(
        primaries=int(props.get("_Primaries", UNSPECIFIED)),
        transfer=int(props.get("_Transfer", UNSPECIFIED)),
        matrix=int(props.get("_Matrix", UNSPECIFIED)),
        range=told,
    )


def meaning_of(frame: Any, layout: PixelLayout, size: tuple[int, int]) -> ColourMeaning:
    """The interpretation of a frame's samples, with the usual conventions where it is silent.

    Args:
        frame: A frame.
        layout: Of its clip.
        size: Its height and width.
    """
    return tags_of(frame).meaning(layout, size=size)


def pictures_of(
    clip: Any, given: Any, *, index: int, original: Any = None, copy: bool = False
) -> Frame:
    """A frame of ours, with its original if there is one.

    Args:
        clip: That the frame is of.
        given: A frame of VapourSynth.
        index: Its number.
        original: A frame of the original.
        copy: Whether its samples live longer than the frame.
    """
    rate = Fraction(clip.fps) if clip.fps_num else _USUAL_RATE
    return Frame(
        picture=_picture(given, copy=copy),
        index=index,
        pts=index,
        time_base=1 / rate,
        duration=1,
        original=None if original is None else _picture(original, copy=copy),
    )


def as_integers(clip: Any) -> Any:
    """A clip of integers; floats become 16 bits of full range."""
    form = clip.format
    if form is None or form.sample_type == vs.INTEGER:
        return clip
    wide = vs.core.query_video_format(
        form.color_family, vs.INTEGER, 16, form.subsampling_w, form.subsampling_h
    )
    return vs.core.resize.Point(clip, format=wide.id, range_s="full")


def with_changes(clip: Any, integers: Any, steady: Any) -> Any:
    """A clip of floats with the changes that were made to its integers; no other value changes.

    Args:
        clip: Of floats.
        integers: The same as integers.
        steady: The result.
    """

    def changed(n: int, f: list[Any]) -> Any:
        del n
        given, before, after = f
        result = given.copy()
        for plane in range(len(given)):
            values, was, is_now = (np.asarray(each[plane]) for each in (given, before, after))
            change = (is_now.astype(np.float32) - was) / np.float32(_PEAK)
            np.copyto(np.asarray(result[plane]), values + change.astype(values.dtype))
        return result

    return vs.core.std.ModifyFrame(clip, [clip, integers, steady], changed)


def _picture(given: Any, *, copy: bool) -> Picture:
    form = given.format
    layout = PixelLayout(
        family=_FAMILIES[form.color_family],  # type: ignore[arg-type]
        depth=form.bits_per_sample,
        chroma_shift=(form.subsampling_w, form.subsampling_h),
    )
    planes = [np.asarray(given[plane]) for plane in range(len(given))]
    planes = [np.array(plane) for plane in planes] if copy else planes
    size = (given.height, given.width)
    return Picture(planes=tuple(planes), layout=layout, meaning=meaning_of(given, layout, size))
