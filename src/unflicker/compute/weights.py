"""Network weights, shipped with the package or from a file.

They are in safetensors format: numbers and names, no code.
"""

from __future__ import annotations

import hashlib
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from unflicker.errors import InputError, MissingError
from unflicker.settings import NEURAL_LIBRARIES

_LARGEST = 1e4
"""Of a weight: trained ones stay below 100; with more, every picture turns black or white."""
_MOST_BYTES = 4 << 30
_FOLDER = Path(__file__).parents[1] / "shipped"
NEURAL_FILTER = "neural_filter.safetensors"
SHIPPED = {NEURAL_FILTER: "e09f9e25959344e1699b1b2ee31431c377db70a47fb5e00f9d1894a00e833a36"}
"""The shipped files, and the SHA-256 of each."""


def need_neural() -> None:
    """Refuse, before any work, to use networks without their libraries.

    Raises:
        MissingError: torch or safetensors is not installed.
    """
    for library in NEURAL_LIBRARIES:
        if find_spec(library) is None:
            raise MissingError(
                f"atlases and networks need {library}, which is not installed; "
                "install it with: pip install 'unflicker[neural]'"
            )


def weights_file(name: str, *, own: str = "") -> Path:
    """Path of a shipped file of weights, or of another file in its place.

    Args:
        name: Name of a shipped file.
        own: Path of the other file; empty for the shipped one.

    Raises:
        MissingError: There is no such file.
    """
    path = Path(own) if own else _FOLDER / name
    if not path.is_file():
        raise MissingError(
            f"no weights at {path}; train them with `unflicker train`, or name others"
        )
    return path


def weights_in(folder: Path, *, network: str) -> Path:
    """Path of a network's weights in a folder, by the name that its training gives it.

    Args:
        folder: A folder of weights.
        network: Name of the network in `unflicker train`.

    Raises:
        MissingError: There is no such file.
    """
    path = folder / f"{network.replace('-', '_')}.safetensors"
    if not path.is_file():
        raise MissingError(
            f"no weights of {network} in {folder}; train them with "
            f"`unflicker train {network} --data FOLDER -o {folder}`, or name another folder"
        )
    return path


def read_weights(name: str, *, own: str = "") -> dict[str, Any]:
    """Tensors by name, in single precision.

    Args:
        name: Name of a shipped file.
        own: Path of another file to read in its place; empty for the shipped one.

    Raises:
        MissingError: There is no such file.
        InputError: The file cannot be read, or differs from the one that was shipped.
    """
    need_neural()
    path = weights_file(name, own=own)
    if not own and hashlib.sha256(path.read_bytes()).hexdigest() != SHIPPED[name]:
        raise InputError(
            f"the weights {path} are not those that were shipped; install unflicker again"
        )
    if path.stat().st_size > _MOST_BYTES:
        raise InputError(f"the weights {path} are larger than 4 GiB; name those of a training")
    try:
        stored = import_module("safetensors.torch").load_file(str(path))
    except Exception as fault:  # the library has no common error
        raise InputError(f"the weights {path} cannot be read: {fault}; train them again") from fault
    return checked(stored, path)


def checked(stored: dict[str, Any], path: Path) -> dict[str, Any]:
    """Tensors in single precision, all of whose numbers a network can have.

    Args:
        stored: Tensors by name.
        path: Of their file, for messages.

    Raises:
        InputError: A number is infinite, none, or beyond all that training gives.
    """
    tensors = {key: value.float() for key, value in stored.items()}
    for key, value in tensors.items():
        if value.numel() and not bool((value.abs() <= _LARGEST).all()):
            raise InputError(
                f"the weights {path} hold numbers in {key} that are not finite or beyond "
                f"{_LARGEST:g}; train them again"
            )
    return tensors


def load_into(network: Any, weights: dict[str, Any], *, source: str) -> Any:
    """The network with these weights, in evaluation mode and without gradients.

    Args:
        network: A torch module; changed in place.
        weights: Its tensors by name.
        source: Name of the weights, for messages.

    Raises:
        InputError: The weights belong to another network.
    """
    try:
        network.load_state_dict(weights)
    except RuntimeError as fault:
        raise InputError(
            f"the weights {source} do not fit {type(network).__name__}; name those of its training"
        ) from fault
    return network.eval().requires_grad_(requires_grad=False)
