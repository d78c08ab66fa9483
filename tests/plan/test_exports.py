"""A plan for other programs, and one changed by hand."""

import contextlib
import csv
import json
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import unflicker
from made_clips import panning
from unflicker import RunOptions
from unflicker.cli.main import exit_code
from unflicker.errors import InputError, UsageError
from unflicker.frames.clip import Clip
from unflicker.frames.colour import to_rgb
from unflicker.frames.picture import ColourMeaning
from unflicker.grade import Grade
from unflicker.grade.apply import apply_to_light
from unflicker.plan import FramePlan, Plan, PlanWriter, exports, keyframes, write_edited
from unflicker.report.plan_curve import write_plan_curve
from unflicker.settings import EncodingSettings, Settings
from unflicker.synthesis import synthesise
from unflicker.video import ArraySource, open_video, open_writer
from unflicker.video.filters import run_filter

EXACT = EncodingSettings(codec="ffv1", pix_fmt="bgr0")
FAST = Settings.from_preset("fast", encoding=EXACT)


def two_shots() -> np.ndarray:
    first = synthesise(panning(time=20, size=(48, 64)), kind="exposure", seed=1).clip.pixels
    other = panning(time=20, size=(48, 64), seed=9)
    second = synthesise(other, kind="exposure", seed=2).clip.pixels[:, ::-1, ::-1]
    return np.concatenate([first, second])


def written(pixels: np.ndarray, path: Path, *, fps: float = 25.0) -> Path:
    film = ArraySource(Clip.at_rate(pixels, fps=fps), name=path.name)
    with open_writer(film, path, encoding=EXACT) as writer:
        for frame in film.frames():
            writer.write(frame)
    return path


def pixels_in(path: Path) -> np.ndarray:
    return np.stack([to_rgb(frame.picture) for frame in open_video(path).frames()])


@pytest.fixture(scope="module")
def film(tmp_path_factory) -> Path:
    return written(two_shots(), tmp_path_factory.mktemp("film") / "film.mkv")


@pytest.fixture(scope="module")
def plan(film, tmp_path_factory) -> Plan:
    path = tmp_path_factory.mktemp("plan") / "film.plan"
    unflicker.analyze(film, settings=FAST, options=RunOptions(save_plan=path))
    return Plan(path)


