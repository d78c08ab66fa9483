import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from unflicker.metrics import Flashes
from unflicker.report import SCHEMA_VERSION, as_json, curves, headline, summary, write_json
from unflicker.report.page import page
from unflicker.report.words import flash_safety, kind_of, share_removed

films = arrays(np.float32, st.integers(1, 400), elements=st.floats(0, 1, width=32))


@given(values=films, places=st.integers(1, 50))
@settings(max_examples=60, deadline=None)
def test_an_envelope_keeps_every_extreme_and_the_order_of_time(values, places):
    at, kept = curves.envelope(values, places=places)
    assert len(at) <= 2 * places
    assert (np.diff(at) > 0).all()
    assert (kept.min(), kept.max()) == (values.min(), values.max())


def test_shortening_a_heat_map_does_not_average_flicker_away():
    flicker = np.tile(np.array([[0.5], [-0.5]], np.float32), (500, 3))
    assert (np.abs(curves.strongest(flicker, places=100)) == 0.5).all()


@pytest.mark.parametrize(("frames", "places"), [(360, 175), (7, 3), (1000, 999), (40, 40)])
def test_columns_of_a_heat_map_are_where_their_frames_are(frames: int, places: int) -> None:
    index = np.arange(1, frames + 1, dtype=np.float32)[:, None]
    columns = curves.strongest(index, places=places)[:, 0]
    share = columns / frames
    drawn = np.arange(1, places + 1) / places
    assert np.abs(share - drawn).max() <= 1.0 / frames


def test_grey_has_no_warmth_and_no_tint():
    grey = np.linspace(0, 1, 9, dtype=np.float32)[:, None].repeat(3, axis=1)
    assert np.abs(curves.warmth(grey)).max() < 1e-6
    assert np.abs(curves.tint(grey)).max() < 1e-6


def test_worst_moments_are_apart_and_in_order(record):
    moments = curves.worst_moments(record, count=8)
    assert len(moments) == 8
    assert min(np.diff(moments)) >= 120 // 32


def test_the_headline_says_what_how_much_and_what_is_left(record):
    text = headline(record)
    assert "parts of the picture, 0.31 stops" in text
    assert "every 4 frames (6 Hz)" in text
    assert "86\u00a0% of the visible flicker was removed" in text


def test_what_was_only_analysed_is_not_called_removed(make_record):
    assert "can be removed" in headline(make_record(output=""))


@pytest.mark.parametrize("before", [0.0, 0.01, float("nan")])
def test_a_share_of_nothing_is_not_a_number_for_people(make_record, before):
    made = make_record(visible_flicker_before=before)
    assert share_removed(made) is None
    assert "%" not in headline(made)


def test_a_result_that_got_worse_is_not_praised(make_record):
    assert "has not decreased" in headline(make_record(visible_flicker_after=5.0))


def test_the_summary_is_one_line(record):
    assert "\n" not in summary(record)
    assert "4.20 -> 0.60" in summary(record)


@pytest.mark.parametrize("output", ["out.mp4", ""])
def test_only_a_film_that_is_left_alone_is_said_to_have_no_flicker(make_record, output) -> None:
    first = make_record().shots[0]
    steady = replace(first, diagnosis=replace(first.diagnosis, kind="none", model="nothing"))
    alone, calmed = (
        make_record(
            shots=(replace(steady, calmed=calm),), output=output, visible_flicker_before=0.4
        )
        for calm in (False, True)
    )
    assert "No flicker" in headline(alone)
    assert "no flicker" in summary(alone)
    assert "flicker of texture" in headline(calmed)
    assert "flicker of texture" in summary(calmed)
    assert "no flicker" not in headline(calmed).lower()


def test_flicker_that_cannot_be_removed_is_not_said_to_be_none(make_record) -> None:
    first = make_record().shots[0]
    steady = replace(first, diagnosis=replace(first.diagnosis, kind="none", model="nothing"))
    for refines, hint in ((True, False), (False, True)):
        seen = make_record(
            shots=(steady,), visible_flicker_before=1.9, settings={"refinement.used": refines}
        )
        for text in (headline(seen), summary(seen)):
            assert "in a way that this preset cannot remove" in text
            assert "no flicker" not in text.lower()
            assert ("standard may" in text) == hint


