"""The suites of the published benchmark, on small videos made here."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from made_clips import FPS, panning
from unflicker.cli.main import exit_code
from unflicker.errors import Cancelled, MissingError, UsageError
from unflicker.evaluation import methods
from unflicker.evaluation.suites.films import read_pair
from unflicker.evaluation.suites.long import lengthened
from unflicker.evaluation.suites.quality import undone
from unflicker.evaluation.suites.run import SUITES, run_suite, suite_of, with_settings
from unflicker.evaluation.suites.suite import Options, blind_methods
from unflicker.frames.clip import Clip
from unflicker.metrics import psnr
from unflicker.settings import EncodingSettings
from unflicker.synthesis import synthesise
from unflicker.video import ArraySource, open_writer

HERE = Path(__file__).parent
FRAMES = 6


def write(clip: Clip, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    film = ArraySource(clip)
    with open_writer(film, path, encoding=EncodingSettings(codec="ffv1")) as writer:
        for frame in film.frames():
            writer.write(frame)


def flickering(clip: Clip) -> Clip:
    gains = np.random.default_rng(0).uniform(0.8, 1.1, (len(clip), 1, 1, 1))
    return Clip.at_rate((clip.pixels * gains).clip(0, 255).astype(np.uint8), fps=FPS)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Two clean clips, two that flicker, a pair whose original is a frame longer, and a split."""
    place = tmp_path_factory.mktemp("data")
    for seed, name in enumerate(("lime", "pear")):
        write(panning(time=FRAMES, size=(36, 64), seed=seed), place / "clean" / f"{name}.mkv")
    steady = panning(time=FRAMES + 1, size=(36, 64), seed=3)
    given = flickering(Clip(pixels=steady.pixels[:FRAMES], seconds=steady.seconds[:FRAMES]))
    write(given, place / "flicker" / "oldfilm_street.mkv")
    write(given, place / "flicker" / "ai_ship.mkv")
    write(given, place / "processed" / "style_bike_processed.mkv")
    write(steady, place / "processed" / "style_bike_original.mkv")
    halves = {"development": ["pear"], "held-out": ["lime"]}
    (place / "split.json").write_text(json.dumps(halves))
    return place


@pytest.fixture(autouse=True)
def own_methods(monkeypatch):
    monkeypatch.syspath_prepend(str(HERE))


def measured(suite: str, folder: Path, out: Path, *arguments: str) -> list[dict]:
    """The rows of a suite that ends well."""
    command = ["evaluate", str(folder), "--suite", suite, "-o", str(out), "-q", *arguments]
    assert exit_code(command) == 0
    written = json.loads((out / f"{suite}.json").read_text())
    assert written["suite"] == suite
    return written["rows"]


def table(out: Path, suite: str) -> list[list[str]]:
    """The cells of the first table."""
    lines = (out / f"{suite}.md").read_text().splitlines()
    first = next(index for index, line in enumerate(lines) if line.startswith("|"))
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[first:]]
    return rows[: next((n for n, row in enumerate(rows) if row == [""]), len(rows))]


def is_picture(path: Path) -> bool:
    return cv2.imread(str(path)) is not None


def test_quality_scores_each_method_on_each_kind_and_the_oracle_is_best(data, tmp_path, capsys):
    kinds = "exposure,bands,clean,sunset + exposure"
    rows = measured(
        "quality", data / "clean", tmp_path, "--kinds", kinds, "--methods", "input,fast,known"
    )
    of = {(row["clip"], row["kind"], row["method"]): row for row in rows}
    for clip in ("lime", "pear"):
        for kind in ("exposure", "bands"):
            before, after, best = (of[clip, kind, m]["psnr"] for m in ("input", "fast", "known"))
            assert before < best
            assert before <= after
        assert of[clip, "clean", "input"]["psnr"] == 100.0
        assert (clip, "clean", "known") not in of
    text = (tmp_path / "quality.md").read_text()
    assert "Aims, for fast:" in text
    assert "PSNR of sunset + exposure, worst clip" in text
    assert table(tmp_path, "quality")[0] == ["", "exposure", "bands", "mean"]
    assert "Level-free PSNR in dB" in text
    assert of["lime", "bands", "known"]["level_free_psnr"] > 30
    assert text in capsys.readouterr().out


def test_one_half_of_the_clips_can_be_asked_for(data, tmp_path):
    options = Options(
        out=tmp_path,
        methods=("input",),
        kinds=("clean",),
        split="development",
        split_file=data / "split.json",
    )
    run_suite(SUITES["quality"], data / "clean", options)
    rows = json.loads((tmp_path / "quality.json").read_text())["rows"]
    assert [(row["clip"], row["split"]) for row in rows] == [("pear", "development")]


