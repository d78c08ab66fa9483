"""A desk without a browser, and work done in this process."""

from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from unflicker.studio.desk import Desk
from unflicker.studio.library import Library
from unflicker.studio.places import Places
from unflicker.studio.queue import Queue
from unflicker.studio.steering import Steering
from unflicker.studio.uploads import Uploads
from unflicker.studio.work import Order, carried_out

FAST = Steering(preset="fast")


@contextmanager
def opened(folder: Path, *, films: Path, working: bool = True):
    """The desk of a library; without `working` nothing in its queue is done."""
    library = Library(folder)
    queue = Queue(library)
    desk = Desk(library, queue, Places([films]), Uploads(folder / "uploads"))
    try:
        if working:
            with queue:
                yield desk
        else:
            yield desk
    finally:
        library.close()


def done(desk: Desk, film: str, kind: str, **wanted) -> dict:
    """Do a task in this process, as a worker would, and learn what it found."""
    order = Order(
        kind=kind,
        source=desk.library.film(film).source,
        folder=desk.library.folder_of(film),
        steering=desk.library.steering(film),
        wanted=wanted,
    )
    order.folder.mkdir(parents=True, exist_ok=True)
    found = carried_out(order, lambda _: None)
    desk.library.learn(film, **found.facts)
    return found.result


def steer(desk: Desk, film: str, **changes) -> Steering:
    steering = replace(desk.library.steering(film), **changes)
    desk.decide(film, steering)
    return steering
