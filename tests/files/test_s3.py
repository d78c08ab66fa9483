"""Films in S3, by a server on this machine: what is read, and what is said when it fails."""

import logging
import threading
from types import SimpleNamespace

import pytest

import unflicker
from made_clips import panning
from unflicker.errors import InputError, OutputError
from unflicker.settings import EncodingSettings, Settings
from unflicker.synthesis import synthesise
from unflicker.video import ArraySource, open_writer

fsspec, s3fs = pytest.importorskip("fsspec"), pytest.importorskip("s3fs")
moto, serving = pytest.importorskip("moto.server"), pytest.importorskip("werkzeug.serving")
FAST = Settings.from_preset("fast")
URL = "s3://archive/film.mp4"
REFUSED = b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"


class Storage:
    """The server, which may refuse or break off; it notes which part of which file was read."""

    def __init__(self) -> None:
        self.app = moto.DomainDispatcherApplication(moto.create_backend_app)
        self.fault, self.ranges = "", []

    def __call__(self, environ, start):
        reads = environ["REQUEST_METHOD"] == "GET" and environ["PATH_INFO"].endswith(".mp4")
        if reads:
            self.ranges.append(environ.get("HTTP_RANGE"))
        if self.fault == "refuses":
            length = ("Content-Length", f"{len(REFUSED) * reads}")
            start("403 Forbidden", [("Content-Type", "application/xml"), length])
            return [REFUSED] * reads
        if self.fault == "breaks off" and reads:
            start("206 Partial Content", [("Content-Length", "1000000")])
            return [b"x"]
        return self.app(environ, start)


@pytest.fixture(scope="module")
def server():
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    storage = Storage()
    made = serving.make_server("127.0.0.1", 0, storage, threaded=True)
    thread = threading.Thread(target=made.serve_forever)
    thread.start()
    yield SimpleNamespace(storage=storage, url=f"http://127.0.0.1:{made.server_port}")
    made.shutdown()
    thread.join()
    made.server_close()


@pytest.fixture
def storage(server, tmp_path, monkeypatch):
    """The server, with a film of more than one piece in it, which is also in the folder."""
    names = {"ENDPOINT_URL": server.url, "ACCESS_KEY_ID": "me", "SECRET_ACCESS_KEY": "mine"}
    for name, value in (names | {"EC2_METADATA_DISABLED": "true"}).items():
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(s3fs.S3FileSystem, "retries", 1)
    monkeypatch.chdir(tmp_path)
    film = ArraySource(synthesise(panning(time=30, size=(200, 300)), kind="exposure", seed=1).clip)
    lossless = EncodingSettings(codec="libx264", crf=0.0)
    with open_writer(film, tmp_path / "film.mp4", encoding=lossless) as writer:
        for frame in film.frames():
            writer.write(frame)
    assert (tmp_path / "film.mp4").stat().st_size > 1 << 20
    s3fs.S3FileSystem.clear_instance_cache()
    system = fsspec.filesystem("s3")
    system.mkdirs("archive", exist_ok=True)
    system.put_file(str(tmp_path / "film.mp4"), "archive/film.mp4")
    s3fs.S3FileSystem.clear_instance_cache()
    server.storage.ranges.clear()
    yield server.storage
    server.storage.fault = ""


def test_a_film_is_read_by_range_and_its_result_copied_there(storage, tmp_path):
    unflicker.run(tmp_path / "film.mp4", tmp_path / "here.mp4", settings=FAST)
    unflicker.run(URL, "s3://archive/out/film.mp4", settings=FAST)
    assert storage.ranges
    assert all(storage.ranges)
    copied = fsspec.filesystem("s3").cat_file("archive/out/film.mp4")
    assert copied == (tmp_path / "here.mp4").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["film.mp4", "here.mp4"]


@pytest.mark.parametrize("name", ["s3://archive/none.mp4", "s3://nowhere/film.mp4"])
def test_what_is_not_there_is_named(storage, name):
    with pytest.raises(InputError, match=f"^no such file: {name}; check the name$"):
        unflicker.run(name, "out.mp4", settings=FAST)


@pytest.mark.parametrize("fault", ["refuses", "breaks off"])
def test_a_storage_that_fails_is_one_clear_line(storage, fault):
    storage.fault = fault
    with pytest.raises(InputError, match=r"^s3://archive/film.mp4 cannot be read") as told:
        unflicker.run(URL, "out.mp4", settings=FAST)
    assert "\n" not in str(told.value)


def test_a_connection_that_breaks_in_the_middle_is_one_clear_line(storage, tmp_path):
    def report(progress):
        storage.fault = "breaks off"

    with pytest.raises(InputError, match=r"cannot be read on: .*; the same command continues"):
        unflicker.run(URL, "out.mp4", settings=FAST, progress=report)
    assert [path.name for path in tmp_path.iterdir()] == ["film.mp4"]


def test_without_credentials_it_says_so(storage, monkeypatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(InputError, match=r"film\.mp4 cannot be read: .*credentials.*; check"):
        unflicker.run(URL, "out.mp4", settings=FAST)


def test_a_result_that_cannot_be_copied_is_kept_here(storage, tmp_path):
    with pytest.raises(OutputError, match=r"s3://nowhere/out\.mp4 cannot be written") as told:
        unflicker.run(tmp_path / "film.mp4", "s3://nowhere/out.mp4", settings=FAST)
    assert str(tmp_path / ".out.to-copy.mp4") in told.value.__notes__[0]
    assert (tmp_path / ".out.to-copy.mp4").exists()
