"""What libraries write to standard error themselves, kept apart in calls that want JSON there."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from typing import IO

_MOST_BYTES = 1 << 16
"""Of what is told; a library may complain of each of a thousand pictures."""
_CAUGHT: list[IO[bytes]] = []


def catch_stray_lines() -> None:
    """From now on keep what is written to standard error, except by this program itself.

    Codecs such as libpng, libtiff and x265 print there without asking. Where there is no place for
    a temporary file, nothing is kept apart.
    """
    with contextlib.suppress(OSError):
        place = tempfile.TemporaryFile()  # noqa: SIM115 - open until the program ends
        sys.stderr.flush()
        ours = os.dup(2)
        os.dup2(place.fileno(), 2)
        sys.stderr = open(  # noqa: SIM115 - as long as the program
            ours, "w", buffering=1, encoding="utf-8", errors="backslashreplace"
        )
        _CAUGHT.append(place)


def stray_lines() -> list[str]:
    """The lines that were kept, each once, in order; later ones are lost."""
    if not _CAUGHT:
        return []
    place = _CAUGHT.pop()
    place.seek(0)
    text = place.read(_MOST_BYTES).decode("utf-8", errors="replace")
    return list(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))
