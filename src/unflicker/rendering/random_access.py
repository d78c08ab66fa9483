"""Pass 2 in any order: the frames of a film by number, from a plan; nothing is remembered.

A frame whose texture is not refined, in a film that is not repaired, depends on itself alone. Other
frames are made in blocks, each of which begins with the same burn-in whoever asks for it first.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from unflicker.compute.context import ON_THE_CPU, RunContext
from unflicker.errors import InputError
from unflicker.frames.picture import Frame, Picture
from unflicker.grade.mask import FullShares, Share
from unflicker.plan import Plan
from unflicker.rendering.item import Item
from unflicker.rendering.planned import Ordered, Pairs, settings_of_plan
from unflicker.rendering.segments import needs_of
from unflicker.rendering.stages import stages_of, through
from unflicker.settings import Settings
from unflicker.video import VideoSource

_BLOCK_FRAMES = 16
"""As many as the burn-in of refinement: each frame is then rendered twice, when all are asked for
in order."""
_REPEATS = 4
"""Further frames that are read ahead, past repeats of a picture: films of 6 pictures a second in
video of 24."""


@dataclass(frozen=True, kw_only=True)
class Needed:
    """What a frame's result is made from."""

    start: int
    """Index of the first frame that is read; below 0 and beyond the end there are none."""
    stop: int
    """Index after the last."""
    block: range
    """The frames that are made together."""


class RandomAccess:
    """Renders frames of a film by their numbers."""

    def __init__(
        self,
        plan: Path,
        film: VideoSource,
        settings: Settings,
        *,
        guided: bool = False,
        mask: Share | None = None,
        context: RunContext = ON_THE_CPU,
    ) -> None:
        """Open a plan.

        Args:
            plan: The file of the plan.
            film: Its film; no frame of it is read here.
            settings: Of the run; those that the plan decides are taken from it.
            guided: Whether frames have their originals.
            mask: Correction share of each pixel.
            context: Device.

        Raises:
            InputError: The plan is of another film.
        """
        self._plan, self._lock = Plan(plan), threading.Lock()
        self.settings = settings_of_plan(film, settings, self._plan, guided=guided)
        self._mask, self._context = mask, context
        self._pairs = Pairs(name=film.name, proxy_px=self.settings.proxy.width_px)
        stages = stages_of(self.settings, context)
        needs = needs_of(stages)
        self._burn_in = needs.burn_in
        self._ahead = sum(stage.look_ahead_frames for stage in stages)
        self._alone: dict[int, bool] = {}

    def __len__(self) -> int:
        """Number of frames."""
        return len(self._plan)

    @cached_property
    def reach(self) -> tuple[int, int, int]:
        """Frames before a block that are read, frames in it, and frames after it."""
        return self._burn_in, _BLOCK_FRAMES, self._ahead + _REPEATS

    def needed(self, index: int) -> Needed:
        """What a frame is made from.

        Args:
            index: Of the frame.
        """
        before, frames, after = self.reach
        start = index - index % frames
        block = range(start, min(start + frames, len(self)))
        if start not in self._alone:
            self._alone[start] = self._is_alone(block, before=before, after=after)
        if not self._alone[start]:
            return Needed(start=start - before, stop=start + frames + after, block=block)
        return Needed(start=index, stop=index + 1, block=range(index, index + 1))

    def rendered(self, frames: Sequence[Frame]) -> list[Picture]:
        """The results of consecutive frames, those of a burn-in included.

        Args:
            frames: From `Needed.start` on, without those that do not exist.

        Raises:
            InputError: They are not of the film that the plan was made of.
        """
        shares = FullShares(self._mask)
        items = (self._item(frame, shares) for frame in frames)
        return [item.picture for item in through(items, stages_of(self.settings, self._context))]

    def _item(self, frame: Frame, shares: FullShares) -> Item:
        with self._lock:
            if frame.index >= len(self._plan):
                raise self._pairs.more(len(self._plan))
            plan, shot = self._plan[frame.index], self._plan.shot_at(frame.index)
            self._pairs.check(frame, plan)
        strength = self._plan.shots[shot].strength if self._plan.shots else 1.0
        order = Ordered(plan=plan, shot=shot, strength=self.settings.strength * strength)
        return order.item(frame, shares)

    def _is_alone(self, block: range, *, before: int, after: int) -> bool:
        """Whether no frame of a block, and none that has an effect on it, needs its neighbours."""
        if self.settings.repair.used:
            return False
        if not self.settings.refinement.used:
            return True
        near = range(max(block.start - before, 0), min(block.stop + after, len(self)))
        with self._lock:
            return not any(self._plan[place].texture.amount > 0.0 for place in near)

    def refuse_length(self, frames: int, *, name: str) -> None:
        """Refuse a film that is longer or shorter than the plan.

        Args:
            frames: Of the film.
            name: Of the film.

        Raises:
            InputError: It is.
        """
        if frames != len(self):
            raise InputError(
                f"{name} has {frames} frames, the plan {self._plan.path} {len(self)}; "
                "make the plan again from this film"
            )
