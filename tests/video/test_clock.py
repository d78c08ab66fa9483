"""Clocks: joined recordings, wraps, beginnings below zero, times that repeat or fall."""

from fractions import Fraction

import av
import numpy as np
import pytest
from made_films import lengths, make_film, moving, read, rewrite, seconds
from test_side_streams import add_sound

from unflicker.video.clock import Clock
from unflicker.video.source import open_video
from unflicker.video.timing import Timekeeper

TICK = Fraction(1, 90_000)
FRAME = 3600


def recording(path, *, first=0, frames=40, sound=True, codec="libx264"):
    """A transport stream of 25 frames a second whose clock begins at a tick."""
    options = {"muxpreload": "0", "muxdelay": "0"}
    with av.open(str(path), "w", format="mpegts", options=options) as container:
        stream = container.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        unit = TICK if codec == "libx264" else Fraction(1, 25)
        stream.codec_context.time_base = unit
        play = add_sound(container, length=frames / 25) if sound else None
        for index in range(frames):
            frame = moving("yuv420p", width=64, height=48, index=index)
            frame.pts, frame.time_base = round((first + index * FRAME) * TICK / unit), unit
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if play:
            play()
    return path


def joined(folder, *parts):
    path = folder / "joined.ts"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    return path


def steps(path):
    return np.diff([float(time) for time in seconds(read(path))])


def heard(path):
    """Seconds of sound, by its samples."""
    with av.open(str(path)) as container:
        decoded = container.decode(container.streams.audio[0])
        return sum(frame.samples / frame.sample_rate for frame in decoded)


@pytest.mark.parametrize("ending", ["ts", "mkv", "mp4"])
def test_joined_recordings_follow_each_other_with_their_sound(tmp_path, ending):
    parts = [recording(tmp_path / f"{number}.ts", frames=30 + number) for number in range(3)]
    source, target = joined(tmp_path, *parts), tmp_path / f"out.{ending}"
    film = open_video(source)
    frames = list(film.frames())
    assert len(frames) == 30 + 31 + 32
    assert not any(frame.damaged for frame in frames)
    assert sum("joined recordings" in note and "2 times" in note for note in film.notes) == 1
    rewrite(source, target)
    assert steps(target).min() > 0.038
    assert steps(target).max() < 0.2
    assert heard(target) == pytest.approx(heard(source), abs=0.05)


def test_a_later_clock_is_a_joint_and_a_gap_of_seconds_is_none(tmp_path):
    hour = joined(
        tmp_path,
        recording(tmp_path / "a.ts", sound=False),
        recording(tmp_path / "b.ts", first=3600 * 90_000, sound=False),
    )
    assert steps(hour).max() < 0.1
    pause = joined(
        tmp_path,
        recording(tmp_path / "a.ts", sound=False),
        recording(tmp_path / "b.ts", first=5 * 90_000, sound=False),
    )
    assert steps(pause).max() == pytest.approx(5 - 40 / 25, abs=0.1)


def test_a_part_of_joined_recordings_is_found(tmp_path):
    parts = [recording(tmp_path / f"{number}.ts", sound=False) for number in range(2)]
    whole = read(joined(tmp_path, *parts))
    part = read(tmp_path / "joined.ts", start_seconds=2.0, duration_seconds=0.4)
    assert len(part) == 10
    assert np.array_equal(part[0].picture.planes[0], whole[50].picture.planes[0])
    film = open_video(tmp_path / "joined.ts")
    again = next(iter(film.frames_from(60, whole[60].pts)))
    assert np.array_equal(again.picture.planes[0], whole[60].picture.planes[0])


@pytest.mark.parametrize("ending", ["mkv", "mp4"])
def test_a_clock_below_zero_is_moved_to_it(tmp_path, ending):
    source = make_film(tmp_path / "film.mkv", times=range(-1000, 200, 40))
    assert min(seconds(read(source))) >= 0
    target = tmp_path / f"out.{ending}"
    rewrite(source, target)
    assert len(read(target)) == 30
    assert steps(target) == pytest.approx(0.04)


def test_a_clock_that_wraps_is_entered_at_any_frame(tmp_path):
    source = recording(tmp_path / "wrap.ts", first=(1 << 33) - 20 * FRAME, frames=40, sound=False)
    film = open_video(source)
    frames = list(film.frames())
    assert len(frames) == 40
    for index in (0, 7, 19, 20, 33):
        found = next(iter(film.frames_from(index, frames[index].pts)))
        assert found.pts == frames[index].pts
        assert np.array_equal(found.picture.planes[0], frames[index].picture.planes[0])


def test_a_clock_as_it_should_be_has_no_notes():
    assert Clock().notes == ()
    assert len(Clock(shift=Fraction(3, 2), shifts=(Fraction(7),), places=((100, 90),)).notes) == 2


def decoded(pts):
    frame = av.VideoFrame(16, 16, "gray")
    frame.pts, frame.duration = pts, 40
    return frame, False


def times(*given):
    keeper = Timekeeper(delay=0, usual=40)
    found = [time for time, _ in keeper.timed(map(decoded, given))]
    return found, keeper.notes


def test_times_that_repeat_or_fall_are_spread_up_to_the_next():
    found, notes = times(0, 40, 40, 40, 160)
    assert found == [0, 40, 80, 120, 160]
    assert "2 in all" in notes[0]
    assert times(0, 40, 20, 120)[0] == [0, 40, 80, 120]
    assert times(0, 40, 40)[0] == [0, 40, 80]


def test_a_clock_that_starts_again_goes_on_without_a_gap():
    found, notes = times(*range(0, 800, 40), *range(0, 800, 40))
    assert found == list(range(0, 1600, 40))
    assert "starts again" in notes[0]


def test_frames_without_times_come_in_line():
    found, notes = times(None, None, None)
    assert found == [0, 40, 80]
    assert notes == ()


def test_frames_that_need_pictures_of_before_are_left_out_and_counted(tmp_path):
    source = recording(tmp_path / "whole.ts", frames=80, sound=False, codec="mpeg2video")
    data = source.read_bytes()
    cut = tmp_path / "cut.ts"
    # Tables first, then from the middle of a group of pictures on.
    cut.write_bytes(data[: 188 * 3] + data[(len(data) // 188 // 2) * 188 :])
    film = open_video(cut)
    frames = list(film.frames())
    assert 20 < len(frames) < 45
    assert not frames[1].damaged
    assert not film.incomplete
    assert all(length > 0 for length in lengths(frames))
