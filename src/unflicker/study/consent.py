"""What participants agree to before a study begins.

The text is kept by its hash with each person, so that it can be shown later who agreed to what.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from unflicker.errors import InputError

_STATEMENTS = (
    "I am at least 18 years old, and flashing light does not harm me: I have no photosensitive "
    "epilepsy, and no member of my family has.",
    "I take part of my own free will. I can stop at any time, without a reason, and delete my "
    "answers on the last page.",
    "My answers, the seconds each took, when I began, and a random number that my browser stores "
    "are kept. My name, address and browser are not.",
    "The answers are evaluated for all participants together, and may be published without names.",
)
_MOST_BYTES = 20_000


@dataclass(frozen=True, kw_only=True)
class Consent:
    """Statements that a participant agrees to."""

    statements: tuple[str, ...] = _STATEMENTS
    contact: str = ""
    """Who runs the study and answers questions; empty if no name is given."""

    @property
    def mark(self) -> str:
        """A hash of the text, which changes with every word."""
        text = "\n".join([*self.statements, self.contact])
        return hashlib.sha256(text.encode()).hexdigest()[:12]


def read_consent(path: Path | None, *, contact: str = "") -> Consent:
    """The statements in a text file, one a line; the usual ones without a file.

    Args:
        path: UTF-8 text; empty lines do not count.
        contact: Who runs the study.

    Raises:
        InputError: The file cannot be read, is no text, or is empty.
    """
    if path is None:
        return Consent(contact=contact)
    try:
        text = path.read_bytes()[:_MOST_BYTES].decode("utf-8")
    except (OSError, UnicodeDecodeError) as fault:
        raise InputError(
            f"the consent in {path} cannot be read: {fault}; write one statement a line, in UTF-8"
        ) from fault
    lines = tuple(line.strip() for line in text.splitlines() if line.strip())
    if not lines:
        raise InputError(f"{path} has no statement; write one a line, or leave --consent out")
    return Consent(statements=lines, contact=contact)