def test_the_oracle_undoes_all_but_the_mean_of_what_was_made():
    clean = panning(time=FRAMES, size=(36, 64))
    made = synthesise(clean, kind="bands", seed=1)
    assert psnr(undone(made), clean) > psnr(made.clip, clean) + 5


def test_real_tells_visible_flicker_before_and_after_and_shows_the_worst(data, tmp_path):
    rows = measured(
        "real", data / "flicker", tmp_path, "--method", "levelled=slow_methods:levelled"
    )
    assert {row["clip"] for row in rows} == {"ai_ship", "oldfilm_street"}
    assert all(row["after"] < row["before"] for row in rows)
    assert all(row["worst_tenth_before"] >= row["before"] for row in rows)
    assert all(row["worst_tenth_after"] >= row["after"] for row in rows)
    assert is_picture(tmp_path / "real" / "oldfilm_street.png")
    verdicts = {row[0]: row[-1] for row in table(tmp_path, "real")[2:]}
    assert verdicts["ai_ship"] == "none set"
    assert verdicts["oldfilm_street"] in ("met", "**not met**")


def test_processed_holds_the_refinement_off_against_on(data, tmp_path):
    rows = measured("processed", data, tmp_path, "--methods", "fast")
    assert [(row["clip"], row["stage"]) for row in rows] == [
        ("style_bike", "off"),
        ("style_bike", "on"),
        ("ai_ship", "off"),
        ("ai_ship", "on"),
    ]
    assert "left" in rows[0]
    assert "left" not in rows[2]
    assert all(row["worst_tenth"] >= row["seen"] and "vbench_gain" in row for row in rows)
    assert is_picture(tmp_path / "processed" / "style_bike.png")


@pytest.mark.parametrize("suite", ["quality", "real", "processed"])
def test_rows_from_before_a_measure_have_dashes_or_no_table(data, tmp_path, suite):
    folder = {"quality": data / "clean", "real": data / "flicker", "processed": data}[suite]
    chosen = ["--kinds", "bands"] if suite == "quality" else []
    method = "fast" if suite == "processed" else "input"
    rows = measured(suite, folder, tmp_path, "--methods", method, *chosen)
    new = ("level_free", "worst_tenth", "vbench")
    older = [{k: v for k, v in row.items() if not k.startswith(new)} for row in rows]
    text = SUITES[suite].table(older, Options(out=tmp_path))
    assert ("–" in text) == (suite != "quality")
    assert "Level-free" not in text
    some = SUITES[suite].table(
        [rows[0], *({**row, "method": "older"} for row in older)], Options(out=tmp_path)
    )
    assert "–" in some


def test_quality_draws_each_flicker_several_times_and_compares_pairs(data, tmp_path):
    arguments = ["--methods", "input,histogram", "--kinds", "bands", "--seeds", "2"]
    rows = measured("quality", data / "clean", tmp_path, *arguments, "--set", "judge=histogram")
    assert len(rows) == 2 * 2 * 2
    assert len({row["seed"] for row in rows}) == 4
    assert len({row["psnr"] for row in rows if row["method"] == "input"}) == 4
    text = (tmp_path / "quality.md").read_text()
    assert "2 draws of each flicker" in text
    one, other = (
        np.mean([row["psnr"] for row in rows if row["method"] == name])
        for name in ("histogram", "input")
    )
    assert f"| input | {one - other:+.1f} |" in text


def test_long_clips_tell_error_against_time(data, tmp_path):
    arguments = ["--methods", "input,histogram", "--kinds", "exposure", "--frames", "24"]
    rows = measured("long", data / "clean", tmp_path, *arguments, "--width", "48")
    assert [row["method"] for row in rows] == ["input", "histogram"] * 2
    assert all(len(row["psnr"]) == len(row["level"]) == 10 for row in rows)
    given, levelled = (np.mean([row["psnr"] for row in rows[k::2]]) for k in (0, 1))
    assert levelled > given + 2
    assert "last less first" in (tmp_path / "long.md").read_text()


def test_a_clip_is_lengthened_without_a_jump():
    clip = Clip.at_rate(np.arange(5, dtype=np.uint8)[:, None, None, None].repeat(3, 3), fps=5)
    shown = lengthened(clip, frames=12, fps=25.0).pixels[:, 0, 0, 0]
    assert shown.tolist() == [0, 1, 2, 3, 4, 3, 2, 1, 0, 1, 2, 3]


def test_guide_measures_presets_without_and_with_the_original(data, tmp_path):
    options = Options(out=tmp_path, methods=("fast",), split_file=data / "split.json")
    run_suite(SUITES["guide"], data, options)
    rows = json.loads((tmp_path / "guide.json").read_text())["rows"]
    names = ["original", "processed", "fast", "fast + guide"]
    assert [row["method"] for row in rows] == names * 2
    assert [row["clip"] for row in rows[::4]] == ["style_bike", "pear"]
    original, given = rows[0], rows[1]
    assert original["to_before"] < given["to_before"]
    assert given["sharpness"] == pytest.approx(1.0)


