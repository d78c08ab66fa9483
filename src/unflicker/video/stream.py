"""Pictures that come one after the other, each read once, as a source."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np

from unflicker.errors import UsageError
from unflicker.frames.arrays import Pixels, pixels_of
from unflicker.frames.picture import ColourMeaning, Frame, PixelLayout, as_picture
from unflicker.video.traits import Traits


class StreamSource:
    """A source that cannot be read again: what analysis has read waits for rendering.

    Raises:
        UsageError: The first picture has a shape, type or values that no picture has.
    """

    def __init__(self, pictures: Iterable[Any], *, fps: float, name: str = "stream") -> None:
        """Read the first picture.

        Args:
            pictures: `(height, width, channels)` of 1, 3 or 4 channels, or grey `(height, width)`;
                arrays or torch tensors, all of one shape and type.
            fps: Frames a second.
            name: For messages.
        """
        self._pictures = iter(pictures)
        self._fps = Fraction(fps).limit_denominator(100_000)
        self._next = next(self._pictures, None)
        self._waiting: deque[Pixels] = deque()
        self._shape: tuple[Any, ...] = ()
        self._count = 0
        self.name = name
        self.rate = self._fps
        self.estimated_frames: int | None = None
        self.notes: tuple[str, ...] = ()
        self.traits = Traits()
        self.meaning = ColourMeaning(matrix="identity", full_range=True, transfer="power")
        first = self._colours(self._taken(self._next)) if self._next is not None else None
        depth = 8 if first is None or first.dtype == np.uint8 else 16
        self.layout = PixelLayout(family="rgb", depth=depth)
        self.size: tuple[int, int] = (0, 0) if first is None else first.shape[:2]
        self.is_empty = first is None

    def frames(self) -> Iterator[Frame]:
        """The pictures, once, as they come."""
        time_base = self.traits.time_base
        length = round(1 / (self._fps * time_base))
        while self._next is not None:
            given = self._taken(self._next)
            self._waiting.append(given)
            picture = replace(as_picture(self._colours(given)), meaning=self.meaning)
            yield Frame(
                picture=picture,
                index=self._count,
                pts=round(self._count / (self._fps * time_base)),
                time_base=time_base,
                duration=length,
            )
            self._count += 1
            self._next = next(self._pictures, None)

    def waiting(self) -> Iterator[Pixels]:
        """The pictures that `frames` has read, in order, each once: one picture of a clip."""
        while self._waiting or self._next is not None:
            yield self._waiting.popleft()

    def _taken(self, picture: Any) -> Pixels:
        """A picture as a clip of one.

        Raises:
            UsageError: It is none, or unlike the first.
        """
        array = picture if hasattr(picture, "detach") else np.asarray(picture)
        what = f"picture {self._count}"
        shape = (*array.shape, array.dtype)
        if self._shape and shape != self._shape:
            raise UsageError(
                f"{what} has shape and type {shape}, the first {self._shape}; pass pictures alike"
            )
        given = pixels_of(array[None], what=what)
        self._shape = shape
        return given

    @staticmethod
    def _colours(given: Pixels) -> np.ndarray:
        picture = given.pixels[0]
        return picture if picture.ndim == 3 else np.repeat(picture[..., None], 3, axis=-1)
