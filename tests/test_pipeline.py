"""Laws of the whole way: files in and out, arrays in and out, plans, windows, stopping."""

import inspect
from pathlib import Path

import cv2
import numpy as np
import pytest
from made_films import read, same_samples, seconds

import unflicker
from made_clips import panning, psnr
from unflicker import RunOptions
from unflicker.cli.main import exit_code
from unflicker.errors import Cancelled, InputError, OutputError, UsageError
from unflicker.frames.clip import Clip, from_float, to_float
from unflicker.frames.colour import to_rgb
from unflicker.frames.picture import Frame
from unflicker.progress import Progress
from unflicker.settings import EncodingSettings, Settings, WindowSettings, replaced
from unflicker.synthesis import synthesise
from unflicker.video import ArraySource, open_writer

in_both_presets = pytest.mark.parametrize("usual", ["fast", "standard"], indirect=True)
"""For laws of the usual preset; the others name their own or end before any work."""

SIZE = (54, 96)
LOSSLESS = EncodingSettings(codec="ffv1", pix_fmt="bgr0")


def write(path: Path, clip: Clip, *, encoding: EncodingSettings = LOSSLESS) -> Path:
    film = ArraySource(clip)
    with open_writer(film, path, encoding=encoding) as writer:
        for frame in film.frames():
            writer.write(frame)
    return path


def pixels(frames: list[Frame]) -> np.ndarray:
    return from_float(np.stack([to_rgb(f.picture) for f in frames]), dtype=np.uint8)


def flickering(*, time: int = 24, seed: int = 1) -> Clip:
    return synthesise(panning(time=time, size=SIZE), kind="exposure", seed=seed).clip


def rough(frames: np.ndarray) -> float:
    """How much the mean level jumps from frame to frame."""
    level = np.log(to_float(frames).mean(axis=(1, 2)))
    return float(np.sqrt(np.mean(np.diff(level, 2, axis=0) ** 2)))


@pytest.fixture(scope="module")
def film(tmp_path_factory) -> Path:
    return write(tmp_path_factory.mktemp("film") / "film.mkv", flickering())


@in_both_presets
def test_a_flickering_film_comes_out_steady(film, tmp_path) -> None:
    record = unflicker.run(film, tmp_path / "out.mkv")
    before, after = read(film), read(tmp_path / "out.mkv")
    assert seconds(after) == seconds(before)
    assert rough(pixels(after)) < 0.2 * rough(pixels(before))
    clean = panning(time=24, size=SIZE).pixels
    assert psnr(pixels(after), clean) > psnr(pixels(before), clean) + 6
    assert record.visible_flicker_after < 0.3 * record.visible_flicker_before


@in_both_presets
def test_without_a_target_the_result_lies_beside_the_source(tmp_path) -> None:
    source = write(tmp_path / "film.mkv", flickering(time=6))
    record = unflicker.run(source)
    assert Path(record.output) == tmp_path / "film_unflickered.mkv"
    assert len(read(tmp_path / "film_unflickered.mkv")) == 6


@in_both_presets
def test_the_same_film_gives_the_same_result(film, tmp_path) -> None:
    for name in ("one.mkv", "two.mkv"):
        unflicker.run(film, tmp_path / name)
    assert same_samples(read(tmp_path / "one.mkv"), read(tmp_path / "two.mkv"))


@in_both_presets
def test_arrays_and_films_are_steadied_alike(film, tmp_path) -> None:
    unflicker.run(film, tmp_path / "out.mkv")
    arrays = unflicker.deflicker(flickering().pixels, fps=24.0)
    # A film's 8-bit pictures are dithered, an array's are rounded.
    difference = pixels(read(tmp_path / "out.mkv")).astype(int) - arrays
    assert np.abs(difference).max() <= 1


@in_both_presets
def test_a_plan_gives_the_frames_that_a_run_gives(film, tmp_path) -> None:
    plan = tmp_path / "film.plan"
    unflicker.run(film, tmp_path / "run.mkv")
    looked = unflicker.analyze(film, options=RunOptions(save_plan=plan))
    applied = unflicker.run(film, tmp_path / "applied.mkv", options=RunOptions(plan=plan))
    assert same_samples(read(tmp_path / "run.mkv"), read(tmp_path / "applied.mkv"))
    assert looked.output == ""
    np.testing.assert_allclose(looked.correction_stops, applied.correction_stops, atol=1e-3)