@pytest.mark.parametrize("calm", [False, True])
@pytest.mark.parametrize("output", ["out.mp4", ""])
def test_lamps_that_are_corrected_are_not_left_as_they_are(make_record, output, calm) -> None:
    first = make_record().shots[0]
    steady = replace(first, diagnosis=replace(first.diagnosis, kind="none", model="nothing"))
    lit = make_record(
        shots=(steady, replace(steady, fine_light=True, calmed=calm)),
        output=output,
        visible_flicker_before=1.0,
        visible_flicker_after=0.4,
    )
    done = "was removed" if output else "can be removed"
    assert headline(lit).startswith("Flicker of small places, such as lamps")
    assert headline(lit).endswith(f"60\u00a0% of the visible flicker {done}.")
    assert "small places, such as lamps" in summary(lit)
    for text in (headline(lit), summary(lit)):
        assert ("texture" in text) == calm
        assert "no flicker" not in text.lower()
        assert "left as it is" not in text
    assert kind_of(lit.shots[0]) == "no flicker"
    assert "lamps" in kind_of(lit.shots[1])
    told = [shot["fine_light"] for shot in json.loads(as_json(lit))["shots"]]
    assert told == [False, True]


def test_what_a_shot_is_corrected_by_is_named(make_record) -> None:
    first = make_record().shots[0]
    steady = replace(first, diagnosis=replace(first.diagnosis, model="nothing"))
    assert replace(first, fine_light=True).corrected_by == "curves+path + fine light"
    assert replace(steady, fine_light=True).corrected_by == "fine light"
    every = replace(steady, fine_light=True, guided=True, calmed=True)
    assert every.corrected_by == "fine light + atlas + refinement"


def test_flicker_that_nobody_measured_is_not_said_to_be_none(make_record):
    unmeasured = float("nan")
    made = make_record(
        shots=(), visible_flicker_before=unmeasured, visible_flicker_after=unmeasured
    )
    assert "not measured" in headline(made)
    assert "no flicker" not in summary(made)
    assert "– -> –" in summary(made)


def test_json_has_its_version_and_every_shot(record):
    content = json.loads(as_json(record))
    assert content["schema_version"] == SCHEMA_VERSION
    assert [shot["kind"] for shot in content["shots"]] == ["local", "exposure"]
    assert content["shots"][1]["start_seconds"] == pytest.approx(2.5)
    assert content["shots"][0]["frequency_hz"] == 6.0


@pytest.mark.parametrize(("after", "safe"), [(2, True), (5, False)])
def test_flashes_before_and_after_are_in_json_and_said_where_one_is_unsafe(
    make_record, after, safe
):
    before = Flashes(picture=1, field=9, unsafe_seconds=3.0)
    left = Flashes(picture=1, field=after, unsafe_seconds=0.0 if safe else 2.5)
    made = make_record(flashes_before=before, flashes_after=left)
    found = json.loads(as_json(made))["general_flashes"]
    assert found["before"] == {
        "a_second_over_a_quarter": 1,
        "a_second_in_a_field": 9,
        "unsafe_seconds": 3.0,
        "safe": False,
    }
    assert found["after"]["safe"] is safe
    assert ("2.5 s, may harm" in flash_safety(made)) is not safe
    assert f"9 → {after}" in page(made)
    calm = Flashes(picture=0, field=3, unsafe_seconds=0.0)
    assert "flashes a second" not in page(make_record(flashes_before=calm, flashes_after=calm))


def test_json_is_strict_where_numbers_are_missing(make_record, tmp_path):
    made = make_record(visible_flicker_after=float("nan"), output="")
    write_json(made, tmp_path / "film.json")
    text = (tmp_path / "film.json").read_text(encoding="utf-8")
    content = json.loads(text, parse_constant=lambda word: pytest.fail(word))
    assert content["visible_flicker_delta_e"]["after"] is None
    assert content["output"] is None
