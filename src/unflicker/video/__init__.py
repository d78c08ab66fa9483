"""Films in and out; the only package that knows PyAV."""

from unflicker.video.film import ArrayFilm, Film, open_film
from unflicker.video.writer import Writer, default_target, open_writer, resolve_target

__all__ = [
    "ArrayFilm",
    "Film",
    "Writer",
    "default_target",
    "open_film",
    "open_writer",
    "resolve_target",
]
