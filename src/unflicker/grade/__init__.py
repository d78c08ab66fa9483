"""The grade: the change of light and colour of one frame."""

from unflicker.grade.grade import Grade

__all__ = ["Grade"]
