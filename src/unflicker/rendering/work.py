"""The workspace of a run, and what its finished parts depend on."""

from __future__ import annotations

import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

from unflicker.files.workspace import Workspace, content_key, workspace_of
from unflicker.rendering.options import RunOptions
from unflicker.settings import NEURAL_LIBRARIES, Settings, to_dict
from unflicker.video.segments import SegmentFormat

_LIBRARIES = ("unflicker", "numpy", "opencv-python-headless", "av", "numba")


def open_work(
    source: Path, target: Path, settings: Settings, options: RunOptions, *, form: SegmentFormat
) -> Workspace:
    """The workspace of a run, not entered yet.

    Args:
        source: The film.
        target: The result.
        settings: Of the run.
        options: Of the run.
        form: How segments are encoded.
    """
    folder = workspace_of(target, beside=options.work_dir)
    return Workspace(
        folder,
        _key(source, settings, options, form),
        keep=options.keep_work,
    )


def _key(
    source: Path, settings: Settings, options: RunOptions, form: SegmentFormat
) -> dict[str, Any]:
    """Everything that a part's content depends on, by names for people."""
    files = {"mask": options.mask, "original": options.original, "plan": options.plan}
    libraries = _LIBRARIES + NEURAL_LIBRARIES[:1] * settings.atlas.used
    return {
        "input": content_key(source),
        **{name: None if path is None else content_key(path) for name, path in files.items()},
        "part of the film": [options.start_seconds, options.duration_seconds],
        "strengths of shots": sorted(options.shot_strengths.items()),
        "settings": to_dict(settings),
        "encoding": form.key,
        "versions": {"python": platform.python_version()} | {n: version(n) for n in libraries},
    }
