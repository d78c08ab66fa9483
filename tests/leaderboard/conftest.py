"""A folder of scores and videos such as `unflicker evaluate` leaves."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from made_scores import (
    flickering,
    line,
    made_lines,
    write_lines,
    write_video,
)

from unflicker.leaderboard import write_site


def measured_folder(folder):
    write_lines(folder, made_lines())
    place = folder / "videos" / "apple__bands"
    for name, jump in (("input", 5), ("histogram", 5), ("fast", None), ("truth", None)):
        write_video(flickering(jump_at=jump), place / f"{name}.mp4")
    (folder / "run.json").write_text('{"command": "unflicker evaluate DATA", "machine": "two"}')
    return folder


@pytest.fixture
def measured(tmp_path):
    """Scores of four methods on six examples, with videos of one of them."""
    return measured_folder(tmp_path / "out")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Such a folder with its site; nobody changes it."""
    folder = measured_folder(tmp_path_factory.mktemp("site") / "out")
    write_site(folder)
    return folder


@pytest.fixture
def real_film():
    """One line: a method on a film whose truth nobody knows."""
    return line("fast", "street", "visible", {"visible_flicker_less": 0.7}, category="old movie")
