"""The end of the process when the program was stopped."""

import os
import subprocess
import sys
import textwrap

import pytest

SLOW_TO_TAKE_APART = """
    import atexit, importlib, os, sys

    program = importlib.import_module("unflicker.cli.main")

    class Library:
        def __del__(self):
            os.write(1, b"taken apart ")

    def work(_, **__):
        global library
        library = Library()
        library.itself = library  # a cycle, which only the teardown breaks
        atexit.register(lambda: os.write(1, b"tidied "))
        print("said", end=" ")
        print("complained", end=" ", file=sys.stderr)
        return {code}

    program.exit_code = work
    program.main([])
"""


def started(code: int) -> subprocess.Popen[str]:
    program = textwrap.dedent(SLOW_TO_TAKE_APART.format(code=code))
    # Output that waits in a buffer must not be lost.
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    return subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=buffered,
    )


def ended(code: int) -> tuple[int, str, str]:
    with started(code) as process:
        out, err = process.communicate(timeout=60)
    return process.returncode, out, err


@pytest.mark.parametrize("code", [130, 143])
def test_who_stops_the_program_does_not_wait_until_libraries_are_taken_apart(code: int) -> None:
    assert ended(code) == (code, "tidied said ", "complained ")


@pytest.mark.parametrize("code", [0, 1, 7])
def test_otherwise_it_ends_as_python_does(code: int) -> None:
    returned, out, err = ended(code)
    assert (returned, err) == (code, "complained ")
    assert set(out.split()) == {"said", "tidied", "taken", "apart"}


def test_output_that_nobody_reads_does_not_change_the_code() -> None:
    with started(130) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        process.stderr.close()
        assert process.wait(timeout=60) == 130


STOPPED_WHILE_LOADING = """
    import os, signal, sys

    class Finder:
        def find_spec(self, name, *_):
            if name == "unflicker.cli":
                os.kill(os.getpid(), signal.SIGINT)

    sys.meta_path.insert(0, Finder())
    from unflicker.__main__ import main

    main()
"""


def test_ctrl_c_while_the_program_is_loaded_ends_it_without_a_word() -> None:
    made = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(STOPPED_WHILE_LOADING)],
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (made.returncode, made.stdout, made.stderr) == (-2, b"", b"")


def test_closed_standard_streams_do_not_become_files(tmp_path) -> None:
    """Each is closed before the program starts; the next file would get its number."""
    program = "from unflicker.cli import main; main()"
    made = subprocess.run(
        ["sh", "-c", 'exec "$0" "$@" <&- >&- 2>&-', sys.executable, "-c", program, "presets"],
        cwd=tmp_path,
        check=False,
        timeout=60,
    )
    assert made.returncode == 0
    assert not os.listdir(tmp_path)


KEEPS_BLOCKS = """
    import resource
    import numpy as np
    from unflicker.cli.process import give_back_large_blocks, keep_blocks_of_repair

    give_back_large_blocks()
    if {keeps}:
        keep_blocks_of_repair()
    for _ in range(3):  # what is fetched first may be kept
        np.ones(500_000, np.float32)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(50):
        np.ones(500_000, np.float32)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="of glibc")
@pytest.mark.parametrize("keeps", [True, False])
def test_planes_of_a_repair_are_fetched_again_unless_they_are_kept(keeps):
    program = textwrap.dedent(KEEPS_BLOCKS.format(keeps=keeps))
    faults = int(subprocess.check_output([sys.executable, "-c", program], text=True))
    assert (faults < 500) == keeps
