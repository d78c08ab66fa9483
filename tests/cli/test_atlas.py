"""The atlas command on real, tiny films: pictures, guide, drawings carried back, bad input."""

import cv2
import numpy as np
import pytest

from made_scenes import known_scene
from unflicker.frames.clip import Clip
from unflicker.frames.colour import to_rgb
from unflicker.settings import EncodingSettings
from unflicker.video import ArraySource, open_video, open_writer

QUICK = ("--set", "atlas.steps=30", "--set", "atlas.points=1000")


def write(pixels, target):
    film = ArraySource(Clip.at_rate(pixels, fps=25.0))
    settings = EncodingSettings(codec="libx264", crf=8.0, pix_fmt="yuv420p")
    with open_writer(film, target, encoding=settings) as writer:
        for frame in film.frames():
            writer.write(frame)
    return target


def read(path):
    return np.stack([to_rgb(frame.picture) for frame in open_video(path).frames()])


@pytest.fixture(scope="module")
def scene():
    return known_scene(time=12, square=True)


@pytest.fixture
def film(scene, tmp_path):
    return write((scene.frames * 255).astype(np.uint8), tmp_path / "film.mp4")


@pytest.fixture
def mask(scene, tmp_path):
    pixels = (scene.masks * 255).astype(np.uint8)[..., None].repeat(3, axis=-1)
    return write(pixels, tmp_path / "mask.mp4")


def test_an_atlas_its_guide_and_a_plot_are_written(call, film, scene, tmp_path):
    folder = tmp_path / "atlas"
    code, out, _ = call("atlas", film, "-o", folder, "--set", "atlas.layers=1", *QUICK)
    assert code == 0
    assert {path.name for path in folder.iterdir()} == {"atlas-001.png", "guide.mkv", "fit.png"}
    assert out.splitlines() == [
        str(folder / name) for name in ("atlas-001.png", "guide.mkv", "fit.png")
    ]
    picture = cv2.imread(str(folder / "atlas-001.png"), cv2.IMREAD_UNCHANGED)
    assert picture.shape[2] == 4
    assert (picture[..., 3] > 0).mean() > 0.5
    guide = read(folder / "guide.mkv")
    assert guide.shape == scene.frames.shape
    assert np.abs(guide - scene.frames)[:, :20].mean() < 0.05


def test_a_mask_makes_a_layer_and_an_alpha(call, film, mask, scene, tmp_path):
    folder = tmp_path / "atlas"
    assert call("atlas", film, "-o", folder, "--layer-mask", mask, *QUICK)[0] == 0
    names = {path.name for path in folder.iterdir()}
    assert {"atlas-001-background.png", "atlas-001-object-1.png", "alpha.mkv"} <= names
    alpha = read(folder / "alpha.mkv").mean(axis=-1) > 0.5
    true = scene.masks > 0.5
    assert (alpha & true).sum() / (alpha | true).sum() > 0.8


@pytest.mark.parametrize("transparent", [True, False], ids=["transparent", "painted upon"])
def test_a_drawing_is_carried_back_along_the_motion(call, film, scene, tmp_path, transparent):
    folder, one = tmp_path / "atlas", ("--set", "atlas.layers=1", *QUICK)
    assert call("atlas", film, "-o", folder, *one)[0] == 0
    atlas = cv2.imread(str(folder / "atlas-001.png"), cv2.IMREAD_UNCHANGED)
    drawing = np.zeros_like(atlas) if transparent else atlas[..., :3].copy()
    rows, columns = atlas.shape[:2]
    blob = np.s_[rows * 7 // 10 : rows * 8 // 10, columns * 7 // 10 : columns * 8 // 10]
    drawing[blob] = (255, 0, 255, 255)[: drawing.shape[2]]
    picture = tmp_path / "drawing.png"
    cv2.imwrite(str(picture), drawing)
    assert call("atlas", film, "-o", folder, "--overwrite", "--edit", picture, *one)[0] == 0
    before, after = read(film), read(folder / "film_edited.mp4")
    drawn = np.abs(after - before).max(axis=-1) > 0.25
    assert all(frame.any() for frame in drawn)
    centres = [np.argwhere(frame).mean(axis=0) for frame in drawn]
    moved = np.linalg.norm(centres[-1] - centres[0])
    path = scene.places_in_middle(0), scene.places_in_middle(11)
    expected = np.linalg.norm((path[1] - path[0])[66:76, 110:130].mean(axis=(0, 1)))
    assert moved == pytest.approx(expected, abs=3.0)
    assert np.abs(after - before)[:, :30].mean() < 0.01


def test_masks_of_another_size_or_length_are_refused(call, film, scene, tmp_path):
    small = write(np.zeros((12, 48, 80, 3), np.uint8), tmp_path / "small.mp4")
    short = write(np.full((7, 96, 160, 3), 255, np.uint8), tmp_path / "short.mp4")
    code, _, err = call("atlas", film, "-o", tmp_path / "a", "--layer-mask", small, *QUICK)
    assert (code, "80×48" in err) == (3, True)
    code, _, err = call("atlas", film, "-o", tmp_path / "b", "--layer-mask", short, *QUICK)
    assert (code, "fewer frames" in err) == (3, True)
    assert not list((tmp_path / "b").glob("*.mkv"))


def test_what_is_there_is_not_replaced_unless_asked(call, film, tmp_path):
    for name in ("guide.mkv", "atlas-001.png"):
        (tmp_path / name).write_bytes(b"mine")
        code, _, err = call("atlas", film, "-o", tmp_path, *QUICK)
        assert (code, "already there" in err) == (4, True)
        assert (tmp_path / name).read_bytes() == b"mine"
        (tmp_path / name).unlink()


def test_a_drawing_that_is_none_is_refused_before_work(call, film, tmp_path):
    code, _, err = call("atlas", film, "-o", tmp_path / "a", "--edit", tmp_path / "no.png")
    assert (code, "no drawing" in err) == (3, True)
    assert not (tmp_path / "a").exists()


def test_a_picture_painted_upon_in_its_own_place_is_read_and_never_lost(call, film, tmp_path):
    folder, one = tmp_path / "atlas", ("--set", "atlas.layers=1", *QUICK)
    assert call("atlas", film, "-o", folder, *one)[0] == 0
    path = folder / "atlas-001.png"
    painted = cv2.imread(str(path))
    painted[painted.shape[0] // 2 :][:20, 40:60] = (255, 0, 255)
    cv2.imwrite(str(path), painted)
    mine = path.read_bytes()
    code, _, err = call("atlas", film, "-o", folder, "--edit", path, *one)
    assert (code, "already there" in err, path.read_bytes() == mine) == (4, True, True)
    assert call("atlas", film, "-o", folder, "--overwrite", "--edit", path, *one)[0] == 0
    assert path.read_bytes() == mine
    assert np.abs(read(folder / "film_edited.mp4") - read(film)).max() > 0.25
