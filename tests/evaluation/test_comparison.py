"""A comparison of methods: what runs, what is kept, and what happens when something goes wrong."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from made_clips import FPS, panning
from unflicker.cli.main import exit_code
from unflicker.frames.clip import Clip
from unflicker.settings import EncodingSettings
from unflicker.video import ArraySource, open_video, open_writer

HERE = Path(__file__).parent
QUICK = ["--width", "64", "--frames", "4", "--kinds", "exposure,w1", "-q"]


def write(clip: Clip, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    film = ArraySource(clip)
    with open_writer(film, path, encoding=EncodingSettings(codec="ffv1")) as writer:
        for frame in film.frames():
            writer.write(frame)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two clean clips, one that flickers, one pair of processed and original."""
    place = tmp_path_factory.mktemp("data")
    random = np.random.default_rng(0)
    for seed, name in enumerate(("lime", "pear")):
        write(panning(time=6, size=(37, 65), seed=seed), place / "clean" / f"{name}.mkv")
    steady = panning(time=6, size=(36, 64), seed=3)
    gains = random.uniform(0.8, 1.1, (6, 1, 1, 1))
    pixels = (steady.pixels * gains).clip(0, 255).astype(np.uint8)
    flickering = Clip.at_rate(pixels, fps=FPS)
    write(flickering, place / "flicker" / "oldfilm_street.mkv")
    write(flickering, place / "processed" / "enhancement_bike_processed.mkv")
    write(steady, place / "processed" / "enhancement_bike_original.mkv")
    return place


@pytest.fixture
def with_torch():
    """Asked for by tests whose processes load torch; perceptual scores alone want it otherwise."""


@pytest.fixture(autouse=True)
def own_methods(monkeypatch, request):
    """Where processes find the methods of these tests."""
    places = [HERE] if "with_torch" in request.fixturenames else [HERE, HERE / "without_torch"]
    for place in places:
        monkeypatch.syspath_prepend(str(place))
    there = os.environ.get("PYTHONPATH", "")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([*map(str, reversed(places)), there]))


def own(*functions: str) -> list[str]:
    return [part for name in functions for part in ("--method", f"{name}=slow_methods:{name}")]


def evaluated(folder: Path, out: Path, *arguments: str) -> int:
    return exit_code(["evaluate", str(folder), "-o", str(out), *QUICK, *arguments])


def rows(out: Path) -> list[dict]:
    return [json.loads(line) for line in (out / "scores.jsonl").read_text().splitlines()]


def of(out: Path, method: str, which: str) -> dict[str, dict]:
    return {
        row["example"]: row for row in rows(out) if (row["method"], row["set"]) == (method, which)
    }


def test_every_method_is_scored_timed_and_shown_on_every_video(folder, tmp_path, capsys):
    assert evaluated(folder, tmp_path, *own("levelled"), "--methods", "histogram") == 0
    examples = {f"{clip}/{kind}" for clip in ("lime", "pear") for kind in ("exposure", "w1")}
    real = {"oldfilm_street", "bike/enhancement"}
    for method in ("input", "histogram", "levelled"):
        assert set(of(tmp_path, method, "visible")) == examples | real
        assert set(of(tmp_path, method, "fidelity")) == examples
        assert set(of(tmp_path, method, "consistency")) == examples | {"bike/enhancement"}
        costs = of(tmp_path, method, "cost")
        assert all(row["values"]["seconds_a_frame"] > 0 for row in costs.values())
        assert all(20 < row["values"]["peak_mb"] < 2000 for row in costs.values())
        for name in examples | real:
            video = tmp_path / "videos" / name.replace("/", "__") / f"{method}.mp4"
            assert open_video(video).size == (36, 64)
    assert (tmp_path / "videos" / "lime__w1" / "truth.mp4").exists()
    assert (tmp_path / "videos" / "bike__enhancement" / "original.mp4").exists()
    assert "levelled" in capsys.readouterr().out
    after, before = (of(tmp_path, name, "visible") for name in ("levelled", "input"))
    seen = [row["oldfilm_street"]["values"]["visible_flicker"] for row in (after, before)]
    assert seen[0] < 0.5 * seen[1]
    said = json.loads((tmp_path / "run.json").read_text())
    assert said["scope"]["frames"] == 4
    assert said["methods"] == ["input", "histogram", "levelled"]


def test_what_is_there_is_not_run_again_and_what_is_added_joins_it(folder, tmp_path, monkeypatch):
    count = tmp_path / "count"
    monkeypatch.setenv("COUNTED", str(count))
    out = tmp_path / "out"
    only = ["--examples", "lime/*"]
    assert evaluated(folder, out, *own("counted"), *only) == 0
    once = count.read_text()
    assert evaluated(folder, out, *own("counted", "levelled"), *only) == 0
    assert count.read_text() == once
    assert len(of(out, "levelled", "cost")) == len(of(out, "counted", "cost")) == 2
    assert evaluated(folder, out, *own("counted")) == 0
    assert len(count.read_text()) > len(once)
    assert len(of(out, "counted", "cost")) == 6


