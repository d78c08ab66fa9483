"""The index of a batch: one table of all films, those with most flicker left first."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from unflicker.files.atomic import write_whole
from unflicker.report.style import filled

SCHEMA_VERSION = 1
_TEMPLATE = Path(__file__).parent / "index.html.j2"
_ORDER = ("failed", "damaged", "done", "skipped")


@dataclass(frozen=True, kw_only=True)
class Row:
    """A film in the index."""

    source: Path
    target: Path
    state: str
    """done, skipped, damaged (frames of the source were, or are missing) or failed."""
    about: str = ""
    """Kind of flicker, or why it failed."""
    frames: int = 0
    before: float = math.nan
    """Visible flicker, ΔE."""
    after: float = math.nan
    seconds: float = 0.0
    """How long the run took."""
    papers: tuple[tuple[str, Path], ...] = ()
    """Other files, with their names for people."""

    @property
    def removed(self) -> float | None:
        """Percentage of the visible flicker that was removed."""
        if not (math.isfinite(self.before) and math.isfinite(self.after)) or self.before <= 0:
            return None
        return 100.0 * (1.0 - self.after / self.before)


def write_index(rows: Sequence[Row], path: Path) -> None:
    """Write the index, as a page or as JSON, by the file's suffix.

    Args:
        rows: Of all films.
        path: Of the file.

    Raises:
        OutputError: It cannot be written.
    """
    ordered = sorted(rows, key=_rank)
    if path.suffix.lower() == ".json":
        write_whole(path, f"{_as_json(ordered)}\n")
        return
    counts = [(state, sum(row.state == state for row in rows)) for state in _ORDER]
    html = filled(
        _TEMPLATE,
        rows=ordered,
        counts=[(state, number) for state, number in counts if number],
        link=lambda place: _link(place, path.parent),
        frames=sum(row.frames for row in rows),
        seconds=sum(row.seconds for row in rows),
    )
    write_whole(path, html)


def _rank(row: Row) -> tuple[int, float, str]:
    """Failures first, then what flickers most."""
    state = _ORDER.index(row.state)
    left = row.after if math.isfinite(row.after) else -1.0
    return (0 if state == 0 else 1, -left, str(row.source))


def _link(place: Path, folder: Path) -> str:
    """A link from a page to a file."""
    return quote(Path(os.path.relpath(place, folder)).as_posix())


def _as_json(rows: Sequence[Row]) -> str:
    content = {"schema_version": SCHEMA_VERSION, "films": [_film(row) for row in rows]}
    return json.dumps(content, indent=2, ensure_ascii=False)


def _film(row: Row) -> dict[str, Any]:
    return {
        "source": str(row.source),
        "output": str(row.target) if row.state != "failed" else None,
        "state": row.state,
        "about": row.about,
        "frames": row.frames,
        "visible_flicker_delta_e": {
            "before": row.before if math.isfinite(row.before) else None,
            "after": row.after if math.isfinite(row.after) else None,
        },
        "wall_seconds": row.seconds,
        "files": [{"what": what, "path": str(path)} for what, path in row.papers],
    }