@in_both_presets
def test_a_plan_can_be_applied_at_a_share_of_its_strength(film, tmp_path) -> None:
    plan = tmp_path / "film.plan"
    unflicker.analyze(film, options=RunOptions(save_plan=plan))
    for strength in (0.0, 0.5):
        settings = Settings.from_preset("fast", strength=strength)
        target = tmp_path / f"{strength}.mkv"
        unflicker.run(film, target, settings=settings, options=RunOptions(plan=plan))
    assert same_samples(read(tmp_path / "0.0.mkv"), read(film))
    half = rough(pixels(read(tmp_path / "0.5.mkv")))
    assert half == pytest.approx(rough(pixels(read(film))) / 2, rel=0.2)


@in_both_presets
@pytest.mark.parametrize("frames", [20, 28])
def test_a_plan_of_another_film_is_refused_and_nothing_is_left(film, tmp_path, frames) -> None:
    other = write(tmp_path / "other.mkv", flickering(time=frames))
    plan = tmp_path / "film.plan"
    unflicker.analyze(film, options=RunOptions(save_plan=plan))
    with pytest.raises(InputError, match="make the plan again"):
        unflicker.run(other, tmp_path / "out.mkv", options=RunOptions(plan=plan))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["film.plan", "other.mkv"]


@in_both_presets
def test_a_plan_of_another_film_of_the_same_length_is_refused_by_what_it_shows(
    film, tmp_path
) -> None:
    other = write(tmp_path / "other.mkv", flickering(seed=2))
    plan = tmp_path / "film.plan"
    unflicker.analyze(film, options=RunOptions(save_plan=plan))
    with pytest.raises(InputError, match=r"frame 0 of other\.mkv is not the frame"):
        unflicker.run(other, tmp_path / "out.mkv", options=RunOptions(plan=plan))
    assert not (tmp_path / "out.mkv").exists()


@in_both_presets
def test_a_part_of_a_film_is_steadied_alone(film, tmp_path) -> None:
    options = RunOptions(start_seconds=0.25, duration_seconds=0.5)
    record = unflicker.run(film, tmp_path / "out.mkv", options=options)
    assert len(read(tmp_path / "out.mkv")) == 12
    assert len(record.seconds) == 12
    assert rough(pixels(read(tmp_path / "out.mkv"))) < 0.3 * rough(pixels(read(film)[6:18]))


@in_both_presets
def test_a_mask_keeps_what_is_black_bit_for_bit(film, tmp_path) -> None:
    mask = np.zeros(SIZE, np.uint8)
    mask[:, 48:] = 255
    cv2.imwrite(str(tmp_path / "mask.png"), mask)
    options = RunOptions(mask=tmp_path / "mask.png")
    unflicker.run(film, tmp_path / "out.mkv", options=options)
    before, after = pixels(read(film)), pixels(read(tmp_path / "out.mkv"))
    np.testing.assert_array_equal(after[:, :, :48], before[:, :, :48])
    assert rough(after[:, :, 48:]) < 0.2 * rough(before[:, :, 48:])


@in_both_presets
def test_a_mask_that_does_not_fit_is_refused_before_work(film, tmp_path) -> None:
    cv2.imwrite(str(tmp_path / "mask.png"), np.zeros((5, 5), np.uint8))
    options = RunOptions(mask=tmp_path / "mask.png")
    with pytest.raises(InputError, match="the mask"):
        unflicker.run(film, tmp_path / "out.mkv", options=options)
    assert not (tmp_path / "out.mkv").exists()


