"""Films by URL: read piece by piece, results copied there; here in a storage in memory."""

import io
import json
import pickle
import sys
from itertools import count

import pytest

import unflicker
from made_clips import panning
from unflicker import RunOptions
from unflicker.batch import Beside, FilmTask, films_of, make_film, plan_jobs
from unflicker.errors import InputError, MissingError, OutputError
from unflicker.files.remote import RemotePath, as_path
from unflicker.files.workspace import content_key
from unflicker.progress import silent
from unflicker.settings import Settings
from unflicker.synthesis import synthesise
from unflicker.video import ArraySource, open_writer

fsspec = pytest.importorskip("fsspec")
FAST = Settings.from_preset("fast")
URL = "memory://archive/a/film.mp4"


@pytest.fixture(scope="module")
def local(tmp_path_factory):
    film = ArraySource(synthesise(panning(time=14, size=(64, 96)), kind="exposure", seed=1).clip)
    with open_writer(film, tmp_path_factory.mktemp("local") / "film.mp4") as writer:
        for frame in film.frames():
            writer.write(frame)
    return writer.format.target


@pytest.fixture
def storage(local, tmp_path, monkeypatch):
    """The storage, with the film in it, and an empty folder to work in."""
    monkeypatch.chdir(tmp_path)
    memory = fsspec.filesystem("memory")
    memory.store.clear()
    usual = type(memory)._open

    def opened(self, path, mode="rb", **options):
        """A reader of its own: those of this storage share one position."""
        file = usual(self, path, mode=mode, **options)
        return io.BytesIO(file.getvalue()) if mode == "rb" else file

    monkeypatch.setattr(type(memory), "_open", opened)
    memory.pipe_file("/archive/a/film.mp4", local.read_bytes())
    yield memory
    memory.store.clear()


def test_a_url_is_a_path_with_name_and_neighbours():
    path = as_path(URL)
    assert isinstance(path, RemotePath)
    assert (path.url, path.name, path.suffix) == (URL, "film.mp4", ".mp4")
    assert as_path(str(path)).with_name("x.mkv").url == "memory://archive/a/x.mkv"
    assert pickle.loads(pickle.dumps(path)).url == URL


@pytest.mark.parametrize("name", ["film.mp4", "/tmp/film.mp4", "C:/film.mp4", "a:b.mp4", "x:", ""])
def test_other_names_are_paths_of_this_machine(name):
    assert not isinstance(as_path(name), RemotePath)


def test_a_name_that_exists_here_is_no_url(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "memory:").mkdir()
    (tmp_path / "memory:" / "film.mp4").touch()
    assert not isinstance(as_path("memory:/film.mp4"), RemotePath)


def test_a_film_of_a_url_is_the_same_as_that_of_a_file(storage, local, tmp_path):
    unflicker.run(local, tmp_path / "from_file.mp4", settings=FAST)
    unflicker.run(URL, tmp_path / "from_url.mp4", settings=FAST)
    assert (tmp_path / "from_file.mp4").read_bytes() == (tmp_path / "from_url.mp4").read_bytes()


def test_a_result_is_copied_there_and_nothing_stays_here(storage, local, tmp_path):
    record = unflicker.run(URL, settings=FAST)
    assert record.output == "memory://archive/a/film_unflickered.mp4"
    assert not list(tmp_path.iterdir())
    unflicker.run(local, tmp_path / "here.mp4", settings=FAST)
    copied = storage.cat_file("/archive/a/film_unflickered.mp4")
    assert copied == (tmp_path / "here.mp4").read_bytes()
    with pytest.raises(OutputError, match="already there"):
        unflicker.run(URL, settings=FAST)
    unflicker.run(URL, settings=FAST, options=RunOptions(overwrite=True))


def test_a_batch_writes_its_papers_there(storage):
    jobs, _ = plan_jobs(
        films_of([URL]),
        output="memory://results/",
        beside=Beside(report="memory://results/", checksums=True, events=True),
    )
    task = FilmTask(job=jobs[0], settings=FAST, options=RunOptions(), skips=True)
    assert make_film(task, silent).state == "done"
    assert sorted(storage.ls("/results", detail=False)) == [
        f"/results/{name}"
        for name in (
            "film.html",
            "film_unflickered.mp4",
            "film_unflickered.mp4.framemd5",
            "film_unflickered.mp4.premis.json",
            "film_unflickered.mp4.sha256",
        )
    ]
    events = json.loads(storage.cat_file("/results/film_unflickered.mp4.premis.json"))
    assert events["objects"][0]["objectIdentifier"]["value"] == URL
    assert make_film(task, silent).state == "skipped"


def test_the_key_of_a_film_changes_with_its_content(storage):
    before = content_key(as_path(URL))
    storage.pipe_file("/archive/a/film.mp4", b"something else")
    assert content_key(as_path(URL)) != before


def test_what_is_not_there_is_one_clear_line(storage):
    with pytest.raises(InputError, match=r"no such file: memory://archive/none\.mp4"):
        unflicker.run("memory://archive/none.mp4", settings=FAST)


def test_a_connection_that_breaks_is_one_clear_line(storage, monkeypatch, tmp_path):
    reads = count()

    class Breaking(io.BytesIO):
        def read(self, *given):
            if next(reads) > 2:
                raise ConnectionResetError("reset\nby peer")
            return super().read(*given)

    content = storage.cat_file("/archive/a/film.mp4")
    monkeypatch.setattr(type(storage), "_open", lambda *_, **__: Breaking(content))
    with pytest.raises(InputError, match=r"film\.mp4 cannot be read on: reset by peer; the same"):
        unflicker.run(URL, tmp_path / "out.mp4", settings=FAST)


def test_a_result_that_cannot_be_copied_is_kept_and_named(storage, monkeypatch, local, tmp_path):
    def full(*_, **__):
        raise OSError("no room")

    monkeypatch.setattr(type(storage), "put_file", full)
    with pytest.raises(OutputError, match=r"film\.mp4 cannot be written: no room") as told:
        unflicker.run(local, "memory://results/film.mp4", settings=FAST)
    assert str(tmp_path / ".film.to-copy.mp4") in told.value.__notes__[0]
    assert (tmp_path / ".film.to-copy.mp4").exists()


def test_an_unknown_kind_of_storage_is_named(storage):
    with pytest.raises(InputError, match=r"nowhere://a/film.* cannot be read: .*nowhere"):
        unflicker.run("nowhere://a/film.mp4", settings=FAST)


def test_without_fsspec_the_extra_is_named(storage, monkeypatch):
    monkeypatch.setitem(sys.modules, "fsspec.core", None)
    with pytest.raises(MissingError, match=r"unflicker\[remote\]"):
        unflicker.run(URL, settings=FAST)
