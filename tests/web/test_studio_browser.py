"""The studio in a real browser, as a person uses it: from a dropped film to its result."""

import re
import signal
import subprocess
import sys
from contextlib import contextmanager

import numpy as np
import pytest
from browsers import needs_browser
from studio_visits import HOSTILE, make_films, studio_served

from made_numbered import BLOCK, number_in

PATIENCE_MS = 90_000
START = "from unflicker.cli import main; main()"

pytestmark = needs_browser


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    return make_films(tmp_path_factory.mktemp("studio") / "films")


@contextmanager
def visit(browser, place: str, **given):
    """A page; the test fails should a script fail, or anything be asked for elsewhere."""
    context = browser.new_context(**{"viewport": {"width": 1280, "height": 860}, **given})
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    faults: list[str] = []
    page.on("pageerror", lambda fault: faults.append(str(fault)))
    page.on("dialog", lambda dialog: dialog.accept())
    page.on(
        "request",
        lambda request: (
            None
            if request.url.startswith((place, "blob:", "data:"))
            else faults.append(request.url)
        ),
    )
    page.goto(place)
    page.wait_for_selector("h1")
    yield page
    context.close()
    assert not faults


class Program:
    """The studio as a program of its own, which can be killed."""

    def __init__(self, library, films) -> None:
        self._call = ["studio", str(films), "--library", str(library), "--no-open", "-q"]
        self._running: subprocess.Popen | None = None
        self.port = 0
        self.start()

    def start(self) -> None:
        self._running = subprocess.Popen(
            [sys.executable, "-c", START, *self._call, "--port", str(self.port)],
            stdout=subprocess.PIPE,
            text=True,
        )
        self.place = self._running.stdout.readline().strip()
        self.port = int(self.place.split(":")[2].strip("/"))

    def end(self, how: int) -> int:
        self._running.send_signal(how)
        code = self._running.wait(60)
        self._running.stdout.close()
        return code

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self._running.poll() is None:
            self.end(signal.SIGKILL)


def picture(page, *, rows: int | None = None) -> np.ndarray:
    """What the player shows, or its last rows."""
    width, height, values = page.evaluate(
        """(rows) => {
            const canvas = document.querySelector("canvas.picture");
            const count = Math.min(rows ?? canvas.height, canvas.height);
            const top = canvas.height - count;
            const pixels = canvas.getContext("2d").getImageData(0, top, canvas.width, count);
            return [canvas.width, count, Array.from(pixels.data)];
        }""",
        rows,
    )
    return np.array(values, np.uint8).reshape(height, width, 4)[..., :3]


def numbers(page) -> tuple[int, int]:
    """The frame that is shown before the line, and the one behind it; -1 without a picture."""
    shown = picture(page, rows=BLOCK)
    if shown.shape[:2] != (BLOCK, 256):
        return -1, -1
    return number_in(shown), number_in(shown, at_right=True)


def wait_for_frame(page, index: int) -> None:
    for _ in range(200):
        if numbers(page) == (index, index):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"the player shows frames {numbers(page)}, not {index}")


def wait_until(page, holds: str) -> None:
    """Until an expression holds; the pages' own rules forbid playwright's way."""
    for _ in range(PATIENCE_MS // 100):
        if page.evaluate(holds):
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"it never held that {holds}")


def assert_accessible(page) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    found = axe.run(page).response["violations"]
    grave = [each for each in found if each["impact"] in ("serious", "critical")]
    told = [(each["id"], [node["html"][:120] for node in each["nodes"]]) for each in grave]
    assert not told


def test_from_a_dropped_film_to_its_result(browser, films, tmp_path):
    with (
        Program(tmp_path / "library", films) as program,
        visit(browser, program.place, accept_downloads=True) as page,
    ):
        page.set_input_files("#file", films / "numbered.mp4")
        page.click(".film a >> text=numbered.mp4")
        page.wait_for_selector("#preset")
        page.wait_for_selector("#render:enabled")
        page.wait_for_selector("#source option:has-text('Preview by the plan')", state="attached")
        wait_until(page, "document.querySelector('#hint').textContent === ''")
        both_sides_are_one_frame(page)
        knobs_move_the_picture(page)
        assert_accessible(page)
        page.click("#render")
        page.wait_for_selector(
            ".work .task, #source option:has-text('Finished film')", state="attached"
        )
        goes_on_after_a_kill(page, program)
        with page.expect_download() as download:
            page.click("a:has-text('Finished film')")
        result = (tmp_path / "library" / "results").glob("*.mp4")
        assert download.value.path().read_bytes() == next(result).read_bytes()
        page.click("a.brand")
        page.wait_for_selector(".film .chip.done")
        assert_accessible(page)
        assert program.end(signal.SIGINT) == 130


def both_sides_are_one_frame(page) -> None:
    """Standing, stepping, playing."""
    for key, index in (("Home", 0), ("ArrowRight", 1), ("End", 35), ("ArrowLeft", 34)):
        page.keyboard.press(key)
        wait_for_frame(page, index)
    page.keyboard.press("Space")
    seen = []
    for _ in range(25):
        page.wait_for_timeout(40)
        seen.append(numbers(page))
    page.keyboard.press("Space")
    assert all(left == right for left, right in seen), seen
    assert len({left for left, _ in seen}) > 3, seen


