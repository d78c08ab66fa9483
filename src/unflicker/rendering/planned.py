"""The plan that a rendering follows: found while it goes on, or read from a file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from unflicker.analysis.analyse_film import analyse_film
from unflicker.analysis.analyse_window import Finding
from unflicker.compute.context import RunContext
from unflicker.compute.threads import running_ahead
from unflicker.errors import InputError
from unflicker.frames.picture import Frame
from unflicker.plan import FramePlan, Plan, PlanWriter
from unflicker.plan.fingerprint import is_of
from unflicker.recording import Recorder
from unflicker.rendering.options import RunOptions
from unflicker.settings import Settings, replaced, to_dict
from unflicker.video import VideoSource

_DECIDED = ("refinement.used", "proxy.width_px")
"""Settings that a plan decides where it is followed."""
_AGAIN = "make the plan again from this film and this part of it"


@contextmanager
def planned(
    film: VideoSource,
    settings: Settings,
    options: RunOptions,
    recorder: Recorder,
    context: RunContext,
) -> Iterator[tuple[Iterator[FramePlan], Settings]]:
    """The plan of each frame, in order, and the settings by which it is rendered.

    Args:
        film: What is analysed, a window ahead of who takes the plans, in a thread of its own.
        settings: Of the run.
        options: Name a plan to follow, or where to save the one that is found.
        recorder: Told of all.
        context: Of the run.

    Raises:
        InputError: The plan that is named cannot be followed.
    """
    if options.plan is not None:
        plan = Plan(options.plan)
        recorder.heard_of_shots(plan.shots)
        yield _recorded(iter(plan), recorder), _as_planned(settings, plan.about, options)
        return
    with running_ahead(analyse_film(film, settings, context), most=settings.window.frames) as found:
        if options.save_plan is None:
            yield _recorded(found, recorder), settings
            return
        about = _about(film, settings, guided=options.guide is not None)
        with PlanWriter(options.save_plan, about=about) as writer:
            yield _saved(_recorded(found, recorder), writer), settings
            writer.tell_shots(recorder.shots)


def frame_by_frame(
    film: VideoSource, plans: Iterator[FramePlan], *, proxy_px: int
) -> Iterator[tuple[Frame, FramePlan]]:
    """Each frame of a film with its plan.

    Args:
        film: Read once.
        plans: In order.
        proxy_px: Longest side of the proxies from which the plans were made.

    Raises:
        InputError: The plans were made for another film.
    """
    count = 0
    for frame in film.frames():
        plan = next(plans, None)
        if plan is None:
            raise InputError(
                f"{film.name} has more frames than the {count} grades made for it; {_AGAIN}"
            )
        if not is_of(frame.picture, plan, proxy_px=proxy_px):
            raise InputError(
                f"frame {count} of {film.name} is not the frame that the plan was made of; {_AGAIN}"
            )
        count += 1
        yield frame, plan
    if next(plans, None) is not None:
        raise InputError(
            f"{film.name} has {count} frames, fewer than the grades made for it; {_AGAIN}"
        )


def _about(film: VideoSource, settings: Settings, *, guided: bool) -> dict[str, Any]:
    """What a plan says of itself."""
    height, width = film.size
    return {
        "source": film.name,
        "film": {"width": width, "height": height},
        "guided": guided,
        "settings": to_dict(settings),
    }


def _as_planned(settings: Settings, about: dict[str, Any], options: RunOptions) -> Settings:
    """The settings with what a plan decides: a film is rendered by the method that analysed it.

    Raises:
        InputError: The plan was made with an original that is not passed.
    """
    decided = {name: about.get("settings", {}).get(name) for name in _DECIDED}
    settings = replaced(settings, {name: v for name, v in decided.items() if v is not None})
    if about.get("guided") and settings.refinement.used and options.guide is None:
        raise InputError(
            f"the plan {options.plan} was made beside a steady original, which its refinement "
            "needs; pass the same original with --guide"
        )
    return settings


def _recorded(found: Iterator[FramePlan | Finding], recorder: Recorder) -> Iterator[FramePlan]:
    for item in found:
        recorder.heard(item)
        if isinstance(item, FramePlan):
            yield item


def _saved(plans: Iterator[FramePlan], writer: PlanWriter) -> Iterator[FramePlan]:
    for plan in plans:
        writer.add(plan)
        yield plan
