"""The filter for VapourSynth, under the real library where there is a Python that has it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

PYTHON = os.environ.get("UNFLICKER_VAPOURSYNTH_PYTHON", "")
"""A Python 3.12 or newer with `pip install 'unflicker[vapoursynth]'`."""
CHECKS = Path(__file__).parent / "vapoursynth_checks.py"


@pytest.mark.skipif(not PYTHON, reason="UNFLICKER_VAPOURSYNTH_PYTHON names no Python")
def test_the_filter_under_the_real_vapoursynth() -> None:
    source = str(Path(__file__).parents[2] / "src")
    done = subprocess.run(
        [PYTHON, CHECKS],
        env={**os.environ, "PYTHONPATH": source},
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]


def test_without_vapoursynth_the_extra_is_named() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import sys; sys.modules['vapoursynth'] = None\n"
         "import unflicker.plugins.vapoursynth"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "unflicker[vapoursynth]" in done.stderr.splitlines()[-1]
