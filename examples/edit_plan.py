"""A plan edited by hand: analyse once, look at it, change one shot, render."""

import argparse
from dataclasses import replace
from pathlib import Path

import unflicker
from demo import flicker, moving_picture, write
from unflicker import RunOptions
from unflicker.plan import Plan, exports, write_edited


def main() -> None:
    """Analyse a video, halve the correction of its first shot, follow the plan."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("demo"))
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    video, plan_file, edited = (
        folder / name for name in ("flickering.mp4", "film.plan", "edited.plan")
    )
    write(flicker(moving_picture()), video)
    unflicker.analyze(video, preset="fast", options=RunOptions(save_plan=plan_file, overwrite=True))

    plan = Plan(plan_file)
    for number, shot in enumerate(plan.shots):
        print(f"shot {number}: frames {shot.start} to {shot.stop - 1}, {shot.diagnosis.kind}")
    exports.write_csv(plan, folder / "film.csv")
    shots = [replace(plan.shots[0], strength=0.5), *plan.shots[1:]]
    write_edited(plan, edited, shots=shots)

    for name, path in (("whole", plan_file), ("halved", edited)):
        options = RunOptions(plan=path, overwrite=True)
        record = unflicker.run(video, folder / f"{name}.mp4", preset="fast", options=options)
        before, after = record.visible_flicker_before, record.visible_flicker_after
        print(f"{name}: visible flicker {before:.2f} -> {after:.2f} ΔE")


if __name__ == "__main__":
    main()
