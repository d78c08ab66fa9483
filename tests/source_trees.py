"""The trees of modules, which several laws look at."""

import ast
from functools import cache


@cache
def parsed(source: str) -> ast.Module:
    """A module's tree; parsed once."""
    return ast.parse(source)
