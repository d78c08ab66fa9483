"""The desk: all that a person can do in the studio, in one place, without a browser."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from unflicker.errors import UsageError
from unflicker.plan import Plan
from unflicker.report.words import describe_diagnosis, kind_of
from unflicker.studio.library import Film, Library, Task
from unflicker.studio.look import look_of
from unflicker.studio.masks import store_mask
from unflicker.studio.places import Places
from unflicker.studio.planning import (
    drawn,
    heat_columns,
    loaded_curves,
    plan_file,
    shares_of,
    steered,
    worst_frames,
)
from unflicker.studio.queue import Queue
from unflicker.studio.steering import Steering
from unflicker.studio.stills import Stills
from unflicker.studio.uploads import Upload, Uploads
from unflicker.studio.work import COMPARE, RESULT, clip_file
from unflicker.video import planned_target

_PREVIEW_SECONDS = 3.0
_MOST_PLACES = 4_000
_LISTED = (
    "width",
    "height",
    "fps",
    "depth",
    "seconds",
    "shots",
    "headline",
    "flicker",
    "left",
    "result",
    "result_flicker",
)
"""Facts that the list of the library shows."""


class Desk:
    """What a person can do; used by several threads at once."""

    def __init__(self, library: Library, queue: Queue, places: Places, uploads: Uploads) -> None:
        self.library, self.queue = library, queue
        self.places, self.uploads, self.stills = places, uploads, Stills()
        self.closed = False
        """Whether the studio ends, and visitors are to be sent away."""

    def close(self) -> None:
        """Send visitors away: the studio ends."""
        self.closed = True

    def add(self, path: str) -> Film:
        """Add a film within the folders, and have it looked at.

        Raises:
            UsageError: The path leads out of them.
        """
        return self._added(self.places.inside(path), uploaded=False)

    def add_named(self, path: Path) -> Film:
        """Add a film that was named at the start, wherever it is."""
        return self._added(path.resolve(), uploaded=False)

    def uploaded(self, upload: Upload) -> Film:
        """Add a film that has arrived."""
        assert upload.film is not None
        return self._added(upload.film, uploaded=True)

    def decide(self, film: str, steering: Steering) -> None:
        """Decide about a film; what has to be found again is put in the queue.

        Args:
            film: Its name in addresses.
            steering: All that is decided.
        """
        self._decided(film, lambda: self.library.decide(film, steering))

    def undo(self, film: str) -> None:
        """Take the last decision back."""
        self._decided(film, lambda: self.library.undo(film))

    def draw_mask(self, film: str, png: bytes) -> None:
        """Decide which places are corrected.

        Args:
            film: Its name in addresses.
            png: White is corrected; empty for everything.

        Raises:
            UsageError: It is no picture, or the film has not been looked at.
        """
        facts = self.library.film(film).facts
        if "height" not in facts:
            raise UsageError("the film has not been looked at yet; wait a moment")
        size = (facts["height"], facts["width"])
        digest = store_mask(self.library.folder_of(film), png, size=size) if png else ""
        self.decide(film, replace(self.library.steering(film), mask=digest))

    def preview(self, film: str, *, start: int) -> Task:
        """Have three seconds corrected at full size.

        Args:
            film: Its name in addresses.
            start: First frame.

        Raises:
            UsageError: The film is shorter, or not analysed.
        """
        self._need_plan(film)
        look = look_of(self.library.folder_of(film))
        if look is None or not 0 <= start < len(look.seconds):
            raise UsageError(f"there is no frame {start} in this film; choose one on its curve")
        until = look.seconds[start] + _PREVIEW_SECONDS
        frames = max(1, int((look.seconds[start:] < until).sum()))
        return self.library.submit(film, "preview", {"start": start, "frames": frames})

    def share(self, film: str, *, start: int) -> Task:
        """Have ten seconds made for a page to be shared.

        Args:
            film: Its name in addresses.
            start: First frame.
        """
        self._need_plan(film)
        return self.library.submit(film, "share", {"start": start})

    def compare(self, film: str) -> Task:
        """Have the small film of before and after made."""
        self._need_plan(film)
        steering = self.library.steering(film)
        return self.library.submit(film, "compare", {"key": steering.key})

    def render(self, film: str, *, where: str) -> Task:
        """Have the whole film corrected.

        Args:
            film: Its name in addresses.
            where: "film" for the film's own folder, "library" for the library's.

        Raises:
            UsageError: It is not analysed yet.
        """
        self._need_plan(film)
        found = self.library.film(film)
        results = f"{self.library.folder / 'results'}/"
        beside = where == "film" and not found.uploaded
        planned = planned_target(found.source, None if beside else results)
        target = _unused(planned, self._promised())
        target.parent.mkdir(parents=True, exist_ok=True)
        return self.library.submit(film, "render", {"target": str(target)})

    def remove(self, film: str) -> None:
        """Remove a film from the library; only an uploaded file is deleted."""
        source = self.library.film(film).source
        self.queue.cancel_all(film)
        for task in self.library.tasks("running", film=film):
            self.queue.wait(task.task, seconds=10.0)
        self.library.remove(film)
        self.stills.forget(source)

    def told(self, film: str) -> dict[str, Any]:
        """All that is known of a film, as plain values."""
        found, steering = self.library.film(film), self.library.steering(film)
        folder = self.library.folder_of(film)
        look = look_of(folder)
        result = found.facts.get("result")
        return {
            **summary_of(found),
            "source": str(found.source),
            "notes": found.facts.get("notes", []),
            "looked": look is not None and look.complete,
            "frames": 0 if look is None else len(look.seconds),
            "planned": plan_file(folder, steering).exists(),
            "compare": clip_file(folder, COMPARE, steering.key).exists(),
            "rendered": bool(result) and Path(result).exists(),
            "result_is_current": found.facts.get("result_key") == steering.key,
            "result_clip": self._clip(film, RESULT, str(found.facts.get("result_key", ""))),
            "steering": steering.to_dict(),
            "steering_key": steering.key,
            "can_undo": self.library.can_undo(film),
            **self._findings(folder, steering),
        }

    def seconds(self, film: str) -> bytes:
        """Time of each frame as 64-bit floats, little-endian."""
        look = look_of(self.library.folder_of(film))
        return b"" if look is None else look.seconds.astype("<f8").tobytes()

    def curve(self, film: str, *, start: int, stop: int, places: int) -> dict[str, Any]:
        """Light and correction of a part of a film, reduced for drawing.

        Args:
            film: Its name in addresses.
            start: First frame.
            stop: Frame after the last; 0 for the end.
            places: Intervals.
        """
        folder, steering = self.library.folder_of(film), self.library.steering(film)
        look, curves = look_of(folder), loaded_curves(folder, steering)
        before = curves.before if curves is not None else None if look is None else look.mean
        if before is None:
            return {"start": 0, "stop": 0, "before": None, "after": None, "heat": None}
        start, stop = max(0, start), min(stop or len(before), len(before))
        places = min(max(16, places), _MOST_PLACES)
        told: dict[str, Any] = {"start": start, "stop": stop, "after": None, "heat": None}
        told["before"] = drawn(before[start:stop], places=places)
        if curves is not None:
            shares = shares_of(Plan(plan_file(folder, steering)), steering)
            after = steered(curves, shares).astype(np.float32)
            told["after"] = drawn(after[start:stop], places=places)
            told["heat"] = heat_columns(curves, start=start, stop=stop, places=places)
        return told

    def _findings(self, folder: Path, steering: Steering) -> dict[str, Any]:
        curves = loaded_curves(folder, steering)
        if curves is None:
            return {"shots": [], "worst": [], "has_overlays": False, "suggestions": []}
        plan = Plan(plan_file(folder, steering))
        shots = [
            {
                "start": shot.start,
                "stop": shot.stop,
                "kind": kind_of(shot),
                "says": describe_diagnosis(shot.diagnosis),
                "by": shot.corrected_by,
                "before": _number(shot.visible_before),
                "after": _number(shot.visible_after),
            }
            for shot in plan.shots
        ]
        return {
            "shots": shots,
            "worst": worst_frames(curves),
            "has_overlays": curves.has_overlays,
            "has_texture": bool((curves.texture > 0).any()),
            "suggestions": list(curves.suggestions),
            "headline": curves.headline,
        }

    def _clip(self, film: str, name: str, key: str) -> str:
        """Name of a clip in addresses; empty if there is none."""
        there = key and clip_file(self.library.folder_of(film), name, key).exists()
        return f"{name}-{key}" if there else ""

    def _decided(self, film: str, change: Any) -> None:
        before = self.library.steering(film)
        change()
        after = self.library.steering(film)
        if after == before:
            return
        self.queue.cancel_all(film, "compare", "preview", "share")
        if after.analysis_key != before.analysis_key:
            self.queue.cancel_all(film, "analyse")
            self.library.submit(film, "analyse", {"key": after.analysis_key})

    def _added(self, source: Path, *, uploaded: bool) -> Film:
        film = self.library.add(source, name=source.name, uploaded=uploaded)
        if not film.facts:
            self.library.submit(film.film, "look")
        return film

    def _need_plan(self, film: str) -> None:
        self.library.film(film)
        steering = self.library.steering(film)
        if not plan_file(self.library.folder_of(film), steering).exists():
            raise UsageError("the film is not analysed yet; wait until its curve has two lines")

    def _promised(self) -> set[str]:
        """Results that waiting and running tasks will write."""
        tasks = self.library.tasks("waiting", "running")
        return {str(task.wanted.get("target")) for task in tasks if task.kind == "render"}


def summary_of(film: Film) -> dict[str, Any]:
    """What the list of the library shows of a film."""
    return {
        "film": film.film,
        "name": film.name,
        "added": film.added,
        "uploaded": film.uploaded,
        **{name: film.facts[name] for name in _LISTED if name in film.facts},
    }


def _unused(target: Path, taken: set[str]) -> Path:
    """A name that no file has yet, with a number if need be."""
    number, place = 1, target
    while place.exists() or str(place) in taken:
        number += 1
        place = target.with_name(f"{target.stem} {number}{target.suffix}")
    return place


def _number(value: float) -> float | None:
    return round(value, 3) if np.isfinite(value) else None
