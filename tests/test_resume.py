"""A run that was stopped or killed goes on where it was, and ends with the same bytes."""

import os
import pickle
import shutil
import signal
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from made_films import read

import unflicker
from made_clips import panning
from unflicker import RunOptions, rendering
from unflicker.analysis import findings
from unflicker.errors import Cancelled, OutputError
from unflicker.files import stored
from unflicker.files.workspace import Workspace, workspace_of
from unflicker.frames.clip import Clip
from unflicker.frames.colour import to_rgb
from unflicker.progress import Progress
from unflicker.settings import EncodingSettings, Settings
from unflicker.synthesis import synthesise
from unflicker.video import ArraySource, open_writer, segments

SEGMENT = 16
CUT_BY = (segments, rendering.segments, rendering.side_by_side)
"""Modules that know how long a segment is."""
SETTINGS = {
    "fast": Settings.from_preset("fast", window__frames=24),
    "standard": Settings.from_preset("standard", window__frames=24),
}


def shorten_segments(patch: pytest.MonkeyPatch) -> None:
    for module in CUT_BY:
        patch.setattr(module, "SEGMENT_FRAMES", SEGMENT)


@pytest.fixture(autouse=True)
def short_segments(monkeypatch):
    shorten_segments(monkeypatch)


@pytest.fixture(scope="module")
def clip() -> Clip:
    """Flicker of light and of texture."""
    noise = np.random.default_rng(3).normal(0.0, 6.0, (70, 54, 96, 1))
    steady = panning(time=70, size=(54, 96)).pixels
    rough = np.clip(
        steady + cv2.blur(noise[..., 0].transpose(1, 2, 0), (3, 3)).transpose(2, 0, 1)[..., None],
        0,
        255,
    )
    return synthesise(Clip.at_rate(rough.astype(np.uint8), fps=24.0), kind="gamma", seed=2).clip


def write(path: Path, clip: Clip) -> Path:
    film = ArraySource(clip)
    with open_writer(film, path, encoding=EncodingSettings(codec="ffv1", pix_fmt="bgr0")) as writer:
        for frame in film.frames():
            writer.write(frame)
    return path


@pytest.fixture(scope="module")
def film(tmp_path_factory, clip) -> Path:
    return write(tmp_path_factory.mktemp("film") / "film.mkv", clip)


@pytest.fixture(scope="module")
def whole(tmp_path_factory, film) -> bytes:
    """The result of a run by `fast` that was not stopped."""
    target = tmp_path_factory.mktemp("whole") / "whole.mkv"
    with pytest.MonkeyPatch.context() as patch:
        shorten_segments(patch)
        unflicker.run(film, target, settings=SETTINGS["fast"])
    return target.read_bytes()


def stopping_after(frames: int):
    """A progress report that stops the run when so many frames are rendered."""

    def report(progress: Progress) -> None:
        if progress.stage == "render" and progress.done >= frames:
            raise Cancelled("stopped")

    return report


def hidden(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir() if entry.name.startswith("."))


def work_of(target: Path) -> Path:
    return workspace_of(target, beside=None)


@pytest.mark.parametrize(("preset", "ending"), [("fast", "mp4"), ("standard", "mkv")])
def test_a_stopped_run_goes_on_and_ends_with_the_same_bytes(film, tmp_path, preset, ending) -> None:
    settings = replace(
        SETTINGS[preset], encoding=EncodingSettings(codec="libx264", pix_fmt="yuv420p")
    )
    whole, target = tmp_path / f"whole.{ending}", tmp_path / f"out.{ending}"
    record = unflicker.run(film, whole, settings=settings)
    for frames in (SEGMENT + 3, 3 * SEGMENT + 1):
        with pytest.raises(Cancelled) as stopped:
            unflicker.run(film, target, settings=settings, progress=stopping_after(frames))
        assert not target.exists()
        assert hidden(tmp_path) == [work_of(target).name]
        assert str(work_of(target)) in stopped.value.__notes__[0]
    again = unflicker.run(film, target, settings=settings)
    assert target.read_bytes() == whole.read_bytes()
    assert hidden(tmp_path) == []
    assert "continued" in again.notes[0]
    for name in ("seconds", "mean_after", "correction_stops"):
        np.testing.assert_array_equal(getattr(again, name), getattr(record, name))
    assert again.visible_flicker_after == record.visible_flicker_after
    assert [still.index for still in again.stills] == [still.index for still in record.stills]


def test_what_is_finished_is_not_made_again(film, tmp_path, monkeypatch) -> None:
    target, done = tmp_path / "out.mkv", []

    def counted(window, settings, **more):
        finding = looked(window, settings, **more)
        done.append(window.start)
        return finding

    looked = findings.analyse_window
    monkeypatch.setattr(findings, "analyse_window", counted)
    with pytest.raises(Cancelled):
        unflicker.run(film, target, settings=SETTINGS["fast"], progress=stopping_after(2 * SEGMENT))
    first = list(done)
    seen = []
    unflicker.run(film, target, settings=SETTINGS["fast"], progress=seen.append)
    assert first
    assert not set(done[len(first) :]) & set(first)
    rendered = [progress.done for progress in seen if progress.stage == "render"]
    assert rendered[0] == SEGMENT  # a whole segment at once


