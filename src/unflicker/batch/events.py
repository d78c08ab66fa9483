"""The record of what was done to a film, for archives: JSON after PREMIS 3.0.

It has the entities of the PREMIS data dictionary (Library of Congress, https://www.loc.gov/
standards/premis/) by their names: objects (the film, the result), events (the correction, the
calculation of checksums) and agents (the program). PREMIS itself defines XML alone.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from unflicker.batch.fixity import Sums
from unflicker.batch.jobs import FilmJob
from unflicker.files.atomic import write_whole
from unflicker.files.remote import RemotePath
from unflicker.recording import Record
from unflicker.report import summary

SCHEMA_VERSION = 1
_MODIFICATION, _DIGESTS = "modification", "message digest calculation"
"""Terms of the Library of Congress's vocabulary of event types."""


@dataclass(frozen=True, kw_only=True)
class Times:
    """When the parts of the work were done."""

    began: datetime
    corrected: datetime
    digested: datetime


def write_events(job: FilmJob, record: Record, sums: Sums, times: Times) -> None:
    """Write the record of a film's events.

    Args:
        job: The film; its `events` is the file.
        record: Of the run.
        sums: SHA-256 of source and result.
        times: Of the events.

    Raises:
        OutputError: It cannot be written.
    """
    assert job.events is not None
    content = {
        "schema": "events of unflicker, after PREMIS 3.0",
        "schema_version": SCHEMA_VERSION,
        "objects": [
            _object(job.source, sums, role="source"),
            _object(job.place, sums, role="outcome"),
        ],
        "events": [_correction(job, record, times), _digests(times)],
        "agents": [
            {
                "agentIdentifier": {"type": "local", "value": "unflicker"},
                "agentName": "unflicker",
                "agentType": "software",
                "agentVersion": record.versions.get("unflicker"),
                "agentNote": record.versions,
            }
        ],
    }
    text = json.dumps(content, indent=2, ensure_ascii=False, default=str)
    write_whole(job.events, f"{text}\n")


def _object(path: Path, sums: Sums, *, role: str) -> dict[str, Any]:
    inside = {file: digest for file, digest in sums.items() if path in (file, file.parent)}
    return {
        "objectIdentifier": {"type": "path", "value": _name(path)},
        "objectCategory": "representation" if path.is_dir() else "file",
        "linkedEventRole": role,
        "objectCharacteristics": [
            {
                "originalName": file.name,
                "size": file.stat().st_size,
                "fixity": {"messageDigestAlgorithm": "SHA-256", "messageDigest": digest},
            }
            for file, digest in inside.items()
        ],
    }


def _correction(job: FilmJob, record: Record, times: Times) -> dict[str, Any]:
    outcome = "warning" if record.damaged or record.incomplete else "success"
    return {
        "eventIdentifier": {"type": "local", "value": "1"},
        "eventType": _MODIFICATION,
        "eventDateTime": times.began.isoformat(timespec="seconds"),
        "eventEndDateTime": times.corrected.isoformat(timespec="seconds"),
        "eventDetail": {"purpose": "removal of flicker", "settings": record.settings},
        "eventOutcome": outcome,
        "eventOutcomeDetail": {
            "summary": summary(record),
            "frames": len(record.seconds),
            "damagedFrames": list(record.damaged),
            "incomplete": record.incomplete,
            "notes": list(record.notes),
        },
        "linkingObjects": [
            {"role": "source", "value": _name(job.source)},
            {"role": "outcome", "value": _name(job.place)},
        ],
        "linkingAgents": ["unflicker"],
    }


def _name(path: Path) -> str:
    return path.url if isinstance(path, RemotePath) else os.path.abspath(path)


def _digests(times: Times) -> dict[str, Any]:
    return {
        "eventIdentifier": {"type": "local", "value": "2"},
        "eventType": _DIGESTS,
        "eventDateTime": times.digested.isoformat(timespec="seconds"),
        "eventDetail": "SHA-256 of source and result",
        "eventOutcome": "success",
        "linkingAgents": ["unflicker"],
    }
