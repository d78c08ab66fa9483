"""The findings of a film's windows: from the workspace, or made here, or side by side elsewhere.

What is found in a window depends on nothing else, but for overlays: one that stood at the end of
the window before is known again where evidence is missing. Side by side, a window is therefore
analysed as if there was none, and once more in the few films where there was one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from unflicker.analysis.analyse_window import Finding, analyse_window
from unflicker.analysis.atlas_window import CorrectedWindow, guided_gain
from unflicker.analysis.fine_window import with_fine_light
from unflicker.analysis.windows import Window, usable_pictures
from unflicker.compute.context import ON_THE_CPU, RunContext
from unflicker.grade.mask import keep_places
from unflicker.jobs.resources import ALONE, Resources
from unflicker.settings import Settings
from unflicker.tone.overlays import Standing


@dataclass(frozen=True, kw_only=True, eq=False)
class WindowTask:
    """A window to be analysed."""

    window: Window
    scale: float
    """Factor on its light."""
    settings: Settings
    standing: Standing | None = None
    """Overlays of the frame before it."""


def window_finding(task: WindowTask, *, context: RunContext = ON_THE_CPU) -> Finding:
    """All that is found in one window.

    Args:
        task: The window.
        context: Device and progress.
    """
    settings, shown = task.settings, task.window.multiplied(task.scale)
    finding = analyse_window(shown, settings, standing=task.standing)
    flickers = finding.tone.coefficients.any()
    if not settings.tone.used:
        finding = finding.without_tone()
    if flickers and settings.atlas.used and not finding.tone.has_original:
        finding = _guided(shown, finding, settings, context)
    return finding


@dataclass(frozen=True, eq=False)
class Findings:
    """Finds what is in the windows of a film, one after the other or side by side."""

    settings: Settings
    context: RunContext
    resources: Resources = ALONE

    def of(
        self, windows: Iterable[tuple[Window, float]], *, standing: Standing | None = None
    ) -> Iterator[tuple[Window, float, Finding]]:
        """Each window and the factor on its light, with its finding, in order.

        Args:
            windows: Of a film, in order, with the factors.
            standing: Overlays of the frame before the first.
        """
        for task, kept, early in self._early(windows):
            finding = kept
            if finding is None:
                finding = early if standing is None else None
                if finding is None:
                    finding = window_finding(replace(task, standing=standing), context=self.context)
                if self.resources.work is not None:
                    self.resources.work.store(finding_name(task.window.start), finding)
            yield task.window, task.scale, finding
            standing = finding.standing

    def _early(
        self, windows: Iterable[tuple[Window, float]]
    ) -> Iterator[tuple[WindowTask, Finding | None, Finding | None]]:
        """Each window, its finding from the workspace, and that made as if none came before it."""
        tasks = (
            WindowTask(window=window, scale=scale, settings=self.settings)
            for window, scale in windows
        )
        if self.resources.pool is None:
            for task in tasks:
                yield task, self._kept(task.window), None
            return
        kept: dict[int, Finding] = {}

        def known(task: WindowTask) -> Finding | None:
            finding = self._kept(task.window)
            if finding is not None:
                kept[task.window.start] = finding
            return finding

        for task, finding in self.resources.pool.in_order(window_finding, tasks, known=known):
            yield task, kept.pop(task.window.start, None), finding

    def _kept(self, window: Window) -> Finding | None:
        """The finding of an earlier run, from the workspace."""
        work = self.resources.work
        found = work.load(finding_name(window.start)) if work is not None else None
        return found if isinstance(found, Finding) else None


def finding_name(start: int) -> str:
    """The name in the workspace of the finding of a window that begins with a frame."""
    return f"windows/{start:09d}.finding"


def _guided(window: Window, finding: Finding, settings: Settings, context: RunContext) -> Finding:
    """The finding with the atlas's part, if it has one."""
    roles = finding.roles
    pictures = usable_pictures(window)[0]
    came = np.stack([pictures[place] for place in roles.votes])
    corrected = CorrectedWindow.of(came, finding.tone, fps=finding.fps, at=roles.votes)
    if finding.fine_gain is not None:
        with_fine_light(corrected.light, finding.fine_gain[roles.votes])
    if finding.kept:
        keep_places(corrected.light, list(came), [finding.kept[place] for place in roles.votes])
    gain, visible = guided_gain(corrected, settings, context)
    if gain is None:
        return finding
    gain = roles.spread(gain)
    return replace(finding, guide_gain=gain, visible_after=min(visible, finding.visible_after))
