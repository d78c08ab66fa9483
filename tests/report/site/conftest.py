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


@pytest.fixture
def measured(tmp_path):
    """Scores of four methods on six examples, with videos of one and a failure."""
    folder = write_lines(tmp_path / "out", made_lines())
    place = folder / "videos" / "apple__bands"
    for name, jump in (("input", 5), ("histogram", 5), ("fast", None), ("truth", None)):
        write_video(flickering(jump_at=jump), place / f"{name}.mp4")
    (folder / "run.json").write_text('{"command": "unflicker evaluate DATA", "machine": "two"}')
    return folder


@pytest.fixture
def real_film():
    """One line: a method on a film whose truth nobody knows."""
    return line("fast", "street", "visible", {"visible_flicker_less": 0.7}, category="old movie")
