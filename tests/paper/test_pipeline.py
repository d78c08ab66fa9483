"""The reference system on tiny films: frames drawn anew, streaming, and nothing over a cut."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from made_films import read, seconds
from safetensors.torch import save_file

import unflicker
from made_clips import panning
from unflicker import RunOptions
from unflicker.errors import MissingError, UsageError
from unflicker.frames.clip import Clip
from unflicker.frames.colour import to_rgb
from unflicker.paper import pipeline as reference
from unflicker.paper.convlstm import RefinementNetwork
from unflicker.paper.pipeline import Networks, as_picture, guides, load_networks, redrawn
from unflicker.paper.unet import UNet
from unflicker.settings import EncodingSettings, Settings, replaced, without
from unflicker.video import ArraySource, open_writer

SIZE = (50, 66)
QUICK = {"atlas.steps": 3, "atlas.points": 50, "device": "cpu"}


def two_shots() -> Clip:
    one, other = panning(time=9, size=SIZE), panning(time=7, size=SIZE, seed=5)
    return Clip.at_rate(np.concatenate([one.pixels, other.pixels]), fps=24.0)


@pytest.fixture(scope="module")
def networks() -> Networks:
    torch.manual_seed(0)
    return Networks(neural_filter=UNet().eval(), refinement=RefinementNetwork().eval())


@pytest.fixture(scope="module")
def quick(networks, tmp_path_factory) -> Settings:
    folder = tmp_path_factory.mktemp("weights")
    files = {"neural_filter": networks.neural_filter, "refinement": networks.refinement}
    changes = dict(QUICK)
    for name, network in files.items():
        path = folder / f"{name}.safetensors"
        save_file(network.state_dict(), str(path))
        changes[f"{name}.weights"] = str(path)
    return replaced(Settings.from_preset("paper"), changes)


def test_a_film_is_drawn_anew_at_its_size_with_its_times(quick, tmp_path):
    film = ArraySource(two_shots())
    lossless = EncodingSettings(codec="ffv1", pix_fmt="bgr0")
    with open_writer(film, tmp_path / "film.mkv", encoding=lossless) as writer:
        for frame in film.frames():
            writer.write(frame)
    record = unflicker.run(tmp_path / "film.mkv", tmp_path / "out.mkv", settings=quick)
    before, after = read(tmp_path / "film.mkv"), read(tmp_path / "out.mkv")
    assert seconds(after) == seconds(before)
    assert after[0].picture.size == SIZE
    assert not np.array_equal(to_rgb(after[3].picture), to_rgb(before[3].picture))
    assert record.correction_stops.shape == (16, 6, 8)
    assert np.isnan(record.visible_flicker_before)
    assert record.stills


def test_arrays_come_out_in_their_shape_and_type(quick):
    pixels = two_shots().pixels[:5]
    for frames in (pixels, pixels.mean(axis=-1).astype(np.uint8)):
        out = unflicker.deflicker(frames, settings=quick)
        assert out.shape == frames.shape
        assert out.dtype == frames.dtype
        assert not np.array_equal(out, frames)


def test_at_no_strength_nothing_changes_and_a_mask_says_where(networks):
    clip = Clip.at_rate(two_shots().pixels[:4], fps=24.0)
    settings = replaced(Settings.from_preset("paper"), QUICK)
    none = replaced(settings, {"strength": 0.0})
    mask = np.zeros(SIZE, np.float32)
    mask[:20] = 1.0
    film = ArraySource(clip)
    unchanged, masked = (
        list(redrawn(film, networks, chosen, mask=shares))
        for chosen, shares in ((none, None), (settings, mask))
    )
    assert len(unchanged) == len(masked) == len(clip)
    for frame, rgb in unchanged:
        assert np.array_equal(rgb, to_rgb(frame.picture))
    for frame, rgb in masked:
        same = (rgb == to_rgb(frame.picture)).all(axis=-1)
        assert same[20:].all()
        assert not same[:20].all()


def test_stages_are_left_out_one_by_one(quick, networks, monkeypatch):
    pixels = two_shots().pixels[:4]
    unflicker.deflicker(pixels, settings=without(quick, ["refinement"]))
    settings = replaced(Settings.from_preset("paper"), QUICK)
    film = ArraySource(Clip.at_rate(pixels, fps=24.0))

    def drawn(**networks_used) -> np.ndarray:
        some = replace(networks, **networks_used)
        return np.stack([rgb for _, rgb in redrawn(film, some, settings)])

    assert not np.array_equal(drawn(), drawn(refinement=None))
    guide = [cv2.resize(guided.picture, SIZE[::-1]) for guided in guides(film, settings)]
    assert drawn(neural_filter=None, refinement=None) == pytest.approx(np.stack(guide), abs=1e-6)
    monkeypatch.setattr(reference, "make_atlas", None)
    settings = without(settings, ["atlas"])
    assert np.array_equal(
        drawn(neural_filter=None, refinement=None),
        np.stack([to_rgb(frame.picture) for frame in film.frames()]),
    )
    refined = drawn(neural_filter=None)
    assert not np.array_equal(refined[3], to_rgb(list(film.frames())[3].picture))


def test_what_is_left_out_needs_no_weights(quick):
    nothing = replaced(quick, {"neural_filter.weights": "", "refinement.weights": ""})
    loaded = load_networks(without(nothing, ["atlas", "refinement"]))
    assert loaded.neural_filter is None
    assert loaded.refinement is None
    with pytest.raises(MissingError, match=r"refinement\.weights"):
        load_networks(without(nothing, ["atlas"]))


def test_each_shot_is_drawn_as_if_it_were_alone(networks):
    clip, settings = two_shots(), replaced(Settings.from_preset("paper"), QUICK)
    alone = ArraySource(Clip.at_rate(clip.pixels[9:], fps=24.0))
    whole = [rgb for _, rgb in redrawn(ArraySource(clip), networks, settings)]
    part = [rgb for _, rgb in redrawn(alone, networks, settings)]
    assert np.array_equal(np.stack(whole[9:]), np.stack(part))


def test_windows_of_a_long_shot_give_each_frame_one_guide_and_begin_one_shot():
    clip = panning(time=23, size=SIZE)
    settings = replaced(
        Settings.from_preset("paper"), QUICK | {"window.frames": 10, "window.overlap_frames": 3}
    )
    found = list(guides(ArraySource(clip), settings))
    assert [guided.starts_shot for guided in found] == [True] + [False] * 22
    assert {guided.picture.shape for guided in found} == {(12, 16, 3)}


def test_frames_come_out_before_the_film_is_read_to_its_end(networks):
    read_so_far = []

    class Counted(ArraySource):
        def frames(self):
            for frame in super().frames():
                read_so_far.append(frame.index)
                yield frame

    settings = replaced(
        Settings.from_preset("paper"), QUICK | {"window.overlap_frames": 0, "window.frames": 8}
    )
    next(iter(redrawn(Counted(panning(time=40, size=SIZE)), networks, settings)))
    assert max(read_so_far) < 20


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({}, r"neural_filter\.weights names no file; train them with .*train paper-filter"),
        ({"neural_filter.weights": "no.safetensors"}, r"is no.safetensors, which is not there"),
        (
            {"refinement.weights": ""},
            r"refinement\.weights names no file; .*train paper-refinement",
        ),
    ],
)
def test_missing_weights_are_named_before_any_work(quick, monkeypatch, changes, message):
    monkeypatch.setattr(reference, "make_atlas", None)
    start = quick if "refinement.weights" in changes else Settings.from_preset("paper")
    with pytest.raises(MissingError, match=message):
        unflicker.deflicker(two_shots().pixels, settings=replaced(start, changes))


def test_it_has_no_grades_to_look_at_or_to_apply(quick, tmp_path):
    film = ArraySource(two_shots())
    with open_writer(film, tmp_path / "film.mkv") as writer:
        for frame in film.frames():
            writer.write(frame)
    with pytest.raises(UsageError, match="no grades"):
        unflicker.analyze(tmp_path / "film.mkv", settings=quick)
    with pytest.raises(UsageError, match="no grades"):
        unflicker.run(
            tmp_path / "film.mkv",
            tmp_path / "out.mkv",
            settings=quick,
            options=RunOptions(plan=tmp_path / "plan.npz"),
        )
    assert not (tmp_path / "out.mkv").exists()


def test_transparency_is_kept():
    from unflicker.frames.picture import ColourMeaning, Picture, PixelLayout

    layout = PixelLayout(family="rgb", depth=8, alpha=True)
    planes = tuple(np.full((4, 6), value, np.uint8) for value in (10, 20, 30, 77))
    like = Picture(planes=planes, layout=layout, meaning=ColourMeaning(matrix="identity"))
    drawn = as_picture(np.full((4, 6, 3), 2.0, np.float32), like)
    assert [int(plane[0, 0]) for plane in drawn.planes] == [255, 255, 255, 77]
