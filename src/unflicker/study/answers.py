"""People and their answers, in one SQLite file that allows several writers."""

from __future__ import annotations

import secrets
import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import astuple, dataclass, fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Literal

from unflicker.errors import InputError, MissingError, OutputError, UsageError
from unflicker.study.material import Material, Pair
from unflicker.study.questions import Kind, Plan, Question, choose_questions

Choice = Literal["left", "right", "none"]
_VERSION = 1
_PATIENCE_SECONDS = 30.0
_STILL_THERE = timedelta(hours=1)
"""Questions that are open for longer are treated as abandoned."""
_TABLES = """
CREATE TABLE IF NOT EXISTS study (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS people (
    person INTEGER PRIMARY KEY, token TEXT NOT NULL UNIQUE, begun TEXT NOT NULL, consent TEXT
);
CREATE TABLE IF NOT EXISTS questions (
    person INTEGER NOT NULL REFERENCES people, place INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('pair', 'same', 'clear')),
    example TEXT NOT NULL, category TEXT NOT NULL,
    left_method TEXT NOT NULL, right_method TEXT NOT NULL,
    left_token TEXT NOT NULL UNIQUE, right_token TEXT NOT NULL UNIQUE,
    input_token TEXT NOT NULL UNIQUE,
    choice TEXT CHECK (choice IN ('left', 'right', 'none')), seconds REAL, answered TEXT,
    PRIMARY KEY (person, place)
);
"""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A question that a person has, and the answer if there is one."""

    person: int
    place: int
    """From 0."""
    kind: Kind
    example: str
    category: str
    left_method: str
    right_method: str
    left_token: str
    """Under which the video on the left is served; does not identify it."""
    right_token: str
    input_token: str
    choice: Choice | None
    seconds: float | None
    """From the moment both videos ran to the answer."""
    answered: str | None
    """When, UTC."""


@dataclass(frozen=True, kw_only=True)
class Returned:
    """A person who answered without the server."""

    token: str
    begun: str
    """When, UTC."""
    consent: str
    """Mark of the text that was agreed to."""
    questions: Sequence[Question]
    answers: Sequence[tuple[Choice, float, str]]
    """Choice, seconds and time of the first questions; of none if the person has withdrawn."""


_COLUMNS = {
    "study": {"key", "value"},
    "people": {"person", "token", "begun", "consent"},
    "questions": {item.name for item in fields(Asked)},
}
"""The columns of each table; a file with others is another program's."""


def answers_file(folder: Path) -> Path:
    """Default path of the answers of a folder of results."""
    return folder / "study.sqlite"


