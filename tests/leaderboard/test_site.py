"""The site: written where it should be, needs nothing, escapes names, says what was left out."""

import json
import re

import pytest
from made_scores import flickering, line, made_lines, write_lines, write_video

from unflicker.errors import Cancelled, InputError
from unflicker.leaderboard import write_site
from unflicker.leaderboard.viewing import worst_moment

OUTSIDE = re.compile(r"https?:|//[a-z]|@import|url\((?!#)", re.IGNORECASE)


def links(html):
    return re.findall(r'(?:src|href|value)="([^"#]*)"', html)


def without_namespaces(html):
    return re.sub(r'xmlns(:xlink)?="[^"]*"|<!DOCTYPE svg[^>]*>', "", html)


def read(site, name="index.html"):
    return (site / "report" / name).read_text(encoding="utf-8")


def test_tables_plots_and_pages_lie_where_they_are_looked_for(site):
    for place in (
        "tables/leaderboard_made.md",
        "tables/leaderboard_made.csv",
        "tables/leaderboard_made.tex",
        "tables/kind_made_psnr.md",
        "tables/cost.csv",
        "tables/scores.csv",
        "report/index.html",
        "report/clips/apple__bands.html",
        "report/plots/quality_against_speed_made.svg",
        "report/plots/quality_against_speed_made.png",
    ):
        assert (site / place).stat().st_size > 100, place


def test_no_page_asks_for_anything_from_outside(site):
    for name in ("index.html", "clips/apple__bands.html"):
        assert not OUTSIDE.findall(without_namespaces(read(site, name)))


def test_a_link_outside_would_be_noticed():
    assert OUTSIDE.findall(without_namespaces('<img src="https://example.org/x.png">'))


def test_every_link_leads_to_a_file(site):
    for name in ("index.html", "clips/apple__bands.html"):
        page = site / "report" / name
        found = [link for link in links(read(site, name)) if "." in link and "/" in link]
        assert found
        for link in found:
            assert (page.parent / link).exists(), link


def test_the_page_says_who_wins_and_shows_all_numbers(site):
    html = read(site)
    assert "unflicker fast comes first" in html
    for text in ("37.0", "32.0", "histogram", "unflicker evaluate DATA", "bootstrap"):
        assert text in html


def test_a_clip_page_has_all_videos_and_curves(site):
    html = read(site, "clips/apple__bands.html")
    for name in ("input", "histogram", "fast", "truth"):
        assert f"../../videos/apple__bands/{name}.mp4" in html
    assert html.count("<polyline") == 4 + 3  # light of all, error of all but the truth
    assert "frame 5" in html


def test_the_numbers_of_a_clip_have_the_best_first_the_input_last_and_no_column_twice(site):
    table = read(site, "clips/apple__bands.html").split("Numbers of this example")[1]
    places = [table.index(f">{name}<") for name in ("unflicker fast", "histogram", "input")]
    assert places == sorted(places)
    assert table.split("<tbody")[0].count(">sharpness ") == 1


def test_examples_without_videos_have_no_page_but_their_numbers(site):
    assert not (site / "report/clips/dance__bands.html").exists()
    assert "dance/bands" in read(site)


def test_names_are_escaped(tmp_path):
    bad = "<script>alert(1)</script>"
    lines = [
        {**entry, "method": bad if entry["method"] == "histogram" else entry["method"],
         "example": entry["example"].replace("apple", '"><i>apple'), "machine": "<b>two"}
        for entry in made_lines()
    ]  # fmt: skip
    html = write_site(write_lines(tmp_path, lines)).read_text()
    assert "<script>alert" not in html
    assert "<i>apple" not in html
    assert "<b>two" not in html
    assert "&lt;script&gt;alert(1)" in html


def test_method_names_are_escaped_in_plots(tmp_path):
    lines = made_lines({"input": 26.0, "<i>x": 30.0, "fast": 36.0})
    costs = [line("<i>x", "apple/bands", "cost", {"seconds_a_frame": 0.1})]
    write_site(write_lines(tmp_path, [*lines, *costs]))
    assert "<i>x" not in (tmp_path / "report/index.html").read_text()


def test_failures_and_reductions_stand_at_the_end(measured):
    with (measured / "scores.jsonl").open("a") as file:
        file.write('{"method": "lai", "example": "apple/bands", "set": "failed", "values": {},')
        file.write(' "error": "no weights"}\nbroken\n')
    (measured / "run.json").write_text('{"left_out": {"convlstm": "no weights", "fast": "old"}}')
    html = write_site(measured).read_text()
    assert "ConvLSTM: no weights" in html
    assert "unflicker fast: old" not in html
    assert "Lai 2018: apple/bands (no weights)" in html
    assert "could not be read" in html


