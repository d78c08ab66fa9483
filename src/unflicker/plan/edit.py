"""Writes a plan with edited shots and the same frames, or with edited frames."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

from unflicker.errors import UsageError
from unflicker.files.atomic import written_whole
from unflicker.plan.file import Plan, PlanWriter
from unflicker.plan.plan import FramePlan, ShotPlan


def write_edited(plan: Plan, path: Path, *, shots: Sequence[ShotPlan]) -> None:
    """Write a plan whose shots have other strengths.

        shots = list(plan.shots)
        shots[3] = replace(shots[3], strength=0.0)
        write_edited(plan, Path("edited.plan"), shots=shots)

    Args:
        plan: The plan to edit; its file is not changed.
        path: The file to write.
        shots: As many as in the plan, with the same frames.

    Raises:
        UsageError: The number of shots or their frames differ.
        OutputError: The file cannot be written.
    """
    _refuse_other_shots(plan, shots)
    about = {**plan.about, "shots": [shot.to_dict() for shot in shots]}
    with (
        written_whole(path) as file,
        zipfile.ZipFile(plan.path) as source,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as edited,
    ):
        for entry in source.infolist():
            if entry.filename != "plan.json":
                edited.writestr(entry, source.read(entry.filename))
        edited.writestr("plan.json", json.dumps(about, indent=2))


def write_with_frames(
    plan: Plan,
    path: Path,
    *,
    shots: Sequence[ShotPlan],
    edited: Callable[[FramePlan], FramePlan],
) -> None:
    """Write a plan whose frames are corrected in another way.

    Args:
        plan: The plan to edit; its file is not changed.
        path: The file to write.
        shots: As many as in the plan, with the same frames.
        edited: Returns the new plan of a frame from the old one.

    Raises:
        UsageError: The number of shots or their frames differ.
        OutputError: The file cannot be written.
    """
    _refuse_other_shots(plan, shots)
    with PlanWriter(path, about=plan.about) as writer:
        for frame in plan:
            writer.add(edited(frame))
        writer.tell_shots(shots)


def _refuse_other_shots(plan: Plan, shots: Sequence[ShotPlan]) -> None:
    before = [(shot.start, shot.stop) for shot in plan.shots]
    after = [(shot.start, shot.stop) for shot in shots]
    if before != after:
        raise UsageError(
            f"shots of frames {after}, the plan {plan.path} has {before}; change strengths alone"
        )