def test_a_table_has_a_line_for_each_frame(plan, tmp_path) -> None:
    exports.write_csv(plan, tmp_path / "plan.csv")
    with (tmp_path / "plan.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [int(row["frame"]) for row in rows] == list(range(40))
    assert {row["shot"] for row in rows} == {"0", "1"}
    before, after = (np.array([float(row[name]) for row in rows[:20]]) for name in LUMA)
    assert after.std() < 0.3 * before.std()


LUMA = ("luma_before", "luma_after")


def test_json_says_the_same_and_what_the_shots_are(plan, tmp_path) -> None:
    exports.write_json(plan, tmp_path / "plan.json")
    told = json.loads((tmp_path / "plan.json").read_text())
    assert [shot["stop"] for shot in told["shots"]] == [20, 40]
    assert told["frames"] == [
        {name: exports._short(value) for name, value in numbers.items()}
        for numbers in exports.frame_numbers(plan)
    ]


def test_stops_are_of_linear_light() -> None:
    doubled = np.minimum(Grade.identity().curves * 2.0 ** (1 / 2.4), 1.0).astype(np.float32)
    grade = replace(Grade.identity(), curves=doubled)
    np.testing.assert_allclose(grade.stops_by_place(rows=1, columns=1), 1.0, atol=0.01)


def test_a_plan_of_fine_grids_of_one_tone_is_exported_as_others_are(tmp_path) -> None:
    fine = np.zeros((36, 64, 1, 3), np.float32)
    fine[:6, :8] = np.log(2.0) / 2.4  # a stop in the first of 6 x 8 parts
    curves = (Grade.identity().curves * np.float32(0.8)).astype(np.float32)
    grades = [Grade.identity().followed_by(fine), replace(Grade.identity(), curves=curves)]
    path, level = tmp_path / "fine.plan", np.full(3, 0.5, np.float32)
    with PlanWriter(path, about={"source": "fine.mp4"}) as writer:
        for index, grade in enumerate(grades):
            means = {"mean_before": level, "mean_after": level}
            writer.add(FramePlan(index=index, grade=grade, seconds=index / 24, **means))
    lit = next(exports.frame_numbers(Plan(path)))
    assert lit["gain_by_place_most"] == pytest.approx(1.0, abs=0.01)
    assert (lit["gain_by_place_least"], lit["gain_green"]) == pytest.approx((0.0, 0.0))
    exports.write_csv(Plan(path), tmp_path / "plan.csv")
    exports.write_json(Plan(path), tmp_path / "plan.json")
    write_plan_curve(Plan(path), tmp_path / "plan.png")
    assert len((tmp_path / "plan.csv").read_text().splitlines()) == 3
    assert len(json.loads((tmp_path / "plan.json").read_text())["frames"]) == 2
    assert (tmp_path / "plan.png").stat().st_size > 0
    exports.write_cubes(Plan(path), tmp_path / "cubes")  # of the whole picture alone
    assert [cube.name for cube in (tmp_path / "cubes").iterdir()] == ["frame_000001.cube"]


def read_cube(text: str) -> tuple[str, np.ndarray]:
    lines = text.splitlines()
    return lines[1], np.array([line.split() for line in lines[4:]], np.float32)


@pytest.mark.parametrize("transfer", ["power", "pq", "hlg", "linear"])
def test_a_look_up_table_does_what_the_whole_pictures_part_does(transfer) -> None:
    from unflicker.frames.colour import to_working

    meaning = ColourMeaning(matrix="identity", transfer=transfer)
    curves = (Grade.identity().curves * np.float32(0.8)).astype(np.float32)
    grade = replace(Grade.identity(rows=2, columns=2, bins=3), curves=curves)
    grade = replace(grade, log_gain=grade.log_gain + 0.3)
    size, table = read_cube(exports.cube_text(grade, meaning, title="one"))
    assert size == "LUT_1D_SIZE 1024"
    stored = np.linspace(0.05, 0.95, 7, dtype=np.float32)
    looked_up = np.interp(stored, np.linspace(0, 1, 1024), table[:, 0])
    light = to_working(np.repeat(stored[None, :, None], 3, axis=2), meaning)
    wanted = apply_to_light(light, grade.of_whole_picture())[0, :, 0]
    np.testing.assert_allclose(to_working(looked_up.astype(np.float32), meaning), wanted, atol=2e-3)


def test_mixed_channels_become_a_table_of_three_dimensions() -> None:
    less = np.array([[-0.2, 0.1, 0.1], [0.1, -0.2, 0.1], [0.1, 0.1, -0.2]], np.float32)
    grade = replace(Grade.identity(), log_matrix=less)
    size, table = read_cube(exports.cube_text(grade, ColourMeaning(), title="mixed"))
    assert size == "LUT_3D_SIZE 33"
    np.testing.assert_allclose(table[32], grade.matrix @ [1, 0, 0], atol=1e-3)  # red is fastest
    np.testing.assert_allclose(table[-1], 1.0, atol=1e-3)


def test_tables_are_written_for_frames_or_shots(plan, tmp_path) -> None:
    assert exports.write_cubes(plan, tmp_path / "frames") == 40
    assert (tmp_path / "frames" / "frame_000039.cube").is_file()
    # Flicker sums to nothing over a shot; a table is left where something else does not.
    count = exports.write_cubes(plan, tmp_path / "shots", per="shot")
    assert count == len(list(tmp_path.glob("shots/shot_00*.cube"))) <= 2


def test_a_shot_that_is_switched_off_stays_as_it_is(film, plan, tmp_path) -> None:
    shots = [plan.shots[0], replace(plan.shots[1], strength=0.0)]
    edited = tmp_path / "edited.plan"
    write_edited(plan, edited, shots=shots)
    options = RunOptions(plan=edited)
    unflicker.run(film, tmp_path / "out.mkv", settings=FAST, options=options)
    before, after = pixels_in(film), pixels_in(tmp_path / "out.mkv")
    np.testing.assert_array_equal(after[20:], before[20:])
    assert (after[:20] != before[:20]).any(axis=(1, 2, 3)).sum() >= 15
    # The same, asked for by option, with and without a plan.
    for number, more in enumerate((RunOptions(plan=plan.path), RunOptions())):
        target = tmp_path / f"out{number}.mkv"
        options = replace(more, shot_strengths={1: 0.0})
        unflicker.run(film, target, settings=FAST, options=options)
        np.testing.assert_array_equal(pixels_in(target), after)


def test_a_plan_keeps_the_strengths_that_it_was_made_with(film, tmp_path) -> None:
    saved = RunOptions(save_plan=tmp_path / "film.plan", shot_strengths={1: 0.5})
    unflicker.run(film, tmp_path / "run.mkv", settings=FAST, options=saved)
    followed = RunOptions(plan=tmp_path / "film.plan")
    unflicker.run(film, tmp_path / "applied.mkv", settings=FAST, options=followed)
    np.testing.assert_array_equal(
        pixels_in(tmp_path / "run.mkv"), pixels_in(tmp_path / "applied.mkv")
    )


def test_shots_that_are_not_there_and_strengths_that_are_none_are_refused(
    film, plan, tmp_path
) -> None:
    options = RunOptions(plan=plan.path, shot_strengths={2: 0.5})
    with pytest.raises(UsageError, match=r"no shot 2: the plan .* has 2, numbered from 0"):
        unflicker.run(film, tmp_path / "out.mkv", settings=FAST, options=options)
    for strengths, named in (({2: 0.5}, "2"), ({0: 0.0, 7: 0.0, 5: 1.0}, "5, 7")):
        options = RunOptions(shot_strengths=strengths)
        wrong = pytest.raises(UsageError, match=f"no shot {named}: film.mkv has 2, numbered from 0")
        with wrong:
            unflicker.run(film, tmp_path / "out.mkv", settings=FAST, options=options)
        with wrong:
            unflicker.analyze(film, settings=FAST, options=options)
    with pytest.raises(UsageError, match=r"shot 0 at strength 1\.5"):
        RunOptions(shot_strengths={0: 1.5})
    with pytest.raises(UsageError, match="change strengths alone"):
        write_edited(plan, tmp_path / "edited.plan", shots=plan.shots[:1])
    assert list(tmp_path.iterdir()) == []


def test_a_film_of_another_size_or_with_other_times_is_refused(film, plan, tmp_path) -> None:
    options = RunOptions(plan=plan.path)
    smaller = written(two_shots()[:, :40], tmp_path / "smaller.mkv")
    with pytest.raises(InputError, match=r"is of film\.mkv, 64×48 px; smaller\.mkv has 64×40"):
        unflicker.run(smaller, tmp_path / "out.mkv", settings=FAST, options=options)
    slower = written(two_shots(), tmp_path / "slower.mkv", fps=20.0)
    with pytest.raises(InputError, match=r"frame 1 of slower\.mkv is shown at 0\.050 s"):
        unflicker.run(slower, tmp_path / "out.mkv", settings=FAST, options=options)


def test_ffmpeg_gives_the_pixels_of_a_run_where_global_light_is_enough(film, tmp_path) -> None:
    path, steady = tmp_path / "film.plan", tmp_path / "steady.mkv"
    unflicker.run(film, steady, settings=FAST, options=RunOptions(save_plan=path))
    plan, folder = Plan(path), tmp_path / "ffmpeg"
    assert keyframes.lost_in_export(plan) == ""
    filters = keyframes.write_ffmpeg(plan, folder)
    given = pixels_in(film)
    seconds = np.arange(len(given)) / 25.0
    with contextlib.chdir(folder):
        made = run_filter(Clip(pixels=given, seconds=seconds), filters).as_float()
    expected, uncorrected = pixels_in(steady), given
    assert np.abs(expected - uncorrected).max() > 0.1
    assert np.abs(made - expected).max() <= 2.5 / 255


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs the program ffmpeg")
def test_the_program_ffmpeg_takes_the_commands(film, tmp_path) -> None:
    path, steady, folder = tmp_path / "film.plan", tmp_path / "steady.mkv", tmp_path / "ffmpeg"
    unflicker.run(film, steady, settings=FAST, options=RunOptions(save_plan=path))
    filters = keyframes.write_ffmpeg(Plan(path), folder)
    command = ["ffmpeg", "-v", "error", "-i", film, "-vf", filters]
    done = subprocess.run(
        [*command, "-pix_fmt", "rgb24", "-f", "rawvideo", "-"],
        cwd=folder, capture_output=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, b"")
    expected = pixels_in(steady)
    made = np.frombuffer(done.stdout, np.uint8).reshape(expected.shape) / 255
    assert np.abs(made - expected).max() <= 2.5 / 255


def measured_stops(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """The gain between the frames of two films, in stops of linear light, at middle tones."""
    stops = []
    for one, other in zip(before, after, strict=True):
        seen = (one > 0.2) & (one < 0.7) & (other > 0.2) & (other < 0.8)
        stops.append(np.median(2.4 * np.log2(other[seen] / one[seen])))
    return np.array(stops)


@pytest.mark.parametrize("strength", [1.0, 0.5])
@pytest.mark.parametrize("shots", [{}, {1: 0.5}, {0: 0.0, 1: 0.25}])
def test_every_export_has_the_gains_of_the_frames_of_a_run(film, tmp_path, strength, shots) -> None:
    path, steady = tmp_path / "film.plan", tmp_path / "steady.mkv"
    settings = replace(FAST, strength=strength)
    options = RunOptions(save_plan=path, shot_strengths=shots)
    unflicker.run(film, steady, settings=settings, options=options)
    given, expected = pixels_in(film), pixels_in(steady)
    stops = measured_stops(given, expected)
    assert stops.max() > 0.05
    called = ["export", str(path), "--strength", str(strength), "-o"]
    for to in ("csv", "json", "nuke", "ae", "cube", "ffmpeg"):
        assert exit_code([*called, str(tmp_path / to), "--to", to]) == 0
    with (tmp_path / "csv").open() as file:
        rows = list(csv.DictReader(file))
    frames = json.loads((tmp_path / "json").read_text())["frames"]
    for table in (rows, frames):
        gains = [np.mean([float(row[f"gain_{c}"]) for c in ("red", "green", "blue")])
                 for row in table]  # fmt: skip
        np.testing.assert_allclose(gains, stops, atol=0.03)
        after = [float(row["luma_after"]) for row in table]
        light = (expected @ np.array([0.2126, 0.7152, 0.0722], np.float32)).mean(axis=(1, 2))
        np.testing.assert_allclose(after, light, atol=0.01)
    keys = re.findall(r"\{curve x1 ([^}]*)\}", (tmp_path / "nuke").read_text())[:3]
    nuke = np.log2([[float(key) for key in curve.split()] for curve in keys]).mean(axis=0)
    np.testing.assert_allclose(nuke, stops, atol=0.03)
    (ae,) = re.findall(r"var stops = (\[.*?\]);", (tmp_path / "ae").read_text())
    np.testing.assert_allclose(json.loads(ae), stops, atol=0.03)
    for index, (one, wanted) in enumerate(zip(given, expected, strict=True)):
        table = tmp_path / "cube" / f"frame_{index:06d}.cube"
        made = one
        if table.exists():
            size, light = read_cube(table.read_text())
            assert size == "LUT_1D_SIZE 1024"
            steps = np.linspace(0, 1, 1024)
            made = np.stack([np.interp(one[..., c], steps, light[:, c]) for c in range(3)], axis=-1)
        assert np.abs(made - wanted).max() <= 2.5 / 255
    seconds = np.arange(len(given)) / 25.0
    filters = "sendcmd=f=commands.txt,lut1d=file=frame_000000.cube"
    with contextlib.chdir(tmp_path / "ffmpeg"):
        made = run_filter(Clip(pixels=given, seconds=seconds), filters).as_float()
    assert np.abs(made - expected).max() <= 2.5 / 255


def test_what_a_gain_cannot_hold_is_named(tmp_path) -> None:
    curves = Grade.identity().curves
    contrast = (0.5 + (curves - 0.5) * 0.7).astype(np.float32)
    mixing = np.array([[-0.2, 0.1, 0.1], [0.1, -0.2, 0.1], [0.1, 0.1, -0.2]], np.float32)
    grades = [
        replace(Grade.identity(), curves=contrast),
        replace(Grade.identity(), log_matrix=mixing),
    ]
    about = {"source": "a.mp4", "settings": {"repair.dirt": True, "stabilise.gate": True}}
    with PlanWriter(tmp_path / "a.plan", about=about) as writer:
        for index, grade in enumerate(grades):
            lower = grade if index else None
            writer.add(FramePlan(index=index, grade=grade, lower_grade=lower, seconds=index / 24))
    plan = Plan(tmp_path / "a.plan")
    lost = keyframes.lost_in_export(plan)
    for words in ("gains by tone", "mixing of colours in 1 of 2", "for each field in 1 of 2",
                  "repair of dirt", "gate weave"):  # fmt: skip
        assert words in lost
    assert "gains by tone" not in keyframes.lost_in_export(plan, keeps_tones=True)


def test_keyframes_are_the_gains_of_the_table(plan, tmp_path) -> None:
    rows = list(exports.frame_numbers(plan))
    keyframes.write_nuke(plan, tmp_path / "plan.nk")
    text = (tmp_path / "plan.nk").read_text()
    curves = re.findall(r"\{curve x1 ([^}]*)\}", text)
    assert len(curves) == 4
    for name, curve in zip(("gain_red", "gain_green", "gain_blue"), curves, strict=False):
        stops = np.log2([float(value) for value in curve.split()])
        np.testing.assert_allclose(stops, [row[name] for row in rows], atol=1e-4)
    assert text.count("{") == text.count("}")
    keyframes.write_after_effects(plan, tmp_path / "plan.jsx")
    script = (tmp_path / "plan.jsx").read_text()
    times, stops = (
        json.loads(found) for found in re.findall(r"var (?:times|stops) = (\[.*?\]);", script)
    )
    np.testing.assert_allclose(np.diff(times), 1 / 25, atol=1e-3)
    assert np.abs(stops).max() > 0.05
    assert len(stops) == len(rows)


def test_what_the_whole_picture_leaves_out_is_told(tmp_path) -> None:
    local = synthesise(panning(time=20, size=(48, 64)), kind="local", seed=1).clip.pixels
    path = tmp_path / "local.plan"
    unflicker.analyze(
        written(local, tmp_path / "local.mkv"), settings=FAST, options=RunOptions(save_plan=path)
    )
    assert "by place" in keyframes.lost_in_export(Plan(path))


@pytest.mark.parametrize(
    ("to", "says"), [("ffmpeg", "-vf sendcmd=f=commands.txt"), ("nuke", "left out"), ("ae", "")]
)
def test_the_command_writes_keyframes_and_says_what_they_lack(
    plan, tmp_path, capsys, to: str, says: str
) -> None:
    place = tmp_path / f"plan.{to}"
    assert exit_code(["export", str(plan.path), "--to", to, "-o", str(place)]) == 0
    told = capsys.readouterr()
    assert told.out == f"{place}\n"
    assert says in told.err or "all of the plan" in told.err
    assert place.exists()
