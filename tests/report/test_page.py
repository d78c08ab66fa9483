import re

import numpy as np
import pytest
from tests.web.browsers import CHROMIUM, SWITCHES, needs_browser

from unflicker.errors import OutputError
from unflicker.report import write_page
from unflicker.report.page import page
from unflicker.settings import Settings, to_dict


def test_the_page_needs_nothing_but_itself(record):
    html = page(record)
    outside = [url for url in re.findall(r'(?:src|href)="([^"]*)"', html) if url[0] != "#"]
    assert all(url.startswith("data:image/") for url in outside)
    assert "<script" not in html
    assert "@import" not in html


def test_the_page_is_small_even_with_noisy_stills(make_record):
    noise = np.random.default_rng(1).integers(0, 256, (360, 640, 3), np.uint8)
    made = make_record()
    for still in made.stills:
        object.__setattr__(still, "before", noise)
        object.__setattr__(still, "after", noise)
    assert len(page(made).encode()) < 3_000_000


def test_a_long_film_gives_a_small_page(make_record):
    assert len(page(make_record(6000, stills=())).encode()) < 1_000_000


def test_names_from_outside_are_escaped(record):
    html = page(record)
    assert "<old>" not in html
    assert "&lt;old&gt;" in html


def test_the_page_shows_every_shot_setting_version_and_note(record):
    html = page(record)
    for text in ("curves+path", "keep_slower_than_seconds", "numpy", *record.notes):
        assert text in html
    assert html.count('<div class="pair">') == 6


def test_the_same_record_gives_the_same_page(record):
    assert page(record) == page(record)


def test_plots_take_their_colours_from_the_page(record):
    html = page(record)
    assert "var(--before)" in html
    assert not re.search("#01020[3-7]", html)


@pytest.mark.parametrize("frames", [1, 2, 3])
def test_the_shortest_films_have_a_page(make_record, frames):
    shots = make_record().shots[:1]
    assert "<svg" in page(make_record(frames, shots=shots))


def test_a_film_that_was_left_alone_has_a_page_without_a_heat_map(make_record):
    still = make_record()
    nothing = np.zeros_like(still.correction_stops)
    html = page(
        make_record(correction_stops=nothing, stills=(), shots=(), visible_flicker_before=0.3)
    )
    assert "No flicker was found" in html
    assert html.count("<svg") == 1


def test_a_film_that_could_not_be_measured_has_a_page(make_record):
    html = page(make_record(visible_flicker_after=float("nan"), output="", stills=()))
    assert not re.search(r"\bnan\b", html.lower())


def test_a_grey_film_has_no_colour_curves(make_record):
    assert "warmth" in page(make_record())
    assert "warmth" not in page(make_record(grey=True))


def test_damaged_frames_are_listed(make_record):
    assert "2 damaged frames" in page(make_record(damaged=(4, 17)))


def test_a_page_is_written_whole_into_a_folder_made_for_it(record, tmp_path):
    target = tmp_path / "a folder" / "page.html"
    write_page(record, target)
    assert target.read_text(encoding="utf-8").endswith("</html>")
    assert [file.name for file in target.parent.iterdir()] == ["page.html"]


def test_a_page_that_cannot_be_written_says_so(record, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="name a place"):
        write_page(record, tmp_path / "file" / "page.html")


def test_settings_that_are_not_the_defaults_come_first_and_all_are_folded(make_record):
    defaults = to_dict(Settings())
    changed = {**defaults, "strength": 0.25, "tone.flashes": "repair"}
    for settings, says in (
        (defaults, "All settings are the defaults"),
        (changed, "not the defaults"),
    ):
        html = page(make_record(settings=settings))
        first, folded = html.split("<details>")
        assert says in first
        assert f"All {len(defaults)} settings" in folded
        rows = {name for name in defaults if f"<code>{name}</code>" in first}
        assert rows == {name for name in settings if settings[name] != defaults[name]}
        assert all(f"<code>{name}</code>" in folded for name in defaults)


@needs_browser
@pytest.mark.parametrize("width", [320, 390, 841, 1200])
def test_charts_stay_readable_in_narrow_windows(make_record, tmp_path, width):
    sync_api = pytest.importorskip("playwright.sync_api")
    write_page(make_record(), tmp_path / "page.html")
    with sync_api.sync_playwright() as player:
        window = player.chromium.launch(executable_path=CHROMIUM, args=SWITCHES.split())
        shown = window.new_page(viewport={"width": width, "height": 800})
        shown.goto((tmp_path / "page.html").as_uri())
        # Nothing but a chart or a table is wider than the window; those scroll on their own.
        assert shown.evaluate("document.documentElement.scrollWidth") <= width
        script = "[...document.querySelectorAll('.chart text')].map(e => e.%s.height)"
        assert min(shown.evaluate(script % "getBoundingClientRect()")) >= 10
        window.close()
