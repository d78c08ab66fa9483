"""Server-sent events: the queue whenever something changes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

from fastapi import APIRouter
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from unflicker.studio.desk import Desk
from unflicker.web.studio.library import queue_told

_LOOK_SECONDS = 0.2
_ALIVE_SECONDS = 10.0
"""Something is sent at least so often, so that a broken connection is noticed."""


def events_router(desk: Desk) -> APIRouter:
    """Requests for events.

    Args:
        desk: What visitors can do.
    """
    router = APIRouter(prefix="/api")

    @router.get("/events", response_model=None)
    async def events() -> StreamingResponse:
        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        return StreamingResponse(_told(desk), media_type="text/event-stream", headers=headers)

    return router


async def _told(desk: Desk) -> AsyncIterator[str]:
    seen, quiet = -1, 0.0
    while not desk.closed:
        changes = desk.library.changes
        if changes != seen:
            seen, quiet = changes, 0.0
            content = json.dumps(await run_in_threadpool(queue_told, desk))
            yield f"data: {content}\n\n"
        elif quiet >= _ALIVE_SECONDS:
            quiet = 0.0
            yield ": alive\n\n"
        await asyncio.sleep(_LOOK_SECONDS)
        quiet += _LOOK_SECONDS
