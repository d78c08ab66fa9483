"""Lets every test import the clips and films made for them."""

import os
import sys
from importlib import import_module
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent / "video")]


# Tests that are not about a preset would spend most of their time in fits of atlases.
os.environ.setdefault("UNFLICKER_PRESET", "fast")


def _load_the_loops_unchecked() -> None:
    """Load the compiled loops without shape checks, which numba cannot compile.

    What calls them, `grade.apply` and the atlas, is checked as everything else is.
    """
    import_module("unflicker.grade")
    hooks = [finder for finder in sys.meta_path if type(finder).__module__.startswith("jaxtyping")]
    for hook in hooks:
        sys.meta_path.remove(hook)
    import_module("unflicker.grade.kernel")
    import_module("unflicker.refinement")
    import_module("unflicker.refinement.loops")
    import_module("unflicker.atlas")
    import_module("unflicker.atlas.loops")
    sys.meta_path[:0] = hooks


_load_the_loops_unchecked()
