"""Tells that inner loops are about to be compiled, which takes a user by surprise once."""

from __future__ import annotations

from collections.abc import Callable

_listeners: list[Callable[[], None]] = []


def when_compiling(tell: Callable[[], None]) -> None:
    """Have a function called once, when the next loop is compiled because no file has it.

    Args:
        tell: It replaces an earlier one.
    """
    _listeners[:] = [tell]


def compiles() -> None:
    """Tell that a loop is compiled now."""
    while _listeners:
        _listeners.pop()()
