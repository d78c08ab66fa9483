"""The law of plans: `analyze` and then `apply` give what `run` gives, in every preset."""

from itertools import product
from pathlib import Path

import numpy as np
import pytest
from made_films import read, same_samples

import unflicker
from made_clips import panning
from made_lamps import lamps
from unflicker import RunOptions
from unflicker.frames.clip import Clip, from_float
from unflicker.plan import Plan
from unflicker.settings import EncodingSettings, Settings, replaced
from unflicker.synthesis import processed, synthesise
from unflicker.video import ArraySource, open_writer

SIZE = (54, 96)


def write(path: Path, clip: Clip) -> Path:
    film = ArraySource(clip)
    encoding = EncodingSettings(codec="ffv1", pix_fmt="bgr0")
    with open_writer(film, path, encoding=encoding) as writer:
        for frame in film.frames():
            writer.write(frame)
    return path


SHORT_FIT = {"atlas.steps": 10, "atlas.points": 500, "proxy.width_px": 96}


@pytest.mark.parametrize(
    ("kind", "preset", "strength"),
    [
        *product(("exposure", "bands", "saturation"), ("fast", "standard", "best"), (1.0,)),
        ("exposure", "fast", 0.6),
        ("bands", "standard", 0.6),
        ("saturation", "best", 0.6),
    ],
)
def test_analyzed_then_applied_is_as_run_in_every_preset(
    tmp_path, kind: str, preset: str, strength: float
) -> None:
    if preset == "best":
        pytest.importorskip("torch")
    clip = processed(synthesise(panning(time=16, size=SIZE), kind=kind, seed=5).clip, seed=2)
    source, plan = write(tmp_path / "film.mkv", clip), tmp_path / "film.plan"
    settings = replaced(Settings.from_preset(preset), {"strength": strength, **SHORT_FIT})
    ran = unflicker.run(source, tmp_path / "run.mkv", settings=settings)
    unflicker.analyze(source, settings=settings, options=RunOptions(save_plan=plan))
    applied = unflicker.run(
        source, tmp_path / "applied.mkv", settings=settings, options=RunOptions(plan=plan)
    )
    assert not same_samples(read(source), read(tmp_path / "run.mkv"))
    assert (tmp_path / "run.mkv").read_bytes() == (tmp_path / "applied.mkv").read_bytes()
    assert applied.shots == ran.shots
    assert applied.visible_flicker_after == pytest.approx(ran.visible_flicker_after)
    np.testing.assert_array_equal(applied.mean_after, ran.mean_after)
    np.testing.assert_array_equal(applied.correction_stops, ran.correction_stops)


def test_an_mp4_has_the_same_bytes_however_often_it_is_made(tmp_path) -> None:
    clip = synthesise(panning(time=16, size=SIZE), kind="exposure", seed=5).clip
    source, plan = write(tmp_path / "film.mkv", clip), tmp_path / "film.plan"
    unflicker.analyze(source, options=RunOptions(save_plan=plan))
    for number in range(3):
        unflicker.run(source, tmp_path / f"run{number}.mp4")
        unflicker.run(source, tmp_path / f"apply{number}.mp4", options=RunOptions(plan=plan))
    files = {path.read_bytes() for path in tmp_path.glob("*.mp4")}
    assert len(files) == 1
    assert len(list(tmp_path.glob("*.mp4"))) == 6


@pytest.fixture(scope="module")
def lit(tmp_path_factory) -> Path:
    """A film of lamps that flicker."""
    pixels = from_float(lamps(seed=3, time=24, size=(96, 160))[1], dtype=np.uint8)
    return write(tmp_path_factory.mktemp("lit") / "lamps.mkv", Clip.at_rate(pixels, fps=24.0))


def test_fine_light_comes_back_from_a_plan(lit, tmp_path) -> None:
    plan, settings = tmp_path / "lamps.plan", Settings.from_preset("standard")
    ran = unflicker.run(lit, tmp_path / "run.mp4", settings=settings)
    unflicker.analyze(lit, settings=settings, options=RunOptions(save_plan=plan))
    unflicker.run(lit, tmp_path / "apply.mp4", options=RunOptions(plan=plan))
    assert (tmp_path / "run.mp4").read_bytes() == (tmp_path / "apply.mp4").read_bytes()
    assert "fine light" in ran.shots[0].corrected_by
    assert [shot.fine_light for shot in Plan(plan).shots] == [True]
    plain = replaced(settings, {"fine_light.used": False})
    unflicker.run(lit, tmp_path / "plain.mp4", settings=plain)
    assert (tmp_path / "plain.mp4").read_bytes() != (tmp_path / "run.mp4").read_bytes()