def test_a_guided_method_runs_on_processed_video_only(folder, tmp_path):
    assert evaluated(folder, tmp_path, *own("given_back")) == 0
    found = of(tmp_path, "given_back", "consistency")
    assert set(found) == {"bike/enhancement"}
    assert found["bike/enhancement"]["values"]["e_warp_ratio"] == pytest.approx(1.0)


def test_what_goes_wrong_is_one_failed_line_each_and_the_rest_goes_on(folder, tmp_path, capsys):
    arguments = [*own("raising", "dying", "levelled"), "--examples", "lime/*"]
    assert evaluated(folder, tmp_path, *arguments) == 7
    raised, died = of(tmp_path, "raising", "failed"), of(tmp_path, "dying", "failed")
    assert set(raised) == set(died) == {"lime/exposure", "lime/w1"}
    assert raised["lime/w1"]["error"] == "ValueError: this clip is not to my taste"
    assert "code 9" in died["lime/w1"]["error"]
    assert raised["lime/w1"]["values"] == {}
    assert len(of(tmp_path, "levelled", "cost")) == 2
    assert "4 of 8 jobs failed" in capsys.readouterr().err


def test_a_method_that_never_ends_is_ended(folder, tmp_path):
    arguments = [*own("dawdling"), "--examples", "lime/w1", "--time-limit", "0.1"]
    assert evaluated(folder, tmp_path, *arguments) == 7
    assert "0.1 minutes" in of(tmp_path, "dawdling", "failed")["lime/w1"]["error"]


def test_a_stopped_run_leaves_whole_lines_and_goes_on(folder, tmp_path):
    command = [sys.executable, "-c", "from unflicker.cli import main; main()"]
    command += ["evaluate", str(folder), "-o", str(tmp_path), *QUICK, "--jobs", "1"]
    command += [*own("dawdling"), "--examples", "lime/*"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    scores = tmp_path / "scores.jsonl"
    deadline = time.monotonic() + 240
    while not scores.exists() or len(scores.read_text().splitlines()) < 8:
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert scores.read_text().endswith("\n")
    assert len(of(tmp_path, "input", "cost")) == 2
    assert not list((tmp_path / "videos").rglob(".*"))
    with scores.open("a") as file:
        file.write('{"method": "input", "exa')
    assert evaluated(folder, tmp_path, *own("levelled"), "--examples", "lime/*") == 0
    lines = scores.read_text().splitlines()
    assert sum(line == '{"method": "input", "exa' for line in lines) == 1
    assert sum('"input"' in line and '"cost"' in line for line in lines) == 2


def test_results_of_another_size_are_not_mixed(folder, tmp_path, capsys):
    assert evaluated(folder, tmp_path, "--methods", "input", "--examples", "lime/w1") == 0
    assert evaluated(folder, tmp_path, "--methods", "input", "--frames", "5") == 2
    assert "--width 64 --frames 4" in capsys.readouterr().err


@pytest.mark.usefixtures("with_torch")
def test_a_method_without_its_weights_is_left_out_and_said_so(folder, tmp_path, capsys):
    arguments = ["--methods", "paper", "--weights", str(tmp_path), "--examples", "lime/w1"]
    command = ["evaluate", str(folder), "-o", str(tmp_path), *QUICK[:-1], *arguments]
    assert exit_code(command) == 0
    assert "paper_filter.safetensors" in capsys.readouterr().err
    said = json.loads((tmp_path / "run.json").read_text())
    assert "paper_filter.safetensors" in said["left_out"]["paper"]


def test_an_unknown_method_is_refused_with_the_nearest(folder, tmp_path, capsys):
    assert evaluated(folder, tmp_path, "--methods", "histogran") == 2
    assert "did you mean histogram?" in capsys.readouterr().err


def test_a_dry_run_lists_the_jobs_and_runs_none(folder, tmp_path, capsys):
    assert evaluated(folder, tmp_path, "--methods", "histogram", "--dry-run") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:3] for line in lines[1:3]] == [
        ["input", "full", "6"],
        ["histogram", "full", "6"],
    ]
    assert not (tmp_path / "scores.jsonl").exists()


@pytest.mark.parametrize(
    ("arguments", "jobs"), [(["--seeds", "2"], 10), (["--kinds", "simulated"], 16)]
)
def test_draws_and_simulated_kinds_are_examples_of_their_own(
    folder, tmp_path, capsys, arguments, jobs
):
    assert evaluated(folder, tmp_path, "--methods", "input", *arguments, "--dry-run") == 0
    assert capsys.readouterr().out.splitlines()[1].split()[:3] == ["input", "full", str(jobs)]
