"""Applies a frame's grade, or one to each of its two fields."""

from __future__ import annotations

from collections.abc import Callable

from unflicker.frames.fields import LOWER, UPPER, can_be_split, field_of, woven
from unflicker.frames.picture import Picture
from unflicker.grade.apply import apply_grade
from unflicker.grade.grade import Grade
from unflicker.grade.mask import Share


def apply_grades(
    picture: Picture,
    grade: Grade,
    lower: Grade | None,
    *,
    mask: Share | None = None,
    apply: Callable[..., Picture] = apply_grade,
) -> Picture:
    """A picture with its grade applied, or with those of its fields.

    Args:
        picture: Of any layout; of even fields if there are two grades.
        grade: Of the picture, or of its upper field (rows 0, 2, …).
        lower: Of its lower field; None if one grade holds for all rows.
        mask: Correction share of each pixel, 0 to 1; 1 everywhere if None.
        apply: Applies a grade, as `apply_grade` does.
    """
    if lower is None or not can_be_split(picture):
        return apply(picture, grade, mask=mask)
    if grade.is_identity and lower.is_identity:
        return picture
    fields = [
        apply(field_of(picture, which), own, mask=None if mask is None else mask[which::2])
        for which, own in ((UPPER, grade), (LOWER, lower))
    ]
    return woven(*fields)
