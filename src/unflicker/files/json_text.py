"""Reads JSON that may come from strangers."""

from __future__ import annotations

import json
from typing import Any


def parsed(text: str | bytes) -> Any:
    """The value that a JSON text describes.

    Raises:
        ValueError: It is no JSON, or nested beyond what Python can read.
    """
    try:
        return json.loads(text)
    except RecursionError as fault:
        raise ValueError("it is nested too deeply") from fault