def test_baselines_run_blind_and_guided_on_pairs(data, tmp_path):
    rows = measured("baselines", data, tmp_path, "--methods", "input,histogram,bonneel")
    found = {row["method"]: row for row in rows}
    assert list(found) == ["original", "input", "histogram", "bonneel"]
    assert found["original"]["l1"] < found["input"]["l1"]
    assert found["input"]["psnr_to_input"] == 100.0
    assert found["bonneel"]["cpu_seconds"] > 0


def test_wanted_tells_what_is_kept_of_each_event(tmp_path):
    write(panning(time=30, size=(36, 64), seed=5), tmp_path / "clean" / "plum.mkv")
    rows = measured(
        "wanted", tmp_path / "clean", tmp_path, "--methods", "input", "--set", "seeds=1"
    )
    events = [row["event"] for row in rows]
    assert len(events) == len(set(events)) > 5
    assert all(row["alone_same"] and row["alone_psnr"] == 100.0 for row in rows)
    assert len(table(tmp_path, "wanted")) == 2 + len(events)


def test_wanted_refuses_a_film_too_short_for_its_events(data, tmp_path, capsys):
    command = ["evaluate", str(data / "clean"), "--suite", "wanted", "-o", str(tmp_path)]
    assert exit_code(command) == 3
    assert "the events need 24" in capsys.readouterr().err


def test_speed_holds_the_program_against_a_plain_transcode(tmp_path, monkeypatch):
    from unflicker.evaluation.suites import speed

    monkeypatch.setitem(speed.SIZES, "480p", (32, 64))
    options = Options(out=tmp_path, methods=("fast",), sizes=("480p",), frames=5, runs=1)
    text = run_suite(SUITES["speed"], None, options)
    (row,) = json.loads((tmp_path / "speed.json").read_text())["rows"]
    assert 0 < row["plain_seconds"] < row["unflicker_seconds"]
    assert 10 < row["plain_mebibytes"] < row["unflicker_mebibytes"]
    assert "≤ 2.5" in text


def test_each_row_is_written_as_soon_as_it_is_there(data, tmp_path):
    def stop(progress):
        if progress.done == 1:
            raise Cancelled("enough")

    options = Options(out=tmp_path, methods=("input",), kinds=("clean",), progress=stop)
    with pytest.raises(Cancelled):
        run_suite(SUITES["quality"], data / "clean", options)
    rows = json.loads((tmp_path / "quality.json").read_text())["rows"]
    assert [row["clip"] for row in rows] == ["lime"]
    assert not (tmp_path / "quality.md").exists()


