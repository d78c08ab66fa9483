"""The paper's refinement: its size, any picture's size, and a memory that is really carried."""

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from unflicker.paper.convlstm import Memory, RefinementNetwork, Refiner, load_refinement


@pytest.fixture(scope="module")
def network() -> RefinementNetwork:
    torch.manual_seed(0)
    return RefinementNetwork().eval()


def pictures(count: int, size: tuple[int, int] = (20, 28)) -> np.ndarray:
    return np.random.default_rng(0).random((count, *size, 3)).astype(np.float32)


def refined(refiner: Refiner, frames: np.ndarray) -> np.ndarray:
    return np.stack([refiner.refined(frame) for frame in frames])


def test_it_is_as_large_as_the_paper_says(network):
    assert sum(each.numel() for each in network.parameters()) == pytest.approx(2.98e6, rel=0.02)


@pytest.mark.parametrize("size", [(1, 1), (1, 30), (5, 3), (16, 24), (19, 33)])
def test_any_size_comes_out_as_it_went_in(network, size):
    out = refined(Refiner(network), pictures(3, size))
    assert out.shape == (3, *size, 3)
    assert np.isfinite(out).all()


def test_the_first_frame_of_a_shot_comes_out_as_it_is_and_later_ones_do_not(network):
    frames = pictures(2)
    out = refined(Refiner(network), frames)
    assert np.array_equal(out[0], frames[0])
    assert np.abs(out[1] - frames[1]).max() > 1e-3


def test_a_frame_long_ago_is_remembered_in_the_state_itself(network):
    frames = torch.from_numpy(pictures(4).transpose(0, 3, 1, 2))

    @torch.no_grad()
    def last_but_for(first: torch.Tensor) -> torch.Tensor:
        _, memory = network(first[None], None)
        for frame in frames[1:3]:
            _, memory = network(frame[None], memory)
        # Both pictures remembered are the same; only hidden and cell state tell what was first.
        same = Memory(film=frames[2:3], output=frames[2:3], state=memory.state)
        return network(frames[3:4], same)[0]

    assert (last_but_for(frames[0]) - last_but_for(1.0 - frames[0])).abs().max() > 1e-6


def test_nothing_is_remembered_over_a_cut(network):
    frames = pictures(5)
    refiner = Refiner(network)
    refined(refiner, frames[:2])
    carried_on = refined(refiner, frames[2:])
    refiner.restart()
    anew = refined(refiner, frames[2:])
    assert np.array_equal(anew, refined(Refiner(network), frames[2:]))
    assert not np.array_equal(anew, carried_on)


def test_memory_holds_one_frame_however_many_went_by(network):
    memory, sizes = None, []
    for frame in torch.rand(4, 1, 3, 16, 16):
        with torch.no_grad():
            _, memory = network(frame, memory)
        sizes.append(sum(each.numel() for each in (memory.film, *(memory.state or ()))))
    assert sizes[1] == sizes[2] == sizes[3]


def test_weights_come_back_from_a_file(network, tmp_path):
    path = tmp_path / "refinement.safetensors"
    save_file(network.state_dict(), str(path))
    frames = pictures(3)
    again = refined(Refiner(load_refinement(str(path), device="cpu")), frames)
    assert np.array_equal(again, refined(Refiner(network), frames))
