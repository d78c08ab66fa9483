"""Refuses runs, before any work, that lack something or whose options have no effect."""

from __future__ import annotations

from numbers import Real
from typing import Any

from unflicker.analysis.cuts import with_cuts
from unflicker.analysis.proxy import proxies_of
from unflicker.compute.context import RunContext
from unflicker.compute.weights import NEURAL_FILTER, need_neural, weights_file
from unflicker.errors import UsageError
from unflicker.plan import Plan
from unflicker.rendering.options import RunOptions
from unflicker.settings import Settings
from unflicker.video import VideoSource

_PLAIN = RunOptions()
_SLOWEST, _FASTEST = 1 / 86_400, 50_000.0
"""Frames a second of films in memory, whose times are counted in 1/90000 s."""


def need_networks(settings: Settings) -> None:
    """Refuse a run whose preset needs something that is not installed.

    Raises:
        MissingError: It is missing.
    """
    published = settings.redraws
    if not settings.atlas.used and not published:
        return
    need_neural()
    if settings.neural_filter.used and not published:
        weights_file(NEURAL_FILTER, own=settings.neural_filter.weights)


def refuse_original(settings: Settings, options: RunOptions = _PLAIN) -> None:
    """Refuse an original where it would have no effect; elsewhere it replaces the networks.

    Args:
        settings: Of the run.
        options: May name a plan.

    Raises:
        UsageError: It would have none.
    """
    if settings.redraws:
        raise UsageError(
            "preset paper redraws frames and does not use an original; "
            "use --preset fast or standard"
        )
    if options.plan is not None and not Plan(options.plan).about.get("guided"):
        raise UsageError(
            f"the plan {options.plan} was made without an original, so an original would have no "
            "effect; pass one of them"
        )


def checked_rate(fps: Any) -> float:
    """A rate of frames as a number.

    Args:
        fps: Frames a second: any number, a fraction too.

    Raises:
        UsageError: It is no number, or no rate that a film has.
    """
    if not isinstance(fps, Real) or isinstance(fps, bool):
        raise UsageError(f"a rate of {fps!r} frames a second; pass a number, such as 25.0")
    rate = float(fps)
    if not _SLOWEST <= rate <= _FASTEST:
        raise UsageError(
            f"a rate of {fps} frames a second; pass a number above zero, from one a day "
            f"to {_FASTEST:,.0f} a second"
        )
    return rate


def refuse_unknown_shots(
    film: VideoSource, settings: Settings, options: RunOptions, context: RunContext
) -> None:
    """Refuse strengths of shots that a film does not have; its frames are read up to the last.

    Args:
        film: Not read where only the first shot is named, or a plan, which knows its shots.
        settings: Of the run.
        options: May name shots.
        context: Receives the progress.

    Raises:
        UsageError: It has fewer shots.
    """
    last = max(options.shot_strengths, default=0)
    if options.plan is not None or last < 1:
        return
    shots = 1
    proxies = proxies_of(film, settings.proxy.width_px)
    for done, (_, is_cut) in enumerate(with_cuts(proxies), start=1):
        context.tell("find cuts", done=done, total=film.estimated_frames)
        shots += is_cut
        if shots > last:
            return
    unknown = ", ".join(str(shot) for shot in sorted(options.shot_strengths) if shot >= shots)
    raise UsageError(
        f"there is no shot {unknown}: {film.name} has {shots}, numbered from 0; "
        "`unflicker analyze` lists them"
    )
