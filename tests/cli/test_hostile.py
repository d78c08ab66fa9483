"""Damaged films: a result, or one line that says what is wrong; see `benchmarks/fuzz.py`."""

import os
import sys
from itertools import islice
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))

from mutants import mutants, samples

FOUND = (225, 413, 588)
"""Packets of sound that are due at one time: such runs failed at the end."""
CODES = (0, 3, 4, 7)


@pytest.fixture(scope="module")
def made():
    return samples()


@pytest.fixture(scope="module")
def damaged(made):
    every = list(islice(mutants(made, seed=1), 600))
    return [*every[: len(made)], *(every[number] for number in FOUND)]


def test_the_same_seed_gives_the_same_damage(made, damaged):
    again = list(islice(mutants(made, seed=1), len(made)))
    assert again == damaged[: len(made)]
    assert again != list(islice(mutants(made, seed=2), len(made)))


def test_a_damaged_film_gives_a_result_or_one_line(call, damaged, tmp_path):
    """Film by film, so that the message of a failure names it."""
    for mutant in damaged:
        film = tmp_path / f"{mutant.number}.{mutant.suffix}"
        film.write_bytes(mutant.content)
        target = tmp_path / f"result-{mutant.number}.mkv"
        if mutant.number in FOUND:
            target = target.with_suffix(film.suffix)
        code, _, err = call(film, "-o", target, "--preset", "fast", "--jobs", "1")
        about = f"{mutant.number} ({mutant.damage}): {err}"
        assert code in CODES, about
        assert mutant.number not in FOUND or code in (0, 7), about
        assert "internal error" not in err, about
        assert target.exists() == (code in (0, 7)), about
    assert not [name for name in os.listdir(tmp_path) if name.startswith(".")]
