"""The manual page and completion know every command and option."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete

from unflicker.cli.main import _COMMANDS, program
from unflicker.cli.manual import manual

ROOT = Path(__file__).parent.parent.parent


def test_the_page_is_that_of_this_help():
    page = (ROOT / "docs" / "unflicker.1").read_text(encoding="utf-8")
    assert page == manual(), "run `make man`"


def test_the_page_has_all_commands_and_exit_codes():
    page = manual().replace("\\-", "-")
    for command in _COMMANDS:
        assert f".SS unflicker {command} [OPTIONS]" in page
    for words in ("--keep-slower-than SECONDS", "\\fB7\\fR", "unflicker.toml", "--to FORMAT"):
        assert words in page


@pytest.mark.skipif(shutil.which("groff") is None, reason="needs groff")
def test_a_formatter_has_no_complaint():
    done = subprocess.run(
        ["groff", "-man", "-Tutf8", "-Kutf8", "-ww"],
        input=manual(), capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stderr == ""
    assert "Remove flicker from films" in done.stdout


def completed(*words):
    *before, last = words
    completion = ShellComplete(program, {}, "unflicker", "_UNFLICKER_COMPLETE")
    return [(item.value, item.type) for item in completion.get_completions(list(before), last)]


def test_files_options_and_values_are_completed():
    assert ("fi", "file") in completed("fi")
    assert ("analyze", "plain") in completed("an")
    assert ("fi", "file") in completed("run", "fi")
    assert ("fi", "file") in completed("film.mp4", "fi")
    assert ("fi", "file") in completed("film.mp4", "-o", "fi")
    assert ("--preset", "plain") in completed("film.mp4", "--pre")
    assert ("--preset", "plain") in completed("--pre")
    assert ("standard", "plain") in completed("film.mp4", "--preset", "st")
    assert ("csv", "plain") in completed("export", "x.plan", "--to", "c")


def test_a_shell_gets_them():
    told = {"_UNFLICKER_COMPLETE": "bash_complete", "COMP_WORDS": "unflicker fi", "COMP_CWORD": "1"}
    code = "from unflicker.cli.main import program; program(prog_name='unflicker')"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | told, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "file,fi" in done.stdout.splitlines()


def test_the_image_is_built_from_files_that_are_there():
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    copied = [
        name
        for line in text.splitlines()
        if line.startswith("COPY") and "--from" not in line
        for name in line.split()[1:-1]
    ]
    assert len(copied) >= 6
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    for name in copied:
        assert (ROOT / name).exists()
        assert f"!{name}" in ignored
    assert 'ENTRYPOINT ["unflicker"]' in text
