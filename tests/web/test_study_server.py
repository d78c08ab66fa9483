"""What the study's server keeps, and what it never tells."""

import socket
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest
from made_results import FOLDERS, METHODS
from visitors import Visitor, served, study_served

from unflicker.errors import InputError, UsageError
from unflicker.study import Answers, Consent, Plan, answers_file, read_material
from unflicker.web.serving import address, bound
from unflicker.web.study.server import study_app

AGREED = {"consent": Consent().mark}
FOUR = Plan(pairs=4, checks=0)
PAGES = ("study.html", "study.css", "study.js", "playback.js", "results.html", "results.js")


def side_of(answers, place: int, method_first: str) -> str:
    question = answers.everything()[place]
    return "left" if question.left_method == method_first else "right"


def test_a_person_goes_from_the_beginning_to_the_end(results):
    with study_served(results, plan=FOUR) as (place, answers):
        visitor = Visitor(place)
        before = visitor.ask("api/state")
        assert (before["begun"], before["total"], before["question"]) == (False, 4, None)
        state = visitor.begin()
        for turn, choice in enumerate(("left", "right", "none", "left")):
            assert (state["place"], state["done"]) == (turn, False)
            state = visitor.answer(turn, choice, seconds=1.5 + turn)
        assert state["done"]
        assert state["question"] is None
    kept = answers.everything()
    assert [each.choice for each in kept] == ["left", "right", "none", "left"]
    assert [each.seconds for each in kept] == [1.5, 2.5, 3.5, 4.5]


def test_nothing_that_is_sent_names_a_method_or_an_example(results):
    hidden = [name.encode() for name in (*METHODS, *FOLDERS, "truth", "bridge", str(results))]
    with study_served(results, plan=Plan(pairs=6, checks=2)) as (place, answers):
        visitor = Visitor(place)
        sent = [visitor.fetch(path) for path in ("", "api/state", *(f"pages/{p}" for p in PAGES))]
        sent.append(visitor.fetch("api/consent"))
        sent.append((200, {}, repr(visitor.begin()).encode()))
        state = visitor.ask("api/state")
        while not state["done"]:
            urls = [url for url in state["question"].values() if url]
            assert len(urls) == 3
            answered = {"place": state["place"], "choice": "none", "seconds": 1.0}
            sent += [visitor.fetch(url) for url in urls]
            sent += [visitor.fetch(url, Range="bytes=0-99") for url in urls]
            sent.append(visitor.fetch("api/answer", answered))
            state = visitor.ask("api/state")
            sent.append((200, {}, repr(state).encode()))
        sent += [visitor.fetch(path) for path in ("video/nothing", "results/", "api/nothing")]
        sent.append(visitor.fetch("api/answer", {"place": 0, "choice": "both", "seconds": 1}))
        owner = visitor.fetch(f"results/{answers.owner}/results.json")
    assert len(answers.everything()) == 8
    assert {status for status, _, _ in sent} == {200, 206, 404, 422}
    assert not [answer for answer in sent if named(answer, hidden)]
    assert named(owner, hidden) == [name.encode() for name in METHODS]


def named(answer: tuple[int, dict[str, str], bytes], hidden: list[bytes]) -> list[bytes]:
    """What of the hidden names stands in an answer."""
    _, headers, content = answer
    return [name for name in hidden if name in content or name in repr(headers).encode()]


def test_a_video_is_sent_whole_and_in_parts(results):
    with study_served(results, plan=FOUR) as (place, answers):
        visitor = Visitor(place)
        url = visitor.begin()["question"]["left"]
        asked = answers.everything()[0]
        file = results / "videos" / asked.example / f"{asked.left_method}.mp4"
        status, headers, content = visitor.fetch(url)
        assert (status, headers["content-type"]) == (200, "video/mp4")
        assert content == file.read_bytes()
        status, headers, part = visitor.fetch(url, Range="bytes=10-19")
        assert (status, part) == (206, content[10:20])


def test_one_video_has_another_name_each_time_it_is_shown(results):
    with study_served(results, plan=Plan(pairs=6, checks=2)) as (place, answers):
        for _ in range(3):
            Visitor(place).begin()
    everything = answers.everything()
    names = [n for each in everything for n in (each.left_token, each.right_token)]
    assert len(set(names)) == 2 * len(everything)


def test_who_loads_the_page_again_goes_on_where_he_was(results):
    with study_served(results, plan=FOUR) as (place, answers):
        visitor = Visitor(place)
        visitor.begin()
        state = visitor.answer(0, "left")
        assert visitor.ask("api/state") == state
        assert visitor.begin() == state
    assert len({each.person for each in answers.everything()}) == 1


def test_a_study_goes_on_after_the_server_was_stopped(results):
    with study_served(results, plan=FOUR) as (place, _):
        visitor = Visitor(place)
        visitor.begin()
        state = visitor.answer(0, "right")
    with study_served(results, plan=FOUR) as (place, answers):
        visitor.place = place
        assert visitor.ask("api/state") == state
        assert visitor.fetch(state["question"]["right"])[0] == 200
    assert answers.everything()[0].choice == "right"


