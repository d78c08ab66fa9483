"""Style of pages and plots: colours, figures as SVG and PNG, templates as HTML.

Colours are drawn as placeholders and replaced by the page's CSS variables, so that one drawing
suits light, dark and paper. No pyplot: it keeps state between calls and looks for a display.
"""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal

from unflicker.report import words

STYLE_FILE = Path(__file__).with_name("style.css")
"""The look that all pages share."""
LIGHT_ADDED, LIGHT_TAKEN = "#e08a1e", "#3d7dd8"


@dataclass(frozen=True, kw_only=True)
class Palette:
    """The colours of a drawing, as `#rrggbb`; each has a CSS variable of its name (`style.css`)."""

    ink: str
    faint: str
    before: str
    after: str
    line: str


STAND_INS = Palette(
    ink="#010203", faint="#010204", before="#010205", after="#010206", line="#010207"
)
"""To be replaced by the page's own."""
ON_WHITE = Palette(
    ink="#1d1f23", faint="#6a6f78", before="#d9663b", after="#2566c8", line="#d9d6d0"
)
"""For pictures that stand alone: the page's colours on a light ground."""


@contextlib.contextmanager
def in_house_style(palette: Palette = STAND_INS) -> Iterator[None]:
    """Draw with matplotlib's defaults and this module's style, whatever the user's files say."""
    from matplotlib import style

    with style.context(["default", _style(palette)]):
        yield


def figure_of(
    *,
    width_in: float = 10.0,
    height_in: float,
    layout: Literal["constrained"] | None = "constrained",
) -> Any:
    """An empty figure.

    Args:
        width_in: In inches.
        height_in: In inches.
        layout: None keeps axes where they are put.
    """
    from matplotlib.figure import Figure

    return Figure(figsize=(width_in, height_in), layout=layout)


def as_svg(figure: Any, *, name: str) -> str:
    """The figure as an SVG element in the page's colours, the same bytes for the same figure.

    Args:
        figure: Of matplotlib.
        name: Makes identifiers in the SVG unique on a page.
    """
    from matplotlib import rc_context

    buffer = io.StringIO()
    with rc_context({"svg.hashsalt": f"unflicker-{name}"}):
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r'<g id="[^"]*"', "<g", text)
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", text, count=1)
    text = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", text, count=1)
    for colour in fields(STAND_INS):
        text = text.replace(getattr(STAND_INS, colour.name), f"var(--{colour.name})")
    return text


def standing_alone(svg: str) -> str:
    """What `as_svg` made, as a file that needs no page: its colours, on white."""
    for colour in fields(ON_WHITE):
        svg = svg.replace(f"var(--{colour.name})", getattr(ON_WHITE, colour.name))
    svg = svg.replace("<svg ", '<svg style="background:#fff" ', 1)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{svg}'


def as_png(figure: Any, *, dots_per_inch: int = 160) -> bytes:
    """The figure on white, as PNG.

    Args:
        figure: Of matplotlib.
        dots_per_inch: Resolution.
    """
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dots_per_inch, facecolor="#ffffff")
    return buffer.getvalue()


def filled(template: Path, **values: Any) -> str:
    """A template as HTML; every value that is not `Markup` is escaped.

    Args:
        template: The file; what it includes is in its folder or in this one.
        values: Of its variables, by name.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        loader=FileSystemLoader([template.parent, Path(__file__).parent]),
    )
    environment.filters.update(number=words.number, clock=words.clock)
    return environment.get_template(template.name).render(**values)


def _style(palette: Palette) -> Any:
    return {
        "font.size": 10,
        "axes.edgecolor": palette.line,
        "axes.labelcolor": palette.faint,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": False,
        "text.color": palette.ink,
        "xtick.color": palette.line,
        "ytick.color": palette.line,
        "xtick.labelcolor": palette.faint,
        "ytick.labelcolor": palette.faint,
        "svg.fonttype": "none",
    }
