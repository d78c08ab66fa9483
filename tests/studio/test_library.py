"""The library on disk: films, decisions and tasks survive, names are found, one studio has it."""

import sqlite3

import pytest

from unflicker.errors import InputError, OutputError, UsageError
from unflicker.studio.library import Library
from unflicker.studio.queue import Queue
from unflicker.studio.steering import Steering


@pytest.fixture
def library(tmp_path):
    library = Library(tmp_path / "library")
    yield library
    library.close()


def add(library: Library, name: str, **given) -> str:
    return library.add(library.folder / name, name=name, **given).film


def test_a_film_is_added_once(library):
    one, same = add(library, "a.mp4"), add(library, "a.mp4")
    assert one == same
    assert [film.film for film in library.films()] == [one]


def test_everything_is_there_again_after_a_restart(library, tmp_path):
    film = add(library, "a.mp4")
    library.learn(film, flicker=0.4, headline="flickers")
    library.decide(film, Steering(strength=0.5))
    task = library.submit(film, "look")
    library.close()

    again = Library(tmp_path / "library")
    assert again.film(film).facts == {"flicker": 0.4, "headline": "flickers"}
    assert again.steering(film) == Steering(strength=0.5)
    assert again.task(task.task).state == "waiting"
    again.close()


def test_what_was_running_waits_again(library):
    film = add(library, "a.mp4")
    task = library.submit(film, "render", {"target": "x.mp4"})
    library.change(task.task, state="running", done=7)
    queue = Queue(library)
    queue._lanes = []
    with queue:
        assert library.task(task.task).state == "waiting"
        assert library.task(task.task).done == 0


@pytest.mark.parametrize("search", ["100%", "_", "\\", "Ä", "'; DROP TABLE films; --"])
def test_a_search_is_for_text_not_for_patterns(library, search):
    wanted = add(library, f"a {search} b.mp4")
    add(library, "other.mp4")
    assert [film.film for film in library.films(search=search)] == [wanted]


def test_films_are_sorted(library):
    films = {name: add(library, name) for name in ("b.mp4", "A.mp4", "c.mp4")}
    library.learn(films["c.mp4"], flicker=2.0)
    library.learn(films["A.mp4"], flicker=0.1)

    def names(sort: str) -> list[str]:
        return [film.name for film in library.films(sort=sort)]

    assert names("name") == ["A.mp4", "b.mp4", "c.mp4"]
    assert names("flicker") == ["c.mp4", "A.mp4", "b.mp4"]
    assert names("nonsense") == names("added")


def test_decisions_are_taken_back_one_by_one(library):
    film = add(library, "a.mp4")
    assert not library.can_undo(film)
    for strength in (0.1, 0.2, 0.2, 0.3):
        library.decide(film, Steering(strength=strength))
    seen = []
    while library.can_undo(film):
        seen.append(library.steering(film).strength)
        library.undo(film)
    assert seen == [0.3, 0.2, 0.1]
    assert library.steering(film) == Steering()
    library.undo(film)


def test_the_same_work_is_not_put_in_the_queue_twice(library):
    film, other = add(library, "a.mp4"), add(library, "b.mp4")
    first = library.submit(film, "preview", {"start": 1})
    assert library.submit(film, "preview", {"start": 1}).task == first.task
    assert library.submit(film, "preview", {"start": 2}).task != first.task
    assert library.submit(other, "preview", {"start": 1}).task != first.task
    library.change(first.task, state="done")
    assert library.submit(film, "preview", {"start": 1}).task != first.task


def test_a_task_that_waits_is_cancelled_at_once(library):
    film = add(library, "a.mp4")
    task = library.submit(film, "render")
    Queue(library).cancel(task.task)
    assert library.task(task.task).state == "cancelled"


def test_removing_a_film_takes_an_uploaded_file_and_no_other(library):
    for name, uploaded in (("mine.mp4", False), ("sent.mp4", True)):
        (library.folder / name).write_bytes(b"film")
        film = add(library, name, uploaded=uploaded)
        library.folder_of(film).mkdir(parents=True)
        library.submit(film, "look")
        library.decide(film, Steering(strength=0.5))
        library.remove(film)
        assert not library.folder_of(film).exists()
    assert (library.folder / "mine.mp4").exists()
    assert not (library.folder / "sent.mp4").exists()
    assert library.films() == []
    assert library.tasks() == []


def test_there_is_no_film_and_no_task_of_other_names(library):
    with pytest.raises(UsageError, match="no such film"):
        library.film("../../etc")
    with pytest.raises(UsageError, match="no such task"):
        library.task(99)


def test_a_second_studio_is_refused(library):
    with pytest.raises(OutputError, match="another studio"):
        Library(library.folder)


def test_another_version_and_another_file_are_refused(tmp_path):
    Library(tmp_path / "a").close()
    with sqlite3.connect(tmp_path / "a" / "studio.sqlite") as base:
        base.execute("UPDATE studio SET value = '99'")
    base.close()
    with pytest.raises(InputError, match="version 99"):
        Library(tmp_path / "a")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "studio.sqlite").write_bytes(b"no database at all, " * 100)
    with pytest.raises(InputError, match="no library"):
        Library(tmp_path / "b")
    (tmp_path / "c").write_bytes(b"")
    with pytest.raises(InputError, match="no library"):
        Library(tmp_path / "c")
