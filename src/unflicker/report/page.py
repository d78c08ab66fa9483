"""The report of a run as one self-contained HTML file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from unflicker.files.atomic import write_whole
from unflicker.recording.record import Record
from unflicker.report import words
from unflicker.report.style import filled
from unflicker.settings import Settings, to_dict

_STILLS = 6
_REPAIRS_BYTES = 700_000
"""For the pictures of repairs, as base64."""
_TEMPLATE = Path(__file__).parent / "page.html.j2"


def write_page(record: Record, path: Path) -> None:
    """Write the page as one HTML file, under 3 MB.

    Args:
        record: Of a run.
        path: Of the file.

    Raises:
        OutputError: The file cannot be written.
    """
    write_whole(path, page(record))


def page(record: Record) -> str:
    """The page as HTML; what comes from the film (names, notes) is escaped."""
    from markupsafe import Markup

    from unflicker.report import pictures, plots

    changed = bool(record.correction_stops.any())
    return filled(
        _TEMPLATE,
        record=record,
        name=Path(record.source).name,
        headline=words.headline(record),
        facts=_facts(record),
        chosen=_chosen(record),
        shots=[(number, shot, _times(shot, record)) for number, shot in enumerate(record.shots)],
        kind_of=words.kind_of,
        stills=pictures.embedded(pictures.chosen_stills(record, count=_STILLS)),
        light=Markup(plots.light_plot(record)),
        heat=Markup(plots.heat_plot(record)) if changed else None,
        moments=Markup(plots.moment_plots(record)) if changed else None,
        repairs=Markup(plots.repairs_plot(record)) if any(record.repaired.counts) else None,
        repaired=pictures.embedded(record.repaired.stills, bytes_at_most=_REPAIRS_BYTES),
    )


def _times(shot: Any, record: Record) -> tuple[str, str]:
    last = min(shot.stop, len(record.seconds)) - 1
    return words.clock(float(record.seconds[shot.start])), words.clock(float(record.seconds[last]))


def _chosen(record: Record) -> dict[str, Any]:
    """The settings whose values are not the defaults."""
    defaults = to_dict(Settings())
    return {
        name: value
        for name, value in record.settings.items()
        if name not in defaults or value != defaults[name]
    }


def _facts(record: Record) -> list[tuple[str, str, str]]:
    """The numbers at the top: value, unit, what it is."""
    removed = words.share_removed(record)
    strongest = float(np.abs(record.correction_stops).max(initial=0.0))
    length = float(record.seconds[-1] - record.seconds[0])
    facts = [
        (words.number(record.visible_flicker_before), "ΔE", "visible flicker before"),
        (words.number(record.visible_flicker_after), "ΔE", "visible flicker after"),
        (words.number(strongest), "stops", "strongest correction"),
        (str(len(record.seconds)), "frames", f"{words.clock(length)} long"),
    ]
    if removed is not None:
        facts.insert(2, (f"{100.0 * removed:.0f}", "%", "of it removed"))
    before, after = record.flashes_before, record.flashes_after
    if not before.safe or not after.safe:
        facts.append(
            (f"{before.field} → {after.field}", "flashes a second", words.flash_safety(record))
        )
    if record.wall_seconds:
        rate = len(record.seconds) / record.wall_seconds
        facts.append((words.number(record.wall_seconds, digits=1), "s", f"{rate:.0f} frames/s"))
    return facts