def test_the_last_answer_can_be_taken_back(results):
    with study_served(results, plan=FOUR) as (place, answers):
        visitor = Visitor(place)
        begun = visitor.begin()
        visitor.answer(0, "left")
        assert visitor.ask("api/undo", {"place": 1}) == begun
        assert answers.everything()[0].choice is None
        visitor.answer(0, "right")
        assert visitor.fetch("api/undo", {"place": 3})[0] == 409
        for turn in range(1, 4):
            state = visitor.answer(turn, "none")
        assert state["done"]
        assert visitor.ask("api/undo", {"place": 4})["place"] == 3
    assert [each.choice for each in answers.everything()] == ["right", "none", "none", None]


def test_an_answer_out_of_turn_is_refused(results):
    with study_served(results, plan=FOUR) as (place, answers):
        visitor, stranger = Visitor(place), Visitor(place)
        visitor.begin()
        visitor.answer(0, "left")
        again = {"place": 0, "choice": "right", "seconds": 1.0}
        assert visitor.fetch("api/answer", again)[0] == 409
        assert visitor.fetch("api/undo", {"place": 0})[0] == 409
        assert stranger.fetch("api/answer", again)[0] == 409
        for turn in range(1, 4):
            visitor.answer(turn, "none")
        assert visitor.fetch("api/answer", {**again, "place": 4})[0] == 409
    assert answers.everything()[0].choice == "left"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"place": 0, "choice": "both", "seconds": 1.0},
        {"place": -1, "choice": "left", "seconds": 1.0},
        {"place": 0, "choice": "left", "seconds": -1.0},
        {"place": 0, "choice": "left", "seconds": 1e9},
        {"place": "' OR 1=1 --", "choice": "left", "seconds": 1.0},
        ["left"],
    ],
)
def test_an_answer_that_makes_no_sense_is_refused(results, body):
    with study_served(results, plan=FOUR) as (place, answers):
        visitor = Visitor(place)
        visitor.begin()
        assert visitor.fetch("api/answer", body)[0] == 422
    assert not any(each.choice for each in answers.everything())


@pytest.mark.parametrize(
    "path",
    [
        *("video/x", "video/..%2F..%2Fstudy.sqlite", "study.sqlite", "pages/../server.py", "docs"),
        *("openapi.json", "results/", "results/wrong/", "results/wrong/results.json", "videos/"),
    ],
)
def test_nothing_else_can_be_fetched(results, path):
    with study_served(results, plan=FOUR) as (place, _):
        assert Visitor(place).fetch(path)[0] == 404


def test_many_people_answer_at_once_and_no_answer_is_lost(results):
    with study_served(results, plan=Plan(pairs=6, checks=0)) as (place, answers):
        faults = []

        def take_part(number: int) -> None:
            try:
                visitor = Visitor(place)
                state = visitor.begin()
                while not state["done"]:
                    choice = ("left", "right", "none")[(number + state["place"]) % 3]
                    state = visitor.answer(state["place"], choice, seconds=float(number))
            except Exception as fault:
                faults.append(fault)

        crowd = [threading.Thread(target=take_part, args=(number,)) for number in range(8)]
        for person in crowd:
            person.start()
        for person in crowd:
            person.join()
        assert not faults
    everything = answers.everything()
    assert len(everything) == 8 * 6
    assert all(each.choice for each in everything)
    by_person = {each.person: each.seconds for each in everything}
    assert sorted(by_person.values()) == [float(number) for number in range(8)]
    for person, number in by_person.items():
        mine = [each.choice for each in everything if each.person == person]
        assert mine == [("left", "right", "none")[(int(number) + k) % 3] for k in range(6)]


def test_the_owner_sees_results_under_a_secret_address(results):
    with study_served(results, plan=FOUR) as (place, answers):
        visitor, owner = Visitor(place), Visitor(place)
        visitor.begin()
        visitor.answer(0, "left")
        best = answers.everything()[0].left_method
        secret = f"results/{answers.owner}/"
        found = owner.ask(secret + "results.json")
        assert found["categories"][0]["ranking"][0]["method"] == best
        assert b"results.js" in owner.fetch(secret)[2]
        assert f"all,{best},any".encode() in owner.fetch(secret + "results.csv")[2]
        assert best.encode() in owner.fetch(secret + "answers.csv")[2]
        assert not list(owner.jar)


def test_pages_ask_nobody_else_for_anything(results):
    with study_served(results, plan=FOUR) as (place, _):
        for path in ("", *(f"pages/{page}" for page in PAGES)):
            status, headers, content = Visitor(place).fetch(path)
            assert status == 200
            assert headers["content-security-policy"].startswith("default-src 'self'")
            assert b"//" not in content.replace(b"// ", b""), path


