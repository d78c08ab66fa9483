"""The manual page and completion know every command and option."""

import os
import re
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path

import click
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


def options_of(command, path="unflicker"):
    """All options of a command and of those that it has, with the command's name."""
    for parameter in command.params:
        for name in (*parameter.opts, *parameter.secondary_opts):
            if name.startswith("-"):
                yield path, name
    if hasattr(command, "list_commands"):
        ctx = click.Context(command)
        for name in command.list_commands(ctx):
            yield from options_of(command.get_command(ctx, name), f"{path} {name}")


def test_every_option_is_on_the_page_below_its_command():
    page = manual().replace("\\-", "-")
    parts = {part.split(" [")[0]: part for part in page.split(".SS ")}
    parts["unflicker"] = page.split(".SH COMMANDS")[0]
    seen = 0
    for command, option in options_of(program):
        assert re.search(rf"(^\\fB|[ ,/]){re.escape(option)}\b", parts[command], re.MULTILINE)
        seen += 1
    assert seen > 150


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


def told_by_program(environment: dict[str, str]) -> list[str]:
    """The lines that a shell's script gets when it asks for completions."""
    code = "from unflicker.cli.main import program; program(prog_name='unflicker')"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.stdout.splitlines()


def test_a_shell_gets_them():
    told = {"_UNFLICKER_COMPLETE": "bash_complete", "COMP_WORDS": "unflicker fi", "COMP_CWORD": "1"}
    assert "file,fi" in told_by_program(told)


SHELLS = {
    "bash": (
        ("bash", "--norc", "--noprofile", "-i"),
        'eval "$(_UNFLICKER_COMPLETE=bash_source unflicker)"',
    ),
    "zsh": (
        ("zsh", "-f", "-i"),
        'autoload -U compinit; compinit -u -D; eval "$(_UNFLICKER_COMPLETE=zsh_source unflicker)"',
    ),
    "fish": (
        ("fish", "--no-config", "-i"),
        "_UNFLICKER_COMPLETE=fish_source unflicker | source",
    ),
}


def test_fish_gets_whole_explanations():
    told = {"_UNFLICKER_COMPLETE": "fish_complete", "COMP_WORDS": "unflicker ", "COMP_CWORD": "an"}
    (line,) = (line for line in told_by_program(told) if "analyze" in line)
    assert line.count(",") == 1
    assert ";" in line


class Terminal:
    """An interactive shell, in a folder, that knows the program and its completion."""

    def __init__(self, folder: Path, shell: str) -> None:
        import fcntl
        import pty
        import termios

        program = folder / "bin" / "unflicker"
        program.parent.mkdir()
        code = "from unflicker.cli.main import program; program(prog_name='unflicker')"
        program.write_text(f'#!/bin/sh\nexec {sys.executable} -c "{code}" "$@"\n')
        program.chmod(0o755)
        path = f"{program.parent}:{os.environ['PATH']}"
        ours, theirs = pty.openpty()
        called, source = SHELLS[shell]
        self.shell = subprocess.Popen(
            called,
            # Its controlling terminal, which fish asks for.
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
            stdin=theirs, stdout=theirs, stderr=theirs, cwd=folder, start_new_session=True,
            env=os.environ | {
                "PATH": path, "PS1": "$ ", "TERM": "dumb", "HISTFILE": "/dev/null",
                "HOME": str(folder / "bin"),
            },
        )  # fmt: skip
        os.close(theirs)
        self.ours = ours
        self.types(f'{source}; echo rea""dy\r', "ready")

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
        self.shell.kill()
        self.shell.wait()


@pytest.mark.skipif(sys.platform == "win32", reason="needs a terminal")
@pytest.mark.parametrize("shell", SHELLS)
def test_the_tabulator_key_completes_in_a_real_shell(tmp_path, shell):
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    (tmp_path / "film of mine.mp4").touch()
    terminal = Terminal(tmp_path, shell)
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
    lines = text.splitlines()
    users = [at for at, line in enumerate(lines) if line.startswith("USER ")]
    assert [lines[at] for at in users] == ["USER films"]
    assert not any(line.startswith(("RUN", "COPY")) for line in lines[users[0] :])
    assert lines.index("WORKDIR /films") > users[0]
    assert '-v "$PWD:/films"' in text
