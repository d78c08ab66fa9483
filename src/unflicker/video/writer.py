"""Writing a film as its source was: tried before work starts, named when whole.

with open_writer(film, target) as writer:
    for frame in film.frames():
        writer.write(frame)

Frames are encoded in segments (`segments`). Segments that were made elsewhere, with the writer's
`format`, are appended with `join`.
"""

from __future__ import annotations

import io
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Protocol, runtime_checkable

from av.error import FFmpegError

from unflicker.errors import MissingError, OutputError, UsageError
from unflicker.files.parts import begin, discard, part_of
from unflicker.frames.picture import Frame
from unflicker.settings import EncodingSettings
from unflicker.video.encoder_options import (
    has_quality,
    needs_hardware,
    refuse_options,
)
from unflicker.video.encoders import AS_THE_SOURCE, Candidate, candidates
from unflicker.video.encoding import VideoFormat
from unflicker.video.losses import Differences, changed, lost, lost_in_pictures, stored_name
from unflicker.video.muxing import Muxer
from unflicker.video.picture_kinds import TIFF
from unflicker.video.picture_order import is_pattern, place_of
from unflicker.video.picture_writer import FolderFormat, FolderWriter, StackWriter
from unflicker.video.segments import OneAfterTheOther, SegmentFormat, SegmentWriter
from unflicker.video.side_plan import plan_side_streams
from unflicker.video.side_streams import Plan
from unflicker.video.source import VideoSource
from unflicker.video.target import (
    CONTAINERS,
    check_target,
    default_target,
    disk_error,
    is_picture_folder,
    planned_target,
    refuse_name,
    remove_remains,
    resolve_target,
    segment_of,
    settle,
)
from unflicker.video.trial import refuse_refused, trial

__all__ = [
    "Writer",
    "default_target",
    "is_picture_folder",
    "open_writer",
    "planned_target",
    "resolve_target",
]

_LOSSLESS_GROWTH = 0.4
"""Bytes a lossless encoder needs for each byte of raw video, cautiously."""
_TRIAL_FRAMES = 3
"""Frames encoded before work starts: enough to see whether times come back."""


@runtime_checkable
class Writer(SegmentWriter, Protocol):
    """An output during writing; a context manager, which names the output when it is complete."""

    notes: tuple[str, ...]
    """Differences between output and source, with reasons."""
    losses: tuple[str, ...]
    """Those of the notes that say what the output lacks."""
    incomplete: bool
    """Whether something damaged could not be copied; known at the end."""

    @property
    def format(self) -> SegmentFormat:
        """How its segments are encoded."""
        ...

    def __enter__(self) -> Writer:
        """Begin the output under its hidden name."""
        ...

    def join(self, place: Path) -> None:
        """Add the next segment, a complete one of this writer's format."""
        ...


def open_writer(
    film: VideoSource,
    target: Path,
    *,
    encoding: EncodingSettings = AS_THE_SOURCE,
    overwrite: bool = False,
) -> Writer:
    """A writer that mirrors a film's source; everything that can be checked is checked here.

    Args:
        film: The source of the frames that will be written.
        target: The final name; its suffix chooses the container. A pattern (`frames/%06d.png`), or
            for pictures a name without suffix, is a folder of pictures; .tif is one of pages.
        encoding: Encoder, quality and pixel format that differ from the source's.
        overwrite: Whether an existing output may be replaced.

    Raises:
        OutputError: It cannot be written there, or not in that kind of container.
        MissingError: The encoder asked for does not exist.
        UsageError: Encoder and pixel format do not go together.
    """
    target = Path(target)
    traits = film.traits
    source = traits.path or (traits.pictures[0].parent if traits.pictures else None)
    refuse_name(target)
    pictures = is_picture_folder(target, pictures=bool(traits.pictures))
    stack = target.suffix.lower() in TIFF and not pictures
    place = place_of(target)
    if traits.pages and not pictures:
        source = traits.pictures[0]
    check_target(place, source=source, overwrite=overwrite, needed_bytes=traits.bytes)
    if not pictures and not stack:
        return _open_video(film, target, settings=encoding, overwrite=overwrite)
    remove_remains(place)
    pattern = target.name if is_pattern(target) else ""
    form = FolderFormat.of(place, traits, pattern=pattern)
    losses = lost_in_pictures(film, target if pattern or stack else None)
    make = StackWriter if stack else FolderWriter
    return make(form, losses=losses, overwrite=overwrite)


def _open_video(
    film: VideoSource, target: Path, *, settings: EncodingSettings, overwrite: bool
) -> VideoWriter:
    suffix = target.suffix.lower()
    if suffix not in CONTAINERS:
        raise OutputError(
            f"no kind of video file ends in {suffix or 'nothing'!r} ({target}); "
            f"name one that ends in {', '.join(sorted(CONTAINERS))}"
        )
    form, pictures, differences = _first_that_works(film, settings=settings, target=target)
    plan, candidate = plan_side_streams(form, pictures=pictures), form.candidate
    needed = _estimated_bytes(film, candidate)
    check_target(target, source=film.traits.path, overwrite=overwrite, needed_bytes=needed)
    remove_remains(target)
    return VideoWriter(
        form,
        plan=plan,
        overwrite=overwrite,
        differences=differences.and_also(changes=plan.notes, losses=plan.losses),
    )