def test_who_takes_part_is_a_number_and_no_address_is_kept(results):
    with study_served(results, plan=FOUR) as (place, answers):
        visitor = Visitor(place)
        visitor.begin()
        visitor.answer(0, "left")
        (cookie,) = visitor.jar
        assert cookie.name == f"study_{answers.name}"
        assert "HttpOnly" in cookie._rest
    with sqlite3.connect(answers.path) as base:
        text = "\n".join(base.iterdump())
    base.close()
    assert "127.0.0.1" not in text
    assert "urllib" not in text.lower()


def test_a_port_that_is_taken_is_said(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(UsageError, match="--port 0 takes a free one"):
            bound("127.0.0.1", port=port)
    with pytest.raises(UsageError, match="cannot listen"):
        bound("no.such.host.invalid", port=0)


def test_the_address_is_one_that_a_browser_takes():
    with bound("127.0.0.1", port=0) as listener:
        assert address(listener) == f"http://127.0.0.1:{listener.getsockname()[1]}/"
    with bound("0.0.0.0", port=0) as listener:
        assert address(listener).startswith(f"http://{socket.gethostname()}:")


def test_a_person_begins_only_by_agreeing_to_the_text_that_was_shown(results):
    consent = Consent(statements=("I agree to watch.",), contact="a lab")
    with study_served(results, plan=FOUR, consent=consent) as (place, answers):
        visitor = Visitor(place)
        shown = visitor.ask("api/consent")
        assert (shown["statements"], shown["contact"]) == (["I agree to watch."], "a lab")
        for given in ({}, AGREED):
            assert visitor.fetch("api/begin", given)[0] == 403
        assert not answers.everything()
        assert visitor.begin()["begun"]
    assert answers.consents() == {consent.mark: 1}


def test_who_withdraws_leaves_no_answer(results):
    with study_served(results, plan=FOUR) as (place, answers):
        leaves, stays = Visitor(place), Visitor(place)
        for visitor in (leaves, stays):
            visitor.begin()
            visitor.answer(0, "left")
        told = leaves.ask("api/withdraw", {})
        assert (told["deleted"], told["begun"]) == (1, False)
        assert leaves.ask("api/state")["begun"] is False
        assert stays.ask("api/state")["place"] == 1
    assert len({each.person for each in answers.everything()}) == 1


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Host": "localhost"}, 200),
        ({"Host": "evil.example"}, 421),
        ({"Host": ""}, 421),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "http://[evil"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
    ],
)
def test_foreign_pages_begin_no_study(results, headers, status):
    with study_served(results, plan=FOUR) as (place, answers):
        assert Visitor(place).fetch("api/begin", AGREED, **headers)[0] == status
    assert bool(answers.everything()) == (status == 200)


def test_a_proxy_is_let_in_by_its_name(results):
    hosts = ("127.0.0.1", "study.example.org")
    material, answers = read_material(results), Answers(answers_file(results))
    with served(study_app(material, answers, plan=FOUR, hosts=hosts)) as place:
        visitor = Visitor(place)
        for headers in (
            {"Host": "study.example.org", "Origin": "https://study.example.org"},
            {"Origin": "https://study.example.org"},
        ):
            assert visitor.fetch("api/begin", AGREED, **headers)[0] == 200
        assert visitor.fetch("api/begin", AGREED, Origin="https://evil.example")[0] == 403
        assert visitor.fetch("api/begin", AGREED, Host="evil.example")[0] == 421
    with served(study_app(material, answers, plan=FOUR, hosts=None)) as place:
        assert Visitor(place).fetch("api/begin", AGREED, Host="any.example")[0] == 200


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("api/answer", b"{"),
        ("api/answer", b"[" * 5000 + b"]" * 5000),
        ("api/answer", b'{"place": 0, "choice": "left", "seconds": NaN}'),
        ("api/answer", b'{"place": 1e400, "choice": "left", "seconds": 1}'),
        ("api/answer", b'{"place": ' + b"9" * 400 + b', "choice": "left", "seconds": 1}'),
        ("api/answer", b'{"place": 0, "choice": "\\ud800", "seconds": 1}'),
        ("api/answer", b"\xff\xfe\x00"),
        ("api/undo", b"null"),
        ("api/undo", b'{"place": -1}'),
    ],
)
def test_nonsense_gets_one_clear_answer(results, path, body):
    with study_served(results, plan=FOUR) as (place, answers):
        visitor = Visitor(place)
        visitor.begin()
        status, _, content = visitor.fetch(path, body)
        assert 400 <= status < 500, (status, content)
        assert b"Traceback" not in content
        assert visitor.ask("api/state")["place"] == 0
    assert all(each.choice is None for each in answers.everything())


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE questions ADD COLUMN note TEXT",
        "ALTER TABLE people RENAME COLUMN begun TO started",
        "ALTER TABLE study ADD COLUMN note TEXT",
    ],
)
def test_answers_with_other_columns_are_refused_in_one_line(results, change):
    path = answers_file(results)
    Answers(path)
    with closing(sqlite3.connect(path)) as base:
        base.execute(change)
        base.commit()
    with pytest.raises(InputError, match="differs in the columns"):
        Answers(path)
