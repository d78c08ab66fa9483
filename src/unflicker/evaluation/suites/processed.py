"""Suite `processed`: what the refinement does to processed and generated video, off and on.

The folder holds `processed` (pairs `NAME_processed`, `NAME_original`) and `flicker` (`ai_*`). Of a
pair: the masked L1 warping error to the frame before, along the original's motion; "left" is the
part above the original's own error, over that of the processed video. Of all: visible flicker over
the picture and over its worst tenth; the gain in VBench's temporal flickering; sharpness and
contrast, over the input's.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from unflicker.datasets.reading import films_in
from unflicker.errors import InputError
from unflicker.evaluation.scores import motion_back
from unflicker.evaluation.suites.films import (
    NamedClip,
    each,
    is_wanted,
    middle,
    pair_films,
    read,
    read_pair,
    write_sheet,
)
from unflicker.evaluation.suites.paired_means import paired_means
from unflicker.evaluation.suites.suite import Options, Row, Suite, presets
from unflicker.evaluation.suites.tables import markdown, number
from unflicker.frames.clip import Clip
from unflicker.frames.flow import BackwardMotion
from unflicker.metrics import (
    contrast_ratio,
    on_proxies,
    sharpness_ratio,
    vbench_flickering_gain,
    visible_strength,
    warping_error,
)
from unflicker.pipeline import deflicker
from unflicker.settings import Settings, replaced

_WIDTH_PX, _FRAMES = 1280, 150
_SUMMARY = {"left": ("left", 2), "seen_less": ("less by", 2), "sharpness": ("sharpness", 3)}
_LEFT_AIM, _FALL_AIM = 0.55, 0.5
_SHEET_FRAMES = 5
_GENERATED = "ai_"
_STAGES = {"off": False, "on": True}


def _rows(folder: Path, options: Options) -> Iterator[Row]:
    found = presets(options, usual=("fast",))
    settings = {
        stage if len(found) == 1 else f"{name}, {stage}": replaced(base, {"refinement.used": used})
        for name, base in found.items()
        for stage, used in _STAGES.items()
    }
    size: dict[str, Any] = {
        "width_px": options.width_px or _WIDTH_PX,
        "frames": options.frames or _FRAMES,
    }
    pairs = pair_films(folder / "processed", options)
    generated = {
        name: path
        for name, path in films_in(folder / "flicker").items()
        if name.startswith(_GENERATED) and is_wanted(name, options)
    }
    films = {**pairs, **generated}
    if not films:
        raise InputError(
            f"{folder} has no pair in processed/ and no {_GENERATED}* film in flicker/ to run on; "
            "name a folder that holds them"
        )
    for path in each(films, options, stage="processed"):
        if path in pairs.values():
            pair = read_pair(path, **size)
            clip, original = pair.processed, pair.original
        else:
            clip, original = read(path, **size), None
        yield from _measured(clip, original, settings=settings, folder=options.out / "processed")


def _measured(
    clip: NamedClip, original: Clip | None, *, settings: dict[str, Settings], folder: Path
) -> Iterator[Row]:
    """The rows of a film, one for each stage; its sheet is written to the folder."""
    motion = motion_back(original.as_float()) if original is not None else None
    given, results = clip.clip, [clip.clip]
    for stage, one in settings.items():
        start = time.perf_counter()
        pixels = deflicker(given.pixels, fps=clip.fps, settings=one)
        spent = 1000 * (time.perf_counter() - start) / len(given)
        result = Clip(pixels=pixels, seconds=given.seconds)
        results.append(result)
        yield {
            "clip": clip.name,
            "stage": stage,
            **_errors(result, given, original, motion=motion),
            **_seen(given, result, fps=clip.fps),
            "vbench_gain": vbench_flickering_gain(result, given),
            "sharpness": sharpness_ratio(result, given),
            "contrast": contrast_ratio(result, given),
            "milliseconds_a_frame": spent,
        }
    frames = middle(given, frames=_SHEET_FRAMES)
    write_sheet(folder / f"{clip.name}.png", results, frames=frames)


def _errors(
    result: Clip, given: Clip, original: Clip | None, *, motion: BackwardMotion | None
) -> dict[str, float]:
    """Warping errors of result, input and original, and the remaining share; empty for None."""
    if original is None or motion is None:
        return {}
    after, before, own = (
        warping_error(clip, flows=motion.backward, visible=motion.visible_backward)
        for clip in (result, given, original)
    )
    added = max(before - own, 1e-9)
    return {"error": after, "error_before": before, "own": own, "left": (after - own) / added}


def _seen(before: Clip, after: Clip, *, fps: float) -> dict[str, float]:
    """Visible flicker of both along the result's motion, where it is easiest to find."""
    small = on_proxies(after)
    motion = motion_back(small)
    first = visible_strength(on_proxies(before), motion=motion, fps=fps)
    second = visible_strength(small, motion=motion, fps=fps)
    return {
        "seen_before": first.mean,
        "seen": second.mean,
        "seen_less": 1 - second.mean / max(first.mean, 1e-9),
        "worst_tenth_before": first.worst_tenth,
        "worst_tenth": second.worst_tenth,
    }


def _table(rows: Sequence[Row], _: Options) -> str:
    body = []
    for row in rows:
        shown, left = "–", "–"
        if "left" in row:
            shown = f"{row['error_before']:.4f} → {row['error']:.4f} ({row['own']:.4f})"
            left = f"{row['left']:.2f}"
        seen = f"{row['seen_before']:.2f} → {row['seen']:.2f}"
        worst = [row.get(name, math.nan) for name in ("worst_tenth_before", "worst_tenth")]
        seen_worst = " → ".join(map(number, worst))
        gain = number(row.get("vbench_gain", math.nan))
        kept = [f"{row['sharpness']:.3f}", f"{row['contrast']:.3f}"]
        spent = f"{row['milliseconds_a_frame']:.0f}"
        less = f"{row['seen_less']:.0%}"
        flicker = [seen, less, seen_worst, gain]
        body.append([row["clip"], row["stage"], shown, left, *flicker, *kept, spent])
    head = [
        "film", "stage", "warping error", "left", "visible flicker", "less by", "worst tenth",
        "VBench gain", "sharpness", "contrast", "ms a frame",
    ]  # fmt: skip
    aims = f"Aims: {_LEFT_AIM} left of a pair; generated {_FALL_AIM:.0%} less.\n"
    means = paired_means(rows, _SUMMARY, by="stage")
    return "\n".join([markdown(head=head, body=body), means, aims])


PROCESSED = Suite(
    name="processed",
    about="processed and generated video: the refinement off and on",
    takes=("methods", "clips", "width_px", "frames"),
    rows=_rows,
    table=_table,
)
