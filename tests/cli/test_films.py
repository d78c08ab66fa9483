"""What run and apply ask of the library, and where films go."""

import json

import pytest

from unflicker.cli.messages import printable
from unflicker.progress import Progress


def test_defaults_come_from_the_settings(call, pipeline, film, monkeypatch):
    from unflicker.settings import to_dict, usual_settings

    monkeypatch.delenv("UNFLICKER_PRESET")
    call(film)
    assert to_dict(pipeline.calls[0][2]) == to_dict(usual_settings())


def test_every_option_reaches_its_setting(call, pipeline, film):
    call(
        "run", film, "--strength=.7", "--keep-slower-than=5", "--device=cuda:1", "--threads=2",
        "--codec=ffv1", "--crf=12", "--pix-fmt=yuv444p", "-e", "g=1", "-e", "slices=4", "--strict",
        "--set", "proxy.width_px=320", "--start=0:01:30.5", "--duration=2", "--mask=mask.png",
        "--guide=original.mp4",
    )  # fmt: skip
    _, _, settings, options = pipeline.calls[0]
    assert (settings.strength, settings.keep_slower_than_seconds) == (0.7, 5.0)
    assert (settings.device, settings.threads, settings.strict) == ("cuda:1", 2, True)
    assert settings.proxy.width_px == 320
    encoding = settings.encoding
    assert (encoding.codec, encoding.crf, encoding.pix_fmt) == ("ffv1", 12.0, "yuv444p")
    assert encoding.options == (("g", "1"), ("slices", "4"))
    assert (options.start_seconds, options.duration_seconds) == (90.5, 2.0)
    assert options.mask.name == "mask.png"
    assert options.original.name == "original.mp4"


def test_exposure_is_locked_where_asked_for_and_only_there(call, pipeline, film):
    call(film)
    call("run", film, "--lock-exposure")
    call("analyze", film, "--lock-exposure")
    assert [each[2].tone.lock_exposure for each in pipeline.calls] == [False, True, True]


def test_a_preset_without_grades_cannot_lock_exposure(call, pipeline, film):
    code, _, err = call("run", film, "--lock-exposure", "--preset", "paper")
    assert code == 2
    assert "tone.lock_exposure is True" in err
    assert not pipeline.calls


def test_a_guide_is_the_original_of_one_film(call, pipeline, film, tmp_path):
    code, _, err = call("run", film, tmp_path / "second.mp4", "--guide", film)
    assert code == 2
    assert "one by one" in err
    assert not pipeline.calls


def test_a_misspelt_setting_is_refused_with_a_suggestion(call, film):
    code, _, err = call(film, "--set", "proxy.with_px=3")
    assert code == 2
    assert "did you mean proxy.width_px?" in err


@pytest.mark.parametrize("change", ["strength=much", "strict=maybe", "proxy.width_px=1.5", "x"])
def test_a_setting_of_the_wrong_type_is_refused(call, film, change):
    code, _, err = call(film, "--set", change)
    assert code == 2
    assert "got" in err


def test_settings_of_every_type_can_be_set(call, pipeline, film):
    texts = ["encoding.crf=none", "strict=yes", "encoding.options=a=1,b=2", "strength=0"]
    call(film, *(part for text in texts for part in ("--set", text)))
    settings = pipeline.calls[0][2]
    assert settings.encoding.crf is None
    assert settings.strict is True
    assert settings.encoding.options == (("a", "1"), ("b", "2"))
    assert settings.strength == 0.0


def test_output_names_a_file_or_a_folder(call, pipeline, film, tmp_path):
    call(film, "-o", tmp_path / "other.mkv")
    call(film, "-o", f"{tmp_path}/new/")
    call(film, "-o", tmp_path / "plain")
    targets = [target for _, target, _, _ in pipeline.calls]
    assert targets[0] == tmp_path / "other.mkv"
    assert targets[1].parent == tmp_path / "new"
    assert targets[2].parent == tmp_path / "plain"


def test_one_bad_film_does_not_stop_the_others(call, pipeline, film, tmp_path):
    code, out, err = call(tmp_path / "bad.mp4", film)
    assert code == 7
    assert out == f"{tmp_path / 'film_unflickered.mp4'}\n"
    assert "1 of 2 films failed" in err
    assert "pass a film" in err


def test_one_bad_film_alone_gives_its_own_code(call, pipeline, tmp_path):
    assert call(tmp_path / "bad.mp4")[0] == 3


def test_a_fault_of_ours_in_one_film_does_not_stop_the_others(call, pipeline, film, tmp_path):
    second = tmp_path / "second.mp4"
    second.write_text("a film")

    def fail_once(_):
        if len(pipeline.calls) == 1:
            raise ZeroDivisionError

    pipeline.during = fail_once
    assert call(film, second)[0] == 7
    assert len(pipeline.calls) == 2


def test_films_that_would_overwrite_each_other_are_refused(call, pipeline, tmp_path):
    films = [tmp_path / name / "film.mp4" for name in ("a", "b")]
    code, _, err = call(*films, "-o", f"{tmp_path}/out/")
    assert code == 2
    assert "both become" in err
    assert pipeline.calls == []


def test_several_films_need_a_folder(call, pipeline, film, tmp_path):
    assert call(film, tmp_path / "b.mp4", "-o", "one.mp4")[0] == 2
    assert call(film, tmp_path / "b.mp4", "--sheet", "one.png")[0] == 2


def test_skip_existing_leaves_what_is_done(call, pipeline, film, tmp_path):
    (tmp_path / "film_unflickered.mp4").write_text("done")
    code, out, _ = call(film, "--skip-existing")
    assert (code, out, pipeline.calls) == (0, "", [])


