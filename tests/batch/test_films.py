"""Which films a call names."""

import os

import pytest

from unflicker.batch import films_of
from unflicker.errors import InputError, UsageError


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """Films at several depths, a folder of stills, and things that are no film."""
    monkeypatch.chdir(tmp_path)
    for name in (
        "one.mp4", "Two.MOV", "notes.txt", ".hidden.mp4", "deep/three.mkv", "deep/poster.jpg",
        "deep/deeper/four.avi", "stills/0.png", "stills/1.png", "out/old.mp4", ".cache/x.mp4",
    ):  # fmt: skip
        place = tmp_path / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.touch()
    return tmp_path


def paths(films):
    return [str(film.path) for film in films]


def test_a_folder_gives_its_own_films(tree):
    assert paths(films_of(["."])) == ["Two.MOV", "one.mp4"]


def test_recursive_also_gives_those_below_with_their_places(tree):
    films = films_of(["."], recursive=True, output="out/")
    assert [(film.path.name, str(film.under)) for film in films] == [
        ("Two.MOV", "."),
        ("one.mp4", "."),
        ("three.mkv", "deep"),
        ("four.avi", os.path.join("deep", "deeper")),
        ("stills", "."),
    ]


def test_a_folder_of_pictures_is_one_film(tree):
    assert paths(films_of(["stills"])) == ["stills"]
    assert paths(films_of(["stills"], recursive=True)) == ["stills"]


def test_a_folder_without_films_says_where_some_may_be(tree):
    (tree / "deep/deeper/four.avi").rename(tree / "deep/deeper/four.txt")
    with pytest.raises(UsageError, match="--recursive"):
        films_of(["deep/deeper"])


def test_our_own_results_are_no_films(tree):
    (tree / "one_unflickered.mp4").touch()
    (tree / "alone_unflickered.mp4").touch()
    assert paths(films_of(["."])) == ["Two.MOV", "alone_unflickered.mp4", "one.mp4"]
    assert paths(films_of(["one_unflickered.mp4"])) == ["one_unflickered.mp4"]


def test_patterns_are_for_names_that_do_not_exist(tree):
    assert paths(films_of(["*.mp4"])) == ["one.mp4"]
    assert paths(films_of(["**/*.avi"])) == [os.path.join("deep", "deeper", "four.avi")]
    (tree / "a[1].mp4").touch()
    assert paths(films_of(["a[1].mp4"])) == ["a[1].mp4"]
    with pytest.raises(InputError, match=r"\*\.wmv"):
        films_of(["*.wmv"])


def test_a_list_names_more(tree):
    listed = tree / "list.txt"
    listed.write_text("# old films\n\ndeep/three.mkv\n*.mp4\n", encoding="utf-8-sig")
    assert paths(films_of(["Two.MOV"], listed=listed)) == [
        "Two.MOV",
        os.path.join("deep", "three.mkv"),
        "one.mp4",
    ]


@pytest.mark.parametrize("content", [b"", b"# nothing\n", b"\xff\xfe\x00\x81", None])
def test_a_list_that_names_none_is_refused(tree, content):
    listed = tree / "list.txt"
    if content is not None:
        listed.write_bytes(content)
    with pytest.raises(InputError, match=r"list\.txt"):
        films_of([], listed=listed)


def test_each_film_is_taken_once(tree):
    assert paths(films_of(["one.mp4", "./one.mp4", "*.mp4", "."])) == ["one.mp4", "Two.MOV"]


def test_no_film_is_an_error():
    with pytest.raises(UsageError, match="no film is named"):
        films_of([])
