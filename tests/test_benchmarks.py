"""The scripts in benchmarks: they start, and say what they do."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ALL_HELP = """import pathlib, runpy, sys
scripts = sys.argv[1:]
sys.path.insert(0, str(pathlib.Path(scripts[0]).parent))
for script in scripts:
    sys.argv = [script, "--help"]
    try:
        runpy.run_path(script, run_name="__main__")
    except SystemExit as end:
        assert not end.code, script
"""
"""Asks scripts for their help in one process, as each loads torch."""


@pytest.mark.skipif(sys.platform == "win32", reason="memory of processes is not told there")
def test_the_scripts_say_what_they_do():
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    names = ("atlas", "atlas_trust", "cuda", "neural_filter", "trained")
    scripts = [str(ROOT / "benchmarks" / f"{name}.py") for name in names]
    command = [sys.executable, "-c", ALL_HELP, *scripts]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    assert [f"usage: {name}.py" in done.stdout for name in names] == [True] * len(names)
