"""The plan that rendering follows: from the analysis in progress, or from a file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from itertools import chain, islice
from typing import Any

import numpy as np

from unflicker.analysis.analyse_film import analyse_film
from unflicker.analysis.analyse_window import Finding
from unflicker.compute.context import RunContext
from unflicker.compute.threads import running_ahead
from unflicker.errors import InputError, UsageError
from unflicker.frames.picture import Frame
from unflicker.grade.mask import FullShares
from unflicker.jobs.resources import ALONE, Resources
from unflicker.plan import FramePlan, Plan, PlanWriter
from unflicker.plan.fingerprint import is_of
from unflicker.recording import Recorder
from unflicker.rendering.checks import refuse_unknown_shots
from unflicker.rendering.options import RunOptions
from unflicker.rendering.stages import Item
from unflicker.settings import DAMAGE, Settings, replaced, to_dict
from unflicker.video import VideoSource, frames_from

_DECIDED = (
    "refinement.used",
    "proxy.width_px",
    *(f"repair.{damage}" for damage in DAMAGE),
    "repair.degree",
    "stabilise.gate",
)
"""Settings that are taken from the plan that is followed."""
_SAME_SECONDS = 0.005
"""Tolerance of times between a film and its plan: containers round to milliseconds at worst."""
_AGAIN = "make the plan again from this film and this part of it"


@dataclass(frozen=True, kw_only=True, eq=False)
class Ordered:
    """A frame's plan with what is decided by its place in the film."""

    plan: FramePlan
    shot: int | None
    """Number of its shot, from 0; None if shots are not known."""
    strength: float

    def item(self, frame: Frame, shares: FullShares) -> Item:
        """The frame at the beginning of rendering.

        Args:
            frame: Of this plan.
            shares: Correction shares of the film.
        """
        return Item(
            frame=frame,
            plan=self.plan,
            picture=frame.picture,
            strength=self.strength,
            share=shares.of(frame.picture, self.plan.kept),
            shot=self.shot,
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Planned:
    """A plan and settings, for rendering."""

    frames: Iterator[FramePlan]
    """The plan of each frame, in order."""
    settings: Settings
    """Those of the run, with those that are taken from the plan."""
    shot_strengths: Mapping[int, float]
    """Share of the correction that single shots get, 0 to 1; 1 for shots without an entry."""
    shots_known: bool = True
    """Whether plans say where shots begin."""
    is_analysed: bool = True
    """Whether they are made by the analysis in progress, and not taken from a file."""

    def ordered(self) -> Iterator[Ordered]:
        """The plan of each frame, in order, with the number of its shot and its strength."""
        shot = -1
        for plan in self.frames:
            shot += plan.starts_shot or shot < 0
            yield Ordered(
                plan=plan,
                shot=shot if self.shots_known else None,
                strength=self.settings.strength * self.shot_strengths.get(shot, 1.0),
            )


@contextmanager
def planned(
    film: VideoSource,
    settings: Settings,
    options: RunOptions,
    recorder: Recorder,
    context: RunContext,
    *,
    resources: Resources = ALONE,
) -> Iterator[Planned]:
    """The plan of each frame, with the settings and strengths for rendering.

    Args:
        film: Analysed in another thread, a window ahead of the iteration.
        settings: Of the run.
        options: May name a plan to follow, or a file to save the plan in.
        recorder: Receives every plan and finding.
        context: Device and progress.
        resources: Findings are kept, and taken, there; windows may be analysed side by side.

    Raises:
        InputError: The named plan cannot be followed.
        UsageError: There are fewer shots than are named.
    """
    if options.plan is not None:
        yield _followed(film, settings, options, recorder)
        return
    refuse_unknown_shots(film, settings, options, context)
    analysed = analyse_film(
        film, settings, context, resources=resources, measures_gate=options.measures_gate
    )
    ahead = running_ahead(analysed, most=settings.window.frames)
    with ahead as found, ExitStack() as stack:
        frames, strengths = _recorded(found, recorder), options.shot_strengths
        if options.save_plan is not None:
            about = _about(film, settings, guided=options.original is not None)
            writer = stack.enter_context(PlanWriter(options.save_plan, about=about))
            frames = _saved(frames, writer, recorder, strengths, settings=settings)
        yield Planned(frames=frames, settings=settings, shot_strengths=strengths)


def _followed(
    film: VideoSource, settings: Settings, options: RunOptions, recorder: Recorder
) -> Planned:
    """The plan that is named in the options."""
    assert options.plan is not None
    plan = Plan(options.plan)
    recorder.heard_of_shots(plan.shots)
    edited = {number: shot.strength for number, shot in enumerate(plan.shots)}
    return Planned(
        frames=_recorded(iter(plan), recorder),
        settings=settings_of_plan(film, settings, plan, guided=options.original is not None),
        shot_strengths={**edited, **_known_shots(options.shot_strengths, plan)},
        shots_known=bool(plan.shots),  # plans before version 3 know none
        is_analysed=False,
    )


@dataclass(kw_only=True, eq=False)
class Pairs:
    """Pairs each frame of a film with its plan, and checks that the plan is of this film."""

    name: str
    """Of the film, for messages."""
    proxy_px: int
    """Longest side of the proxies from which the plans were made."""
    _late: float | None = None
    """Seconds that the film's times are later by."""

    def check(self, frame: Frame, plan: FramePlan) -> None:
        """Refuse a frame and a plan that do not belong together.

        Args:
            frame: Of the film.
            plan: Of the same number.

        Raises:
            InputError: The plan was made of another film.
        """
        if not is_of(frame.picture, plan, proxy_px=self.proxy_px):
            raise InputError(
                f"frame {plan.index} of {self.name} is not the frame that the plan was made of; "
                f"{_AGAIN}"
            )
        if np.isfinite(plan.seconds):
            late = frame.seconds - plan.seconds
            self._late = late if self._late is None else self._late
            if abs(late - self._late) > _SAME_SECONDS:
                raise InputError(
                    f"frame {plan.index} of {self.name} is shown at {frame.seconds:.3f} s, in the "
                    f"film that the plan was made of at {plan.seconds + self._late:.3f} s; {_AGAIN}"
                )

    def fewer(self, frames: int) -> InputError:
        """The error for a film that ends before its plans."""
        return InputError(
            f"{self.name} has {frames} frames, fewer than the grades made for it; {_AGAIN}"
        )

    def more(self, plans: int) -> InputError:
        """The error for a film that goes on after its plans."""
        return InputError(
            f"{self.name} has more frames than the {plans} grades made for it; {_AGAIN}"
        )


def frame_by_frame(
    film: VideoSource, orders: Iterator[Ordered], *, proxy_px: int
) -> Iterator[tuple[Frame, Ordered]]:
    """Each frame of a film, from that of the first plan on, with its plan.

    Args:
        film: Read once.
        orders: Of its frames, in order.
        proxy_px: Longest side of the proxies from which the plans were made.

    Raises:
        InputError: The plans were made for another film.
    """
    pairs = Pairs(name=film.name, proxy_px=proxy_px)
    frames, count = film.frames(), 0
    first = next(orders, None)
    if first is not None:
        orders = chain([first], orders)
        count = first.plan.index
    if first is not None and count:
        frames = frames_near(film, first.plan)
    for frame in frames:
        order = next(orders, None)
        if order is None:
            raise pairs.more(count)
        pairs.check(frame, order.plan)
        yield frame, order
        count += 1
    if next(orders, None) is not None:
        raise pairs.fewer(count)


def frames_near(film: VideoSource, plan: FramePlan) -> Iterator[Frame]:
    """The frames of a film from that of a plan on.

    Args:
        film: Any source.
        plan: Of the first.
    """
    if not np.isfinite(plan.seconds):  # a plan of an early version
        return islice(film.frames(), plan.index, None)
    pts = round(plan.seconds / float(film.traits.time_base))
    return frames_from(film, plan.index, pts)


def _about(film: VideoSource, settings: Settings, *, guided: bool) -> dict[str, Any]:
    """The metadata of a plan."""
    height, width = film.size
    return {
        "source": film.name,
        "film": {"width": width, "height": height, "transfer": film.meaning.transfer},
        "guided": guided,
        "settings": to_dict(settings),
    }


def _known_shots(strengths: Mapping[int, float], plan: Plan) -> Mapping[int, float]:
    """The strengths, if the plan has such shots.

    Raises:
        UsageError: It has fewer.
    """
    for shot in strengths:
        if plan.shots and shot >= len(plan.shots):
            raise UsageError(
                f"there is no shot {shot}: the plan {plan.path} has {len(plan.shots)}, "
                "numbered from 0"
            )
    return strengths


def settings_of_plan(
    film: VideoSource, settings: Settings, plan: Plan, *, guided: bool
) -> Settings:
    """The settings with those of a plan: a film is rendered by the method that analysed it.

    Args:
        film: The film to be rendered.
        settings: Of the run.
        plan: Of the film.
        guided: Whether its original is passed.

    Raises:
        InputError: The plan is of a film of another size, or was made with an original and none is
            passed.
    """
    about, (height, width) = plan.about, film.size
    of = about.get("film", {})
    if (of.get("width", width), of.get("height", height)) != (width, height):
        raise InputError(
            f"the plan {plan.path} is of {about.get('source', 'another film')}, "
            f"{of['width']}×{of['height']} px; {film.name} has {width}×{height}; {_AGAIN}"
        )
    decided = {name: about.get("settings", {}).get(name) for name in _DECIDED}
    settings = replaced(settings, {name: v for name, v in decided.items() if v is not None})
    if about.get("guided") and settings.refinement.used and not guided:
        raise InputError(
            f"the plan {plan.path} was made with a steady original, which its refinement "
            "needs; pass the same original with --original"
        )
    return settings


def _recorded(found: Iterator[FramePlan | Finding], recorder: Recorder) -> Iterator[FramePlan]:
    for item in found:
        recorder.heard(item)
        if isinstance(item, FramePlan):
            yield item


def _saved(
    frames: Iterator[FramePlan],
    writer: PlanWriter,
    recorder: Recorder,
    strengths: Mapping[int, float],
    *,
    settings: Settings,
) -> Iterator[FramePlan]:
    holds_gate = settings.stabilise.gate
    for plan in frames:
        writer.add(plan if holds_gate else replace(plan, weave_px=(0.0, 0.0)))
        yield plan
    writer.tell_shots(
        [
            replace(
                shot,
                strength=strengths.get(number, 1.0),
                weave_px=shot.weave_px if holds_gate else None,
            )
            for number, shot in enumerate(recorder.shots)
        ]
    )
