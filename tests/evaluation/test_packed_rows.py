"""Packed rows of suites give their tables again."""

import gzip
import json
import sys
from pathlib import Path

import pytest

from unflicker.evaluation.suites.run import suite_of
from unflicker.evaluation.suites.suite import Options

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))
import ablations

PACKED = sorted((Path(__file__).parents[2] / "benchmarks" / "results").glob("*/*.json.gz"))


def said(monkeypatch, capsys, *words: object) -> str:
    monkeypatch.setattr(sys, "argv", ["ablations.py", *map(str, words)])
    ablations.main()
    return capsys.readouterr().out


@pytest.mark.parametrize("path", PACKED, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_published_rows_print_their_tables_and_name_no_folder(path, monkeypatch, capsys):
    content = json.loads(gzip.decompress(path.read_bytes()))
    assert content["machine"]
    assert content["date"]
    assert "/" not in json.dumps(content["options"])
    text = said(monkeypatch, capsys, path)
    for method in {row.get("method") or row["stage"] for row in content["rows"]}:
        assert f"| {method} |" in text
    assert "(" in text


def test_rows_are_packed_as_they_are_but_for_folders(tmp_path, monkeypatch, capsys):
    rows = [
        {"clip": clip, "method": name, "kind": "bands", "seed": 1, "psnr": 30.0 + more}
        | {"warping_ratio": 1.0, "sharpness": 1.0, "ssim": 1.0, "level_free_psnr": 31.0}
        for clip in ("a", "b", "c")
        for name, more in (("input", 0.0), ("fast", 5.0))
    ]
    options = {"judge": "fast", "weights": "/somewhere"}
    content = {"suite": "quality", "options": options, "rows": rows}
    (tmp_path / "quality.json").write_text(json.dumps(content))
    said(monkeypatch, capsys, tmp_path / "quality.json", "--pack", tmp_path / "p" / "q.json.gz")
    packed = json.loads(gzip.decompress((tmp_path / "p" / "q.json.gz").read_bytes()))
    assert packed == {**content, "options": {"judge": "fast"}}
    text = said(monkeypatch, capsys, tmp_path / "p" / "q.json.gz")
    told = suite_of("quality").table(rows, Options(out=tmp_path, judge="fast"))
    assert text.strip() == told.strip()
    assert "+5.0" in text
