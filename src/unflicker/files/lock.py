"""Locks: one program at a time in a folder; the system gives a lock back however a program ends."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None


class HeldError(Exception):
    """Another program holds the lock; its text is the number of that process."""


def locked(path: Path) -> IO[str] | None:
    """Take a lock, until the file is closed or this process ends.

    Args:
        path: A file, made if it is not there, in which the number of this process is written.

    Returns:
        The open file; None where the system or the file system has no locks.

    Raises:
        HeldError: Another program has it.
        OSError: The file cannot be made.
    """
    if fcntl is None:
        return None
    file = path.open("a+", encoding="ascii")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as fault:
        file.seek(0)
        other = file.read().strip()
        file.close()
        raise HeldError(other) from fault
    except OSError:  # a file system without locks
        file.close()
        return None
    file.truncate(0)
    file.write(f"{os.getpid()}\n")
    file.flush()
    return file
