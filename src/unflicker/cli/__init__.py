"""The command line: parse, one call into the library, say what came of it."""

from unflicker.cli.main import main

__all__ = ["main"]
