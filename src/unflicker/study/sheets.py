"""A study without a server: lists of questions that are drawn before, and answers that come back.

    sheets, key = draw…          the sheets go out with the videos, the key stays with the results
    people answer a sheet each, in a browser, and send a file
    add_returned(…)              the files, read with the key, become people of the study

A sheet names videos at random; only the key knows which method made them.
"""

from __future__ import annotations

import json
import re
import secrets
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any, get_args

from unflicker.errors import InputError, MissingError
from unflicker.files.atomic import write_whole
from unflicker.files.json_text import parsed
from unflicker.study.answers import Answers, Choice, Returned
from unflicker.study.material import Material, Pair
from unflicker.study.questions import Plan, Question, choose_questions

_VERSION = 1
_KEYS = "study-keys"
_MOST_BYTES = 1 << 20
"""Of a returned file; two thousand answers take a fifth of it."""
_MOST_SECONDS = 24 * 3600.0
_PERSON = re.compile(r"[0-9a-f]{16,64}")
_SHORT = re.compile(r"[0-9a-zA-Z]{0,64}")


@dataclass(frozen=True, kw_only=True)
class Sheets:
    """The questions of a study without a server."""

    name: str
    """Random; in every returned file."""
    sheets: tuple[tuple[Question, ...], ...]
    """One for each person; several people may get the same."""
    videos: dict[tuple[str, str], str]
    """Random name of each video that is shown, by example and method."""


def draw_sheets(material: Material, *, plan: Plan, count: int, chance: Random) -> Sheets:
    """Sheets for a number of people, balanced as if they had come one after the other.

    Args:
        material: Videos of the study.
        plan: How many questions, and which.
        count: Number of sheets.
        chance: Random generator of the questions.
    """
    asked: Counter[Pair] = Counter()
    sheets = []
    for _ in range(count):
        questions = choose_questions(
            material, asked=asked, plan=plan, chance=Random(chance.random())
        )
        for each in (question for question in questions if question.kind == "pair"):
            one, other = sorted((each.left, each.right))
            asked[Pair(example=each.example, category=each.category, one=one, other=other)] += 1
        sheets.append(tuple(questions))
    shown = dict.fromkeys(
        (each.example, method)
        for sheet in sheets
        for each in sheet
        for method in (each.left, each.right, "input")
        if material.video(each.example, method) is not None
    )
    return Sheets(
        name=secrets.token_hex(8),
        sheets=tuple(sheets),
        videos={video: secrets.token_hex(8) for video in shown},
    )


def key_file(folder: Path, name: str) -> Path:
    """Path of the key of a study without a server.

    Args:
        folder: Of the results.
        name: Of the sheets.
    """
    return folder / _KEYS / f"{name}.json"


def write_key(folder: Path, sheets: Sheets) -> Path:
    """Write what only the study's owner may know; returns the path.

    Args:
        folder: Of the results.
        sheets: The questions.

    Raises:
        OutputError: The folder cannot be written.
    """
    content = {
        "version": _VERSION,
        "name": sheets.name,
        "sheets": [[asdict(question) for question in sheet] for sheet in sheets.sheets],
        "videos": [[*video, name] for video, name in sheets.videos.items()],
    }
    path = key_file(folder, sheets.name)
    write_whole(path, json.dumps(content, ensure_ascii=False) + "\n")
    return path


def read_key(folder: Path, name: str) -> Sheets:
    """The sheets of a study without a server.

    Args:
        folder: Of the results.
        name: Of the sheets.

    Raises:
        MissingError: There is no such key.
        InputError: It cannot be read.
    """
    path = key_file(folder, name)
    if not path.is_file():
        raise MissingError(
            f"answers of the study {name} need its key, {path}, which is not there; "
            "name the folder of results that the study was made from"
        )
    try:
        content = parsed(path.read_text(encoding="utf-8"))
        return Sheets(
            name=content["name"],
            sheets=tuple(
                tuple(Question(**question) for question in sheet) for sheet in content["sheets"]
            ),
            videos={(example, method): name for example, method, name in content["videos"]},
        )
    except (OSError, ValueError, KeyError, TypeError) as fault:
        raise InputError(f"{path} cannot be read as the key of a study: {fault}") from fault


