"""Gate weave in films: measured, removed as the plan says, and kept where it is not asked for."""

import json
from dataclasses import replace
from pathlib import Path

import made_films
import numpy as np
import pytest

import unflicker
from made_clips import panning
from unflicker import RunOptions, rendering
from unflicker.errors import UsageError
from unflicker.frames.clip import Clip
from unflicker.plan import Plan
from unflicker.plan.edit import write_edited
from unflicker.rendering.random_access import RandomAccess
from unflicker.report import as_json, headline
from unflicker.report.advice import advice
from unflicker.settings import EncodingSettings, Settings, replaced
from unflicker.synthesis import synthesise
from unflicker.synthesis.weave import gate_weave, moved
from unflicker.video import ArraySource, open_video, open_writer, segments

SIZE = (72, 128)
FRAMES = 40
RMS_PX = 1.5
PLAIN = Settings.from_preset("fast", window__frames=24)
STEADY = replaced(PLAIN, {"stabilise.gate": True})


def read(path: Path) -> np.ndarray:
    return np.stack([np.stack(frame.picture.planes, axis=-1) for frame in made_films.read(path)])


def written(path: Path, clip: Clip, **traits) -> Path:
    source = ArraySource(clip)
    source.traits = replace(source.traits, **traits)
    encoding = EncodingSettings(codec="ffv1", pix_fmt="bgr0")
    with open_writer(source, path, encoding=encoding) as writer:
        for frame in source.frames():
            writer.write(frame)
    return path


def weaving(*, seed: int = 3, rms_px: float = RMS_PX) -> Clip:
    """Two shots under flicker, the second one steady; frame 12 repeats frame 11."""
    steady = [
        panning(time=n, size=SIZE, seed=s).pixels for n, s in ((FRAMES, seed), (16, seed + 1))
    ]
    clip = synthesise(Clip.at_rate(np.concatenate(steady), fps=24.0), kind="exposure", seed=1).clip
    jumps = gate_weave(np.random.default_rng(seed), time=FRAMES, rms_px=rms_px)
    pixels = clip.pixels.copy()
    for one, jump in zip(pixels, jumps, strict=False):
        one[:] = moved(one, jump)
    pixels[12] = pixels[11]
    return Clip.at_rate(pixels, fps=24.0)


@pytest.fixture(scope="module")
def film(tmp_path_factory) -> Path:
    return written(tmp_path_factory.mktemp("weave") / "film.mkv", weaving())


@pytest.fixture(scope="module")
def found(film: Path, tmp_path_factory) -> tuple[np.ndarray, Path]:
    """The film without weave by a run, and its plan."""
    folder = tmp_path_factory.mktemp("run")
    options = RunOptions(save_plan=folder / "film.plan", jobs=1)
    unflicker.run(film, folder / "run.mkv", settings=STEADY, options=options)
    return read(folder / "run.mkv"), folder / "film.plan"


def jitter(pixels: np.ndarray) -> float:
    """How far pictures are from halfway between their neighbours: a steady pan is near."""
    part = pixels[:, 8:-8, 8:-8].astype(np.float32)
    return float(np.abs(part[1:-1] - 0.5 * (part[2:] + part[:-2])).mean())


def test_weave_goes_and_what_is_steady_is_not_touched(film, found, tmp_path) -> None:
    result, plan = found
    unflicker.run(film, tmp_path / "plain.mkv", settings=PLAIN, options=RunOptions(jobs=1))
    plain = read(tmp_path / "plain.mkv")
    assert jitter(result[14:38]) < 0.6 * jitter(plain[14:38])
    assert np.array_equal(result[FRAMES:], plain[FRAMES:])
    assert np.array_equal(result[12], result[11])
    shots = Plan(plan).shots
    assert [shot.start for shot in shots] == [0, FRAMES]
    assert 0.5 * RMS_PX < min(shots[0].weave_px) < max(shots[0].weave_px) < 1.3 * RMS_PX
    assert shots[1].weave_px == (0.0, 0.0)
    assert Plan(plan)[12].weave_px == Plan(plan)[11].weave_px != (0.0, 0.0)


def test_plans_segments_processes_and_access_in_any_order_give_the_same(
    film, found, tmp_path, monkeypatch
) -> None:
    result, plan = found
    for module in (segments, rendering.segments, rendering.side_by_side):
        monkeypatch.setattr(module, "SEGMENT_FRAMES", 16)
    analyzed = tmp_path / "analyzed.plan"
    unflicker.analyze(film, settings=STEADY, options=RunOptions(save_plan=analyzed))
    assert analyzed.read_bytes() == plan.read_bytes()
    # A plan decides by itself: the settings of the run that follows it do not ask for it.
    options = RunOptions(plan=analyzed, jobs=1)
    unflicker.run(film, tmp_path / "applied.mkv", settings=PLAIN, options=options)
    assert np.array_equal(read(tmp_path / "applied.mkv"), result)
    unflicker.run(film, tmp_path / "two.mkv", settings=STEADY, options=RunOptions(jobs=2))
    assert np.array_equal(read(tmp_path / "two.mkv"), result)
    source = open_video(film)
    frames, access = list(source.frames()), RandomAccess(plan, source, STEADY)
    for index in (30, 3):
        needed = access.needed(index)
        assert needed.block == range(index, index + 1)
        picture = access.rendered(frames[needed.start : needed.stop])[0]
        assert np.abs(np.stack(picture.planes, -1).astype(int) - result[index]).max() <= 1


def test_a_shot_can_be_left_out_and_strength_zero_moves_nothing(film, found, tmp_path) -> None:
    _, plan = found
    edited, told = tmp_path / "edited.plan", Plan(plan)
    shots = [replace(told.shots[0], strength=0.0), *told.shots[1:]]
    write_edited(told, edited, shots=shots)
    options = RunOptions(plan=edited, jobs=1)
    unflicker.run(film, tmp_path / "off.mkv", settings=STEADY, options=options)
    assert np.array_equal(read(tmp_path / "off.mkv")[:FRAMES], read(film)[:FRAMES])


def test_analyze_tells_weave_of_each_shot_and_does_not_change_the_plan(film, tmp_path) -> None:
    record = unflicker.analyze(film, settings=PLAIN, options=RunOptions(save_plan=tmp_path / "p"))
    shots = json.loads(as_json(record))["shots"]
    assert all(value > 0.5 * RMS_PX for value in shots[0]["gate_weave_px"])
    assert shots[1]["gate_weave_px"] == [0.0, 0.0]
    lines = [one.line for one in advice(record) if one.kind == "gate weave"]
    assert len(lines) == 1
    assert "--stabilise gate" in lines[0]
    assert "shot 0" in lines[0]
    assert headline(record)
    assert not any(any(frame.weave_px) for frame in Plan(tmp_path / "p"))


def test_pictures_in_memory_lose_their_weave_too(film, found) -> None:
    pixels = read(film)
    steady = unflicker.deflicker(pixels, settings=STEADY)
    assert np.abs(steady.astype(int) - found[0]).mean() < 0.6


def test_fields_lie_apart_in_time_and_are_left_as_they_are(tmp_path) -> None:
    film = written(tmp_path / "fields.mkv", weaving(), field_order=2)
    record = unflicker.run(film, tmp_path / "out.mkv", settings=STEADY)
    assert all(shot.weave_px is None for shot in record.shots)
    assert any("interlaced" in note and "weave" in note for note in record.notes)


def test_frames_without_a_plan_cannot_be_stabilised() -> None:
    with pytest.raises(UsageError, match=r"stabilise\.gate"):
        Settings.from_preset("paper", stabilise__gate=True)
