"""Lets the tests of pages import what was made for them, and makes results once."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from made_results import copy_results, make_results


@pytest.fixture(scope="session")
def made(tmp_path_factory) -> Path:
    return make_results(tmp_path_factory.mktemp("made") / "results")


@pytest.fixture
def results(made, tmp_path) -> Path:
    return copy_results(made, tmp_path / "results")
