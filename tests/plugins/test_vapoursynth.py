"""The filter for VapourSynth, under the real library where there is a Python that has it."""

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

VARIABLE = "UNFLICKER_VAPOURSYNTH_PYTHON"
"""A Python 3.12 or newer with `pip install 'unflicker[vapoursynth]'`; or `make`, to make one."""
HERE = Path(__file__).parent
REPOSITORY = HERE.parents[1]
OLDEST = (3, 12)


def pythons() -> list[Path]:
    """Pythons of this machine that are new enough, the newest first."""
    folders = [Path(place) for place in os.get_exec_path()]
    folders += sorted((Path.home() / ".pyenv/versions").glob("*/bin"))
    found = {}
    for folder in folders:
        for path in folder.glob("python3.*"):
            minor = re.fullmatch(r"python3\.(\d+)", path.name)
            if minor and (3, int(minor[1])) >= OLDEST and answers(path):
                found.setdefault(int(minor[1]), path)
    return [found[minor] for minor in sorted(found, reverse=True)]


def answers(python: Path) -> bool:
    """Whether it runs and can make environments: a version manager's stand-in may not."""
    done = subprocess.run(
        [python, "-c", "import venv, ensurepip"], capture_output=True, check=False
    )
    return done.returncode == 0


def made(folder: Path) -> Path:
    """The Python of an environment with VapourSynth, made once for what the project needs."""
    place = folder / hashlib.sha256((REPOSITORY / "pyproject.toml").read_bytes()).hexdigest()[:16]
    python, whole = place / "bin/python", place / "whole"
    if whole.exists():
        return python
    shutil.rmtree(place, ignore_errors=True)
    if not (candidates := pythons()):
        pytest.skip("VapourSynth needs Python 3.12 or newer, and there is none on this machine")
    subprocess.run([candidates[0], "-m", "venv", place], check=True, capture_output=True)
    installing = [python, "-m", "pip", "install", "--quiet", f"{REPOSITORY}[vapoursynth]"]
    done = subprocess.run(installing, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"VapourSynth cannot be installed here: {done.stderr.strip()[-300:]}")
    whole.touch()
    return python


def python_with_vapoursynth(config: pytest.Config) -> Path:
    named = os.environ.get(VARIABLE, "")
    if named == "make":
        return made(config.rootpath / ".pytest_cache/d/vapoursynth")
    if named:
        return Path(named)
    if importlib.util.find_spec("vapoursynth"):
        return Path(sys.executable)
    pytest.skip(f"VapourSynth is not installed here; {VARIABLE}=make makes an environment with it")


def test_the_filter_under_the_real_vapoursynth(pytestconfig: pytest.Config) -> None:
    done = subprocess.run(
        [python_with_vapoursynth(pytestconfig), HERE / "vapoursynth_checks.py"],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY / "src")},
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.splitlines()[-1] == "all checks passed"


def test_without_vapoursynth_the_extra_is_named() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import sys; sys.modules['vapoursynth'] = None\n"
         "import unflicker.plugins.vapoursynth"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "unflicker[vapoursynth]" in done.stderr.splitlines()[-1]
