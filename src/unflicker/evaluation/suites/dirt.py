"""Suite `dirt`: film that flickers and is dirty at once, by cleaners alone and after a deflicker.

Clean clips get film's flicker of light (kinds `exposure` and `local`) and drawn spots of single
frames: dust lies on the print, so it comes after the flicker. Errors are those of the frames at the
clip's level (`metrics.level`), in the pixels whose luma the dirt changes visibly, and elsewhere.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool

from unflicker.baselines.cleaners import CLEANERS
from unflicker.datasets.build import seed_of
from unflicker.errors import UsageError
from unflicker.evaluation.adapters import by_settings
from unflicker.evaluation.suites.films import chosen_films, each, middle, read, write_sheet
from unflicker.evaluation.suites.suite import Blind, Options, Row, Suite, asked_kinds
from unflicker.evaluation.suites.tables import markdown, number
from unflicker.frames.clip import Clip, to_float
from unflicker.metrics import sharpness_ratio
from unflicker.metrics.level import LevelFit
from unflicker.settings import Settings, replaced
from unflicker.synthesis import synthesise
from unflicker.synthesis.damage import damaged, drawn_spots

KINDS = ("exposure", "local")
_WIDTH_PX, _FRAMES = 640, 24
_EDGE_FRAMES = 2
"""First and last frames that are not scored: dirt is found between two neighbours."""
_SHEET_FRAMES = 4
_LIGHT = Settings.from_preset("fast")
_NO_LIGHT = replaced(_LIGHT, {"tone.used": False, "fine_light.used": False})


@dataclass(frozen=True, kw_only=True, eq=False)
class _Soiled:
    """A clip with flicker and dirt, and its truth."""

    clip: Clip
    clean: Clip
    dirt: Bool[np.ndarray, "time height width"]
    """Where it is visible."""


def _ours(settings: Settings) -> Blind:
    return lambda clip: by_settings(clip, settings)


def _after_light(cleaner: Blind) -> Blind:
    steady = _ours(_LIGHT)
    return lambda clip: cleaner(steady(clip))


def _methods() -> dict[str, Blind]:
    """All ways to clean a film, by name."""
    return {
        "input": lambda clip: clip,
        "fast": _ours(_LIGHT),
        **CLEANERS,
        **{f"fast + {name}": _after_light(cleaner) for name, cleaner in CLEANERS.items()},
        "dirt alone": _ours(replaced(_NO_LIGHT, {"repair.dirt": True})),
        "fast + dirt": _ours(replaced(_LIGHT, {"repair.dirt": True})),
    }


def _rows(folder: Path, options: Options) -> Iterator[Row]:
    methods = _methods()
    unknown = [name for name in options.methods if name not in methods]
    if unknown:
        raise UsageError(
            f"no method of this suite is named {unknown[0]}; it has {', '.join(methods)}"
        )
    kinds = asked_kinds(options, known=KINDS)
    films = chosen_films(folder, options)
    size = {"width_px": options.width_px or _WIDTH_PX, "frames": options.frames or _FRAMES}
    wanted = {name: methods[name] for name in options.methods or methods}
    for path in each(films, options, stage="dirt"):
        named = read(path, **size)
        for kind in kinds:
            soiled = _soiled(named.clip, name=named.name, kind=kind)
            results = [soiled.clean]
            for name, method in wanted.items():
                start = time.perf_counter()
                results.append(method(soiled.clip))
                spent = 1000 * (time.perf_counter() - start) / len(soiled.clip)
                row = {"clip": named.name, "kind": kind, "method": name}
                yield {**row, **_scores(results[-1], soiled), "milliseconds_a_frame": spent}
            frames = middle(soiled.clip, frames=_SHEET_FRAMES)
            write_sheet(options.out / "dirt" / f"{named.name}_{kind}.png", results, frames=frames)


def _soiled(clip: Clip, *, name: str, kind: str) -> _Soiled:
    seed = seed_of(name)
    made = synthesise(clip, kind=kind, seed=seed).clip
    random, size = np.random.default_rng(seed), clip.pixels.shape[1:3]
    dirty = [damaged(frame, drawn_spots(random, size=size)) for frame in made.pixels]
    pixels = np.stack([one.pixels for one in dirty])
    return _Soiled(
        clip=Clip(pixels=pixels, seconds=clip.seconds),
        clean=clip,
        dirt=np.stack([one.truth for one in dirty]),
    )


def _scores(result: Clip, soiled: _Soiled) -> dict[str, float]:
    """Errors in the dirt and elsewhere, at the level of the clean clip."""
    pairs = [
        (to_float(one), to_float(truth))
        for one, truth in zip(result.pixels, soiled.clean.pixels, strict=True)
    ]
    fit = LevelFit()
    for one, truth in pairs:
        fit.saw(one, truth)
    level, inner = fit.level(), slice(_EDGE_FRAMES, max(len(pairs) - _EDGE_FRAMES, 0))
    errors = np.stack([np.square(level.removed(one) - truth).mean(axis=-1) for one, truth in pairs])
    dirt = soiled.dirt[inner]
    return {
        "psnr_in_dirt": _decibels(errors[inner][dirt]),
        "psnr_elsewhere": _decibels(errors[inner][~dirt]),
        "psnr": _decibels(errors[inner]),
        "sharpness": sharpness_ratio(result, soiled.clean),
    }


def _decibels(errors: np.ndarray) -> float:
    return float(-10 * np.log10(max(float(errors.mean()), 1e-10))) if errors.size else float("nan")


def _table(rows: Sequence[Row], options: Options) -> str:
    del options
    head = ["method", "in the dirt (dB)", "elsewhere", "all", "sharpness", "ms a frame"]
    names = list(dict.fromkeys(row["method"] for row in rows))
    columns = ("psnr_in_dirt", "psnr_elsewhere", "psnr", "sharpness", "milliseconds_a_frame")
    body = []
    for name in names:
        own = [row for row in rows if row["method"] == name]
        means = [float(np.mean([row[column] for row in own])) for column in columns]
        digits = (2, 2, 2, 3, 0)
        body.append([name, *(number(m, digits=d) for m, d in zip(means, digits, strict=True))])
    clips = len({row["clip"] for row in rows})
    kinds = ", ".join(dict.fromkeys(row["kind"] for row in rows))
    title = f"Flicker ({kinds}) and dirt on {clips} clips, level-free PSNR in dB"
    return markdown(head=head, body=body, title=title)


DIRT = Suite(
    name="dirt",
    about="flicker and dirt at once: cleaners alone, and after a deflicker",
    takes=("methods", "clips", "split", "kinds", "width_px", "frames"),
    rows=_rows,
    table=_table,
)
