"""What is known of a window's frames before light is estimated: which repeat, which flash."""

from unflicker.analysis.flashes import find_flashes
from unflicker.analysis.repeats import find_repeats
from unflicker.analysis.roles import Roles

__all__ = ["Roles", "find_flashes", "find_repeats"]
