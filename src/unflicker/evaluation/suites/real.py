"""Suite `real`: how much visible flicker is left in real films, and sheets to judge it by eye."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np

from unflicker.evaluation.scores import motion_back
from unflicker.evaluation.suites.films import chosen_films, each, read, write_sheet
from unflicker.evaluation.suites.outcomes import Outcome, outcome
from unflicker.evaluation.suites.paired_means import mean_and_difference
from unflicker.evaluation.suites.suite import Options, Row, Suite, performers
from unflicker.evaluation.suites.tables import markdown, number, verdict
from unflicker.metrics import (
    VisibleStrength,
    mean_strength,
    on_proxies,
    visible_flicker_by_frame,
    visible_strength,
)

_WIDTH_PX, _FRAMES = 640, 150
_SHEET_FRAMES = 6
_FALL_AIM = 0.6
_AIMED_AT = ("oldfilm", "lamps", "mains", "timelapse")
"""Beginnings of the names of films for which there is an aim."""
_UNLIKE = 0.5
"""One minus the correlation of two thumbnails, above which a cut lies between them."""


def _rows(folder: Path, options: Options) -> Iterator[Row]:
    methods = performers(options, usual=("fast",))
    films = chosen_films(folder, options)
    width_px, frames = options.width_px or _WIDTH_PX, options.frames or _FRAMES
    for path in each(films, options, stage="real"):
        clip = read(path, width_px=width_px, frames=frames)
        for name, method in methods.items():
            sheet = f"{clip.name}.png" if len(methods) == 1 else f"{clip.name}_{name}.png"
            found = outcome(method, clip, path=path)
            if found is None:
                options.tell(f"{name} has no film of {clip.name}")
                continue
            yield {"method": name, **_measured(found, sheet=options.out / "real" / sheet)}


def _measured(film: Outcome, *, sheet: Path) -> Row:
    """Visible flicker of a film before and after; its contact sheet is written."""
    clip, after = film.given, film.result
    small = {"before": on_proxies(clip.clip), "after": on_proxies(after)}
    stretches = _shots(small["before"])
    # The motion comes from the steadied film, where it is easiest to find, for both.
    found: dict[str, list[VisibleStrength]] = {"before": [], "after": []}
    by_frame = np.zeros(len(clip.clip))
    for start, stop in stretches:
        motion = motion_back(small["after"][start:stop])
        for name, frames in small.items():
            found[name].append(visible_strength(frames[start:stop], motion=motion, fps=clip.fps))
        given = small["before"][start:stop]
        by_frame[start:stop] = visible_flicker_by_frame(given, motion=motion, fps=clip.fps)
    first = max(0, min(int(by_frame.argmax()) - _SHEET_FRAMES // 2, len(after) - _SHEET_FRAMES))
    write_sheet(sheet, [clip.clip, after], frames=range(first, first + _SHEET_FRAMES))
    lengths = [stop - start for start, stop in stretches]
    before, left = (mean_strength(found[name], frames=lengths) for name in ("before", "after"))
    return {
        "clip": clip.name,
        "frames": len(clip.clip),
        "fps": clip.fps,
        "shots": len(stretches),
        "before": before.mean,
        "after": left.mean,
        "fall": 1 - left.mean / max(before.mean, 1e-9),
        "worst_tenth_before": before.worst_tenth,
        "worst_tenth_after": left.worst_tenth,
        **film.about,
    }


def _shots(frames: np.ndarray) -> list[tuple[int, int]]:
    """Stretches between cuts, found on thumbnails without their light: first, one past the last.

    Apart from the product's own detector, so that a cut it misses still shows here.
    """
    thumbs = [
        cv2.resize(frame.mean(axis=2), (96, 54), interpolation=cv2.INTER_AREA) for frame in frames
    ]
    levelled = [(thumb - thumb.mean()) / (thumb.std() + 1e-6) for thumb in thumbs]
    unlike = [1 - float(np.mean(a * b)) for a, b in pairwise(levelled)]
    cuts = [index + 1 for index, value in enumerate(unlike) if value > _UNLIKE]
    return list(zip([0, *cuts], [*cuts, len(frames)], strict=True))


def _table(rows: Sequence[Row], _: Options) -> str:
    several = len({row["method"] for row in rows}) > 1
    body = []
    for row in rows:
        aimed = row["clip"].startswith(_AIMED_AT)
        word = verdict(met=row["fall"] >= _FALL_AIM) if aimed else "none set"
        numbers = [f"{row['before']:.2f}", f"{row['after']:.2f}", f"{100 * row['fall']:.0f} %"]
        worst = (row.get(f"worst_tenth_{when}", np.nan) for when in ("before", "after"))
        numbers += map(number, worst)
        name = [row["method"]] if several else []
        body.append([row["clip"], *name, str(row["frames"]), *numbers, word])
    head = [
        "film", *(["method"] if several else []), "frames", "before", "after", "less by",
        "worst tenth before", "worst tenth after", "aim (60 %)",
    ]  # fmt: skip
    title = "Visible flicker in ΔE over the picture and over its worst tenth, before and after"
    return "\n".join([markdown(title=title, head=head, body=body), _means(rows)])


def _means(rows: Sequence[Row]) -> str:
    """Means over films with their intervals, and paired differences to the first method."""
    methods = list(dict.fromkeys(row["method"] for row in rows))
    falls = {
        method: {row["clip"]: 100 * row["fall"] for row in rows if row["method"] == method}
        for method in methods
    }
    body = [
        [
            method,
            str(len(falls[method])),
            *mean_and_difference(
                falls[method], falls[methods[0]] if method != methods[0] else None, digits=0
            ),
        ]
        for method in methods
    ]
    head = ["method", "films", "less by, % (95 %)", f"more than {methods[0]}, points (95 %)"]
    title = "Means over films, with 95 % intervals by bootstrap over films"
    return markdown(title=title, head=head, body=body)


REAL = Suite(
    name="real",
    about="flickering films: visible flicker before and after, and contact sheets",
    takes=("methods", "own", "weights", "clips", "width_px", "frames"),
    rows=_rows,
    table=_table,
)
