"""The study from the command line: what it prints, and how it ends."""

import csv
import importlib.util
import io
import json
import signal
import subprocess
import sys
import urllib.request

import pytest

from unflicker.study import Answers, Plan, answers_file, read_material


@pytest.fixture
def results(tmp_path):
    """A folder of results whose videos nobody looks at."""
    for method in ("fast", "paper", "average"):
        path = tmp_path / "results" / "videos" / "street" / f"{method}.mp4"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"a video")
    return tmp_path / "results"


@pytest.fixture
def answered(results):
    """The same, and one person who always chose what comes first in the alphabet."""
    answers = Answers(answers_file(results))
    token = answers.begin(read_material(results), plan=Plan(pairs=3, checks=0))
    for each in answers.of_person(token):
        first = "left" if each.left_method < each.right_method else "right"
        answers.answer(token, each.place, choice=first, seconds=2.0)
    return results


def test_a_study_is_served_until_it_is_interrupted(results):
    code = "from unflicker.cli import main; main()"
    command = [sys.executable, "-c", code, "study", str(results), "--port", "0"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as program:
        place = program.stdout.readline().strip()
        try:
            with urllib.request.urlopen(place, timeout=60) as answer:
                assert b"Which video is better?" in answer.read()
        finally:
            program.send_signal(signal.SIGINT)
        out, err = program.communicate(timeout=60)
    assert place.startswith("http://127.0.0.1:")
    assert program.returncode == 130
    assert out == ""
    assert "3 pairs of average, fast, paper" in err
    assert f"{place}results/" in err
    assert "Traceback" not in err


def test_results_are_a_table_unless_asked_otherwise(call, answered):
    code, out, err = call("study", answered, "--results")
    assert (code, err) == (0, "")
    assert out.startswith("1 person (1 to the end), 3 answers between two methods\n")
    assert out.index("1  average") < out.index("2  fast") < out.index("3  paper")
    code, out, _ = call("study", answered, "--results", "--format", "json")
    assert json.loads(out)["categories"][0]["ranking"][0]["method"] == "average"
    code, out, _ = call("study", answered, "--results", "--format", "csv")
    assert next(csv.DictReader(io.StringIO(out)))["method"] == "average"
    code, out, _ = call("study", answered, "--results", "--format", "answers")
    assert len(list(csv.DictReader(io.StringIO(out)))) == 3


def test_answers_may_lie_elsewhere(call, answered, tmp_path):
    answers_file(answered).rename(tmp_path / "mine.sqlite")
    assert call("study", answered, "--results")[0] == 5
    assert call("study", answered, "--results", "--answers", tmp_path / "mine.sqlite")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--methods", "fast,papper"), 2, "did you mean paper?"),
        (("--methods", "fast"), 2, "only fast is asked for"),
        (("--against", "bestt"), 2, "no result is of a method named 'bestt'"),
        (("--pairs-per-person", "0"), 2, "pairs-per-person"),
        (("--host", "no.such.host.invalid"), 2, "cannot listen on no.such.host.invalid"),
        (("--results",), 5, "no answers yet"),
    ],
)
def test_what_makes_no_sense_is_said_before_anything_is_served(
    call, results, arguments, code, said
):
    ended, out, err = call("study", results, *arguments)
    assert (ended, out) == (code, "")
    assert said in err


def test_a_folder_without_results_is_refused(call, tmp_path):
    code, _, err = call("study", tmp_path / "nothing")
    assert code == 3
    assert "make one with: unflicker evaluate" in err
    assert not (tmp_path / "nothing").exists()


def test_results_need_no_web_framework_and_a_study_names_the_extra(call, answered, monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(
        "unflicker.web.serving.find_spec",
        lambda name: None if name in ("fastapi", "uvicorn") else found(name),
    )
    code, _, err = call("study", answered)
    assert code == 5
    assert "pip install 'unflicker[web]'" in err
    code = (
        "import sys; from unflicker.cli.main import exit_code; "
        f"exit_code(['study', {str(answered)!r}, '--results', '-q']);"
        "print([m for m in sys.modules if m in ('fastapi', 'uvicorn', 'pydantic')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("[]\n")


def test_a_bundle_goes_out_and_answers_come_back(call, results, tmp_path):
    out = tmp_path / "out"
    code, told, err = call("study", results, "--bundle", out, "--sheets", "3", "--checks", "0")
    assert code == 0
    assert told.strip() == str(out / "index.html")
    (key,) = (results / "study-keys").glob("*.json")
    assert str(key) in err
    answer = {"choice": "right", "seconds": 2, "answered": "2026-11-30T12:00:00Z"}
    person = {"study": key.stem, "person": "a" * 32, "sheet": 1, "consent": "", "answers": [answer]}
    (tmp_path / "a.json").write_text(json.dumps({**person, "begun": "2026-11-30T11:00:00Z"}))
    code, told, err = call("study", results, "--add", tmp_path / "a.json", "--results")
    assert code == 0
    assert "answers of 1 people" in err
    assert "1 answer" in told or "1 person" in told
    (tmp_path / "b.json").write_text("{}")
    code, told, err = call("study", results, "--add", tmp_path / "b.json", "--results")
    assert code == 7
    assert "b.json holds no answers" in err
    assert told


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--bundle", "x", "--results"], "use one of them"),
        (["--post", "https://example.org"], "--post belongs to --bundle"),
        (["--bundle", "x", "--post", "example.org"], "no address"),
    ],
)
def test_options_of_bundles_are_checked(call, results, tmp_path, monkeypatch, options, said):
    monkeypatch.chdir(tmp_path)
    code, _, err = call("study", results, *options)
    assert code == 2
    assert said in err
    assert not (tmp_path / "x").exists()
