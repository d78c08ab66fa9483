"""The list of the method's constants, docs/constants.md, held against the code.

    python benchmarks/constants.py            what is missing, gone, or has another value; 1 if any
    python benchmarks/constants.py --write    brings names and values up to date; origins are kept

A constant is a name in capitals at the top of a module, or the default of a setting, whose value
has a number in it. What it was read from is written by hand; a new one is "unknown" until then.
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "constants.md"
PACKAGE = ROOT / "src" / "unflicker"
PARTS = (
    "tone", "motion", "fine_light", "refinement", "atlas", "neural_filter", "repair", "grade",
    "analysis", "settings",
)  # fmt: skip
HEAD = "| constant | value | read from | how |\n|---|---|---|---|\n"
UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class Origin:
    """A row of the page."""

    value: str
    codes: str = UNKNOWN
    """Of the page's legend, separated by commas."""
    how: str = ""


def main() -> int:
    """Check the page, or bring it up to date."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true")
    text, found = PAGE.read_text(), constants(PACKAGE)
    if parser.parse_args().write:
        PAGE.write_text(brought_up_to_date(text, found))
        return 0
    faults = list(differences(text, found))
    print("\n".join(faults) or f"{len(found)} constants, all listed")
    return 1 if faults else 0


def constants(package: Path, parts: tuple[str, ...] = PARTS) -> dict[tuple[str, str], str]:
    """The source of each constant's value, by module and names.

    Args:
        package: Folder of the package.
        parts: Folders in it.
    """
    found = {}
    for part in parts:
        for path in sorted((package / part).rglob("*.py")):
            tree, module = ast.parse(path.read_text()), path.relative_to(package).as_posix()
            for names, value in (*_of_module(tree), *_of_settings(tree)):
                found[module, names] = _cell(ast.unparse(value))
    return found


def listed(text: str) -> dict[tuple[str, str], Origin]:
    """The rows of the page, by module and names.

    Args:
        text: Of the page, in Markdown.
    """
    rows, module = {}, ""
    for line in text.splitlines():
        if title := re.fullmatch(r"### `(.+)`", line):
            module = title[1]
        elif module and (row := re.fullmatch(r"\| `(.+?)` \| `(.*)` \| (.*?) \| (.*?) ?\|", line)):
            rows[module, row[1]] = Origin(value=row[2], codes=row[3], how=row[4])
    return rows


def legend(text: str) -> set[str]:
    """The codes that the page explains.

    Args:
        text: Of the page, in Markdown.
    """
    return set(re.findall(r"^\| \*\*(\w+)\*\* \|", text, flags=re.MULTILINE))


def differences(text: str, found: Mapping[tuple[str, str], str]) -> Iterator[str]:
    """What is wrong with the page, a line each.

    Args:
        text: Of the page, in Markdown.
        found: The constants of the code.
    """
    rows, codes = listed(text), legend(text)
    for key in sorted(found.keys() | rows.keys()):
        name = f"{key[0]}: {key[1]}"
        if key not in rows:
            yield f"{name} is not listed"
        elif key not in found:
            yield f"{name} is listed and no longer there"
        elif rows[key].value != found[key]:
            yield f"{name} is {found[key]}, listed as {rows[key].value}: is its origin still true?"
        unknown = set(rows[key].codes.split(", ")) - codes if key in rows else set()
        if unknown:
            yield f"{name} was read from {', '.join(sorted(unknown))}, which the page does not name"


def brought_up_to_date(text: str, found: Mapping[tuple[str, str], str]) -> str:
    """The page with the names and values of the code; the rest is kept.

    Args:
        text: Of the page, in Markdown.
        found: The constants of the code.
    """
    rows = listed(text)
    opening = text.split("\n### `", 1)[0].rstrip() + "\n"
    parts = [opening]
    for module in dict.fromkeys(module for module, _ in found):
        lines = [
            _row(names, value, rows.get((where, names), Origin(value="")))
            for (where, names), value in found.items()
            if where == module
        ]
        parts.append(f"\n### `{module}`\n\n{HEAD}{''.join(lines)}")
    return "".join(parts)


def _row(names: str, value: str, origin: Origin) -> str:
    how = f"{origin.how} " if origin.how else ""
    return f"| `{names}` | `{value}` | {origin.codes} | {how}|\n"


def _cell(source: str) -> str:
    """Source of Python that a cell of a table can hold."""
    return " ".join(source.split()).replace("|", "\\|")


def _of_module(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    """Names in capitals with a number in their value."""
    for step in tree.body:
        if isinstance(step, ast.Assign):
            target, value = step.targets[0], step.value
        elif isinstance(step, ast.AnnAssign) and step.value is not None:
            target, value = step.target, step.value
        else:
            continue
        each = target.elts if isinstance(target, ast.Tuple) else [target]
        names = [one.id for one in each if isinstance(one, ast.Name)]
        if names and all(name.strip("_").isupper() for name in names) and _has_number(value):
            yield ", ".join(names), value


def _of_settings(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    """Defaults of settings that are numbers."""
    for each in (step for step in tree.body if isinstance(step, ast.ClassDef)):
        for field in (step for step in each.body if isinstance(step, ast.AnnAssign)):
            call = field.value
            if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name)):
                continue
            if call.func.id == "_setting" and call.args and _has_number(call.args[0]):
                assert isinstance(field.target, ast.Name)
                yield f"{each.name}.{field.target.id}", call.args[0]


def _has_number(value: ast.expr) -> bool:
    return any(
        isinstance(one, ast.Constant) and type(one.value) in (int, float) for one in ast.walk(value)
    )


if __name__ == "__main__":
    sys.exit(main())
