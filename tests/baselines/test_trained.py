"""What baselines with trained networks keep; their weights are made by chance here."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from safetensors.torch import save_file  # noqa: E402

from unflicker.baselines.convlstm import convlstm  # noqa: E402
from unflicker.baselines.lai import lai  # noqa: E402
from unflicker.compute.weights import weights_in  # noqa: E402
from unflicker.errors import InputError, MissingError, UsageError  # noqa: E402
from unflicker.frames.clip import Clip, from_float  # noqa: E402
from unflicker.paper.convlstm import RefinementNetwork  # noqa: E402


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Weights by chance under the names of either training."""
    folder = tmp_path_factory.mktemp("weights")
    torch.manual_seed(0)
    state = RefinementNetwork().state_dict()
    for name in ("convlstm", "lai"):
        half = {key: value.half() for key, value in state.items()}
        save_file(half, str(folder / f"{name}.safetensors"))
    return folder


def clip_of(*, time: int, dtype: type = np.uint8, seed: int = 0, size=(17, 22)) -> Clip:
    pixels = np.random.default_rng(seed).random((time, *size, 3)).astype(np.float32)
    return Clip(
        pixels=from_float(pixels, dtype=dtype), seconds=np.arange(time, dtype=np.float64) ** 1.1
    )


def steadied(name: str, folder, clip: Clip, original: Clip | None = None) -> Clip:
    weights = weights_in(folder, network=name)
    if name == "lai":
        return lai(clip, clip if original is None else original, weights=weights)
    return convlstm(clip, weights=weights)


@pytest.mark.parametrize("name", ["convlstm", "lai"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("time", [0, 1, 3])
def test_it_keeps_count_size_samples_and_times(name, dtype, time, folder):
    clip = clip_of(time=time, dtype=dtype)
    before = clip.pixels.copy()
    result = steadied(name, folder, clip)
    assert result.pixels.shape == clip.pixels.shape
    assert result.pixels.dtype == clip.pixels.dtype
    np.testing.assert_array_equal(result.seconds, clip.seconds)
    np.testing.assert_array_equal(clip.pixels, before)
    np.testing.assert_array_equal(result.pixels[:1], clip.pixels[:1])
    if dtype is np.float32 and time:
        assert 0 <= result.pixels.min() <= result.pixels.max() <= 1


@pytest.mark.parametrize("name", ["convlstm", "lai"])
def test_nothing_is_remembered_from_one_clip_to_the_next(name, folder):
    clip = clip_of(time=3)
    first = steadied(name, folder, clip)
    steadied(name, folder, clip_of(time=4, seed=1))
    np.testing.assert_array_equal(steadied(name, folder, clip).pixels, first.pixels)


def test_a_clip_that_is_its_own_original_is_steadied_as_blind(folder):
    clip = clip_of(time=3)
    guided, blind = (steadied(name, folder, clip) for name in ("lai", "convlstm"))
    np.testing.assert_array_equal(guided.pixels, blind.pixels)


def test_the_original_is_heeded_whatever_its_sample_type(folder):
    clip, original = clip_of(time=3), clip_of(time=3, dtype=np.uint16, seed=1)
    guided = steadied("lai", folder, clip, original)
    assert not np.array_equal(guided.pixels, steadied("lai", folder, clip).pixels)


def test_an_original_of_another_size_or_length_is_refused(folder):
    clip = clip_of(time=3)
    for other in (clip_of(time=2), clip_of(time=3, size=(17, 23))):
        with pytest.raises(UsageError, match="pass the clip it was made of"):
            steadied("lai", folder, clip, other)


def test_weights_that_are_not_there_or_another_networks_are_refused(folder, tmp_path):
    with pytest.raises(MissingError, match="unflicker train paper-filter"):
        weights_in(folder, network="paper-filter")
    with pytest.raises(MissingError, match="no weights at"):
        convlstm(clip_of(time=2), weights=tmp_path / "convlstm.safetensors")
    save_file({"other": torch.zeros(1)}, str(tmp_path / "lai.safetensors"))
    with pytest.raises(InputError, match="do not fit"):
        steadied("lai", tmp_path, clip_of(time=2))