def test_a_long_shot_in_several_windows_has_no_seam(tmp_path) -> None:
    clean = panning(time=112, size=(48, 64), speed_px=(0.7, 0.2))
    made = synthesise(clean, kind="exposure", seed=4, strength=0.6).clip
    settings = Settings.from_preset("fast", window=WindowSettings(frames=48, overlap_frames=16))
    out = unflicker.deflicker(made.pixels, fps=24.0, settings=settings)
    level = np.log(to_float(out).mean((1, 2)) / to_float(clean.pixels).mean((1, 2)))
    jumps = np.abs(np.diff(level, axis=0)).max(axis=1)
    borders = [start + side for start in range(32, 112, 32) for side in (-1, 0, 15, 16)]
    borders = [place for place in borders if place < len(jumps)]
    assert jumps[borders].max() < 0.012
    assert jumps[borders].max() < 4 * np.percentile(jumps, 75) + 0.002
    assert rough(out) < 0.15 * rough(made.pixels)
    assert psnr(out, clean.pixels) > psnr(made.pixels, clean.pixels) + 6


@in_both_presets
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("grey", [False, True])
def test_arrays_of_every_type_are_steadied(dtype, grey: bool) -> None:
    clean = panning(time=16, size=SIZE, dtype=dtype)
    made = synthesise(clean, kind="exposure", seed=1).clip.pixels
    if grey:
        made = np.ascontiguousarray(made[..., 1])
    kept = made.copy()
    out = unflicker.deflicker(made)
    assert out.shape == made.shape
    assert out.dtype == dtype
    np.testing.assert_array_equal(made, kept)
    channels = [frames if not grey else frames[..., None] for frames in (out, made)]
    assert rough(channels[0]) < 0.25 * rough(channels[1])


def test_a_preset_strength_and_pace_may_be_asked_for_without_settings() -> None:
    made = flickering(time=12).pixels
    whole = unflicker.deflicker(made, preset="fast")
    half = unflicker.deflicker(made, preset="fast", strength=0.5)
    wanted = Settings.from_preset("fast", strength=0.5)
    np.testing.assert_array_equal(half, unflicker.deflicker(made, settings=wanted))
    assert rough(whole) < rough(half) < rough(made)
    quick = unflicker.deflicker(made, preset="fast", keep_slower_than=0.1)
    assert not np.array_equal(quick, whole)


def test_settings_and_a_preset_at_once_are_refused(film, tmp_path) -> None:
    for call in (
        lambda: unflicker.run(
            film, tmp_path / "o.mkv", settings=Settings.from_preset("fast"), preset="fast"
        ),
        lambda: unflicker.analyze(film, settings=Settings.from_preset("fast"), preset="fast"),
        lambda: unflicker.deflicker(
            np.zeros((2, 8, 8), np.uint8), settings=Settings.from_preset("fast"), preset="fast"
        ),
    ):
        with pytest.raises(UsageError, match="both passed"):
            call()
    with pytest.raises(UsageError, match="strength is 2"):
        unflicker.deflicker(np.zeros((2, 8, 8), np.uint8), strength=2.0)


@pytest.mark.parametrize("name", ["output", "overwrite", "fast"])
def test_an_argument_that_does_not_exist_is_refused_by_name(film, name: str) -> None:
    for call in (unflicker.run, unflicker.analyze):
        with pytest.raises(UsageError, match=f"no argument '{name}'; pass preset"):
            call(film, **{name: True})
    with pytest.raises(UsageError, match=f"no argument '{name}'"):
        unflicker.deflicker(np.zeros((2, 8, 8), np.uint8), **{name: True})


@in_both_presets
def test_steady_arrays_come_back_equal_and_as_a_copy() -> None:
    frames = panning(time=12, size=SIZE).pixels
    out = unflicker.deflicker(frames)
    np.testing.assert_array_equal(out, frames)
    assert not np.shares_memory(out, frames)


@in_both_presets
def test_every_stage_tells_how_far_it_is(film, tmp_path) -> None:
    told: list[Progress] = []

    def of(stage: str) -> list[tuple[int, int | None, str]]:
        return [(each.done, each.total, each.unit) for each in told if each.stage == stage]

    unflicker.run(film, tmp_path / "out.mkv", progress=told.append)
    assert [done for done, _, _ in of("render")] == list(range(1, 25))
    assert [done for done, _, _ in of("analyse")] == [24]
    told.clear()
    unflicker.analyze(film, progress=told.append)
    assert [done for done, _, _ in of("analyse")] == [24]
    told.clear()
    settings = Settings.from_preset("best", atlas__layers=1, atlas__steps=5)
    unflicker.deflicker(flickering(time=12).pixels, settings=settings, progress=told.append)
    assert of("render") == [(i, 12, "frames") for i in range(1, 13)]
    assert of("fit atlas")[-1][2] == "steps"


