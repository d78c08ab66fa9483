"""Weights are the ones that were shipped, or one's own, or refused in a line."""

import pytest

pytest.importorskip("torch")

from unflicker.compute import weights
from unflicker.compute.weights import SHIPPED, load_into, read_weights
from unflicker.errors import InputError, MissingError
from unflicker.neural_filter.network import GridFilter


@pytest.mark.parametrize("name", SHIPPED)
def test_what_ships_is_there_and_small(name):
    tensors = read_weights(name)
    assert tensors
    assert sum(tensor.numel() for tensor in tensors.values()) * 4 < 8e6


def test_shipped_weights_that_were_changed_are_refused(tmp_path, monkeypatch):
    name = "neural_filter.safetensors"
    there = weights._FOLDER / name
    changed = bytearray(there.read_bytes())
    changed[-1] ^= 1
    (tmp_path / name).write_bytes(bytes(changed))
    monkeypatch.setattr(weights, "_FOLDER", tmp_path)
    with pytest.raises(InputError, match="not those that were shipped"):
        read_weights(name)
    assert read_weights(name, own=str(tmp_path / name))


def test_weights_of_another_network_are_refused():
    tensors = read_weights("neural_filter.safetensors")
    tensors.pop(next(iter(tensors)))
    with pytest.raises(InputError, match="do not fit GridFilter"):
        load_into(GridFilter(), tensors, source="these")


def test_weights_that_are_not_there_say_how_to_get_them(tmp_path):
    with pytest.raises(MissingError, match="unflicker train"):
        read_weights("neural_filter.safetensors", own=str(tmp_path / "none"))


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf"), 1e30, -2e4])
@pytest.mark.parametrize("place", [0, -1])
def test_numbers_that_no_training_gives_are_refused(tmp_path, number, place):
    torch = pytest.importorskip("torch")
    from safetensors.torch import save_file

    values = torch.linspace(-3, 3, 24)
    path = tmp_path / "own.safetensors"
    save_file({"layer.weight": values.reshape(4, 6)}, str(path))
    assert set(read_weights("", own=str(path))) == {"layer.weight"}
    values[place] = number
    save_file({"layer.weight": values.reshape(4, 6)}, str(path))
    with pytest.raises(InputError, match=r"layer\.weight"):
        read_weights("", own=str(path))
