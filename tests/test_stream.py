"""Pictures that come one after the other: the same as all at once, held no longer than needed."""

from collections.abc import Iterator

import numpy as np
import pytest

import unflicker
from made_clips import panning
from unflicker.errors import UsageError
from unflicker.frames.clip import from_float
from unflicker.settings import Settings, replaced
from unflicker.synthesis import synthesise

SIZE = (36, 64)
SHORT = {"window.frames": 16, "window.overlap_frames": 4}


def flickering(time: int, dtype: type = np.uint8) -> np.ndarray:
    made = synthesise(panning(time=time, size=SIZE), kind="local", seed=3).clip
    return from_float(made.as_float(), dtype=dtype)


@pytest.mark.parametrize("usual", ["fast", "standard"], indirect=True)
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_a_stream_gives_what_all_at_once_give(usual: Settings, dtype: type) -> None:
    frames = flickering(40, dtype)
    settings = replaced(usual, SHORT)
    streamed = list(unflicker.stream(iter(frames), fps=24.0, settings=settings))
    whole = unflicker.deflicker(frames, fps=24.0, settings=settings)
    assert (whole != frames).any()
    np.testing.assert_array_equal(np.stack(streamed), whole)


def test_grey_alpha_and_tensors_come_back_as_such() -> None:
    torch = pytest.importorskip("torch")
    frames = flickering(12)
    alpha = np.concatenate([frames, np.full((*frames.shape[:3], 1), 255, np.uint8)], axis=-1)
    for given in (frames[..., 0], frames[..., :1], alpha):
        np.testing.assert_array_equal(
            np.stack(list(unflicker.stream(given))), unflicker.deflicker(given)
        )
    tensors = list(unflicker.stream(torch.from_numpy(frames)))
    assert isinstance(tensors[0], torch.Tensor)
    np.testing.assert_array_equal(torch.stack(tensors).numpy(), unflicker.deflicker(frames))


def test_no_more_than_some_windows_of_a_stream_are_held() -> None:
    frames = flickering(16)
    read = 0

    def endless() -> Iterator[np.ndarray]:
        nonlocal read
        while True:
            read += 1
            yield frames[(read - 1) % 16]

    settings = Settings.from_preset("fast")
    steady = unflicker.stream(endless(), settings=replaced(settings, SHORT))
    for given in range(1, 121):
        next(steady)
        assert read - given <= 4 * 16 + 16
    steady.close()


def test_no_pictures_give_none() -> None:
    assert list(unflicker.stream(iter([]))) == []


def test_what_goes_wrong_in_the_source_reaches_the_caller() -> None:
    def broken() -> Iterator[np.ndarray]:
        yield from flickering(4)
        raise RuntimeError("the camera is gone")

    with pytest.raises(RuntimeError, match="the camera is gone"):
        list(unflicker.stream(broken()))


def test_a_picture_unlike_the_first_is_refused_by_its_number() -> None:
    frames = [*flickering(4), np.zeros((8, 8, 3), np.uint8)]
    with pytest.raises(UsageError, match="picture 4 has shape and type"):
        list(unflicker.stream(frames))


@pytest.mark.parametrize(
    ("frames", "asked", "said"),
    [
        ([np.zeros((8, 8, 5), np.uint8)], {}, "picture 0 of shape"),
        ([np.full((8, 8, 3), 7.0)], {}, "picture 0 hold values from 7 to 7"),
        ([np.zeros((8, 8, 3), np.uint8)], {"fps": 0}, "a rate of 0"),
        ([np.zeros((8, 8, 3), np.uint8)], {"preset": "paper"}, "read once; use deflicker"),
    ],
)
def test_bad_pictures_are_refused_before_the_first_is_given(frames, asked, said) -> None:
    with pytest.raises(UsageError, match=said):
        unflicker.stream(frames, **asked)