@in_both_presets
@pytest.mark.parametrize("stops_at", [1, 10, 24])
def test_cancelling_stops_and_leaves_nothing(film, tmp_path, stops_at: int) -> None:
    def stop(progress: Progress) -> None:
        if progress.done >= stops_at:
            raise Cancelled("enough")

    options = RunOptions(save_plan=tmp_path / "film.plan")
    with pytest.raises(Cancelled, match="enough"):
        unflicker.run(film, tmp_path / "out.mkv", options=options, progress=stop)
    assert list(tmp_path.iterdir()) == []


@in_both_presets
def test_a_fault_while_thinking_reaches_the_caller_and_leaves_nothing(
    film, tmp_path, monkeypatch
) -> None:
    def fail(*_, **__):
        raise RuntimeError("cannot think")

    monkeypatch.setattr("unflicker.analysis.tone_window.steady_tone", fail)
    with pytest.raises(RuntimeError, match="cannot think"):
        unflicker.run(film, tmp_path / "out.mkv")
    assert list(tmp_path.iterdir()) == []


@in_both_presets
def test_analyzing_writes_nothing(film) -> None:
    before = sorted(film.parent.iterdir())
    record = unflicker.analyze(film)
    assert sorted(film.parent.iterdir()) == before
    assert record.shots[0].diagnosis.kind == "exposure"


@pytest.mark.parametrize(
    "changes",
    [
        {"strength": -0.1},
        {"strength": 1.5},
        {"strength": float("nan")},
        {"keep_slower_than_seconds": 0.0},
        {"keep_slower_than_seconds": float("nan")},
        {"window.frames": 16, "window.overlap_frames": 16},
        {"window.frames": 0, "window.overlap_frames": 0},
        {"window.overlap_frames": -1},
        {"proxy.width_px": 0},
        {"tone.waves_across": 0},
        {"tone.waves_down": -1},
        {"tone.tone_powers": -1},
        {"threads": -1},
    ],
)
def test_settings_that_make_no_sense_are_refused_before_work(film, tmp_path, changes) -> None:
    with pytest.raises(UsageError):
        unflicker.run(
            film, tmp_path / "out.mkv", settings=replaced(Settings.from_preset("fast"), changes)
        )
    assert list(tmp_path.iterdir()) == []


@in_both_presets
def test_an_earlier_plan_is_not_replaced_unasked(film, tmp_path) -> None:
    plan = tmp_path / "film.plan"
    plan.write_text("someone's work")
    with pytest.raises(OutputError):
        unflicker.analyze(film, options=RunOptions(save_plan=plan))
    assert plan.read_text() == "someone's work"


def test_from_the_command_to_the_arithmetic_are_eight_calls(film, tmp_path, monkeypatch) -> None:
    """Each of them does something: a layer that only passes things on makes reading harder."""
    package, chains = str(Path(unflicker.__file__).parent), []

    def graded(picture, grade, **_):
        calls = [call for call in inspect.stack(0) if call.filename.startswith(package)]
        chains.append([Path(call.filename).name for call in reversed(calls)])
        return picture

    monkeypatch.setattr("unflicker.rendering.stages.apply_grade", graded)
    assert exit_code(["run", str(film), "-o", str(tmp_path / "out.mkv"), "-q"]) == 0
    chain = chains[0][chains[0].index("run.py") :]
    assert "pipeline.py" in chain
    # From the first, `run`, to `apply_grade`, for which this test stands in.
    assert len(chain) <= 8, chain


def test_threads_and_libraries_are_left_as_they_were(film, tmp_path) -> None:
    before = cv2.getNumThreads()
    unflicker.run(film, tmp_path / "out.mkv", settings=Settings.from_preset("fast", threads=1))
    assert cv2.getNumThreads() == before
