"""The command that runs a user study: study."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from unflicker.cli.help import Command, with_options
from unflicker.cli.interrupt import Stop
from unflicker.cli.messages import Talk
from unflicker.cli.options import serving_options
from unflicker.errors import PartlyFailedError, UsageError
from unflicker.files.outputs import Written, named, refuse_loss

if TYPE_CHECKING:
    from unflicker.study import Answers, Consent, Material, Plan

_FOLDER = click.Path(path_type=Path)
_FORMATS = ("table", "json", "csv", "answers", "paper", "latex")


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


@click.command(
    cls=Command, example="unflicker study evaluation/ --methods fast,paper   ·   … --results"
)
@click.argument("folder", type=_FOLDER, metavar="FOLDER")
@click.option("--methods", default="", metavar="NAME,NAME", help="Compare only these; else all.")
@click.option("--against", metavar="NAME", help="Only pairs with this method.")
@click.option(
    "--pairs-per-person",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    help="Pairs that each person is asked about.",
)
@click.option(
    "--checks",
    type=click.IntRange(min=0),
    default=2,
    show_default=True,
    help="Attention checks among them: questions with a known answer.",
)
@click.option(
    "--show-input",
    type=click.Choice(["key", "below", "none"]),
    default="key",
    show_default=True,
    help="The flickering video: while a key is held, below the pair, or not at all.",
)
@click.option(
    "--answers",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="File of the answers.  [default: FOLDER/study.sqlite]",
)
@click.option(
    "--consent",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="What participants agree to, one statement a line; else the usual.",
)
@click.option(
    "--contact", default="", metavar="TEXT", help="Who runs the study, on its first page."
)
@with_options(serving_options(port=8765, opens=False))
@click.option(
    "--name",
    "names",
    multiple=True,
    metavar="NAME",
    help="Name by which a proxy serves the page, as study.example.org; may be repeated.",
)
@click.option(
    "--bundle",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Write the study as a folder for any web host, and stop; answers come back as files.",
)
@click.option(
    "--sheets",
    type=click.IntRange(1, 2000),
    default=100,
    show_default=True,
    help="Of --bundle: lists of questions, one for each person.",
)
@click.option(
    "--post", default="", metavar="URL", help="Of --bundle: address that answers are sent to."
)
@click.option(
    "--add",
    "added",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Add answers to a bundle, a file or a folder of them; may be repeated.",
)
@click.option("--results", is_flag=True, help="Print the results so far, and stop.")
@click.option(
    "--format",
    "form",
    type=click.Choice(_FORMATS),
    default="table",
    show_default=True,
    help="Format of results; `answers` has a line for each answer, `paper` and `latex` the "
    "preference for one method (--against) by category.",
)
@click.option(
    "--attentive",
    is_flag=True,
    help="Exclude people who failed more than half of the checks.",
)
@click.option("-q", "--quiet", is_flag=True, help="Errors only.")
@click.pass_obj
def study(stop: Stop, folder: Path, **given: Any) -> None:
    """Run a user study: people choose in a browser, blind, which of two results they prefer.

    FOLDER is an output of `unflicker evaluate`, with videos/EXAMPLE/METHOD.mp4. Ctrl-C ends the
    study; the same command resumes it.
    """
    from unflicker.study import Answers, answers_file

    path = given["answers"] or answers_file(folder)
    talk = Talk.of(given, stop=stop)
    _refuse_mixed(given)
    if given["bundle"]:
        _bundle(folder, given=given, talk=talk)
        return
    faults = _add(folder, path, given=given, talk=talk) if given["added"] else []
    if given["results"]:
        click.echo(_told(Answers.existing(path), given))
    elif not given["added"]:
        _ask(folder, path, given=given, talk=talk)
    if faults:
        raise PartlyFailedError(f"{len(faults)} of the files were not added; the rest is")


def _refuse_mixed(given: dict[str, Any]) -> None:
    """Refuse options that belong to another use of the command."""
    if given["bundle"] and (given["results"] or given["added"]):
        raise UsageError("--bundle writes a study, --add and --results read one; use one of them")
    if given["post"] and not given["bundle"]:
        raise UsageError("--post belongs to --bundle: a study on a server keeps answers there")


def _add(folder: Path, path: Path, *, given: dict[str, Any], talk: Talk) -> list[str]:
    """Add returned answers; returns what is wrong with files that were not added."""
    from unflicker.study import Answers, add_returned, returned_files

    _refuse_material(folder, path)
    count, faults = add_returned(Answers(path), folder, returned_files(given["added"]))
    for fault in faults:
        talk.say(fault)
    talk.say(f"answers of {count} people added to {path}")
    return faults


def _bundle(folder: Path, *, given: dict[str, Any], talk: Talk) -> None:
    """Write the study as a folder of files."""
    from random import Random

    from unflicker.study import draw_sheets, write_key
    from unflicker.web.study.bundle import write_bundle

    material, plan, consent = _study_of(folder, given)
    sheets = draw_sheets(material, plan=plan, count=given["sheets"], chance=Random())
    out = given["bundle"]
    write_bundle(material, sheets, out, plan=plan, consent=consent, post=given["post"])
    key = write_key(folder, sheets)
    talk.say(f"{len(material.pairs)} pairs of {', '.join(material.methods)}")
    talk.say(f"keep {key}: only it says which method made which video")
    talk.say(f"answers that come back: unflicker study {folder} --add FILES --results")
    click.echo(out / "index.html")


def _study_of(folder: Path, given: dict[str, Any]) -> tuple[Material, Plan, Consent]:
    """Videos, questions and consent, as the options say."""
    from unflicker.study import Plan, read_consent, read_material

    methods = _names(given["methods"])
    material = read_material(folder, methods=methods, against=given["against"])
    plan = Plan(
        pairs=given["pairs_per_person"], checks=given["checks"], shown_input=given["show_input"]
    )
    return material, plan, read_consent(given["consent"], contact=given["contact"])


def _ask(folder: Path, path: Path, *, given: dict[str, Any], talk: Talk) -> None:
    """Serve the study until it is stopped."""
    from unflicker.study import Answers
    from unflicker.web.serving import address, bound, need_web, server_of

    need_web()
    from unflicker.web.study.server import study_app

    material, plan, consent = _study_of(folder, given)
    _refuse_material(folder, path)
    answers = Answers(path)
    with bound(given["host"], port=given["port"]) as listener:
        place = address(listener)
        talk.say(f"{len(material.pairs)} pairs of {', '.join(material.methods)}; answers in {path}")
        talk.say(f"results, for you alone: {place}results/{answers.owner}/")
        talk.say("Ctrl-C ends the study; the page for those who take part:")
        click.echo(place)
        if given["opens"]:
            click.launch(place)
        app = study_app(material, answers, plan=plan, consent=consent, hosts=_hosts(given))
        server_of(app).run(sockets=[listener])


def _hosts(given: dict[str, Any]) -> tuple[str, ...] | None:
    """Names under which the page may be called; None for any, on a network without names."""
    from unflicker.web.guard import LOOPBACK

    names = tuple(name.lower() for name in given["names"])
    return (*LOOPBACK, *names) if names or given["host"] in LOOPBACK else None


def _refuse_material(folder: Path, path: Path) -> None:
    """Refuse to keep answers in a file of the results."""
    places = [folder / "scores.jsonl", folder / "run.json", *folder.glob("videos/*/*")]
    written = Written(path=path, what="the file of answers", option="--answers", completes=True)
    refuse_loss(named("the results", *places), [written], overwrite=False)


def _told(answers: Answers, given: dict[str, Any]) -> str:
    from unflicker.study import as_csv, as_json, as_paper, as_table, raw_csv, results_of

    everything = answers.everything()
    if given["form"] == "answers":
        return raw_csv(everything).rstrip("\n")
    results = results_of(everything, attentive=given["attentive"])
    if given["form"] in ("paper", "latex"):
        latex = given["form"] == "latex"
        return as_paper(results, method=given["against"] or "", latex=latex).rstrip("\n")
    forms = {"table": as_table, "json": as_json, "csv": as_csv}
    return forms[given["form"]](results).rstrip("\n")
