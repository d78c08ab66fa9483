"""Requests to the studio: who is let in, what is refused, what comes back."""

import http.client
import io
import json
import urllib.request
import zipfile
from urllib.parse import quote

import pytest
from studio_visits import HOSTILE, make_films, studio_served

from unflicker.studio.steering import Steering
from unflicker.studio.uploads import PIECE_BYTES


class Caller:
    """Sends requests as they are, with any header."""

    def __init__(self, place: str) -> None:
        self.place = place
        self.host = place.split("/")[2]

    def call(self, method: str, path: str, body=None, **headers: str):
        connection = http.client.HTTPConnection(self.host, timeout=120)
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        data = json.dumps(body).encode() if isinstance(body, dict | list) else body
        if isinstance(body, dict | list):
            given.setdefault("Content-Type", "application/json")
        connection.request(method, path, body=data, headers=given)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer.status, dict(answer.getheaders()), content

    def told(self, method: str, path: str, body=None):
        status, _, content = self.call(method, path, body)
        assert status == 200, (status, content)
        return json.loads(content)


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    return make_films(tmp_path_factory.mktemp("studio") / "films")


@pytest.fixture(scope="module")
def standing(films, tmp_path_factory):
    """A studio whose queue stands, with one film."""
    library = tmp_path_factory.mktemp("library")
    with studio_served(library, films, working=False, most_bytes=20 << 20) as (place, desk):
        desk.add(str(films / "numbered.mp4"))
        yield Caller(place), desk


@pytest.fixture(scope="module")
def caller(standing):
    return standing[0]


@pytest.fixture(scope="module")
def film(standing) -> str:
    return standing[1].library.films()[0].film


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "evil.example:80"},
        {"Host": "127.0.0.1.evil.example"},
        {"Host": ""},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec_Fetch_Site": "cross-site", "Origin": "http://127.0.0.1"},
    ],
)
@pytest.mark.parametrize(("method", "path"), [("GET", "/api/library"), ("POST", "/api/films")])
def test_foreign_pages_are_refused(caller, method, path, headers):
    status, _, _ = caller.call(method, path, {"path": "/"}, **headers)
    assert status in (403, 421)


def test_its_own_pages_are_let_in(caller):
    headers = {"Origin": caller.place.rstrip("/"), "Sec_Fetch_Site": "same-origin"}
    assert caller.call("GET", "/api/library", **headers)[0] == 200
    assert caller.call("GET", "/api/library", Host="localhost")[0] == 200


def test_pages_may_load_nothing_from_elsewhere(caller):
    for path in ("/", "/pages/app.js", "/look.css", "/api/library"):
        status, headers, content = caller.call("GET", path)
        assert status == 200
        assert "default-src 'self'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert b"https://" not in content
        assert b"http://" not in content.replace(b"http://www.w3.org", b"")


def test_all_pages_together_are_small(caller):
    from unflicker.web.studio.server import PAGES

    assert sum(path.stat().st_size for path in PAGES.iterdir()) < 300_000


@pytest.mark.parametrize(
    "path",
    [
        "/pages/../server.py",
        "/pages/%2e%2e/server.py",
        "/pages/..%2fserver.py",
        "/api/films/../../etc/passwd",
        "/api/films/nothing/still/0.jpg",
        "/api/films/nothing/video/before.mp4",
        "/api/films/nothing/export/plan",
        "/api/films/%2e%2e/poster.jpg",
        "/docs",
        "/openapi.json",
    ],
)
def test_no_address_leads_to_other_files(caller, path):
    status, _, content = caller.call("GET", path)
    assert status in (404, 405, 409)
    assert b"import" not in content


