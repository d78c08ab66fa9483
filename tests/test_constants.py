"""Every constant of the method is listed with its value and origin; fresh clips follow a rule."""

import ast
import json
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

sys.path.append(str(Path(__file__).parents[1] / "benchmarks"))
import constants
import fresh
import sensitivity
from unflicker.tone.illumination import TOE

PAGE = """
| read from | meaning |
|---|---|
| **dev** | some clips |
| **unknown** | nothing is written down |

### `tone/one.py`

| constant | value | read from | how |
|---|---|---|---|
| `_A, _B` | `(1.0, 2)` | dev | four clips |
"""


def test_all_constants_of_the_method_are_listed_with_value_and_origin() -> None:
    found = constants.constants(constants.PACKAGE)
    assert len(found) > 400
    assert list(constants.differences(constants.PAGE.read_text(), found)) == []


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("_A, _B = 1.0, 2", ""),
        ("_A, _B = 1.0, 3", "is (1.0, 3), listed as (1.0, 2)"),
        ("_A, _B = 1.0, 2\nC = {'x': -4}", "C is not listed"),
        ("", "no longer there"),
    ],
)
def test_a_constant_that_is_new_gone_or_changed_is_told(
    tmp_path: Path, source: str, said: str
) -> None:
    (tmp_path / "tone").mkdir()
    (tmp_path / "tone" / "one.py").write_text(source)
    found = constants.constants(tmp_path, ("tone",))
    faults = list(constants.differences(PAGE, found))
    assert len(faults) == bool(said)
    assert not said or said in faults[0]
    kept = constants.brought_up_to_date(PAGE, found)
    assert list(constants.differences(kept, found)) == []
    if said not in ("", "no longer there"):
        assert "dev | four clips" in kept


def test_an_origin_that_the_page_does_not_explain_is_told() -> None:
    page = PAGE.replace("| dev |", "| dev, hearsay |")
    faults = list(constants.differences(page, {("tone/one.py", "_A, _B"): "(1.0, 2)"}))
    assert len(faults) == 1
    assert "hearsay" in faults[0]


def test_settings_count_and_words_and_flags_do_not() -> None:
    source = "class S:\n    steps: int = _setting(7, 'x')\n    on: bool = _setting(default=True)\n"
    words = "NAMES = ('a', 'b')\nFLAG = True\nlower = 3\n"
    tree = ast.parse(source + words)
    found = [*constants._of_module(tree), *constants._of_settings(tree)]
    assert [name for name, _ in found] == ["S.steps"]


@pytest.mark.parametrize("seed", [3, 20261130])
def test_fresh_clips_belong_to_their_seed(tmp_path: Path, seed: int) -> None:
    random = np.random.default_rng(seed)
    for number in range(6):
        picture = cv2.resize(random.integers(0, 256, (8, 12, 3), dtype=np.uint8), (481, 321))
        cv2.imwrite(str(tmp_path / f"{number}.png"), picture)
    photos = fresh.photographs(tmp_path)
    three = list(fresh.drawn(photos, seed=seed, clips=3, frames=3))
    two = list(fresh.drawn(photos, seed=seed, clips=2, frames=3))
    other = next(fresh.drawn(photos, seed=seed + 1, clips=1, frames=3))
    for (one, of), (again, same) in zip(three, two, strict=False):
        assert of == same
        np.testing.assert_array_equal(one.pixels, again.pixels)
    assert not np.array_equal(other[0].pixels, three[0][0].pixels)
    used = [name for _, names in three for name in names]
    assert len(set(used)) == len(used)


def test_the_split_says_that_its_half_is_spent() -> None:
    split = json.loads((Path(constants.ROOT) / "benchmarks" / "split.json").read_text())
    assert "spent" in split["about"]
    assert not set(split["development"]) & set(split["held-out"])


def test_another_value_reaches_all_who_import_a_constant():
    assert sys.modules["unflicker.tone.trajectory"].TOE == TOE
    smaller, larger = sensitivity.changes_of(["tone/illumination.py:TOE"])
    assert smaller.value == 0.5 * TOE
    assert larger.value == 2.0 * TOE
    try:
        assert "unflicker.tone.trajectory" in sensitivity.put(larger)
        assert larger.value == sys.modules["unflicker.tone.trajectory"].TOE
    finally:
        sensitivity.put(replace(larger, value=TOE))
    assert sys.modules["unflicker.tone.trajectory"].TOE == TOE


def test_numbers_of_compiled_loops_are_not_tried():
    tried = {change.module for change in sensitivity.changes_of([])}
    assert tried
    assert not any(name.endswith(("kernels", "explaining", "schema")) for name in tried)
