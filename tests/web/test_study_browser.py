"""The study played through in a real browser, by keyboard, as a person would."""

import itertools
import sqlite3
from contextlib import contextmanager

import pytest
from browsers import needs_browser
from visitors import study_served

from unflicker.study import Plan

APART_SECONDS = 0.1
PATIENCE_MS = 90_000

pytestmark = needs_browser


@contextmanager
def visit(browser, place: str):
    """A page with cookies of its own; the test fails should a script of the page fail."""
    context = browser.new_context(viewport={"width": 1280, "height": 720})
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    faults: list[str] = []
    page.on("pageerror", lambda fault: faults.append(str(fault)))
    page.goto(place)
    page.wait_for_selector("#intro:not([hidden])")
    yield page
    context.close()
    assert not faults


def wait_for_pair(page, place: int) -> None:
    """Until both videos of a pair run, and an answer is taken."""
    page.wait_for_selector(
        f'#pair[data-place="{place}"]:not(.loading) button[data-choice=left]:enabled'
    )


def begin(page) -> None:
    """Agree, and press the button."""
    page.check("#agree")
    page.click("#start")


def times_of(page, *, count: int = 40, every_ms: int = 60) -> list[list[float]]:
    """Times of both videos, taken together again and again while neither seeks."""
    return page.evaluate(
        """async ([count, every]) => {
            const videos = ["left", "right"].map((id) => document.getElementById(id));
            const times = [];
            for (let k = 0; k < count; k += 1) {
                await new Promise((resolve) => setTimeout(resolve, every));
                if (videos.every((video) => !video.seeking && !video.paused)) {
                    times.push(videos.map((video) => video.currentTime));
                }
            }
            return times;
        }""",
        [count, every_ms],
    )


def assert_in_sync(times: list[list[float]]) -> None:
    """Within a tenth of a second, but for a moment in which a busy machine stalls one of them."""
    apart = sorted(abs(left - right) for left, right in times)
    assert apart[int(0.95 * (len(apart) - 1))] <= APART_SECONDS, apart


def test_a_person_plays_the_study_through(results, browser):
    plan = Plan(pairs=4, checks=0)
    with study_served(results, plan=plan) as (place, answers), visit(browser, place) as page:
        assert page.inner_text("#intro-count") == "4"
        page.check("#agree")
        page.keyboard.press("Enter")
        assert page.is_visible("#intro")
        page.check("#agree")
        page.keyboard.press("Enter")
        wait_for_pair(page, 0)
        assert page.inner_text("#count") == "1 of 4"

        times = times_of(page, count=50)
        assert len(times) > 20
        assert_in_sync(times)
        first = [left for left, _ in times]
        assert max(first) > 1.0, "the videos do not run"
        assert any(b < a - 0.5 for a, b in itertools.pairwise(first)), "no loop"

        page.keyboard.press("ArrowLeft")
        wait_for_pair(page, 1)
        page.keyboard.press("b")
        wait_for_pair(page, 2)
        page.keyboard.press("Backspace")
        wait_for_pair(page, 1)
        assert [each.choice for each in answers.everything()] == ["left", None, None, None]
        page.keyboard.press("ArrowDown")
        wait_for_pair(page, 2)

        page.reload()
        wait_for_pair(page, 2)
        assert page.inner_text("#count") == "3 of 4"
        times = times_of(page, count=20)
        assert_in_sync(times)
        page.keyboard.press("ArrowRight")
        wait_for_pair(page, 3)
        page.keyboard.press("a")
        page.wait_for_selector("#end:not([hidden])")
        assert page.inner_text("#end-count") == "4"

    with sqlite3.connect(answers.path) as base:
        rows = base.execute("SELECT choice, seconds FROM questions ORDER BY place").fetchall()
    base.close()
    assert [choice for choice, _ in rows] == ["left", "none", "right", "left"]
    assert 2.0 < rows[0][1] < 60.0, "the first pair was looked at for three seconds"


def test_space_stops_both_at_one_frame_and_goes_on(results, browser):
    plan = Plan(pairs=2, checks=0)
    with study_served(results, plan=plan) as (place, _), visit(browser, place) as page:
        page.check("#agree")
        page.keyboard.press("Enter")
        wait_for_pair(page, 0)
        page.keyboard.press("Space")
        page.wait_for_timeout(300)
        assert times_of(page, count=3) == []
        left, right = page.evaluate("[left, right].map((video) => video.currentTime)")
        assert left == pytest.approx(right, abs=1e-3)
        page.keyboard.press("Space")
        assert len(times_of(page, count=10)) > 2


def test_the_input_is_shown_while_its_key_is_held(results, browser):
    plan = Plan(pairs=2, checks=0)
    with study_served(results, plan=plan) as (place, _), visit(browser, place) as page:
        begin(page)
        wait_for_pair(page, 0)
        page.keyboard.down("i")
        page.wait_for_selector("figure[data-side=left] canvas:not([hidden])")
        page.wait_for_selector("figure[data-side=right] .badge:not([hidden])")
        page.keyboard.up("i")
        page.wait_for_selector("figure[data-side=left] canvas", state="hidden")


def test_the_input_fits_below_the_pair(results, browser):
    plan = Plan(pairs=2, checks=0, shown_input="below")
    with study_served(results, plan=plan) as (place, _), visit(browser, place) as page:
        begin(page)
        wait_for_pair(page, 0)
        for height in (720, 500):
            page.set_viewport_size({"width": 1280, "height": height})
            boxes = {side: page.locator(f"#{side}").bounding_box() for side in ("left", "input")}
            assert boxes["input"]["y"] > boxes["left"]["y"] + boxes["left"]["height"]
            assert boxes["input"]["y"] + boxes["input"]["height"] < height
            assert page.evaluate("document.documentElement.scrollHeight") <= height
        times = page.evaluate("[left, right, input].map((video) => video.currentTime)")
        assert max(times) - min(times) <= APART_SECONDS


def test_a_click_on_a_video_is_an_answer(results, browser):
    plan = Plan(pairs=1, checks=0)
    with study_served(results, plan=plan) as (place, answers), visit(browser, place) as page:
        begin(page)
        wait_for_pair(page, 0)
        page.click("#right")
        page.wait_for_selector("#end:not([hidden])")
    assert [each.choice for each in answers.everything()] == ["right"]


def test_a_video_that_is_gone_is_said_and_tried_again(results, browser):
    plan = Plan(pairs=1, checks=0, shown_input="none")
    with study_served(results, plan=plan) as (place, answers), visit(browser, place) as page:
        moved = results / "away"
        (results / "videos").rename(moved)
        begin(page)
        page.wait_for_selector("#trouble:not([hidden])")
        assert "missing" in page.inner_text("#trouble-what")
        moved.rename(results / "videos")
        page.click("#retry")
        wait_for_pair(page, 0)
        page.keyboard.press("n")
        page.wait_for_selector("#end:not([hidden])")
    assert [each.choice for each in answers.everything()] == ["none"]


def test_the_results_page_shows_the_ranking(results, browser):
    plan = Plan(pairs=2, checks=0)
    with study_served(results, plan=plan) as (place, answers), visit(browser, place) as page:
        begin(page)
        wait_for_pair(page, 0)
        page.keyboard.press("ArrowLeft")
        wait_for_pair(page, 1)
        best = answers.everything()[0].left_method
        page.goto(f"{place}results/{answers.owner}/")
        page.wait_for_selector("#found:not([hidden])")
        assert page.inner_text("#headline") == f"{best} is preferred most, not clearly"
        assert page.inner_text("#ranking").count("%") >= 6
