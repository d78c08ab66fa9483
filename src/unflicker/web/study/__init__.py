"""A study of which result people prefer: blind pairs in a browser, answers in a file.

Only `serve` needs the web framework; answers and results are read without it.
"""

from unflicker.web.study.answers import Answers, answers_file
from unflicker.web.study.material import Material, read_material
from unflicker.web.study.questions import Plan
from unflicker.web.study.results import Results, results_of
from unflicker.web.study.tables import as_csv, as_json, as_table, raw_csv

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
