"""What a run has begun to write, so that a program that has to end at once can remove it.

Whoever writes a file removes it after an exception. That takes a program that still runs through
its code; one that hangs does not, and is ended from outside (`cli/deadline`).
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

_removers: dict[Path, Callable[[], object]] = {}


def begun(place: Path, remove: Callable[[], object]) -> None:
    """Take note of a file or a folder that is not complete yet.

    Args:
        place: Its path; a later note on the same path replaces an earlier one.
        remove: Removes it; called by any thread, if at all, and may raise.
    """
    _removers[place] = remove


def ended(place: Path) -> None:
    """Forget a path: it is complete, or removed."""
    _removers.pop(place, None)


def remove_unfinished() -> None:
    """Remove everything that is not complete, the latest first."""
    for place in reversed(list(_removers)):
        remove = _removers.pop(place, None)
        if remove is not None:
            with contextlib.suppress(Exception):
                remove()


@contextlib.contextmanager
def temporary_folder() -> Iterator[Path]:
    """A folder among the system's temporary ones, removed when the block ends."""
    made = tempfile.TemporaryDirectory(prefix="unflicker-", ignore_cleanup_errors=True)
    place = Path(made.name)
    begun(place, made.cleanup)
    try:
        with made:
            yield place
    finally:
        ended(place)
