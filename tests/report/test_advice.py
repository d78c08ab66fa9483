"""Every kind of finding has a name and says what to do."""

import json
from dataclasses import replace

import pytest

from unflicker.report.advice import advice
from unflicker.report.analysis import as_json
from unflicker.report.words import KINDS


def record_of(make_record, *changes, **given):
    """A record of a shot for each change; a change is a kind, or fields of a shot."""
    first = make_record().shots[0]
    steady = replace(first, diagnosis=replace(first.diagnosis, kind="none", model="nothing"))
    shots = [
        replace(steady, **change)
        if isinstance(change, dict)
        else replace(steady, diagnosis=replace(first.diagnosis, kind=change))
        for change in changes
    ]
    return make_record(shots=tuple(shots), **given)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "none"])
def test_every_kind_of_light_has_its_advice_and_its_shots(make_record, kind):
    found = advice(record_of(make_record, "none", kind, "none", kind))
    assert [(one.kind, one.shots) for one in found] == [(kind, (1, 3))]
    assert found[0].line.startswith(f"{KINDS[kind]} (shots 1, 3): ")
    assert ("--lock-exposure" in found[0].do) == (kind == "auto exposure")


def test_a_steady_film_needs_nothing(make_record):
    assert advice(record_of(make_record, "none", visible_flicker_before=0.4)) == ()


@pytest.mark.parametrize(
    ("change", "kind"), [({"fine_light": True}, "fine light"), ({"calmed": True}, "texture")]
)
def test_what_other_stages_found_is_named(make_record, change, kind):
    found = advice(record_of(make_record, change, visible_flicker_before=3.0))
    assert [(one.kind, one.shots) for one in found] == [(kind, (0,))]
    assert "(shot 0): " in found[0].line


@pytest.mark.parametrize(("refines", "hint"), [(True, "--original"), (False, "--preset standard")])
def test_flicker_that_nothing_explains_is_named(make_record, refines, hint):
    settings = {"refinement.used": refines}
    film = record_of(make_record, "none", visible_flicker_before=1.9, settings=settings)
    assert [one.kind for one in advice(film)] == ["unexplained"]
    assert hint in advice(film)[0].line


def test_drift_beside_other_flicker_and_damage_are_named_in_json_too(make_record):
    film = record_of(make_record, "exposure", damaged=(3, 5), incomplete=True)
    drifting = replace(film.shots[0].diagnosis, exposure_drift_stops=0.4)
    film = replace(film, shots=(replace(film.shots[0], diagnosis=drifting),))
    kinds = ["exposure", "auto exposure", "damaged frames", "incomplete"]
    assert [one.kind for one in advice(film)] == kinds
    told = json.loads(as_json(film))["findings"]
    assert [one["kind"] for one in told] == kinds
    assert all(one["what"] and one["do"] for one in told)
    locked = replace(film, settings={**film.settings, "tone.lock_exposure": True})
    assert "auto exposure" not in [one.kind for one in advice(locked)]


def test_many_shots_are_counted(make_record):
    line = advice(record_of(make_record, *["bands"] * 12))[0].line
    assert "(shots 0, 1, 2, 3, 4, 5, 6, 7 and 4 more)" in line


@pytest.mark.parametrize(("spots", "named"), [(None, False), (1.0, False), (19.6, True)])
def test_spots_are_named_where_there_are_many(make_record, spots, named):
    film = record_of(make_record, "none", visible_flicker_before=0.4, spots=spots)
    assert [one.kind for one in advice(film)] == (["spots"] if named else [])
    assert not named or "about 20 spots" in advice(film)[0].line
    assert all("--clean dirt" in one.do and one.is_noted for one in advice(film))
