"""Refuses runs, before any work, that lack something or whose options have no effect."""

from __future__ import annotations

from unflicker.compute.weights import NEURAL_FILTER, need_neural, weights_file
from unflicker.errors import UsageError
from unflicker.plan import Plan
from unflicker.rendering.options import RunOptions
from unflicker.settings import Settings

_PLAIN = RunOptions()


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


def refuse_rate(fps: float) -> None:
    """Refuse a rate that no film has.

    Raises:
        UsageError: It is not above zero.
    """
    if not 0 < fps < float("inf"):
        raise UsageError(f"a rate of {fps} frames a second; pass a number above zero")
