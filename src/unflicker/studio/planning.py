"""A film's plan as the studio needs it: found once, drawn as curves, changed by a person."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float16, Float32

from unflicker.files import stored
from unflicker.plan import FramePlan, Plan, write_edited, write_with_frames
from unflicker.progress import Progress
from unflicker.report.curves import envelope, luma, strongest
from unflicker.studio.look import loaded
from unflicker.studio.steering import Steering

HEAT_ROWS, HEAT_COLUMNS = 4, 3
"""Places of the picture whose correction is drawn over time."""
_WORST = 8
_DARK = np.float32(1e-4)


@dataclass(frozen=True, kw_only=True)
class AnalyseTask:
    """A film to be analysed, the folder for its plan, and what is decided."""

    source: Path
    folder: Path
    steering: Steering


@dataclass(frozen=True, kw_only=True, eq=False)
class Curves:
    """Light and correction of a film's frames, at full strength."""

    before: Float32[np.ndarray, "time 3"]
    after: Float32[np.ndarray, "time 3"]
    heat: Float16[np.ndarray, "time places"]
    """Stops of linear light, by place."""
    texture: Float16[np.ndarray, " time"]
    has_overlays: bool
    suggestions: tuple[str, ...] = ()
    headline: str = ""


def plan_file(folder: Path, steering: Steering) -> Path:
    """Where the plan of a film lies.

    Args:
        folder: Of the film.
        steering: What is decided.
    """
    return folder / f"found-{steering.analysis_key}.plan"


def curves_file(folder: Path, steering: Steering) -> Path:
    """Where the curves of a plan lie.

    Args:
        folder: Of the film.
        steering: What is decided.
    """
    return folder / f"curves-{steering.analysis_key}"


def loaded_curves(folder: Path, steering: Steering) -> Curves | None:
    """The curves of a film's plan; None before its analysis.

    Args:
        folder: Of the film.
        steering: What is decided.
    """
    return loaded(curves_file(folder, steering))


def analyse(task: AnalyseTask, tell: Callable[[Progress], None]) -> None:
    """Find a film's plan, and the curves of it.

    Args:
        task: The film.
        tell: Receives the progress.

    Raises:
        UnflickerError: The film cannot be analysed.
    """
    from unflicker import pipeline, report
    from unflicker.rendering.options import RunOptions

    place = plan_file(task.folder, task.steering)
    settings = replace(task.steering.settings, strength=1.0)
    options = RunOptions(save_plan=place, overwrite=True, jobs=1)
    record = pipeline.analyze(task.source, settings=settings, options=options, progress=tell)
    curves = curves_of(Plan(place))
    stored.store(
        curves_file(task.folder, task.steering),
        replace(curves, headline=report.headline(record), suggestions=record.notes),
    )


def curves_of(plan: Plan) -> Curves:
    """The curves of a plan."""
    before, after, heat, texture, overlays = [], [], [], [], False
    for frame in plan:
        before.append(frame.mean_before)
        after.append(frame.mean_after)
        stops = frame.grade.stops_by_place(rows=HEAT_ROWS, columns=HEAT_COLUMNS)
        heat.append(stops.ravel())
        texture.append(frame.texture.amount)
        overlays |= frame.kept is not None
    return Curves(
        before=np.array(before, np.float32).reshape(-1, 3),
        after=np.array(after, np.float32).reshape(-1, 3),
        heat=np.array(heat, np.float16).reshape(-1, HEAT_ROWS * HEAT_COLUMNS),
        texture=np.array(texture, np.float16),
        has_overlays=overlays,
    )


def steered(curves: Curves, shares: Float32[np.ndarray, " time"]) -> Float32[np.ndarray, "time 3"]:
    """Mean light of each frame after a correction of which each frame gets a share.

    A share of a correction is a share of its logarithm.

    Args:
        curves: At full strength.
        shares: Of each frame, 0 to 1.
    """
    before, after = (np.maximum(light, _DARK) for light in (curves.before, curves.after))
    return before * (after / before) ** shares[:, None]


def shares_of(plan: Plan, steering: Steering) -> Float32[np.ndarray, " time"]:
    """The share of the correction that each frame gets.

    Args:
        plan: Of the film.
        steering: What is decided.
    """
    shares = np.full(len(plan), steering.strength, np.float32)
    for number, shot in enumerate(plan.shots):
        shares[shot.start : shot.stop] *= steering.of_shot(number).strength
    return shares


def drawn(
    values: Float32[np.ndarray, "time 3"], *, places: int
) -> dict[str, list[float] | list[int]]:
    """A part of a curve for drawing: luma and channels where luma is lowest or highest.

    Args:
        values: Mean red, green and blue of each frame.
        places: Intervals, of which each keeps two frames.
    """
    at, light = envelope(luma(values), places=places)
    channels = {name: values[at, k] for k, name in enumerate(("red", "green", "blue"))}
    told = {name: _short(kept, digits=5) for name, kept in channels.items()}
    return {"at": at.tolist(), "luma": _short(light, digits=5), **told}


def heat_columns(curves: Curves, *, start: int, stop: int, places: int) -> list[list[float]]:
    """The correction by place, the strongest of each interval of time.

    Args:
        curves: Of the film.
        start: First frame.
        stop: Frame after the last.
        places: Intervals at most.
    """
    part = curves.heat[start:stop].astype(np.float32)
    return _short(strongest(part, places=places), digits=3)


def worst_frames(curves: Curves) -> list[int]:
    """Frames with the strongest corrections, no two close together, in order."""
    strength = np.abs(curves.heat.astype(np.float32)).mean(axis=1)
    apart = max(1, len(strength) // (4 * _WORST))
    chosen: list[int] = []
    for index in np.argsort(-strength, kind="stable"):
        if strength[index] == 0.0 or len(chosen) == _WORST:
            break
        if all(abs(int(index) - other) >= apart for other in chosen):
            chosen.append(int(index))
    return sorted(chosen)


def write_steered(plan: Plan, path: Path, *, steering: Steering) -> None:
    """Write a plan as a person changed it.

    Args:
        plan: As it was found.
        path: The file to write.
        steering: What is decided.
    """
    shots = [
        replace(shot, strength=float(steering.of_shot(number).strength))
        for number, shot in enumerate(plan.shots)
    ]
    if not steering.changes_frames():
        write_edited(plan, path, shots=shots)
        return

    def edited(frame: FramePlan) -> FramePlan:
        return steering.applied(frame, shot=plan.shot_at(frame.index))

    write_with_frames(plan, path, shots=shots, edited=edited)


def _short(values: np.ndarray, *, digits: int) -> list[Any]:
    return np.round(values.astype(np.float64), digits).tolist()