class VideoWriter:
    """Writes one video file; made by `open_writer`."""

    def __init__(
        self, form: VideoFormat, *, plan: Plan, overwrite: bool, differences: Differences
    ) -> None:
        """Prepare to write.

        Args:
            form: How segments are encoded, and the file to write.
            plan: What becomes of the source's other streams.
            overwrite: Whether an existing file may be replaced.
            differences: Between output and source.
        """
        self.notes, self.losses = differences.notes, differences.losses
        self.incomplete = False
        self.format = form
        self.encoder = form.candidate.encoder
        self.pixel_format = form.candidate.pixel_format
        self._target = form.target
        self._plan = plan
        self._overwrite = overwrite
        self._part = part_of(form.target)
        self._muxer: Muxer | None = None
        self._frames = OneAfterTheOther(self, segment_of(self._target))

    def __enter__(self) -> VideoWriter:
        """Open the hidden file."""
        try:
            begin(self._part)
            self._part.touch(exist_ok=False)
            self._muxer = Muxer(self.format, plan=self._plan, place=self._part)
        except BaseException as fault:
            discard(self._part)
            if isinstance(fault, (OSError, FFmpegError)):
                raise disk_error(self._target, fault) from fault
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Complete the file and name it, or remove it."""
        if self._muxer is None:
            return
        try:
            if kind is None:
                self._frames.finish()
                self._muxer.finish()
                self._note_refused(self._muxer.refused_packets)
        except BaseException as problem:
            kind = type(problem)
            if isinstance(problem, (OSError, FFmpegError)):
                raise disk_error(self._target, problem) from problem
            raise
        finally:
            muxer, self._muxer = self._muxer, None
            if kind is not None:
                self._frames.abandon()
                muxer.abandon()
                discard(self._part)
        if kind is None:
            settle(self._part, self._target, overwrite=self._overwrite)

    def write(self, frame: Frame) -> None:
        """Encode the next frame.

        Raises:
            OutputError: The disk is full or gone.
        """
        self._need_open()
        self._frames.write(frame)

    def join(self, place: Path) -> None:
        """Append a complete segment.

        Raises:
            OutputError: The disk is full or gone.
        """
        try:
            with place.open("rb") as segment:
                self._need_open().add(segment)
        except (OSError, FFmpegError) as fault:
            raise disk_error(self._target, fault) from fault

    def _note_refused(self, packets: int) -> None:
        if packets:
            self.incomplete = True
            self.notes += (
                f"{packets} {'packet' if packets == 1 else 'packets'} of sound or other streams "
                "could not be copied: they are damaged",
            )

    def _need_open(self) -> Muxer:
        if self._muxer is None:
            raise UsageError("the writer is closed; write inside its with-block")
        return self._muxer


def _first_that_works(
    film: VideoSource, *, settings: EncodingSettings, target: Path
) -> tuple[VideoFormat, io.BytesIO, Differences]:
    """The first format that the first frames come back from, a segment of them, and how it differs
    from the source."""
    kind = CONTAINERS[target.suffix.lower()]
    frames = list(islice(film.frames(), _TRIAL_FRAMES))
    forms = [
        VideoFormat.of(film, one, settings=settings, container_format=kind, target=target)
        for one in _allowed(film, kind, settings)
    ]
    faults = []
    for form in forms:
        segment = io.BytesIO()
        tried = trial(form, frames, segment)
        candidate = form.candidate
        if tried.fault is None:
            changes = changed(film, form, wanted=forms[0].candidate, first=frames[0])
            return (
                form,
                segment,
                Differences(changes=changes, losses=(*tried.lost, *lost(film, form))),
            )
        faults.append(f"{candidate.encoder} with {candidate.pixel_format}: {tried.fault}")
    refuse_refused(forms, frames)
    if forms and needs_hardware(forms[0].candidate.encoder):
        raise MissingError(
            f"this machine cannot run the encoder {forms[0].candidate.encoder} ({faults[0]}): its "
            "device or driver is missing; leave --codec away, or take one such as libx264"
        )
    height, width = film.size
    raise OutputError(
        f"{target.name} cannot hold this film ({width}x{height}, {stored_name(film)}): "
        f"{'; '.join(faults[:3]) or 'no encoder takes it'}; "
        "name an output that ends in .mkv, or choose --codec and --pix-fmt"
    )


def _allowed(film: VideoSource, kind: str, settings: EncodingSettings) -> list[Candidate]:
    """The candidates for which the user's options have a meaning."""
    found = candidates(film.traits, film.layout, container_format=kind, settings=settings)
    if not found:
        return []
    refuse_options(found[0].encoder, settings)
    if settings.options:
        # Options are an encoder's own: no other may take its place.
        found = [one for one in found if one.encoder == found[0].encoder]
    if settings.crf is not None:
        found = [one for one in found if has_quality(one.encoder)]
    return found


def _estimated_bytes(film: VideoSource, candidate: Candidate) -> int:
    """Approximate size of the output, to refuse a disk that is surely too small."""
    traits = film.traits
    if candidate.encoder != "ffv1" or traits.lossless or film.estimated_frames is None:
        return traits.bytes
    height, width = film.size
    sample = 1 if film.layout.depth == 8 else 2
    shift = sum(film.layout.chroma_shift)
    planes = film.layout.alpha + (1 if film.layout.family == "grey" else 1 + 2 / (1 << shift))
    raw = height * width * sample * planes * film.estimated_frames
    return max(traits.bytes, int(raw * _LOSSLESS_GROWTH))
