"""Nothing that a run reads is ever replaced, nothing is written twice, or unasked."""

# ruff: noqa: PT012 - the fault must come from inside the block

import os
from pathlib import Path

import pytest
from made_films import make_film

import unflicker
from unflicker import RunOptions, Settings
from unflicker.errors import InputError, OutputError, UsageError
from unflicker.files.atomic import write_whole
from unflicker.files.outputs import (
    Written,
    companions,
    is_stream,
    made_folder,
    named,
    refuse_loss,
)
from unflicker.settings import replaced


@pytest.fixture
def film(tmp_path):
    path = tmp_path / "film.mp4"
    path.write_bytes(b"a film")
    return path


@pytest.fixture
def pictures(tmp_path):
    folder = tmp_path / "frames"
    folder.mkdir()
    for index in range(3):
        (folder / f"{index}.png").write_bytes(b"a picture")
    return folder


def report(path, **changes):
    return Written(path=Path(path), what="the report", option="--report", **changes)


def relative(path, folder, monkeypatch):
    monkeypatch.chdir(folder)
    return Path(os.path.relpath(path))


def roundabout(path, folder, monkeypatch):
    (path.parent / "sub").mkdir()
    return path.parent / "sub" / ".." / path.name


def through_a_new_folder(path, folder, monkeypatch):
    return path.parent / "new" / ".." / path.name


def symlink(path, folder, monkeypatch):
    (folder / "link.html").symlink_to(path)
    return folder / "link.html"


def relative_symlink(path, folder, monkeypatch):
    (folder / "link.html").symlink_to(os.path.relpath(path, folder))
    return folder / "link.html"


def link_to_a_link(path, folder, monkeypatch):
    (folder / "first").symlink_to(path)
    (folder / "link.html").symlink_to("first")
    return folder / "link.html"


def hard_link(path, folder, monkeypatch):
    os.link(path, folder / "hard.html")
    return folder / "hard.html"


def linked_folder(path, folder, monkeypatch):
    (folder / "elsewhere").symlink_to(path.parent)
    return folder / "elsewhere" / path.name


WAYS = [
    relative,
    roundabout,
    through_a_new_folder,
    symlink,
    relative_symlink,
    link_to_a_link,
    hard_link,
    linked_folder,
]
OTHERS = pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
ANY = pytest.mark.parametrize("overwrite", [False, True])


@OTHERS
@ANY
def test_an_input_is_known_by_its_file_and_not_by_its_name(
    film, tmp_path, monkeypatch, way, overwrite
):
    other = tmp_path / "other"
    other.mkdir()
    path = way(film, other, monkeypatch)
    with pytest.raises(OutputError, match=r"the report .* is the input itself, the film .*--rep"):
        refuse_loss(named("the film", film), [report(path)], overwrite=overwrite)
    assert film.read_bytes() == b"a film"


@OTHERS
def test_a_picture_of_an_input_folder_is_an_input(pictures, tmp_path, monkeypatch, way):
    other = tmp_path / "other"
    other.mkdir()
    path = way(pictures / "1.png", other, monkeypatch)
    with pytest.raises(OutputError, match="is among the input, the film"):
        refuse_loss(named("the film", pictures), [report(path)], overwrite=True)


def test_a_new_picture_in_an_input_folder_would_become_a_frame(pictures):
    reads = named("the film", pictures)
    with pytest.raises(OutputError, match="is among the input"):
        refuse_loss(reads, [report(pictures / "sheet.png")], overwrite=True)
    refuse_loss(reads, [report(pictures / "report.html")], overwrite=False)
    (pictures / "sub").mkdir()
    refuse_loss(reads, [report(pictures / "sub" / "sheet.png")], overwrite=False)


def test_a_folder_of_results_is_not_the_input_folder_and_does_not_hold_it(pictures, tmp_path):
    reads = named("the film", pictures)
    link = tmp_path / "link"
    link.symlink_to(pictures)
    for path in (pictures, link, pictures / ".." / "frames"):
        with pytest.raises(OutputError, match="is the input itself"):
            refuse_loss(reads, [report(path, folder=True)], overwrite=True)
    with pytest.raises(OutputError, match="holds the input"):
        refuse_loss(reads, [report(tmp_path, folder=True)], overwrite=True)
    refuse_loss(reads, [report(pictures / "steady", folder=True)], overwrite=False)
    refuse_loss(reads, [report(tmp_path / "steady", folder=True)], overwrite=False)


