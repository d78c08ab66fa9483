"""The grade: what must change in the light and colour of one frame."""

from unflicker.grade.grade import Grade

__all__ = ["Grade"]
