"""Bands cover all rows once, use the threads that are allowed, and survive faults and forks."""

import os
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from unflicker.compute.bands import in_bands
from unflicker.compute.threads import limited_to

LARGE = 1 << 22


@pytest.mark.parametrize("threads", [1, 2, 3, 16])
@pytest.mark.parametrize("rows", [1, 2, 7, 1080])
def test_each_row_is_worked_on_once(threads, rows):
    done = np.zeros(rows, int)

    def work(start, stop):
        done[start:stop] += 1

    with limited_to(threads):
        in_bands(work, rows=rows, pixels=LARGE)
    assert (done == 1).all()


def threads_of(*, limit, pixels):
    seen, together = set(), threading.Barrier(limit)

    def work(start, stop):
        if len(seen) < limit and threading.get_ident() not in seen:
            seen.add(threading.get_ident())
            if pixels == LARGE:
                together.wait(timeout=30)

    with limited_to(limit):
        in_bands(work, rows=1000, pixels=pixels)
    return len(seen)


def test_as_many_threads_work_as_may_and_one_on_a_small_picture():
    cores = os.cpu_count() or 1
    assert threads_of(limit=min(2, cores), pixels=LARGE) == min(2, cores)
    assert threads_of(limit=4, pixels=1000) == 1


@pytest.mark.parametrize("at", ["here", "there"])
def test_a_fault_in_any_thread_is_raised(at):
    me = threading.get_ident()
    begun = threading.Event()

    def work(start, stop):
        mine = threading.get_ident() == me
        if not mine:
            begun.set()
        elif at == "there":
            begun.wait(timeout=30)
        if mine == (at == "here"):
            raise ValueError("broken")

    with limited_to(2), pytest.raises(ValueError, match="broken"):
        in_bands(work, rows=1000, pixels=LARGE)


def test_nobody_writes_any_more_after_a_fault():
    me, begun, written = threading.get_ident(), threading.Event(), []

    def work(start, stop):
        if threading.get_ident() == me:
            assert begun.wait(timeout=30)
            raise ValueError("broken")
        begun.set()
        time.sleep(0.2)
        written.append(start)

    with limited_to(2), pytest.raises(ValueError, match="broken"):
        in_bands(work, rows=1000, pixels=LARGE)
    before = len(written)
    assert before > 0
    time.sleep(0.3)
    assert len(written) == before


FORKED = """
import os, sys
import numpy as np
from unflicker.compute.bands import in_bands
from unflicker.compute.threads import limited_to

def filled():
    rows = np.zeros(1000)
    def work(start, stop):
        rows[start:stop] += 1
    with limited_to(2):
        in_bands(work, rows=1000, pixels=1 << 22)
    return rows.min() == rows.max() == 1

assert filled()
child = os.fork()
if child == 0:
    os._exit(0 if filled() else 5)
code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
sys.exit(code if filled() else 6)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_bands_work_after_a_fork():
    made = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FORKED],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert (made.returncode, made.stderr) == (0, "")
