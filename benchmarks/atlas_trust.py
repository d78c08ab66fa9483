"""The constants of `atlas.guide`: how signs of a guide's worth tell its colour error.

    python atlas_trust.py CLEAN_FOLDER

Logistic regression, on the development clips with made flicker that tone has corrected, of whether
the slightly blurred guide is within 2 ΔE of the steady clip. Clips of which tone itself is 2 ΔE
off on average are left out: their level cannot be known, which is no flaw of the guide.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from atlas import SPLIT_FILE, blurred_delta_e, flickering_guide
from unflicker.atlas.guide import signs
from unflicker.compute.devices import limited_threads
from unflicker.evaluation.suites.films import chosen_films, read
from unflicker.evaluation.suites.suite import Options

_KINDS = ("exposure", "local", "bands", "film")
_POINTS_A_FRAME, _EVERY = 600, 6
_CLOSE_DELTA_E = 2.0


def main() -> None:
    """Read the command line, gather, fit, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="folder of steady clips")
    given = parser.parse_args()
    found, close = [], []
    random = np.random.default_rng(0)
    options = Options(out=Path(), split="development", split_file=SPLIT_FILE)
    with limited_threads(0):
        for path in chosen_films(given.folder, options).values():
            clip = read(path, width_px=640, frames=48)
            for kind in _KINDS:
                truth, light, guide = flickering_guide(clip, kind, "cpu")
                alone = [blurred_delta_e(*pair).mean() for pair in zip(light, truth, strict=True)]
                if np.mean(alone) > _CLOSE_DELTA_E:
                    continue
                for t in range(2, len(light), _EVERY):
                    told = signs(light[t], guide.pictures[t]).reshape(-1, 3)
                    error = blurred_delta_e(guide.pictures[t], truth[t]).ravel()
                    chosen = random.integers(0, len(error), _POINTS_A_FRAME)
                    found.append(told[chosen])
                    close.append(error[chosen] < _CLOSE_DELTA_E)
                print(f"{clip.name} {kind}: close in {np.mean(close[-8:]):.2f}", flush=True)
    weights = _fitted(np.concatenate(found), np.concatenate(close).astype(float))
    print("_TRUST =", tuple(float(f"{weight:.3f}") for weight in weights))


def _fitted(found: np.ndarray, close: np.ndarray) -> np.ndarray:
    """A constant and a weight for each sign, by Newton's method."""
    design = np.concatenate([np.ones((len(found), 1)), found], axis=1)
    weights = np.zeros(design.shape[1])
    for _ in range(30):
        chance = 1.0 / (1.0 + np.exp(-design @ weights))
        spread = (design * (chance * (1.0 - chance))[:, None]).T @ design
        weights += np.linalg.solve(spread + 1e-3 * np.eye(4), design.T @ (close - chance))
    return weights


if __name__ == "__main__":
    main()
