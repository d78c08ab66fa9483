"""Files that are sent from one machine to another."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from unflicker.errors import OutputError
from unflicker.files.outputs import hidden_name


@dataclass(frozen=True, kw_only=True, eq=False)
class Sent:
    """The content of a file, or of a folder of files."""

    files: dict[str, bytes]
    """By name; a file alone has none."""

    @classmethod
    def of(cls, place: Path) -> Sent:
        """What is at a path."""
        if place.is_dir():
            return cls(files={file.name: file.read_bytes() for file in sorted(place.iterdir())})
        return cls(files={"": place.read_bytes()})

    def put(self, place: Path) -> Path:
        """Write it under a temporary name, which is returned.

        Args:
            place: The name that it is to have; what has that name is unchanged.

        Raises:
            OutputError: The disk is full or gone.
        """
        part = hidden_name(place, ".part")
        try:
            if "" in self.files:
                part.write_bytes(self.files[""])
                return part
            part.mkdir(exist_ok=True)
            for name, content in self.files.items():
                (part / name).write_bytes(content)
        except OSError as fault:
            raise OutputError(f"cannot write {part}: {fault.strerror}; make room there") from fault
        return part
