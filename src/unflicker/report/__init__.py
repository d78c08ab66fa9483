"""What a run did, for people and programs: a page, a before/after picture, JSON, a sentence.

matplotlib and jinja2 live here alone, and are loaded when a page is made.
"""

from unflicker.report.analysis import SCHEMA_VERSION, as_json, write_json
from unflicker.report.fit import write_fit
from unflicker.report.page import write_page
from unflicker.report.sheet import write_sheet
from unflicker.report.training import write_training
from unflicker.report.words import headline, summary

__all__ = [
    "SCHEMA_VERSION",
    "as_json",
    "headline",
    "summary",
    "write_fit",
    "write_json",
    "write_page",
    "write_sheet",
    "write_training",
]