def test_skipping_and_overwriting_contradict_each_other(call, film):
    assert call(film, "--skip-existing", "--overwrite")[0] == 2


def test_a_dry_run_says_what_it_would_do_and_does_nothing(call, pipeline, film, tmp_path):
    code, out, _ = call(film, "--dry-run")
    assert code == 0
    assert str(tmp_path / "film_unflickered.mp4") in out
    assert pipeline.calls == []


def test_report_and_picture_are_written_where_asked(call, pipeline, film, tmp_path):
    report, sheet = tmp_path / "r" / "report.html", tmp_path / "r" / "sheet.png"
    code, _, err = call(film, "--report", report, "--sheet", sheet)
    assert code == 0
    assert report.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert sheet.stat().st_size > 100
    assert str(report) in err


def test_an_earlier_report_is_not_replaced_unasked(call, pipeline, film, tmp_path):
    report = tmp_path / "report.html"
    report.write_text("earlier")
    assert call(film, "--report", report)[0] == 4
    assert pipeline.calls == []
    assert report.read_text() == "earlier"
    assert call(film, "--report", report, "--overwrite")[0] == 0


def test_damaged_frames_show_in_the_exit_code(call, pipeline, film):
    pipeline.changes = {"damaged": (3, 4)}
    code, out, err = call(film)
    assert code == 7
    assert out
    assert "--strict" in err


def test_notes_are_told(call, pipeline, film):
    pipeline.changes = {"notes": ("a data stream is left out",)}
    assert "note: a data stream is left out" in call(film)[2]


def test_notes_are_announced_before_the_work_and_not_repeated(call, pipeline, film):
    def announce(progress):
        progress(Progress(stage="prepare", done=0, total=None, notes=("sound is left out",)))

    pipeline.during = announce
    pipeline.changes = {"notes": ("sound is left out", "a frame is damaged")}
    lines = call(film)[2].splitlines()
    assert lines[:2] == ["note: sound is left out", "note: a frame is damaged"]
    assert sum("left out" in line for line in lines) == 1


def test_notes_of_several_films_name_them(call, pipeline, film, tmp_path):
    other = tmp_path / "other.mp4"
    other.write_text("a film")
    pipeline.changes = {"notes": ("a data stream is left out",)}
    err = call(film, other, "-o", tmp_path / "out/")[2]
    for path in (film, other):
        assert f"{path}: note: a data stream is left out" in err


@pytest.mark.parametrize("name", ["film.mp4", "bad.mp4"])
def test_with_json_every_line_is_an_object(call, pipeline, film, name):
    pipeline.changes = {"notes": ("a data stream is left out",)}
    film = film.rename(film.with_name(name))
    _, _, err = call(film, "--progress", "json", "-v")
    events = [json.loads(line) for line in err.splitlines()]
    texts = {each["event"]: each["text"] for each in events if "text" in each}
    if name == "bad.mp4":
        assert "cannot be read" in texts["error"]
    else:
        assert texts["note"] == "a data stream is left out"
        assert "exposure flicker" in texts["message"]


def test_control_characters_of_names_and_notes_are_spelt_out(call, pipeline, tmp_path):
    film = tmp_path / "a\x1b[31mred.mp4"
    film.write_text("a film")
    pipeline.changes = {"notes": ("title \x1b]0;pwned\x07",)}
    err = call(film)[2]
    assert "\x1b" not in err
    assert "\x07" not in err
    assert "\\x1b[31mred" in err


def test_quiet_says_nothing_but_where_the_result_is(call, pipeline, film):
    _, out, err = call(film, "-q")
    assert out
    assert err == ""


def test_apply_hands_on_the_plan(call, pipeline, film, tmp_path):
    assert call("apply", film, "--plan", tmp_path / "film.npz")[0] == 0
    assert pipeline.calls[0][3].plan == tmp_path / "film.npz"


def test_analyze_prints_json_alone_on_stdout(call, pipeline, film, tmp_path):
    code, out, err = call("analyze", film, "--plan", tmp_path / "film.npz")
    assert code == 0
    assert json.loads(out)["shots"][0]["kind"] == "exposure"
    assert "Exposure flicker" in err
    assert pipeline.calls[0][3].save_plan == tmp_path / "film.npz"


def test_analyze_writes_a_file_but_never_over_another(call, pipeline, film, tmp_path):
    target = tmp_path / "film.json"
    assert call("analyze", film, "-o", target)[:2] == (0, "")
    assert json.loads(target.read_text(encoding="utf-8"))["schema_version"] == 2
    assert call("analyze", film, "-o", target)[0] == 4


def test_progress_as_json_is_one_object_a_line(call, pipeline, film):
    def report(progress):
        for done in range(200):
            progress(Progress(stage="look", done=done + 1, total=200))

    pipeline.during = report
    _, _, err = call(film, "--progress", "json", "-q")
    lines = [json.loads(line) for line in err.splitlines()]
    lines = [each for each in lines if each["event"] == "progress"]
    assert 2 <= len(lines) <= 4
    assert lines[-1]["frames"] == lines[-1]["total"] == 200


def test_progress_in_a_pipe_is_silent(call, pipeline, film):
    pipeline.during = lambda progress: progress(Progress(stage="look", done=1, total=2))
    assert len(call(film)[2].splitlines()) == 1


def test_a_bar_shows_stage_and_frames(call, pipeline, film):
    pipeline.during = lambda progress: progress(Progress(stage="look", done=1, total=None))
    code, out, err = call(film, "--progress", "bar")
    assert code == 0
    assert out.count("\n") == 1
    assert "film.mp4" in err


def test_the_space_before_a_per_cent_sign_is_a_space() -> None:
    assert printable("67\u00a0% of it\n\x07") == "67\u00a0% of it\n\\x07"
