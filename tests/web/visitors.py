"""A study that is open, and people who visit it without a browser."""

from __future__ import annotations

import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.cookiejar import CookieJar
from pathlib import Path

from unflicker.study import Answers, Consent, Plan, answers_file, read_material
from unflicker.web.serving import address, bound, server_of
from unflicker.web.study.server import study_app


class Visitor:
    """Somebody with a cookie jar of their own."""

    def __init__(self, place: str) -> None:
        self.place = place
        self.jar = CookieJar()
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.jar))

    def fetch(self, path: str, body=None, **headers: str) -> tuple[int, dict[str, str], bytes]:
        plain = body is None or isinstance(body, bytes)
        data = body if plain else json.dumps(body).encode()
        request = urllib.request.Request(self.place + path.lstrip("/"), data=data, headers=headers)
        if data is not None:
            request.add_header("Content-Type", "application/json")
        try:
            with self._opener.open(request, timeout=120) as answer:
                return answer.status, dict(answer.headers), answer.read()
        except urllib.error.HTTPError as fault:
            with fault:
                return fault.code, dict(fault.headers), fault.read()

    def ask(self, path: str, body=None) -> dict:
        status, _, content = self.fetch(path, body)
        assert status == 200, content
        return json.loads(content)

    def begin(self) -> dict:
        """Agree to what is shown, and begin."""
        return self.ask("api/begin", {"consent": self.ask("api/consent")["mark"]})

    def answer(self, place: int, choice: str, seconds: float = 2.0) -> dict:
        return self.ask("api/answer", {"place": place, "choice": choice, "seconds": seconds})


@contextmanager
def study_served(
    folder: Path, *, plan: Plan, consent: Consent | None = None, **chosen
) -> Iterator[tuple[str, Answers]]:
    """Address and answers of a study that is open to visitors."""
    answers = Answers(answers_file(folder))
    app = study_app(read_material(folder, **chosen), answers, plan=plan, consent=consent)
    with served(app) as place:
        yield place, answers


@contextmanager
def served(app) -> Iterator[str]:
    """Address of an application that is open to visitors."""
    with bound("127.0.0.1", port=0) as listener:
        server = server_of(app)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            while not server.started:
                time.sleep(0.01)
            yield address(listener)
        finally:
            server.should_exit = True
            thread.join(20)
