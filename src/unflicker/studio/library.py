"""The library: films, what is decided about each, and work in progress, in one SQLite file."""

from __future__ import annotations

import json
import secrets
import shutil
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from unflicker.errors import InputError, OutputError, UsageError
from unflicker.files.lock import HeldError, locked
from unflicker.studio.steering import Steering

State = Literal["waiting", "running", "done", "failed", "cancelled"]
OVER: tuple[State, ...] = ("done", "failed", "cancelled")
SORTS = {"added": "added DESC", "name": "name COLLATE NOCASE", "flicker": "flicker DESC"}
_USUAL = Steering()
_VERSION = 1
_MOST_UNDO = 200
_KEPT_TASKS = 500
_PATIENCE_SECONDS = 30.0
_TABLES = """
CREATE TABLE IF NOT EXISTS studio (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS films (
    film TEXT PRIMARY KEY, source TEXT NOT NULL UNIQUE, name TEXT NOT NULL, added REAL NOT NULL,
    uploaded INTEGER NOT NULL, facts TEXT NOT NULL DEFAULT '{}', flicker REAL
);
CREATE TABLE IF NOT EXISTS decisions (
    film TEXT NOT NULL REFERENCES films ON DELETE CASCADE, number INTEGER NOT NULL,
    steering TEXT NOT NULL, PRIMARY KEY (film, number)
);
CREATE TABLE IF NOT EXISTS tasks (
    task INTEGER PRIMARY KEY AUTOINCREMENT, film TEXT NOT NULL REFERENCES films ON DELETE CASCADE,
    kind TEXT NOT NULL, wanted TEXT NOT NULL, state TEXT NOT NULL, stage TEXT NOT NULL DEFAULT '',
    done INTEGER NOT NULL DEFAULT 0, total INTEGER, began REAL, ended REAL,
    says TEXT NOT NULL DEFAULT '', result TEXT NOT NULL DEFAULT '{}'
);
"""


