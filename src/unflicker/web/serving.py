"""Serves pages on this machine until stopped."""

from __future__ import annotations

import errno
import logging
import socket
from collections.abc import Callable
from importlib.util import find_spec
from types import FrameType
from typing import TYPE_CHECKING, Any

from unflicker.errors import MissingError, UsageError

if TYPE_CHECKING:
    from uvicorn import Server

_LIBRARIES = ("fastapi", "uvicorn")
_EVERYWHERE = ("0.0.0.0", "::")
_PATIENCE_SECONDS = 2


def need_web() -> None:
    """Refuse to start if the packages for pages are not installed.

    Raises:
        MissingError: fastapi or uvicorn is not there.
    """
    for library in _LIBRARIES:
        if find_spec(library) is None:
            raise MissingError(
                f"pages in a browser need {library}, which is not installed; "
                "install it with: pip install 'unflicker[web]'"
            )


def bound(host: str, *, port: int) -> socket.socket:
    """A socket that listens for browsers.

    Args:
        host: Name or address.
        port: 0 takes a free one.

    Raises:
        UsageError: The address cannot be bound.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family)
    except (OSError, OverflowError) as fault:
        why = "another program listens there" if _is_taken(fault) else str(fault)
        raise UsageError(
            f"cannot listen on {host}, port {port}: {why}; "
            "--port 0 takes a free one, --host 127.0.0.1 is this machine"
        ) from fault


def _is_taken(fault: Exception) -> bool:
    return isinstance(fault, OSError) and fault.errno == errno.EADDRINUSE


def address(listener: socket.socket) -> str:
    """The address for a browser; with this machine's name if it is open to the network."""
    host, port = listener.getsockname()[:2]
    if host in _EVERYWHERE:
        host = socket.gethostname()
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def server_of(app: Callable[..., Any], *, ending: Callable[[], None] | None = None) -> Server:
    """A server for an application; it keeps no log of who came.

    Args:
        app: The application.
        ending: Called when the server is told to stop, so that answers without end can end.
    """
    from uvicorn import Config, Server

    class Ending(Server):
        def handle_exit(self, sig: int, frame: FrameType | None) -> None:
            if ending is not None:
                ending()
            super().handle_exit(sig, frame)

    # What is cancelled at the end is no news, and would come with a traceback.
    logging.getLogger("uvicorn.error").addHandler(logging.NullHandler())
    logging.getLogger("uvicorn.error").propagate = False
    config = Config(
        app,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_PATIENCE_SECONDS,
    )
    return Ending(config)
