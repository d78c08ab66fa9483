"""A run that reads or writes a stream: `unflicker - -o -`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from unflicker.cli.batch import one_film
from unflicker.cli.config import is_asked
from unflicker.cli.display import shown
from unflicker.cli.interrupt import Stop
from unflicker.cli.messages import Talk
from unflicker.cli.values import pairs
from unflicker.errors import UsageError
from unflicker.files.outputs import Written, companions, named
from unflicker.progress import Report
from unflicker.settings import Settings

if TYPE_CHECKING:
    from unflicker.rendering.options import RunOptions
    from unflicker.rendering.pipes import Piped
    from unflicker.video.raw_stream import PipeBytes, Sink

STREAM = "-"
_NEEDS_FILES = ("report", "sheet", "checksums", "events", "skip_existing", "dry_run")
_AT_HOME = ("work_dir", "keep_work", "listed", "recursive")
_FOR_PICTURES = ("fps", "order")
_FOR_STREAMS = ("tags", "latency_seconds")


def is_piped(names: Sequence[str], output: str | None) -> bool:
    """Whether a call reads or writes a stream.

    Args:
        names: The films.
        output: Where the result goes.
    """
    return STREAM in names or output == STREAM


def refuse_stream_options(given: dict[str, Any]) -> None:
    """Refuse options for streams where none is read.

    Raises:
        UsageError: There are some.
    """
    if any(given.get(name) for name in _FOR_STREAMS):
        raise UsageError("--tag and --latency-seconds are for a stream; name - as the film")


def run_piped(
    names: Sequence[str],
    given: dict[str, Any],
    *,
    settings: Settings,
    options: RunOptions,
    stop: Stop,
) -> None:
    """Run one film or stream into a film or stream.

    Args:
        names: The film; - for standard input.
        given: Values of the options, by name.
        settings: Of the run.
        options: Of the run.
        stop: Whether the user asked to stop.
    """
    source, target = _checked(names, given)
    talk = _talk(source, target, given, settings=settings, stop=stop)
    with one_film(source, target) as done:
        with shown(talk, title=source) as report:
            piped = _piped(source, target, given, settings, options, report)
        done.frames = piped.frames
    for note in piped.notes:
        talk.note(note, film=source)
    ahead = f", read {piped.latency_frames} ahead" if source == STREAM else ""
    talk.say(f"{piped.frames} frames{ahead}")
    if target != STREAM:
        click.echo(target)


def _piped(
    source: str,
    target: str,
    given: dict[str, Any],
    settings: Settings,
    options: RunOptions,
    report: Report,
) -> Piped:
    from unflicker.rendering.pipes import PipeOptions, pipe
    from unflicker.video import StreamTags

    tags = StreamTags.of(dict(pairs(given.get("tags") or (), flag="--tag")))
    return pipe(
        _standard_input() if source == STREAM else Path(source),
        _standard_output() if target == STREAM else Path(target),
        settings=settings,
        options=options,
        stream=PipeOptions(tags=tags, latency_seconds=given.get("latency_seconds")),
        progress=report,
    )


def _talk(
    source: str, target: str, given: dict[str, Any], *, settings: Settings, stop: Stop
) -> Talk:
    from unflicker.video.picture_order import is_pattern, place_of

    reads = {name: given.get(name) for name in ("mask", "original", "plan")}
    films = named("the film", *([] if source == STREAM else [source]))
    results = (
        []
        if target == STREAM
        else [Written(path=place_of(Path(target)), what="the result", folder=is_pattern(target))]
    )
    return Talk.of(given, stop=stop, reads=[*films, *companions(settings, **reads)], writes=results)


def _checked(names: Sequence[str], given: dict[str, Any]) -> tuple[str, str]:
    """The one film and its result."""
    if len(names) > 1 or given.get("listed"):
        raise UsageError(
            f"a stream has one film, and {len(names)} were named; run the others without -"
        )
    if given["output"] is None:
        raise UsageError("a stream has no name to derive the result's from; pass -o -, or -o FILE")
    unread = (*_NEEDS_FILES, *_AT_HOME, *(_FOR_PICTURES if names[0] == STREAM else ()))
    useless = [name for name in unread if given.get(name) and is_asked(name)]
    if useless:
        options = ", ".join(f"--{name.replace('_', '-')}" for name in useless)
        raise UsageError(f"{options}: not with a stream; write it to a film first, and run that")
    return names[0], given["output"]


def _standard_input() -> PipeBytes:
    from unflicker.video.raw_stream import PipeBytes

    if sys.stdin is None or sys.stdin.isatty():
        raise UsageError(
            "standard input is a terminal; pipe y4m into it: "
            "ffmpeg -i film.mp4 -f yuv4mpegpipe -strict -1 - | unflicker - -o -"
        )
    return PipeBytes(sys.stdin.fileno())


def _standard_output() -> Sink:
    if sys.stdout.isatty():
        raise UsageError("standard output is a terminal; pipe it: unflicker … -o - | x264 …")
    return sys.stdout.buffer
