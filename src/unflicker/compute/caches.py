"""Cache folders, for files that can be made again: compiled code, a list of fonts.

They are in the user's cache folder, else in a private folder of the temporary folder, else there is
none. This is the only module that reads the environment for it.
"""

from __future__ import annotations

import os
import stat
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

_NAME = "unflicker"
_OTHERS_MAY_WRITE = stat.S_IWGRP | stat.S_IWOTH


def cache_folder(environment: Mapping[str, str] = os.environ) -> Path | None:
    """A folder that only this user may write; None where there is none.

    Args:
        environment: Environment variables; `XDG_CACHE_HOME` names the folder of caches, else it is
            in the user's home.
    """
    return next((place for place in _candidates(environment) if is_usable(place)), None)


def is_usable(folder: Path, *, shared: bool = False) -> bool:
    """Whether files can be made in a folder; a missing folder is made, with its parents.

    Args:
        folder: The folder to test.
        shared: Whether it may belong to other users, or be writable by them. Code that others could
            have put there must not be run.
    """
    try:
        folder.mkdir(mode=0o777 if shared else 0o700, parents=True, exist_ok=True)
        if not shared and not _is_private(folder):
            return False
        tempfile.TemporaryFile(dir=folder).close()
    except OSError:
        return False
    return True


def _candidates(environment: Mapping[str, str]) -> list[Path]:
    kept = _users_caches(environment)
    places = [] if kept is None else [kept / _NAME]
    try:
        temporary = Path(tempfile.gettempdir())
    except OSError:
        return places
    if temporary == Path.cwd():  # the last resort of Python, where the user's films lie
        return places
    user = os.geteuid() if hasattr(os, "geteuid") else "cache"
    return [*places, temporary / f"{_NAME}-{user}"]


def is_home_writable(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether programs can write the usual folders of settings and caches."""
    home = _home()
    if home is None:
        return False
    usual = (("XDG_CONFIG_HOME", ".config"), ("XDG_CACHE_HOME", ".cache"))
    return all(_can_be_made(Path(environment.get(said) or home / name)) for said, name in usual)


def _users_caches(environment: Mapping[str, str]) -> Path | None:
    """The usual folder of this user's caches on this system."""
    said = environment.get("LOCALAPPDATA" if sys.platform == "win32" else "XDG_CACHE_HOME", "")
    if Path(said).is_absolute():
        return Path(said)
    home = _home()
    return home and home / ("Library/Caches" if sys.platform == "darwin" else ".cache")


def _home() -> Path | None:
    """The user's home, if it exists; a missing one must not be made."""
    try:
        home = Path.home()
    except RuntimeError:
        return None
    return home if home.is_absolute() and home.is_dir() else None


def _can_be_made(folder: Path) -> bool:
    """Whether a folder could be made or, where it exists, files in it."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)


def _is_private(folder: Path) -> bool:
    """Whether a folder belongs to this user, and others cannot write to it."""
    if not hasattr(os, "geteuid"):
        return True
    found = folder.lstat()
    ours = stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()
    return ours and not found.st_mode & _OTHERS_MAY_WRITE
