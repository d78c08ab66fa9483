"""Data sets: what is built can be built again and read back bit for bit; layouts are found."""

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from unflicker.datasets.load import (
    MADE_KINDS,
    Recipe,
    build_dataset,
    load,
    read_dataset,
)
from unflicker.datasets.manifest import NAME as MANIFEST_NAME
from unflicker.errors import Cancelled, InputError, UsageError
from unflicker.frames.clip import Clip
from unflicker.settings import EncodingSettings
from unflicker.synthesis import synthesise
from unflicker.video import ArraySource, open_writer

SIZE, FRAMES = (36, 64), 5
SMALL = Recipe(kinds=("exposure", "local tint", "w3"), width_px=64, frames=FRAMES)


def moving(*, time: int = FRAMES, seed: int = 0, size: tuple[int, int] = SIZE) -> np.ndarray:
    noise = np.random.default_rng(seed).random((size[0], size[1] + time, 3)).astype(np.float32)
    wide = 40 + 170 * cv2.GaussianBlur(noise, (0, 0), 1.5)
    return np.stack([wide[:, t : t + size[1]] for t in range(time)]).astype(np.uint8)


def film(path: Path, pixels: np.ndarray, *, fps: float = 25.0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    source = ArraySource(Clip.at_rate(pixels, fps=fps))
    with open_writer(source, path, encoding=EncodingSettings(codec="ffv1")) as writer:
        for frame in source.frames():
            writer.write(frame)
    return path


def pictures(folder: Path, pixels: np.ndarray) -> Path:
    folder.mkdir(parents=True)
    for index, picture in enumerate(pixels):
        cv2.imwrite(str(folder / f"{index:05d}.png"), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    return folder


@pytest.fixture
def clean(tmp_path: Path) -> Path:
    folder = tmp_path / "clean"
    film(folder / "apple.mkv", moving())
    pictures(folder / "pear", moving(seed=1))
    return folder


def test_what_is_built_is_the_made_flicker_and_its_truth_bit_for_bit(clean, tmp_path):
    made = build_dataset(clean, tmp_path / "out", recipe=SMALL)
    assert [example.name for example in made.examples] == [
        f"{clip}/{kind}" for clip in ("apple", "pear") for kind in SMALL.kinds
    ]
    entries = json.loads((tmp_path / "out" / MANIFEST_NAME).read_text())["examples"]
    for example, entry in zip(made.examples, entries, strict=True):
        loaded = load(example, width_px=64, frames=FRAMES)
        assert loaded.truth is not None
        seed = 0 if example.clip == "apple" else 1
        np.testing.assert_array_equal(loaded.truth.pixels, moving(seed=seed))
        again = synthesise(loaded.truth, kind=example.kind, seed=entry["seed"])
        np.testing.assert_array_equal(loaded.video.pixels, again.clip.pixels)


def test_a_data_set_that_was_moved_is_read_as_it_was_built(clean, tmp_path):
    made = build_dataset(clean, tmp_path / "out", recipe=SMALL)
    (tmp_path / "out").rename(tmp_path / "moved")
    read = read_dataset(tmp_path / "moved")
    assert [example.name for example in read.examples] == [e.name for e in made.examples]
    for example in read.examples:
        assert example.video.is_file()
        assert example.truth is not None
        assert example.truth.is_file()
        assert (example.category, example.original) == ("synthetic", None)


def test_the_manifest_says_whence_each_file_is_and_how_to_know_it(clean, tmp_path):
    (clean / "licences.json").write_text('{"apple": "CC BY 4.0"}')
    build_dataset(clean, tmp_path / "out", recipe=SMALL)
    manifest = json.loads((tmp_path / "out" / MANIFEST_NAME).read_text())
    assert [clip["licence"] for clip in manifest["clips"]] == ["CC BY 4.0", "not stated"]
    assert {clip["source"] for clip in manifest["clips"]} == {"apple.mkv", "pear"}
    for entry in manifest["examples"]:
        assert {"seed", "kind", "strength", "video_sha256", "video_pixels_sha256"} <= set(entry)
        assert len(entry["video_sha256"]) == 64


def test_a_stopped_build_goes_on_and_builds_nothing_twice(clean, tmp_path):
    def stop(progress):
        if progress.done == 3:
            raise Cancelled("stopped")

    out = tmp_path / "out"
    with pytest.raises(Cancelled):
        build_dataset(clean, out, recipe=SMALL, progress=stop)
    times = {path: path.stat().st_mtime_ns for path in out.rglob("*.mkv")}
    assert len(times) == 3
    assert len(read_dataset(out).examples) == 2
    assert len(build_dataset(clean, out, recipe=SMALL).examples) == 6
    assert {path: path.stat().st_mtime_ns for path in times} == times
    assert not [path for path in out.rglob(".*") if "part" in path.name]


def test_a_file_that_was_damaged_is_built_again_as_it_was(clean, tmp_path):
    out = tmp_path / "out"
    first = build_dataset(clean, out, recipe=SMALL).examples[0]
    before = load(first, width_px=64, frames=FRAMES).video.pixels
    first.video.write_bytes(first.video.read_bytes()[:500])
    build_dataset(clean, out, recipe=SMALL)
    np.testing.assert_array_equal(load(first, width_px=64, frames=FRAMES).video.pixels, before)


def test_a_clip_that_became_another_is_built_anew(clean, tmp_path):
    out = tmp_path / "out"
    build_dataset(clean, out, recipe=SMALL)
    (clean / "apple.mkv").unlink()
    film(clean / "apple.mkv", moving(seed=7))
    made = build_dataset(clean, out, recipe=SMALL)
    truth = load(made.examples[0], width_px=64, frames=FRAMES).truth
    assert truth is not None
    np.testing.assert_array_equal(truth.pixels, moving(seed=7))


def test_more_kinds_and_clips_are_added_and_only_those_asked_for_come_back(clean, tmp_path):
    out = tmp_path / "out"
    small = Recipe(kinds=("bands",), names=("pear",), width_px=64, frames=FRAMES)
    assert [e.name for e in build_dataset(clean, out, recipe=small).examples] == ["pear/bands"]
    build_dataset(clean, out, recipe=SMALL)
    assert [e.name for e in build_dataset(clean, out, recipe=small).examples] == ["pear/bands"]
    assert len(read_dataset(out).examples) == 7


def test_another_size_in_the_same_folder_is_refused(clean, tmp_path):
    build_dataset(clean, tmp_path / "out", recipe=SMALL)
    other = Recipe(kinds=("bands",), width_px=32, frames=FRAMES)
    with pytest.raises(UsageError, match="name another folder"):
        build_dataset(clean, tmp_path / "out", recipe=other)


def test_a_clip_flickers_alike_in_any_selection(clean, tmp_path):
    only = Recipe(kinds=("w3",), names=("pear",), width_px=64, frames=FRAMES)
    alone = build_dataset(clean, tmp_path / "one", recipe=only).examples[0]
    among = build_dataset(clean, tmp_path / "all", recipe=SMALL).examples[-1]
    assert alone.name == among.name
    one, other = (load(example, width_px=64, frames=FRAMES) for example in (alone, among))
    np.testing.assert_array_equal(one.video.pixels, other.video.pixels)


@pytest.mark.parametrize(
    ("change", "message"),
    [({"kinds": ("bnds",)}, "unknown flicker 'bnds'"), ({"frames": 0}, "at least 1 frame")],
)
def test_what_cannot_be_made_is_refused_at_once(change, message):
    with pytest.raises(UsageError, match=message):
        Recipe(**change)


def test_clips_that_are_not_there_are_refused_with_those_that_are(clean, tmp_path):
    recipe = Recipe(names=("aple",), width_px=64, frames=FRAMES)
    with pytest.raises(InputError, match="there are apple, pear"):
        build_dataset(clean, tmp_path / "out", recipe=recipe)


def test_every_kind_is_made_unless_kinds_are_named():
    assert Recipe().kinds == MADE_KINDS
    assert {"bands", "film", "w1", "w3", "w10"} <= set(MADE_KINDS)


def test_a_plain_folder_gives_real_and_processed_video_by_name(tmp_path):
    film(tmp_path / "flicker" / "oldfilm_street.mkv", moving())
    film(tmp_path / "flicker" / "mains_rain.mkv", moving())
    film(tmp_path / "flicker" / "garden.mkv", moving())
    (tmp_path / "flicker" / "categories.json").write_text('{"garden": "old cartoon"}')
    film(tmp_path / "processed" / "whitebalance_bedroom_processed.mkv", moving())
    film(tmp_path / "processed" / "whitebalance_bedroom_original.mkv", moving())
    found = {example.name: example for example in read_dataset(tmp_path).examples}
    assert {name: example.category for name, example in found.items()} == {
        "garden": "old cartoon",
        "mains_rain": "slow motion",
        "oldfilm_street": "old movie",
        "bedroom/white balance": "processed",
    }
    pair = found["bedroom/white balance"]
    assert (pair.clip, pair.kind) == ("bedroom", "white balance")
    assert pair.original is not None
    assert pair.original.name == "whitebalance_bedroom_original.mkv"


def test_a_name_that_tells_nothing_is_refused_with_the_way_out(tmp_path):
    film(tmp_path / "flicker" / "garden.mkv", moving())
    with pytest.raises(InputError, match=r"categories\.json"):
        read_dataset(tmp_path)


def test_a_pair_without_its_original_is_refused(tmp_path):
    film(tmp_path / "processed" / "style_cat_processed.mkv", moving())
    with pytest.raises(InputError, match="style_cat_original"):
        read_dataset(tmp_path)


@pytest.mark.parametrize("above", ["", "data/test"])
def test_the_layout_of_lai_is_found_from_its_folder_or_one_above(tmp_path, above):
    root = tmp_path / above
    pictures(root / "input" / "DAVIS" / "bear", moving())
    pictures(root / "processed" / "WCT" / "wave" / "DAVIS" / "bear", moving())
    pictures(root / "processed" / "WCT" / "candy" / "DAVIS" / "bear", moving())
    pictures(root / "input" / "SigAsia15_Dehazing" / "road", moving())
    pictures(root / "processed" / "Dehazing" / "SigAsia15_Dehazing" / "road", moving())
    found = {example.name: example for example in read_dataset(tmp_path).examples}
    assert {name: example.kind for name, example in found.items()} == {
        "DAVIS/bear/WCT wave": "style transfer",
        "DAVIS/bear/WCT candy": "style transfer",
        "SigAsia15_Dehazing/road/Dehazing": "dehazing",
    }
    example = found["DAVIS/bear/WCT wave"]
    assert example.original == root / "input" / "DAVIS" / "bear"
    loaded = load(example, width_px=32, frames=3)
    assert loaded.video.pixels.shape == (3, 18, 32, 3)
    assert loaded.original is not None


def test_the_paper_s_categories_are_found_as_folders(tmp_path):
    film(tmp_path / "old_movies" / "street.mkv", moving())
    pictures(tmp_path / "Time-lapse" / "plant", moving())
    film(tmp_path / "processed" / "dehazing" / "road.mkv", moving())
    film(tmp_path / "processed" / "original" / "road.mkv", moving())
    film(tmp_path / "synthetic" / "w3" / "cat.mkv", moving())
    film(tmp_path / "synthetic" / "gt" / "cat.mkv", moving())
    found = {example.name: example for example in read_dataset(tmp_path).examples}
    assert {name: (e.category, e.kind) for name, e in found.items()} == {
        "street": ("old movie", ""),
        "plant": ("time-lapse", ""),
        "road/dehazing": ("processed", "dehazing"),
        "cat/w3": ("synthetic", "w3"),
    }
    assert found["road/dehazing"].original == tmp_path / "processed" / "original" / "road.mkv"
    assert found["cat/w3"].truth == tmp_path / "synthetic" / "gt" / "cat.mkv"


def test_a_folder_of_no_layout_is_refused(tmp_path):
    film(tmp_path / "clean" / "apple.mkv", moving())
    with pytest.raises(InputError, match="dataset build"):
        read_dataset(tmp_path)


def test_pairs_of_unlike_length_and_size_are_brought_together_at_their_start(tmp_path):
    film(tmp_path / "processed" / "style_cat_processed.mkv", moving(time=4))
    large = moving(time=6, size=(72, 128))
    film(tmp_path / "processed" / "style_cat_original.mkv", large, fps=30.0)
    loaded = load(read_dataset(tmp_path).examples[0], width_px=640, frames=24)
    assert loaded.original is not None
    assert loaded.video.pixels.shape == loaded.original.pixels.shape == (4, *SIZE, 3)
    first = cv2.resize(large[0], SIZE[::-1], interpolation=cv2.INTER_AREA)
    assert np.abs(loaded.original.pixels[0].astype(int) - first).max() <= 1
    assert loaded.fps == 25.0


def test_a_film_is_never_enlarged(tmp_path):
    film(tmp_path / "flicker" / "ai_cat.mkv", moving())
    loaded = load(read_dataset(tmp_path).examples[0], width_px=640, frames=3)
    assert loaded.video.pixels.shape == (3, *SIZE, 3)
    assert loaded.video.pixels.dtype == np.uint8
    assert loaded.steady is None
    assert loaded.paths is None


def test_films_of_one_name_in_two_categories_are_named_by_category(tmp_path):
    for folder in ("old_movie", "time_lapse"):
        film(tmp_path / folder / "1.mkv", moving(time=2))
    film(tmp_path / "time_lapse" / "2.mkv", moving(time=2))
    found = {example.name: example for example in read_dataset(tmp_path).examples}
    assert set(found) == {"old movie/1", "time-lapse/1", "2"}
    assert found["old movie/1"].clip != found["time-lapse/1"].clip
    assert found["time-lapse/1"].video == tmp_path / "time_lapse" / "1.mkv"


def test_films_of_one_name_in_two_spellings_of_a_category_are_refused_by_name(tmp_path):
    for folder in ("old_movie", "oldfilms"):
        film(tmp_path / folder / "1.mkv", moving(time=2))
    with pytest.raises(InputError, match=r"named old movie/1, one of them .*1\.mkv; rename"):
        read_dataset(tmp_path)


def test_more_draws_of_a_kind_complete_a_data_set_and_differ(clean, tmp_path):
    once = build_dataset(clean, tmp_path / "out", recipe=SMALL)
    twice = build_dataset(clean, tmp_path / "out", recipe=replace(SMALL, seeds=2))
    assert {one.name for one in once.examples} < {one.name for one in twice.examples}
    found = {one.name: one for one in twice.examples}
    assert found["apple/w3.2"].kind == "w3"
    assert found["apple/w3.2"].clip == "apple"
    first, second = (
        load(found[name], width_px=64, frames=FRAMES).video.pixels
        for name in ("apple/w3", "apple/w3.2")
    )
    assert not np.array_equal(first, second)
    with pytest.raises(UsageError, match="1 draw"):
        replace(SMALL, seeds=0)


def test_simulated_kinds_have_their_own_truth_or_an_original(clean, tmp_path):
    recipe = replace(SMALL, kinds=("lamps", "drift", "jpeg"), names=("apple",))
    build_dataset(clean, tmp_path / "out", recipe=recipe)
    found = {one.kind: one for one in read_dataset(tmp_path / "out").examples}
    assert {kind: one.category for kind, one in found.items()} == {
        "lamps": "simulated",
        "drift": "simulated",
        "jpeg": "processed",
    }
    lamps, drift, jpeg = (load(found[k], width_px=64, frames=FRAMES) for k in found)
    assert not np.array_equal(lamps.truth.pixels, drift.truth.pixels)
    assert jpeg.truth is None
    assert np.array_equal(jpeg.original.pixels, drift.truth.pixels)
    (tmp_path / "out" / "clips" / "apple" / "lamps-truth.mkv").unlink()
    again = build_dataset(clean, tmp_path / "out", recipe=recipe)
    assert load(again.examples[0], width_px=64, frames=FRAMES).truth is not None
