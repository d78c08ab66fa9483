"""Two films as one, side by side or split, with their names drawn in."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from unflicker.frames.clip import from_float, to_float
from unflicker.frames.colour import from_rgb, small_rgb, to_rgb
from unflicker.frames.picture import ColourMeaning, Frame, Picture, PixelLayout
from unflicker.report.pictures import labelled

if TYPE_CHECKING:
    from unflicker.video import VideoSource
    from unflicker.video.traits import Traits

_LINE_PX = 2


class ComparedSource:
    """A film that shows two others frame by frame; times, sound and colour tags are the first's.

    It is as long as the shorter one. The second is scaled to the first's size.
    """

    def __init__(
        self,
        first: VideoSource,
        second: VideoSource,
        *,
        labels: tuple[str, str],
        split: bool = False,
    ) -> None:
        """Show `first` left and `second` right.

        Args:
            first: The film on the left.
            second: The film on the right.
            labels: What is written on each.
            split: One picture, its left half from the first film and its right from the second,
                instead of two pictures side by side.
        """
        self._first, self._second = first, second
        self._labels, self._split = labels, split

    @property
    def name(self) -> str:
        """Both names."""
        return f"{self._first.name} | {self._second.name}"

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the frames."""
        height, width = self._first.size
        return height, width if self._split else 2 * width

    @property
    def layout(self) -> PixelLayout:
        """The first film's planes, without transparency."""
        return dataclasses.replace(self._first.layout, alpha=False)

    @property
    def meaning(self) -> ColourMeaning:
        """The first film's colours."""
        return self._first.meaning

    @property
    def rate(self) -> Fraction:
        """The first film's frame rate."""
        return self._first.rate

    @property
    def estimated_frames(self) -> int | None:
        """What the shorter film's header promises."""
        promised = (self._first.estimated_frames, self._second.estimated_frames)
        return None if None in promised else min(count for count in promised if count is not None)

    @property
    def notes(self) -> tuple[str, ...]:
        """What is to know of both films."""
        return (*self._first.notes, *self._second.notes)

    @property
    def traits(self) -> Traits:
        """The first film's traits."""
        return self._first.traits

    def frames(self) -> Iterator[Frame]:
        """The frames of both films in one picture, while both last."""
        for left, right in zip(self._first.frames(), self._second.frames(), strict=False):
            pixels = self._composed(left.picture, right.picture)
            picture = from_rgb(to_float(pixels), layout=self.layout, meaning=self.meaning)
            yield dataclasses.replace(left, picture=picture)

    def _composed(self, left: Picture, right: Picture) -> UInt8[np.ndarray, "height width 3"]:
        first = _drawable(to_rgb(left))
        second = _drawable(small_rgb(right, size=left.size))
        put_together = split_picture if self._split else beside
        return put_together(first, second, labels=self._labels)


def beside(
    first: UInt8[np.ndarray, "height width 3"],
    second: UInt8[np.ndarray, "height width 3"],
    *,
    labels: tuple[str, str],
) -> UInt8[np.ndarray, "height both 3"]:
    """Two pictures side by side, each with its label in its upper left corner.

    Args:
        first: RGB.
        second: RGB, of the same size.
        labels: Of both.
    """
    return np.hstack([labelled(first, labels[0]), labelled(second, labels[1])])


def split_picture(
    first: UInt8[np.ndarray, "height width 3"],
    second: UInt8[np.ndarray, "height width 3"],
    *,
    labels: tuple[str, str],
) -> UInt8[np.ndarray, "height width 3"]:
    """The left half of the first picture and the right half of the second, with a line between.

    Args:
        first: RGB.
        second: RGB, of the same size.
        labels: Of both.
    """
    middle = first.shape[1] // 2
    picture = np.hstack([first[:, :middle], second[:, middle:]])
    picture = labelled(labelled(picture, labels[0]), labels[1], right=True)
    top, bottom = (middle, 0), (middle, first.shape[0] - 1)
    return cv2.line(picture, top, bottom, (255, 255, 255), _LINE_PX)


def _drawable(rgb: Float32[np.ndarray, "height width 3"]) -> UInt8[np.ndarray, "height width 3"]:
    return from_float(rgb, dtype=np.uint8)
