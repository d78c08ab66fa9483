"""With `--progress json` a program reads one object a line, from the first line to `end`."""

import json
import logging
import os
import subprocess
import sys
import warnings
from typing import Any

import cv2
import numpy as np
import pytest

from unflicker.cli.messages import asks_for_json
from unflicker.progress import Progress

JSON = ("--progress", "json")


def events_of(err: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in err.splitlines()]


def kinds(events: list[dict[str, Any]]) -> list[str]:
    return [each["event"] for each in events]


def test_a_run_begins_with_its_films_and_ends_with_its_code(call, pipeline, film):
    def during(progress: Any) -> None:
        for stage in ("analyse", "render"):
            for done in range(3):
                progress(Progress(stage=stage, done=done + 1, total=3))

    pipeline.during = during
    _, _, err = call(film, *JSON)
    events = events_of(err)
    output = str(film.with_name("film_unflickered.mp4"))
    assert events[0] == {"event": "batch", "films": [{"film": str(film), "output": output}]}
    assert events[-1] == {"event": "end", "exit_code": 0}
    stages = [each["stage"] for each in events if each["event"] == "stage"]
    assert stages == ["analyse", "render"]
    (done,) = (each for each in events if each["event"] == "film")
    assert (done["film"], done["output"], done["state"]) == (str(film), output, "done")


def test_each_film_of_a_batch_has_its_state(call, pipeline, film):
    bad = film.with_name("bad.mp4")
    bad.write_text("no film")
    code, _, err = call(film, bad, *JSON)
    events = events_of(err)
    states = {each["film"]: each["state"] for each in events if each["event"] == "film"}
    assert states == {str(film): "done", str(bad): "failed"}
    assert events[-1] == {"event": "end", "exit_code": code}
    assert code == 7


def test_errors_name_their_film(call, pipeline, film):
    bad = film.with_name("bad.mp4")
    bad.write_text("no film")
    for films in ([film, bad], [bad]):
        _, _, err = call(*films, "--overwrite", *JSON)
        errors = [each for each in events_of(err) if each["event"] == "error"]
        assert errors[0]["film"] == str(bad)
        assert {each.get("film") for each in errors[1:]} <= {None, str(bad)}
    _, _, err = call("--strenth", "1", *JSON)
    assert all("film" not in each for each in events_of(err))


@pytest.mark.parametrize("damaged", [(), (3,)])
def test_commands_that_measure_have_the_events_of_a_run(call, pipeline, film, damaged):
    pipeline.changes = {"damaged": damaged}
    out = film.with_name("film.json")
    for output in ((), ("-o", out)):
        code, _, err = call("analyze", film, *output, *JSON)
        events = events_of(err)
        wrote = str(out) if output else None
        assert events[0] == {"event": "batch", "films": [{"film": str(film), "output": wrote}]}
        (state,) = (each["state"] for each in events if each["event"] == "film")
        assert state == ("damaged" if damaged else "done")
        assert events[-1] == {"event": "end", "exit_code": code}
    _, _, err = call("metrics", film, *JSON)
    events = events_of(err)
    assert kinds(events) == ["batch", "film", "error", "end"]
    assert (events[1]["state"], events[2]["film"]) == ("failed", str(film))


@pytest.mark.parametrize(
    "arguments",
    [
        ("film.mp4", "--strenth", "1", *JSON),
        ("film.mp4", "--strength", "2", "--progress=json"),
        ("analyse", *JSON),
        ("film.mp4", "--config", "none.toml", *JSON),
        ("none.mp4", *JSON),
        ("run", *JSON),
        ("analyze", "none.mp4", *JSON),
        ("export", "none.plan", "--to", "csv", *JSON),
    ],
)
def test_what_is_refused_is_refused_in_json(call, tmp_path, monkeypatch, arguments):
    monkeypatch.chdir(tmp_path)
    code, _, err = call(*arguments)
    events = events_of(err)
    assert code != 0
    assert "error" in kinds(events)
    assert all(each["text"] for each in events if each["event"] == "error")
    assert events[-1] == {"event": "end", "exit_code": code}


def test_a_stopped_run_and_an_internal_error_end_too(call, pipeline, film):
    for fault, code in ((KeyboardInterrupt(), 130), (ZeroDivisionError("x"), 1)):

        def during(_: Any, fault: BaseException = fault) -> None:
            raise fault

        pipeline.during = during
        found, _, err = call(film, *JSON)
        events = events_of(err)
        assert found == code
        assert events[-1] == {"event": "end", "exit_code": code}
        assert "error" in kinds(events)


def test_without_json_there_are_no_events(call, pipeline, film):
    assert "{" not in call(film)[2]
    assert "{" not in call(film, "--strenth", "1")[2]


def test_warnings_and_messages_of_libraries_are_events(call, pipeline, film):
    shown, last = warnings.showwarning, logging.lastResort
    # pytest handles all messages and warnings itself: a process of its own does not.
    program = (
        "import sys, warnings, logging; from unflicker.cli import main, messages\n"
        "messages.speak(json_lines=True)\n"
        "warnings.simplefilter('default'); warnings.warn('something old', DeprecationWarning)\n"
        "logging.getLogger('a library').error('something odd')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    texts = [each["text"] for each in events_of(done.stderr)]
    assert texts == ["DeprecationWarning: something old", "something odd"]
    call(film, *JSON)
    assert (warnings.showwarning, logging.lastResort) == (shown, last)


@pytest.mark.parametrize(
    ("arguments", "asks"),
    [
        (["a.mp4", "--progress", "json"], True),
        (["a.mp4", "--progress=json"], True),
        (["a.mp4", "--progress", "bar"], False),
        (["--", "--progress", "json"], False),
        (["json", "--progress"], False),
        ([], False),
    ],
)
def test_json_is_asked_for_by_its_option_alone(arguments, asks):
    assert asks_for_json(arguments) is asks


@pytest.mark.parametrize("damage", ["png", "tif", "none"])
def test_what_libraries_print_is_in_the_log_before_the_end(tmp_path, damage):
    folder = tmp_path / "in"
    folder.mkdir()
    picture = np.random.default_rng(0).integers(0, 255, (120, 160, 3), np.uint8)
    for number in range(4):
        cv2.imwrite(str(folder / f"{number}.{damage if damage != 'none' else 'png'}"), picture)
    if damage != "none":
        bad = folder / f"2.{damage}"
        bad.write_bytes(bad.read_bytes()[:30000])
    call = [sys.executable, "-m", "unflicker", str(folder), "--preset", "fast", *JSON]
    done = subprocess.run(call, capture_output=True, text=True, check=False)
    events = events_of(done.stderr)  # nothing but objects
    assert done.returncode == (0 if damage == "none" else 7)
    assert events[-1] == {"event": "end", "exit_code": done.returncode}
    if damage == "png":
        assert any("libpng" in each["text"] for each in events if each["event"] == "log")
    # Without JSON, people are told of the picture by its name, and of nothing else.
    told = subprocess.run([*call[:-2], "--overwrite"], capture_output=True, text=True, check=False)
    assert "OpenCV" not in told.stderr


def test_a_process_writes_only_objects(tmp_path):
    environment = {**os.environ, "NO_COLOR": "1"}
    call = [sys.executable, "-m", "unflicker", str(tmp_path / "none.mp4"), *JSON]
    done = subprocess.run(call, capture_output=True, text=True, env=environment, check=False)
    assert kinds(events_of(done.stderr))[-2:] == ["error", "end"]
    assert done.stdout == ""
