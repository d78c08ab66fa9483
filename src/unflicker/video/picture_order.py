"""Pictures as frames: their order, their rate, and names of new ones."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Literal, get_args

from unflicker.errors import InputError, UsageError
from unflicker.files.outputs import PICTURE_ENDINGS
from unflicker.video.picture_metadata import date_of

Order = Literal["number", "name", "time"]
ORDERS: tuple[Order, ...] = get_args(Order)
AS_GIVEN: Order = "number"
_BY_NAME: dict[str, Order] = {str(order): order for order in ORDERS}
DEFAULT_RATE = Fraction(24)
_PATTERN = re.compile(r"%(?:0(\d+))?d")
_FIRST_NUMBER = 1
_LARGEST_RATE_TERM = 1001


@dataclass(frozen=True, kw_only=True)
class Stills:
    """How pictures become a film."""

    rate: Fraction = DEFAULT_RATE
    """Pictures a second."""
    order: Order = "number"
    """By the numbers in their names (2 before 10), by name letter by letter, or by the time at
    which they were taken."""
    previews: bool = False
    """Whether camera raw is read, by its embedded previews; for analysis only."""

    @classmethod
    def of(cls, *, fps: float | None = None, order: str | None = None) -> Stills:
        """From what a user says.

        Args:
            fps: Pictures a second; None for 24.
            order: Of `ORDERS`; None for by number.

        Raises:
            UsageError: The rate is not above 0.
        """
        if fps is not None and not 0 < fps < float("inf"):
            raise UsageError(f"{fps} pictures a second; pass a rate above 0, such as 25")
        rate = DEFAULT_RATE if fps is None else Fraction(fps).limit_denominator(_LARGEST_RATE_TERM)
        return cls(rate=rate, order=_BY_NAME.get(order or AS_GIVEN, AS_GIVEN))


AS_NUMBERED = Stills()
_REGULAR_SHARE = 0.8
"""Of the distances between numbers, which are equal where all pictures are there."""


def ordered(files: list[Path], order: Order) -> tuple[list[Path], str]:
    """Pictures of a folder in order, and a note for the user.

    Counters of cameras begin again after 9999: where the times say so, pictures are in the order
    of time, though they are to be ordered by number.

    Args:
        files: In any order.
        order: The wanted one.

    Raises:
        InputError: Order by time, and a picture does not say when it was taken.
    """
    if order == "name":
        return sorted(files, key=lambda file: file.name), ""
    numbered = sorted(files, key=_natural)
    if order == "number" and not _may_begin_again(numbered):
        return numbered, _gaps(numbered)
    times = {file: date_of(file) for file in numbered}
    lacking = [file for file in numbered if not times[file]]
    if order == "number":
        turned = not lacking and times[numbered[-1]] < times[numbered[0]]
        if not turned:
            return numbered, ""
        by_time = sorted(numbered, key=lambda file: times[file])
        return by_time, f"numbers begin again after {numbered[-1].name}; order is by time taken"
    if lacking:
        raise InputError(
            f"{len(lacking)} of {len(files)} pictures do not say when they were taken, such as "
            f"{lacking[0].name}; pass --order number or name"
        )
    return sorted(numbered, key=lambda file: times[file]), ""


def is_pattern(path: str | Path) -> bool:
    """Whether a path names pictures by number, as `frames/%06d.png`."""
    path = Path(path)
    return path.suffix.lower() in PICTURE_ENDINGS and len(_PATTERN.findall(path.name)) == 1


def place_of(target: Path) -> Path:
    """The file or folder that a result becomes: for a pattern of names, its folder."""
    return target.parent if is_pattern(target) else target


def name_by_pattern(pattern: str, index: int) -> str:
    """The name of a picture; the first has number 1, as FFmpeg counts.

    Args:
        pattern: Such as `%06d.png`.
        index: Of the frame, from 0.
    """

    def number(found: re.Match[str]) -> str:
        return f"{index + _FIRST_NUMBER:0{int(found[1] or 1)}d}"

    return _PATTERN.sub(number, pattern)


def _natural(file: Path) -> tuple[list[tuple[int, str]], str]:
    parts = re.split(r"(\d+)", file.name.lower())
    key = [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]
    return key, file.name


def _gaps(numbered: list[Path]) -> str:
    """A note on numbers that are missing, if the others follow each other at one distance."""
    if len({re.sub(r"\d+(?=\D*$)", "", file.name) for file in numbered}) != 1:
        return ""
    found = [re.findall(r"\d+", file.stem) for file in numbered]
    numbers = [int(digits[-1]) for digits in found if digits]
    steps = Counter(after - before for before, after in pairwise(numbers))
    if not steps:
        return ""
    usual, times = steps.most_common(1)[0]
    if usual < 1 or times < _REGULAR_SHARE * steps.total():
        return ""
    missing = sum((step // usual - 1) * count for step, count in steps.items() if step > usual)
    if not missing:
        return ""
    at = next(n for n, (one, two) in enumerate(pairwise(numbers)) if two - one > usual)
    return (
        f"{missing} {'number is' if missing == 1 else 'numbers are'} missing, the first after "
        f"{numbered[at].name}; pictures follow each other without a gap"
    )


def _may_begin_again(numbered: list[Path]) -> bool:
    """Whether the last number is all nines, and the first is 0 or 1."""
    first, last = (re.findall(r"\d+", numbered[at].stem) for at in (0, -1))
    if not first or not last:
        return False
    return set(last[-1]) == {"9"} and len(last[-1]) > 2 and int(first[-1]) in (0, 1)
