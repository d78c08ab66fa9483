"""Requests about one film: what is known of it, its pictures, decisions, and work on it."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, HTTPException, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import FileResponse, Response
from pydantic import BaseModel, Field

from unflicker.studio.desk import Desk
from unflicker.studio.look import POSTER, SMALL_FILM
from unflicker.studio.steering import Steering
from unflicker.web.studio.library import task_told

_ANY = dict[str, Any]
_CLIP = re.compile(r"(compare|result|preview|shared)-[0-9a-f]{16}(-\d{1,9}){0,2}")
_FOR_LONG = {"cache-control": "private, max-age=86400"}
_MOST_PX = 16_384
_Share = Annotated[float | None, Query(ge=0.0, le=1.0)]
"""A strength that is tried out, before it is decided."""


class From(BaseModel):
    """A place in a film."""

    start: Annotated[int, Field(ge=0, le=1 << 31)]


class Rendered(BaseModel):
    """Where a result goes."""

    where: Literal["film", "library"] = "film"


def films_router(desk: Desk) -> APIRouter:
    """Requests about one film.

    Args:
        desk: What visitors can do.
    """
    router = APIRouter(prefix="/api/films/{film}")
    _add_reading(router, desk)
    _add_pictures(router, desk)
    _add_stills(router, desk)
    _add_kept(router, desk)
    _add_deciding(router, desk)
    _add_work(router, desk)
    return router


def _add_reading(router: APIRouter, desk: Desk) -> None:
    @router.get("")
    def film_told(film: str) -> _ANY:
        return desk.told(film)

    @router.delete("")
    def remove(film: str) -> _ANY:
        desk.remove(film)
        return {}

    @router.get("/seconds", response_model=None)
    def seconds(film: str) -> Response:
        desk.library.film(film)
        return Response(desk.seconds(film), media_type="application/octet-stream")

    @router.get("/curve")
    def curve(
        film: str,
        start: Annotated[int, Query(ge=0)] = 0,
        stop: Annotated[int, Query(ge=0)] = 0,
        places: Annotated[int, Query(ge=1, le=10_000)] = 800,
    ) -> _ANY:
        desk.library.film(film)
        return desk.curve(film, start=start, stop=stop, places=places)


def _add_pictures(router: APIRouter, desk: Desk) -> None:
    def file_of(film: str, name: str) -> Path:
        desk.library.film(film)
        place = desk.library.folder_of(film) / name
        if not place.is_file():
            raise HTTPException(404, "there is no such file yet")
        return place

    @router.get("/poster.jpg", response_model=None)
    def poster(film: str) -> FileResponse:
        return FileResponse(file_of(film, POSTER), headers={"cache-control": "no-cache"})

    @router.get("/video/{name}.mp4", response_model=None)
    def video(film: str, name: str) -> FileResponse:
        if name != "before" and not _CLIP.fullmatch(name):
            raise HTTPException(404, "there is no such film")
        place = file_of(film, SMALL_FILM if name == "before" else f"{name}.mp4")
        headers = {} if name == "before" else _FOR_LONG
        return FileResponse(place, media_type="video/mp4", headers=headers)


def _add_stills(router: APIRouter, desk: Desk) -> None:
    @router.get("/still/{index}.jpg", response_model=None)
    def still(
        film: str,
        index: int,
        side: Literal["before", "after", "result"] = "before",
        px: Annotated[int, Query(ge=16, le=_MOST_PX)] = _MOST_PX,
        strength: _Share = None,
        shot_strength: _Share = None,
    ) -> Response:
        found, folder = desk.library.film(film), desk.library.folder_of(film)
        if side == "after":
            steering = desk.library.steering(film)
            if strength is not None:
                steering = replace(steering, strength=strength)
            picture = desk.stills.after(
                found.source,
                folder,
                index=index,
                longest_px=px,
                steering=steering,
                shot_strength=shot_strength,
            )
        else:
            source = Path(found.facts.get("result", "")) if side == "result" else found.source
            picture = desk.stills.before(source, folder, index=index, longest_px=px)
        return Response(picture, media_type="image/jpeg")


def _add_kept(router: APIRouter, desk: Desk) -> None:
    @router.get("/kept/{index}.png", response_model=None)
    def kept(film: str, index: int) -> Response:
        steering, folder = desk.library.steering(film), desk.library.folder_of(film)
        desk.library.film(film)
        picture = desk.stills.kept(folder, index=index, steering=steering)
        return Response(picture, media_type="image/png")


def _add_deciding(router: APIRouter, desk: Desk) -> None:
    @router.put("/steering")
    def decide(film: str, given: Annotated[_ANY, Body()]) -> _ANY:
        desk.library.film(film)
        desk.decide(film, Steering.from_dict(given))
        return desk.told(film)

    @router.post("/undo")
    def undo(film: str) -> _ANY:
        desk.undo(film)
        return desk.told(film)

    @router.post("/reset")
    def reset(film: str) -> _ANY:
        desk.library.film(film)
        desk.decide(film, desk.library.usual)
        return desk.told(film)

    @router.put("/mask")
    async def draw(film: str, request: Request) -> _ANY:
        content = await request.body()
        await run_in_threadpool(desk.draw_mask, film, content)
        return await run_in_threadpool(desk.told, film)

    @router.get("/mask.png", response_model=None)
    def mask(film: str) -> FileResponse:
        steering = desk.library.steering(film)
        place = desk.library.folder_of(film) / f"mask-{steering.mask}.png"
        if not steering.mask or not place.is_file():
            raise HTTPException(404, "no mask is drawn")
        return FileResponse(place)


def _add_work(router: APIRouter, desk: Desk) -> None:
    @router.post("/compare")
    def compare(film: str) -> _ANY:
        return task_told(desk.compare(film))

    @router.post("/preview")
    def preview(film: str, at: Annotated[From, Body()]) -> _ANY:
        return task_told(desk.preview(film, start=at.start))

    @router.post("/share")
    def share(film: str, at: Annotated[From, Body()]) -> _ANY:
        return task_told(desk.share(film, start=at.start))

    @router.post("/render")
    def render(film: str, to: Annotated[Rendered, Body()]) -> _ANY:
        return task_told(desk.render(film, where=to.where))
