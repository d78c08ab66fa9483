"""A studio that is open, for visitors without and with a browser."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from made_numbered import numbered_film
from unflicker.studio.desk import Desk
from unflicker.studio.library import Library
from unflicker.studio.places import Places
from unflicker.studio.queue import Queue
from unflicker.studio.uploads import Uploads
from unflicker.web.serving import address, bound, server_of
from unflicker.web.studio.server import studio_app


def make_films(folder: Path) -> Path:
    """A folder with two films, and one with a hostile name that is none."""
    folder.mkdir(parents=True)
    numbered_film(folder / "numbered.mp4")
    numbered_film(folder / "other.mp4", time=20, seed=3)
    (folder / HOSTILE).write_bytes(b"no film")
    return folder


HOSTILE = "<img src=x onerror=alert(1)> & 'a' \"b\".mp4"


@contextmanager
def studio_served(
    library: Path, films: Path, *, working: bool = True, most_bytes: int | None = None, **given
) -> Iterator[tuple[str, Desk]]:
    """Address and desk of a studio that is open."""
    kept = Library(library)
    queue = Queue(kept)
    desk = Desk(kept, queue, Places([films]), Uploads(library / "uploads", most_bytes=most_bytes))
    if working:
        queue.__enter__()
    with bound("127.0.0.1", port=0) as listener:
        server = server_of(studio_app(desk, **given))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            while not server.started:
                time.sleep(0.01)
            yield address(listener), desk
        finally:
            desk.closed = True
            server.should_exit = True
            thread.join(20)
            if working:
                queue.__exit__()
            kept.close()
