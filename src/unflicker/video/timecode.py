"""Timecode of a film: moved where a part of the film begins later."""

from __future__ import annotations

import re
from fractions import Fraction

_FORM = re.compile(r"(\d\d):(\d\d):(\d\d)([:;.])(\d\d)")


def moved(timecode: str, seconds: Fraction, *, rate: Fraction) -> str:
    """A timecode some time later; as it is where it cannot be read.

    Args:
        timecode: As `10:00:00:00`; a semicolon before the frames is drop-frame.
        seconds: Time passed.
        rate: Frames a second.

    Source: SMPTE ST 12-1; drop-frame leaves out two numbers (four at 59.94) each minute but the
    tenth.
    """
    found = _FORM.fullmatch(timecode.strip())
    whole = round(rate)
    if found is None or whole < 1:
        return timecode
    hours, minutes, second, frames = (int(found[place]) for place in (1, 2, 3, 5))
    drops = 2 * (whole // 30) if found[4] != ":" and whole % 30 == 0 else 0
    total = ((hours * 60 + minutes) * 60 + second) * whole + frames
    total -= drops * (hours * 60 + minutes - (hours * 60 + minutes) // 10)
    total += round(seconds * rate)
    total %= 24 * 3600 * whole - drops * (24 * 60 - 24 * 6)
    if drops:
        tens, rest = divmod(total, 600 * whole - 9 * drops)
        extra = max(rest - drops, 0) // (60 * whole - drops)
        total += drops * (9 * tens + extra)
    second, frames = divmod(total, whole)
    minutes, second = divmod(second, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{second:02}{found[4]}{frames:02}"
