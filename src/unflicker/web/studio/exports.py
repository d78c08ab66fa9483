"""Requests for files: the finished film, the plan, its curves, the report, a page to share."""

from __future__ import annotations

import base64
import html
import io
import re
import zipfile
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, HTTPException
from fastapi.responses import FileResponse, HTMLResponse, Response

from unflicker.files.unfinished import temporary_folder
from unflicker.plan import Plan, exports
from unflicker.studio.desk import Desk
from unflicker.studio.planning import plan_file, write_steered
from unflicker.studio.work import SHARED, clip_file

_PAGES = Path(__file__).parent / "pages"
_PLACE = re.compile(r"\{\{\w+\}\}")


def exports_router(desk: Desk) -> APIRouter:
    """Requests for files of one film.

    Args:
        desk: What visitors can do.
    """
    router = APIRouter(prefix="/api/films/{film}/export")
    _add_results(router, desk)
    _add_plans(router, desk)

    @router.get("/page/{start}.html", response_model=None)
    def page(film: str, start: int) -> HTMLResponse:
        found, steering = desk.library.film(film), desk.library.steering(film)
        folder = desk.library.folder_of(film)
        clip = clip_file(folder, SHARED, f"{steering.key}-{start}")
        if not clip.is_file():
            raise HTTPException(404, "these seconds are not made yet")
        text = _shared(found.name, found.facts, clip.read_bytes())
        return HTMLResponse(text, headers=_download(found.name, "before_after.html"))

    return router


def _add_results(router: APIRouter, desk: Desk) -> None:
    @router.get("/film", response_model=None)
    def result(film: str) -> FileResponse:
        place = Path(desk.library.film(film).facts.get("result", "/"))
        if not place.is_file():
            raise HTTPException(404, "the film is not rendered yet, or its result has gone")
        return FileResponse(place, filename=place.name)

    @router.get("/report.html", response_model=None)
    def report(film: str) -> HTMLResponse:
        desk.library.film(film)
        place = desk.library.folder_of(film) / "report.html"
        if not place.is_file():
            raise HTTPException(404, "there is a report once the film is rendered")
        # The report has its own styles and script; it may load nothing else.
        policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
        policy += "script-src 'unsafe-inline'; sandbox allow-scripts"
        return HTMLResponse(
            place.read_text(encoding="utf-8"), headers={"content-security-policy": policy}
        )


def _add_plans(router: APIRouter, desk: Desk) -> None:
    def plan_of(film: str) -> Plan:
        place = plan_file(desk.library.folder_of(film), desk.library.steering(film))
        if not place.is_file():
            raise HTTPException(404, "the film is not analysed yet")
        return Plan(place)

    @router.get("/{kind}", response_model=None)
    def export(film: str, kind: str) -> Response:
        if kind not in _WRITERS:
            raise HTTPException(404, f"there is no {kind}; choose plan, csv, json or cube")
        found, plan = desk.library.film(film), plan_of(film)
        with temporary_folder() as folder:
            edited = folder / "edited.plan"
            write_steered(plan, edited, steering=desk.library.steering(film))
            ending, media, content = _WRITERS[kind](edited, folder)
        return Response(content, media_type=media, headers=_download(found.name, ending))


def _plan(place: Path, _: Path) -> tuple[str, str, bytes]:
    return "plan", "application/zip", place.read_bytes()


def _csv(place: Path, folder: Path) -> tuple[str, str, bytes]:
    exports.write_csv(Plan(place), folder / "out.csv")
    return "csv", "text/csv; charset=utf-8", (folder / "out.csv").read_bytes()


def _json(place: Path, folder: Path) -> tuple[str, str, bytes]:
    exports.write_json(Plan(place), folder / "out.json")
    return "json", "application/json", (folder / "out.json").read_bytes()


def _cubes(place: Path, folder: Path) -> tuple[str, str, bytes]:
    exports.write_cubes(Plan(place), folder / "cubes", per="shot")
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for cube in sorted((folder / "cubes").glob("*.cube")):
            archive.write(cube, cube.name)
    return "cubes.zip", "application/zip", content.getvalue()


_WRITERS = {"plan": _plan, "csv": _csv, "json": _json, "cube": _cubes}


def _shared(name: str, facts: dict[str, Any], clip: bytes) -> str:
    """A page with ten seconds of before and after, which needs nothing else."""
    text = (_PAGES / "shared.html").read_text(encoding="utf-8")
    player = (_PAGES / "compare.js").read_text(encoding="utf-8")
    parts = {
        "{{name}}": html.escape(name),
        "{{headline}}": html.escape(str(facts.get("headline", ""))),
        "{{player}}": player.replace("export ", ""),
        "{{clip}}": base64.b64encode(clip).decode(),
    }
    return _PLACE.sub(lambda found: parts[found[0]], text)


def _download(name: str, ending: str) -> dict[str, str]:
    """A header that makes a browser save a file under the film's name."""
    return {"content-disposition": f"attachment; filename*=UTF-8''{quote(f'{name}.{ending}')}"}
