"""The programs in `examples/` run and say what they did."""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from made_clips import FPS, panning
from unflicker.datasets.reading import read_clip
from unflicker.frames.clip import Clip
from unflicker.settings import EncodingSettings
from unflicker.video import ArraySource, open_writer

EXAMPLES = Path(__file__).parent.parent / "examples"
SHORT = """import runpy, sys
sys.path.insert(0, {folder!r})
import demo
demo.FRAMES, demo.WIDTH, demo.HEIGHT = 32, 320, 240
runpy.run_path({script!r}, run_name="__main__")
"""
"""Runs an example as it is, on a shorter and smaller clip of the demo's."""


def said(name: str, *words: str, cwd: Path) -> str:
    program = SHORT.format(folder=str(EXAMPLES), script=str(EXAMPLES / name))
    command = [sys.executable, "-c", program, *words]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_arrays(tmp_path) -> None:
    text = said("deflicker_array.py", cwd=tmp_path)
    before, after = (float(word) for word in text.split() if word[0].isdigit())
    assert after < 0.3 * before


def test_a_stream(tmp_path) -> None:
    text = said("deflicker_stream.py", "--folder", "out", cwd=tmp_path)
    assert text.startswith("32 pictures written")
    assert (tmp_path / "out" / "streamed.avi").stat().st_size > 100_000


def test_a_plan_edited_by_hand(tmp_path) -> None:
    text = said("edit_plan.py", "--folder", "out", cwd=tmp_path)
    left = {
        line.split(":")[0]: float(line.split()[-2]) for line in text.splitlines() if "ΔE" in line
    }
    assert left["whole"] < 0.8 * left["halved"]


@pytest.mark.parametrize("hold", [True, False])
def test_keys_set_by_hand_become_a_graded_film(tmp_path, monkeypatch, hold: bool) -> None:
    monkeypatch.syspath_prepend(str(EXAMPLES))
    import hand_graded

    clip = panning(time=9, size=(36, 64), seed=2)
    light = np.array([1.0, 1.0, 0.8, 0.8, 0.9, 0.9, 1.0, 1.0, 1.0])
    pixels = np.rint(clip.pixels * 0.8 * light[:, None, None, None]).astype(np.uint8)
    film = ArraySource(Clip.at_rate(pixels, fps=FPS))
    path = tmp_path / "film.mkv"
    with open_writer(film, path, encoding=EncodingSettings(codec="ffv1")) as writer:
        for frame in film.frames():
            writer.write(frame)
    keys = [[0, 1.0], [2, 1.25], [4, 1.1], [6, 1.0]]
    wanted = hand_graded.gains_at(9, keys=keys, hold=hold)
    assert wanted[[0, 2, 4, 8]] == pytest.approx([1.0, 1.25, 1.1, 1.0])
    assert (wanted[3] == 1.25) == hold
    result = hand_graded.graded(path, tmp_path / "out", keys=keys, hold=hold)
    before, after = (
        read_clip(each, width_px=64, frames=9, fps=FPS).pixels.mean((1, 2, 3))
        for each in (path, result)
    )
    assert after / before == pytest.approx(wanted, rel=0.03)


def test_the_published_keys_are_in_order() -> None:
    films = json.loads((EXAMPLES / "hand_graded.json").read_text())
    for about in films.values():
        frames, gains = zip(*about["keys"], strict=True)
        assert list(frames) == sorted(set(frames))
        assert all(0.5 < gain < 2 for gain in gains)


def test_the_cells_of_the_notebook_run_in_order(capsys) -> None:
    notebook = json.loads((EXAMPLES / "first_steps.ipynb").read_text(encoding="utf-8"))
    assert notebook["nbformat"] == 4
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert all(not cell["outputs"] for cell in cells), "stored outputs would grow old"
    names: dict = {}
    for cell in cells:
        exec("".join(cell["source"]), names)
    said = capsys.readouterr().out
    before, after = (
        float(number) for number in re.findall(r"by ([\d.]+) .* ([\d.]+) after", said)[0]
    )
    assert after < 0.3 * before
    assert "visible flicker" in said


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.name)
def test_every_example_says_what_it_is(path) -> None:
    assert path.read_text(encoding="utf-8").startswith('"""')
