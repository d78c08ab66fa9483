"""Films in and out; the only package that knows PyAV."""

from unflicker.video.film import ArrayFilm, Film, open_film
from unflicker.video.original import WithOriginal, open_original
from unflicker.video.writer import (
    Writer,
    default_target,
    is_picture_folder,
    open_writer,
    planned_target,
    resolve_target,
)

__all__ = [
    "ArrayFilm",
    "Film",
    "WithOriginal",
    "Writer",
    "default_target",
    "is_picture_folder",
    "open_film",
    "open_original",
    "open_writer",
    "planned_target",
    "resolve_target",
]
