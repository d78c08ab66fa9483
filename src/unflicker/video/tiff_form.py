"""How TIFFs and BigTIFFs store places, counts and entries.

Source: TIFF 6.0 (1992), section 2; BigTIFF, as libtiff 4 reads it.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

_MOST_ENTRIES = 1 << 16
"""Of a directory; more are a damaged file."""


@dataclass(frozen=True, kw_only=True)
class TiffForm:
    """How a file stores places, counts and entries."""

    order: str
    wide: bool

    @property
    def place(self) -> str:
        """The letter of a place."""
        return "Q" if self.wide else "I"

    @property
    def bytes(self) -> int:
        """Of a place."""
        return 8 if self.wide else 4

    def entries(self, data: Any, place: int) -> tuple[list[bytes], int]:
        """The entries of a directory, and where the place of the next one stands.

        Args:
            data: The file.
            place: Of the directory.

        Raises:
            ValueError: There are more than any file has.
            struct.error: The file ends before it.
        """
        letter, head, size = ("Q", 8, 20) if self.wide else ("H", 2, 12)
        (count,) = struct.unpack(f"{self.order}{letter}", data[place : place + head])
        if count > _MOST_ENTRIES:
            raise ValueError("a damaged TIFF")
        begin, end = place + head, place + head + size * count
        body = bytes(data[begin:end])
        return [body[at : at + size] for at in range(0, size * count, size)], end


FORMS = {
    b"II*\0": TiffForm(order="<", wide=False),
    b"MM\0*": TiffForm(order=">", wide=False),
    b"II+\0": TiffForm(order="<", wide=True),
    b"MM\0+": TiffForm(order=">", wide=True),
}
