"""Signals at moments at which an exception would be lost, or would leave a lock locked."""

import os
import random
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))

from mutants import samples

PROGRAM = """
    import contextvars, functools, hashlib, importlib, logging, os, signal, sys, threading, time
    import weakref
    from pathlib import Path

    program = importlib.import_module("unflicker.cli.main")
    from unflicker.compute.threads import check_stopped
    from unflicker.files.parts import begin

    NUMBER, GRACE, PART = int(sys.argv[1]), float(sys.argv[2]), Path(sys.argv[3])
    program.Deadline = functools.partial(program.Deadline, grace_seconds=GRACE)

    def ask():
        os.kill(os.getpid(), NUMBER)

    def hang():
        held = threading.Lock()
        held.acquire()
        try:
            held.acquire()
        finally:
            print("unwound", flush=True)

    {work}

    def main(*_, **__):
        begin(PART)
        PART.write_text("a beginning")
        result = work()
        PART.unlink()
        return result

    program.program.main = main
    program.main([])
"""
SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Ended:
    """A process that has ended."""

    def __init__(self, process: subprocess.Popen[str], began: float) -> None:
        self.out, self.err = process.communicate(timeout=60)
        self.code = process.returncode
        self.seconds = time.monotonic() - began


def started(work: str, *, number: int, grace: float, part: Path) -> subprocess.Popen[str]:
    text = textwrap.dedent(PROGRAM).replace("{work}", textwrap.dedent(work))
    return subprocess.Popen(
        [sys.executable, "-c", text, str(int(number)), str(grace), str(part)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(work: str, *, number: int, grace: float, part: Path) -> Ended:
    began = time.monotonic()
    return Ended(started(work, number=number, grace=grace, part=part), began)


DELETED = """
    class Thing:
        def __del__(self):
            ask()
            sum(range(1000))

    def work():
        thing = Thing()
        del thing
        hang()
"""
FORGOTTEN = """
    class Thing:
        pass

    def work():
        thing = Thing()
        known = weakref.WeakKeyDictionary({thing: 1})
        other = weakref.finalize(thing, ask)
        del thing
        hang()
"""
LOGGED = """
    class Handler(logging.Handler):
        def emit(self, record):
            try:
                ask()
                sum(range(1000))
            except KeyboardInterrupt:
                pass  # as FFmpeg's log does

    def work():
        log = logging.getLogger("a library")
        log.addHandler(Handler())
        log.warning("something")
        hang()
"""
ENTERED = """
    class Door:
        def __init__(self):
            self.lock = threading.Lock()

        def __enter__(self):
            self.lock.acquire()
            ask()
            sum(range(1000))

        def __exit__(self, *_):
            self.lock.release()

    def work():
        door = Door()
        try:
            with door:
                hang()
        finally:
            assert door.lock.acquire(blocking=False)
"""
LOCKED = """
    ASKING = "def released(): saved = real(); kill(getpid(), number); return saved"

    def work():
        condition = threading.Condition()
        names = {"kill": os.kill, "getpid": os.getpid, "number": NUMBER}
        names["real"] = condition._release_save
        exec(compile(ASKING, threading.__file__, "exec"), names)  # between two lines of `wait`
        condition._release_save = names["released"]
        try:
            with condition:
                condition.wait()
        except KeyboardInterrupt:  # and not that a lock is not held
            print("unwound", flush=True)
            raise
"""


@pytest.mark.parametrize("work", [DELETED, FORGOTTEN, LOGGED, ENTERED, LOCKED])
@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_where_its_exception_would_be_lost_or_do_harm_unwinds_the_work(
    work: str, number: int, tmp_path: Path
) -> None:
    made = ended(work, number=number, grace=50.0, part=tmp_path / "part")
    assert (made.code, made.out) == (128 + number, "unwound\n")
    assert "stopped" in made.err
    assert "Traceback" not in made.err
    assert "gnored" not in made.err


SWALLOWED = """
    def work():
        try:
            ask()
            time.sleep(60)
        except KeyboardInterrupt:
            hang()
"""
BUSY = """
    def work():
        threading.Timer(0.2, ask).start()
        # A library's loop, in which no handler can run.
        hashlib.pbkdf2_hmac("sha256", b"", b"", 1_000_000_000)
"""
WAITED_FOR = """
    def work():
        thread = threading.Thread(target=hang)
        thread.start()  # Python waits for it when the program ends
        ask()
        time.sleep(60)
"""
SLOW_TO_UNWIND = """
    def work():
        try:
            ask()
            time.sleep(60)
        finally:
            time.sleep(60)
"""


@pytest.mark.parametrize("work", [SWALLOWED, BUSY, WAITED_FOR, SLOW_TO_UNWIND])
@pytest.mark.parametrize("number", SIGNALS)
def test_a_program_that_does_not_end_is_ended_and_leaves_nothing(
    work: str, number: int, tmp_path: Path
) -> None:
    made = ended(work, number=number, grace=1.0, part=tmp_path / "part")
    assert made.code == 128 + number
    assert "unwound" not in made.out
    assert made.seconds < 40.0
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("number", SIGNALS)
def test_a_second_signal_ends_it_at_once_and_leaves_nothing(number: int, tmp_path: Path) -> None:
    again = SWALLOWED.replace("hang()", "print('swallowed', flush=True); hang()")
    with started(again, number=number, grace=50.0, part=tmp_path / "part") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "swallowed\n"
        process.send_signal(number)  # at the same time: as a terminal and `timeout` send two
        time.sleep(0.6)
        assert process.poll() is None
        process.send_signal(number)
        assert process.wait(timeout=30) == 128 + number
    assert os.listdir(tmp_path) == []


CHANGED = """
    def work():
        try:
            ask()
            time.sleep(60)
        except KeyboardInterrupt:
            raise RuntimeError("cannot release un-acquired lock") from None
"""
TOO_LATE = """
    def work():
        try:
            ask()
            time.sleep(60)
        except KeyboardInterrupt:
            return 0
"""


@pytest.mark.parametrize("work", [CHANGED, TOO_LATE])
def test_whatever_a_library_makes_of_a_signal_the_code_is_its_own(
    work: str, tmp_path: Path
) -> None:
    made = ended(work, number=signal.SIGTERM, grace=50.0, part=tmp_path / "part")
    assert made.code == 143
    assert "internal error" not in made.err


IN_THREADS = """
    def work():
        told = []

        def loop():
            try:
                while True:
                    check_stopped()
                    time.sleep(0.01)
            except Exception as fault:
                told.append(type(fault).__name__)

        thread = threading.Thread(target=contextvars.copy_context().run, args=(loop,))
        thread.start()
        try:
            ask()
            time.sleep(60)
        finally:
            thread.join()
            print(*told, flush=True)
"""


def test_work_of_other_threads_is_told_of_the_signal(tmp_path: Path) -> None:
    made = ended(IN_THREADS, number=signal.SIGINT, grace=50.0, part=tmp_path / "part")
    assert (made.code, made.out) == (130, "Cancelled\n")


FORKED = """
    def work():
        child = os.fork()
        if not child:
            time.sleep(60)
        time.sleep(0.2)
        os.kill(child, NUMBER)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
        time.sleep(2.0)  # longer than the time in which it would be ended
        return 0
"""


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_to_a_forked_process_is_not_for_its_parent(number: int, tmp_path: Path) -> None:
    made = ended(FORKED, number=number, grace=1.0, part=tmp_path / "part")
    assert (made.code, made.out) == (0, f"{-number}\n")


SWEEP = """
    import os, signal, sys

    LAST, NUMBER = int(sys.argv[1]), int(sys.argv[2])
    seen = [0]

    def count(frame, event, _):
        if signal.getsignal(NUMBER) in (signal.SIG_DFL, signal.default_int_handler):
            return
        seen[0] += 1
        if seen[0] == LAST:
            sys.setprofile(None)
            print("sent", flush=True)
            os.kill(os.getpid(), NUMBER)

    from unflicker.cli.main import main

    sys.setprofile(count)
    main(sys.argv[3:])
"""


@pytest.mark.parametrize("seed", range(4))
def test_a_signal_at_any_call_or_return_of_a_run_ends_it(seed: int, tmp_path: Path) -> None:
    """Calls and returns of the main thread are counted; the signal comes at one of them."""
    drawn = random.Random(seed)
    number, moment = drawn.choice(SIGNALS), round(10 ** drawn.uniform(4.0, 6.0))
    (tmp_path / "film.mp4").write_bytes(samples()[0].content)
    command = ("film.mp4", "-o", "steady.mkv", "--preset", "fast", "--jobs", "1")
    made = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(SWEEP), str(moment), str(int(number)), *command],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert made.stdout.startswith("sent")
    assert made.returncode == 128 + number
    assert "Traceback" not in made.stderr
    assert set(os.listdir(tmp_path)) <= {"film.mp4", "steady.mkv"}
