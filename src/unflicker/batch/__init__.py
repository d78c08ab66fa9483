"""Many films: found, made side by side, each with its papers."""

from unflicker.batch.films import Film, films_of
from unflicker.batch.jobs import Beside, FilmJob, plan_jobs, written_by
from unflicker.batch.make import FilmTask, Outcome, make_film
from unflicker.batch.run import outcomes

__all__ = [
    "Beside",
    "Film",
    "FilmJob",
    "FilmTask",
    "Outcome",
    "films_of",
    "make_film",
    "outcomes",
    "plan_jobs",
    "written_by",
]
