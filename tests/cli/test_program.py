"""How the program is called and how it ends."""

import os
import signal
import subprocess
import sys

import pytest

from unflicker.cli.main import _COMMANDS
from unflicker.errors import (
    Cancelled,
    DeviceMemoryError,
    InputError,
    MissingError,
    OutputError,
    PartlyFailedError,
    UnflickerError,
    UsageError,
)
from unflicker.progress import Progress
from unflicker.settings import preset_of


def test_help_answers_at_once_and_loads_nothing_heavy():
    code = (
        "import sys; from unflicker.cli.main import exit_code; exit_code(['--help']);"
        "print([m for m in sys.modules if m in ('numpy','cv2','av','numba','matplotlib','rich')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("[]\n")


@pytest.mark.parametrize("command", _COMMANDS)
def test_every_help_fits_a_screen_and_ends_with_an_example(command, call, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    code, out, _ = call(command, "--help")
    assert code == 0
    assert len(out.splitlines()) <= 66
    assert "Example:" in out


def test_a_film_alone_is_run(call, pipeline, film):
    code, out, err = call(film)
    assert code == 0
    assert out == f"{film.parent / 'film_unflickered.mp4'}\n"
    assert "3.00 -> 0.30" in err


def test_options_may_stand_before_the_film(call, pipeline, film):
    assert call("--strength", "0.5", film)[0] == 0
    assert pipeline.calls[0][2].strength == 0.5


def test_a_misspelt_command_is_not_taken_for_a_film(call):
    code, _, err = call("analyse", "film.mp4")
    assert code == 2
    assert "did you mean analyze?" in err


def test_a_film_named_nearly_like_a_command_is_a_film(call, pipeline, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "analyse").write_text("a film")
    assert call("analyse")[0] == 0


@pytest.mark.parametrize("option", ["--strenth", "--strength=2", "--device=tpu", "--start=soon"])
def test_what_cannot_be_understood_is_refused_with_code_2(call, option, film):
    code, _, err = call(film, option)
    assert code == 2
    assert err


ERRORS = [
    (UnflickerError, 1), (UsageError, 2), (InputError, 3), (OutputError, 4), (MissingError, 5),
    (DeviceMemoryError, 6), (PartlyFailedError, 7), (Cancelled, 130), (KeyboardInterrupt, 130),
    (ZeroDivisionError, 1),
]  # fmt: skip


@pytest.mark.parametrize(("error", "expected"), ERRORS)
def test_every_end_has_its_code(call, pipeline, film, error, expected):
    def fail(_):
        raise error("what is wrong")

    pipeline.during = fail
    code, out, err = call(film)
    assert code == expected
    assert out == ""
    assert err.lstrip().startswith("unflicker: ")
    assert "Traceback" not in err


def test_a_full_disk_is_the_outputs_fault(call, pipeline, film):
    def fail(_):
        raise OSError(28, "No space left on device", "film_unflickered.mp4")

    pipeline.during = fail
    code, _, err = call(film)
    assert code == 4
    assert "film_unflickered.mp4" in err


@pytest.mark.parametrize(("number", "expected"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_unwinds_the_work_and_gives_its_code(call, pipeline, film, number, expected):
    unwound = []

    def interrupted(_):
        try:
            os.kill(os.getpid(), number)
            time.sleep(5)
        finally:
            unwound.append(True)

    pipeline.during = interrupted
    code, _, err = call(film)
    assert code == expected
    assert unwound
    assert "stopped" in err


def test_a_signal_that_a_library_swallows_stops_the_work_at_the_next_report(call, pipeline, film):
    def swallowing(progress):
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(5)
        except KeyboardInterrupt:
            progress(Progress(stage="look", done=1, total=2))

    pipeline.during = swallowing
    assert call(film)[0] == 143


def test_signals_are_handled_as_before_when_the_program_is_done(call):
    before = signal.getsignal(signal.SIGTERM)
    call("presets")
    assert signal.getsignal(signal.SIGTERM) is before


def test_version_presets_and_devices_answer_on_stdout(call):
    assert call("--version")[1].startswith("unflicker ")
    assert "keep_slower_than_seconds" in call("presets")[1]
    assert call("devices")[1].startswith("cpu")


def test_every_preset_that_is_listed_is_there(call, pipeline, film):
    listed = [line.split()[0] for line in call("presets")[1].splitlines()[:4]]
    for preset in listed:
        call(film, "--preset", preset, "--overwrite")
    assert [preset_of(settings) for _, _, settings, _ in pipeline.calls] == listed


def test_without_a_preset_the_usual_one_is_taken(call, pipeline, film, monkeypatch):
    for preset in ("standard", "best"):
        monkeypatch.setenv("UNFLICKER_PRESET", preset)
        call(film, "--overwrite")
    assert [preset_of(settings) for _, _, settings, _ in pipeline.calls] == ["standard", "best"]
    monkeypatch.setenv("UNFLICKER_PRESET", "slow")
    code, _, err = call(film, "--overwrite")
    assert code == 2
    assert "UNFLICKER_PRESET is slow" in err


def test_the_default_needs_no_torch(call, pipeline, film, monkeypatch):
    monkeypatch.delenv("UNFLICKER_PRESET")
    monkeypatch.setattr("unflicker.compute.weights.find_spec", lambda _: None)
    assert call(film, "--overwrite")[0] == 0
    assert [preset_of(settings) for _, _, settings, _ in pipeline.calls] == ["standard"]


def test_a_log_file_holds_what_was_said(call, pipeline, film, tmp_path):
    log = tmp_path / "logs" / "run.log"
    _, _, err = call(film, "--log-file", log, "-q")
    assert err == ""
    assert "3.00 -> 0.30" in log.read_text(encoding="utf-8")


@pytest.mark.parametrize("option", ["-V", "--version"])
def test_the_version_is_told(call, option):
    code, out, _ = call(option)
    assert code == 0
    assert out.startswith("unflicker 0.")


def test_pictures_get_their_rate_their_order_and_a_pattern_of_names(call, pipeline, film, tmp_path):
    out = tmp_path / "out" / "%04d.png"
    assert call(film, "--fps", "12.5", "--order", "time", "-o", out)[0] == 0
    _, target, _, options = pipeline.calls[0]
    assert target == out
    assert (options.stills.rate, options.stills.order) == (12.5, "time")
    assert call("-", "--fps", "12", "-o", "-")[0] == 2
