"""Films that come from a browser in pieces; an interrupted upload continues where it stopped."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import threading
from dataclasses import dataclass
from pathlib import Path

from unflicker.errors import OutputError, UsageError
from unflicker.files.atomic import write_whole
from unflicker.files.json_text import parsed

PIECE_BYTES = 8 << 20
"""A piece may be so large."""
_LONGEST_NAME_BYTES = 180
_SPARE_BYTES = 1 << 30
"""Space of the disk that uploads leave."""
_UNSAFE = '<>:"/\\|?*'


@dataclass(frozen=True, kw_only=True)
class Upload:
    """An upload in progress, or complete."""

    upload: str
    """Its name in addresses."""
    name: str
    size: int
    offset: int
    """Bytes that have arrived."""
    film: Path | None = None
    """The file, once complete."""


class Uploads:
    """The files that were uploaded to a library, and those that are on their way."""

    def __init__(self, folder: Path, *, most_bytes: int | None = None) -> None:
        """Prepare.

        Args:
            folder: For the files.
            most_bytes: Size of a film at most; None for what fits on the disk.
        """
        self._folder, self._most = folder, most_bytes
        self._locks: dict[str, threading.Lock] = {}
        self._guard = threading.Lock()

    def begin(self, name: str, *, size: int, changed: str) -> Upload:
        """Begin an upload, or find where it stopped.

        Args:
            name: Of the file, as the browser gives it.
            size: In bytes.
            changed: When the file was last changed; with name and size it identifies the file.

        Raises:
            UsageError: It is empty, or too large.
        """
        if size <= 0:
            raise UsageError(f"{name} has no content; choose a film")
        token = hashlib.sha256(json.dumps([name, size, changed]).encode()).hexdigest()[:24]
        there = self._find(token)
        if there is not None:
            return there
        free = shutil.disk_usage(self._folder.parent).free - _SPARE_BYTES
        most = free if self._most is None else min(free, self._most)
        if size > most:
            raise UsageError(
                f"{name} has {size / 1e9:.1f} GB, and {max(most, 0) / 1e9:.1f} GB are accepted; "
                "put it into a folder of this machine, and start the studio with that folder"
            )
        told = {"name": _safe(name), "size": size}
        write_whole(self._folder / token / "upload.json", json.dumps(told).encode())
        (self._folder / token / "part").touch()
        return Upload(upload=token, name=told["name"], size=size, offset=0)

    def add(self, token: str, *, offset: int, piece: bytes) -> Upload:
        """Append a piece; one that has arrived already changes nothing.

        Args:
            token: Name of the upload.
            offset: Where the piece begins.
            piece: At most `PIECE_BYTES`.

        Raises:
            UsageError: There is no such upload, or a piece is missing or too large.
            OutputError: The disk is full.
        """
        with self._lock(token):
            upload = self._find(token)
            if upload is None:
                raise UsageError("there is no such upload; begin it again")
            fits = len(piece) <= PIECE_BYTES and offset + len(piece) <= upload.size
            if offset > upload.offset or not fits:
                raise UsageError(
                    f"a piece of {len(piece)} bytes at {offset} of {upload.name}, of which "
                    f"{upload.offset} have arrived; go on there"
                )
            if upload.film is None and offset + len(piece) > upload.offset:
                self._append(token, piece[upload.offset - offset :])
            found = self._find(token)
            assert found is not None
            return self._completed(found) if found.offset == found.size else found

    def _append(self, token: str, piece: bytes) -> None:
        try:
            with (self._folder / token / "part").open("ab") as file:
                file.write(piece)
        except OSError as fault:
            raise OutputError(f"the upload cannot be stored: {fault.strerror}") from fault

    def _completed(self, upload: Upload) -> Upload:
        place = self._folder / upload.upload
        if upload.film is None:
            os.replace(place / "part", place / upload.name)
        return Upload(
            upload=upload.upload,
            name=upload.name,
            size=upload.size,
            offset=upload.size,
            film=place / upload.name,
        )

    def _find(self, token: str) -> Upload | None:
        if not token.isalnum():
            return None
        place = self._folder / token
        try:
            told = parsed((place / "upload.json").read_text(encoding="utf-8"))
            film = place / told["name"]
            whole = film.is_file()
            arrived = film.stat().st_size if whole else (place / "part").stat().st_size
        except (OSError, ValueError, KeyError):
            return None
        return Upload(
            upload=token,
            name=told["name"],
            size=told["size"],
            offset=arrived,
            film=film if whole else None,
        )

    def _lock(self, token: str) -> threading.Lock:
        with self._guard:
            return self._locks.setdefault(token, threading.Lock())


def _safe(name: str) -> str:
    """A name for a file on any system, from a browser's."""
    kept = "".join(" " if sign in _UNSAFE or not sign.isprintable() else sign for sign in name)
    stem, dot, ending = kept.strip(" .").rpartition(".")
    if not dot:
        stem, ending = ending, ""
    room = _LONGEST_NAME_BYTES - len(ending.encode())
    short = stem.encode()[: max(room, 1)].decode(errors="ignore").strip() or "film"
    return f"{short}{dot}{ending}" if len(ending) < 12 else short