def test_runs_of_two_folders_become_one_site_elsewhere(measured, tmp_path, real_film):
    other = write_lines(tmp_path / "other", [real_film])
    index = write_site(tmp_path / "both", measured, other)
    assert index == tmp_path / "both/report/index.html"
    html = index.read_text()
    assert "Synthetic flicker" in html
    assert "Real film" in html
    page = (tmp_path / "both/report/clips/apple__bands.html").read_text()
    assert "../../../out/videos/apple__bands/fast.mp4" in page


def test_without_videos_and_with_real_film_alone_there_is_a_page(tmp_path, real_film):
    html = write_site(write_lines(tmp_path, [real_film])).read_text()
    assert "On real film, unflicker fast comes first: 70\u00a0% of the flicker removed" in html


def test_scores_of_the_input_alone_are_refused(tmp_path):
    lines = [entry for entry in made_lines() if entry["method"] == "input"]
    with pytest.raises(InputError, match="--methods"):
        write_site(write_lines(tmp_path, lines))


def test_the_same_scores_give_the_same_page(site):
    before = read(site)
    write_site(site)
    assert read(site) == before


def test_it_can_be_stopped(measured):
    def stop(_):
        raise Cancelled("enough")

    with pytest.raises(Cancelled):
        write_site(measured, report=stop)


@pytest.mark.parametrize("with_truth", [True, False])
def test_the_worst_moment_is_where_the_light_jumps(with_truth):
    truth = flickering() if with_truth else None
    assert abs(worst_moment(flickering(jump_at=5), truth) - 5) <= with_truth


@pytest.mark.parametrize("frames", [1, 2, 3])
def test_the_shortest_videos_have_a_page(measured, frames):
    for path in (measured / "videos").rglob("*.mp4"):
        path.unlink()
        write_video(flickering(frames=frames), path)
    write_site(measured)
    assert "<polyline" in read(measured, "clips/apple__bands.html")


def test_simulated_flicker_has_a_board_and_a_page_of_its_own(tmp_path):
    lines = []
    for entry in made_lines():
        kind = {"exposure": "lamps", "bands": "drift"}[entry["kind"]]
        name = f"{entry['clip']}/{kind}"
        changed = {**entry, "category": "simulated", "kind": kind, "example": name}
        if entry["set"] == "fidelity":
            changed["values"] = {**entry["values"], "level_free_psnr": entry["values"]["psnr"] + 1}
        lines.append(changed)
    html = write_site(write_lines(tmp_path, lines)).read_text()
    assert "On simulated flicker, unflicker fast comes first" in html
    table = (tmp_path / "tables" / "leaderboard_simulated.md").read_text()
    assert "| unflicker fast | **38.0** | **37.0** |" in table
    assert (tmp_path / "tables" / "kind_simulated_level_free_psnr.md").exists()
    assert (tmp_path / "report" / "plots" / "quality_against_speed_simulated.svg").exists()


def addresses(html):
    """Places in a page that can be linked to, plots' own left out."""
    ids = re.findall(r'id="([^"]+)"', html)
    return [each for each in ids if not re.fullmatch(r"[mp][0-9a-f]{10}", each)]


@pytest.mark.parametrize("better", [30.0, 40.0])
def test_addresses_stay_when_scores_change_and_each_anchor_is_there(tmp_path, better):
    pages = []
    for name, decibels in (("before", 36.0), ("after", better)):
        lines = made_lines({"input": 26.0, "histogram": 32.0, "fast": decibels})
        html = write_site(write_lines(tmp_path / name, lines)).read_text()
        pages.append(addresses(html))
        assert len(set(addresses(html))) == len(addresses(html))
        assert set(re.findall(r'href="#([^"]+)"', html)) <= set(re.findall(r'id="([^"]+)"', html))
        found = sorted(
            p.relative_to(tmp_path / name) for p in (tmp_path / name / "tables").iterdir()
        )
        pages.append([str(path) for path in found])
    assert pages[:2] == pages[2:]
    assert "leaderboard_made" in pages[0]


def test_the_page_tells_command_machine_versions_and_date(tmp_path):
    run = {
        "command": "unflicker evaluate DATA --quick",
        "date": "2031-02-03T04:05:06+00:00",
        "machine": "an abacus, 2 cores",
        "versions": {"python": "3.99.1", "numpy": "7.8.9"},
    }
    write_lines(tmp_path, made_lines())
    (tmp_path / "run.json").write_text(json.dumps(run))
    html = write_site(tmp_path).read_text()
    for text in (run["command"], run["date"][:10], run["machine"], "3.99.1", "7.8.9"):
        assert text in html
