"""Lets the tests of pages import what was made for them, and makes results once."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from browsers import CHROMIUM, SWITCHES
from made_results import copy_results, make_results


@pytest.fixture(scope="session")
def made(tmp_path_factory) -> Path:
    return make_results(tmp_path_factory.mktemp("made") / "results")


@pytest.fixture
def results(made, tmp_path) -> Path:
    return copy_results(made, tmp_path / "results")


@pytest.fixture(scope="module")
def browser():
    driver = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with driver.sync_playwright() as player:
        chromium = player.chromium.launch(executable_path=CHROMIUM, args=SWITCHES.split())
        yield chromium
        chromium.close()
