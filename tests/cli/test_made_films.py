"""compare, synthesise and metrics on real, tiny films."""

import json

import numpy as np
import pytest

from unflicker.cli.measure import measured, shots_of, visible_in
from unflicker.compute.context import ON_THE_CPU
from unflicker.frames.clip import Clip
from unflicker.frames.colour import to_rgb
from unflicker.settings import EncodingSettings
from unflicker.video import ArraySource, open_video, open_writer


def write(pixels, target):
    film = ArraySource(Clip.at_rate(pixels, fps=25.0))
    settings = EncodingSettings(codec="libx264", crf=12.0, pix_fmt="yuv420p")
    with open_writer(film, target, encoding=settings) as writer:
        for frame in film.frames():
            writer.write(frame)
    return target


@pytest.fixture
def steady(tmp_path):
    down, across = np.mgrid[0:72, 0:96]
    scene = 120 + 60 * np.sin(across / 9.0) * np.cos(down / 7.0)
    pixels = np.repeat(scene[None, ..., None], 8, axis=0).repeat(3, axis=3).astype(np.uint8)
    return write(pixels, tmp_path / "steady.mp4")


def read(path):
    return np.stack([to_rgb(frame.picture) for frame in open_video(path).frames()])


@pytest.mark.parametrize(("kind", "deviates"), [("exposure", 5.0), ("lamps", 0.0)])
def test_made_flicker_is_the_same_for_the_same_seed(call, steady, tmp_path, kind, deviates):
    results = []
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        target = tmp_path / f"{name}.mp4"
        arguments = ("--kind", kind, "--seed", seed, "-o", target)
        assert call("synthesise", steady, *arguments)[:2] == (0, f"{target}\n")
        results.append(read(target))
    assert np.array_equal(results[0], results[1])
    assert np.abs(results[0] - results[2]).max() > 0.02
    means = results[0].mean(axis=(1, 2, 3))
    assert means.std() > deviates * read(steady).mean(axis=(1, 2, 3)).std()


def test_an_unknown_kind_is_refused_with_a_suggestion(call, steady, tmp_path):
    code, _, err = call("synthesise", steady, "--kind", "bnds", "-o", tmp_path / "b.mp4")
    assert code == 2
    assert "did you mean 'bands'?" in err


def test_compared_films_stand_side_by_side(call, steady, tmp_path):
    target = tmp_path / "both.mp4"
    assert call("compare", steady, steady, "-o", target, "--crf", "4")[0] == 0
    both, one = read(target), read(steady)
    assert both.shape == (8, 72, 192, 3)
    lower = slice(40, None)  # under the labels
    assert np.abs(both[:, lower, :96] - one[:, lower]).mean() < 0.02
    assert np.abs(both[:, lower, 96:] - one[:, lower]).mean() < 0.02


def test_a_split_picture_is_half_of_each(call, steady, tmp_path):
    dark = write(np.zeros((5, 36, 48, 3), np.uint8), tmp_path / "dark.mp4")
    target = tmp_path / "split.mp4"
    assert call("compare", steady, dark, "--split", "-o", target, "--labels", "A", "B")[0] == 0
    both, one = read(target), read(steady)
    assert both.shape == (5, 72, 96, 3)
    assert np.abs(both[:, 40:, :44] - one[:5, 40:, :44]).mean() < 0.03
    assert both[:, 40:, 52:].max() < 0.1


@pytest.mark.parametrize("command", ["compare", "synthesise"])
def test_no_file_is_replaced_unasked(call, steady, tmp_path, command):
    target = tmp_path / "there.mp4"
    target.write_text("earlier")
    films = [steady, steady] if command == "compare" else [steady, "--kind", "tint"]
    assert call(command, *films, "-o", target)[0] == 4
    assert target.read_text() == "earlier"
    assert call(command, *films, "-o", target, "--overwrite")[0] == 0


