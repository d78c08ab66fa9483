"""What every source of frames must keep to, whatever stands behind it."""

import io
from collections.abc import Callable
from fractions import Fraction
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pytest

from made_clips import panning
from unflicker.frames.picture import same_samples
from unflicker.report.compare import ComparedSource
from unflicker.settings import EncodingSettings
from unflicker.video import (
    ArraySource,
    StreamSource,
    VideoSource,
    WithOriginal,
    open_video,
    open_writer,
)
from unflicker.video.pipe import PipeSource

FRAMES, SIZE, FPS = 7, (36, 64), 24
CLIP = panning(time=FRAMES, size=SIZE)
Make = Callable[[Path], VideoSource]


def from_array(_: Path) -> VideoSource:
    return ArraySource(CLIP)


def from_file(folder: Path, *, name: str = "film.mkv") -> VideoSource:
    encoding = EncodingSettings(codec="ffv1", pix_fmt="bgr0")
    film = ArraySource(CLIP)
    with open_writer(film, folder / name, encoding=encoding) as writer:
        for frame in film.frames():
            writer.write(frame)
    return open_video(folder / name)


def from_a_part_of_a_file(folder: Path) -> VideoSource:
    path = folder / "long.mkv"
    encoding = EncodingSettings(codec="ffv1", pix_fmt="bgr0")
    film = ArraySource(panning(time=3 * FRAMES, size=SIZE))
    with open_writer(film, path, encoding=encoding) as writer:
        for frame in film.frames():
            writer.write(frame)
    return open_video(path, start_seconds=FRAMES / FPS, duration_seconds=(FRAMES - 0.5) / FPS)


def from_folder(folder: Path) -> VideoSource:
    (folder / "pictures").mkdir()
    for index, picture in enumerate(CLIP.pixels):
        cv2.imwrite(str(folder / "pictures" / f"{index:03}.png"), picture[..., ::-1])
    return open_video(folder / "pictures")


def with_original(_: Path) -> VideoSource:
    return WithOriginal(ArraySource(CLIP), ArraySource(panning(time=FRAMES, size=(18, 32))))


def compared(_: Path) -> VideoSource:
    return ComparedSource(ArraySource(CLIP), ArraySource(CLIP), labels=("a", "b"), split=True)


def from_stream(_: Path) -> VideoSource:
    return StreamSource(iter(CLIP.pixels), fps=FPS)


def from_pipe(_: Path) -> VideoSource:
    head = f"YUV4MPEG2 W{SIZE[1]} H{SIZE[0]} F{FPS}:1 Ip C444\n".encode()
    pictures = [b"FRAME\n" + picture.transpose(2, 0, 1).tobytes() for picture in CLIP.pixels]
    return PipeSource(io.BytesIO(head + b"".join(pictures)))


AGAIN: dict[str, Make] = {
    "array": from_array,
    "file": from_file,
    "part of a file": from_a_part_of_a_file,
    "folder": from_folder,
    "with original": with_original,
    "compared": compared,
}
"""Sources that can be read again and again."""
ONCE: dict[str, Make] = {"stream": from_stream, "pipe": from_pipe}
EVERY = AGAIN | ONCE


@pytest.fixture(params=EVERY)
def source(request, tmp_path) -> VideoSource:
    return EVERY[request.param](tmp_path)


@pytest.fixture(params=AGAIN)
def again(request, tmp_path) -> VideoSource:
    return AGAIN[request.param](tmp_path)


def test_it_says_what_it_is(source) -> None:
    assert isinstance(source, VideoSource)
    assert source.name
    assert source.size == SIZE
    assert isinstance(source.rate, Fraction)
    promised = source.estimated_frames  # by a header, or a duration that is asked for
    assert promised is None or abs(promised - FRAMES) <= 1
    assert isinstance(source.notes, tuple)


def test_frames_are_numbered_and_as_it_says(source) -> None:
    frames = list(source.frames())
    assert [frame.index for frame in frames] == list(range(FRAMES))
    for frame in frames:
        assert frame.picture.size == source.size
        assert frame.picture.layout == source.layout
        assert frame.picture.meaning == source.meaning


def test_times_rise_from_nought_at_its_rate(source) -> None:
    frames = list(source.frames())
    seconds = np.array([frame.seconds for frame in frames])
    assert seconds[0] == 0.0
    # Folders have no times of their own.
    np.testing.assert_allclose(np.diff(seconds), 1.0 / float(source.rate), atol=0.0011)
    assert all(frame.duration > 0 for frame in frames)


def test_reading_again_gives_the_same(again) -> None:
    for one, other in zip(again.frames(), again.frames(), strict=True):
        assert same_samples(one.picture, other.picture)
        assert (one.pts, one.time_base, one.duration) == (
            other.pts,
            other.time_base,
            other.duration,
        )


def test_two_readings_at_once_do_not_meet(again) -> None:
    ahead = again.frames()
    list(islice(ahead, 4))
    behind = [frame.index for frame in again.frames()]
    assert behind == list(range(FRAMES))
    assert [frame.index for frame in ahead] == list(range(4, FRAMES))


def test_a_reading_may_be_given_up(again) -> None:
    for frame in again.frames():
        if frame.index == 2:
            break
    assert len(list(again.frames())) == FRAMES


def test_pictures_are_the_readers_own(again) -> None:
    for frame in again.frames():
        for plane in frame.picture.planes:
            if plane.flags.writeable:
                plane[:] = 0
    assert any(frame.picture.planes[0].any() for frame in again.frames())
