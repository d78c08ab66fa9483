"""The command that opens the studio: studio."""

from __future__ import annotations

import os
import secrets
import socket
import tempfile
import threading
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from unflicker.cli.help import Command, with_options
from unflicker.cli.interrupt import Stop
from unflicker.cli.messages import Talk
from unflicker.cli.options import named_by_environment, serving_options

if TYPE_CHECKING:
    from unflicker.studio.places import Places

_PATH = click.Path(path_type=Path)
_GIGABYTE = 1_000_000_000


@click.command(cls=Command, example="unflicker studio   ·   unflicker studio films/ old.mp4")
@click.argument("places", type=_PATH, nargs=-1, metavar="[FILM|FOLDER]…")
@click.option(
    "--library",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help="Folder for what the studio keeps.  [default: in your home]",
)
@with_options(serving_options(port=8766, opens=True))
@click.option(
    "--largest-upload",
    type=click.FloatRange(min=0.0, min_open=True),
    metavar="GB",
    help="Largest film that is accepted from a browser.  [default: what fits on the disk]",
)
@click.option("-q", "--quiet", is_flag=True, help="Errors only.")
@click.pass_obj
def studio(stop: Stop, places: tuple[Path, ...], **given: Any) -> None:
    """Steady films in a browser: see the flicker, compare before and after, steer, render.

    Films can be chosen within the folders that are named (the current one if none is), or dropped
    on the page. All runs on this machine. Ctrl-C ends the studio; work that was in progress goes on
    when it is opened again.
    """
    from unflicker.studio.places import Places
    from unflicker.web.serving import bound, need_web

    need_web()
    talk = Talk.of(given, stop=stop)
    films = [path for path in places if path.is_file()]
    folders = [path for path in places if path not in films]
    # Before the port: a name that is wrong is said first.
    offered = Places(folders or ([] if films else [Path.cwd()]))
    library = given["library"] or _usual_library(os.environ)
    with bound(given["host"], port=given["port"]) as listener:
        _serve(films, offered, library, listener, given=given, talk=talk)


def _serve(
    films: list[Path],
    offered: Places,
    library: Path,
    listener: socket.socket,
    *,
    given: dict[str, Any],
    talk: Talk,
) -> None:
    from unflicker.studio.desk import Desk
    from unflicker.studio.library import Library
    from unflicker.studio.queue import Queue
    from unflicker.studio.steering import Steering
    from unflicker.studio.uploads import Uploads
    from unflicker.web.guard import LOOPBACK
    from unflicker.web.serving import address, server_of
    from unflicker.web.studio.server import studio_app

    place = address(listener)
    most = given["largest_upload"]
    uploads = Uploads(library / "uploads", most_bytes=most and round(most * _GIGABYTE))
    token = "" if given["host"] in LOOPBACK else secrets.token_urlsafe(24)
    usual = Steering(preset=_usual_preset())
    with closing(Library(library, usual=usual)) as kept, Queue(kept) as queue:
        desk = Desk(kept, queue, offered, uploads)
        for film in films:
            desk.add_named(film)
        app = studio_app(desk, token=token)
        threading.Thread(target=desk.stills.warm, daemon=True).start()
        server = server_of(app, ending=desk.close)
        _tell(talk, library, place, token=token)
        if given["opens"]:
            click.launch(f"{place}?token={token}" if token else place)
        try:
            server.run(sockets=[listener])
        finally:
            desk.close()


def _tell(talk: Talk, library: Path, place: str, *, token: str) -> None:
    talk.say(f"the library is in {library}")
    if token:
        talk.say(
            "everyone on the network who knows the address below can see and change these films; "
            "it is not encrypted"
        )
    talk.say("Ctrl-C ends the studio; open it at:")
    click.echo(f"{place}?token={token}" if token else place)


def _usual_preset() -> str:
    """The preset that the user named for all runs, if the studio has it."""
    from unflicker.studio.steering import PRESETS

    named = named_by_environment()
    return named if named in PRESETS else "standard"


def _usual_library(environment: Mapping[str, str]) -> Path:
    """The folder for a library: in the user's data, else in the temporary folder."""
    named = environment.get("XDG_DATA_HOME", "")
    try:
        base = Path(named) if named else Path.home() / ".local" / "share"
    except RuntimeError:
        base = Path(tempfile.gettempdir())
    return base / "unflicker" / "studio"
