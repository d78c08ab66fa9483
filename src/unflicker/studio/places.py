"""The folders in which films may be chosen; no path leads out of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from unflicker.batch.films import FILM_ENDINGS, is_picture_film
from unflicker.errors import UsageError

_MOST_ENTRIES = 2_000


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A folder or a film in a folder."""

    name: str
    path: str
    is_film: bool
    size: int = 0
    """Bytes of a file."""


class Places:
    """The folders that were named at the start."""

    def __init__(self, folders: Sequence[Path]) -> None:
        """Name the folders.

        Args:
            folders: May be none.

        Raises:
            UsageError: One is no folder.
        """
        self._roots = [folder.resolve() for folder in folders]
        for folder, root in zip(folders, self._roots, strict=True):
            if not root.is_dir():
                raise UsageError(f"{folder} is not a folder; name one that exists")

    def allow(self, folder: Path) -> None:
        """Let films be chosen in another folder, too."""
        if folder.resolve() not in self._roots:
            self._roots.append(folder.resolve())

    def inside(self, path: str) -> Path:
        """A path within the folders, with links followed.

        Args:
            path: As a browser sent it.

        Raises:
            UsageError: It leads out of them, or there is no file.
        """
        try:
            real = Path(path).resolve()
            exists = real.exists()
        except (OSError, ValueError, RuntimeError) as fault:
            raise UsageError("this is no path; choose one from the list") from fault
        if not any(real == root or root in real.parents for root in self._roots):
            raise UsageError(
                "this path is outside the folders that the studio was started with; "
                "start it with: unflicker studio FOLDER"
            )
        if not exists:
            raise UsageError("there is nothing at this path any more; choose from the list")
        return real

    def listed(self, path: str = "") -> tuple[str, list[Entry]]:
        """The folders and films in a folder; those that were named, for no path.

        Args:
            path: As a browser sent it.

        Returns:
            The folder above, empty at the top; and the entries, folders first.

        Raises:
            UsageError: The path leads out, or the folder cannot be read.
        """
        if not path:
            return "", [Entry(name=str(r), path=str(r), is_film=False) for r in self._roots]
        folder = self.inside(path)
        try:
            children = sorted(folder.iterdir(), key=lambda child: child.name.casefold())
        except OSError as fault:
            raise UsageError(
                f"{folder} cannot be read: {fault.strerror}; choose another"
            ) from fault
        entries = [
            entry for child in children[:_MOST_ENTRIES] if (entry := self._entry(child)) is not None
        ]
        above = "" if folder in self._roots else str(folder.parent)
        return above, sorted(entries, key=lambda entry: entry.is_film)

    def _entry(self, child: Path) -> Entry | None:
        if child.name.startswith("."):
            return None
        try:
            self.inside(str(child))
            if child.is_dir():
                film = is_picture_film(child)
                return Entry(name=child.name, path=str(child), is_film=film)
            if child.suffix.lower() in FILM_ENDINGS:
                size = child.stat().st_size
                return Entry(name=child.name, path=str(child), is_film=True, size=size)
        except (OSError, UsageError):
            return None
        return None
