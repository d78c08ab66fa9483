"""Where results go, and that nothing there is ever damaged."""

# ruff: noqa: PT012 - the fault must come from inside the writer's block

import errno
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from made_films import make_film, read, rewrite

from unflicker.errors import OutputError
from unflicker.files.parts import part_of
from unflicker.video.source import open_video
from unflicker.video.writer import default_target, open_writer, resolve_target


@pytest.fixture
def source(tmp_path):
    return make_film(tmp_path / "film.mp4")


def hidden(folder):
    return [file.name for file in folder.iterdir() if file.name.startswith(".")]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("film.mp4", "film_unflickered.mp4"),
        ("a.b.MKV", "a.b_unflickered.MKV"),
        ("noending", "noending_unflickered.mkv"),
        ("film.wmv", "film_unflickered.wmv"),
        ("film.gif", "film_unflickered.mkv"),
        ("-x.mov", "-x_unflickered.mov"),
    ],
)
def test_the_default_name_lies_beside_the_source(tmp_path, name, expected):
    assert default_target(tmp_path / name) == tmp_path / expected


def test_a_folder_of_pictures_gets_a_folder_beside_it(tmp_path):
    (tmp_path / "shots.v2").mkdir()
    assert default_target(tmp_path / "shots.v2") == tmp_path / "shots.v2_unflickered"


def test_o_names_a_file_or_a_folder(tmp_path, monkeypatch, source):
    monkeypatch.chdir(tmp_path)
    assert resolve_target(source, None) == tmp_path / "film_unflickered.mp4"
    assert resolve_target(source, "other.mkv") == Path("other.mkv")
    assert resolve_target(source, "deep/er/other.mkv") == Path("deep/er/other.mkv")
    assert Path("deep/er").is_dir()
    assert resolve_target(source, "out/") == Path("out/film_unflickered.mp4")
    assert resolve_target(source, "plain") == Path("plain/film_unflickered.mp4")
    assert Path("plain").is_dir()
    assert resolve_target(source, "v1.0/") == Path("v1.0/film_unflickered.mp4")
    assert resolve_target(source, "v1.0") == Path("v1.0/film_unflickered.mp4")
    Path("shots").mkdir()
    assert resolve_target(Path("shots"), "steady") == Path("steady")
    assert resolve_target(Path("shots"), "steady/") == Path("steady/shots_unflickered")


def test_a_file_in_place_of_a_folder_is_refused(tmp_path, source):
    (tmp_path / "taken").write_text("not a folder")
    with pytest.raises(OutputError, match="cannot be made"):
        resolve_target(source, str(tmp_path / "taken/deep/"))
    with pytest.raises(OutputError, match="not a folder"):
        open_writer(open_video(source), tmp_path / "taken" / "film.mp4")
    with pytest.raises(OutputError, match="does not exist"):
        open_writer(open_video(source), tmp_path / "nowhere" / "film.mp4")


def test_no_permission_is_told_before_work(tmp_path, source, monkeypatch):
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(OutputError, match="no permission"):
        open_writer(open_video(source), tmp_path / "out.mp4")


def test_an_existing_output_is_not_touched_unless_told_to(tmp_path, source):
    target = tmp_path / "out.mp4"
    target.write_text("precious")
    with pytest.raises(OutputError, match="--overwrite"):
        rewrite(source, target)
    assert target.read_text() == "precious"
    rewrite(source, target, overwrite=True)
    assert len(read(target)) == 10


@pytest.mark.parametrize("link", [False, True])
def test_the_source_is_never_the_target(tmp_path, source, link):
    target = source
    if link:
        target = tmp_path / "link.mp4"
        target.symlink_to(source)
    before = source.read_bytes()
    with pytest.raises(OutputError, match="the input itself"):
        rewrite(source, target, overwrite=True)
    assert source.read_bytes() == before


def test_an_ending_nobody_knows_is_refused(tmp_path, source):
    with pytest.raises(OutputError, match=r"\.mkv"):
        rewrite(source, tmp_path / "out.xyz")


@pytest.mark.parametrize("fault", [RuntimeError, KeyboardInterrupt])
def test_an_exception_or_ctrl_c_leaves_nothing(tmp_path, source, fault):
    film = open_video(source)
    with pytest.raises(fault), open_writer(film, tmp_path / "out.mp4") as writer:
        writer.write(next(iter(film.frames())))
        assert hidden(tmp_path)
        raise fault
    assert not (tmp_path / "out.mp4").exists()
    assert hidden(tmp_path) == []


