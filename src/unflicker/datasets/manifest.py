"""The manifest of a data set that we built: its files, their sources and hashes.

It is `manifest.json`, version 1 (docs/data-set.md describes every field). Its paths are relative to
its folder, so that a data set can be moved.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from unflicker.datasets.examples import Dataset, Example
from unflicker.errors import InputError
from unflicker.files.atomic import write_whole
from unflicker.files.json_text import parsed
from unflicker.video.picture_folder import pictures_in

NAME = "manifest.json"
FORMAT, VERSION = "unflicker data set", 1

Entry = dict[str, Any]
"""One object of the manifest, for a clip or an example."""


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a folder.

    Raises:
        InputError: There is none, or it has another format or version.
    """
    place = folder / NAME
    try:
        content = parsed(place.read_text(encoding="utf-8"))
    except (OSError, ValueError) as fault:
        raise InputError(f"{place} cannot be read: {fault}; build the data set again") from fault
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise InputError(f"{place} is no manifest of unflicker; name a folder that it built")
    if content.get("version") != VERSION:
        raise InputError(
            f"{place} is of version {content.get('version')}, this program reads {VERSION}; "
            "build the data set again, or use the program that built it"
        )
    return content


def write_manifest(folder: Path, content: dict[str, Any]) -> None:
    """Write the manifest, completely or not at all.

    Args:
        folder: Of the data set.
        content: As from `read_manifest`.

    Raises:
        OutputError: The disk is full or the folder cannot be written.
    """
    text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
    write_whole(folder / NAME, text)


def built_dataset(folder: Path, *, names: set[str] | None = None) -> Dataset:
    """The data set that a manifest describes.

    Args:
        folder: Of the data set.
        names: Names of the examples to include; None for all.

    Raises:
        InputError: The manifest has another format, or lacks a field.
    """
    content = read_manifest(folder)
    try:
        clips = {clip["name"]: clip for clip in content["clips"]}
        # In the order of the clips, not of building.
        entries = sorted(content["examples"], key=lambda made: list(clips).index(made["clip"]))
        examples = [_example(folder, made, clips[made["clip"]]) for made in entries]
    except (KeyError, TypeError, ValueError) as fault:
        raise InputError(
            f"{folder / NAME} lacks {fault}; build the data set again in another folder"
        ) from fault
    wanted = [example for example in examples if names is None or example.name in names]
    return Dataset(name="synthetic", folder=folder, examples=tuple(wanted))


def file_hash(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def source_hash(path: Path) -> str:
    """SHA-256 of a film's file, or of the hashes of a folder's pictures in order."""
    if path.is_file():
        return file_hash(path)
    hashes = "".join(file_hash(picture) for picture in pictures_in(path))
    return hashlib.sha256(hashes.encode()).hexdigest()


def is_whole(folder: Path, entry: Entry, *, file: str) -> bool:
    """Whether the file of an entry exists and has its hash.

    Args:
        folder: Of the data set.
        entry: Of a clip or an example.
        file: The field of the entry with the file's path.
    """
    path = folder / entry[file]
    return path.is_file() and file_hash(path) == entry[f"{file}_sha256"]


def relative(path: Path, folder: Path) -> str:
    """A path as in the manifest: relative to its folder, with slashes.

    Args:
        path: Of a file.
        folder: Of the data set.
    """
    return Path(os.path.relpath(path, folder)).as_posix()


def _example(folder: Path, entry: Entry, clip: Entry) -> Example:
    category = entry.get("category", "synthetic")
    steady = folder / entry.get("truth", clip["truth"])
    return Example(
        name=entry["name"],
        clip=entry["clip"],
        category=category,
        kind=entry["kind"],
        video=folder / entry["video"],
        truth=None if category == "processed" else steady,
        original=steady if category == "processed" else None,
        fps=clip["fps"],
    )
