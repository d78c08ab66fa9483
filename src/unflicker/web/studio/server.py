"""The studio as a web application: pages, films, decisions, work in progress."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, JSONResponse, Response
from fastapi.staticfiles import StaticFiles

from unflicker.errors import MissingError, OutputError, UnflickerError
from unflicker.report.style import STYLE_FILE
from unflicker.studio.desk import Desk
from unflicker.studio.masks import MOST_BYTES
from unflicker.studio.uploads import PIECE_BYTES
from unflicker.web.guard import App, Guard
from unflicker.web.studio.events import events_router
from unflicker.web.studio.exports import exports_router
from unflicker.web.studio.films import films_router
from unflicker.web.studio.library import library_router

PAGES = Path(__file__).parent / "pages"
_HEADERS = [
    (
        b"content-security-policy",
        b"default-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; "
        b"frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
    ),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
    (b"cross-origin-resource-policy", b"same-origin"),
]


def studio_app(desk: Desk, *, token: str = "") -> App:
    """The web application of the studio.

    Args:
        desk: What visitors can do.
        token: What visitors must know; empty for none.
    """
    app = FastAPI(title="studio", docs_url=None, redoc_url=None, openapi_url=None)
    app.add_exception_handler(UnflickerError, _refused)
    app.include_router(library_router(desk))
    app.include_router(films_router(desk))
    app.include_router(exports_router(desk))
    app.include_router(events_router(desk))
    app.add_api_route("/", _page, methods=["GET"], response_model=None)
    app.add_api_route("/look.css", _style, methods=["GET"], response_model=None)
    app.mount("/pages", StaticFiles(directory=PAGES))
    return Guard(_with_headers(app), token=token, larger=_most_bytes)


def _page() -> FileResponse:
    return FileResponse(PAGES / "studio.html", headers={"cache-control": "no-store"})


def _style() -> FileResponse:
    return FileResponse(STYLE_FILE, headers={"cache-control": "no-cache"})


def _most_bytes(path: str) -> int:
    """Size of a body that a path takes, where it is above the usual."""
    if path.startswith("/api/uploads/"):
        return PIECE_BYTES
    return MOST_BYTES if path.endswith("/mask") else 0


async def _refused(_: Request, fault: Exception) -> Response:
    """An error of ours as an answer, with its message."""
    status = 404 if isinstance(fault, MissingError) else 409
    if isinstance(fault, OutputError):
        status = 507
    return JSONResponse({"error": str(fault)}, status_code=status)


def _with_headers(app: App) -> App:
    """The same application, with headers that keep its pages to themselves."""

    async def answered(scope: Any, receive: Any, send: Any) -> None:
        async def with_headers(message: Any) -> None:
            if message["type"] == "http.response.start":
                told = {name for name, _ in message["headers"]}
                more = [pair for pair in _HEADERS if pair[0] not in told]
                if b"cache-control" not in told:
                    more.append((b"cache-control", b"no-store"))
                message = {**message, "headers": [*message["headers"], *more]}
            await send(message)

        await app(scope, receive, with_headers)

    return answered