def knobs_move_the_picture(page) -> None:
    """What is decided is shown, can be taken back, and differs by shot."""
    page.keyboard.press("Home")
    wait_for_frame(page, 0)
    bright = worst(page)
    page.fill("#strength", "0")
    wait_until(page, "!document.querySelector('#undo').disabled")
    assert np.abs(bright[:60].astype(int) - settled(page, bright)[:60]).max() > 4
    page.click("#undo")
    page.wait_for_selector("output[for=strength]:has-text('100 %')")
    page.click("#off")
    page.wait_for_selector("#off:has-text('Correct this shot')")
    page.click("#reset")
    page.wait_for_selector("#off:has-text('Leave this shot unchanged')")
    a_mask_can_be_inverted(page)
    page.wait_for_selector("#render:enabled")


def a_mask_can_be_inverted(page) -> None:
    """Inverted, a mask without paint keeps all: the picture is as it was."""
    page.wait_for_selector("#mask:has-text('Draw')")
    page.click("#mask")
    page.click("#invert")
    page.click("#mask-done")
    page.wait_for_selector("#mask:has-text('Change')")
    page.click("#mask")
    painted = """() => {
        const { width, height } = document.querySelector("canvas.mask");
        const pen = document.querySelector("canvas.mask").getContext("2d");
        const pixels = pen.getImageData(0, 0, width, height).data;
        return pixels.filter((value, place) => place % 4 === 3 && value === 255).length
            / (width * height);
    }"""
    wait_until(page, f"({painted})() === 1")
    page.click("#invert")
    assert page.evaluate(painted) == 0
    page.click("#mask-done")
    page.wait_for_selector("#mask:has-text('Draw')")


def goes_on_after_a_kill(page, program: Program) -> None:
    program.end(signal.SIGKILL)
    page.wait_for_selector("#offline:not([hidden])")
    program.start()
    page.wait_for_selector("#offline", state="hidden")
    page.wait_for_selector("#source option:has-text('Finished film')", state="attached")
    wait_until(page, "document.querySelector('#source').value === 'result'")
    page.keyboard.press("End")
    wait_for_frame(page, 35)
    page.click("summary:has-text('Export')")


def worst(page) -> np.ndarray:
    """The picture at the first moment that is marked."""
    at = page.evaluate("fetch(`/api/films/${location.hash.split('/')[2]}`).then((r) => r.json())")
    for _ in range(at["worst"][0]):
        page.keyboard.press("ArrowRight")
    wait_for_frame(page, at["worst"][0])
    page.wait_for_timeout(600)
    return picture(page)


def settled(page, before: np.ndarray) -> np.ndarray:
    """The picture once it differs from another, or after some seconds."""
    for _ in range(100):
        now = picture(page)
        if now.shape == before.shape and np.abs(now.astype(int) - before).max() > 4:
            return now
        page.wait_for_timeout(50)
    return now


@pytest.fixture(scope="module")
def many(films, tmp_path_factory):
    """A library with a hundred films, one of them analysed; its queue stands."""
    library = tmp_path_factory.mktemp("library")
    with studio_served(library, films, working=False) as (place, desk):
        for number in range(99):
            added = desk.library.add(films / f"{number}.mp4", name=f"film {number:02d}.mp4")
            desk.library.learn(added.film, headline="Bands", flicker=number / 10)
        desk.library.add(films / HOSTILE, name=HOSTILE)
        yield place, desk


def test_a_hundred_films_are_listed_searched_and_sorted(browser, many):
    place, _ = many
    with visit(browser, place) as page:
        page.wait_for_selector(".film >> nth=99")
        assert HOSTILE in page.locator(".film strong").all_inner_texts()
        page.fill("#search", "film 7")
        wait_until(page, "document.querySelectorAll('.film').length === 10")
        page.select_option("#sort", "flicker")
        wait_until(page, "document.querySelector('.film strong').textContent === 'film 79.mp4'")
        page.fill("#search", "<img")
        wait_until(page, "document.querySelectorAll('.film').length === 1")
        assert_accessible(page)
        page.click(".film button:has-text('Remove')")
        page.wait_for_selector(".empty")


def test_the_chooser_shows_folders_and_adds_a_film(browser, many, films):
    place, desk = many
    with visit(browser, place, viewport={"width": 390, "height": 800}) as page:
        page.click("#choose")
        page.wait_for_selector("dialog[open] button:has-text('numbered.mp4')")
        assert_accessible(page)
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= 390
        page.click("dialog button:has-text('numbered.mp4')")
        page.wait_for_selector("h1:has-text('numbered.mp4')")
        assert re.fullmatch(r"#/film/\w+", page.evaluate("location.hash"))
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert desk.library.tasks("waiting")[-1].kind == "look"


def test_a_film_that_fails_says_why(browser, many):
    place, desk = many
    film = desk.library.films(search="film 07")[0].film
    task = desk.library.submit(film, "look")
    desk.library.change(task.task, state="failed", says=f"{HOSTILE} is no film")
    with visit(browser, place) as page:
        page.fill("#search", "film 07")
        page.wait_for_selector(".film .trouble:has-text('is no film')")
        page.click("#queue-button")
        page.wait_for_selector("#queue .failed:has-text('is no film')")
        page.keyboard.press("Tab")
        assert_accessible(page)
