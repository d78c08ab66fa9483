"""The user study as a folder of files, for any place that shows files: no server, no Python.

It opens from a disk as well. Answers stay in the browser until they are saved as a file or sent to
an address; `study.sheets` reads them.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

from unflicker.errors import OutputError, UsageError
from unflicker.files.atomic import write_whole
from unflicker.study.consent import Consent
from unflicker.study.material import Material
from unflicker.study.questions import Plan, Question
from unflicker.study.sheets import Sheets

_PAGES = Path(__file__).parent / "pages"
_COPIED = ("study.css", "icon.svg")
_SCRIPTS = ("playback.js", "alone.js", "study.js")
"""As one script, in this order: pages opened from a disk cannot load modules."""
_MODULE = '<script type="module" src="/pages/study.js"></script>'
_PLAIN = '<script src="questions.js" defer></script>\n<script src="study.js" defer></script>'
_IMPORT = re.compile(r'^import .* from ".*";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export ((?:async )?(?:function|class) (\w+))", re.MULTILINE)


def write_bundle(
    material: Material, sheets: Sheets, out: Path, *, plan: Plan, consent: Consent, post: str = ""
) -> None:
    """Write the page, its questions and the videos that they show, under blind names.

    Args:
        material: Videos of the study.
        sheets: The questions.
        out: A new or empty folder.
        plan: Whether the input is shown.
        consent: What participants agree to.
        post: Address to which answers are sent; empty for a file that people save.

    Raises:
        UsageError: The folder holds something, or the address is none.
        OutputError: It cannot be written.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"{out} is not empty; name a new folder for the study")
    if post and not re.fullmatch(r"https?://\S+", post):
        raise UsageError(f"{post!r} is no address to send answers to; pass https://…")
    page = (_PAGES / "study.html").read_text(encoding="utf-8")
    write_whole(out / "index.html", page.replace(_MODULE, _PLAIN).replace("/pages/", ""))
    modules = ((_PAGES / name).read_text(encoding="utf-8") for name in _SCRIPTS)
    write_whole(out / "study.js", "\n".join(_as_script(module) for module in modules))
    told = _questions(sheets, plan=plan, consent=consent, post=post)
    content = json.dumps(told, ensure_ascii=True).replace("<", "\\u003c")
    write_whole(out / "questions.js", f"window.STUDY = {content};\n")
    for name in _COPIED:
        write_whole(out / name, (_PAGES / name).read_bytes())
    _copy_videos(material, sheets, out / "videos")


def _as_script(module: str) -> str:
    """A module of a page as a part of a plain script, with names of its own."""
    given = ", ".join(name for _, name in _EXPORT.findall(module))
    inside = _EXPORT.sub(r"\1", _IMPORT.sub("", module))
    return f"const {{ {given} }} = (() => {{\n{inside}\nreturn {{ {given} }};\n}})();\n"


def _questions(sheets: Sheets, *, plan: Plan, consent: Consent, post: str) -> dict[str, Any]:
    """All that the page knows: no method and no example."""
    with_input = plan.shown_input != "none"
    return {
        "name": sheets.name,
        "post": post,
        "shown_input": plan.shown_input,
        "consent": {
            "statements": consent.statements,
            "contact": consent.contact,
            "mark": consent.mark,
        },
        "sheets": [_sheet(sheet, sheets, with_input=with_input) for sheet in sheets.sheets],
    }


def _sheet(
    sheet: Sequence[Question], sheets: Sheets, *, with_input: bool
) -> list[dict[str, str | None]]:
    """The videos of each question."""

    def file(example: str, method: str) -> str | None:
        name = sheets.videos.get((example, method))
        return f"videos/{name}.mp4" if name else None

    return [
        {
            "left": file(each.example, each.left),
            "right": file(each.example, each.right),
            "input": file(each.example, "input") if with_input else None,
        }
        for each in sheet
    ]


def _copy_videos(material: Material, sheets: Sheets, folder: Path) -> None:
    """The videos, in an order and with times that belong to no method."""
    videos = list(sheets.videos.items())
    Random(sheets.name).shuffle(videos)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for (example, method), name in videos:
            path = material.video(example, method)
            assert path is not None
            shutil.copyfile(path, folder / f"{name}.mp4")
    except OSError as fault:
        raise OutputError(f"cannot copy videos to {folder}: {fault}") from fault
