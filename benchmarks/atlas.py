"""How well atlases explain steady clips, how fast, and how far their guides can be trusted.

    python atlas.py CLEAN_FOLDER -o out                        grids: time, reconstruction, guide
    python atlas.py CLEAN_FOLDER -o out --mlp-seconds 120      and the reference system's networks
    python atlas.py CLEAN_FOLDER -o out --device cuda          on a GPU

Reconstruction is PSNR of all frames at the size of the proxy (256 px). The guide is judged on
clips with made flicker that tone has corrected: the colour error in ΔE of the slightly blurred
guide (σ 2 px) to the steady clip, where trust is 0.5 or more, and what share of the picture that
is; and where trust is 0.9 or more, so that its calibration shows.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import cv2
import numpy as np

from unflicker.analysis.analyse_window import analyse_window
from unflicker.analysis.atlas_window import CorrectedWindow
from unflicker.analysis.proxy import Proxy
from unflicker.analysis.windows import Window
from unflicker.atlas.guide import Guide, guide_of
from unflicker.atlas.make import Footage, ShotAtlas, make_atlas
from unflicker.compute.devices import limited_threads
from unflicker.evaluation.suites.films import NamedClip, chosen_films, read
from unflicker.evaluation.suites.suite import Options
from unflicker.evaluation.suites.tables import markdown
from unflicker.frames.clip import to_float
from unflicker.frames.colour import proxy_size
from unflicker.frames.flow import resized
from unflicker.motion import estimate_motion, match
from unflicker.settings import Settings
from unflicker.synthesis import synthesise

_KINDS = ("exposure", "gamma", "tint", "local", "local tint", "bands", "film", "held")
_GUIDE_BLUR_PX = 2.0
SPLIT_FILE = Path(__file__).with_name("split.json")


def main() -> None:
    """Read the command line, measure, print tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="folder of steady clips")
    parser.add_argument("-o", "--output", type=Path, default=Path("out"))
    parser.add_argument("--split", default="held-out", choices=("development", "held-out", ""))
    parser.add_argument(
        "--names", type=lambda text: text.split(","), default=(), help="clips, by name"
    )
    parser.add_argument("--frames", type=int, default=80)
    parser.add_argument("--mlp-seconds", type=float, default=0.0, help="0 leaves networks out")
    parser.add_argument(
        "--kinds", type=lambda text: text.split(",") if text else [], default=list(_KINDS)
    )
    parser.add_argument("--device", default="cpu")
    given = parser.parse_args()
    rows = []
    with limited_threads(0):
        options = Options(
            out=given.output,
            clips=tuple(given.names),
            split="" if given.names else given.split,
            split_file=SPLIT_FILE,
        )
        for path in chosen_films(given.folder, options).values():
            rows.append(_measured(path, given))
            print(json.dumps(rows[-1]), flush=True)
    given.output.mkdir(parents=True, exist_ok=True)
    (given.output / "atlas.json").write_text(json.dumps(rows, indent=1))
    print(_table(rows))


def _measured(path: Path, given: argparse.Namespace) -> dict:
    clip = read(path, width_px=640, frames=given.frames)
    light = _proxies(clip.clip.as_float())
    motion = estimate_motion(light)
    row = {"clip": clip.name, "frames": len(light)}
    one_layer = Settings.from_preset("standard").atlas
    for name, settings in (("grid", one_layer), ("layers", Settings.from_preset("fast").atlas)):
        begun = time.monotonic()
        atlas = make_atlas(
            Footage(frames=light, motion=motion), settings, match=match, device=given.device
        )
        db = _psnr(atlas, light)
        row |= {f"{name} s": time.monotonic() - begun, f"{name} dB": db}
        row[f"{name} count"] = len(atlas.model.layers)
    if given.mlp_seconds:
        networks = Settings.from_preset("paper").atlas
        begun = time.monotonic()
        atlas = make_atlas(
            Footage(frames=light, motion=motion),
            networks,
            match=match,
            device=given.device,
            most_seconds=given.mlp_seconds,
        )
        row |= {
            "mlp dB": _psnr(atlas, light),
            "mlp steps": len(atlas.log.steps) * networks.log_every,
            "mlp fit s": atlas.log.seconds[-1],
            "mlp s": time.monotonic() - begun,
        }
    found = [_guide(clip, kind, given.device) for kind in given.kinds]
    for name in found[0] if found else ():
        row[name] = float(np.mean([numbers[name] for numbers in found]))
    return row


def _proxies(frames: np.ndarray) -> np.ndarray:
    return resized(frames, proxy_size(frames.shape[1:3], 256))


def _psnr(atlas: ShotAtlas, light: np.ndarray) -> float:
    errors = [float(np.mean((atlas.rendered(t) - light[t]) ** 2)) for t in range(len(light))]
    return float(np.mean(-10.0 * np.log10(np.maximum(errors, 1e-10))))


def _guide(clip: NamedClip, kind: str, device: str) -> dict[str, float]:
    """Colour errors of a guide to a flickering clip that tone has corrected."""
    truth, light, guide = flickering_guide(clip, kind, device)
    errors = np.stack([blurred_delta_e(*pair) for pair in zip(guide.pictures, truth, strict=True)])
    alone = np.stack([blurred_delta_e(*pair) for pair in zip(light, truth, strict=True)])
    trusted, sure = guide.trust >= 0.5, guide.trust >= 0.9
    return {
        "trusted": float(trusted.mean()),
        "dE trusted": float(errors[trusted].mean()) if trusted.any() else 0.0,
        "sure": float(sure.mean()),
        "dE sure": float(errors[sure].mean()) if sure.any() else 0.0,
        "dE tone alone": float(alone[trusted].mean()) if trusted.any() else 0.0,
    }


def flickering_guide(
    clip: NamedClip, kind: str, device: str
) -> tuple[np.ndarray, np.ndarray, Guide]:
    """The steady proxies of a clip; the same with made flicker, corrected by tone; their guide."""
    made = synthesise(clip.clip, kind=kind, seed=1).clip
    truth, seen = _proxies(clip.clip.as_float()), _proxies(to_float(made.pixels))
    frames = tuple(Proxy(pixels=picture, seconds=t / clip.fps) for t, picture in enumerate(seen))
    window = Window(start=0, frames=frames, overlap=0, ends_shot=True)
    settings = Settings.from_preset("standard")
    tone = analyse_window(window, settings).tone
    corrected = CorrectedWindow.of(seen, tone, fps=clip.fps)
    footage = Footage(frames=corrected.light, motion=corrected.motion)
    atlas = make_atlas(footage, settings.atlas, match=match, device=device)
    return truth, corrected.light, guide_of(atlas, corrected.light)


def blurred_delta_e(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """ΔE of two pictures at each pixel, both slightly blurred."""
    soft = [cv2.GaussianBlur(picture, (0, 0), _GUIDE_BLUR_PX) for picture in (one, other)]
    labs = [cv2.cvtColor(np.clip(picture, 0.0, 1.0), cv2.COLOR_RGB2Lab) for picture in soft]
    return np.linalg.norm(labs[0] - labs[1], axis=-1)


def _table(rows: list[dict]) -> str:
    names = [name for name in rows[0] if name != "clip"]
    body = [[row["clip"], *(f"{row[name]:.2f}" for name in names)] for row in rows]
    means = ["**mean**", *(f"**{np.mean([row[name] for row in rows]):.2f}**" for name in names)]
    return markdown(title="Atlases", head=["clip", *names], body=[*body, means])


if __name__ == "__main__":
    main()