def test_before_the_first_segment_nothing_is_kept(film, tmp_path) -> None:
    with pytest.raises(Cancelled):
        unflicker.run(
            film, tmp_path / "out.mkv", settings=SETTINGS["fast"], progress=stopping_after(3)
        )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"strength": 0.5}, "settings"),
        ({"keep_slower_than_seconds": 1.0}, "settings"),
        ({"encoding": EncodingSettings(codec="libx264", crf=30.0)}, "encoding"),
    ],
)
def test_other_settings_start_anew_and_say_so(film, tmp_path, change, told: str) -> None:
    target, settings = tmp_path / "out.mkv", SETTINGS["fast"]
    with pytest.raises(Cancelled):
        unflicker.run(film, target, settings=settings, progress=stopping_after(40))
    other = replace(settings, **change)
    record = unflicker.run(film, target, settings=other)
    assert "started over" in record.notes[0]
    assert told in record.notes[0]
    unflicker.run(film, tmp_path / "whole.mkv", settings=other)
    assert target.read_bytes() == (tmp_path / "whole.mkv").read_bytes()


def test_another_film_of_the_same_name_starts_anew(clip, tmp_path) -> None:
    source, target = tmp_path / "film.mkv", tmp_path / "out.mkv"
    write(source, clip)
    with pytest.raises(Cancelled):
        unflicker.run(source, target, settings=SETTINGS["fast"], progress=stopping_after(40))
    write_over = tmp_path / "other.mkv"
    write(write_over, Clip(pixels=clip.pixels[::-1].copy(), seconds=clip.seconds))
    write_over.replace(source)
    record = unflicker.run(source, target, settings=SETTINGS["fast"])
    assert "other input" in record.notes[0]
    assert len(read(target)) == len(clip)


def test_a_moved_film_goes_on(film, tmp_path) -> None:
    (tmp_path / "a").mkdir()
    shutil.copy(film, tmp_path / "a" / "film.mkv")
    target = tmp_path / "a" / "out.mkv"
    with pytest.raises(Cancelled):
        unflicker.run(
            tmp_path / "a" / "film.mkv",
            target,
            settings=SETTINGS["fast"],
            progress=stopping_after(40),
        )
    (tmp_path / "a").rename(tmp_path / "b")
    record = unflicker.run(
        tmp_path / "b" / "film.mkv", tmp_path / "b" / "out.mkv", settings=SETTINGS["fast"]
    )
    assert "continued" in record.notes[0]


@pytest.mark.parametrize("part", ["windows", "segments"])
def test_a_damaged_part_is_made_again(film, whole, tmp_path, part: str) -> None:
    target, settings = tmp_path / "out.mkv", SETTINGS["fast"]
    with pytest.raises(Cancelled):
        unflicker.run(film, target, settings=settings, progress=stopping_after(40))
    damaged = sorted(
        (work_of(target) / part).glob("*.finding" if part == "windows" else "*.measured")
    )
    damaged[0].write_bytes(damaged[0].read_bytes()[:-7])
    unflicker.run(film, target, settings=settings)
    assert target.read_bytes() == whole


def test_a_part_that_names_a_function_is_not_read(tmp_path) -> None:
    """A pickle may call anything; ours may not."""

    class Evil:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "harm"),)

    (tmp_path / "part").write_bytes(stored.to_bytes(Evil()))
    assert stored.load(tmp_path / "part") is None
    with pytest.raises(pickle.UnpicklingError):
        stored.from_bytes((tmp_path / "part").read_bytes())
    assert not (tmp_path / "harm").exists()


def test_the_workspace_may_lie_elsewhere_and_be_kept(film, tmp_path) -> None:
    for folder in ("work", "results"):
        (tmp_path / folder).mkdir()
    target, options = (
        tmp_path / "results" / "out.mkv",
        RunOptions(work_dir=tmp_path / "work", keep_work=True),
    )
    unflicker.run(film, target, settings=SETTINGS["fast"], options=options)
    assert [entry.name for entry in target.parent.iterdir()] == ["out.mkv"]
    assert len(hidden(tmp_path / "work")) == 1
    again = unflicker.run(
        film,
        target,
        settings=SETTINGS["fast"],
        options=replace(options, overwrite=True, keep_work=False),
    )
    assert "continued" in again.notes[0]
    assert hidden(tmp_path / "work") == []


def test_two_runs_do_not_share_a_workspace(film, tmp_path) -> None:
    target = tmp_path / "out.mkv"
    with Workspace(work_of(target), {}):
        with pytest.raises(OutputError, match=f"another run .process {os.getpid()}"):
            unflicker.run(film, target, settings=SETTINGS["fast"])
        assert work_of(target).is_dir()
    assert not target.exists()


