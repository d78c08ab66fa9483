"""A study without a server: blind files, answers in a browser, and what comes back from them."""

import http.server
import json
import threading
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from random import Random
from typing import ClassVar

import pytest
from browsers import needs_browser
from made_results import FOLDERS, METHODS

from unflicker.errors import InputError, MissingError, UsageError
from unflicker.study import (
    Answers,
    Consent,
    Plan,
    add_returned,
    draw_sheets,
    read_material,
    results_of,
    returned_files,
    write_key,
)
from unflicker.study.sheets import read_key
from unflicker.web.study.bundle import write_bundle

PATIENCE_MS = 90_000
PLAN = Plan(pairs=3, checks=1)
PERSON = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def folder(results) -> Path:
    return results


def bundled(folder: Path, out: Path, *, plan: Plan = PLAN, count: int = 4, post: str = ""):
    """The sheets of a study that was written to a folder."""
    material = read_material(folder)
    sheets = draw_sheets(material, plan=plan, count=count, chance=Random(count))
    consent = Consent(contact="us@example.org")
    write_bundle(material, sheets, out, plan=plan, consent=consent, post=post)
    write_key(folder, sheets)
    return sheets


def returned(sheets, *, number: int = 0, person: str = PERSON, **changes) -> dict:
    """A person who always takes the left."""
    answer = {"choice": "left", "seconds": 3.5, "answered": "2026-11-30T12:00:00.000Z"}
    answers = [answer] * len(sheets.sheets[number])
    about = {"study": sheets.name, "person": person, "sheet": number, "consent": "abc123"}
    return {**about, "begun": "2026-11-30T11:59:00.000Z", "answers": answers, **changes}


def test_no_file_tells_a_method_or_an_example(folder, tmp_path):
    sheets = bundled(folder, tmp_path / "out")
    shown = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    words = [*METHODS, *FOLDERS, "truth", "old street", "bridge"]
    for path in shown:
        assert not [word for word in words if word in path.name]
        if path.suffix != ".mp4":
            text = path.read_text()
            assert not [word for word in words if word in text], path
    videos = {path.stem for path in shown if path.suffix == ".mp4"}
    assert videos == set(sheets.videos.values())
    assert len(videos) == len(sheets.videos)
    for (example, method), name in sheets.videos.items():
        wanted = (folder / "videos" / example / f"{method}.mp4").read_bytes()
        assert (tmp_path / "out" / "videos" / f"{name}.mp4").read_bytes() == wanted


def test_sheets_ask_all_pairs_evenly_and_the_key_says_what_they_show(folder, tmp_path):
    sheets = bundled(folder, tmp_path / "out", count=8)
    assert read_key(folder, sheets.name) == sheets
    asked = [
        (each.example, *sorted((each.left, each.right)))
        for sheet in sheets.sheets
        for each in sheet
        if each.kind == "pair"
    ]
    counts = [asked.count(pair) for pair in set(asked)]
    assert len(counts) == 6
    assert max(counts) - min(counts) <= 1
    text = (tmp_path / "out" / "questions.js").read_text()
    told = json.loads(text.removeprefix("window.STUDY = ").rstrip(";\n"))
    for sheet, shown in zip(sheets.sheets, told["sheets"], strict=True):
        for question, videos in zip(sheet, shown, strict=True):
            assert videos["left"] == f"videos/{sheets.videos[question.example, question.left]}.mp4"
            assert videos["input"] == f"videos/{sheets.videos[question.example, 'input']}.mp4"


def test_returned_answers_become_people_once(folder, tmp_path):
    sheets = bundled(folder, tmp_path / "out")
    place = tmp_path / "back"
    place.mkdir()
    (place / "one.json").write_text(json.dumps(returned(sheets)))
    others = [
        json.dumps(returned(sheets, number=k, person=f"{k:032x}", answers=[])) for k in (1, 2)
    ]
    others[0] = json.dumps(returned(sheets, number=1, person=f"{1:032x}"))
    (place / "posted.jsonl").write_text("\n".join(others))
    answers = Answers(folder / "study.sqlite")
    for _ in range(2):  # adding again changes nothing
        count, faults = add_returned(answers, folder, returned_files([place]))
        assert (count, faults) == (3, [])
        found = results_of(answers.everything())
        assert (found.people, found.finished, found.answers) == (2, 2, 6)
    assert set(answers.consents()) == {"abc123"}
    first = answers.everything()[0]
    wanted = sheets.sheets[0][0]
    said = (first.example, first.left_method, first.right_method, first.choice, first.seconds)
    assert said == (wanted.example, wanted.left, wanted.right, "left", 3.5)
    assert first.answered == "2026-11-30T12:00:00+00:00"
    (place / "one.json").write_text(json.dumps(returned(sheets, withdrawn=True)))
    add_returned(answers, folder, returned_files([place]))
    assert results_of(answers.everything()).people == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"sheet": 99},
        {"sheet": -1},
        {"sheet": True},
        {"person": "../../etc"},
        {"study": "no such study"},
        {"consent": 7},
        {"begun": "yesterday"},
        {"answers": "all left"},
        {"answers": [{"choice": "up", "seconds": 1, "answered": "2026-11-30T12:00:00Z"}]},
        {"answers": [{"choice": "left", "seconds": -1, "answered": "2026-11-30T12:00:00Z"}]},
        {"answers": [{"choice": "left", "seconds": float("nan"), "answered": "2026-11-30"}]},
        {"answers": [{"choice": ["left"], "seconds": 1, "answered": "2026-11-30"}]},
        {"answers": [{"choice": "left"}]},
        {"answers": [None]},
        {"answers": [{"choice": "none", "seconds": 1, "answered": "2026-11-30"}] * 50},
    ],
)
def test_what_strangers_send_is_checked_and_the_rest_is_added(folder, tmp_path, changes):
    sheets = bundled(folder, tmp_path / "out")
    good, bad = tmp_path / "a.json", tmp_path / "b.json"
    good.write_text(json.dumps(returned(sheets)))
    bad.write_text(json.dumps(returned(sheets, person="f" * 32) | changes))
    answers = Answers(folder / "study.sqlite")
    count, faults = add_returned(answers, folder, [bad, good])
    assert (count, len(faults)) == (1, 1)
    assert str(bad) in faults[0]
    assert results_of(answers.everything()).people == 1


