"""Laws of the refinement in a run: films as arrays, masks, plans."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from made_films import read, same_samples

import unflicker
from made_clips import panning
from unflicker import RunOptions
from unflicker.frames.clip import Clip, from_float
from unflicker.frames.colour import to_rgb
from unflicker.frames.picture import Frame
from unflicker.settings import EncodingSettings, Settings, replaced
from unflicker.synthesis import processed
from unflicker.video import ArraySource, open_writer

SIZE = (90, 160)
FILM = replaced(
    Settings.from_preset("fast"), {"encoding.codec": "ffv1", "encoding.pix_fmt": "bgr0"}
)
USED = replaced(FILM, {"refinement.used": True})


def pixels(frames: list[Frame]) -> np.ndarray:
    return from_float(np.stack([to_rgb(f.picture) for f in frames]), dtype=np.uint8)


@pytest.fixture(scope="module")
def made() -> Clip:
    return processed(panning(time=10, size=SIZE, speed_px=(0.4, 0.1)), seed=5)


@pytest.fixture(scope="module")
def film(made, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("film") / "film.mkv"
    source = ArraySource(made)
    encoding = EncodingSettings(codec="ffv1", pix_fmt="bgr0")
    with open_writer(source, path, encoding=encoding) as writer:
        for frame in source.frames():
            writer.write(frame)
    return path


def test_films_and_arrays_are_refined_alike(film, made, tmp_path) -> None:
    unflicker.run(film, tmp_path / "on.mkv", settings=USED)
    unflicker.run(film, tmp_path / "off.mkv", settings=FILM)
    on, off = (pixels(read(tmp_path / f"{name}.mkv")) for name in ("on", "off"))
    arrays = unflicker.deflicker(made.pixels, fps=24.0, settings=USED)
    assert np.abs(np.diff(on.astype(int), axis=0)).mean() < 0.85 * (
        np.abs(np.diff(off.astype(int), axis=0)).mean()
    )
    # A film's pictures are dithered when graded, an array's are rounded.
    difference = np.abs(on.astype(int) - arrays)
    assert difference.mean() < 0.5
    assert difference.max() <= 6


def test_nothing_is_refined_where_the_mask_is_black(film, tmp_path) -> None:
    mask = np.zeros(SIZE, np.uint8)
    mask[:, 80:] = 255
    cv2.imwrite(str(tmp_path / "mask.png"), mask)
    options = RunOptions(mask=tmp_path / "mask.png")
    unflicker.run(film, tmp_path / "out.mkv", settings=USED, options=options)
    before, after = pixels(read(film)), pixels(read(tmp_path / "out.mkv"))
    np.testing.assert_array_equal(after[:, :, :80], before[:, :, :80])
    assert (after[:, :, 80:] != before[:, :, 80:]).any()


def test_a_plan_refines_as_the_run_did(film, tmp_path) -> None:
    plan = tmp_path / "film.plan"
    unflicker.run(film, tmp_path / "on.mkv", settings=USED, options=RunOptions(save_plan=plan))
    unflicker.run(film, tmp_path / "off.mkv", settings=FILM)
    # What was planned decides, whatever preset follows the plan.
    unflicker.run(film, tmp_path / "planned.mkv", settings=FILM, options=RunOptions(plan=plan))
    assert same_samples(read(tmp_path / "planned.mkv"), read(tmp_path / "on.mkv"))
    assert not same_samples(read(tmp_path / "planned.mkv"), read(tmp_path / "off.mkv"))
