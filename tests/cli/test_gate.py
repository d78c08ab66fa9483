"""No command replaces a file that it reads, or one that is there, whatever its name looks like."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from unflicker.files import atomic


def itself(path, folder):
    return path


def relative(path, folder):
    return Path(os.path.relpath(path))


def roundabout(path, folder):
    return Path(f"{path.parent}/./{folder.name}/../{path.name}")


def symlink(path, folder):
    place = folder / f"link{path.suffix}"
    place.symlink_to(path)
    return place


def hard_link(path, folder):
    place = folder / f"hard{path.suffix}"
    os.link(path, place)
    return place


def linked_folder(path, folder):
    (folder / "elsewhere").symlink_to(path.parent)
    return folder / "elsewhere" / path.name


WAYS = (itself, relative, roundabout, symlink, hard_link, linked_folder)

COMMANDS = {
    # what is read, by the name that the call gives it; then every option that writes
    "run": (
        ("run", "{film}", "--mask", "{mask}", "--guide", "{guide}"),
        ("film", "mask", "guide"),
        ("-o", "--report", "--sheet", "--log-file"),
    ),
    "run, weights": (
        ("{film}", "--set", "neural_filter.weights={weights}"),
        ("film", "weights"),
        ("-o", "--report", "--log-file"),
    ),
    "batch": (
        ("run", "{film}", "{second}", "{third}"),
        ("film", "second", "third"),
        ("--log-file",),
    ),
    "apply": (
        ("apply", "{film}", "--plan", "{plan}", "--mask", "{mask}"),
        ("film", "plan", "mask"),
        ("-o", "--report", "--sheet", "--log-file"),
    ),
    "analyze": (
        ("analyze", "{film}", "--guide", "{guide}"),
        ("film", "guide"),
        ("-o", "--plan", "--log-file"),
    ),
    "metrics": (
        ("metrics", "{film}", "--reference", "{second}"),
        ("film", "second"),
        ("--log-file",),
    ),
    "compare": (
        ("compare", "{film}", "{second}"),
        ("film", "second"),
        ("-o", "--log-file"),
    ),
    "synthesise": (
        ("synthesise", "{film}", "--kind", "bands"),
        ("film",),
        ("-o", "--log-file"),
    ),
    "atlas": (
        ("atlas", "{film}", "-o", "{folder}", "--edit", "{drawing}", "--layer-mask", "{second}"),
        ("film", "drawing", "second"),
        ("--log-file",),
    ),
    "train": (
        ("train", "paper-filter", "--data", "{folder}", "-o", "{new}", "--begin-with", "{weights}"),
        ("weights",),
        ("--log-file",),
    ),
    "dataset": (
        ("dataset", "build", "{folder}", "-o", "{new}", "--split", "{weights}:half"),
        ("weights",),
        ("--log-file",),
    ),
    "report": (("report", "{results}", "-o", "{new}"), ("scores",), ("--log-file",)),
}
CASES = [
    (command, read, option)
    for command, (_, reads, options) in COMMANDS.items()
    for read in reads
    for option in options
]


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Files of every kind that commands read; their contents are not looked at before a refusal."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "results").mkdir()
    names = {
        "film": "film.mp4", "second": "second.mp4", "third": "third.mp4", "mask": "mask.png",
        "guide": "guide.mp4", "plan": "plan.npz", "weights": "mine.safetensors",
        "drawing": "drawing.png", "scores": "results/scores.jsonl",
    }  # fmt: skip
    found = {name: tmp_path / file for name, file in names.items()}
    for name, path in found.items():
        path.write_text(f"the {name}, precious")
    places = {name: tmp_path / name for name in ("folder", "new", "results")}
    return found | places


def contents(folder):
    return {
        path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def filled(words, files):
    return [word.format(**files) for word in words]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
@pytest.mark.parametrize(("command", "read", "option"), CASES)
def test_no_output_replaces_what_is_read(
    call, pipeline, files, tmp_path, command, read, option, way
):
    other = tmp_path / "other"
    other.mkdir()
    place = way(files[read], other)
    before = contents(tmp_path)
    words = filled(COMMANDS[command][0], files)
    if option != "-o" and command in ("compare", "synthesise"):
        words += ["-o", "new.mp4"]
    for leave in ([], ["--overwrite"]):
        if leave and command in ("metrics", "train", "dataset", "report"):
            continue
        code, out, err = call(*words, option, place, *leave)
        assert (code, out) == (4, ""), err
        assert "is the input itself" in err
        assert str(place) in err
        assert "choose another name" in err
        assert option in err
    assert contents(tmp_path) == before
    assert not (tmp_path / "new").exists()
    assert pipeline.calls == []


@pytest.mark.parametrize("leave", [[], ["--overwrite"]])
def test_no_result_of_a_batch_is_a_later_film_of_it(call, pipeline, files, tmp_path, leave):
    later = tmp_path / "film_unflickered.mp4"
    later.write_text("a film of its own")
    before = contents(tmp_path)
    for order in ([files["film"], later], [later, files["film"]]):
        code, _, err = call("run", *order, *leave)
        assert (code, "is the input itself" in err) == (4, True)
    assert contents(tmp_path) == before
    assert pipeline.calls == []


def test_the_index_of_a_batch_is_no_film_of_it(call, pipeline, files, tmp_path):
    odd = tmp_path / "index.html"
    odd.write_text("a film with an odd name")
    code, _, err = call("run", files["film"], odd, "--report", odd, "--overwrite")
    assert (code, "is the input itself" in err) == (4, True)
    assert odd.read_text() == "a film with an odd name"
    assert pipeline.calls == []


@pytest.mark.parametrize("option", ["--report", "--sheet"])
def test_no_report_of_a_batch_is_a_later_film_of_it(call, pipeline, files, tmp_path, option):
    suffix = {"--report": ".html", "--sheet": ".png"}[option]
    odd = tmp_path / f"film{suffix}"
    odd.write_text("a film with an odd name")
    assert call("run", files["film"], odd, option, f"{tmp_path}/")[0] == 0
    assert odd.read_text() == "a film with an odd name"
    assert (tmp_path / f"film.mp4{suffix}").exists()


def test_a_batch_that_leaves_what_is_done_may_meet_its_own_results(call, pipeline, files, tmp_path):
    done = tmp_path / "film_unflickered.mp4"
    done.write_text("done")
    assert call("run", files["film"], done, "--skip-existing")[0] == 0
    assert done.read_text() == "done"
    assert [source for source, *_ in pipeline.calls] == [done]


OUTPUTS = {"-o": "out.mp4", "--report": "r.html", "--sheet": "s.png", "--log-file": "run.log"}
PAIRS = [(one, other) for one in OUTPUTS for other in OUTPUTS if one < other]


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_two_outputs_are_two_files(call, pipeline, files, tmp_path, one, other):
    (tmp_path / "sub").mkdir()
    code, _, err = call(files["film"], one, "same.mp4", other, "sub/../same.mp4")
    assert (code, "both become" in err) == (2, True)
    assert not (tmp_path / "same.mp4").exists()
    assert pipeline.calls == []


def test_json_plan_and_log_are_three_files(call, pipeline, files, tmp_path):
    for pair in (("-o", "--plan"), ("-o", "--log-file"), ("--plan", "--log-file")):
        code, _, err = call("analyze", files["film"], pair[0], "x.npz", pair[1], "./x.npz")
        assert (code, "both become" in err) == (2, True)
    assert not (tmp_path / "x.npz").exists()


def test_with_names_of_their_own_all_are_written(call, pipeline, files, tmp_path):
    before = contents(tmp_path)
    words = [word for option in OUTPUTS.items() for word in option]
    given = ("--mask", files["mask"], "--guide", files["guide"])
    assert call(files["film"], *given, *words)[0] == 0
    after = contents(tmp_path)
    assert {name: after[name] for name in before} == before
    assert {str(name) for name in after.keys() - before.keys()} == set(OUTPUTS.values())
    call("analyze", files["film"], "-o", "film.json", "--plan", "film.npz")
    assert (tmp_path / "film.json").exists()


def test_a_picture_of_the_folder_that_is_read_is_never_replaced(call, pipeline, files, tmp_path):
    folder = tmp_path / "frames"
    folder.mkdir()
    for index in range(3):
        (folder / f"{index}.png").write_text("a picture")
    linked = tmp_path / "linked"
    linked.symlink_to(folder)
    before = contents(folder)
    for option in ("--sheet", "--log-file"):
        for place in (folder / "1.png", linked / "2.png", folder / "new.png"):
            code, _, err = call(folder, option, place, "--overwrite")
            assert (code, "is among the input" in err) == (4, True), err
    for target in (folder, f"{folder}/../frames"):
        # An existing folder gets the result in it, under a name of its own.
        assert call(folder, "-o", target, "--dry-run")[0] == 0
    assert contents(folder) == before
    assert pipeline.calls == []
    assert call(folder, "--report", folder / "about.html")[0] == 0


def test_a_log_of_an_earlier_run_is_gone_on_with_and_nothing_else(call, pipeline, files, tmp_path):
    log = tmp_path / "run.log"
    assert call(files["film"], "--log-file", log)[0] == 0
    first = log.read_bytes()
    assert call(files["film"], "--log-file", log, "--overwrite")[0] == 0
    assert log.read_bytes().startswith(first)
    assert len(log.read_bytes()) > len(first)
    notes = tmp_path / "diary.txt"
    notes.write_text("Dear diary")
    code, _, err = call(files["film"], "--log-file", notes, "--overwrite")
    assert (code, "not a log of ours" in err) == (4, True)
    assert notes.read_text() == "Dear diary"


def test_a_refused_run_leaves_no_folder(call, pipeline, files, tmp_path):
    before = sorted(tmp_path.rglob("*"))
    assert call(files["film"], "-o", "new/deep/", "--report", files["film"])[0] == 4
    assert call(files["film"], "-o", "new/a.mp4", "--log-file", "new/a.mp4")[0] == 2
    assert call(files["film"], "-o", "new/deep/a.mp4", "--dry-run")[0] == 0
    assert sorted(tmp_path.rglob("*")) == before
    bad = tmp_path / "bad.mp4"
    bad.write_text("text")
    assert call(bad, "-o", "new/deep/")[0] == 3
    assert not (tmp_path / "new").exists()
    assert call(files["film"], "-o", "new/deep/")[0] == 0
    assert (tmp_path / "new/deep/film_unflickered.mp4").exists()


def test_a_folder_that_cannot_be_made_is_told_before_work(call, pipeline, files, tmp_path):
    for option in ("-o", "--report", "--sheet", "--log-file"):
        code, _, err = call(files["film"], option, "mask.png/deep/a.mp4")
        assert (code, "not a folder" in err) == (4, True), err
    assert pipeline.calls == []
    assert files["mask"].read_text() == "the mask, precious"


def test_a_home_that_is_not_known_is_the_users_to_spell_out(call, pipeline, files):
    code, _, err = call(files["film"], "-o", "~nobody-of-that-name/out.mp4")
    assert code == 2
    assert "without ~" in err


def test_devices_take_reports_logs_and_json(call, pipeline, files):
    null = files["folder"] / "null"
    null.symlink_to(os.devnull)
    assert call(files["film"], "--report", null, "--sheet", null, "--log-file", null)[0] == 0
    assert call("analyze", files["film"], "-o", null, "--plan", null)[0] == 0
    assert null.is_symlink()


def test_json_may_go_to_standard_output_by_its_name(tmp_path):
    # Not /dev/stdout: a broken program could replace that, this one nobody can.
    code = (
        "from pathlib import Path; from unflicker.files.atomic import write_whole;"
        "write_whole(Path('/proc/self/fd/1'), b'numbers')"
    )
    environment = os.environ | {"PYTHONPATH": str(Path(atomic.__file__).parents[2])}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=environment, capture_output=True, check=True)
    assert done.stdout == b"numbers"
    with (tmp_path / "numbers.txt").open("wb") as file:
        subprocess.run(command, env=environment, stdout=file, check=True)
    assert (tmp_path / "numbers.txt").read_bytes() == b"numbers"


def test_weights_that_a_training_begins_with_are_not_what_it_writes(call, files, tmp_path):
    own = files["folder"] / "paper_filter.safetensors"
    shutil.copy(files["weights"], own)
    words = ("--data", files["results"], "-o", files["folder"], "--begin-with", own)
    code, _, err = call("train", "paper-filter", *words)
    assert (code, "is the input itself" in err) == (4, True)
    assert own.read_bytes() == files["weights"].read_bytes()


@pytest.mark.parametrize("part", ["report", "tables"])
def test_a_site_is_not_written_over_the_results_it_is_made_of(call, files, tmp_path, part):
    folder = tmp_path / part
    folder.mkdir()
    (folder / "scores.jsonl").write_text("scores")
    code, _, err = call("report", folder, "-o", tmp_path)
    assert (code, "is the input itself" in err) == (4, True)
    assert (folder / "scores.jsonl").read_text() == "scores"


@pytest.mark.parametrize("part", ["videos", "dataset", "report"])
def test_a_comparison_is_not_written_over_what_it_compares_on(call, files, tmp_path, part):
    folder = tmp_path / part
    (folder / "clean").mkdir(parents=True)
    code, _, err = call("evaluate", folder, "-o", tmp_path)
    assert (code, "is the input itself" in err) == (4, True)


def test_answers_of_a_study_are_not_its_material(call, files):
    pytest.importorskip("fastapi")
    from unflicker.cli.study import _refuse_material
    from unflicker.errors import OutputError

    with pytest.raises(OutputError, match="is the input itself"):
        _refuse_material(files["results"], files["scores"])
    _refuse_material(files["results"], files["results"] / "study.sqlite")


def test_atlas_files_never_take_the_place_of_what_is_read(call, files, tmp_path):
    for name, given in (("guide.mp4", ()), ("fit.png", ("--edit", "fit.png")),
                        ("guide.mkv", ("--layer-mask", "guide.mkv"))):  # fmt: skip
        path = tmp_path / name
        path.write_text("mine")
        film = path if name == "guide.mp4" else files["film"]
        if name == "guide.mp4":
            (tmp_path / "guide.mkv").symlink_to(path)
        code, _, err = call("atlas", film, "-o", tmp_path, "--overwrite", *given)
        assert (code, "is the input itself" in err) == (4, True), err
        assert path.read_text() == "mine"
        (tmp_path / "guide.mkv").unlink(missing_ok=True)
