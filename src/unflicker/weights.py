"""Weights of networks, from files that can hold nothing but numbers (safetensors)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from unflicker.errors import InputError, MissingError


def load_weights(network: Any, path: str, *, setting: str, train_with: str) -> None:
    """Give a network the weights of a file, in single precision.

    Args:
        network: A torch module.
        path: A safetensors file; half precision is widened.
        setting: The name of the setting that names the file.
        train_with: What makes such a file.

    Raises:
        MissingError: No file is named, or it is not there.
        InputError: It is no safetensors file, or holds another network.
    """
    if not path or not Path(path).is_file():
        got = f"{path} is not there" if path else f"{setting} names no file"
        raise MissingError(
            f"trained weights are needed, and {got}; train them with {train_with}, "
            f"then pass --set {setting}=FILE.safetensors"
        )
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        tensors = load_file(path)
    except (SafetensorError, OSError) as error:
        raise InputError(f"{path} is no safetensors file ({error}); name another") from error
    try:
        network.load_state_dict({name: tensor.float() for name, tensor in tensors.items()})
    except RuntimeError as error:
        raise InputError(
            f"{path} holds another network than {setting} needs; train it with {train_with}"
        ) from error
