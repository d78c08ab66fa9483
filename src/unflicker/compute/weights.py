"""The weights of networks: those that ship with the package, and those of one's own training.

They are safetensors: numbers and names, nothing that could run.
"""

from __future__ import annotations

import hashlib
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from unflicker.errors import InputError, MissingError
from unflicker.settings import NEURAL_LIBRARIES

_FOLDER = Path(__file__).parents[1] / "shipped"
NEURAL_FILTER = "neural_filter.safetensors"
SHIPPED = {NEURAL_FILTER: "e09f9e25959344e1699b1b2ee31431c377db70a47fb5e00f9d1894a00e833a36"}
"""The files that ship, and the SHA-256 of each."""


def need_neural() -> None:
    """Stop before any work where what networks need is not installed.

    Raises:
        MissingError: torch or safetensors is not there.
    """
    for library in NEURAL_LIBRARIES:
        if find_spec(library) is None:
            raise MissingError(
                f"atlases and networks need {library}, which is not installed; "
                "install it with: pip install 'unflicker[neural]'"
            )


def weights_file(name: str, *, own: str = "") -> Path:
    """The file of weights that ships, or one's own.

    Raises:
        MissingError: It is not there.
    """
    path = Path(own) if own else _FOLDER / name
    if not path.is_file():
        raise MissingError(
            f"no weights at {path}; train them with `unflicker train`, or name others"
        )
    return path


def weights_in(folder: Path, *, network: str) -> Path:
    """The file of a network's weights in a folder, as its training names it.

    Args:
        folder: Where weights lie.
        network: As `unflicker train` names it.

    Raises:
        MissingError: It is not there.
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
        name: Of a file that ships.
        own: Path of a file to read in its stead; none where empty.

    Raises:
        MissingError: The file is not there.
        InputError: It cannot be read, or is not the one that was shipped.
    """
    need_neural()
    path = weights_file(name, own=own)
    if not own and hashlib.sha256(path.read_bytes()).hexdigest() != SHIPPED[name]:
        raise InputError(
            f"the weights {path} are not those that were shipped; install unflicker anew"
        )
    try:
        stored = import_module("safetensors.torch").load_file(str(path))
    except Exception as fault:  # the library has no common error
        raise InputError(f"the weights {path} cannot be read: {fault}; train them anew") from fault
    return {key: value.float() for key, value in stored.items()}


def load_into(network: Any, weights: dict[str, Any], *, source: str) -> Any:
    """The network with these weights, ready to be used.

    Raises:
        InputError: They are another network's.
    """
    try:
        network.load_state_dict(weights)
    except RuntimeError as fault:
        raise InputError(
            f"the weights {source} do not fit {type(network).__name__}; name those of its training"
        ) from fault
    return network.eval().requires_grad_(requires_grad=False)
