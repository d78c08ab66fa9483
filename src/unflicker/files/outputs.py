"""Refuses outputs that would replace an input, another output, or an existing file.

Paths are compared by the file behind them, so links, hard links and other spellings of a name are
recognised. Everything is checked before the first file is opened for writing.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
import unicodedata
from collections.abc import Hashable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from unflicker.errors import OutputError, UsageError
from unflicker.files import unfinished
from unflicker.files.remote import RemotePath, as_path
from unflicker.settings import Settings

PICTURE_ENDINGS = (".png", ".tif", ".tiff", ".jpg", ".jpeg", ".exr", ".dpx")
"""Suffixes of frames in a folder that is read as a film."""
_LONGEST_NAME_BYTES = 255
_ENDED = ("Z", "X")
"""States of a process in /proc: it waits for its parent, or is being removed."""
_STREAMS = ("/dev/stdin", "/dev/stdout", "/dev/stderr", "/dev/fd/", "/proc/self/fd/")
_LOG_LINE = re.compile(rb"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} [A-Z]+ unflicker")
"""The start of a line in our log files."""


@dataclass(frozen=True, kw_only=True)
class Read:
    """A file that a run reads, or a folder with the pictures in it, without subfolders."""

    path: Path
    what: str
    """Name for people, such as `the mask`."""


@dataclass(frozen=True, kw_only=True)
class Written:
    """A file that a run writes, or a folder."""

    path: Path
    what: str
    """Name for people, such as `the report`."""
    option: str = "-o"
    """The option of the command line that sets its path."""
    folder: bool = False
    """Whether it is a folder of files."""
    completes: bool = False
    """Whether it may exist already: it is resumed, or checked later."""
    appends: bool = False
    """Whether it is a log, which is appended to an earlier one."""
    of: Path | None = None
    """The film that it is made from, where there are several."""

    def __str__(self) -> str:
        """Its name for people, with its path."""
        return f"{self.what} {self.path}" + (f" of {self.of}" if self.of else "")

    @property
    def nameless(self) -> str:
        """Its name for people, without its path."""
        return self.what + (f" of {self.of}" if self.of else "")


def named(what: str, *paths: str | Path | None) -> list[Read]:
    """The given paths as files that are read.

    Args:
        what: Name for people, such as `the mask`.
        paths: Files or folders; None and empty ones are left out.
    """
    return [Read(path=as_path(path), what=what) for path in paths if path]


def folders_in(folder: Path, *names: str) -> list[Written]:
    """Folders that a run makes or completes in another folder.

    Args:
        folder: The folder around them.
        names: Their names in it.
    """
    return [
        Written(path=folder / name, what="the folder", folder=True, completes=True)
        for name in names
    ]


def companions(
    settings: Settings,
    *,
    mask: str | Path | None = None,
    original: str | Path | None = None,
    plan: str | Path | None = None,
) -> list[Read]:
    """The files that a run reads besides its film.

    Args:
        settings: Of the run; they may name files of weights.
        mask: The mask, if there is one.
        original: The steady original, if there is one.
        plan: The plan to follow, if there is one.
    """
    weights = (settings.neural_filter.weights, settings.refinement.weights)
    return [
        *named("the mask", mask),
        *named("the original", original),
        *named("the plan", plan),
        *named("the weights", *weights),
    ]


def refuse_loss(reads: Iterable[Read], writes: Sequence[Written], *, overwrite: bool) -> None:
    """Refuse a run, before it has written anything, that would replace a file of the user's.

    Args:
        reads: All files that the run reads.
        writes: All files that it writes; a device such as `/dev/null` is allowed.
        overwrite: Whether existing outputs may be replaced; inputs never are.

    Raises:
        UsageError: Two outputs would become one file.
        OutputError: An output is an input, or exists already, or cannot be written there.
    """
    kept = [output for output in writes if not is_device(output.path)]
    _refuse_inputs(list(reads), kept)
    _refuse_two_alike(kept)
    for output in kept:
        if not is_stream(output.path):
            if not isinstance(output.path, RemotePath):
                _refuse_place(output)
            _refuse_existing(output, overwrite=overwrite)


def hidden_name(path: Path, ending: str) -> Path:
    """A hidden path in the same folder, its name cut where a file system would refuse it.

    Args:
        path: Whose name it begins with.
        ending: Put after that name; there is room for `.part` after it.
    """
    room = _LONGEST_NAME_BYTES - len(os.fsencode(ending)) - len(".") - len(".part")
    name = os.fsencode(path.name)[:room].decode(errors="ignore")
    return path.with_name(f".{name}{ending}")


def fitting(path: Path, ending: str) -> Path:
    """A path with an ending after its name, which is cut where a file system would refuse it.

    Args:
        path: The path without ending.
        ending: Put after its name.
    """
    room = _LONGEST_NAME_BYTES - len(os.fsencode(ending))
    name = os.fsencode(path.name)
    short = path.name if len(name) <= room else name[:room].decode(errors="ignore")
    return path.with_name(f"{short}{ending}")


def is_running(process: int) -> bool:
    """Whether there is a process of this number on this machine, and has not ended.

    One that has ended keeps its number until its parent asks; in a container it may keep it for
    ever.
    """
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    with contextlib.suppress(OSError, IndexError):
        state = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2]
        return state.split()[0] not in _ENDED
    return True


def is_stream(path: str | Path) -> bool:
    """Whether a path is a stream, as `/dev/stdout` or a pipe, and not a file."""
    text = os.fspath(path)
    return is_device(path) or text in _STREAMS or text.startswith(_STREAMS[-2:])


def is_device(path: str | Path) -> bool:
    """Whether a path exists and is neither a file nor a folder, as `/dev/null`."""
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError):
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)


@contextmanager
def made_folder(folder: Path) -> Iterator[None]:
    """Make a folder with its parents; after an exception the empty ones are removed again.

    Raises:
        OutputError: The folder cannot be made.
    """
    if isinstance(folder, RemotePath):
        yield
        return
    missing = [place for place in (folder, *folder.parents) if not place.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        _remove_empty(missing)
        raise OutputError(
            f"{folder} cannot be written: the folder cannot be made, "
            f"{os.strerror(fault.errno or 0)}; choose another place"
        ) from fault
    unfinished.begun(folder, lambda: _remove_empty(missing))
    try:
        yield
    except BaseException:
        _remove_empty(missing)
        raise
    finally:
        unfinished.ended(folder)


def _remove_empty(folders: Iterable[Path]) -> None:
    """Remove empty folders, the innermost first."""
    with contextlib.suppress(OSError):
        for folder in filter(Path.exists, folders):
            folder.rmdir()


def _refuse_inputs(reads: list[Read], writes: list[Written]) -> None:
    found = {_identity(source.path): source for source in reads}
    folders = {_identity(source.path): source for source in reads if source.path.is_dir()}
    around = {
        _identity(parent): source
        for source in reversed(reads)
        for parent in Path(os.path.realpath(source.path)).parents
    }
    for output in writes:
        own = _identity(output.path)
        source = found.get(own) or (around.get(own) if output.folder else None)
        source = source or _with_a_frame_of(output, folders)
        if source is None:
            continue
        where = "is the input itself" if own in found else "is among the input"
        where = "holds the input" if own in around and own not in found else where
        raise OutputError(
            f"{output} {where}, {source.what} {source.path}, which is never "
            f"replaced; choose another name with {output.option}"
        )


def _with_a_frame_of(output: Written, folders: dict[Hashable, Read]) -> Read | None:
    """The folder of pictures of which an output is a frame, or would become one."""
    if output.folder or not folders:
        return None
    real = Path(os.path.realpath(output.path))
    if real.suffix.lower() in PICTURE_ENDINGS:
        inside = folders.get(_identity(real.parent))
        if inside is not None:
            return inside
    if not real.is_file() or real.stat().st_nlink < 2:
        return None
    own = _identity(output.path)
    for source in folders.values():
        with os.scandir(source.path) as entries:
            if any(_identity(entry.path) == own for entry in entries):
                return source
    return None


def _refuse_two_alike(writes: list[Written]) -> None:
    seen: dict[Hashable, Written] = {}
    files: dict[Hashable, Written] = {}
    for output in writes:
        own = _identity(output.path)
        other = seen.setdefault(own, output)
        if not output.folder:
            files[own] = output
        if other is not output:
            raise UsageError(
                f"{other.nameless} and {output.nameless} would both become {output.path}; "
                f"choose another name for one of them with {output.option}"
            )
    for output in writes:
        for parent in Path(os.path.realpath(output.path)).parents:
            if holder := files.get(_identity(parent)):
                raise UsageError(
                    f"{output} would lie in {holder}, which "
                    f"is a file; choose another name with {output.option}"
                )


def _refuse_place(output: Written) -> None:
    """Refuse an output whose folder cannot be made or written."""
    path = output.path
    if len(os.fsencode(path.name)) > _LONGEST_NAME_BYTES:
        raise OutputError(
            f"{output.nameless} would have a name of {len(os.fsencode(path.name))} bytes, files "
            f"may have {_LONGEST_NAME_BYTES}; choose another name with {output.option}"
        )
    folder = Path(os.path.realpath(path.parent))
    if path.is_dir() and not output.folder:
        raise OutputError(
            f"{output} is a folder, a file is to be written; name a file with {output.option}"
        )
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    if not folder.is_dir():
        raise OutputError(
            f"{output} cannot be written: {folder} is not a folder; "
            f"choose another place with {output.option}"
        )
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OutputError(
            f"{output} cannot be written: no permission to write in {folder}; "
            f"choose another place with {output.option}"
        )


def _refuse_existing(output: Written, *, overwrite: bool) -> None:
    if isinstance(output.path, RemotePath):
        _refuse_remote(output, overwrite=overwrite)
        return
    path = output.path if os.path.lexists(output.path) else Path(os.path.realpath(output.path))
    if output.appends:
        if path.exists() and not _is_log(path):
            raise OutputError(
                f"{output} exists and is not a log of ours, so it is not appended to; "
                f"choose another name with {output.option}"
            )
        return
    if overwrite or output.completes or not os.path.lexists(path):
        return
    if output.folder and path.is_dir() and not any(path.iterdir()):
        return
    raise OutputError(
        f"{output} is already there; pass --overwrite to replace it, "
        f"or another name with {output.option}"
    )


def _refuse_remote(output: Written, *, overwrite: bool) -> None:
    if output.appends or (output.path.exists() and not (overwrite or output.completes)):
        why = "cannot be appended to" if output.appends else "is already there"
        raise OutputError(f"{output} {why}; choose another name with {output.option}")


def _is_log(path: Path) -> bool:
    """Whether a file is empty or starts with a line of our logs."""
    try:
        with path.open("rb") as file:
            begin = file.read(200)
    except OSError as fault:
        raise OutputError(
            f"the log {path} cannot be appended to: {fault.strerror}; "
            "name another file with --log-file"
        ) from fault
    return not begin or _LOG_LINE.match(begin) is not None


def _identity(path: str | Path) -> Hashable:
    """A value that is equal for two paths if they lead, or would lead, to one file.

    A path may lead through a folder that does not exist yet, as `new/../film.mp4`.
    """
    real = os.path.realpath(path)
    try:
        found = os.stat(real)
    except (OSError, ValueError):
        return _spelt_alike(real)
    return found.st_dev, found.st_ino


def _spelt_alike(real: str) -> str:
    """The name of a file that does not exist yet, folded as the file system compares names."""
    place = Path(real)
    while not place.exists() and place != place.parent:
        place = place.parent
    other = place.with_name(place.name.swapcase()) if place.name else place
    if other.name == place.name or not other.exists() or not os.path.samefile(place, other):
        return real
    return unicodedata.normalize("NFC", real).casefold()
