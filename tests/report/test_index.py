"""The index of a batch."""

import json

from unflicker.report import Row, write_index


def rows(folder):
    steady = {"state": "done", "frames": 24, "before": 3.0, "seconds": 2.0}
    return [
        Row(source=folder / "a.mp4", target=folder / "a_out.mp4", after=0.2, **steady),
        Row(source=folder / "<b>.mp4", target=folder / "b out.mp4", after=0.9, **steady),
        Row(source=folder / "c.mp4", target=folder / "c_out.mp4", state="failed", about="no film"),
        Row(source=folder / "d.mp4", target=folder / "d_out.mp4", state="skipped"),
    ]


def test_failures_come_first_then_what_flickers_most(tmp_path):
    write_index(rows(tmp_path), tmp_path / "index.html")
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    places = [page.index(name) for name in ("c.mp4", "&lt;b&gt;.mp4", "a.mp4", "d.mp4")]
    assert places == sorted(places)
    assert 'href="b%20out.mp4"' in page
    assert "c_out.mp4" not in page
    assert "<b>" not in page


def test_json_has_the_same_in_the_same_order(tmp_path):
    write_index(rows(tmp_path), tmp_path / "index.json")
    films = json.loads((tmp_path / "index.json").read_text(encoding="utf-8"))["films"]
    assert [film["state"] for film in films] == ["failed", "done", "done", "skipped"]
    assert films[0]["output"] is None
    assert films[0]["visible_flicker_delta_e"] == {"before": None, "after": None}
    assert films[1]["visible_flicker_delta_e"] == {"before": 3.0, "after": 0.9}
