"""Frames by number, in any order, from a plan: the same as those of a run."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import unflicker
from made_clips import panning
from unflicker.errors import InputError
from unflicker.frames.clip import Clip, from_float
from unflicker.rendering.options import RunOptions
from unflicker.rendering.random_access import RandomAccess
from unflicker.settings import EncodingSettings, Settings, replaced
from unflicker.synthesis import processed, synthesise
from unflicker.video import ArraySource, open_video, open_writer

SIZE = (64, 112)


@pytest.fixture(scope="module")
def film(tmp_path_factory) -> Path:
    """Two shots: light flickers in the first, texture in the second."""
    light = synthesise(panning(time=32, size=SIZE), kind="local", seed=3).clip
    texture = processed(panning(time=20, size=SIZE, seed=4, speed_px=(0.4, 0.1)), seed=5)
    pixels = np.concatenate([light.as_float(), texture.as_float()])
    source = ArraySource(Clip.at_rate(from_float(pixels, dtype=np.uint8), fps=24.0))
    path = tmp_path_factory.mktemp("film") / "film.mkv"
    encoding = EncodingSettings(codec="ffv1", pix_fmt="bgr0")
    with open_writer(source, path, encoding=encoding) as writer:
        for frame in source.frames():
            writer.write(frame)
    return path


@pytest.mark.parametrize(
    ("changes", "alone"),
    [({}, [True, False]), ({"repair.dirt": True}, [False, False]),
     ({"refinement.used": False}, [True, True])],
)  # fmt: skip
def test_any_order_gives_the_frames_of_a_run(
    film: Path, tmp_path: Path, changes: dict, alone: list[bool]
) -> None:
    settings = replaced(
        Settings.from_preset("standard"),
        {"encoding.codec": "ffv1", "encoding.pix_fmt": "bgr0", **changes},
    )
    plan, result = tmp_path / "film.plan", tmp_path / "steady.mkv"
    unflicker.run(film, result, settings=settings, options=RunOptions(save_plan=plan))
    expected = [frame.picture.planes for frame in open_video(result).frames()]
    source = open_video(film)
    frames, access = list(source.frames()), RandomAccess(plan, source, settings)
    assert len(access) == len(frames) == 52
    for index in (51, 17):
        needed = access.needed(index)
        given = frames[max(needed.start, 0) : needed.stop]
        picture = access.rendered(given)[index - given[0].index]
        for one, other in zip(picture.planes, expected[index], strict=True):
            assert np.abs(one.astype(int) - other).max() <= 1
    needs = [access.needed(index) for index in (0, 40)]
    assert [each.stop - each.start == 1 for each in needs] == alone


def test_a_plan_of_another_film_is_refused(film: Path, tmp_path: Path) -> None:
    plan, settings = tmp_path / "film.plan", Settings.from_preset("fast")
    unflicker.analyze(film, settings=settings, options=RunOptions(save_plan=plan))
    source = open_video(film)
    access = RandomAccess(plan, source, settings)
    with pytest.raises(InputError, match="make the plan again"):
        access.refuse_length(51, name="film")
    first = next(iter(source.frames()))
    dark = replace(first.picture, planes=tuple(plane // 2 for plane in first.picture.planes))
    with pytest.raises(InputError, match="not the frame"):
        access.rendered([replace(first, picture=dark)])
