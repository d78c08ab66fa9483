"""unflicker report: its exit codes and what it says."""

import json

import pytest


@pytest.fixture
def measured(tmp_path):
    given = {"method": "fast", "example": "street", "clip": "street", "category": "old movie",
             "kind": "", "set": "visible", "values": {"visible_flicker_less": 0.7}}  # fmt: skip
    (tmp_path / "scores.jsonl").write_text(f"{json.dumps(given)}\n")
    return tmp_path


def test_the_page_is_named_on_stdout(call, measured):
    code, out, _ = call("report", measured)
    assert (code, out) == (0, f"{measured / 'report' / 'index.html'}\n")
    assert (measured / "tables" / "leaderboard_real.md").exists()


def test_it_can_go_elsewhere(call, measured, tmp_path):
    code, out, _ = call("report", measured, "-o", tmp_path / "a site")
    assert code == 0
    assert out == f"{tmp_path / 'a site' / 'report' / 'index.html'}\n"


def test_a_folder_without_scores_ends_with_3_and_says_what_to_do(call, tmp_path):
    code, _, err = call("report", tmp_path / "nothing")
    assert code == 3
    assert "unflicker evaluate" in err


def test_no_folder_is_a_usage_error(call):
    assert call("report")[0] == 2


def test_where_nothing_can_be_written_it_ends_with_4(call, measured, tmp_path):
    (tmp_path / "file").write_text("")
    assert call("report", measured, "-o", tmp_path / "file" / "below")[0] == 4
