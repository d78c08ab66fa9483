"""A user study of which result people prefer: blind pairs, answers, and results.

No web framework: `web.study` shows the pages.
"""

from unflicker.study.answers import Answers, answers_file
from unflicker.study.material import Material, read_material
from unflicker.study.questions import Plan
from unflicker.study.results import Results, results_of
from unflicker.study.tables import as_csv, as_json, as_table, raw_csv

__all__ = [
    "Answers",
    "Material",
    "Plan",
    "Results",
    "answers_file",
    "as_csv",
    "as_json",
    "as_table",
    "raw_csv",
    "read_material",
    "results_of",
]
