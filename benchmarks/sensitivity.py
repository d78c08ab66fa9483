"""How much depends on constants of which nothing is written down: each one halved and doubled.

    python benchmarks/sensitivity.py --clean CLIPS --flicker FILMS -o sensitivity.csv
    python benchmarks/sensitivity.py --clean CLIPS --flicker FILMS --only tone/illumination.py:TOE

Constants are those that docs/constants.md calls unknown, if they are numbers of modules that are
not compiled; `--only` takes others. Each runs in a process of its own, by preset `fast`, on clips
with synthetic flicker and on real films. A line has the constant, its value, and the difference to
the shipped value: level-free PSNR in dB (mean and worst of all clips and kinds; more is better),
visible flicker of the real films in ΔE (mean and worst; less is better), and the number of steady
clips that do not come back bit for bit; or that the value is impossible.
"""

from __future__ import annotations

import argparse
import csv
import importlib
import multiprocessing
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import unflicker
from constants import PAGE, PARTS, UNKNOWN, listed
from unflicker.evaluation.scores import motion_back
from unflicker.evaluation.suites.films import read
from unflicker.frames.clip import to_float
from unflicker.metrics import level_free_psnr, visible_flicker
from unflicker.synthesis import synthesise

COMPILED = ("kernels.py", "explaining.py", "settings/schema.py", "cuda")
"""Parts of names of modules whose numbers are compiled in, or are defaults of settings."""
KINDS = ("exposure", "gamma", "local", "film")
FACTORS = (0.5, 2.0)
HEAD = ("constant", "value", "db", "worst db", "delta e", "worst delta e", "not steady")


@dataclass(frozen=True, kw_only=True)
class Job:
    """One film to be steadied, with what it is compared with."""

    kind: str
    """Of synthetic flicker; "none" for a steady clip, "real" for a real film."""
    given: np.ndarray
    truth: np.ndarray
    fps: float


@dataclass(frozen=True, kw_only=True)
class Change:
    """A constant, and another value; the empty name changes nothing."""

    module: str = ""
    name: str = ""
    value: Any = None


def main() -> None:
    """Write a line for each value of each constant."""
    options = _options()
    jobs = list(_jobs(options))
    with multiprocessing.get_context("fork").Pool(options.jobs, maxtasksperchild=1) as pool:
        usual, changes = Change(), list(changes_of(options.only))
        tasks = [(change, jobs) for change in (usual, *changes)]
        results = pool.imap(_results, tasks)
        shipped = next(results)
        assert shipped is not None, "the shipped values fail"
        motions = [
            motion_back(to_float(one)) if job.kind == "real" else None
            for job, one in zip(jobs, shipped, strict=True)
        ]
        before = _measured(jobs, shipped, motions)
        with open(options.output, "w", newline="") as file:
            table = csv.writer(file)
            table.writerow(HEAD)
            for change, result in zip(changes, results, strict=True):
                told = ["impossible"]
                if result is not None:
                    told = _compared(jobs, before, _measured(jobs, result, motions))
                table.writerow([f"{change.module}: {change.name}", change.value, *told])
                file.flush()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clean", type=Path, nargs="+", required=True, help="steady clips")
    parser.add_argument("--flicker", type=Path, nargs="+", required=True, help="real films")
    parser.add_argument("--only", nargs="+", default=[], metavar="MODULE:NAME")
    parser.add_argument("--frames", type=int, default=24)
    parser.add_argument("--width", type=int, default=224)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("-o", "--output", type=Path, default=Path("sensitivity.csv"))
    return parser.parse_args()


def _jobs(options: argparse.Namespace) -> Iterator[Job]:
    for path in options.clean:
        clip = read(path, width_px=options.width, frames=options.frames)
        truth = clip.clip.pixels
        yield Job(kind="none", given=truth, truth=truth, fps=clip.fps)
        for number, kind in enumerate(KINDS):
            made = synthesise(clip.clip, kind=kind, seed=number).clip.pixels
            yield Job(kind=kind, given=made, truth=truth, fps=clip.fps)
    for path in options.flicker:
        film = read(path, width_px=options.width, frames=options.frames)
        yield Job(kind="real", given=film.clip.pixels, truth=film.clip.pixels, fps=film.fps)


def changes_of(only: list[str]) -> Iterator[Change]:
    """Each number of the page whose origin is unknown, or those that are named, by each factor.

    Args:
        only: Constants as `tone/illumination.py:TOE`; empty for all whose origin is unknown.
    """
    for (path, names), origin in listed(PAGE.read_text()).items():
        if not path.startswith(tuple(f"{part}/" for part in PARTS)) or "." in names:
            continue
        if any(part in path for part in COMPILED):
            continue
        module = "unflicker." + path.removesuffix(".py").replace("/", ".")
        for name in names.split(", "):
            value = getattr(importlib.import_module(module), name)
            wanted = f"{path}:{name}" in only if only else origin.codes == UNKNOWN
            if not wanted or type(value) not in (int, float) or not value:
                continue
            for factor in FACTORS:
                other = type(value)(round(value * factor) if type(value) is int else value * factor)
                if other != value:
                    yield Change(module=module, name=name, value=other)


def put(change: Change) -> list[str]:
    """Give a constant another value wherever modules that are loaded have it; their names.

    Args:
        change: The constant and its value.
    """
    shipped, found = getattr(sys.modules[change.module], change.name), []
    for name, module in list(sys.modules.items()):
        # Those that import it by name have the same object.
        if name.startswith("unflicker.") and getattr(module, change.name, None) is shipped:
            setattr(module, change.name, change.value)
            found.append(name)
    return found


def _results(task: tuple[Change, list[Job]]) -> list[np.ndarray] | None:
    """The films steadied with another value, None if it is impossible; this process is used for no
    other."""
    change, jobs = task
    if change.name:
        put(change)
    try:
        return [unflicker.deflicker(job.given, fps=job.fps, preset="fast") for job in jobs]
    except Exception as error:
        print(f"{change.module}: {change.name} = {change.value}: {error!r}", file=sys.stderr)
        return None


def _measured(jobs: list[Job], results: list[np.ndarray], motions: list[Any]) -> list[float]:
    """Level-free PSNR, visible flicker of a real film, or whether a steady clip was changed."""
    found = []
    for job, result, motion in zip(jobs, results, motions, strict=True):
        if job.kind == "real":
            found.append(visible_flicker(to_float(result), motion=motion, fps=job.fps))
        elif job.kind == "none":
            found.append(float(not np.array_equal(result, job.given)))
        else:
            found.append(level_free_psnr(result, job.truth))
    return found


def _compared(jobs: list[Job], before: list[float], after: list[float]) -> list[str]:
    parts = {"made": [], "real": [], "none": []}
    for job, one, other in zip(jobs, before, after, strict=True):
        parts[job.kind if job.kind in parts else "made"].append((one, other))
    differences = {
        name: np.array([other - one for one, other in pairs]) for name, pairs in parts.items()
    }
    made, real = differences["made"], differences["real"]
    numbers = (made.mean(), made.min(), real.mean(), real.max())
    return [*(f"{number:+.3f}" for number in numbers), f"{sum(b for _, b in parts['none']):.0f}"]


if __name__ == "__main__":
    main()
