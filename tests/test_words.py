"""Laws of the prose: the field's words in place of private ones."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TypeGuard

import pytest

from source_trees import parsed

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "src" / "unflicker"
ONE_SIGNATURE = {
    "synthesis/recipes.py": "Recipe",
    "synthesis/events.py": "Draw",
}
"""Modules of functions that all have the signature of a type, which documents it."""
CLICKS = {
    "convert",
    "format_commands",
    "format_epilog",
    "format_options",
    "get_command",
    "parse_args",
}
"""Methods of click's classes that ours override."""
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
    r"\bbeside\b": "next to; with; besides; in the same folder",
    r"\b(goes|go|went) on (from|where|with|as|below|moving)\b": "continues; resumes",
    r"\bspoil(s|t|ed|ing)?\b": "degrades",
    r"\btold apart\b|\btells? apart\b": "distinguished",
    r"\bat the (most|least)\b": "at most; at least",
    r"\b(is|are) taken for\b": "is treated as",
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
    flat = " ".join(text.split())
    return [
        f"{found[0]!r}, write: {instead}"
        for pattern, instead in WORDS.items()
        for found in re.finditer(pattern, flat, flags=re.IGNORECASE)
    ]


def prose_of(source: str) -> Iterator[str]:
    """Docstrings, without names of arguments, strings of several words, and comments."""
    for node in ast.walk(parsed(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
            yield re.sub(r"^ +\w+:", "", node.value, flags=re.MULTILINE)
    comments = [
        token.string.lstrip("# ")
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.COMMENT
    ]
    yield " ".join(comments)


@cache
def protocol_methods() -> set[str]:
    """Names that protocols, torch or click document for the classes that have them."""
    trees = (parsed(path.read_text(encoding="utf-8")) for path in PACKAGE.rglob("*.py"))
    classes = (node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef))
    protocols = (one for one in classes if _is_protocol(one))
    return (
        {"forward"}
        | CLICKS
        | {method.name for one in protocols for method in one.body if _is_function(method)}
    )


def public_functions(tree: ast.Module, *, documented: set[str]) -> Iterator[ast.FunctionDef]:
    """Functions of a module and methods of its public classes, overrides of protocols left out."""
    for node in tree.body:
        if _is_function(node) and not node.name.startswith("_") and not _is_command(node):
            yield node
        elif isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            for method in node.body:
                override = getattr(method, "name", "") in documented and not _is_protocol(node)
                if _is_function(method) and not method.name.startswith("_") and not override:
                    yield method


def _is_function(node: ast.AST) -> TypeGuard[ast.FunctionDef]:
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)


def _is_command(node: ast.FunctionDef) -> bool:
    """Whether a function is a command of click, whose options document themselves."""
    makers = [ast.unparse(one.func) for one in node.decorator_list if isinstance(one, ast.Call)]
    return any(maker.endswith((".command", ".group")) for maker in makers)


def _is_protocol(node: ast.ClassDef) -> bool:
    return any("Protocol" in ast.unparse(base) for base in node.bases)


def arguments_of(function: ast.FunctionDef) -> list[str]:
    """Names of a function's arguments, without `self` and `cls`."""
    given = function.args
    found = [*given.posonlyargs, *given.args, given.vararg, *given.kwonlyargs, given.kwarg]
    return [one.arg for one in found if one is not None and one.arg not in ("self", "cls")]


def undocumented(source: str, *, documented: set[str]) -> list[str]:
    """Public functions of two arguments or more whose `Args:` do not name these, in order."""
    faults = []
    for function in public_functions(parsed(source), documented=documented):
        arguments = arguments_of(function)
        section = re.search(
            r"^Args:\n((?: .*\n?)*)", ast.get_docstring(function) or "", re.MULTILINE
        )
        named_there = re.findall(r"^    (\w+):", section[1], re.MULTILINE) if section else []
        if len(arguments) > 1 and named_there != arguments:
            faults.append(f"{function.name}: {named_there} in place of {arguments}")
    return faults


def silent_about_errors(source: str, *, documented: set[str]) -> list[str]:
    """Public functions of two arguments or more that raise an error of their own unannounced."""
    return [
        function.name
        for function in public_functions(parsed(source), documented=documented)
        if len(arguments_of(function)) > 1
        and any(isinstance(one, ast.Raise) and one.exc for one in ast.walk(function))
        and "Raises:" not in (ast.get_docstring(function) or "")
    ]


def without_code(page: str) -> str:
    """A page of Markdown without code, addresses of links, and a glossary's last column."""
    if page.startswith("# Glossary"):
        page = re.sub(r"\|[^|\n]*\|$", "|", page, flags=re.MULTILINE)
    page = re.sub(r"```.*?```", "", page, flags=re.DOTALL)
    return re.sub(r"`[^`\n]*`|\]\([^)]*\)", "", page)


def pages() -> list[Path]:
    docs = [path for path in (ROOT / "docs").glob("*.md") if path.name not in RECORDS]
    cards = (ROOT / "docs" / "model-cards").glob("*.md")
    first = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", PACKAGE / "README.md"]
    return [*first, *sorted(docs), *sorted(cards)]


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", pages(), ids=named)
def test_pages_use_the_words_of_the_field(path):
    assert private_phrases(without_code(path.read_text(encoding="utf-8"))) == []


def test_docstrings_comments_and_messages_use_the_words_of_the_field():
    for path in modules():
        prose = " | ".join(prose_of(path.read_text(encoding="utf-8")))
        assert private_phrases(prose) == [], path


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


def documented_modules() -> list[Path]:
    return [one for one in modules() if one.relative_to(PACKAGE).as_posix() not in ONE_SIGNATURE]


def test_public_functions_document_their_arguments():
    for path in documented_modules():
        source = path.read_text(encoding="utf-8")
        assert undocumented(source, documented=protocol_methods()) == [], path


def test_public_functions_that_raise_say_so():
    for path in documented_modules():
        source = path.read_text(encoding="utf-8")
        assert silent_about_errors(source, documented=protocol_methods()) == [], path


def test_an_error_that_is_not_documented_would_be_noticed():
    good = 'def f(a, b):\n    """Sum.\n\n    Raises:\n        E: No.\n    """\n    raise E(a)\n'
    assert silent_about_errors(good, documented=set()) == []
    assert silent_about_errors(good.replace("Raises", "Notes"), documented=set()) == ["f"]
    again = "def f(a, b):\n    try: g()\n    except E: raise\n"
    assert silent_about_errors(again, documented=set()) == []


def test_modules_of_one_signature_document_its_type():
    for name, kind in ONE_SIGNATURE.items():
        assert re.search(rf'^{kind} = Callable.*\n"""', (PACKAGE / name).read_text(), re.MULTILINE)


def test_an_undocumented_argument_would_be_noticed():
    good = (
        'def f(a, *, b):\n    """Sum.\n\n    Args:\n        a: One.\n        b: Other.\n    """\n'
    )
    assert undocumented(good, documented=set()) == []
    assert undocumented(good.replace("b: Other", "c: Other"), documented=set())
    assert undocumented('def f(a, b):\n    """Sum."""\n', documented=set())
    assert undocumented("class A:\n    def f(self, a, b): ...\n", documented=set())
    assert not undocumented("class A:\n    def f(self, a, b): ...\n", documented={"f"})
    assert not undocumented("def _f(a, b): ...\n", documented=set())
    assert undocumented("@cache()\ndef f(a, b): ...\n", documented=set())
    assert not undocumented("@click.command()\ndef f(a, b): ...\n", documented=set())
