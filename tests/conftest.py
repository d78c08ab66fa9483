"""Lets every test import the clips and films made for them."""

import os
import sys
from collections import defaultdict
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent / "video")]

import shape_checks  # noqa: E402
from slow_tests import SLOW  # noqa: E402

shape_checks.check_some_calls()

# Programs started by tests: most of their time would go into fits of atlases.
os.environ.setdefault("UNFLICKER_PRESET", "fast")
# Settings of whoever runs the tests have no place in them.
os.environ["XDG_CONFIG_HOME"] = os.devnull


def _load_the_loops_unchecked() -> None:
    """Load the compiled loops without shape checks, which numba cannot compile.

    What calls them, `grade.apply` and the atlas, is checked as everything else is.
    """
    import_module("unflicker.grade")
    hooks = [finder for finder in sys.meta_path if type(finder).__module__.startswith("jaxtyping")]
    for hook in hooks:
        sys.meta_path.remove(hook)
    import_module("unflicker.grade.kernels")
    import_module("unflicker.refinement")
    import_module("unflicker.refinement.kernels")
    import_module("unflicker.atlas")
    import_module("unflicker.atlas.kernels")
    import_module("unflicker.repair")
    import_module("unflicker.repair.explaining")
    import_module("unflicker.repair.line_kernels")
    sys.meta_path[:0] = hooks


_load_the_loops_unchecked()


LONG = (
    "grade/test_apply.py",
    "training/test_training.py",
    "training/test_paper_trainings.py",
    "evaluation/test_comparison.py",
    "test_resume.py",
    "test_promises.py",
    "repair/test_cleaned_films.py",
    "jobs/test_cluster.py",
    "web/test_studio_browser.py",
    "rendering/test_random_access.py",
    "rendering/test_pipes.py",
    "studio/test_desk.py",
    "test_pipeline.py",
    "test_wanted_light.py",
    "analysis/test_scene.py",
    "tone/test_tone.py",
    "atlas/test_atlas.py",
    "plan/test_analyze_then_apply.py",
    "analysis/test_atlas_window.py",
    "tone/test_mixing.py",
    "test_original.py",
    "tone/test_exposure_lock.py",
    "refinement/test_refined_films.py",
)
"""Files that take longest. They run first, so that no core waits for one at the end; the first
compiles most loops, and the three after it need none of them."""


def pytest_collection_modifyitems(items) -> None:
    """Mark the slow tests and put the longest files first; the order within a file stays."""
    here = Path(__file__).parent
    kept = {
        (here / name, test): count for name, tests in SLOW.items() for test, count in tests.items()
    }
    cases = defaultdict(list)
    for item in items:
        cases[item.path, item.name.split("[")[0]].append(item)
    for which, count in kept.items():
        usual = {place * len(cases[which]) // count for place in range(count)}
        for place, item in enumerate(cases[which]):
            if place not in usual:
                item.add_marker(pytest.mark.slow)
    places = {here / name: place for place, name in enumerate(LONG)}
    items.sort(key=lambda item: places.get(item.path, len(LONG)))


QUICK = {"atlas.layers": 1, "atlas.steps": 20, "atlas.points": 2_000, "atlas.rounds": 1}
"""A short fit of preset `best`."""


@pytest.fixture(autouse=True, scope="module")
def _first_calls_are_checked():
    """Check the first calls of all functions in each file of tests."""
    shape_checks.start_over()


@pytest.fixture(autouse=True)
def _scheduled_as_before():
    """Films that tests make in AV1 would leave them real-time, and the browsers they start."""
    from unflicker.compute.scheduling import scheduling_kept

    with scheduling_kept():
        yield


@pytest.fixture(autouse=True)
def usual(request, monkeypatch):
    """The settings of a test that names none: `fast`, or the preset that it is parametrised with,
    with a short fit."""
    from unflicker.settings import choosing

    settings = _quick_settings(getattr(request, "param", "fast"))
    monkeypatch.setattr(choosing, "usual_settings", lambda **_: settings)
    return settings


@cache
def _quick_settings(preset):
    from unflicker.settings import Settings, replaced

    settings = Settings.from_preset(preset)
    return replaced(settings, QUICK) if settings.atlas.used else settings
