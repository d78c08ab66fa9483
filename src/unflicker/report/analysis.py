"""A record as JSON, for programs; docs/analysis-format.md describes every field."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from unflicker.files.atomic import write_whole
from unflicker.plan import ShotPlan
from unflicker.recording.record import Record
from unflicker.report.advice import advice

SCHEMA_VERSION = 2
"""Rises when a field changes its meaning or goes; new fields do not raise it."""


def as_json(record: Record) -> str:
    """The record as JSON text, without its pictures and curves."""
    content = {
        "schema_version": SCHEMA_VERSION,
        "source": record.source,
        "output": record.output or None,
        "frames": len(record.seconds),
        "visible_flicker_delta_e": {
            "before": _finite(record.visible_flicker_before),
            "after": _finite(record.visible_flicker_after),
        },
        "general_flashes": _flashes(record),
        "shots": [_shot(number, shot, record) for number, shot in enumerate(record.shots)],
        "findings": [
            {"kind": one.kind, "shots": list(one.shots), "what": one.what, "do": one.do}
            for one in advice(record)
        ],
        "damaged_frames": list(record.damaged),
        "incomplete": record.incomplete,
        "repairs": list(record.repaired.counts) if any(record.repaired.counts) else [],
        "spots_per_frame": _finite(record.spots),
        "hairs_per_frame": _finite(record.hairs),
        "notes": list(record.notes),
        "settings": record.settings,
        "versions": record.versions,
        "wall_seconds": _finite(record.wall_seconds),
    }
    return json.dumps(content, indent=2, ensure_ascii=False, default=str)


def write_json(record: Record, path: Path) -> None:
    """Write the record as JSON.

    Args:
        record: Of a run.
        path: Of the file.

    Raises:
        OutputError: The file cannot be written.
    """
    write_whole(path, f"{as_json(record)}\n")


def _shot(number: int, shot: ShotPlan, record: Record) -> dict[str, Any]:
    diagnosis = shot.diagnosis
    last = min(shot.stop, len(record.seconds)) - 1
    return {
        "number": number,
        "start_frame": shot.start,
        "stop_frame": shot.stop,
        "start_seconds": _finite(float(record.seconds[shot.start])),
        "last_frame_seconds": _finite(float(record.seconds[last])),
        "kind": diagnosis.kind,
        "model": diagnosis.model,
        "fine_light": shot.fine_light,
        "atlas": shot.guided,
        "refinement": shot.calmed,
        "strength_stops": _finite(diagnosis.strength_stops),
        "strength_delta_e": _finite(diagnosis.strength_delta_e),
        "period_frames": _finite(diagnosis.period_frames),
        "frequency_hz": _finite(diagnosis.frequency_hz),
        "gate_weave_px": None if shot.weave_px is None else [_finite(n) for n in shot.weave_px],
        "exposure_drift_stops": _finite(diagnosis.exposure_drift_stops),
        "confidence": _finite(diagnosis.confidence),
    }


def _flashes(record: Record) -> dict[str, dict[str, Any]] | None:
    """General flashes before and after; null where no frame was written."""
    if not record.output:
        return None
    return {
        when: {
            "a_second_over_a_quarter": found.picture,
            "a_second_in_a_field": found.field,
            "unsafe_seconds": found.unsafe_seconds,
            "safe": found.safe,
        }
        for when, found in (("before", record.flashes_before), ("after", record.flashes_after))
    }


def _finite(value: float | None) -> float | None:
    """JSON has no infinity and NaN: null."""
    if value is None or not math.isfinite(value):
        return None
    return round(float(value), 6)
