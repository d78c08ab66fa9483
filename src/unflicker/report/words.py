"""A run in sentences."""

from __future__ import annotations

import math
from collections.abc import Sequence

from unflicker.plan import ShotPlan
from unflicker.recording.record import Record
from unflicker.tone.diagnosis import Diagnosis

KINDS = {
    "none": "no flicker",
    "exposure": "exposure flicker of the whole picture",
    "tint": "colour flicker of the whole picture",
    "gamma": "contrast flicker",
    "local": "flicker in parts of the picture",
    "local tint": "colour flicker in parts of the picture",
    "bands": "bands that crawl over the picture",
    "saturation": "flicker of saturation",
    "hue": "flicker of hue",
    "held": "steps of light, each held for some frames",
    "auto exposure": "slow drift of automatic exposure or white balance",
}
_SMALL_PLACES = "flicker of small places, such as lamps"
_UNSEEN_DELTA_E = 0.05
"""Below this flicker is invisible, and a share of it meaningless."""
_STEADY_DELTA_E = 1.25
"""Above the visible flicker of any steady film, which is that of its motion: of 16 clean clips the
highest has 1.22, their median is 0.35 (lab notebook, 2026-11-29)."""


def headline(record: Record) -> str:
    """One or two sentences: kind and strength of the flicker, and how much was removed."""
    worst = main_shot(record.shots)
    if worst is None and record.correction_stops.any():
        return "The film was corrected; its flicker was not measured."
    if worst is None or worst.diagnosis.kind == "none":
        return _without_tone(record)
    text = _sentence(describe_diagnosis(worst.diagnosis))
    if worst.diagnosis.kind == "auto exposure":
        locked = record.settings.get("tone.lock_exposure", False)
        verb = "was removed" if record.output else "can be removed"
        return f"{text} It {verb}." if locked else f"{text} --lock-exposure removes it."
    return f"{text} {_outcome(record)}"


def summary(record: Record) -> str:
    """One line for the terminal."""
    worst = main_shot(record.shots)
    kind = KINDS[worst.diagnosis.kind] if worst is not None else "not looked for flicker"
    if worst is not None and worst.diagnosis.kind == "none":
        kind = _beyond_tone(record) or _of_none(record)
    left = f"visible flicker {number(record.visible_flicker_before)} -> "
    left += f"{number(record.visible_flicker_after)} ΔE{'' if record.output else ' expected'}"
    frames = f"{len(record.seconds)} frames"
    if any(record.repaired.counts):
        frames += f", {sum(record.repaired.counts)} places repaired"
    pace = f" in {record.wall_seconds:.1f} s" if record.wall_seconds else ""
    return f"{kind}; {left}; {frames}{pace}"


def kind_of(shot: ShotPlan) -> str:
    """The flicker of a shot in some words."""
    if shot.diagnosis.kind == "none" and shot.fine_light:
        return _SMALL_PLACES
    return KINDS[shot.diagnosis.kind]


def describe_diagnosis(diagnosis: Diagnosis) -> str:
    """The flicker of a shot, with its strength and its period if it has one."""
    text = KINDS[diagnosis.kind]
    if diagnosis.kind == "none":
        return text
    if diagnosis.kind == "auto exposure":
        return f"{text}, {diagnosis.exposure_drift_stops:.2f} stops from least to most"
    text += f", {diagnosis.strength_stops:.2f} stops"
    if diagnosis.period_frames is not None:
        text += f", repeating every {diagnosis.period_frames:.3g} frames"
        if diagnosis.frequency_hz is not None:
            text += f" ({diagnosis.frequency_hz:.3g} Hz)"
    return text


def main_shot(shots: Sequence[ShotPlan]) -> ShotPlan | None:
    """The shot with the most flicker: strength times length."""
    return max(
        shots,
        key=lambda shot: (
            (shot.diagnosis.kind != "none"),
            shot.diagnosis.strength_delta_e * (shot.stop - shot.start),
        ),
        default=None,
    )


def share_removed(record: Record) -> float | None:
    """Share of the visible flicker that was removed, 0 to 1; negative if it increased.

    None where it was not measured, or where there was none.
    """
    before, after = record.visible_flicker_before, record.visible_flicker_after
    if not (math.isfinite(before) and math.isfinite(after)) or before < _UNSEEN_DELTA_E:
        return None
    return 1.0 - after / before


def flash_safety(record: Record) -> str:
    """Whether the result has more general flashes than guidelines allow, in some words."""
    if record.flashes_after.safe:
        return "before and after: at most three are safe (WCAG 2.3.1)"
    seconds = record.flashes_after.unsafe_seconds
    return f"more than three, for {seconds:.1f} s, may harm photosensitive viewers (WCAG 2.3.1)"


def number(value: float | None, *, digits: int = 2) -> str:
    """A number as text; a dash for None and values that are not finite.

    Args:
        value: The number.
        digits: After the point.
    """
    if value is None or not math.isfinite(value):
        return "–"
    return f"{value:.{digits}f}"


def clock(seconds: float) -> str:
    """A time as minutes and seconds."""
    minutes, rest = divmod(float(seconds), 60.0)
    return f"{int(minutes)}:{rest:05.2f}"


def flickers_beyond(record: Record) -> bool:
    """Whether a film flickers, and no stage found what it could correct."""
    corrected = any(
        shot.diagnosis.kind != "none" or shot.fine_light or shot.calmed for shot in record.shots
    )
    return not corrected and record.visible_flicker_before > _STEADY_DELTA_E


def _of_none(record: Record) -> str:
    """What is said of a film in whose light no flicker was found."""
    if not record.visible_flicker_before > _STEADY_DELTA_E:
        return "no flicker was found"
    if record.settings.get("refinement.used", True):
        return "it flickers in content or texture, in a way that this preset cannot remove"
    return (
        "it flickers in content or texture, in a way that this preset cannot remove (standard may)"
    )


def _without_tone(record: Record) -> str:
    """The headline of a film in whose light tone found no flicker."""
    calmed = any(shot.calmed for shot in record.shots)
    done = "was" if record.output else "can be"
    if any(shot.fine_light for shot in record.shots):
        also = f"; flicker of texture {done} calmed" * calmed
        return f"{_sentence(_SMALL_PLACES + also)} {_outcome(record)}".rstrip()
    if calmed:
        return f"Light does not flicker; flicker of texture {done} calmed."
    return _sentence(_of_none(record)) + " The film is left as it is."


def _beyond_tone(record: Record) -> str:
    """The flicker that other stages than tone corrected; empty if there was none."""
    fine = any(shot.fine_light for shot in record.shots) * [_SMALL_PLACES]
    return "; ".join(fine + any(shot.calmed for shot in record.shots) * ["flicker of texture"])


def _outcome(record: Record) -> str:
    removed = share_removed(record)
    if removed is None:
        return ""
    verb = "was removed" if record.output else "can be removed"
    if removed <= 0.0:
        return "Visible flicker has not decreased."
    return f"{100.0 * removed:.0f}\u00a0% of the visible flicker {verb}."


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."