@dataclass(frozen=True, kw_only=True)
class Film:
    """A film in the library."""

    film: str
    """Random name, part of its address."""
    source: Path
    name: str
    added: float
    uploaded: bool
    facts: dict[str, Any] = field(default_factory=dict)
    """What its tasks found, for the list."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """Work on a film."""

    task: int
    film: str
    kind: str
    wanted: dict[str, Any]
    state: State
    stage: str
    done: int
    total: int | None
    began: float | None
    ended: float | None
    says: str
    """Why it failed, or what was noted."""
    result: dict[str, Any]


class Library:
    """Films and tasks, kept on disk; used by several threads at once."""

    def __init__(self, folder: Path, *, usual: Steering = _USUAL) -> None:
        """Open a library, or begin it.

        Args:
            folder: Its folder.
            usual: What is decided about a film before a person decides.

        Raises:
            OutputError: It cannot be written.
            InputError: It holds something else.
        """
        self.folder, self.usual = folder, usual
        self._lock = threading.RLock()
        self.changes = 0
        """Rises with every change."""
        with ExitStack() as opened:
            version = self._open(opened)
            if version != str(_VERSION):
                raise InputError(
                    f"the library in {folder} is of version {version}, this program knows "
                    f"{_VERSION}; use the unflicker that made it, or another --library"
                )
            self._opened = opened.pop_all()

    def _open(self, opened: ExitStack) -> str:
        """Open the files; returns the version of the library."""
        folder = self.folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if (held := locked(folder / ".lock")) is not None:
                opened.callback(held.close)
            self._base = sqlite3.connect(
                folder / "studio.sqlite", timeout=_PATIENCE_SECONDS, check_same_thread=False
            )
            opened.callback(self._base.close)
            self._base.row_factory = sqlite3.Row
            with self._writing() as base:
                base.executescript(_TABLES)
                base.execute("INSERT OR IGNORE INTO studio VALUES ('version', ?)", (_VERSION,))
            return self._one("SELECT value FROM studio WHERE key = 'version'")["value"]
        except HeldError as fault:
            raise OutputError(
                f"another studio (process {fault}) has the library in {folder} open; "
                "use that one, or name another --library"
            ) from fault
        except (PermissionError, sqlite3.OperationalError) as fault:
            raise OutputError(
                f"the library in {folder} cannot be opened: {fault}; name another --library"
            ) from fault
        except (OSError, sqlite3.DatabaseError) as fault:
            raise InputError(f"{folder} is no library: {fault}; name another --library") from fault

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._opened.close()

    def folder_of(self, film: str) -> Path:
        """The folder for what is known of a film."""
        return self.folder / "films" / film

    def add(self, source: Path, *, name: str, uploaded: bool = False) -> Film:
        """Add a film; one that is in the library already is returned as it is.

        Args:
            source: Its path.
            name: For people.
            uploaded: Whether the file belongs to the library.
        """
        with self._writing() as base:
            base.execute(
                "INSERT OR IGNORE INTO films (film, source, name, added, uploaded)"
                " VALUES (?, ?, ?, ?, ?)",
                (secrets.token_hex(8), str(source), name, time.time(), int(uploaded)),
            )
        return _film(self._one("SELECT * FROM films WHERE source = ?", str(source)))

    def film(self, film: str) -> Film:
        """A film by its name in addresses.

        Raises:
            UsageError: There is none.
        """
        row = self._first("SELECT * FROM films WHERE film = ?", film)
        if row is None:
            raise UsageError("there is no such film in the library; look at its list")
        return _film(row)

    def films(self, *, search: str = "", sort: str = "added") -> list[Film]:
        """The films whose names contain a text, in order.

        Args:
            search: Any case.
            sort: One of `SORTS`.
        """
        sign = search.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        order = SORTS.get(sort, SORTS["added"])
        rows = self._all(
            f"SELECT * FROM films WHERE name LIKE ? ESCAPE '\\' ORDER BY {order}, added",
            f"%{sign}%",
        )
        return [_film(row) for row in rows]

    def learn(self, film: str, **facts: Any) -> None:
        """Keep facts of a film; `flicker` is what the list can be sorted by.

        Args:
            film: Its name in addresses.
            facts: By name.
        """
        with self._writing() as base:
            row = base.execute("SELECT facts FROM films WHERE film = ?", (film,)).fetchone()
            if row is not None:
                merged = {**json.loads(row["facts"]), **facts}
                base.execute(
                    "UPDATE films SET facts = ?, flicker = ? WHERE film = ?",
                    (json.dumps(merged), merged.get("flicker"), film),
                )

    def remove(self, film: str) -> None:
        """Remove a film and what is known of it; a file that was uploaded goes, too."""
        found = self.film(film)
        with self._writing() as base:
            for table in ("decisions", "tasks", "films"):
                base.execute(f"DELETE FROM {table} WHERE film = ?", (film,))
        shutil.rmtree(self.folder_of(film), ignore_errors=True)
        if found.uploaded:
            found.source.unlink(missing_ok=True)

    def steering(self, film: str) -> Steering:
        """What is decided about a film."""
        row = self._first(
            "SELECT steering FROM decisions WHERE film = ? ORDER BY number DESC LIMIT 1", film
        )
        return Steering.from_dict(json.loads(row["steering"])) if row is not None else self.usual

    def decide(self, film: str, steering: Steering) -> None:
        """Decide; what was decided before can be restored.

        Args:
            film: Its name in addresses.
            steering: All that is decided.
        """
        if steering == self.steering(film):
            return
        with self._writing() as base:
            last = base.execute(
                "SELECT COALESCE(MAX(number), 0) AS n FROM decisions WHERE film = ?", (film,)
            ).fetchone()["n"]
            text = json.dumps(steering.to_dict())
            base.execute("INSERT INTO decisions VALUES (?, ?, ?)", (film, last + 1, text))
            base.execute(
                "DELETE FROM decisions WHERE film = ? AND number <= ?", (film, last - _MOST_UNDO)
            )

    def undo(self, film: str) -> None:
        """Restore what was decided before the last decision."""
        with self._writing() as base:
            base.execute(
                "DELETE FROM decisions WHERE film = ? AND number ="
                " (SELECT MAX(number) FROM decisions WHERE film = ?)",
                (film, film),
            )

    def can_undo(self, film: str) -> bool:
        """Whether anything was decided."""
        return self._first("SELECT 1 FROM decisions WHERE film = ? LIMIT 1", film) is not None

    def submit(self, film: str, kind: str, wanted: dict[str, Any] | None = None) -> Task:
        """Put work in the queue; the same work that waits already is returned.

        Args:
            film: Its name in addresses.
            kind: Of work.
            wanted: What exactly, as plain values.
        """
        text = json.dumps(wanted or {}, sort_keys=True)
        with self._writing() as base:
            same = base.execute(
                "SELECT * FROM tasks WHERE film = ? AND kind = ? AND wanted = ?"
                " AND state IN ('waiting', 'running')",
                (film, kind, text),
            ).fetchone()
            if same is not None:
                return _task(same)
            number = base.execute(
                "INSERT INTO tasks (film, kind, wanted, state) VALUES (?, ?, ?, 'waiting')",
                (film, kind, text),
            ).lastrowid
            base.execute("DELETE FROM tasks WHERE task <= ?", ((number or 0) - _KEPT_TASKS,))
        return self.task(number or 0)

    def task(self, number: int) -> Task:
        """Work by its number.

        Raises:
            UsageError: There is none.
        """
        row = self._first("SELECT * FROM tasks WHERE task = ?", number)
        if row is None:
            raise UsageError("there is no such task; look at the queue")
        return _task(row)

    def tasks(self, *states: State, film: str | None = None) -> list[Task]:
        """Work in some states, or all of it, oldest first.

        Args:
            states: Any number; none for all.
            film: Of this film alone.
        """
        rows = self._all("SELECT * FROM tasks ORDER BY task")
        kept = [_task(row) for row in rows if not states or row["state"] in states]
        return [task for task in kept if film in (None, task.film)]

    def change(self, task: int, **values: Any) -> None:
        """Change fields of work.

        Args:
            task: Its number.
            values: By name.
        """
        names = ", ".join(f"{name} = ?" for name in values)
        plain = [json.dumps(v) if isinstance(v, dict) else v for v in values.values()]
        with self._writing() as base:
            base.execute(f"UPDATE tasks SET {names} WHERE task = ?", (*plain, task))

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            with self._base:
                yield self._base
            self.changes += 1

    def _all(self, question: str, *values: Any) -> list[sqlite3.Row]:
        with self._lock:
            return self._base.execute(question, values).fetchall()

    def _first(self, question: str, *values: Any) -> sqlite3.Row | None:
        with self._lock:
            return self._base.execute(question, values).fetchone()

    def _one(self, question: str, *values: Any) -> sqlite3.Row:
        row = self._first(question, *values)
        assert row is not None
        return row


def _film(row: sqlite3.Row) -> Film:
    return Film(
        film=row["film"],
        source=Path(row["source"]),
        name=row["name"],
        added=row["added"],
        uploaded=bool(row["uploaded"]),
        facts=json.loads(row["facts"]),
    )


def _task(row: sqlite3.Row) -> Task:
    told = dict(row)
    plain = {name: json.loads(told[name]) for name in ("wanted", "result")}
    return Task(**{**told, **plain})