def test_a_film_is_as_near_as_can_be_to_itself(call, pipeline, steady):
    code, out, _ = call("metrics", steady, "--reference", steady)
    numbers = json.loads(out)
    assert code == 0
    assert numbers["frames_compared"] == 8
    assert (numbers["psnr_db"], numbers["ssim"]) == (100.0, 1.0)
    assert numbers["level_free_psnr_db"] == 100.0
    assert numbers["warping_error"] == numbers["warping_error_of_reference"]


def test_flashes_of_a_strobe_are_counted(call, pipeline, steady, tmp_path):
    still = np.repeat(read(steady)[:1], 24, axis=0)
    still[::2] *= 0.3
    strobe = write((still.clip(0, 1) * 255).astype(np.uint8), tmp_path / "strobe.mp4")
    found = [json.loads(call("metrics", film)[1]) for film in (strobe, steady)]
    assert [one["general_flashes_a_second"] > 3 for one in found] == [True, False]
    assert found[0]["unsafe_flashes_seconds"] > 0.5


def test_a_flickering_film_is_farther_from_its_original(call, pipeline, steady, tmp_path):
    target = tmp_path / "flicker.mp4"
    call("synthesise", steady, "--kind", "exposure", "-o", target)
    numbers = json.loads(call("metrics", target, "--reference", steady)[1])
    assert numbers["psnr_db"] < 40
    assert numbers["level_free_psnr_db"] < 45
    assert numbers["warping_error"] > 2 * numbers["warping_error_of_reference"]


def test_another_level_costs_no_level_free_decibels(call, pipeline, steady, tmp_path):
    dark = write((read(steady) ** 1.3 * 255).astype(np.uint8), tmp_path / "dark.mp4")
    numbers = json.loads(call("metrics", dark, "--reference", steady)[1])
    assert numbers["psnr_db"] < 25
    assert numbers["level_free_psnr_db"] > 40


def test_a_lamp_shows_in_the_worst_tenth_of_the_picture(call, pipeline, steady, tmp_path):
    pixels = np.repeat(read(steady)[:1], 24, axis=0)
    pixels[::2, 20:40, 30:44] += 0.2
    lit = write((pixels.clip(0, 1) * 255).astype(np.uint8), tmp_path / "lamp.mp4")
    numbers = json.loads(call("metrics", lit)[1])
    mean = numbers["visible_flicker_delta_e"]
    assert mean > 0.3
    assert numbers["visible_flicker_worst_tenth_delta_e"] > 2 * mean


def test_a_cut_is_no_flicker(steady):
    one = read(steady)[:1].repeat(12, axis=0)
    film = ArraySource(Clip.at_rate(np.concatenate([one, 0.5 * one]), fps=25.0))
    cut = visible_in(film, starts=[0, 12])
    assert (cut.mean, cut.worst_tenth) == pytest.approx((0, 0), abs=1e-3)
    assert visible_in(film, starts=[0]).mean > 1


def test_a_film_is_measured_shot_by_shot(steady):
    one = read(steady)[:1].repeat(12, axis=0)
    film = ArraySource(Clip.at_rate(np.concatenate([one, 0.5 * one[:, ::-1, ::-1]]), fps=25.0))
    assert shots_of(film, ON_THE_CPU) == ([0, 12], 24)
    found = measured(film, ON_THE_CPU)
    assert found["frames"] == 24
    assert found["visible_flicker_delta_e"] == pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize("option", ["--strength=0.5", "--preset=fast", "--without=tone"])
def test_metrics_offers_no_option_that_it_would_ignore(call, steady, option):
    assert call("metrics", steady, option)[0] == 2


def test_films_of_different_size_cannot_be_measured(call, pipeline, steady, tmp_path):
    small = write(np.zeros((3, 36, 48, 3), np.uint8), tmp_path / "small.mp4")
    code, _, err = call("metrics", steady, "--reference", small)
    assert code == 2
    assert "scale one" in err
