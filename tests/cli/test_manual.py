"""The manual page and completion know every command and option."""

import os
import select
import shutil
import subprocess
import sys
import time
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


class Terminal:
    """An interactive bash, in a folder, that knows the program and its completion."""

    def __init__(self, folder: Path) -> None:
        import pty

        program = folder / "bin" / "unflicker"
        program.parent.mkdir()
        code = "from unflicker.cli.main import program; program(prog_name='unflicker')"
        program.write_text(f'#!/bin/sh\nexec {sys.executable} -c "{code}" "$@"\n')
        program.chmod(0o755)
        path = f"{program.parent}:{os.environ['PATH']}"
        ours, theirs = pty.openpty()
        self.bash = subprocess.Popen(
            ["bash", "--norc", "--noprofile", "-i"],
            stdin=theirs, stdout=theirs, stderr=theirs, cwd=folder, start_new_session=True,
            env=os.environ | {"PATH": path, "PS1": "$ ", "TERM": "dumb", "HISTFILE": "/dev/null"},
        )  # fmt: skip
        os.close(theirs)
        self.ours = ours
        self.types('eval "$(_UNFLICKER_COMPLETE=bash_source unflicker)"; echo rea""dy\n', "ready")

    def types(self, keys: str, until: str) -> None:
        """Type keys, and wait for words on the screen."""
        os.write(self.ours, keys.encode())
        shown, end = "", time.monotonic() + 60
        while until not in shown:
            assert time.monotonic() < end, shown
            if select.select([self.ours], [], [], 1)[0]:
                shown += os.read(self.ours, 1 << 16).decode()

    def ends(self) -> None:
        os.close(self.ours)
        self.bash.kill()
        self.bash.wait()


@pytest.mark.skipif(
    sys.platform == "win32" or shutil.which("bash") is None, reason="needs bash and a terminal"
)
def test_the_tabulator_key_completes_in_a_real_bash(tmp_path):
    (tmp_path / "film of mine.mp4").touch()
    terminal = Terminal(tmp_path)
    clear = "\x15"  # Ctrl-U
    try:
        terminal.types("unflicker ana\t", "unflicker analyze ")
        terminal.types(f"{clear}unflicker fil\t", "film\\ of\\ mine.mp4")
        terminal.types(f"{clear}unflicker run --pres\t", "unflicker run --preset ")
        terminal.types(f"{clear}unflicker film.mp4 --preset stan\t", "--preset standard ")
        terminal.types(f"{clear}unflicker film.mp4 -o fil\t", "-o film\\ of\\ mine.mp4")
    finally:
        terminal.ends()


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
