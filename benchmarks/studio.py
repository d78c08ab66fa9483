"""How fast the studio answers, and how much memory its server takes.

    python benchmarks/studio.py --folder /tmp/studio

Measured are the time to the first whole curve of 20 seconds of 1080p, the effect of a knob on a
paused frame of 1080p, and pictures a second while the player is dragged (where playwright and
Chromium are installed); and the largest memory of the server with a 4K film open. The clips are
drawn.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from unflicker.evaluation.suites.landscape import flickering
from unflicker.studio.desk import Desk
from unflicker.studio.library import Library
from unflicker.studio.places import Places
from unflicker.studio.queue import Queue
from unflicker.studio.uploads import Uploads
from unflicker.video.transcode import encode

SIZES = {"1080p": (1080, 1920, 480), "4k": (2160, 3840, 48)}
START = "from unflicker.cli import main; main()"
KNOBS, DRAGS = 20, 60


def main() -> None:
    """Measure, and print a line for each figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    folder = parser.parse_args().folder
    films = {name: made(folder, name) for name in SIZES}
    shutil.rmtree(folder / "library", ignore_errors=True)
    film = first_curve_and_knob(folder, films["1080p"])
    with suppress(ImportError):
        scrub(folder, film)
    memory(folder, films["4k"])


def made(folder: Path, name: str) -> Path:
    """A film of one size, drawn once."""
    height, width, frames = SIZES[name]
    place = folder / f"{name}.mp4"
    if not place.exists():
        folder.mkdir(parents=True, exist_ok=True)
        pictures = flickering((height, width), frames=frames, film=None, by_place=True)
        encode(pictures, place, size=(height, width), fps=24)
    return place


def first_curve_and_knob(folder: Path, source: Path) -> str:
    """Time until the curve is whole, and of a still with another strength."""
    library = Library(folder / "library")
    with Queue(library) as queue:
        desk = Desk(library, queue, Places([folder]), Uploads(folder / "uploads"))
        time.sleep(5)  # the worker has started, as it has when a person has chosen a film
        began = time.perf_counter()
        film = desk.add(str(source)).film
        queue.wait(library.tasks(film=film)[0].task, seconds=120)
        points = len(desk.curve(film, start=0, stop=0, places=4000)["before"]["at"])
        print(f"first curve, {points} points: {time.perf_counter() - began:.2f} s")
        for kind in ("analyse", "compare"):
            task = next(t for t in iter_tasks(library, film) if t.kind == kind)
            over = queue.wait(task.task, seconds=600)
            print(f"{kind}: {(over.ended or 0) - (over.began or 0):.1f} s")
        place, steering = library.folder_of(film), library.steering(film)
        times = []
        for number in range(KNOBS):
            began = time.perf_counter()
            desk.stills.after(
                source,
                place,
                index=200,
                longest_px=None,
                steering=replace(steering, strength=number / KNOBS),
            )
            times.append(1000 * (time.perf_counter() - began))
    library.close()
    print(f"knob at 1080p: median {statistics.median(times[1:]):.0f} ms, most {max(times[1:]):.0f}")
    return film


def iter_tasks(library: Library, film: str):
    """Tasks of a film, those that are still to come among them."""
    while True:
        yield from library.tasks(film=film)
        time.sleep(0.1)


@contextmanager
def served(folder: Path, *films: Path):
    """The studio as a program, and its address."""
    call = ["studio", str(folder), *map(str, films), "--library", str(folder / "library")]
    program = subprocess.Popen(
        [sys.executable, "-c", START, *call, "--no-open", "-q", "--port", "0"],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert program.stdout is not None
    try:
        yield program, program.stdout.readline().strip()
    finally:
        program.terminate()
        program.wait(30)


def scrub(folder: Path, film: str) -> None:
    """Pictures a second while the timeline is dragged through the film."""
    from playwright.sync_api import sync_playwright

    with served(folder) as (_, place), sync_playwright() as player:
        browser = player.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(viewport={"width": 1360, "height": 900})
        page.goto(f"{place}#/film/{film}")
        page.wait_for_selector("#render:enabled")
        page.wait_for_timeout(2000)
        page.evaluate(
            """() => {
                window.shown = 0;
                const draw = CanvasRenderingContext2D.prototype.drawImage;
                CanvasRenderingContext2D.prototype.drawImage = function (image, ...given) {
                    if (image instanceof HTMLVideoElement) window.shown += 1;
                    return draw.call(this, image, ...given);
                };
            }"""
        )
        box = page.locator(".timeline").bounding_box()
        assert box is not None
        page.mouse.move(box["x"] + 5, box["y"] + 40)
        page.mouse.down()
        began = time.perf_counter()
        for step in range(DRAGS):
            page.mouse.move(box["x"] + 5 + (box["width"] - 10) * step / DRAGS, box["y"] + 40)
            page.wait_for_timeout(33)
        seconds = time.perf_counter() - began
        page.mouse.up()
        print(f"scrubbing: {page.evaluate('window.shown') / seconds:.1f} pictures/s")
        browser.close()


def memory(folder: Path, source: Path) -> None:
    """The largest memory of the server while frames of a 4K film are shown."""
    with served(folder, source) as (program, place):
        library = folder / "library"
        listed = urllib.request.urlopen(f"{place}api/library").read().decode()
        film = listed.split('"film":"')[1].split('"')[0]
        while not list((library / "films" / film).glob("curves-*")):
            time.sleep(0.5)
        for index in range(0, 48, 4):
            for side in ("before", "after"):
                urllib.request.urlopen(
                    f"{place}api/films/{film}/still/{index}.jpg?side={side}"
                ).read()
        status = Path(f"/proc/{program.pid}/status").read_text()
        peak = next(line for line in status.splitlines() if line.startswith("VmHWM"))
        print(f"memory of the server with a 4K film: {int(peak.split()[1]) / 1e6:.2f} GB")


if __name__ == "__main__":
    main()