class Answers:
    """People, their questions, and their answers."""

    def __init__(self, path: Path) -> None:
        """Open the file, or begin it.

        Raises:
            InputError: The file is something else, or of a later version.
            OutputError: It cannot be written.
        """
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with self._writing() as base:
                _prepare(base)
            with self._reading() as base:
                facts = dict(tuple(row) for row in base.execute("SELECT * FROM study"))
        except sqlite3.OperationalError as fault:
            raise OutputError(
                f"cannot write answers to {path}: {fault}; name another file with --answers"
            ) from fault
        except (sqlite3.DatabaseError, OSError) as fault:
            raise InputError(
                f"{path} holds no answers of a study: {fault}; name another file with --answers"
            ) from fault
        if facts["version"] != str(_VERSION):
            raise InputError(
                f"the answers in {path} are of version {facts['version']}, this program knows "
                f"{_VERSION}; use the unflicker that made them, or another --answers"
            )
        self.name: str = facts["name"]
        """Random; in the name of the cookie, so that one machine can have several studies."""
        self.owner: str = facts["owner"]
        """The secret part of the address of the results."""

    @classmethod
    def existing(cls, path: Path) -> Answers:
        """The answers in a file that must be there.

        Raises:
            MissingError: It is not.
        """
        if not path.is_file():
            raise MissingError(
                f"no answers yet: {path} is not there; begin with: unflicker study FOLDER"
            )
        return cls(path)

    def begin(
        self, material: Material, *, plan: Plan, consent: str = "", chance: Random | None = None
    ) -> str:
        """Register a new person; returns the token that identifies them.

        Args:
            material: Videos of the study.
            plan: How many questions, and which.
            consent: Mark of the text that was agreed to; empty if none was shown.
            chance: Random generator of the person; None for one of the person's own.
        """
        token = secrets.token_urlsafe(18)
        with self._writing() as base:
            person = base.execute(
                "INSERT INTO people (token, begun, consent) VALUES (?, ?, ?)",
                (token, _now(), consent),
            ).lastrowid
            questions = choose_questions(
                material, asked=_asked(base), plan=plan, chance=chance or Random(token)
            )
            _ask(base, person, questions)
        return token

    def add(self, returned: Returned) -> None:
        """Add a person who answered elsewhere; one of the same token is replaced, or deleted.

        Args:
            returned: The person; one without answers has withdrawn.
        """
        self.withdraw(returned.token)
        if not returned.answers:
            return
        with self._writing() as base:
            person = base.execute(
                "INSERT INTO people (token, begun, consent) VALUES (?, ?, ?)",
                (returned.token, returned.begun, returned.consent),
            ).lastrowid
            _ask(base, person, returned.questions)
            base.executemany(
                "UPDATE questions SET choice = ?, seconds = ?, answered = ? "
                "WHERE person = ? AND place = ?",
                [(*answer, person, place) for place, answer in enumerate(returned.answers)],
            )

    def of_person(self, token: str) -> list[Asked]:
        """What a person is asked, in order; empty for an unknown token."""
        with self._reading() as base:
            rows = base.execute(
                "SELECT questions.* FROM questions JOIN people USING (person) "
                "WHERE token = ? ORDER BY place",
                (token,),
            ).fetchall()
        return [Asked(**row) for row in rows]

    def everything(self) -> list[Asked]:
        """All questions of all people, answered or not."""
        with self._reading() as base:
            rows = base.execute("SELECT * FROM questions ORDER BY person, place").fetchall()
        return [Asked(**row) for row in rows]

    def answer(self, token: str, place: int, *, choice: Choice, seconds: float) -> None:
        """Store an answer to the next question.

        Args:
            token: Of the person.
            place: Index of the question.
            choice: Left, right or neither.
            seconds: Since both videos ran.

        Raises:
            UsageError: It is not that one's turn.
        """
        with self._writing() as base:
            person, turn = _turn(base, token)
            if turn != place:
                raise UsageError(f"question {place} is not next, {turn} is; ask which is")
            changed = base.execute(
                "UPDATE questions SET choice = ?, seconds = ?, answered = ? "
                "WHERE person = ? AND place = ?",
                (choice, seconds, _now(), person, place),
            ).rowcount
            if not changed:
                raise UsageError(f"there is no question {place}; all {turn} are answered")

    def undo(self, token: str, place: int) -> None:
        """Remove the answer before a question, so that it is asked again.

        Args:
            token: Of the person.
            place: Index of the question.

        Raises:
            UsageError: There is no answer before, or it is not that one's turn.
        """
        with self._writing() as base:
            person, turn = _turn(base, token)
            if turn != place or place == 0:
                raise UsageError(f"no answer to take back before question {place}; {turn} is next")
            base.execute(
                "UPDATE questions SET choice = NULL, seconds = NULL, answered = NULL "
                "WHERE person = ? AND place = ?",
                (person, place - 1),
            )

    def withdraw(self, token: str) -> int:
        """Delete a person with all answers; returns the number of answers deleted."""
        with self._writing() as base:
            row = base.execute("SELECT person FROM people WHERE token = ?", (token,)).fetchone()
            if row is None:
                return 0
            count = base.execute(
                "SELECT COUNT(choice) AS count FROM questions WHERE person = ?", (row["person"],)
            ).fetchone()["count"]
            for table in ("questions", "people"):
                base.execute(f"DELETE FROM {table} WHERE person = ?", (row["person"],))
        return count

    def consents(self) -> Counter[str]:
        """How many people agreed to which text, by its mark."""
        with self._reading() as base:
            rows = base.execute("SELECT consent FROM people").fetchall()
        return Counter(row["consent"] or "" for row in rows)

    def behind(self, token: str) -> tuple[str, str] | None:
        """Example and method of the video with a token."""
        for column, method in (
            ("left_token", "left_method"),
            ("right_token", "right_method"),
            ("input_token", "'input'"),
        ):
            with self._reading() as base:
                row = base.execute(
                    f"SELECT example, {method} AS method FROM questions WHERE {column} = ?",
                    (token,),
                ).fetchone()
            if row:
                return row["example"], row["method"]
        return None

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """A connection of this thread's own."""
        with closing(
            sqlite3.connect(self.path, timeout=_PATIENCE_SECONDS, isolation_level=None)
        ) as base:
            base.row_factory = sqlite3.Row
            yield base

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction; one writer after the other."""
        with self._reading() as base:
            base.execute("PRAGMA journal_mode = WAL")
            base.execute("BEGIN IMMEDIATE")
            try:
                yield base
            except BaseException:
                base.execute("ROLLBACK")
                raise
            base.execute("COMMIT")


def _prepare(base: sqlite3.Connection) -> None:
    """Make the tables if there are none; refuse a file of another program."""
    names = {row["name"] for row in base.execute("SELECT name FROM sqlite_master")}
    if names and "study" not in names:
        raise sqlite3.DatabaseError(f"it has other tables, {', '.join(sorted(names))}")
    for statement in _TABLES.split(";"):
        base.execute(statement)
    # Files from before consent was kept lack its column.
    columns = {row["name"] for row in base.execute("PRAGMA table_info(people)")}
    if "consent" not in columns:
        base.execute("ALTER TABLE people ADD COLUMN consent TEXT")
    for table, wanted in _COLUMNS.items():
        found = {row["name"] for row in base.execute(f"PRAGMA table_info({table})")}
        if found != wanted:
            other = ", ".join(sorted(found ^ wanted))
            raise sqlite3.DatabaseError(f"its table {table} differs in the columns {other}")
    start = {
        "version": str(_VERSION),
        "name": secrets.token_hex(4),
        "owner": secrets.token_hex(16),
    }
    base.executemany("INSERT OR IGNORE INTO study VALUES (?, ?)", start.items())


def _ask(base: sqlite3.Connection, person: int | None, questions: Sequence[Question]) -> None:
    """Give a person questions, with new names for their videos."""
    for place, question in enumerate(questions):
        tokens = (secrets.token_urlsafe(12) for _ in range(3))
        base.execute(
            "INSERT INTO questions (kind, example, category, left_method, right_method, "
            "person, place, left_token, right_token, input_token) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (*astuple(question), person, place, *tokens),
        )


def _turn(base: sqlite3.Connection, token: str) -> tuple[int, int]:
    """The person with a token, and the index of the first question without an answer."""
    row = base.execute(
        "SELECT person, COUNT(choice) AS turn, COUNT(*) AS total FROM questions "
        "JOIN people USING (person) WHERE token = ?",
        (token,),
    ).fetchone()
    if row["person"] is None:
        raise UsageError("this token is unknown; start again")
    return row["person"], row["turn"]


def _asked(base: sqlite3.Connection) -> Counter[Pair]:
    """How often each pair was answered or is being shown."""
    since = (datetime.now(UTC) - _STILL_THERE).isoformat(timespec="seconds")
    rows = base.execute(
        "SELECT example, category, left_method, right_method, COUNT(*) AS times "
        "FROM questions JOIN people USING (person) "
        "WHERE kind = 'pair' AND (choice IS NOT NULL OR begun > ?) "
        "GROUP BY example, category, left_method, right_method",
        (since,),
    )
    counts: Counter[Pair] = Counter()
    for row in rows:
        one, other = sorted((row["left_method"], row["right_method"]))
        pair = Pair(example=row["example"], category=row["category"], one=one, other=other)
        counts[pair] += row["times"]
    return counts


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