def test_two_results_are_two_files(film, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "link.html").symlink_to("new.html")
    for one, other in (("a.html", "./a.html"), ("a.html", tmp_path / "a.html"),
                       ("link.html", "new.html"), ("x/a.html", "x/../x/a.html")):  # fmt: skip
        with pytest.raises(UsageError, match="both become"):
            refuse_loss([], [report(one), report(other)], overwrite=True)
    refuse_loss([], [report("a.html"), report("b.html")], overwrite=False)


def test_a_result_does_not_lie_in_another_that_is_a_file(tmp_path):
    with pytest.raises(UsageError, match="which is a file"):
        refuse_loss(
            [], [report(tmp_path / "out.mp4"), report(tmp_path / "out.mp4/r.html")], overwrite=True
        )
    inside = [report(tmp_path / "out", folder=True), report(tmp_path / "out/r.html")]
    refuse_loss([], inside, overwrite=False)


def test_where_case_does_not_count_names_that_differ_in_it_are_one(tmp_path, monkeypatch):
    both = [report(tmp_path / "New.html"), report(tmp_path / "new.HTML")]
    refuse_loss([], both, overwrite=False)
    swapped = tmp_path.with_name(tmp_path.name.swapcase())
    swapped.symlink_to(tmp_path)  # as such a file system would answer
    with pytest.raises(UsageError, match="both become"):
        refuse_loss([], both, overwrite=False)


def test_what_is_there_is_replaced_only_when_asked(tmp_path):
    there = tmp_path / "there.html"
    there.write_text("precious")
    with pytest.raises(OutputError, match=r"already there; pass --overwrite .* with --report"):
        refuse_loss([], [report(there)], overwrite=False)
    with pytest.raises(OutputError, match="already there"):
        refuse_loss([], [report(tmp_path / "new" / ".." / "there.html")], overwrite=False)
    refuse_loss([], [report(there)], overwrite=True)
    refuse_loss([], [report(there, completes=True)], overwrite=False)
    dangling = tmp_path / "dangling.html"
    dangling.symlink_to(tmp_path / "nowhere")
    with pytest.raises(OutputError, match="already there"):
        refuse_loss([], [report(dangling)], overwrite=False)


