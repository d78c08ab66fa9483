"""The programs in `examples/` run and say what they did."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

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
