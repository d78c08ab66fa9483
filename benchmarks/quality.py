"""How well methods restore clean clips that were made to flicker.

    python benchmarks/quality.py CLEAN_FOLDER -o OUT --split held-out

Writes one JSON line for each clip, flicker and method, and tables by kind of flicker in Markdown.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from clips import SPLITS, NamedClip, load, video_files
from methods import KNOWN, METHODS, Method, chosen, known
from tables import reach, tables
from unflicker.frames.clip import Clip
from unflicker.frames.flow import Motion
from unflicker.metrics import psnr, sharpness_ratio, ssim, warping_error
from unflicker.motion import estimate_motion
from unflicker.synthesis import KINDS, SyntheticFlicker, sunset, synthesise

WIDTH_PX = 640
FRAMES = 48
STEADY_CASES = ("clean", "sunset", "sunset + exposure")


def main() -> None:
    """Run the benchmark from the command line."""
    options = _options()
    options.output.mkdir(parents=True, exist_ok=True)
    methods = chosen(options.methods)
    files = video_files(options.folder, names=options.clips, split=options.split)
    rows: list[dict[str, Any]] = []
    with (options.output / "quality.jsonl").open("w") as lines:
        for place, path in enumerate(files):
            clip = load(path, width_px=WIDTH_PX, most_frames=FRAMES)
            print(f"{place + 1}/{len(files)} {clip.name}", file=sys.stderr, flush=True)
            for row in measured(clip, methods=methods, kinds=options.kinds.split(",")):
                rows.append(row)
                lines.write(json.dumps(row) + "\n")
                lines.flush()
    text = f"{tables(rows)}\n{reach(rows, method=options.judge)}"
    (options.output / "quality.md").write_text(text)
    print(text)


def measured(
    clip: NamedClip, *, methods: dict[str, Method | None], kinds: list[str]
) -> Iterator[dict[str, Any]]:
    """All measurements on one clip: each kind of flicker, then what must stay as it is."""
    motion = estimate_motion(clip.clip.as_float())
    # The seed belongs to the clip's name, so that a clip flickers alike in any selection.
    seed = zlib.crc32(clip.name.encode()) % 10_000
    for kind in kinds:
        if kind in KINDS:
            made = synthesise(clip.clip, kind=kind, seed=seed)
            yield from _made_rows(clip, made=made, methods=methods, motion=motion)
    for case in (case for case in STEADY_CASES if case in kinds):
        given, wanted = _steady_case(clip.clip, case=case, seed=seed)
        for name, method in methods.items():
            if method is None:
                continue
            result, seconds = _timed(method, given)
            row = _row(clip, kind=case, method=name, seconds=seconds)
            yield row | {"psnr": psnr(result, wanted)}


def _steady_case(clip: Clip, *, case: str, seed: int) -> tuple[Clip, Clip]:
    """What a method is given, and what should come out."""
    if case == "clean":
        return clip, clip
    dusk = sunset(clip)
    if case == "sunset":
        return dusk, dusk
    return synthesise(dusk, kind="exposure", seed=seed).clip, dusk


def _made_rows(
    clip: NamedClip, *, made: SyntheticFlicker, methods: dict[str, Method | None], motion: Motion
) -> Iterator[dict[str, Any]]:
    """The measurements of all methods on one made flicker."""
    paths: dict[str, Any] = {
        "flows": motion.backward,
        "visible": motion.visible_backward,
        "valid": ~made.clipped,
    }
    own = max(warping_error(clip.clip, **paths), 1e-9)
    for name, method in methods.items():
        told_nothing = method or (lambda _: known(made))
        result, seconds = _timed(told_nothing, made.clip)
        row = _row(clip, kind=made.kind, method=name, seconds=seconds)
        yield row | {
            "seed": made.seed,
            "psnr": psnr(result, clip.clip),
            "ssim": ssim(result, clip.clip),
            "warping_ratio": warping_error(result, **paths) / own,
            "warping_clean": own,
            "sharpness": sharpness_ratio(result, clip.clip),
            "clipped": float(made.clipped.mean()),
        }


def _timed(method: Method, clip: Clip) -> tuple[Clip, float]:
    start = time.perf_counter()
    result = method(clip)
    return result, time.perf_counter() - start


def _row(clip: NamedClip, *, kind: str, method: str, seconds: float) -> dict[str, Any]:
    frames = len(clip.clip)
    return {
        "clip": clip.name,
        "split": clip.split,
        "kind": kind,
        "method": method,
        "milliseconds_a_frame": round(1000 * seconds / max(frames, 1), 2),
    }


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="folder of steady clips")
    parser.add_argument("-o", "--output", type=Path, default=Path("out/quality"))
    parser.add_argument("--split", choices=SPLITS, default="", help="only one half of the clips")
    parser.add_argument("--clips", nargs="+", help="only these, by file name without its ending")
    everything = ",".join([*METHODS, KNOWN])
    parser.add_argument(
        "--methods", default=everything, help="names or name=module:function, between commas"
    )
    kinds = ",".join([*KINDS, *STEADY_CASES])
    parser.add_argument("--kinds", default=kinds, help="flickers and cases, between commas")
    parser.add_argument("--judge", default="fast", help="the method held against the aims")
    return parser.parse_args()


if __name__ == "__main__":
    main()
