"""The pages for five audiences: every command in their `sh` blocks runs."""

import re
import shlex
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from made_clips import panning
from unflicker.cli.main import exit_code
from unflicker.frames.clip import Clip, from_float
from unflicker.synthesis import synthesise
from unflicker.video import ArraySource, open_writer

PAGES = sorted((Path(__file__).parent.parent / "docs" / "for").glob("*.md"))
SIZE = (48, 64)


def commands_in(page: Path) -> list[str]:
    blocks = re.findall(r"^```sh\n(.*?)^```", page.read_text(encoding="utf-8"), re.M | re.S)
    return [line for block in blocks for line in block.splitlines()]


@pytest.fixture(scope="module")
def material(tmp_path_factory) -> Path:
    """A film, the same processed, its pictures, and a mask."""
    folder = tmp_path_factory.mktemp("material")
    made = synthesise(panning(time=12, size=SIZE), kind="exposure", seed=3).clip
    pixels = from_float(made.as_float(), dtype=np.uint8)
    film = ArraySource(Clip.at_rate(pixels, fps=24.0))
    for name in ("film.mp4", "processed.mp4"):
        with open_writer(film, folder / name) as writer:
            for frame in film.frames():
                writer.write(frame)
    (folder / "frames").mkdir()
    for index, picture in enumerate(pixels):
        cv2.imwrite(str(folder / "frames" / f"{index:04d}.png"), picture[..., ::-1])
    cv2.imwrite(str(folder / "mask.png"), np.full(SIZE, 255, np.uint8))
    return folder


def test_there_is_a_page_for_each_audience() -> None:
    assert [page.stem for page in PAGES] == [
        "archives", "editors", "generated-video", "research", "time-lapse",
    ]  # fmt: skip


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_command_of_a_page_runs(page: Path, material: Path, tmp_path, monkeypatch) -> None:
    shutil.copytree(material, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    commands = commands_in(page)
    assert commands
    for command in commands:
        program, *arguments = shlex.split(command)
        assert program == "unflicker"
        assert exit_code(arguments) == 0, command


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_and_pictures_of_a_page_are_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text)
    assert any(link.endswith(".jpg") for link in links)
    assert [link for link in links if not (page.parent / link).exists()] == []