def returned_files(places: Sequence[Path]) -> list[Path]:
    """The files of answers among paths: files as they are, of folders their JSON.

    Args:
        places: Files and folders.

    Raises:
        InputError: A path does not exist.
    """
    found: list[Path] = []
    for place in places:
        if not place.exists():
            raise InputError(f"{place} is not there; name a file of answers, or a folder of them")
        found += sorted(place.glob("*.json*")) if place.is_dir() else [place]
    return found


def add_returned(answers: Answers, folder: Path, files: Sequence[Path]) -> tuple[int, list[str]]:
    """Add returned answers to a study; whoever was added before is replaced.

    Args:
        answers: Of the study.
        folder: Of the results, where the keys lie.
        files: One person each, or one a line.

    Returns:
        How many people were added, and what is wrong with the files that were not read.
    """
    count, faults = 0, []
    keys: dict[str, Sheets] = {}
    for path in files:
        try:
            for content in _people(path):
                name = _text(content, "study", _SHORT)
                keys[name] = keys.get(name) or read_key(folder, name)
                answers.add(_person(content, keys[name]))
                count += 1
        except (InputError, MissingError) as fault:
            faults.append(f"{path}: {fault}")
        except (OSError, ValueError, KeyError, TypeError) as fault:
            faults.append(f"{path} holds no answers of a study: {fault}")
    return count, faults


def _people(path: Path) -> Iterator[dict[str, Any]]:
    """What a file says of one person, or of one a line."""
    if path.stat().st_size > _MOST_BYTES:
        raise ValueError(f"it has more than {_MOST_BYTES} bytes")
    text = path.read_text(encoding="utf-8")
    try:
        yield _object(parsed(text))
    except ValueError:
        lines = [line for line in text.splitlines() if line.strip()]
        if len(lines) < 2:
            raise
        for line in lines:
            yield _object(parsed(line))


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError("it is not a JSON object")
    return value


def _person(content: dict[str, Any], sheets: Sheets) -> Returned:
    """A person from a returned file.

    Raises:
        ValueError: Something in it cannot be.
    """
    number = content["sheet"]
    if type(number) is not int or not 0 <= number < len(sheets.sheets):
        raise ValueError(f"there is no sheet {number!r}")
    given = [] if content.get("withdrawn") is True else content["answers"]
    if not isinstance(given, list) or len(given) > len(sheets.sheets[number]):
        raise ValueError("it has more answers than questions")
    return Returned(
        token=f"{sheets.name}-{_text(content, 'person', _PERSON)}",
        begun=_time(content["begun"]),
        consent=_text(content, "consent", _SHORT),
        questions=sheets.sheets[number],
        answers=tuple(_answer(each) for each in given),
    )


def _answer(given: Any) -> tuple[Choice, float, str]:
    """Choice, seconds and time of an answer."""
    choice, seconds = given["choice"], given["seconds"]
    if choice not in get_args(Choice):
        raise ValueError(f"an answer is left, right or none, not {choice!r}")
    if type(seconds) not in (int, float) or not 0 <= seconds <= _MOST_SECONDS:
        raise ValueError(f"an answer took {seconds!r} seconds")
    return choice, float(seconds), _time(given["answered"])


def _text(content: dict[str, Any], name: str, form: re.Pattern[str]) -> str:
    value = content[name]
    if not isinstance(value, str) or not form.fullmatch(value):
        raise ValueError(f"its {name} cannot be {value!r}")
    return value


def _time(value: Any) -> str:
    """A time in UTC, as the study keeps it."""
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is no time")
    return datetime.fromisoformat(value).isoformat(timespec="seconds")