def test_an_exception_keeps_the_earlier_output_when_overwriting(tmp_path, source):
    target = tmp_path / "out.mp4"
    target.write_text("earlier")
    film = open_video(source)
    with pytest.raises(RuntimeError), open_writer(film, target, overwrite=True) as writer:
        writer.write(next(iter(film.frames())))
        raise RuntimeError
    assert target.read_text() == "earlier"


def test_the_final_name_appears_only_when_the_file_is_whole(tmp_path, source):
    film, target = open_video(source), tmp_path / "out.mp4"
    with open_writer(film, target) as writer:
        for frame in film.frames():
            writer.write(frame)
            assert not target.exists()
    assert len(read(target)) == 10


def test_a_name_taken_meanwhile_is_not_overwritten(tmp_path, source):
    film, target = open_video(source), tmp_path / "out.mp4"
    with (
        pytest.raises(OutputError, match="appeared while working"),
        open_writer(film, target) as writer,
    ):
        for frame in film.frames():
            writer.write(frame)
        target.write_text("someone else's")
    assert target.read_text() == "someone else's"
    assert hidden(tmp_path) == []


PROGRAM = """
    import sys, time
    from pathlib import Path
    from unflicker.video.source import open_video
    from unflicker.video.writer import open_writer
    source, target = map(Path, sys.argv[1:])
    film = open_video(source)
    with open_writer(film, target) as writer:
        for frame in film.frames():
            writer.write(frame)
            print(frame.index, flush=True)
            time.sleep(0.02)
"""


@pytest.mark.parametrize("ending", ["mp4", "mkv"])
def test_kill_9_in_the_middle_leaves_no_broken_file_and_the_next_run_clears_up(tmp_path, ending):
    source = make_film(tmp_path / f"film.{ending}", times=range(0, 12_000, 40))
    target = tmp_path / f"out.{ending}"
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(PROGRAM), str(source), str(target)],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        while int(process.stdout.readline()) < 20:
            pass
        os.kill(process.pid, signal.SIGKILL)
    assert not target.exists()
    left = f".out.{ending}.{process.pid}"
    assert sorted(hidden(tmp_path)) == [f"{left}.part.{ending}", f"{left}.segment.part"]
    rewrite(source, target)
    assert hidden(tmp_path) == []
    assert len(read(target)) == 300


def test_the_hidden_file_of_a_running_process_is_left_alone(tmp_path, source):
    target = tmp_path / "out.mp4"
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        part = tmp_path / f".out.mp4.{other.pid}.part.mp4"
        part.write_text("being written")
        mine = tmp_path / ".out.mp4.notes"
        mine.write_text("not ours")
        rewrite(source, target)
        assert part.exists()
        assert mine.exists()
        other.communicate(b"\n")


FULL = """
    import resource, signal, sys
    from pathlib import Path
    from unflicker.errors import OutputError
    from unflicker.settings import EncodingSettings
    from unflicker.video.source import open_video
    from unflicker.video.writer import open_writer
    source, target = map(Path, sys.argv[1:])
    film = open_video(source)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
    try:
        with open_writer(film, target) as writer:
            for frame in film.frames():
                writer.write(frame)
    except OutputError as fault:
        print(fault)
        sys.exit(4)
"""


@pytest.mark.parametrize("ending", ["mkv", "mp4", "avi"])
def test_a_disk_that_fills_up_leaves_nothing_and_is_said(tmp_path, ending):
    source = make_film(
        tmp_path / "film.mkv", codec="ffv1", size=(240, 320), times=range(0, 1200, 40)
    )
    target = tmp_path / f"out.{ending}"
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(FULL), str(source), str(target)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 4, done.stderr
    assert "cannot be written" in done.stdout
    assert os.strerror(errno.EFBIG) in done.stdout
    assert not target.exists()
    assert hidden(tmp_path) == []


def test_a_disk_too_small_is_told_before_work(tmp_path, source, monkeypatch):
    usage = type("Usage", (), {"free": 10})
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage)
    with pytest.raises(OutputError, match="not enough room"):
        rewrite(source, tmp_path / "out.mp4")
    assert hidden(tmp_path) == []


@pytest.mark.parametrize(
    "name",
    [
        "with space.mkv",
        'it\'s "quoted".mkv',
        "-dash.mkv",
        "fïlm 日本.mkv",
        "a:b%03d.mkv",
        "x" * 251 + ".mkv",
    ],
)
def test_any_name_can_be_written(tmp_path, source, name, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rewrite(source, Path(name))
    assert len(read(tmp_path / name)) == 10
    assert hidden(tmp_path) == []


def test_hidden_names_fit_the_file_system():
    assert len(os.fsencode(part_of(Path("é" * 126 + ".mkv")).name)) <= 255
