"""Results in progress: under a hidden name until they are complete, removed if they never are."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from pathlib import Path

from unflicker.files import unfinished
from unflicker.files.outputs import hidden_name, is_running


def part_of(target: Path) -> Path:
    """The hidden name of a result until it is complete; of this process alone."""
    return hidden_name(target, f".{os.getpid()}.part{target.suffix}")


def begin(place: Path, *, anew: bool = False) -> None:
    """Take note that a file or a folder is not complete: a program that ends at once removes it.

    Args:
        place: Its path.
        anew: Whether what killed runs left of the same result is removed first.
    """
    if anew:
        remove_leftovers(place)
    unfinished.begun(place, lambda: discard(place))


def discard(place: Path) -> None:
    """Remove a file or a folder, if it is there."""
    unfinished.ended(place)
    if place.is_dir() and not place.is_symlink():
        shutil.rmtree(place, ignore_errors=True)
        if place.exists():
            _remove_with_few_files(place)
    else:
        with contextlib.suppress(OSError):
            place.unlink()


def _remove_with_few_files(folder: Path) -> None:
    """Remove a folder where hardly any more files can be opened; `shutil` opens each level."""
    with contextlib.suppress(OSError):
        for name in os.listdir(folder):
            discard(folder / name)
        folder.rmdir()


def remove_leftovers(*parts: Path) -> None:
    """Remove what killed runs left of the same results, but no file of a running program.

    Args:
        parts: Hidden names of this process, such as `part_of` makes.
    """
    for place in parts:
        model = re.escape(place.name.replace(f".{os.getpid()}.", ".PID."))
        pattern = re.compile(model.replace(r"\.PID\.", r"\.(\d+)\.") + r"(?:\.part)?")
        for entry in list(os.scandir(place.parent)):
            found = pattern.fullmatch(entry.name)
            if found and not is_running(int(found[1])):
                discard(Path(entry.path))
