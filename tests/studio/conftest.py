"""A library in which one film has been looked at and analysed, made once."""

import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from made_desk import FAST, done, opened

from made_numbered import numbered_film


@pytest.fixture(scope="session")
def made_library(tmp_path_factory):
    """A library with one analysed film, and the folder of the film."""
    base = tmp_path_factory.mktemp("studio")
    films = base / "films"
    films.mkdir()
    numbered_film(films / "numbered.mp4")
    with opened(base / "library", films=films, working=False) as desk:
        film = desk.library.add(films / "numbered.mp4", name="numbered.mp4").film
        desk.library.decide(film, FAST)
        for kind in ("look", "analyse", "compare"):
            done(desk, film, kind)
    return base


@pytest.fixture
def desk(made_library, tmp_path):
    """A desk of its own with that film; its queue stands."""
    shutil.copytree(made_library / "library", tmp_path / "library")
    with opened(tmp_path / "library", films=made_library / "films", working=False) as desk:
        yield desk


@pytest.fixture
def film(desk) -> str:
    """Name of the film in addresses."""
    return desk.library.films()[0].film
