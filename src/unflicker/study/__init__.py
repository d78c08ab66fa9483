"""A user study of which result people prefer: blind pairs, answers, and results.

No web framework: `web.study` shows the pages.
"""

from unflicker.study.answers import Answers, answers_file
from unflicker.study.consent import Consent, read_consent
from unflicker.study.material import Material, read_material
from unflicker.study.paper_table import as_paper
from unflicker.study.questions import Plan
from unflicker.study.results import Results, results_of
from unflicker.study.sheets import add_returned, draw_sheets, returned_files, write_key
from unflicker.study.simulation import Crowd, simulate
from unflicker.study.tables import as_csv, as_json, as_table, raw_csv

__all__ = [
    "Answers",
    "Consent",
    "Crowd",
    "Material",
    "Plan",
    "Results",
    "add_returned",
    "answers_file",
    "as_csv",
    "as_json",
    "as_paper",
    "as_table",
    "draw_sheets",
    "raw_csv",
    "read_consent",
    "read_material",
    "results_of",
    "returned_files",
    "simulate",
    "write_key",
]
