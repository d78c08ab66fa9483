"""The user study as a web application: pages, videos under blind names, answers.

No response identifies the method of a video, except for the owner's results under a secret address.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel, Field

from unflicker.errors import UsageError
from unflicker.study.answers import Answers, Asked, Choice
from unflicker.study.consent import Consent
from unflicker.study.material import Material
from unflicker.study.questions import Plan
from unflicker.study.results import results_of
from unflicker.study.tables import as_csv, as_facts, raw_csv
from unflicker.web.guard import LOOPBACK, App, Guard

_PAGES = Path(__file__).parent / "pages"
_DAY_SECONDS = 24 * 3600
_COOKIE_SECONDS = 90 * _DAY_SECONDS
_LONG_AGO = "Thu, 01 Jan 1970 00:00:00 GMT"
_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; media-src 'self' blob:; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


class AnswerGiven(BaseModel):
    """What the page sends when a key was pressed."""

    place: Annotated[int, Field(ge=0)]
    choice: Choice
    seconds: Annotated[float, Field(ge=0, le=_DAY_SECONDS, allow_inf_nan=False)]


class Begun(BaseModel):
    """What the page sends when a person agrees and begins."""

    consent: Annotated[str, Field(max_length=64)] = ""


class AnswerTakenBack(BaseModel):
    """What the page sends to go back by one."""

    place: Annotated[int, Field(ge=0)]


def study_app(
    material: Material,
    answers: Answers,
    *,
    plan: Plan,
    consent: Consent | None = None,
    hosts: Collection[str] | None = LOOPBACK,
) -> App:
    """The web application of a study.

    Args:
        material: Videos of the study.
        answers: Where answers are stored.
        plan: How many questions, and which.
        consent: What participants agree to; None for the usual statements.
        hosts: Names under which the study may be called; None for any.
    """
    app = FastAPI(title="study", docs_url=None, redoc_url=None, openapi_url=None)
    app.middleware("http")(_with_headers)
    asking = _Asking(material, answers, plan=plan, consent=consent or Consent())
    app.include_router(asking.router)
    app.include_router(_owner_router(answers))
    app.mount("/pages", StaticFiles(directory=_PAGES))
    app.add_exception_handler(RequestValidationError, _nonsense)
    return Guard(app, hosts=hosts)


async def _nonsense(_: Request, fault: Exception) -> Response:
    """An answer to a body that is none: what it lacks, and nothing of its content."""
    found = fault.errors() if isinstance(fault, RequestValidationError) else []
    places = {".".join(str(part) for part in one["loc"])[:80] for one in found}
    return JSONResponse({"error": f"cannot be used: {', '.join(sorted(places))}"}, status_code=422)


async def _with_headers(request: Request, call_next: Any) -> Response:
    response = await call_next(request)
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    return response


class _Asking:
    """Requests that participants may make."""

    def __init__(
        self, material: Material, answers: Answers, *, plan: Plan, consent: Consent
    ) -> None:
        self._material, self._answers, self._plan = material, answers, plan
        self._consent = consent
        self._cookie = f"study_{answers.name}"
        self.router = APIRouter()
        self.router.add_api_route("/", self.page, methods=["GET"], response_model=None)
        self.router.add_api_route("/api/state", self.state, methods=["GET"])
        self.router.add_api_route("/api/consent", self.consent, methods=["GET"])
        self.router.add_api_route("/api/withdraw", self.withdraw, methods=["POST"])
        self.router.add_api_route("/api/begin", self.begin, methods=["POST"])
        self.router.add_api_route("/api/answer", self.answer, methods=["POST"])
        self.router.add_api_route("/api/undo", self.undo, methods=["POST"])
        self.router.add_api_route(
            "/video/{token}", self.video, methods=["GET", "HEAD"], response_model=None
        )

    def page(self) -> FileResponse:
        """The one page of the study."""
        return FileResponse(_PAGES / "study.html")

    def state(self, request: Request) -> dict[str, Any]:
        """A person's progress, and the current question."""
        return self._state(request.cookies.get(self._cookie, ""))

    def consent(self) -> dict[str, Any]:
        """The statements that a participant agrees to."""
        shown = self._consent
        return {"statements": shown.statements, "contact": shown.contact, "mark": shown.mark}

    def begin(self, request: Request, response: Response, given: Begun) -> dict[str, Any]:
        """Register a person who agrees; one who is registered continues."""
        token = request.cookies.get(self._cookie, "")
        if not self._answers.of_person(token):
            if given.consent != self._consent.mark:
                raise HTTPException(403, "a person begins by agreeing to the statements shown")
            token = self._answers.begin(self._material, plan=self._plan, consent=given.consent)
            response.set_cookie(
                self._cookie, token, max_age=_COOKIE_SECONDS, httponly=True, samesite="lax"
            )
        return self._state(token)

    def answer(self, request: Request, given: AnswerGiven) -> dict[str, Any]:
        """Store an answer; returns the next question."""
        token = request.cookies.get(self._cookie, "")
        try:
            self._answers.answer(token, given.place, choice=given.choice, seconds=given.seconds)
        except UsageError as fault:
            raise HTTPException(409, str(fault)) from fault
        return self._state(token)

    def undo(self, request: Request, given: AnswerTakenBack) -> dict[str, Any]:
        """Remove the last answer; returns its question."""
        token = request.cookies.get(self._cookie, "")
        try:
            self._answers.undo(token, given.place)
        except UsageError as fault:
            raise HTTPException(409, str(fault)) from fault
        return self._state(token)

    def withdraw(self, request: Request, response: Response) -> dict[str, Any]:
        """Delete a person's answers, and forget the person."""
        deleted = self._answers.withdraw(request.cookies.get(self._cookie, ""))
        response.delete_cookie(self._cookie)
        return {"deleted": deleted, **self._state("")}

    def video(self, token: str) -> FileResponse:
        """A video, with headers that do not distinguish one method's files from another's."""
        behind = self._answers.behind(token)
        path = self._material.video(*behind) if behind else None
        if path is None:
            raise HTTPException(404, "there is no such video")
        headers = {
            "etag": f'"{token}"',
            "last-modified": _LONG_AGO,
            "cache-control": "private, max-age=3600",
        }
        return FileResponse(path, media_type="video/mp4", headers=headers)

    def _state(self, token: str) -> dict[str, Any]:
        asked = self._answers.of_person(token)
        place = sum(each.choice is not None for each in asked)
        return {
            "begun": bool(asked),
            "place": place,
            "total": len(asked) or self._expected(),
            "done": bool(asked) and place == len(asked),
            "shown_input": self._plan.shown_input,
            "question": self._videos(asked[place]) if place < len(asked) else None,
            "next": self._videos(asked[place + 1]) if place + 1 < len(asked) else None,
        }

    def _expected(self) -> int:
        return min(self._plan.pairs, len(self._material.pairs)) + self._plan.checks

    def _videos(self, asked: Asked) -> dict[str, str | None]:
        with_input = self._plan.shown_input != "none" and self._material.video(
            asked.example, "input"
        )
        return {
            "left": f"/video/{asked.left_token}",
            "right": f"/video/{asked.right_token}",
            "input": f"/video/{asked.input_token}" if with_input else None,
        }


def _owner_router(answers: Answers) -> APIRouter:
    """The results, at the secret address."""
    router = APIRouter(prefix="/results/{secret}")

    def let_in(secret: str) -> None:
        if not secrets.compare_digest(secret.encode(), answers.owner.encode()):
            raise HTTPException(404, "Not Found")

    @router.get("/", response_model=None)
    def page(secret: str) -> FileResponse:
        let_in(secret)
        return FileResponse(_PAGES / "results.html")

    @router.get("/results.json", response_model=None)
    def facts(secret: str, attentive: bool = False) -> JSONResponse:  # noqa: FBT001, FBT002 - a part of the address
        let_in(secret)
        return JSONResponse(as_facts(results_of(answers.everything(), attentive=attentive)))

    @router.get("/results.csv", response_model=None)
    def table(secret: str) -> Response:
        let_in(secret)
        return Response(as_csv(results_of(answers.everything())), media_type="text/csv")

    @router.get("/answers.csv", response_model=None)
    def every_answer(secret: str) -> Response:
        let_in(secret)
        return Response(raw_csv(answers.everything()), media_type="text/csv")

    return router
