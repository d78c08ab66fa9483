"""Films that were made elsewhere are found by name, laid on their examples, and compared."""

import json
import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from made_clips import FPS, panning
from unflicker.cli.main import exit_code
from unflicker.datasets.examples import Example
from unflicker.datasets.load import Loaded, load
from unflicker.errors import InputError, MissingError, UsageError
from unflicker.evaluation.finished import film_of, finished
from unflicker.evaluation.methods import parsed, version_of
from unflicker.evaluation.suites.suite import Options, blind_methods
from unflicker.frames.clip import Clip
from unflicker.metrics import psnr
from unflicker.settings import EncodingSettings
from unflicker.video import ArraySource, open_writer

SIZE, FRAMES = (72, 128), 14


def write(pixels: np.ndarray, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    film = ArraySource(Clip.at_rate(np.ascontiguousarray(pixels), fps=FPS))
    with open_writer(film, path, encoding=EncodingSettings(codec="ffv1")) as writer:
        for frame in film.frames():
            writer.write(frame)
    return path


@pytest.fixture(scope="module")
def steady() -> np.ndarray:
    return panning(time=FRAMES, size=SIZE, seed=5).pixels


@pytest.fixture(scope="module")
def example(steady, tmp_path_factory) -> Loaded:
    """A clip that flickers by up to 20 %, with its ground truth."""
    place = tmp_path_factory.mktemp("example")
    gains = np.random.default_rng(0).uniform(0.8, 1.0, (FRAMES, 1, 1, 1))
    video = write((steady * gains).astype(np.uint8), place / "street.mkv")
    truth = write(steady, place / "truth.mkv")
    given = Example(
        name="street/w1", clip="street", category="synthetic", kind="w1", video=video, truth=truth
    )
    return load(given, width_px=128, frames=FRAMES)


@pytest.mark.parametrize(
    ("top", "bottom", "left", "right"), [(0, 0, 0, 0), (4, 4, 8, 8), (0, 6, 0, 4)]
)
@pytest.mark.parametrize("late", [0, 3, -2])
def test_a_cropped_and_moved_film_is_laid_where_it_belongs(
    steady, example, tmp_path, top, bottom, left, right, late
):
    pixels = steady[late:] if late >= 0 else np.concatenate([steady[:-late][::-1], steady])
    write(pixels[:, top : 72 - bottom, left : 128 - right], tmp_path / "street__w1.mkv")
    found = finished(example, tmp_path)
    assert found.alignment.offset_frames == -late
    assert len(found.result) == FRAMES - max(late, 0)
    assert found.result.pixels.shape[1:3] == (72 - top - bottom, 128 - left - right)
    assert found.share == pytest.approx((72 - top - bottom) * (128 - left - right) / (72 * 128))
    assert found.loaded.truth is not None
    assert psnr(found.result, found.loaded.truth) > 60


def test_a_film_of_another_size_and_crop_is_found_to_a_fraction_of_a_pixel(
    steady, example, tmp_path
):
    part = steady[:, 5:67, 9:119]
    larger = np.stack(
        [cv2.resize(each, (176, 100), interpolation=cv2.INTER_CUBIC) for each in part]
    )
    write(larger, tmp_path / "street_w1 final.mkv")
    found = finished(example, tmp_path)
    box = found.alignment.box
    assert (box.top, box.left) == (pytest.approx(5, abs=0.35), pytest.approx(9, abs=0.35))
    assert (box.height, box.width) == (pytest.approx(62, abs=0.5), pytest.approx(110, abs=0.5))
    assert psnr(found.result, found.loaded.truth) > 30


def test_bars_around_a_film_are_cut_away(steady, example, tmp_path):
    padded = np.pad(steady, ((0, 0), (12, 12), (0, 0), (0, 0)))
    write(padded, tmp_path / "street__w1.mkv")
    found = finished(example, tmp_path)
    assert found.result.pixels.shape[1:3] == SIZE
    assert psnr(found.result, found.loaded.truth) > 60


@pytest.mark.parametrize("wrong", ["mirrored", "another film"])
def test_a_film_that_shows_something_else_is_refused(steady, example, tmp_path, wrong):
    other = panning(time=FRAMES, size=SIZE, seed=9).pixels
    write(steady[:, :, ::-1] if wrong == "mirrored" else other, tmp_path / "street__w1.mkv")
    with pytest.raises(InputError, match="does not show this video"):
        finished(example, tmp_path)


@pytest.mark.parametrize(
    ("files", "found"),
    [
        (["apple__bands.mp4", "apple__bands_v2.mp4"], "apple__bands.mp4"),
        (["Apple_Bands-graded.mov"], "Apple_Bands-graded.mov"),
        (["apple/bands.mp4"], "apple/bands.mp4"),
        (["apple__bandsaw.mp4", "pear__bands.mp4"], None),
    ],
)
def test_a_film_is_found_by_the_name_of_its_example(tmp_path, files, found):
    for name in files:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    example = Example(
        name="apple/bands", clip="apple", category="synthetic", kind="bands", video=Path("x.mkv")
    )
    assert film_of(tmp_path, example) == (found and tmp_path / found)


def test_two_films_that_may_be_meant_are_refused_by_name(tmp_path):
    for name in ("old_street_a.mp4", "old_street_b.mp4"):
        (tmp_path / name).touch()
    example = Example(
        name="old_street", clip="old_street", category="old movie", kind="", video=Path("x.mkv")
    )
    with pytest.raises(InputError, match=r"old_street_a\.mp4 and old_street_b\.mp4 .* may be"):
        film_of(tmp_path, example)


def test_a_folder_that_is_not_there_and_a_suite_are_refused(tmp_path):
    with pytest.raises(MissingError, match="not a folder"):
        parsed(f"expert=folder:{tmp_path / 'none'}")
    options = Options(out=tmp_path, own=(f"expert=folder:{tmp_path}",))
    with pytest.raises(UsageError, match="evaluate without --suite"):
        blind_methods(options, usual=())


def test_finished_films_stand_in_the_same_scores_and_tables(steady, tmp_path):
    gains = np.random.default_rng(1).uniform(0.8, 1.0, (FRAMES, 1, 1, 1))
    data, out = tmp_path / "data", tmp_path / "out"
    for name in ("oldfilm_street", "oldfilm_lane"):
        write((steady * gains).astype(np.uint8), data / "flicker" / f"{name}.mkv")
    films = tmp_path / "films"
    write(steady[2:, 4:-4, 4:-4], films / "oldfilm_street_graded.mkv")
    write(steady, films / "oldfilm_lane.mkv")
    arguments = ["--method", f"expert=folder:{films}", "--jobs", "1", "-q"]
    arguments += ["--width", "128", "--frames", str(FRAMES)]
    assert exit_code(["evaluate", str(data), "-o", str(out), *arguments]) == 0
    lines = [json.loads(line) for line in (out / "scores.jsonl").read_text().splitlines()]
    own = {
        (row["example"], row["set"]): row["values"] for row in lines if row["method"] == "expert"
    }
    assert {name for name, _ in own} == {"oldfilm_street", "oldfilm_lane"}
    assert own["oldfilm_street", "cost"]["aligned_offset_frames"] == -2
    assert own["oldfilm_street", "cost"]["aligned_share"] == pytest.approx(0.8333, abs=1e-3)
    assert all(own[name, "visible"]["visible_flicker_less"] > 0.8 for name, _ in own)
    assert (out / "videos" / "oldfilm_street" / "expert.mp4").exists()
    table = (out / "tables" / "leaderboard_real.md").read_text()
    assert "made elsewhere" in table
    assert "83 % of the picture" in table
    assert "1 of 2 with an offset in time" in table


def test_a_film_that_is_replaced_is_another_version(steady, tmp_path):
    film = write(steady[:2], tmp_path / "street.mkv")
    method = parsed(f"expert=folder:{tmp_path}")
    versions = [version_of(method, effort="finished film", weights=None)]
    film.unlink()
    versions.append(version_of(method, effort="finished film", weights=None))
    write(steady[:3], film)
    versions.append(version_of(method, effort="finished film", weights=None))
    assert len(set(versions)) == 3


DATA = os.environ.get("UNFLICKER_DATA", "")


@pytest.mark.skipif(not DATA, reason="needs UNFLICKER_DATA")
def test_a_published_result_is_laid_on_its_clip_without_resampling(tmp_path):
    pairs = Path(DATA) / "processed"
    rival = pairs / "depth_scooter_steady_rival.mp4"
    if not rival.exists():
        pytest.skip("needs depth_scooter_steady_rival")
    (tmp_path / rival.name).symlink_to(rival)
    given = Example(
        name="scooter/depth",
        clip="scooter",
        category="processed",
        kind="depth",
        video=pairs / "depth_scooter_processed.mp4",
        original=pairs / "depth_scooter_original.mp4",
    )
    found = finished(load(given, width_px=160, frames=8), tmp_path)
    assert found.alignment.offset_frames == 0
    assert found.share == 1.0
    assert found.alignment.correlation > 0.7
