"""Films graded by hand: gains set by eye at keyframes, written into a plan and followed.

    python examples/hand_graded.py examples/hand_graded.json FILMS -o graded/

The JSON has, for each film, keys [frame, gain] in working light, and whether a gain holds until the
next key or moves to it in a straight line. Nothing else is corrected: no places, no tones.
"""

import argparse
import json
from dataclasses import replace
from pathlib import Path

import numpy as np

import unflicker
from unflicker import RunOptions
from unflicker.grade import Grade
from unflicker.plan import FramePlan, Plan, write_with_frames


def main() -> None:
    """Grade every film of the list that is in the folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("keys", type=Path)
    parser.add_argument("films", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    options = parser.parse_args()
    for name, about in json.loads(options.keys.read_text()).items():
        for film in sorted(options.films.glob(f"{name}.*")):
            graded(film, options.output, keys=about["keys"], hold=about["hold"])


def graded(film: Path, folder: Path, *, keys: list[tuple[int, float]], hold: bool) -> Path:
    """Grade one film by its keys; returns the path of the result."""
    folder.mkdir(parents=True, exist_ok=True)
    found, by_hand = folder / f"{film.stem}.plan", folder / f"{film.stem}.hand.plan"
    unflicker.analyze(film, preset="fast", options=RunOptions(save_plan=found, overwrite=True))
    plan = Plan(found)
    gains = gains_at(len(plan), keys=keys, hold=hold)
    shots = [replace(shot, strength=1.0, fine_light=False, calmed=False) for shot in plan.shots]
    write_with_frames(
        plan, by_hand, shots=shots, edited=lambda frame: by_gain(frame, gains[frame.index])
    )
    result = folder / film.name
    unflicker.run(film, result, preset="fast", options=RunOptions(plan=by_hand, overwrite=True))
    return result


def gains_at(frames: int, *, keys: list[tuple[int, float]], hold: bool) -> np.ndarray:
    """The gain of each frame."""
    at, values = np.array([key[0] for key in keys]), np.array([key[1] for key in keys])
    numbers = np.arange(frames)
    if hold:
        return values[np.maximum(np.searchsorted(at, numbers, side="right") - 1, 0)]
    return np.exp(np.interp(numbers, at, np.log(values)))


def by_gain(frame: FramePlan, gain: float) -> FramePlan:
    """The plan of a frame with one gain for the whole picture, and nothing else."""
    same = Grade.identity()
    return FramePlan(
        index=frame.index,
        grade=replace(same, log_gain=np.full_like(same.log_gain, np.log(gain))),
        seconds=frame.seconds,
        mean_before=frame.mean_before,
        mean_after=(frame.mean_before * gain).astype(np.float32),
        starts_shot=frame.starts_shot,
    )


if __name__ == "__main__":
    main()
