"""Reading and merging what runs wrote."""

import pytest
from made_scores import line, write_lines

from unflicker.errors import InputError
from unflicker.leaderboard.scores import read_scores


def psnr(scores, method="fast", example="apple/bands"):
    return scores.value(method, example, of="fidelity", name="psnr")


def failure(method="fast", example="apple/bands"):
    return line(method, example, "failed", {}, error="no memory")


def score(value, method="fast", example="apple/bands", **changes):
    return line(method, example, "fidelity", {"psnr": value}, **changes)


def test_later_lines_win(tmp_path):
    folder = write_lines(tmp_path, [score(30.0), score(35.0)])
    assert psnr(read_scores(folder)) == 35.0


def test_later_folders_win_and_keep_what_only_earlier_ones_have(tmp_path):
    monday = write_lines(tmp_path / "monday", [score(30.0), score(28.0, "histogram")])
    tuesday = write_lines(tmp_path / "tuesday", [score(36.0)])
    both = read_scores(monday, tuesday)
    assert psnr(both) == 36.0
    assert psnr(both, "histogram") == 28.0
    assert psnr(read_scores(tuesday, monday)) == 30.0


def test_a_failure_takes_earlier_scores_with_it(tmp_path):
    scores = read_scores(write_lines(tmp_path, [score(30.0), failure()]))
    assert psnr(scores) is None
    assert scores.failures() == {"fast": {"apple/bands": "no memory"}}


def test_who_succeeds_later_has_not_failed(tmp_path):
    scores = read_scores(write_lines(tmp_path, [failure(), score(30.0)]))
    assert scores.failures() == {}
    assert psnr(scores) == 30.0


def test_a_line_cut_off_is_left_out_and_told(tmp_path):
    folder = write_lines(tmp_path, [score(30.0)])
    with (folder / "scores.jsonl").open("a") as file:
        file.write('{"method": "fast", "exam\n[]\n{"method": 3}\n')
    scores = read_scores(folder)
    assert psnr(scores) == 30.0
    assert len(scores.skipped) == 3
    assert "line 2" in scores.skipped[0]


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 50_000, "[]", "7", "\x00"])
def test_nonsense_in_a_folder_of_results_is_left_out(tmp_path, text):
    folder = write_lines(tmp_path, [score(30.0)])
    with (folder / "scores.jsonl").open("a") as file:
        file.write(f"{text}\n")
    (folder / "run.json").write_text(text)
    scores = read_scores(folder)
    assert psnr(scores) == 30.0
    assert len(scores.skipped) == 1


def test_what_is_no_number_is_not_there_and_equal_pictures_have_100_db(tmp_path):
    lines = [
        line("a", "x", "fidelity", {"psnr": float("inf"), "ssim": float("nan"), "delta_e": None})
    ]
    scores = read_scores(write_lines(tmp_path, lines))
    assert scores.of("a", "x")["fidelity"].values == {"psnr": 100.0}


def test_the_folder_of_an_example_has_no_slash_and_no_blank(tmp_path):
    scores = read_scores(write_lines(tmp_path, [score(1.0, example="a b/held 10 frames")]))
    assert scores.examples["a b/held 10 frames"].folder == "a-b__held-10-frames"


@pytest.mark.parametrize("content", [None, "", "\n", "nonsense\n"])
def test_no_scores_are_said_with_a_way_out(tmp_path, content):
    if content is not None:
        (tmp_path / "scores.jsonl").write_text(content)
    with pytest.raises(InputError, match=r"scores\.jsonl.*unflicker evaluate"):
        read_scores(tmp_path)
