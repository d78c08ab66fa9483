"""The paper's local refinement: a network that sees each frame after the last, and remembers.

Source: Lai et al., Learning Blind Video Temporal Consistency (ECCV 2018), as Lei et al. 2023 use
it: the filtered frames stand for both the film and its processed version. Which skips there are
is read off the published number of parameters, 2.98 million.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor, nn
from torch.nn import functional

from unflicker.frames.padding import mirrored
from unflicker.weights import load_into, read_weights

_WIDTH = 32
_MULTIPLE = 8
"""Twice the step of the smallest features: a border of one must have something to mirror."""
_BLOCKS = 5
_SLOPE = 0.2


@dataclass(frozen=True, kw_only=True, eq=False)
class Memory:
    """What the network knows of the frames before."""

    filtered: Float[Tensor, "batch 3 height width"]
    """The last frame as it came in."""
    output: Float[Tensor, "batch 3 height width"]
    """The last frame as it went out."""
    state: tuple[Tensor, Tensor] | None = None
    """Hidden and cell state, `(batch, 128, rows, columns)`; None after the first frame."""


class RefinementNetwork(nn.Module):
    """Frame by frame, with what it remembers; any size."""

    def __init__(self) -> None:
        """Build it, with torch's own first weights."""
        super().__init__()
        w = _WIDTH
        self.film_1, self.film_2 = _convolution(6, w, 7), _convolution(w, 2 * w, 3, stride=2)
        self.last_1, self.last_2 = _convolution(6, w, 7), _convolution(w, 2 * w, 3, stride=2)
        self.both = _convolution(4 * w, 4 * w, 3, stride=2)
        self.blocks = nn.ModuleList(_Residual(4 * w) for _ in range(_BLOCKS))
        self.gates = _convolution(8 * w, 16 * w, 3)
        self.up_2 = _convolution(4 * w, 2 * w, 3)
        self.up_1 = _convolution(4 * w, w, 3)
        self.out = _convolution(2 * w, 3, 7)

    def forward(
        self, filtered: Float[Tensor, "batch 3 height width"], memory: Memory | None
    ) -> tuple[Float[Tensor, "batch 3 height width"], Memory]:
        """The refined frame and the memory for the next; the first of a shot comes out as it is.

        Args:
            filtered: The frame, RGB in [0, 1].
            memory: From the frame before; None where a shot begins.
        """
        if memory is None:
            return filtered, Memory(filtered=filtered, output=filtered)
        height, width = filtered.shape[2:]
        residual, state = self._residual(
            _padded(torch.cat([filtered, memory.filtered], dim=1)),
            _padded(torch.cat([filtered, memory.output], dim=1)),
            memory.state,
        )
        output = filtered + residual[:, :, :height, :width]
        return output, Memory(filtered=filtered, output=output, state=state)

    def _residual(
        self, film: Tensor, last: Tensor, state: tuple[Tensor, Tensor] | None
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """What to add, from the frame beside the last input and beside the last output."""
        film = _bent(self.film_2(_bent(self.film_1(film))))
        fine = _bent(self.last_1(last))
        coarse = _bent(self.last_2(fine))
        deep = _bent(self.both(torch.cat([film, coarse], dim=1)))
        for block in self.blocks:
            deep = block(deep)
        state = self._remembered(deep, state)
        rising = _bent(self.up_2(functional.interpolate(state[0], scale_factor=2)))
        rising = functional.interpolate(torch.cat([rising, coarse], dim=1), scale_factor=2)
        rising = _bent(self.up_1(rising))
        return torch.tanh(self.out(torch.cat([rising, fine], dim=1))), state

    def _remembered(
        self, deep: Tensor, state: tuple[Tensor, Tensor] | None
    ) -> tuple[Tensor, Tensor]:
        """The next hidden and cell state.

        Source: Shi et al., Convolutional LSTM Network (NeurIPS 2015), without peepholes.
        """
        hidden, cell = state if state is not None else (torch.zeros_like(deep),) * 2
        taken, forgotten, shown, new = self.gates(torch.cat([deep, hidden], dim=1)).chunk(4, dim=1)
        cell = forgotten.sigmoid() * cell + taken.sigmoid() * new.tanh()
        return shown.sigmoid() * cell.tanh(), cell


class _Residual(nn.Module):
    """Two convolutions beside a way straight through."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first, self.second = _convolution(width, width, 3), _convolution(width, width, 3)

    def forward(self, values: Tensor) -> Tensor:
        return values + self.second(_bent(self.first(values)))


def _convolution(inputs: int, outputs: int, size: int, *, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(
        inputs, outputs, size, stride=stride, padding=size // 2, padding_mode="reflect"
    )


def _bent(values: Tensor) -> Tensor:
    return functional.leaky_relu(values, _SLOPE, inplace=True)


def _padded(values: Tensor) -> Tensor:
    rows, columns = (
        torch.from_numpy(mirrored(length, multiple=_MULTIPLE)).to(values.device)
        for length in values.shape[2:]
    )
    return values.index_select(2, rows).index_select(3, columns)


def load_refinement(path: str, *, device: str) -> RefinementNetwork:
    """The trained network, ready to be used.

    Raises:
        MissingError: The file is not there.
        InputError: It cannot be read, or is not this network's.
    """
    return load_into(RefinementNetwork(), read_weights("", own=path), source=path).to(device)


class Refiner:
    """The network on a film's pictures, one after the other; memory carried, a shot at a time."""

    def __init__(self, network: RefinementNetwork) -> None:
        """Begin with nothing remembered."""
        self._network = network
        self._memory: Memory | None = None

    def restart(self) -> None:
        """Forget everything: a new shot begins."""
        self._memory = None

    @torch.no_grad()
    def refined(
        self, filtered: Float32[np.ndarray, "height width 3"]
    ) -> Float32[np.ndarray, "height width 3"]:
        """The next frame, RGB in [0, 1], where the network is."""
        device = self._network.out.weight.device
        picture = torch.from_numpy(np.ascontiguousarray(filtered.transpose(2, 0, 1)))[None]
        output, self._memory = self._network(picture.to(device), self._memory)
        shown = output[0].clamp(0.0, 1.0).permute(1, 2, 0)
        return np.ascontiguousarray(shown.cpu().numpy())
