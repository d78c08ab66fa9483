"""The workspace of a run: a folder in which finished parts wait until the whole is done.

A run that is killed leaves its workspace behind. The next run with the same key, that is of the
same input with the same settings, takes the parts that it finds and makes the others. Each part is
written completely or not at all.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from unflicker.errors import OutputError
from unflicker.files import stored, unfinished
from unflicker.files.atomic import write_whole
from unflicker.files.json_text import parsed
from unflicker.files.lock import HeldError, locked
from unflicker.files.outputs import hidden_name
from unflicker.files.parts import discard

_MANIFEST, _LOCK = "manifest.json", "lock"
_SAMPLES, _SAMPLE_BYTES = 64, 1 << 16
_ENDING = ".unflicker-work"


class Workspace:
    """Finished parts of one run, by name; a context manager.

    When the block ends without exception the folder is removed. Otherwise it is kept if a segment
    is finished, and the exception gets a note that says so.
    """

    def __init__(
        self, folder: Path, key: Mapping[str, Any], *, keep: bool = False, continues: bool = True
    ) -> None:
        """Prepare a workspace; nothing is made yet.

        Args:
            folder: Its path.
            key: What the parts depend on, as JSON takes it.
            keep: Whether it is kept when the work is done.
            continues: Whether a run can use such parts; if not, they are always removed.
        """
        self.folder = folder
        self.notes: tuple[str, ...] = ()
        """What became of an earlier run's parts, for the user."""
        self._key = json.loads(json.dumps(key))
        self._keep, self._continues = keep and continues, continues
        self._locked: IO[str] | None = None

    def __enter__(self) -> Workspace:
        """Make the folder, or take that of an earlier run with the same key.

        Raises:
            OutputError: It cannot be made, or a running program works in it.
        """
        unfinished.begun(self.folder, self._remove_useless)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as fault:
            raise OutputError(
                f"the workspace {self.folder} cannot be made: {fault.strerror}; "
                "name another place with --work-dir"
            ) from fault
        self._lock()
        before = self._manifest()
        if not self._continues:
            self._clear()
        elif before is not None and before != self._key:
            self._clear()
            changed = ", ".join(sorted(_different(before, self._key)))
            self.notes = (
                f"an interrupted run was found, but not continued: other {changed}; started over",
            )
        elif before is not None and self.segments:
            self.notes = (f"continued an interrupted run: {_counted(self.segments)} finished",)
        write_whole(self.folder / _MANIFEST, json.dumps(self._key, indent=1) + "\n")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Remove the folder, unless an interrupted run can be continued with it."""
        useful = self._continues and self.segments > 0
        if not ((kind is None and self._keep) or (kind is not None and useful)):
            discard(self.folder)
        unfinished.ended(self.folder)
        if self._locked is not None:
            self._locked.close()
        if fault is not None and useful:
            fault.add_note(
                f"{_counted(self.segments)} finished and kept in {self.folder}; the same command "
                "continues there, or delete that folder"
            )

    @property
    def segments(self) -> int:
        """Number of finished segments."""
        return len(list(self.folder.glob("segments/*.measured")))

    def path(self, name: str) -> Path:
        """Where a part is, or is to be written; its folder is made."""
        place = self.folder / name
        place.parent.mkdir(exist_ok=True)
        return place

    def load(self, name: str) -> Any | None:
        """A part; None if it is not finished."""
        return stored.load(self.folder / name)

    def store(self, name: str, value: Any) -> None:
        """Keep a part.

        Args:
            name: Path within the folder.
            value: What `stored` can hold.

        Raises:
            OutputError: The disk is full or gone.
        """
        stored.store(self.path(name), value)

    def _manifest(self) -> dict[str, Any] | None:
        """The key of the run that left the folder; None for none, {} if it cannot be read."""
        place = self.folder / _MANIFEST
        if not place.exists():
            return None
        try:
            found = parsed(place.read_text())
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def _lock(self) -> None:
        """Take the folder, unless a running program has it; the system gives it back when this one
        ends, however it ends."""
        try:
            self._locked = locked(self.folder / _LOCK)
        except HeldError as fault:
            raise OutputError(
                f"another run (process {fault}) is working on the same result in {self.folder}; "
                "wait for it, or name another result with -o"
            ) from fault

    def _remove_useless(self) -> None:
        """Remove the folder, unless the same command could continue with it."""
        if not (self._continues and self.segments > 0):
            discard(self.folder)

    def _clear(self) -> None:
        for entry in self.folder.iterdir():
            if entry.name == _LOCK:
                continue
            if entry.is_dir():
                shutil.rmtree(entry, ignore_errors=True)
            else:
                entry.unlink(missing_ok=True)


def workspace_of(target: Path, *, beside: Path | None) -> Path:
    """The folder of a result's workspace.

    Args:
        target: The result.
        beside: Folder in which it is made; the result's own folder if None.
    """
    return hidden_name(target if beside is None else beside / target.name, _ENDING)


def content_key(path: Path) -> dict[str, Any]:
    """The size of a file and a hash of 64 pieces of it; of a folder, of the files in it.

    Of what is no file it is empty: who reads it will say so.
    """
    if path.is_dir():
        files = sorted(file for file in path.iterdir() if file.is_file())
        text = "".join(f"{file.name} {file.stat().st_size}\n" for file in files)
        some = [*files[:1], *files[len(files) // 2 :][:1], *files[-1:]]
        digest = hashlib.sha256(text.encode() + b"".join(_pieces(file) for file in some))
        return {"files": len(files), "hash": digest.hexdigest()}
    if not path.is_file():
        return {}
    return {"bytes": path.stat().st_size, "hash": hashlib.sha256(_pieces(path)).hexdigest()}


def _pieces(path: Path) -> bytes:
    """Pieces of a file at even distances, its beginning and its end among them."""
    last = max(path.stat().st_size - _SAMPLE_BYTES, 0)
    places = sorted({last * number // (_SAMPLES - 1) for number in range(_SAMPLES)})
    with path.open("rb") as file:
        found = []
        for place in places:
            file.seek(place)
            found.append(file.read(_SAMPLE_BYTES))
    return b"".join(found)


def _counted(segments: int) -> str:
    return "1 segment is" if segments == 1 else f"{segments} segments are"


def _different(one: Mapping[str, Any], other: Mapping[str, Any]) -> set[str]:
    """The names of a key's parts that differ, as people call them."""
    return {name for name in {*one, *other} if one.get(name) != other.get(name)}
