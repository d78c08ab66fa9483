"""The report of a run: a page, a before/after picture, JSON, a sentence.

Here and in `leaderboard` matplotlib and jinja2 are loaded, when a page is made.
"""

from unflicker.report.advice import advice
from unflicker.report.analysis import SCHEMA_VERSION, as_json, write_json
from unflicker.report.fit import write_fit
from unflicker.report.index import Row, write_index
from unflicker.report.page import write_page
from unflicker.report.sheet import write_sheet
from unflicker.report.training import write_training
from unflicker.report.words import headline, summary

__all__ = [
    "SCHEMA_VERSION",
    "Row",
    "advice",
    "as_json",
    "headline",
    "summary",
    "write_fit",
    "write_index",
    "write_json",
    "write_page",
    "write_sheet",
    "write_training",
]
