"""Exports a plan as keyframes: for Nuke, After Effects, and FFmpeg's filters.

They hold the correction of the whole picture only. `lost_in_export` says what a film loses by it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from unflicker.files.atomic import write_whole
from unflicker.frames.colour import SHOWN_LUMA, linear_stops
from unflicker.grade import Grade
from unflicker.grade.grade import curve_inputs
from unflicker.plan.exports import cube_text, strength_at
from unflicker.plan.file import Plan
from unflicker.plan.plan import FramePlan

_PLACES = {"rows": 6, "columns": 8}
_SEEN_STOPS = 0.02
"""Differences of gain by place below this are not seen: 1.4 % of light, one code of 8 bits at
middle grey."""
_SEEN_TONES_STOPS = 0.1
"""Differences of gain by tone below this are not named: they are a tenth of usual flicker."""
_TONES = (0.15, 0.85)
"""Working light in which gains by tone are compared: near black and white few pixels are."""
_NUKE_FIRST = 1
"""Nuke counts frames from 1."""
_GRADE = """\
set cut_paste_input [stack 0]
push $cut_paste_input
Grade {{
 multiply {{{{curve {red}}} {{curve {green}}} {{curve {blue}}} {{curve x1 1}}}}
 name Unflicker
 label "gain of the whole picture, linear light"
 selected true
}}
"""
_SCRIPT = """\
// Run in After Effects (File > Scripts > Run Script File) with the film's layer selected.
// It adds the effect Exposure, with a key a frame: the gain of the whole picture, in stops.
(function () {{
    var times = [{times}];
    var stops = [{stops}];
    var comp = app.project.activeItem;
    if (!comp || !comp.selectedLayers || comp.selectedLayers.length !== 1) {{
        alert("Unflicker: select the layer of the film, and run the script again.");
        return;
    }}
    app.beginUndoGroup("Unflicker");
    var layer = comp.selectedLayers[0];
    var effect = layer.property("ADBE Effect Parade").addProperty("ADBE Exposure2");
    var exposure = effect.property("ADBE Exposure2-0003");
    var shifted = [];
    for (var i = 0; i < times.length; i++) shifted.push(layer.startTime + times[i]);
    exposure.setValuesAtTimes(shifted, stops);
    for (var k = 1; k <= exposure.numKeys; k++)
        exposure.setInterpolationTypeAtKey(k, KeyframeInterpolationType.HOLD);
    app.endUndoGroup();
}})();
"""


def lost_in_export(plan: Plan, *, keeps_tones: bool = False) -> str:
    """What of a plan the gain of the whole picture does not hold, in words; empty if nothing.

    Args:
        plan: The plan.
        keeps_tones: Whether each tone has its own gain, as in a table.
    """
    spread = tones = 0.0
    counts = dict.fromkeys(("refinement of texture", *_BY_FRAME), 0)
    for frame in plan:
        by_place = frame.grade.stops_by_place(**_PLACES)
        spread = max(spread, float(by_place.max() - by_place.min()))
        tones = max(tones, _spread_by_tone(frame.grade))
        counts["refinement of texture"] += frame.texture.amount > 0.0
        for what, has in _BY_FRAME.items():
            counts[what] += has(frame)
    lost = []
    if spread >= _SEEN_STOPS:
        lost.append(f"gains by place, which differ by up to {spread:.2f} stops within a frame")
    if tones >= _SEEN_TONES_STOPS and not keeps_tones:
        lost.append(f"gains by tone, which differ by up to {tones:.2f} stops within a frame")
    lost += [f"{what} in {count} of {len(plan)} frames" for what, count in counts.items() if count]
    chosen = plan.about.get("settings", {})
    asked = [words for name, words in _BY_SETTING.items() if chosen.get(name)]
    return "; ".join([*lost, *asked])


_BY_FRAME: dict[str, Callable[[FramePlan], bool]] = {
    "mixing of colours": lambda frame: frame.grade.mixes,
    "a correction of its own for each field": lambda frame: frame.lower_grade is not None,
    "the parts that are not corrected, such as overlays": lambda frame: frame.kept is not None,
}
_BY_SETTING = {
    "repair.dirt": "repair of dirt",
    "repair.scratches": "repair of scratches",
    "repair.hairs": "repair of hairs",
    "repair.frames": "repair of frames",
    "stabilise.gate": "removal of gate weave",
}


def _spread_by_tone(grade: Grade) -> float:
    """How far the gains of the curves differ between dark and bright, in stops of linear light."""
    inputs = curve_inputs()
    used = (inputs >= _TONES[0]) & (inputs <= _TONES[1])
    gains = linear_stops(np.log(np.maximum(grade.curves[:, used], 1e-6) / inputs[used]))
    return float(np.ptp(gains, axis=1).max())


def write_nuke(plan: Plan, path: Path, *, strength: float = 1.0) -> None:
    """Write a Grade node for Nuke: a key a frame, gains of red, green and blue in linear light.

    Args:
        plan: The plan to export.
        path: The file to write, a script of Nuke (.nk).
        strength: Share of the correction, besides the shots' own.

    Raises:
        OutputError: The file cannot be written.

    Source: Foundry, Nuke developers' guide, "Curve serialisation format": a key without an x-value
        is one frame after the key before it.
    """
    gains = [np.exp2(linear_stops(grade.whole_log_gain())) for _, grade in _grades(plan, strength)]
    channels = [
        f"x{_NUKE_FIRST} " + " ".join(f"{gain[channel]:.6f}" for gain in gains)
        for channel in range(3)
    ]
    red, green, blue = channels
    write_whole(path, _GRADE.format(red=red, green=green, blue=blue).encode())


def write_after_effects(plan: Plan, path: Path, *, strength: float = 1.0) -> None:
    """Write a script for After Effects, which adds the effect Exposure with a key a frame.

    Tints are not in it: the effect gets the gain of luma. The names of the effect and its property
    are those that other scripts use; no document of Adobe's that we found lists them.

    Args:
        plan: The plan to export.
        path: The file to write (.jsx).
        strength: As for `write_nuke`.

    Raises:
        OutputError: The file cannot be written.
    """
    times, stops = [], []
    for seconds, grade in _grades(plan, strength):
        times.append(f"{seconds:.6f}")
        stops.append(f"{float(SHOWN_LUMA @ linear_stops(grade.whole_log_gain())):.6f}")
    text = _SCRIPT.format(times=", ".join(times), stops=", ".join(stops))
    write_whole(path, text.encode())


def write_ffmpeg(plan: Plan, folder: Path, *, strength: float = 1.0) -> str:
    """Write a look-up table for each frame, and the commands that load them, for FFmpeg.

    Args:
        plan: The plan to export.
        folder: Folder for `frame_000000.cube` and so on, and `commands.txt`.
        strength: As for `write_nuke`.

    Returns:
        The filters, for `ffmpeg -vf`, to be run in that folder.

    Raises:
        OutputError: A file cannot be written.
    """
    meaning, commands, last = plan.colour_meaning, [], -1.0
    for index, (seconds, grade) in enumerate(_grades(plan, strength)):
        name = f"frame_{index:06d}.cube"
        one_table = Grade(curves=grade.curves, log_gain=grade.log_gain)
        write_whole(folder / name, cube_text(one_table, meaning, title=name).encode())
        # Half a frame early: the times of a film are rounded in some containers.
        at = 0.0 if last < 0.0 else (seconds + last) / 2.0
        commands.append(f"{at:.6f} lut1d file {name};")
        last = seconds
    write_whole(folder / "commands.txt", ("\n".join(commands) + "\n").encode())
    return "sendcmd=f=commands.txt,lut1d=file=frame_000000.cube"


def _grades(plan: Plan, strength: float) -> Iterator[tuple[float, Grade]]:
    """The time and the grade of the whole picture of each frame, at the strength of its shot."""
    first = 0.0
    for index, frame in enumerate(plan):
        seconds = frame.seconds if np.isfinite(frame.seconds) else index / 25.0
        first = seconds if index == 0 else first
        share = strength * strength_at(plan, index)
        yield seconds - first, frame.grade.of_whole_picture().scaled(share)
