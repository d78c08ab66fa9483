"""Laws of the prose: the field's words in place of private ones."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "src" / "unflicker"
LATER = {
    "evaluation",
    "leaderboard",
    "datasets",
    "analysis",
    "rendering",
    "recording",
    "compute",
    "files",
    "plan",
    "settings",
    "cli",
    "pipeline.py",
    "progress.py",
    "errors.py",
    "__init__.py",
}
"""Folders and modules at the top of the package whose prose has yet to be edited."""
RECORDS = {"lab-notebook.md"}
"""Dated records, which keep their words; so do the decisions."""

WORDS = {
    r"\b(takes?|taken|taking|took) (the |all |its |what )?flickers? out\b": "removes flicker from",
    r"\b(takes?|taking) out (the |all )?flicker": "removes flicker",
    r"\bthinking\b|\bthought (about|of)\b|\bthinks? (on|about)\b": "analysis; is analysed",
    r"\bmade flicker|\bmade to flicker": "synthetic flicker",
    r"\bas (it|they) came\b|\bwhat came in\b": "the input; uncorrected",
    r"\b(the|an) eye (sees|would see|must)\b": "visible flicker; visible",
    r"\bwhat is left\b|\bflicker that is left\b": "the residual; the remaining flicker",
    r"\bleft alone\b": "not corrected; unchanged",
    r"\bwanted light\b|\b(is|be) wanted\b": "intended; kept; selected",
    r"\b(nobody|somebody|anybody)\b": "a passive, or the one who acts",
    r"\blest\b": "so that ... not",
    r"\bat hand\b": "available; installed",
    r"\b(there|forth) and back\b": "forward-backward check; forward and backward sweep",
    r"\brivals?\b": "baseline",
    r"\b(to|about|next to|for|counts?|weighs?) nothing\b": "zero",
    r"\bsays? (nothing|little)\b": "is not used; is unreliable",
    r"\b(frame|kind|flicker|place|address|taken|drawn|mirrored|begins?|misses) by chance\b|"
    r"\bwhere chance comes from\b": "random; at random; random generator",
    r"\btone paths?\b": "illumination trajectory",
    r"\blight fields?\b": "illumination model",
    r"\bsightings?\b": "correspondences",
    r"\blikeness\b": "local linear model",
    r"\bpanned\b": "Ken Burns",
    r"\bsketch(es|ed)?\b": "initialisation",
    r"\bbeside\b(?!:)": "next to; with; besides; in the same folder",
    r"\b(goes|go|went) on (from|where|with|as|below|moving)\b": "continues; resumes",
    r"\bspoil(s|t|ed|ing)?\b": "degrades",
    r"\btold apart\b|\btells? apart\b": "distinguished",
    r"\banew\b": "again",
    r"\bfreed (of|from)\b": "without",
    r"\bhow near\b": "distance to",
    r"\bnot to be had\b": "not available",
    r"\bflicker gone\b|\bof it gone\b": "flicker removed",
    r"(?<!ground )\btruth (is |was )?(known|kept)\b|\bto the truth\b": "ground truth",
    r"\b(moves?|changes?) by itself\b": "independently",
    r"\btold (now and then|how)\b": "called with the progress",
}
"""Private phrases, and what to write instead."""


def private_phrases(text: str) -> list[str]:
    """Each private phrase of a text, with the words to use."""
    flat = re.sub(r"\s+", " ", text)
    return [
        f"{found[0]!r}, write: {instead}"
        for pattern, instead in WORDS.items()
        for found in re.finditer(pattern, flat, flags=re.IGNORECASE)
    ]


def prose_of(source: str) -> Iterator[str]:
    """Docstrings, strings of several words, and comments of a module."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
            yield node.value
    comments = [
        token.string.lstrip("# ")
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.COMMENT
    ]
    yield " ".join(comments)


def without_code(page: str) -> str:
    """A page of Markdown without code, addresses of links, and a glossary's last column."""
    if page.startswith("# Glossary"):
        page = re.sub(r"\|[^|\n]*\|$", "|", page, flags=re.MULTILINE)
    page = re.sub(r"```.*?```", "", page, flags=re.DOTALL)
    return re.sub(r"`[^`\n]*`|\]\([^)]*\)", "", page)


def pages() -> list[Path]:
    docs = [path for path in (ROOT / "docs").glob("*.md") if path.name not in RECORDS]
    return [ROOT / "README.md", PACKAGE / "README.md", *sorted(docs)]


def edited_modules() -> list[Path]:
    found = sorted(PACKAGE.rglob("*.py"))
    return [path for path in found if path.relative_to(PACKAGE).parts[0] not in LATER]


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", pages(), ids=named)
def test_pages_use_the_words_of_the_field(path):
    assert private_phrases(without_code(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize("path", edited_modules(), ids=named)
def test_docstrings_comments_and_messages_use_the_words_of_the_field(path):
    source = path.read_text(encoding="utf-8")
    assert [fault for text in prose_of(source) for fault in private_phrases(text)] == []


def test_a_private_phrase_would_be_noticed():
    source = '''
def f(name):
    """Takes the
    flicker out."""
    # Nobody
    # thinks about it.
    raise ValueError(f"{name} is as it came")
'''
    found = [fault for text in prose_of(source) for fault in private_phrases(text)]
    assert len(found) == 4
    assert "'Takes the flicker out', write: removes flicker from" in found
    assert private_phrases(without_code("The `rival` is [here](beside.md); rivals are beside it."))
    assert not private_phrases(without_code("The `rival` is [here](beside.md)."))


def test_what_is_edited_later_is_there():
    assert all((PACKAGE / name).exists() for name in LATER)
