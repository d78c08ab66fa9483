"""dataset build and dataset list."""

import json

import pytest

from made_clips import panning
from unflicker.settings import EncodingSettings
from unflicker.video import ArraySource, open_writer


@pytest.fixture
def steady(tmp_path):
    folder = tmp_path / "steady"
    folder.mkdir()
    for seed, name in enumerate(("apple", "pear")):
        film = ArraySource(panning(time=4, size=(36, 64), seed=seed))
        with open_writer(
            film, folder / f"{name}.mkv", encoding=EncodingSettings(codec="ffv1")
        ) as writer:
            for frame in film.frames():
                writer.write(frame)
    return folder


def test_build_prints_the_examples_it_made_and_list_tells_of_them(call, steady, tmp_path):
    out = tmp_path / "data"
    options = ("--kinds", "bands,local tint", "--width", "64", "--frames", "3", "-q")
    code, printed, _ = call("dataset", "build", steady, "-o", out, *options)
    assert code == 0
    assert printed.split("\n")[:-1] == [
        "apple/bands", "apple/local tint", "pear/bands", "pear/local tint"
    ]  # fmt: skip
    code, table, _ = call("dataset", "list", out)
    assert code == 0
    assert table.splitlines()[1].split() == ["apple/bands", "synthetic", "bands", "truth"]
    code, text, _ = call("dataset", "list", out, "--json")
    rows = json.loads(text)
    assert code == 0
    assert [row["kind"] for row in rows] == ["bands", "local tint"] * 2
    assert rows[0]["truth"].endswith("truth.mkv")


def test_a_half_of_the_films_is_chosen_by_a_file(call, steady, tmp_path):
    split = tmp_path / "split.json"
    split.write_text(json.dumps({"held-out": ["pear"]}))
    options = ("--kinds", "w1", "--split", f"{split}:held-out")
    code, printed, _ = call("dataset", "build", steady, "-o", tmp_path / "data", *options)
    assert (code, printed) == (0, "pear/w1\n")


def test_a_half_that_is_not_there_is_refused(call, steady, tmp_path):
    split = tmp_path / "split.json"
    split.write_text("{}")
    code, _, err = call(
        "dataset", "build", steady, "-o", tmp_path / "data", "--split", f"{split}:mine"
    )
    assert code == 2
    assert "FILE.json:HALF" in err


def test_a_film_or_kind_that_is_not_there_is_refused(call, steady, tmp_path):
    out = tmp_path / "data"
    assert call("dataset", "build", steady, "-o", out, "--names", "plum")[0] == 3
    code, _, err = call("dataset", "build", steady, "-o", out, "--kinds", "bnds")
    assert code == 2
    assert "there are" in err
    assert not out.exists()


def test_a_folder_that_holds_no_data_set_is_refused(call, steady):
    code, _, err = call("dataset", "list", steady)
    assert code == 3
    assert "dataset build" in err


@pytest.mark.parametrize("command", ["build", "list"])
def test_the_help_of_each_fits_a_screen_and_ends_with_an_example(call, command, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    code, out, _ = call("dataset", command, "--help")
    assert code == 0
    assert len(out.splitlines()) <= 55
    assert "Example:" in out
