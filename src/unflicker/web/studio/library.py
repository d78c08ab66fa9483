"""Requests about the library: its films, folders, uploads, and the queue."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Body, Query, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, Field

from unflicker.studio.desk import Desk, summary_of
from unflicker.studio.library import Task
from unflicker.studio.uploads import Upload

_ANY = dict[str, Any]
_SHOWN_TASKS = 100


class Begun(BaseModel):
    """What a browser says of a file that it will send."""

    name: Annotated[str, Field(min_length=1, max_length=1024)]
    size: Annotated[int, Field(ge=0, le=1 << 50)]
    changed: Annotated[str, Field(max_length=64)] = ""


class Named(BaseModel):
    """A path that was chosen."""

    path: Annotated[str, Field(min_length=1, max_length=8192)]


def library_router(desk: Desk) -> APIRouter:
    """Requests about the library.

    Args:
        desk: What visitors can do.
    """
    router = APIRouter(prefix="/api")

    @router.get("/library")
    def films(
        search: Annotated[str, Query(max_length=200)] = "",
        sort: Annotated[str, Query(max_length=20)] = "added",
    ) -> _ANY:
        found = desk.library.films(search=search, sort=sort)
        return {"films": [summary_of(film) for film in found], **queue_told(desk)}

    @router.get("/browse")
    def browse(path: Annotated[str, Query(max_length=8192)] = "") -> _ANY:
        above, entries = desk.places.listed(path)
        return {"path": path, "above": above, "entries": [asdict(entry) for entry in entries]}

    @router.post("/films")
    def add(named: Annotated[Named, Body()]) -> _ANY:
        return summary_of(desk.add(named.path))

    @router.post("/tasks/{number}/cancel")
    def cancel(number: int) -> _ANY:
        desk.queue.cancel(number)
        return queue_told(desk)

    _add_uploads(router, desk)
    return router


def _add_uploads(router: APIRouter, desk: Desk) -> None:
    @router.post("/uploads")
    def begin(told: Annotated[Begun, Body()]) -> _ANY:
        return _arrived(desk, desk.uploads.begin(told.name, size=told.size, changed=told.changed))

    @router.put("/uploads/{token}")
    async def piece(token: str, request: Request, offset: Annotated[int, Query(ge=0)]) -> _ANY:
        content = await request.body()
        upload = await run_in_threadpool(desk.uploads.add, token, offset=offset, piece=content)
        return await run_in_threadpool(_arrived, desk, upload)


def queue_told(desk: Desk) -> _ANY:
    """The work of the queue, newest last."""
    names = {film.film: film.name for film in desk.library.films()}
    tasks = desk.library.tasks()[-_SHOWN_TASKS:]
    return {"tasks": [{**task_told(task), "name": names.get(task.film, "")} for task in tasks]}


def task_told(task: Task) -> _ANY:
    """A task as plain values, without paths of this machine."""
    told = asdict(task)
    del told["wanted"]
    told["result"] = {k: v for k, v in task.result.items() if k != "target"}
    if "target" in task.result:
        told["result"]["file"] = Path(task.result["target"]).name
    return told


def _arrived(desk: Desk, upload: Upload) -> _ANY:
    told: _ANY = {"upload": upload.upload, "offset": upload.offset, "size": upload.size}
    if upload.film is not None:
        told["film"] = desk.uploaded(upload).film
    return told
