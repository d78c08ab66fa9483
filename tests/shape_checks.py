"""Types and shapes of arguments and results are checked in some calls of a function, not in all.

With a check of each call, jaxtyping and beartype take more than half of the time in which a film is
processed, and what is called for each frame and cell is called alike. In each test they check the
first calls of each function, and then one of some.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import wraps
from types import FunctionType
from typing import Any

import jaxtyping

FIRST, EVERY = 8, 32
_checking = jaxtyping.jaxtyped
_calls: Counter[Callable] = Counter()
"""Calls of each function in this test."""


def start_over() -> None:
    """Check the first calls of all functions again."""
    _calls.clear()


def check_some_calls() -> None:
    """Install this in place of jaxtyping's own decorator, which its import hook takes by name."""
    jaxtyping.jaxtyped = _checking_some  # pyright: ignore - a decorator with the same argument


def _checking_some(*, typechecker: Any) -> Callable[[Any], Any]:
    def decorate(thing: Any) -> Any:
        checked = _checking(thing, typechecker=typechecker)
        return _sampled(thing, checked) if isinstance(thing, FunctionType) else checked

    return decorate


def _sampled(plain: Callable, checked: Callable) -> Callable:
    @wraps(plain)
    def called(*args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        _calls[plain] = count = _calls[plain] + 1
        function = checked if count <= FIRST or count % EVERY == 0 else plain
        return function(*args, **kwargs)

    return called
