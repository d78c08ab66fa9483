"""The films that a call names: files, folders of pictures, folders of films, patterns, lists."""

from __future__ import annotations

import glob
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from unflicker.errors import InputError, UsageError
from unflicker.files.outputs import PICTURE_ENDINGS
from unflicker.files.remote import RemotePath, as_path
from unflicker.video.target import CONTAINERS, ENDING, default_target

_READ = """3g2 asf divx dv f4v gif m1v m2v m4p mj2 mod mpe mpv ogm ogv rm rmvb tod vob wmv y4m"""
FILM_ENDINGS = frozenset(CONTAINERS) | {f".{ending}" for ending in _READ.split()}
"""Suffixes by which films are recognised in a folder; a film that is named may have any."""
_FRAMES = 2
"""Pictures that make a folder a film, in a search; one may be a poster."""
_MAGIC = "*?["


@dataclass(frozen=True, kw_only=True)
class Film:
    """A film, and where it was found."""

    path: Path
    under: Path = Path()
    """Its folder within the one that was searched; its result is put into a folder of that name."""


def films_of(
    names: Sequence[str],
    *,
    listed: Path | None = None,
    recursive: bool = False,
    output: str | None = None,
) -> list[Film]:
    """The films that a call names, each once, in order.

    Args:
        names: Files, folders and patterns such as `*.mov`; a name that exists is no pattern.
        listed: A text file with more of them, a line each; `-` is standard input.
        recursive: Whether folders are searched with all their subfolders.
        output: Where results go; not searched.

    Raises:
        UsageError: None is named, or a folder has none.
        InputError: A pattern fits no file, or the list cannot be read.
    """
    everything = [*names, *(_lines(listed) if listed is not None else ())]
    if not everything:
        raise UsageError("no film is named; pass a file, a folder, or --list FILE")
    away = Path(output).resolve() if output else None
    found: dict[str, Film] = {}
    for name in everything:
        for film in _named(name, recursive=recursive, away=away):
            found.setdefault(os.path.abspath(film.path), film)
    return list(found.values())


def _named(name: str, *, recursive: bool, away: Path | None) -> Iterable[Film]:
    path = as_path(name)
    if isinstance(path, RemotePath):
        return [Film(path=path)]
    if not path.exists() and any(sign in name for sign in _MAGIC):
        return _matching(name)
    if not path.is_dir() or (not recursive and _pictures(path)):
        return [Film(path=path)]
    found = list(_searched(path, recursive=recursive, away=away))
    if not found:
        deeper = "" if recursive else "; --recursive also searches its subfolders"
        raise UsageError(f"no film and no picture is in the folder {path}{deeper}")
    return found


def _matching(pattern: str) -> Iterator[Film]:
    paths = sorted(glob.glob(pattern, recursive=True))
    if not paths:
        raise InputError(f"no file fits {pattern}; check the pattern")
    for path in paths:
        if not _is_result(Path(path)):
            yield Film(path=Path(path))


def _searched(folder: Path, *, recursive: bool, away: Path | None) -> Iterator[Film]:
    """The films in a folder, by name; hidden ones and our own results are passed over."""
    for place, subfolders, files in os.walk(folder):
        here = Path(place)
        subfolders[:] = sorted(
            name
            for name in subfolders
            if recursive and not name.startswith(".") and (here / name).resolve() != away
        )
        under = here.relative_to(folder)
        films = [name for name in sorted(files) if Path(name).suffix.lower() in FILM_ENDINGS]
        kept = [here / name for name in films if not name.startswith(".")]
        yield from (Film(path=path, under=under) for path in kept if not _is_result(path))
        if not kept and is_picture_film(here) and not _is_result(here):
            yield Film(path=here, under=under.parent if here != folder else under)


def is_picture_film(folder: Path) -> bool:
    """Whether a folder of pictures is a film, in a search."""
    return _pictures(folder) >= _FRAMES


def _pictures(folder: Path) -> int:
    """Number of pictures in a folder."""
    names = (entry.name for entry in os.scandir(folder) if entry.is_file())
    return sum(not n.startswith(".") and n.lower().endswith(PICTURE_ENDINGS) for n in names)


def _is_result(path: Path) -> bool:
    """Whether a film is the result of another one in its folder."""
    stem = path.stem if path.is_file() else path.name
    if not stem.endswith(ENDING):
        return False
    source = stem.removesuffix(ENDING)
    return any(default_target(other) == path for other in path.parent.glob(f"{source}*"))


def _lines(listed: Path) -> list[str]:
    """The names in a list; empty lines and those that begin with # are left out."""
    try:
        text = sys.stdin.read() if str(listed) == "-" else listed.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as fault:
        why = getattr(fault, "strerror", None) or "it is no text"
        raise InputError(f"the list {listed} cannot be read: {why}; pass a text file") from fault
    lines = (line.strip() for line in text.splitlines())
    names = [line for line in lines if line and not line.startswith("#")]
    if not names:
        raise InputError(f"the list {listed} names no film; write one name a line")
    return names
