"""Builds a data set of synthetic flicker: steady clips, each with every kind of flicker.

Intact files are not built again, so a build that was stopped, or gets more kinds, is resumed.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from unflicker.datasets.examples import Dataset
from unflicker.datasets.manifest import (
    FORMAT,
    NAME,
    VERSION,
    Entry,
    built_dataset,
    file_hash,
    is_whole,
    read_manifest,
    relative,
    source_hash,
    write_manifest,
)
from unflicker.datasets.reading import films_in, read_clip
from unflicker.errors import InputError, UsageError
from unflicker.files.json_text import parsed
from unflicker.frames.clip import Clip
from unflicker.progress import Progress, Report, silent
from unflicker.settings import EncodingSettings
from unflicker.synthesis import (
    ADDED_KINDS,
    KINDS,
    SIMULATED_KINDS,
    category_of,
    simulated,
    synthesise,
)
from unflicker.video import ArraySource, open_writer
from unflicker.video.target import disk_error

MADE_KINDS = (*KINDS, *ADDED_KINDS)
"""Every kind of synthetic flicker: our eight, and the paper's three."""
ALL_KINDS = (*MADE_KINDS, *SIMULATED_KINDS)
"""These, and those whose cause is simulated."""
_LICENCES = "licences.json"
_LOSSLESS = EncodingSettings(codec="ffv1")
_SEEDS = 10_000
_MAY_GROW = ("kinds", "names", "seeds")
"""Parts of a recipe that an existing data set may get more of."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """The examples to make from each clean clip."""

    kinds: tuple[str, ...] = MADE_KINDS
    """Of `ALL_KINDS`."""
    names: tuple[str, ...] = ()
    """Clips by file name without suffix; empty for all."""
    width_px: int = 640
    """Wider clips are downscaled to this."""
    frames: int = 48
    """Frames from the beginning of each clip."""
    strength: float = 1.0
    """Factor on all flicker."""
    seeds: int = 1
    """Draws of each kind on each clip."""

    @property
    def draws(self) -> tuple[tuple[str, int], ...]:
        """Kinds with the number of their draw, from 0; all kinds once before any twice."""
        return tuple((kind, draw) for draw in range(self.seeds) for kind in self.kinds)

    def __post_init__(self) -> None:
        """Refuse unknown kinds, and numbers out of range.

        Raises:
            UsageError: A kind is unknown, or a number out of range.
        """
        unknown = [kind for kind in self.kinds if kind not in ALL_KINDS]
        if unknown or not self.kinds:
            wrong = f"unknown flicker {unknown[0]!r}" if unknown else "no kind of flicker"
            raise UsageError(f"{wrong}; there are {', '.join(ALL_KINDS)}")
        if min(self.width_px - 15, self.frames, self.seeds) < 1 or not self.strength >= 0:
            raise UsageError(
                f"clips of {self.frames} frames, {self.width_px} px wide, of strength "
                f"{self.strength}, {self.seeds} draws; pass at least 1 frame, 16 px, a strength "
                "of 0 and 1 draw"
            )


def build_dataset(
    clean: Path, out: Path, *, recipe: Recipe | None = None, progress: Report = silent
) -> Dataset:
    """Add synthetic flicker to clean clips; both are stored losslessly, with a manifest.

    Args:
        clean: A folder of steady films, or of folders of pictures. `licences.json` in it may give
            the licence of each by name.
        out: Folder of the data set; an existing one is completed.
        recipe: The examples to make.
        progress: Called after each file; may cancel.

    Returns:
        The examples of the recipe, existing ones included.

    Raises:
        InputError: There are no such clips, or one cannot be read.
        UsageError: The folder holds a data set of another size or strength.
        OutputError: The disk is full or the folder cannot be written.
    """
    recipe = recipe or Recipe()
    films = _chosen(clean, recipe.names)
    content = _begun(out, recipe)
    licences = _licences(clean)
    wanted, total = set[str](), len(films) * (1 + len(recipe.draws))
    for place, (name, path) in enumerate(films.items()):
        clip = _Source(name=name, path=path, licence=licences.get(name, "not stated"))
        for step, made in enumerate(_made(clip, out, content=content, recipe=recipe)):
            wanted.add(made)
            done = place * (1 + len(recipe.draws)) + step + 1
            progress(Progress(stage=f"build {name}", done=done, total=total))
    return built_dataset(out, names=wanted)


def seed_of(name: str, *, draw: int = 0) -> int:
    """The seed of a clip, so that its flicker is the same in any selection.

    Args:
        name: Of the clip.
        draw: Number of the draw, from 0.
    """
    return zlib.crc32(name.encode(errors="surrogateescape")) % _SEEDS + draw * _SEEDS


def example_name(clip: str, kind: str, *, draw: int = 0) -> str:
    """The name of a synthetic example: "apple/w3", and "apple/w3.2" for its second draw.

    Args:
        clip: Name of the clip.
        kind: Of flicker.
        draw: Number of the draw, from 0.
    """
    return f"{clip}/{kind}" + (f".{draw + 1}" if draw else "")


@dataclass(frozen=True, kw_only=True)
class _Source:
    name: str
    path: Path
    licence: str


def _chosen(clean: Path, names: tuple[str, ...]) -> dict[str, Path]:
    films = films_in(clean)
    missing = sorted(set(names) - set(films))
    if missing or not films:
        found = f"there are {', '.join(films)}" if films else "it has no film"
        what = f"no clip named {', '.join(missing)}" if missing else "nothing to build from"
        raise InputError(f"{what} in {clean}: {found}; name a folder of steady films")
    return {name: path for name, path in films.items() if not names or name in names}


def _begun(out: Path, recipe: Recipe) -> dict:
    """The existing manifest of the folder, or a new one."""
    same = {name: value for name, value in asdict(recipe).items() if name not in _MAY_GROW}
    if (out / NAME).exists():
        content = read_manifest(out)
        found = {name: content.get(name) for name in same}
        if found != same:
            raise UsageError(
                f"{out} holds a data set of {found}, asked for was {same}; "
                "name another folder, or ask for the same"
            )
        return content
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise disk_error(out, fault) from fault
    return {"format": FORMAT, "version": VERSION, **same, "clips": [], "examples": []}


def _made(clip: _Source, out: Path, *, content: dict, recipe: Recipe) -> Iterator[str]:
    """Write the missing files of a clip; yields its name, then that of each of its examples."""
    source = source_hash(clip.path)
    entry = _entry(content["clips"], clip.name)
    truth: Clip | None = None
    if entry is not None and entry["source_sha256"] != source:
        # Examples of another clip of that name are made again.
        content["examples"] = [made for made in content["examples"] if made["clip"] != clip.name]
        entry = None
    if entry is None or not is_whole(out, entry, file="truth"):
        truth = read_clip(clip.path, width_px=recipe.width_px, frames=recipe.frames)
        entry = _kept(truth, clip, source=source, out=out)
        _replace(content["clips"], entry)
        write_manifest(out, content)
    yield clip.name
    for kind, draw in recipe.draws:
        name = example_name(clip.name, kind, draw=draw)
        made = _entry(content["examples"], name)
        files = ("video", "truth") if made is not None and "truth" in made else ("video",)
        if made is None or not all(is_whole(out, made, file=file) for file in files):
            truth = truth or read_clip(out / entry["truth"], width_px=recipe.width_px)
            flickering = _flickering(truth, name, kind=kind, draw=draw, out=out, recipe=recipe)
            _replace(content["examples"], flickering)
            write_manifest(out, content)
        yield name


def _kept(truth: Clip, clip: _Source, *, source: str, out: Path) -> Entry:
    """Write the clean clip, and return its entry in the manifest."""
    file = out / "clips" / clip.name / "truth.mkv"
    _write(truth, file)
    return {
        "name": clip.name,
        "source": clip.path.name,
        "source_sha256": source,
        "licence": clip.licence,
        "frames": len(truth),
        "size": list(truth.pixels.shape[1:3]),
        "fps": rate_of(truth),
        "truth": relative(file, out),
        "truth_sha256": file_hash(file),
        "truth_pixels_sha256": _pixel_hash(truth),
    }


def _flickering(
    truth: Clip, name: str, *, kind: str, draw: int, out: Path, recipe: Recipe
) -> Entry:
    """Add flicker to a clip and write it; return its entry in the manifest."""
    clip, last = name.rsplit("/", 1)
    seed = seed_of(clip, draw=draw)
    if kind in SIMULATED_KINDS:
        return _simulated(truth, name, kind=kind, seed=seed, out=out, recipe=recipe)
    made = synthesise(truth, kind=kind, seed=seed, strength=recipe.strength)
    file = out / "clips" / clip / f"{last.replace(' ', '-')}.mkv"
    _write(made.clip, file)
    return {
        "name": name,
        "clip": clip,
        "kind": kind,
        "seed": made.seed,
        "strength": recipe.strength,
        "clipped": round(float(made.clipped.mean()), 5),
        "video": relative(file, out),
        "video_sha256": file_hash(file),
        "video_pixels_sha256": _pixel_hash(made.clip),
    }


def _simulated(clean: Clip, name: str, *, kind: str, seed: int, out: Path, recipe: Recipe) -> Entry:
    """Simulate flicker of a clip and write it, with its own ground truth where it has one."""
    clip, last = name.rsplit("/", 1)
    made = simulated(clean, kind=kind, seed=seed, strength=recipe.strength)
    file = out / "clips" / clip / f"{last.replace(' ', '-')}.mkv"
    _write(made.clip, file)
    entry = {
        "name": name,
        "clip": clip,
        "kind": kind,
        "category": category_of(kind),
        "seed": seed,
        "strength": recipe.strength,
        "video": relative(file, out),
        "video_sha256": file_hash(file),
        "video_pixels_sha256": _pixel_hash(made.clip),
    }
    if made.steady is not clean:
        own = file.with_name(f"{file.stem}-truth.mkv")
        _write(made.steady, own)
        entry |= {"truth": relative(own, out), "truth_sha256": file_hash(own)}
    return entry


def rate_of(clip: Clip) -> float:
    """Mean frames a second of a clip; 24 if it has one frame."""
    span = float(clip.seconds[-1] - clip.seconds[0]) if len(clip) > 1 else 0.0
    return round((len(clip) - 1) / span, 6) if span > 0 else 24.0


def _write(clip: Clip, file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    film = ArraySource(clip, name=file.stem)
    with open_writer(film, file, encoding=_LOSSLESS, overwrite=True) as writer:
        for frame in islice(film.frames(), len(clip)):
            writer.write(frame)


def _pixel_hash(clip: Clip) -> str:
    """SHA-256 of the samples, equal on any machine for equal clips."""
    return hashlib.sha256(np.ascontiguousarray(clip.pixels).tobytes()).hexdigest()


def _licences(clean: Path) -> dict[str, str]:
    place = clean / _LICENCES
    if not place.exists():
        return {}
    try:
        found = parsed(place.read_text(encoding="utf-8"))
        return {str(name): str(licence) for name, licence in found.items()}
    except (OSError, ValueError, AttributeError) as fault:
        raise InputError(
            f'{place} cannot be read: {fault}; write {{"name of a clip": "its licence"}}'
        ) from fault


def _entry(entries: list[Entry], name: str) -> Entry | None:
    return next((entry for entry in entries if entry["name"] == name), None)


def _replace(entries: list[Entry], entry: Entry) -> None:
    """Replace the entry of the same name, or append it."""
    names = [known["name"] for known in entries]
    if entry["name"] in names:
        entries[names.index(entry["name"])] = entry
    else:
        entries.append(entry)