@pytest.mark.parametrize("name", [name for name, suite in SUITES.items() if suite.needs_folder])
def test_a_folder_without_clips_is_refused_and_none_too(name, tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    command = ["evaluate", "--suite", name, "-o", str(tmp_path / "out")]
    assert exit_code([*command, str(tmp_path / "empty")]) == 3
    assert "to run on" in capsys.readouterr().err
    assert exit_code(command) == 2
    assert "needs the folder" in capsys.readouterr().err


def test_an_unknown_suite_and_its_unknown_options_suggest_the_nearest(data, tmp_path, capsys):
    folder, out = str(data / "clean"), ["-o", str(tmp_path)]
    assert exit_code(["evaluate", folder, "--suite", "qualty", *out]) == 2
    assert "did you mean quality?" in capsys.readouterr().err
    with pytest.raises(UsageError, match="did you mean seeds"):
        with_settings(Options(out=tmp_path), suite_of("wanted"), ["seed=3"])
    with pytest.raises(UsageError, match="makes no sense"):
        with_settings(Options(out=tmp_path), suite_of("speed"), ["runs=none"])
    assert exit_code(["evaluate", folder, "--suite", "wanted", "--kinds", "bands", *out]) == 2
    assert "takes no --kinds" in capsys.readouterr().err
    assert exit_code(["evaluate", folder, "--suite", "real", "--quick", *out]) == 2
    assert exit_code(["evaluate", folder, "--split", "held-out", *out]) == 2
    assert "--suite" in capsys.readouterr().err
    half = ["--split", "third", "--suite", "quality", "--methods", "input"]
    assert exit_code(["evaluate", folder, *half, *out]) == 2
    assert "development, held-out" in capsys.readouterr().err


def test_settings_are_read_by_what_they_are(tmp_path):
    texts = ["runs=5", "lengths=300,3000", "by_place=yes", "sizes=480p", "film=a.mp4"]
    options = with_settings(Options(out=tmp_path), suite_of("speed"), texts)
    assert (options.runs, options.lengths, options.by_place) == (5, (300, 3000), True)
    assert (options.sizes, options.film) == (("480p",), Path("a.mp4"))


def test_a_method_that_lacks_a_library_is_refused_if_named_and_else_left_out(tmp_path, monkeypatch):
    there = methods.find_spec
    monkeypatch.setattr(methods, "find_spec", lambda name: there(name) if name != "torch" else None)
    told: list[str] = []
    named = Options(out=tmp_path, methods=("best",), tell=told.append)
    with pytest.raises(MissingError, match=r"unflicker\[neural\]"):
        blind_methods(named, usual=("input",))
    usual = Options(out=tmp_path, tell=told.append)
    assert list(blind_methods(usual, usual=("input", "best"))) == ["input"]
    assert "torch" in told[0]
    guided = Options(out=tmp_path, methods=("bonneel",))
    with pytest.raises(UsageError, match="--suite baselines"):
        blind_methods(guided, usual=())


def test_a_pair_is_cut_to_the_shorter(data):
    pair = read_pair(
        data / "processed" / "style_bike_processed.mkv", width_px=64, frames=99, first=2
    )
    assert len(pair.processed.clip) == len(pair.original) == FRAMES - 2
    assert pair.processed.name == "style_bike"


def test_real_compares_folders_of_finished_films(data, tmp_path, capsys):
    made = tmp_path / "expert"
    steady = panning(time=FRAMES + 1, size=(36, 64), seed=3).pixels[:FRAMES]
    write(Clip.at_rate(steady, fps=FPS), made / "oldfilm_street_graded.mkv")
    rows = measured(
        "real", data / "flicker", tmp_path, "--methods", "input,histogram",
        "--method", f"expert=folder:{made}",
    )  # fmt: skip
    assert [(row["clip"], row["method"]) for row in rows] == [
        ("ai_ship", "input"),
        ("ai_ship", "histogram"),
        ("oldfilm_street", "input"),
        ("oldfilm_street", "histogram"),
        ("oldfilm_street", "expert"),
    ]
    expert = rows[-1]
    assert expert["after"] < 0.5 * expert["before"]
    assert expert["aligned_share"] == 1.0
    assert is_picture(tmp_path / "real" / "oldfilm_street_expert.png")
    text = (tmp_path / "real.md").read_text()
    assert "| expert | 1 |" in text
    assert "| histogram | 2 |" in text


def test_baselines_compare_folders_of_finished_films(data, tmp_path):
    made = tmp_path / "expert"
    steady = panning(time=FRAMES + 1, size=(36, 64), seed=3).pixels[:FRAMES]
    write(Clip.at_rate(steady, fps=FPS), made / "style_bike.mkv")
    rows = measured(
        "baselines", data, tmp_path, "--methods", "input", "--method", f"expert=folder:{made}"
    )
    found = {row["method"]: row for row in rows}
    assert found["expert"]["l1"] < found["input"]["l1"]
    assert found["expert"]["l1"] == pytest.approx(found["original"]["l1"], rel=0.05)
    assert found["expert"]["cpu_seconds"] is None
    assert table(tmp_path, "baselines")[-1][-1] == "–"


def test_a_suite_that_makes_its_own_flicker_takes_no_finished_films(data, tmp_path, capsys):
    command = ["evaluate", str(data / "clean"), "--suite", "quality", "-o", str(tmp_path)]
    assert exit_code([*command, "--method", f"expert=folder:{tmp_path}"]) == 2
    assert "real and baselines compare them" in capsys.readouterr().err


def test_dirt_is_cleaned_alone_and_after_a_deflicker(tmp_path):
    methods = "input,fast,median of three,fast + dirt"
    write(panning(time=12, size=(108, 192), seed=5), tmp_path / "clean" / "plum.mkv")
    rows = measured("dirt", tmp_path / "clean", tmp_path, "--methods", methods)
    of = {(row["kind"], row["method"]): row for row in rows}
    assert len(rows) == len(of) == 8
    for kind in ("exposure", "local"):
        assert of[kind, "input"]["psnr_in_dirt"] < of[kind, "input"]["psnr_elsewhere"]
        assert of[kind, "fast"]["psnr_elsewhere"] > of[kind, "input"]["psnr_elsewhere"]
        assert of[kind, "fast + dirt"]["psnr"] > of[kind, "fast"]["psnr"] + 0.3
        assert is_picture(tmp_path / "dirt" / f"plum_{kind}.png")
    assert table(tmp_path, "dirt")[0][0] == "method"
    command = ["evaluate", str(tmp_path / "clean"), "--suite", "dirt", "-o", str(tmp_path), "-q"]
    assert exit_code([*command, "--methods", "soap"]) == 2
    assert exit_code([*command, "--kinds", "rain"]) == 2
