"""Tables as Markdown, CSV and LaTeX."""

import csv
import io

import pytest
from made_scores import line, made_lines, write_lines

from unflicker.leaderboard.leaderboards import boards
from unflicker.leaderboard.published_form import published_table
from unflicker.leaderboard.scores import read_scores
from unflicker.leaderboard.tables import as_csv, as_latex, as_markdown

STRANGE = "my_filter | <b>50%</b> & {x}\\ #1 $"


@pytest.fixture
def table(tmp_path):
    """The leaderboard of the made scores."""
    return boards(read_scores(write_lines(tmp_path, made_lines())))[0].table


@pytest.fixture
def strange(tmp_path):
    lines = made_lines({"input": 26.0, STRANGE: 30.0})
    return boards(read_scores(write_lines(tmp_path, lines)))[0].table


def test_markdown_has_the_known_means_and_the_best_is_bold(table):
    text = as_markdown(table)
    assert "| unflicker fast | **37.0** | **1.25** |" in text
    assert "| histogram | 32.0 | 3.40 |" in text
    assert "| input | 27.0 | 8.00 |" in text
    assert "6 examples of 3 clips" in text


def test_markdown_rows_have_as_many_cells_as_heads(strange):
    rows = [row for row in as_markdown(strange).splitlines() if row.startswith("|")]
    counts = {row.replace("\\|", "").count("|") for row in rows}
    assert len(counts) == 1


def test_csv_has_every_digit_interval_and_count(table):
    rows = list(csv.DictReader(io.StringIO(as_csv(table))))
    fast = next(row for row in rows if row["method"] == "fast")
    assert float(fast["PSNR, dB"]) == pytest.approx(37.0)
    assert float(fast["PSNR, dB low"]) <= 37.0 <= float(fast["PSNR, dB high"])
    assert fast["PSNR, dB examples"] == "6"
    assert fast["family"] == "ours"


def test_differences_to_the_first_are_paired_and_have_intervals(table):
    text = as_markdown(table)
    head = next(line for line in text.splitlines() if line.startswith("| method"))
    assert head.endswith("| to the first (95 %), dB |")
    rows = {line.split("|")[1].strip(): line for line in text.splitlines() if line.startswith("|")}
    # Every method is as far behind on each example, whatever the clip.
    assert rows["histogram"].endswith("| -5.0 (-5.0 to -5.0) |")
    assert rows["input"].endswith("| -10.0 (-10.0 to -10.0) |")
    assert rows["unflicker fast"].endswith("| – |")
    assert "-5.0 (-5.0 to -5.0)" in as_latex(table)
    written = {row["method"]: row for row in csv.DictReader(io.StringIO(as_csv(table)))}
    assert float(written["histogram"]["PSNR, dB difference"]) == pytest.approx(-5.0)
    assert float(written["histogram"]["E_warp ratio difference low"]) == pytest.approx(2.15)
    assert written["fast"]["PSNR, dB difference"] == ""


def test_latex_has_the_known_means(table):
    text = as_latex(table)
    assert r"unflicker fast & \textbf{37.0} & \textbf{1.25}" in text
    assert text.count(r"\begin{tabular}") == text.count(r"\end{tabular}") == 1


def test_strange_names_are_escaped_in_latex_and_markdown(strange):
    latex = as_latex(strange)
    assert r"my\_filter | \textless{}b\textgreater{}50\%" in latex
    assert r"\& \{x\}\textbackslash{} \#1 \$" in latex
    markdown = as_markdown(strange)
    assert r"my\_filter \| \<b>50%" in markdown


def test_a_measure_that_older_scores_lack_is_blank_for_them(tmp_path):
    lines = made_lines()
    assert "level-free" not in as_markdown(
        boards(read_scores(write_lines(tmp_path, lines)))[0].table
    )
    for entry in lines:
        if entry["set"] == "fidelity" and entry["method"] == "fast":
            entry["values"]["level_free_psnr"] = 41.0
        if entry["set"] == "visible" and entry["method"] != "histogram":
            entry["values"]["worst_tenth_flicker"] = 2.5
    text = as_markdown(boards(read_scores(write_lines(tmp_path, lines)))[0].table)
    rows = {line.split("|")[1].strip(): line for line in text.splitlines() if line.startswith("|")}
    assert "| level-free PSNR, dB ↑ |" in rows["method"].replace("\u00a0", " ")
    assert "| visible, worst tenth, ΔE ↓ |" in rows["method"].replace("\u00a0", " ")
    assert "| **41.0** |" in rows["unflicker fast"]
    assert "| 32.0 | – |" in rows["histogram"]


def test_the_papers_form_has_both_measures_by_hold_time_and_over_all(tmp_path):
    lines = []
    for method, base in (("input", 20.0), ("histogram", 24.0), ("fast", 28.0)):
        for step, clip in enumerate(("apple", "blocks", "dance")):
            for kind, more in (("w1", 0.0), ("w3", 1.0), ("w10", 2.0)):
                name = f"{clip}/{kind}"
                lines.append(line(method, name, "fidelity", {"psnr": base + step + more}))
                warp = (40.0 - base) / 100 + more / 10
                lines.append(line(method, name, "consistency", {"e_warp": warp}))
    table = published_table(read_scores(write_lines(tmp_path, lines)))
    text = as_markdown(table)
    rows = {row.split("|")[1].strip(): row for row in text.splitlines() if row.startswith("|")}
    assert "W = 1" in rows["method"].replace("\u00a0", " ")
    numbers = [cell.strip(" *") for cell in rows["unflicker fast"].split("|")[2:-1]]
    assert numbers[:8] == ["0.1200", "0.2200", "0.3200", "0.2200", "29.0", "30.0", "31.0", "30.0"]
    assert rows["histogram"].endswith("| +0.0400 (+0.0400 to +0.0400) |")
    assert published_table(read_scores(write_lines(tmp_path / "other", made_lines()))) is None