@pytest.mark.parametrize(
    "name", ["../before", "x", "studio", "compare-" + "z" * 16, "compare-..%2f..", "before.mp4"]
)
def test_only_clips_are_served_as_clips(caller, film, name):
    assert caller.call("GET", f"/api/films/{film}/video/{name}.mp4")[0] == 404


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/api/films", {"path": "/etc/passwd"}),
        ("POST", "/api/films", {"path": "\0"}),
        ("POST", "/api/films", {"path": 7}),
        ("POST", "/api/films", []),
        ("POST", "/api/films", b"{"),
        ("POST", "/api/uploads", {"name": "", "size": 1}),
        ("POST", "/api/uploads", {"name": "a.mp4", "size": 4 << 30}),
        ("POST", "/api/uploads", {"name": "a.mp4", "size": "NaN"}),
        ("PUT", "/api/uploads/" + "0" * 24 + "?offset=0", b"x"),
        ("POST", "/api/tasks/99/cancel", {}),
        ("POST", "/api/tasks/x/cancel", {}),
        ("GET", "/api/browse?path=%2Fetc", None),
        ("PUT", "/api/films/FILM/steering", {"strength": 7}),
        ("PUT", "/api/films/FILM/steering", b'{"strength": NaN}'),
        ("PUT", "/api/films/FILM/steering", b'{"shots": ' + b"[" * 2000 + b"]" * 2000 + b"}"),
        ("PUT", "/api/films/FILM/mask", b"no picture"),
        ("POST", "/api/films/FILM/render", {"where": "/etc"}),
        ("POST", "/api/films/FILM/render", {"where": "film"}),
        ("POST", "/api/films/FILM/preview", {"start": -1}),
        ("POST", "/api/films/FILM/compare", {}),
        ("GET", "/api/films/FILM/still/0.jpg?px=999999", None),
        ("GET", "/api/films/FILM/still/99999999999999999999.jpg", None),
        ("GET", "/api/films/FILM/still/0.jpg?side=after", None),
        ("GET", "/api/films/FILM/still/0.jpg?side=result", None),
        ("GET", "/api/films/FILM/curve?start=-1", None),
        ("GET", "/api/films/FILM/export/film", None),
        ("GET", "/api/films/FILM/export/report.html", None),
        ("GET", "/api/films/FILM/export/nonsense", None),
    ],
)
def test_nonsense_gets_one_clear_answer(caller, film, method, path, body):
    status, _, content = caller.call(method, path.replace("FILM", film), body)
    assert 400 <= status < 500, (status, content)
    assert b"Traceback" not in content


def test_bodies_are_bounded(caller):
    started = caller.told("POST", "/api/uploads", {"name": "big.mp4", "size": 10 << 20})
    path = f"/api/uploads/{started['upload']}?offset=0"
    too_much = str(PIECE_BYTES + 1)
    assert caller.call("PUT", path, b"x", Content_Length=too_much)[0] == 413
    assert caller.call("POST", "/api/films", b" " * (2 << 20))[0] == 413
    assert caller.call("POST", "/api/films", b"x", Content_Length="-1")[0] in (400, 413)


def test_a_film_is_sent_in_pieces(standing, films):
    caller, desk = standing
    content = (films / "other.mp4").read_bytes()
    told = {"name": HOSTILE, "size": len(content), "changed": "1"}
    upload = caller.told("POST", "/api/uploads", told)
    half = len(content) // 2
    path = f"/api/uploads/{upload['upload']}?offset="
    caller.told("PUT", f"{path}0", content[:half])
    assert caller.told("POST", "/api/uploads", told)["offset"] == half
    film = caller.told("PUT", f"{path}{half}", content[half:])["film"]
    assert desk.library.film(film).source.read_bytes() == content
    assert caller.told("POST", "/api/uploads", told)["film"] == film
    caller.told("DELETE", f"/api/films/{film}")
    assert caller.call("GET", f"/api/films/{film}")[0] == 409


def test_names_are_text_everywhere(caller, films):
    shown = caller.told("GET", f"/api/browse?path={quote(str(films))}")
    assert HOSTILE in [entry["name"] for entry in shown["entries"]]
    film = caller.told("POST", "/api/films", {"path": str(films / HOSTILE)})
    assert film["name"] == HOSTILE
    listed = caller.told("GET", "/api/library")
    assert HOSTILE in [each["name"] for each in listed["films"]]
    assert str(films) not in json.dumps(listed)


def test_events_tell_of_every_change(standing, film):
    caller, desk = standing
    with urllib.request.urlopen(f"{caller.place}api/events", timeout=120) as events:
        assert events.headers["Content-Type"].startswith("text/event-stream")

        def next_news() -> dict:
            line = events.readline()
            while not line.startswith(b"data: "):
                line = events.readline()
            return json.loads(line[6:])

        before = next_news()
        task = desk.library.submit(film, "share", {"start": 7})
        after = next_news()
        assert task.task not in [each["task"] for each in before["tasks"]]
        told = next(each for each in after["tasks"] if each["task"] == task.task)
        assert (told["state"], told["name"]) == ("waiting", "numbered.mp4")
        caller.told("POST", f"/api/tasks/{task.task}/cancel", {})
        states = {each["task"]: each["state"] for each in next_news()["tasks"]}
        assert states[task.task] == "cancelled"


