"""The paper's filter: its size, any picture's size, and that nothing is resized."""

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from unflicker.errors import InputError, MissingError
from unflicker.paper.unet import UNet, filtered, load_unet


@pytest.fixture(scope="module")
def network() -> UNet:
    torch.manual_seed(0)
    return UNet().eval()


def test_it_is_as_large_as_the_paper_says(network):
    assert sum(each.numel() for each in network.parameters()) == pytest.approx(8.63e6, rel=0.01)


def test_only_its_last_layer_has_a_bias_and_nothing_is_normalised(network):
    names = [name for name, _ in network.named_parameters() if name.endswith("bias")]
    assert names == ["out.bias"]
    assert not list(network.buffers())


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (17, 3), (16, 32), (37, 50)])
def test_any_size_comes_out_as_it_went_in(network, size):
    frame = np.random.default_rng(0).random((*size, 3)).astype(np.float32)
    out = filtered(network, frame, frame[::-1].copy())
    assert out.shape == frame.shape
    assert ((out >= 0.0) & (out <= 1.0)).all()


@torch.no_grad()
def test_a_border_is_mirrored_and_cut_off_never_squeezed(network):
    mirror = torch.rand(1, 3, 25, 48)
    mirror = torch.cat([mirror, mirror[:, :, -8:-1].flip(2)], dim=2)
    whole = network(mirror, mirror)
    part = network(mirror[:, :, :25], mirror[:, :, :25])
    assert part.numpy() == pytest.approx(whole[:, :, :25].numpy(), abs=1e-6)


def test_weights_come_back_from_a_file_even_in_half_precision(network, tmp_path):
    path = tmp_path / "filter.safetensors"
    save_file({name: value.half() for name, value in network.state_dict().items()}, str(path))
    frame = np.random.default_rng(1).random((20, 24, 3)).astype(np.float32)
    again = load_unet(str(path), device="cpu")
    assert filtered(again, frame, frame) == pytest.approx(filtered(network, frame, frame), abs=1e-2)
    assert again.out.weight.dtype == torch.float32


def test_a_file_that_is_missing_or_of_something_else_is_refused(tmp_path):
    other, broken = tmp_path / "other.safetensors", tmp_path / "broken.safetensors"
    save_file({"weight": torch.zeros(3)}, str(other))
    broken.write_bytes(b"not tensors")
    with pytest.raises(InputError, match="do not fit UNet"):
        load_unet(str(other), device="cpu")
    with pytest.raises(InputError, match="cannot be read"):
        load_unet(str(broken), device="cpu")
    with pytest.raises(MissingError, match="no weights at"):
        load_unet(str(tmp_path / "none.safetensors"), device="cpu")
