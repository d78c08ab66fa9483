"""docs/api.md: every block runs and prints what it says."""

import doctest
import re
from pathlib import Path

import cv2
import numpy as np
import pytest

from unflicker.frames.clip import Clip
from unflicker.video import ArraySource, open_writer

PAGE = Path(__file__).parent.parent / "docs" / "api.md"
BLOCK = re.compile(r"^```python\n(.*?)^```", re.M | re.S)


def blocks() -> list[str]:
    return BLOCK.findall(PAGE.read_text(encoding="utf-8"))


def faults_of(text: str, names: dict) -> str:
    """What a block prints otherwise than it says; empty if it is right."""
    test = doctest.DocTestParser().get_doctest(text, names, "api.md", None, 0)
    assert test.examples, "a block without a prompt is not run"
    said: list[str] = []
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS | doctest.IGNORE_EXCEPTION_DETAIL
    runner = doctest.DocTestRunner(verbose=False, optionflags=flags)
    runner.run(test, out=said.append, clear_globs=False)
    names.update(test.globs)
    return "".join(said)


@pytest.fixture
def material(tmp_path, monkeypatch) -> Path:
    """A flickering film and its pictures."""
    light = np.random.default_rng(5).uniform(0.7, 1.0, 24)
    rough = np.random.default_rng(2).uniform(50, 230, (6, 8, 3)).astype(np.float32)
    scene = cv2.resize(rough, (64, 48), interpolation=cv2.INTER_CUBIC)
    pixels = np.clip(scene * light[:, None, None, None], 0, 255).astype(np.uint8)
    film = ArraySource(Clip.at_rate(pixels, fps=24.0))
    with open_writer(film, tmp_path / "film.mp4") as writer:
        for frame in film.frames():
            writer.write(frame)
    (tmp_path / "frames").mkdir()
    (tmp_path / "stills").mkdir()
    for number, picture in enumerate(pixels):
        cv2.imwrite(str(tmp_path / "frames" / f"{number:04d}.png"), picture[..., ::-1])
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_block_of_the_page_runs_and_prints_what_it_says(material) -> None:
    pytest.importorskip("torch")
    names: dict = {}
    assert len(blocks()) >= 20
    faults = [faults_of(text, names) for text in blocks()]
    if any(faults):
        pytest.fail("\n".join(faults))


def test_a_wrong_answer_would_be_noticed() -> None:
    assert "Expected" in faults_of(">>> 1 + 1\n3\n", {})
