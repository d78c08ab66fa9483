"""Recurrent refinement network of the paper and of Lai et al.

Lei et al. 2023 use it blind, with the filtered frames for both of its inputs. Its skips are
inferred from the published number of parameters, 2.98 million.

Source: Lai et al., Learning Blind Video Temporal Consistency (ECCV 2018): its inputs are a
processed film and its steady original.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor, nn
from torch.nn import functional

from unflicker.compute.weights import load_into, read_weights
from unflicker.frames.clip import Clip, from_float, to_float
from unflicker.frames.padding import mirrored

_WIDTH = 32
_MULTIPLE = 8
"""Twice the step of the smallest features: a border of one must have something to mirror."""
_BLOCKS = 5
_SLOPE = 0.2


@dataclass(frozen=True, kw_only=True, eq=False)
class Memory:
    """The network's state between frames."""

    film: Float[Tensor, "batch 3 height width"]
    """The last frame of the original, or of the input where there is none."""
    output: Float[Tensor, "batch 3 height width"]
    """The last output."""
    state: tuple[Tensor, Tensor] | None = None
    """Hidden and cell state, `(batch, 128, rows, columns)`; None after the first frame."""


class RefinementNetwork(nn.Module):
    """Refines frame by frame, with a recurrent state; any size."""

    def __init__(self) -> None:
        """Build it, with torch's own initialisation."""
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
        self,
        filtered: Float[Tensor, "batch 3 height width"],
        memory: Memory | None,
        *,
        original: Float[Tensor, "batch 3 height width"] | None = None,
    ) -> tuple[Float[Tensor, "batch 3 height width"], Memory]:
        """The refined frame and the memory for the next; the first of a shot comes out as it is.

        Args:
            filtered: The frame, RGB in [0, 1].
            memory: From the frame before; None where a shot begins.
            original: The same frame of a steady film, of which `filtered` is a processed version.
        """
        film = filtered if original is None else original
        if memory is None:
            return filtered, Memory(film=film, output=filtered)
        height, width = filtered.shape[2:]
        residual, state = self._residual(
            _padded(torch.cat([film, memory.film], dim=1)),
            _padded(torch.cat([filtered, memory.output], dim=1)),
            memory.state,
        )
        output = filtered + residual[:, :, :height, :width]
        return output, Memory(film=film, output=output, state=state)

    def _residual(
        self, film: Tensor, last: Tensor, state: tuple[Tensor, Tensor] | None
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """The residual, from the film with its last frame, and the frame with the last output."""
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
    """Two convolutions with a skip connection."""

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
    """The trained network, ready for use.

    Args:
        path: Of its weights.
        device: "cpu" or "cuda:n".

    Raises:
        MissingError: The file is not there.
        InputError: It cannot be read, or is not this network's.
    """
    return load_into(RefinementNetwork(), read_weights("", own=path), source=path).to(device)


class Refiner:
    """The network on a film's pictures in order, with its state, shot by shot."""

    def __init__(self, network: RefinementNetwork) -> None:
        """Begin without a state."""
        self._network = network
        self._memory: Memory | None = None

    def restart(self) -> None:
        """Reset the state at a new shot."""
        self._memory = None

    @torch.no_grad()
    def refined(
        self,
        filtered: Float32[np.ndarray, "height width 3"],
        *,
        original: Float32[np.ndarray, "height width 3"] | None = None,
    ) -> Float32[np.ndarray, "height width 3"]:
        """The refined next frame, RGB in [0, 1].

        Args:
            filtered: The frame from the filter, RGB in [0, 1].
            original: The same frame of the steady original, if there is one.
        """
        film = None if original is None else self._there(original)
        output, self._memory = self._network(self._there(filtered), self._memory, original=film)
        shown = output[0].clamp(0.0, 1.0).permute(1, 2, 0)
        return np.ascontiguousarray(shown.cpu().numpy())

    def _there(
        self, picture: Float32[np.ndarray, "height width 3"]
    ) -> Float[Tensor, "1 3 height width"]:
        """A picture on the network's device."""
        first = torch.from_numpy(np.ascontiguousarray(picture.transpose(2, 0, 1)))[None]
        return first.to(self._network.out.weight.device)


def refined_clip(clip: Clip, network: RefinementNetwork, *, original: Clip | None = None) -> Clip:
    """A clip, one shot, after refinement by the network.

    Args:
        clip: Of any sample type, which is kept.
        network: From `load_refinement`.
        original: The clip's steady original, of the same size, if there is one.
    """
    refiner = Refiner(network)
    pixels = np.empty_like(clip.pixels)
    films = [None] * len(clip) if original is None else original.pixels
    for index, (frame, film) in enumerate(zip(clip.pixels, films, strict=True)):
        steady = None if film is None else to_float(film)
        refined = refiner.refined(to_float(frame), original=steady)
        pixels[index] = from_float(refined, dtype=pixels.dtype)
    return Clip(pixels=pixels, seconds=clip.seconds)
