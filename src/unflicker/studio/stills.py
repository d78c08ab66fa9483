"""Single frames at full size, before and after, fast enough for a slider.

Decoded frames are held, so that a change of the correction only grades and compresses again.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from unflicker.errors import InputError
from unflicker.frames.picture import Picture, as_picture
from unflicker.grade import Grade
from unflicker.grade.fields import apply_grades
from unflicker.grade.mask import FullShares
from unflicker.plan import Plan
from unflicker.studio.look import look_of
from unflicker.studio.masks import mask_of
from unflicker.studio.pictures import as_jpeg
from unflicker.studio.planning import plan_file
from unflicker.studio.steering import Steering
from unflicker.video import VideoSource, frames_from, open_video

_HELD_BYTES = 160_000_000
"""Of decoded frames: thirteen of 4K in 8 bits."""
_HELD_FILMS = 4
_KEPT_COLOUR, _KEPT_OPACITY = (30, 142, 224), 170
"""Blue, green, red; of 255."""


class Stills:
    """Frames of films; used by several threads at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._frames: OrderedDict[tuple[Path, int], Picture] = OrderedDict()
        self._films: OrderedDict[Path, VideoSource] = OrderedDict()

    @staticmethod
    def warm() -> None:
        """Compile what grades a picture, before a person waits for it."""
        picture = as_picture(np.zeros((16, 16, 3), np.uint8))
        apply_grades(picture, Grade.identity().followed_by(np.ones((1, 1, 1, 3), np.float32)), None)

    def before(self, source: Path, folder: Path, *, index: int, longest_px: int | None) -> bytes:
        """A frame as it is, as JPEG.

        Args:
            source: The film, or a result of it.
            folder: What is known of it.
            index: Of the frame.
            longest_px: Longest side at most; None for the full size.
        """
        return as_jpeg(self._picture(source, folder, index), longest_px=longest_px)

    def after(
        self,
        source: Path,
        folder: Path,
        *,
        index: int,
        longest_px: int | None,
        steering: Steering,
        shot_strength: float | None = None,
    ) -> bytes:
        """A frame with its light and colour corrected, as JPEG; texture is not refined.

        Args:
            source: The film.
            folder: What is known of it.
            index: Of the frame.
            longest_px: Longest side at most; None for the full size.
            steering: What is decided.
            shot_strength: Of the frame's shot, to try it out; None for what is decided.

        Raises:
            InputError: There is no plan yet, or it has no such frame.
        """
        picture = self._picture(source, folder, index)
        plan = Plan(plan_file(folder, steering))
        if index >= len(plan):
            raise InputError(f"frame {index} of a plan of {len(plan)}")
        shot = plan.shot_at(index)
        found = steering.applied(plan[index], shot=shot)
        own = steering.of_shot(shot).strength if shot_strength is None else shot_strength
        strength = steering.strength * own
        mask = mask_of(folder, steering, size=picture.size)
        share = FullShares(mask).of(picture, found.kept)
        lower = None if found.lower_grade is None else found.lower_grade.scaled(strength)
        graded = apply_grades(picture, found.grade.scaled(strength), lower, mask=share)
        return as_jpeg(graded, longest_px=longest_px)

    def kept(self, folder: Path, *, index: int, steering: Steering) -> bytes:
        """What was found on a frame that is not the scene, and is kept, as a transparent PNG.

        Args:
            folder: What is known of the film.
            index: Of the frame.
            steering: What is decided.

        Raises:
            InputError: The plan has no such frame.
        """
        with self._lock:
            plan = Plan(plan_file(folder, steering))
            if not 0 <= index < len(plan):
                raise InputError(f"frame {index} of a plan of {len(plan)}")
            kept = steering.applied(plan[index], shot=plan.shot_at(index)).kept
        share = (
            np.ones((1, 1), np.float32) if kept is None else kept.share((kept.rows, kept.columns))
        )
        shown = np.zeros((*share.shape, 4), np.uint8)
        shown[..., :3] = _KEPT_COLOUR
        shown[..., 3] = np.rint(_KEPT_OPACITY * (1.0 - share))
        return cv2.imencode(".png", shown)[1].tobytes()

    def forget(self, source: Path) -> None:
        """Drop what is held of a film."""
        with self._lock:
            self._films.pop(source, None)
            for key in [key for key in self._frames if key[0] == source]:
                del self._frames[key]

    def _picture(self, source: Path, folder: Path, index: int) -> Picture:
        with self._lock:
            held = self._frames.get((source, index))
            if held is not None:
                self._frames.move_to_end((source, index))
                return held
            look = look_of(folder)
            if look is None or not 0 <= index < len(look.pts):
                known = 0 if look is None else len(look.pts)
                raise InputError(f"frame {index} of a film of which {known} frames are known")
            film = self._film(source)
            own = Fraction(int(look.pts[index])) * look.time_base / film.traits.time_base
            frame = next(frames_from(film, index, round(own)), None)
            if frame is None:
                raise InputError(f"{source.name} has no frame {index} any more; add it again")
            self._hold((source, index), frame.picture)
            return frame.picture

    def _film(self, source: Path) -> VideoSource:
        film = self._films.pop(source, None) or open_video(source)
        self._films[source] = film
        while len(self._films) > _HELD_FILMS:
            self._films.popitem(last=False)
        return film

    def _hold(self, key: tuple[Path, int], picture: Picture) -> None:
        self._frames[key] = picture
        sizes = {k: sum(plane.nbytes for plane in p.planes) for k, p in self._frames.items()}
        total = np.sum(list(sizes.values()))
        while total > _HELD_BYTES and len(self._frames) > 1:
            oldest, _ = self._frames.popitem(last=False)
            total -= sizes[oldest]
