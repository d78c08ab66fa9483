"""A process that writes AV1 is scheduled as it was before."""

import os
import sys

import av
import numpy as np
import pytest

from unflicker.compute.scheduling import scheduling_kept
from unflicker.pipeline import run
from unflicker.video.encoder_options import _refuse_parameters

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0, reason="only root is made real-time, on Linux"
)


def policies() -> set[int]:
    """Of all threads of this process."""
    return {os.sched_getscheduler(int(name)) for name in os.listdir("/proc/self/task")}


@pytest.fixture
def film(tmp_path):
    place = tmp_path / "film.mkv"
    with av.open(str(place), "w") as result:
        stream = result.add_stream("libx264", rate=25)
        stream.width = stream.height = 64
        for level in range(4):
            picture = np.full((64, 64, 3), 100 + level, np.uint8)
            result.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        result.mux(stream.encode(None))
    return place


@pytest.mark.parametrize("suffix", ["mkv", "webm", "mp4"])
def test_av1_is_written_without_a_thread_that_is_real_time(film, tmp_path, suffix):
    from unflicker.settings import Settings, replaced

    settings = replaced(Settings.from_preset("fast"), {"encoding.codec": "libsvtav1"})
    run(film, tmp_path / f"out.{suffix}", settings=settings)
    assert policies() == {os.SCHED_OTHER}


def test_parameters_are_tried_without_that_too():
    _refuse_parameters("libsvtav1", "svtav1-params", "tune=0")
    assert policies() == {os.SCHED_OTHER}


def test_the_library_would_do_it():
    with scheduling_kept():
        context = av.CodecContext.create("libsvtav1", "w")
        context.width = context.height = 64
        context.pix_fmt, context.framerate = "yuv420p", 25
        context.open()
        assert os.SCHED_FIFO in policies()
    assert policies() == {os.SCHED_OTHER}


def test_who_is_real_time_by_choice_stays_so():
    os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    try:
        with scheduling_kept():
            pass
        assert os.sched_getscheduler(0) == os.SCHED_RR
    finally:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