def test_the_workspace_of_a_killed_run_is_not_taken_for_a_running_ones(film, tmp_path) -> None:
    """Its process may have ended, and its number be another's by now."""
    target = tmp_path / "out.mkv"
    work_of(target).mkdir()
    (work_of(target) / "lock").write_text(f"{os.getppid()}\n")
    unflicker.run(film, target, settings=SETTINGS["fast"])
    assert hidden(tmp_path) == []


def test_pictures_in_a_folder_go_on_too(clip, tmp_path) -> None:
    source, target = tmp_path / "pictures", tmp_path / "out"
    source.mkdir()
    for index, pixels in enumerate(clip.pixels[:40]):
        cv2.imwrite(str(source / f"{index}.png"), pixels)
    with pytest.raises(Cancelled):
        unflicker.run(source, target, settings=SETTINGS["fast"], progress=stopping_after(20))
    parts = work_of(target) / "segments"
    (parts / f"{SEGMENT:09d}.packets.part").mkdir()  # as a killed run leaves it
    (parts / f"{SEGMENT:09d}.packets.part" / "16.png").touch()
    (parts / f"{0:09d}.measured").write_bytes(b"torn")
    (parts / f"{2 * SEGMENT:09d}.measured").touch()
    assert "continued" in unflicker.run(source, target, settings=SETTINGS["fast"]).notes[0]
    unflicker.run(source, tmp_path / "whole", settings=SETTINGS["fast"])
    names = sorted(file.name for file in target.iterdir())
    assert names == sorted(file.name for file in source.iterdir())
    for name in names:
        assert (target / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_where_segments_end_cannot_be_seen(film, tmp_path, monkeypatch) -> None:
    """The refinement sees the neighbours of a border as if there was none.

    But for detail that is restored: what it remembers fades to 0.07 of its weight in the burn-in.
    """
    lossless = replace(SETTINGS["standard"], encoding=EncodingSettings(codec="ffv1"))
    record = unflicker.run(film, tmp_path / "parts.mkv", settings=lossless)
    assert any(shot.calmed for shot in record.shots)
    for module in CUT_BY:
        monkeypatch.setattr(module, "SEGMENT_FRAMES", 1000)
    unflicker.run(film, tmp_path / "whole.mkv", settings=lossless)
    parts, whole = (
        np.stack([to_rgb(frame.picture) for frame in read(tmp_path / f"{name}.mkv")]) * 255.0
        for name in ("parts", "whole")
    )
    apart = np.abs(parts - whole)
    assert apart.max() < 1.5
    assert (apart > 0.5).mean() < 0.01


PROGRAM = """
    import sys
    import time
    import unflicker
    from unflicker.settings import Settings
    import unflicker.rendering.segments, unflicker.video.segments
    for module in (unflicker.rendering.segments, unflicker.video.segments):
        module.SEGMENT_FRAMES = 16
    def report(progress):
        if progress.stage == "render":
            print(progress.done, flush=True)
            while progress.done >= 2 * 16 + 5:  # no further, however late the signal comes
                time.sleep(60)
    settings = Settings.from_preset("fast", window__frames=24)
    unflicker.run(sys.argv[1], sys.argv[2], settings=settings, progress=report)
"""


def test_kill_9_and_the_same_command_again(film, whole, tmp_path) -> None:
    target = tmp_path / "out.mkv"
    command = [sys.executable, "-c", textwrap.dedent(PROGRAM), str(film), str(target)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        while int(process.stdout.readline()) < 2 * SEGMENT + 5:
            pass
        os.kill(process.pid, signal.SIGKILL)
    assert not target.exists()
    record = unflicker.run(film, target, settings=SETTINGS["fast"])
    assert "2 segments are finished" in record.notes[0]
    assert hidden(tmp_path) == []
    assert target.read_bytes() == whole


@pytest.mark.parametrize("preset", ["fast", "standard"])
def test_several_processes_make_the_same_file(film, tmp_path, preset: str) -> None:
    settings = SETTINGS[preset]
    options = RunOptions(jobs=2, save_plan=tmp_path / "film.plan")
    record = unflicker.run(film, tmp_path / "two.mkv", settings=settings, options=options)
    alone = unflicker.run(film, tmp_path / "one.mkv", settings=settings, options=RunOptions(jobs=1))
    assert (tmp_path / "two.mkv").read_bytes() == (tmp_path / "one.mkv").read_bytes()
    assert record.visible_flicker_after == alone.visible_flicker_after
    planned = RunOptions(jobs=2, plan=tmp_path / "film.plan")
    unflicker.run(film, tmp_path / "three.mkv", settings=settings, options=planned)
    assert (tmp_path / "three.mkv").read_bytes() == (tmp_path / "one.mkv").read_bytes()