def test_on_a_network_only_those_who_know_the_token_come_in(films, tmp_path):
    token = "a-secret-token"
    served = studio_served(tmp_path, films, working=False, token=token)
    with served as (place, _):
        caller = Caller(place)
        assert caller.call("GET", "/")[0] == 403
        assert caller.call("GET", "/api/library")[0] == 403
        assert caller.call("GET", "/?token=another")[0] == 403
        status, headers, _ = caller.call("GET", f"/?token={token}")
        assert (status, headers["location"]) == (303, "/")
        cookie = headers["set-cookie"].split(";")[0]
        assert "HttpOnly" in headers["set-cookie"]
        assert caller.call("GET", "/api/library", Cookie=cookie)[0] == 200
        assert caller.call("GET", "/api/library", Cookie=cookie, Host="proxy.example")[0] == 200
        crossed = {
            "Cookie": cookie,
            "Origin": "http://evil.example",
            "Sec_Fetch_Site": "cross-site",
        }
        assert caller.call("POST", "/api/films", {"path": "/"}, **crossed)[0] == 403
        assert caller.call("GET", "/api/library", Cookie=f"{cookie}x")[0] == 403


def test_a_film_from_the_list_to_its_files(films, tmp_path):
    with studio_served(tmp_path, films) as (place, desk):
        caller = Caller(place)
        film = caller.told("POST", "/api/films", {"path": str(films / "other.mp4")})["film"]
        at = f"/api/films/{film}"
        fast = {**Steering(preset="fast").to_dict()}
        caller.told("PUT", f"{at}/steering", fast)
        desk.library.submit(film, "look")
        for kind in ("look", "analyse", "compare"):
            finish(desk, film, kind)
        told = caller.told("GET", at)
        assert told["planned"]
        assert told["compare"]
        assert told["shots"][0]["kind"]
        assert len(caller.call("GET", f"{at}/seconds")[2]) == 8 * 20
        clip = caller.call(
            "GET", f"{at}/video/compare-{told['steering_key']}.mp4", Range="bytes=0-99"
        )
        assert clip[0] == 206
        assert len(clip[2]) == 100
        for path, sign in (
            ("still/3.jpg", b"\xff\xd8"),
            ("still/3.jpg?side=after&strength=0.5&px=64", b"\xff\xd8"),
            ("poster.jpg", b"\xff\xd8"),
            ("export/plan", b"PK"),
            ("export/cube", b"PK"),
            ("export/csv", b"frame,seconds"),
            ("export/json", b"{"),
        ):
            status, headers, content = caller.call("GET", f"{at}/{path}")
            assert status == 200, (path, content)
            assert content.startswith(sign), path
            if path.startswith("export"):
                assert "attachment" in headers["content-disposition"]
        cubes = zipfile.ZipFile(io.BytesIO(caller.call("GET", f"{at}/export/cube")[2]))
        assert all(name.endswith(".cube") for name in cubes.namelist())

        caller.told("POST", f"{at}/share", {"start": 2})
        caller.told("POST", f"{at}/render", {"where": "library"})
        finish(desk, film, "share")
        finish(desk, film, "render")
        page = caller.call("GET", f"{at}/export/page/2.html")[2].decode()
        assert "data:video/mp4;base64," in page
        assert "{{" not in page
        assert "http://" not in page
        status, headers, report = caller.call("GET", f"{at}/export/report.html")
        assert (status, report[:15].lower()) == (200, b"<!doctype html>")
        assert "sandbox" in headers["content-security-policy"]
        assert b"ftyp" in caller.call("GET", f"{at}/export/film")[2][:12]
        told = caller.told("GET", at)
        assert told["rendered"]
        assert caller.call("GET", f"{at}/video/{told['result_clip']}.mp4")[0] == 200
        assert (tmp_path / "results" / "other_unflickered.mp4").is_file()


def finish(desk, film: str, kind: str) -> None:
    """Wait for all work of a kind on a film."""
    for _ in range(600):
        tasks = [task for task in desk.library.tasks(film=film) if task.kind == kind]
        if tasks:
            over = desk.queue.wait(tasks[-1].task, seconds=120)
            assert over.state == "done", over.says
            return
        desk.queue.wait(desk.library.tasks(film=film)[-1].task, seconds=1)
    raise AssertionError(f"no {kind} was ever asked for")
