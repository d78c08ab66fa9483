"""The work of each kind of task, as a worker does it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unflicker.plan import Plan
from unflicker.progress import Progress
from unflicker.recording.visible import Visible, mean_visible
from unflicker.studio.clips import ClipTask, full_preview, small_compare
from unflicker.studio.look import SMALL_FILM, LookTask, look_of, take_look
from unflicker.studio.masks import mask_file
from unflicker.studio.planning import (
    AnalyseTask,
    analyse,
    curves_file,
    loaded_curves,
    plan_file,
    write_steered,
)
from unflicker.studio.steering import Steering

COMPARE, RESULT, PREVIEW, SHARED = "compare", "result", "preview", "shared"
"""Names of clips."""
SHARED_SECONDS = 10.0
_KEPT = {COMPARE: 4, RESULT: 1, PREVIEW: 12, SHARED: 4}
"""How many clips of a name are kept for each film, the newest."""
_STEERED = "steered.plan"
Tell = Callable[[Progress], None]


@dataclass(frozen=True, kw_only=True)
class Order:
    """A task, with all that its work depends on."""

    kind: str
    source: Path
    folder: Path
    steering: Steering
    wanted: dict[str, Any]
    """What exactly, as plain values."""


@dataclass(frozen=True, kw_only=True)
class Done:
    """What a task found."""

    facts: dict[str, Any]
    """Of the film, for the list."""
    result: dict[str, Any]
    """Of the task."""
    says: str = ""


def clip_file(folder: Path, name: str, key: str) -> Path:
    """Where a clip of a film lies.

    Args:
        folder: Of the film.
        name: Kind of clip.
        key: Of what it depends on.
    """
    return folder / f"{name}-{key}.mp4"


def carried_out(order: Order, tell: Tell) -> Done:
    """Do a task, and remove clips that decisions since have made useless.

    Args:
        order: The task.
        tell: Receives the progress.

    Raises:
        UnflickerError: It failed.
    """
    done = _WORK[order.kind](order, tell)
    for name, most in _KEPT.items():
        made = sorted(order.folder.glob(f"{name}-*.mp4"), key=lambda clip: clip.stat().st_mtime)
        for old in made[:-most]:
            old.unlink(missing_ok=True)
    return done


def _look(order: Order, tell: Tell) -> Done:
    look = take_look(LookTask(source=order.source, folder=order.folder), tell)
    facts = {
        "width": look.width,
        "height": look.height,
        "fps": round(look.fps, 3),
        "depth": look.depth,
        "frames": len(look.seconds),
        "seconds": round(float(look.seconds[-1]) + 1 / max(look.fps, 1e-3), 3),
        "notes": list(look.notes),
    }
    return Done(facts=facts, result={})


def _analyse(order: Order, tell: Tell) -> Done:
    place = curves_file(order.folder, order.steering)
    if not (place.exists() and plan_file(order.folder, order.steering).exists()):
        task = AnalyseTask(source=order.source, folder=order.folder, steering=order.steering)
        analyse(task, tell)
    return Done(facts=_found(order), result={})


def _found(order: Order) -> dict[str, Any]:
    """What a plan says of a film, for the list."""
    plan = Plan(plan_file(order.folder, order.steering))
    before, after = mean_visible(
        [
            Visible(
                before=shot.visible_before,
                after=shot.visible_after,
                frames=shot.stop - shot.start,
            )
            for shot in plan.shots
        ]
    )
    curves = loaded_curves(order.folder, order.steering)
    headline = "" if curves is None else curves.headline
    seen = {"flicker": before, "left": after}
    return {"shots": len(plan.shots), "headline": headline, **_finite(seen)}


def _finite(numbers: dict[str, float]) -> dict[str, float]:
    """Those of some numbers that are known, rounded."""
    return {name: round(value, 3) for name, value in numbers.items() if math.isfinite(value)}


def _compare(order: Order, tell: Tell) -> Done:
    target = clip_file(order.folder, COMPARE, order.steering.key)
    if not (order.folder / SMALL_FILM).exists():
        take_look(LookTask(source=order.source, folder=order.folder), tell)
    if not target.exists():
        small_compare(_clip(order, target), tell)
    return Done(facts={}, result={"key": order.steering.key})


def _preview(order: Order, tell: Tell) -> Done:
    start, count = int(order.wanted["start"]), int(order.wanted["frames"])
    key = f"{order.steering.key}-{start}-{count}"
    target = clip_file(order.folder, PREVIEW, key)
    if not target.exists():
        full_preview(_clip(order, target, start=start, frames=count), tell)
    return Done(facts={}, result={"key": key, "start": start})


def _share(order: Order, tell: Tell) -> Done:
    look = look_of(order.folder)
    assert look is not None
    start = int(order.wanted["start"])
    until = look.seconds[start] + SHARED_SECONDS
    count = max(1, int((look.seconds[start:] < until).sum()))
    key = f"{order.steering.key}-{start}"
    target = clip_file(order.folder, SHARED, key)
    if not target.exists():
        full_preview(_clip(order, target, start=start, frames=count), tell)
    return Done(facts={}, result={"key": key, "start": start})


def _clip(order: Order, target: Path, *, start: int = 0, frames: int | None = None) -> ClipTask:
    return ClipTask(
        source=order.source,
        folder=order.folder,
        target=target,
        steering=order.steering,
        start=start,
        frames=frames,
    )


def _render(order: Order, tell: Tell) -> Done:
    from unflicker.batch.jobs import FilmJob
    from unflicker.batch.make import FilmTask, make_film
    from unflicker.rendering.options import RunOptions

    folder, steering = order.folder, order.steering
    plan = folder / f"{steering.key}-{_STEERED}"
    write_steered(Plan(plan_file(folder, steering)), plan, steering=steering)
    work = folder / "work"
    work.mkdir(exist_ok=True)
    target, page = Path(order.wanted["target"]), folder / "report.html"
    options = RunOptions(
        plan=plan,
        mask=mask_file(folder, steering),
        work_dir=work,
        jobs=1,
        overwrite=bool(order.wanted.get("overwrite")),
    )
    job = FilmJob(source=order.source, target=target, report=page)
    task = FilmTask(job=job, settings=steering.settings, options=options)
    page.unlink(missing_ok=True)
    outcome = make_film(task, tell)
    plan.unlink(missing_ok=True)
    clip = clip_file(folder, RESULT, steering.key)
    small_compare(
        ClipTask(source=order.source, folder=folder, target=clip, steering=steering, result=target),
        tell,
    )
    before, after = outcome.flicker
    facts = {
        "result": str(target),
        "result_key": steering.key,
        **_finite({"flicker": before, "result_flicker": after}),
    }
    notes = [f"note: {note}" for note in outcome.notes]
    says = "\n".join([*notes, *outcome.says])
    return Done(facts=facts, result={"target": str(target)}, says=says)


_WORK: dict[str, Callable[[Order, Tell], Done]] = {
    "look": _look,
    "analyse": _analyse,
    "compare": _compare,
    "preview": _preview,
    "share": _share,
    "render": _render,
}
