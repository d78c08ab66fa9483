"""Exports a plan for other programs: as a table, JSON or look-up tables.

A `.cube` file can only hold the correction of the whole picture: gains by place, refinement and
kept parts are left out.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any, Literal

import numpy as np
from jaxtyping import Float32

from unflicker.files.atomic import write_whole
from unflicker.frames.colour import SHOWN_LUMA, ColourMeaning, linear_stops, to_working
from unflicker.grade import Grade
from unflicker.grade.apply import apply_to_light
from unflicker.plan.file import Plan
from unflicker.plan.plan import FramePlan

_CUBE_1D, _CUBE_3D = 1024, 33
"""Entries of a table, as common programs expect."""
_ROWS, _COLUMNS = 6, 8


def strength_at(plan: Plan, frame: int) -> float:
    """The strength of the shot of a frame, 0 to 1.

    Args:
        plan: The plan.
        frame: Index of the frame.
    """
    return plan.shots[plan.shot_at(frame)].strength if plan.shots else 1.0


def frame_numbers(plan: Plan, *, strength: float = 1.0) -> Iterator[dict[str, Any]]:
    """The numbers of each frame of a plan, in order, at the strength of its shot.

    `gain_red`, `gain_green` and `gain_blue` are of the whole picture at middle grey,
    `gain_by_place_least` and `_most` of 6 × 8 parts of it, all in stops of linear light;
    `luma_before` and `luma_after` are means in [0, 1].

    Args:
        plan: The plan.
        strength: Share of the correction, besides the shots' own.
    """
    for frame in plan:
        share = strength * strength_at(plan, frame.index)
        grade = frame.grade.scaled(share)
        red, green, blue = linear_stops(grade.whole_log_gain())
        places = grade.stops_by_place(rows=_ROWS, columns=_COLUMNS)
        yield {
            "frame": frame.index,
            "seconds": frame.seconds,
            "shot": plan.shot_at(frame.index),
            "luma_before": float(SHOWN_LUMA @ frame.mean_before),
            "luma_after": float(SHOWN_LUMA @ _after(frame, share)),
            "gain_red": float(red),
            "gain_green": float(green),
            "gain_blue": float(blue),
            "gain_by_place_least": float(places.min()),
            "gain_by_place_most": float(places.max()),
            "refinement": frame.texture.amount,
            "repeats": frame.repeats,
            "keeps_light": frame.keeps_light,
            "damaged": frame.damaged,
        }


def _after(frame: FramePlan, share: float) -> Float32[np.ndarray, " 3"]:
    """Mean light of a frame at a share of its correction, on logarithms."""
    if share == 1.0:
        return frame.mean_after
    before = np.maximum(frame.mean_before, 1e-6)
    return frame.mean_before * (np.maximum(frame.mean_after, 1e-6) / before) ** np.float32(share)


def write_csv(plan: Plan, path: Path, *, strength: float = 1.0) -> None:
    """Write `frame_numbers` as a table, one line a frame.

    Args:
        plan: The plan to export.
        path: The file to write.
        strength: As for `frame_numbers`.

    Raises:
        OutputError: The file cannot be written.
    """
    text = io.StringIO(newline="")
    writer = None
    for numbers in frame_numbers(plan, strength=strength):
        if writer is None:
            writer = csv.DictWriter(text, list(numbers))
            writer.writeheader()
        writer.writerow({name: _short(value) for name, value in numbers.items()})
    write_whole(path, text.getvalue())


def write_json(plan: Plan, path: Path, *, strength: float = 1.0) -> None:
    """Write the metadata of a plan, its shots, and the `frame_numbers` of its frames.

    Args:
        plan: The plan to export.
        path: The file to write.
        strength: As for `frame_numbers`.

    Raises:
        OutputError: The file cannot be written.
    """
    frames = [
        {name: _short(value) for name, value in numbers.items()}
        for numbers in frame_numbers(plan, strength=strength)
    ]
    content = {**plan.about, "shots": [shot.to_dict() for shot in plan.shots], "frames": frames}
    write_whole(path, json.dumps(content, indent=1, allow_nan=False) + "\n")


def write_cubes(
    plan: Plan, folder: Path, *, per: Literal["frame", "shot"] = "frame", strength: float = 1.0
) -> int:
    """Write the correction of the whole picture as `.cube` files.

    Args:
        plan: The plan to export.
        folder: Folder for `frame_000000.cube` and so on, or `shot_000.cube`.
        per: One file for each frame; or for each shot, the mean of its frames.
        strength: As for `frame_numbers`.

    Returns:
        Number of files; a frame has none if its whole picture is not corrected.

    Raises:
        OutputError: A file cannot be written.

    Source: Adobe, Cube LUT Specification 1.0 (2013).
    """
    meaning = plan.colour_meaning
    written = 0
    for name, first, whole in _whole_grades(plan, per=per):
        grade = whole.scaled(strength * strength_at(plan, first))
        if grade.is_identity:
            continue
        write_whole(folder / f"{name}.cube", cube_text(grade, meaning, title=name))
        written += 1
    return written


def cube_text(grade: Grade, meaning: ColourMeaning, *, title: str) -> str:
    """A grade's correction of the whole picture, as a `.cube` file.

    Args:
        grade: Gains by place are left out.
        meaning: Meaning of the stored values to which the table applies, RGB in [0, 1].
        title: Title of the table.

    Returns:
        A 1D table, or a 3D one if channels are mixed.

    Source: Adobe, Cube LUT Specification 1.0 (2013).
    """
    whole = grade.of_whole_picture()
    if whole.mixes:
        steps = np.linspace(0.0, 1.0, _CUBE_3D, dtype=np.float32)
        blue, green, red = np.meshgrid(steps, steps, steps, indexing="ij")  # red runs fastest
        given = np.stack([red, green, blue], axis=-1).reshape(1, -1, 3)
        size = f"LUT_3D_SIZE {_CUBE_3D}"
    else:
        steps = np.linspace(0.0, 1.0, _CUBE_1D, dtype=np.float32)
        given = np.repeat(steps[None, :, None], 3, axis=-1)
        size = f"LUT_1D_SIZE {_CUBE_1D}"
    stored = _stored(apply_to_light(to_working(given, meaning), whole), meaning)[0]
    head = f'TITLE "{title}"\n{size}\nDOMAIN_MIN 0 0 0\nDOMAIN_MAX 1 1 1\n'
    return head + "".join(f"{r:.6f} {g:.6f} {b:.6f}\n" for r, g, b in stored)


def _whole_grades(plan: Plan, *, per: str) -> Iterator[tuple[str, int, Grade]]:
    """Names, indices of the first frame, and grades at full strength."""
    if per == "frame":
        for frame in plan:
            yield f"frame_{frame.index:06d}", frame.index, frame.grade.of_whole_picture()
        return
    for shot, frames in groupby(plan, key=lambda frame: plan.shot_at(frame.index)):
        first = plan.shots[shot].start if plan.shots else 0
        yield f"shot_{shot:03d}", first, _mean_grade(frames)


def _mean_grade(frames: Iterator[FramePlan]) -> Grade:
    """The mean of grades of the whole picture, on logarithms."""
    curves: Float32[np.ndarray, "3 knots"] | None = None
    matrix, count = np.zeros((3, 3), np.float32), 0
    for frame in frames:
        own = np.log(np.maximum(frame.grade.curves, 1e-6))
        curves = own if curves is None else curves + own
        matrix = matrix + frame.grade.log_matrix
        count += 1
    assert curves is not None
    mean = np.exp(curves / count)
    mean[:, 0] = 0.0
    unchanged = Grade.identity().curves
    close = np.abs(mean - unchanged) < 1e-5
    return Grade(
        curves=np.where(close, unchanged, mean).astype(np.float32),
        log_gain=np.zeros((1, 1, 1, 3), np.float32),
        log_matrix=matrix / np.float32(count),
    )


def _stored(light: Float32[np.ndarray, "..."], meaning: ColourMeaning) -> np.ndarray:
    """The inverse of `to_working`, by a table."""
    ramp = np.linspace(0.0, 1.0, 1 << 14, dtype=np.float32)
    return np.clip(np.interp(light, to_working(ramp, meaning), ramp), 0.0, 1.0)


def _short(value: Any) -> Any:
    """A number rounded to five digits; None if it is not finite."""
    if not isinstance(value, float):
        return value
    return round(value, 5) if np.isfinite(value) else None
