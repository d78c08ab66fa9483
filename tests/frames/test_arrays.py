"""Laws of pictures as callers hold them: what comes back is what was given, steady."""

from typing import Any

import numpy as np
import pytest

import unflicker
from made_clips import panning
from unflicker.errors import UsageError
from unflicker.frames.arrays import pixels_of
from unflicker.synthesis import synthesise

SIZE = (48, 64)


def flickering(dtype: Any = np.uint8) -> np.ndarray:
    made = synthesise(panning(time=12, size=SIZE), kind="exposure", seed=1).clip.pixels
    return made if dtype == np.uint8 else (made / 255.0).astype(dtype)


def steadied(frames: Any) -> Any:
    return unflicker.deflicker(frames, preset="fast")


@pytest.mark.parametrize("dtype", [np.float16, np.float64])
def test_halves_and_doubles_come_back_as_such_and_steady(dtype) -> None:
    out, single = steadied(flickering(dtype)), steadied(flickering(dtype).astype(np.float32))
    assert out.dtype == dtype
    np.testing.assert_allclose(out, single, atol=2e-3)


def test_steady_doubles_keep_every_bit() -> None:
    frames = panning(time=8, size=SIZE).pixels / 255.0 + 1e-12
    out = steadied(frames)
    np.testing.assert_array_equal(out, frames)


def test_a_list_of_pictures_gives_a_list() -> None:
    frames = flickering()
    out = steadied(list(frames))
    assert isinstance(out, list)
    np.testing.assert_array_equal(np.stack(out), steadied(frames))


def test_one_channel_is_grey() -> None:
    grey = flickering()[..., 1]
    out = steadied(grey[..., None])
    assert out.shape == (*grey.shape, 1)
    np.testing.assert_array_equal(out[..., 0], steadied(grey))


@pytest.mark.parametrize("make", [lambda t: t, list])
def test_tensors_come_back_as_tensors(make) -> None:
    torch = pytest.importorskip("torch")
    frames = flickering(np.float32)
    out = steadied(make(torch.from_numpy(frames)))
    if isinstance(out, list):
        out = torch.stack(out)
    assert isinstance(out, torch.Tensor)
    np.testing.assert_array_equal(out.numpy(), steadied(frames))


def test_tensors_of_half_the_bits_keep_their_kind_and_what_is_unchanged() -> None:
    torch = pytest.importorskip("torch")
    given = torch.from_numpy(flickering(np.float32)).to(torch.bfloat16)
    out = steadied(given)
    assert out.dtype == torch.bfloat16
    assert out.device == given.device
    truth = steadied(given.float().numpy())
    np.testing.assert_allclose(out.float().numpy(), truth, atol=2**-8)
    steady = given[:1].repeat(6, 1, 1, 1)
    assert torch.equal(steadied(steady), steady)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize("seed", range(2))
def test_what_lies_under_alpha_0_has_no_influence_and_stays(dtype, seed: int) -> None:
    random = np.random.default_rng(seed)
    frames = flickering(dtype)
    y, x = np.mgrid[: SIZE[0], : SIZE[1]]
    seen = np.hypot(y - 24, x - 32) < 20
    most = 255 if dtype == np.uint8 else 1.0
    alpha = np.broadcast_to(seen * most, frames.shape[:3]).astype(dtype)[..., None]
    results = []
    for junk in (0.0, random.random(frames.shape)):
        colours = np.where(alpha > 0, frames, (most * np.asarray(junk)).astype(dtype))
        given = np.concatenate([colours, alpha], axis=-1)
        out = steadied(given)
        assert out.dtype == dtype
        np.testing.assert_array_equal(out[..., 3], given[..., 3])
        np.testing.assert_array_equal(out[:, ~seen], given[:, ~seen])
        results.append(out[:, seen].astype(float))
    np.testing.assert_array_equal(*results)
    level = [np.log(each[..., :3].mean(axis=(1, 2))) for each in (results[0], frames[:, seen])]
    assert np.diff(level[0]).std() < 0.25 * np.diff(level[1]).std()


@pytest.mark.parametrize(
    "frames", [[], [np.zeros((4, 4, 3), np.uint8), np.zeros((4, 5, 3), np.uint8)]]
)
def test_lists_of_nothing_or_of_several_shapes_are_refused(frames) -> None:
    with pytest.raises(UsageError, match="pass pictures of one shape"):
        pixels_of(frames)


def test_what_was_given_is_never_changed() -> None:
    for frames in (flickering(), flickering(np.float32), flickering()[..., :1]):
        kept = frames.copy()
        steadied(frames)
        np.testing.assert_array_equal(frames, kept)


@pytest.mark.parametrize(
    ("peak", "bits"), [(1023, 10), (600, 10), (4095, 12), (2048, 12), (65535, 0), (5000, 0), (0, 0)]
)
def test_samples_of_few_bits_in_sixteen_are_warned_of(caplog, peak: int, bits: int) -> None:
    frames = np.zeros((3, 4, 6, 3), np.uint16)
    frames[1, 2, 3] = peak
    given = pixels_of(frames)
    np.testing.assert_array_equal(given.pixels, frames)
    assert (f"if they have {bits} bits" in caplog.text) == bool(bits)
    assert bool(caplog.text) == bool(bits)
