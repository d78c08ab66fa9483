"""What was found in a film, kind by kind, and what to do about each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from unflicker.recording.record import Record
from unflicker.rendering.spots_sampled import suggestions
from unflicker.report.words import KINDS, flickers_beyond

_RUN = "`unflicker run` removes it"
_BY_PLACE = f"{_RUN}; --shot NUMBER=off excludes a shot that looks worse"
_DO = {
    "exposure": _RUN,
    "tint": _RUN,
    "gamma": _RUN,
    "local": _BY_PLACE,
    "local tint": _BY_PLACE,
    "bands": _BY_PLACE,
    "saturation": _RUN,
    "hue": _RUN,
    "held": f"{_RUN}; if the steps are wanted, --shot NUMBER=off excludes the shot",
    "auto exposure": "--lock-exposure removes it",
}
_SHOWN_SHOTS = 8


@dataclass(frozen=True, kw_only=True)
class Advice:
    """One kind of finding."""

    kind: str
    """A kind of `Diagnosis`, or fine light, texture, gate weave, unexplained, spots, hairs, damaged
    frames, incomplete."""
    shots: tuple[int, ...]
    """Numbers of the shots in which it was found; empty for what concerns the whole film."""
    what: str
    do: str
    """What the user may do about it."""
    is_noted: bool = False
    """Whether a note, or the last line of the program, says the same."""

    @property
    def line(self) -> str:
        """In one line, for the terminal."""
        return f"{self.what}{_where(self.shots)}: {self.do}"


def advice(record: Record) -> tuple[Advice, ...]:
    """Every kind of finding in a film, each once.

    Args:
        record: Of an analysis or a run.
    """
    return tuple(_all(record))


def _all(record: Record) -> Iterator[Advice]:
    shots = list(enumerate(record.shots))
    for kind, do in _DO.items():
        found = tuple(number for number, shot in shots if shot.diagnosis.kind == kind)
        if found:
            yield Advice(kind=kind, shots=found, what=KINDS[kind], do=do)
    fine = tuple(number for number, shot in shots if shot.fine_light)
    if fine:
        what = "flicker of small places, such as lamps"
        yield Advice(
            kind="fine light",
            shots=fine,
            what=what,
            do=f"{_RUN}, with this preset as with standard",
        )
    calmed = tuple(number for number, shot in shots if shot.calmed)
    if calmed:
        do = (
            "`unflicker run` calms it; for a film that was processed frame by frame, "
            "--original FILE with the film before gives more"
        )
        yield Advice(kind="texture", shots=calmed, what="flicker of texture", do=do)
    yield from _drifts(record)
    yield from _weave(record)
    if flickers_beyond(record):
        yield _unexplained(record)
    for one in suggestions(spots=record.spots, hairs=record.hairs):
        yield Advice(kind=one.kind, shots=(), what=one.what, do=one.do, is_noted=True)
    yield from _damage(record)


def _drifts(record: Record) -> Iterator[Advice]:
    """Drift of automatic exposure in shots that also flicker."""
    found = tuple(
        number
        for number, shot in enumerate(record.shots)
        if shot.diagnosis.exposure_drift_stops > 0.0 and shot.diagnosis.kind != "auto exposure"
    )
    if found and not record.settings.get("tone.lock_exposure", False):
        yield Advice(
            kind="auto exposure",
            shots=found,
            what=KINDS["auto exposure"],
            do=_DO["auto exposure"],
            is_noted=True,
        )


def _weave(record: Record) -> Iterator[Advice]:
    """Gate weave, where it was measured and stays."""
    rms = {
        number: float(np.hypot(*shot.weave_px))
        for number, shot in enumerate(record.shots)
        if shot.weave_px is not None and any(shot.weave_px)
    }
    if rms and not record.settings.get("stabilise.gate", False):
        yield Advice(
            kind="gate weave",
            shots=tuple(rms),
            what=f"gate weave of up to {max(rms.values()):.1f} px (root mean square)",
            do="--stabilise gate removes it",
        )


def _unexplained(record: Record) -> Advice:
    has_texture = record.settings.get("refinement.used", True)
    return Advice(
        kind="unexplained",
        shots=(),
        what="flicker of content or texture that this preset cannot remove",
        do="--original FILE names the steady film that it was made from, if there is one"
        if has_texture
        else "--preset standard looks at texture, too",
    )


def _damage(record: Record) -> Iterator[Advice]:
    if record.damaged:
        count = len(record.damaged)
        yield Advice(
            kind="damaged frames",
            shots=(),
            what="1 damaged frame" if count == 1 else f"{count} damaged frames",
            do="they keep their time and the correction of their neighbours; get the film again "
            "if it is whole elsewhere",
            is_noted=True,
        )
    if record.incomplete:
        yield Advice(
            kind="incomplete",
            shots=(),
            what="the film is not complete",
            do="get it again, or use the part that is there (the notes say what is missing)",
            is_noted=True,
        )


def _where(shots: tuple[int, ...]) -> str:
    if not shots:
        return ""
    names = ", ".join(str(number) for number in shots[:_SHOWN_SHOTS])
    more = len(shots) - _SHOWN_SHOTS
    also = f" and {more} more" if more > 0 else ""
    return f" (shot {names})" if len(shots) == 1 else f" (shots {names}{also})"
