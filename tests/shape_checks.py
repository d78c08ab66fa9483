"""Types and shapes of arguments and results are checked in some calls of a function, not in all.

With a check of each call, jaxtyping and beartype take more than half of the time in which a film is
processed, and what is called for each frame and cell is called alike. In each file of tests they
check the first calls of each function, and then one of some. A function's checks are made when it
is first called: half a minute would go into those of functions that nothing calls.
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
"""Calls of each function in this file of tests."""


def start_over() -> None:
    """Check the first calls of all functions again."""
    _calls.clear()


def check_some_calls() -> None:
    """Install this in place of jaxtyping's own decorator, which its import hook takes by name."""
    jaxtyping.jaxtyped = _checking_some  # pyright: ignore - a decorator with the same argument


def _checking_some(*, typechecker: Any) -> Callable[[Any], Any]:
    check = _checking(typechecker=typechecker)

    def decorate(thing: Any) -> Any:
        return _sampled(thing, check) if isinstance(thing, FunctionType) else check(thing)

    return decorate


def _sampled(plain: Callable, check: Callable[[Callable], Callable]) -> Callable:
    checked: Callable | None = None

    @wraps(plain)
    def called(*args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        nonlocal checked
        _calls[plain] = count = _calls[plain] + 1
        if count > FIRST and count % EVERY:
            return plain(*args, **kwargs)
        checked = checked or check(plain)
        return checked(*args, **kwargs)

    return called