def test_a_place_that_cannot_be_is_told_before_work(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    for path, said in ((tmp_path / "file" / "deep" / "r.html", "not a folder"),
                       (tmp_path, "is a folder")):  # fmt: skip
        with pytest.raises(OutputError, match=said):
            refuse_loss([], [report(path)], overwrite=True)
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(OutputError, match="no permission"):
        refuse_loss([], [report(tmp_path / "r.html")], overwrite=True)


@pytest.fixture
def null(tmp_path):
    """A device; not the real name, which a broken program could replace."""
    path = tmp_path / "null"
    path.symlink_to(os.devnull)
    return path


def test_devices_are_allowed_twice_and_written_as_they_are(tmp_path, null):
    refuse_loss(named("the film", null), [report(null), report(null)], overwrite=False)
    write_whole(null, b"gone")
    assert is_stream(null)
    assert null.is_symlink()
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert is_stream(pipe)
    assert is_stream("/dev/stdout")
    assert not is_stream(tmp_path / "new")
    assert not is_stream("/dev/shm")


def test_a_log_goes_on_below_a_log_and_below_nothing_else(tmp_path):
    log = Written(path=tmp_path / "run.log", what="the log", option="--log-file", appends=True)
    refuse_loss([], [log], overwrite=False)
    log.path.write_text("")
    refuse_loss([], [log], overwrite=False)
    log.path.write_text("2026-01-02 03:04:05,678 DEBUG unflicker.cli: said: hello\n")
    refuse_loss([], [log], overwrite=False)
    log.path.write_bytes(b"\x00\x00\x00 ftypisom")
    with pytest.raises(OutputError, match="not a log of ours"):
        refuse_loss([], [log], overwrite=True)


def test_thousands_of_films_are_checked_at_once(tmp_path):
    films = [tmp_path / f"{index}.mp4" for index in range(2000)]
    results = [report(tmp_path / "out" / path.name) for path in films]
    refuse_loss(named("the film", *films), results, overwrite=False)


def test_weights_of_ones_own_are_read():
    settings = replaced(Settings.from_preset("fast"), {"neural_filter.weights": "mine.safetensors"})
    (weights,) = companions(settings)
    assert (weights.what, weights.path.name) == ("the weights", "mine.safetensors")


def test_a_folder_made_in_vain_is_removed_again(tmp_path):
    with pytest.raises(ZeroDivisionError), made_folder(tmp_path / "a" / "b"):
        assert (tmp_path / "a" / "b").is_dir()
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []
    with made_folder(tmp_path / "kept" / "b"):
        pass
    assert (tmp_path / "kept" / "b").is_dir()


def test_a_folder_that_was_there_or_is_not_empty_stays(tmp_path):
    (tmp_path / "there").mkdir()
    with pytest.raises(ZeroDivisionError), made_folder(tmp_path / "there"):
        raise ZeroDivisionError
    assert (tmp_path / "there").is_dir()
    with pytest.raises(ZeroDivisionError), made_folder(tmp_path / "new" / "deep"):
        (tmp_path / "new" / "note.txt").write_text("mine")
        raise ZeroDivisionError
    assert (tmp_path / "new" / "note.txt").exists()
    assert not (tmp_path / "new" / "deep").exists()


# From Python.

COMPANIONS = ("mask", "original", "plan")


@ANY
@OTHERS
@pytest.mark.parametrize("kind", ["film", *COMPANIONS])
def test_run_never_replaces_what_it_reads(tmp_path, monkeypatch, kind, way, overwrite):
    source = make_film(tmp_path / "film.mp4")
    read = source if kind == "film" else tmp_path / f"{kind}.mp4"
    if kind != "film":
        read.write_bytes(kind.encode())
    before = read.read_bytes()
    other = tmp_path / "other"
    other.mkdir()
    options = RunOptions(overwrite=overwrite, **({} if kind == "film" else {kind: read}))
    with pytest.raises(OutputError, match="is the input itself"):
        unflicker.run(source, way(read, other, monkeypatch), options=options)
    assert read.read_bytes() == before


@pytest.mark.parametrize("kind", ["film", *COMPANIONS])
@pytest.mark.parametrize("call", [unflicker.run, unflicker.analyze])
def test_a_saved_plan_never_replaces_what_is_read(tmp_path, kind, call):
    source = make_film(tmp_path / "film.mp4")
    read = source if kind == "film" else tmp_path / f"{kind}.mp4"
    if kind != "film":
        read.write_bytes(kind.encode())
    before = read.read_bytes()
    given = {} if kind == "film" else {kind: read}
    with pytest.raises(OutputError, match=r"the plan .* is the input itself"):
        call(source, options=RunOptions(overwrite=True, save_plan=read, **given))
    assert read.read_bytes() == before
    assert not (tmp_path / "film_unflickered.mp4").exists()


def test_the_result_and_the_plan_are_two_files(tmp_path):
    source, target = make_film(tmp_path / "film.mp4"), tmp_path / "out.mp4"
    with pytest.raises(UsageError, match="both become"):
        unflicker.run(source, target, options=RunOptions(save_plan=target))
    assert not target.exists()


def test_with_names_of_their_own_result_and_plan_are_written(tmp_path):
    source, target = make_film(tmp_path / "film.mp4"), tmp_path / "out.mp4"
    before = source.read_bytes()
    saved = tmp_path / "new" / "plan.npz"
    unflicker.run(source, target, options=RunOptions(save_plan=saved))
    assert (target.exists(), saved.exists(), source.read_bytes() == before) == (True, True, True)
    with pytest.raises(OutputError, match="already there"):
        unflicker.analyze(source, options=RunOptions(save_plan=saved))


def test_a_plan_of_a_film_that_cannot_be_read_leaves_no_folder(tmp_path):
    (tmp_path / "film.mp4").write_text("text")
    with pytest.raises(InputError):
        options = RunOptions(save_plan=tmp_path / "new" / "plan.npz")
        unflicker.analyze(tmp_path / "film.mp4", options=options)
    assert not (tmp_path / "new").exists()


def test_a_plan_may_go_nowhere(tmp_path, null):
    source = make_film(tmp_path / "film.mp4")
    unflicker.analyze(source, options=RunOptions(save_plan=null))
    assert null.is_symlink()