@pytest.mark.parametrize("content", ["", "[]", "{}", "\0", "[" * 100_000, "7\n8", '{"study": 1}'])
def test_other_files_are_no_answers(folder, tmp_path, content):
    (tmp_path / "x.json").write_text(content)
    count, faults = add_returned(
        Answers(folder / "study.sqlite"), folder, returned_files([tmp_path / "x.json"])
    )
    assert (count, len(faults)) == (0, 1)


def test_a_folder_in_use_and_a_wrong_address_are_refused(folder, tmp_path):
    with pytest.raises(UsageError, match="not empty"):
        bundled(folder, folder)
    with pytest.raises(UsageError, match="no address"):
        bundled(folder, tmp_path / "out", post="javascript:alert(1)")
    with pytest.raises(MissingError, match="key"):
        read_key(folder, "0" * 16)
    with pytest.raises(InputError, match="not there"):
        returned_files([tmp_path / "nowhere"])


class _Post(http.server.SimpleHTTPRequestHandler):
    """Shows files, and keeps what is sent."""

    kept: ClassVar[list[dict]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.kept.append(json.loads(body))
        self.send_response(200)
        self.send_header("Access-Control-Allow-Origin", "*")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def plain_server(folder: Path):
    """Address of a plain server of files."""
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), partial(_Post, directory=str(folder))
    )
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def play(browser, address: str, keys: str, *, download: Path | None):
    """Answer a sheet by keys; the file of answers is saved."""
    context = browser.new_context(viewport={"width": 1280, "height": 720}, accept_downloads=True)
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    faults: list[str] = []
    page.on("pageerror", lambda fault: faults.append(str(fault)))
    page.goto(address)
    page.wait_for_selector("#intro:not([hidden])")
    assert "us@example.org" in page.inner_text("#consent-contact")
    page.check("#agree")
    page.click("#start")
    for place, key in enumerate(keys):
        page.wait_for_selector(
            f'#pair[data-place="{place}"]:not(.loading) button[data-choice=left]:enabled'
        )
        if place == 1:  # a person who comes back goes on
            page.reload()
            page.wait_for_selector(
                '#pair[data-place="1"]:not(.loading) button[data-choice=left]:enabled'
            )
        page.keyboard.press(key)
    page.wait_for_selector("#end:not([hidden])")
    page.wait_for_selector("#take:not([hidden])")
    if download is not None:
        with page.expect_download() as found:
            page.click("#take-file")
        found.value.save_as(download)
    return context, page, faults


@needs_browser
def test_it_is_answered_from_a_disk_and_the_file_comes_back(folder, tmp_path, browser):
    sheets = bundled(folder, tmp_path / "out")
    address = f"{(tmp_path / 'out' / 'index.html').as_uri()}?sheet=3"
    context, page, faults = play(browser, address, "abna", download=tmp_path / "a.json")
    assert "us@example.org" in page.inner_text("#take-what")
    context.close()
    assert not faults
    answers = Answers(folder / "study.sqlite")
    assert add_returned(answers, folder, [tmp_path / "a.json"]) == (1, [])
    said = answers.everything()
    assert [each.choice for each in said] == ["left", "right", "none", "left"]
    assert [each.left_method for each in said] == [each.left for each in sheets.sheets[2]]
    assert set(answers.consents()) == {Consent(contact="us@example.org").mark}


@needs_browser
def test_answers_are_sent_from_a_plain_server_and_can_be_withdrawn(folder, tmp_path, browser):
    _Post.kept = []
    with plain_server(tmp_path) as place:
        bundled(folder, tmp_path / "out", post=place)
        context, page, faults = play(browser, f"{place}out/", "bbbb", download=None)
        page.wait_for_function("document.getElementById('take-what').textContent.includes('sent')")
        (sent,) = _Post.kept
        assert [each["choice"] for each in sent["answers"]] == ["right"] * 4
        page.on("dialog", lambda dialog: dialog.accept())
        page.click("#withdraw")
        page.wait_for_selector("#gone:not([hidden])")
        page.wait_for_timeout(500)
        context.close()
    assert not faults
    (tmp_path / "sent.jsonl").write_text("\n".join(map(json.dumps, _Post.kept)))
    answers = Answers(folder / "study.sqlite")
    count, wrong = add_returned(answers, folder, [tmp_path / "sent.jsonl"])
    assert (count, wrong) == (2, [])
    assert answers.everything() == []


@needs_browser
def test_answers_that_cannot_be_sent_can_be_saved(folder, tmp_path, browser):
    bundled(folder, tmp_path / "out", plan=Plan(pairs=2, checks=0), post="http://127.0.0.1:9/")
    address = (tmp_path / "out" / "index.html").as_uri()
    context, page, faults = play(browser, address, "aa", download=tmp_path / "a.json")
    page.wait_for_function("document.getElementById('take-what').textContent.includes('not be')")
    context.close()
    assert not faults
    assert len(json.loads((tmp_path / "a.json").read_text())["answers"]) == 2
