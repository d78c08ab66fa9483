"""What the result of a film lacks or has otherwise than its source, in words."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from av.codec.codec import Codec

from unflicker.errors import OutputError
from unflicker.frames.picture import Frame
from unflicker.video.encoders import Candidate, keeps_hdr
from unflicker.video.encoding import VideoFormat
from unflicker.video.picture_metadata import family, has_profile, not_carried
from unflicker.video.pixel_formats import stored_format
from unflicker.video.source import VideoSource
from unflicker.video.traits import UNSPECIFIED, Traits

_NO_TIME_BELOW_ZERO = ("mpegts", "m2ts", "flv", "nut", "mpeg")
_SAFE_START_SECONDS = 0.7
_NO_ROTATION = ("avi", "mpegts", "m2ts", "flv", "mxf", "mpeg", "nut", "asf")
_FOR_ALL = ("mp4", "ipod", "3gp")
"""Containers of films that browsers and telephones are expected to show."""
_CINEMA_KINDS = ("exr", "dpx")
_LOOKED_AT = 48
"""Pictures of a folder that are looked at for what cannot be carried over."""
_USUAL_PRIMARIES = (1, 5, 6)
"""Those of BT.709 and BT.601, by FFmpeg's numbers."""
_WHOLE_MILLISECONDS = ("matroska", "webm", "flv", "asf")


@dataclass(frozen=True, kw_only=True)
class Differences:
    """Differences between a result and its source, for the user."""

    changes: tuple[str, ...] = ()
    """What is stored in another way."""
    losses: tuple[str, ...] = ()
    """What the result lacks."""

    @property
    def notes(self) -> tuple[str, ...]:
        """All of them, each once."""
        return tuple(dict.fromkeys((*self.changes, *self.losses)))

    def and_also(self, *, changes: tuple[str, ...], losses: tuple[str, ...]) -> Differences:
        """These and others.

        Args:
            changes: Other changes.
            losses: Other losses.
        """
        return Differences(changes=(*self.changes, *changes), losses=(*self.losses, *losses))


def changed(
    film: VideoSource, form: VideoFormat, *, wanted: Candidate, first: Frame
) -> tuple[str, ...]:
    """What a format stores in another way than the film.

    Args:
        film: The source.
        form: How it is encoded.
        wanted: The encoder that fits the film best.
        first: Its first frame.
    """
    traits, candidate, kind = film.traits, form.candidate, form.container_format
    height, width = film.size
    notes = []
    if candidate.encoder != wanted.encoder:
        notes.append(
            f"{wanted.encoder} cannot hold {stored_name(film)} at {width}x{height} "
            f"in {kind}; {candidate.encoder} is used instead"
        )
    elif _is_another_codec(film, form):
        notes.append(
            f"the film's {traits.codec} is written as {_codec_of(candidate.encoder)} "
            f"({candidate.encoder}); --codec chooses another"
        )
    if candidate.converts:
        notes.append(
            f"the film's {stored_name(film)} is converted to {candidate.pixel_format}, "
            f"which {candidate.encoder} takes"
        )
    if traits.lossless and form.settings.crf is None and kind in _FOR_ALL:
        notes.append(
            f"the film is lossless, and so is its result ({candidate.encoder}), which few players "
            "and no browser show; --codec libx264 --crf 12 makes one that they show"
        )
    return (*notes, *_moved_times(film, form, first))


def _is_another_codec(film: VideoSource, form: VideoFormat) -> bool:
    """Whether a film's own codec is not written, without a request for another."""
    own = film.traits.codec
    if not own or form.settings.codec:
        return False
    decoded = Codec(own, "r").canonical_name
    return decoded != _codec_of(form.candidate.encoder)


def _codec_of(encoder: str) -> str:
    """FFmpeg's name of what an encoder writes."""
    return Codec(encoder, "w").canonical_name


def _moved_times(film: VideoSource, form: VideoFormat, first: Frame) -> list[str]:
    """What becomes of times that the container cannot hold."""
    traits, kind, notes = film.traits, form.container_format, []
    early = first.seconds < _SAFE_START_SECONDS and not _same_container(film, form.target)
    if early and kind in _NO_TIME_BELOW_ZERO:
        notes.append(
            f"{kind} has no room before time 0: pictures and sound "
            "together may begin some hundredths of a second later"
        )
    if form.counted and traits.time_base * film.rate != 1:
        notes.append(
            f"{form.candidate.encoder} in {kind} counts frames at one rate; times are rounded to it"
        )
    unit = traits.time_base * 1000
    if kind in _WHOLE_MILLISECONDS and unit.denominator != 1:
        notes.append(f"{kind} keeps times in whole milliseconds; they are rounded")
    return notes


def lost(film: VideoSource, form: VideoFormat) -> tuple[str, ...]:
    """What encoder and container of a format cannot keep of the film.

    Args:
        film: The source.
        form: How it is encoded.
    """
    traits, candidate = film.traits, form.candidate
    notes = [f"{what} cannot be carried over and will be missing" for what in traits.uncarried]
    if (traits.mastering or traits.light_level) and not keeps_hdr(candidate.encoder):
        notes.append(f"{candidate.encoder} does not store the HDR10 mastering data; it is lost")
    if traits.display_matrix and form.container_format in _NO_ROTATION:
        notes.append(
            f"{form.container_format} does not store the rotation on display; "
            "name an output that ends in .mp4, .mov or .mkv to keep it"
        )
    if film.layout.alpha and not stored_format(candidate.pixel_format).layout.alpha:
        notes.append(f"{candidate.encoder} does not store transparency; it is lost")
    if any(has_profile(path) for path in traits.pictures[:1]):
        notes.append("a film has no room for the pictures' colour profile; it is lost")
    return (*notes, *_above_white(traits))


def lost_in_pictures(film: VideoSource, target: Path | None) -> tuple[str, ...]:
    """What pictures cannot keep of a film.

    Args:
        film: The source.
        target: The pattern of their names, or the TIFF that they become pages of; None if they
            have the source's names.
    """
    traits = film.traits
    if not traits.pictures:
        assert target is not None
        return _lost_of_a_film(film, target)
    kinds = {family(path) for path in traits.pictures}
    kind = family(target) if target is not None else ""
    if kind and kinds != {kind}:
        few = "text, exposure data and other metadata"
        if kind in _CINEMA_KINDS and any(has_profile(path) for path in traits.pictures[:1]):
            few = "the colour profile, text, exposure data and other metadata"
        notes = (f"{few} of {_named(kinds)} pictures are not carried into {kind.upper()}",)
        return (*notes, *(() if kind == "exr" else _above_white(traits)))
    paths = list(dict.fromkeys(traits.pictures))
    last = len(paths) - 1
    looked = {paths[last * at // (_LOOKED_AT - 1)] for at in range(_LOOKED_AT)}
    found = (what for path in sorted(looked) for what in not_carried(path))
    return tuple(f"{what} cannot be carried over" for what in dict.fromkeys(found))


def _lost_of_a_film(film: VideoSource, target: Path) -> tuple[str, ...]:
    """What pictures lack of a video file."""
    kind, tags = family(target), film.traits.tags
    notes = ["pictures have no times, sound or subtitles; those of the film are not in them"]
    if film.layout.alpha and kind == "jpg":
        notes.append("JPEG does not store transparency; it is lost")
    if film.layout.depth > 8 and kind == "jpg":
        notes.append(f"JPEG stores 8 bits; the film's {film.layout.depth} are rounded")
    named = UNSPECIFIED not in (tags.primaries, tags.transfer)
    if kind in ("tif", "jpg", "dpx") and named and tags.primaries not in _USUAL_PRIMARIES:
        notes.append(f"{kind.upper()} does not store the film's colour tags; they are lost")
    return tuple(notes)


def _above_white(traits: Traits) -> tuple[str, ...]:
    if traits.light is None:
        return ()
    return ("light above white (1 in OpenEXR, code 685 of film density) is clipped to white",)


def _named(kinds: set[str]) -> str:
    return " and ".join(sorted(kind.upper() for kind in kinds))


def stored_name(film: VideoSource) -> str:
    """The film's pixel format, or its layout in words, for messages."""
    return film.traits.pixel_format or f"{film.layout.depth}-bit {film.layout.family}"


def _same_container(film: VideoSource, target: Path) -> bool:
    path = film.traits.path
    return path is not None and path.suffix.lower() == target.suffix.lower()


def refuse_losses(losses: tuple[str, ...], *, strict: bool) -> None:
    """Refuse a strict run whose result would lack something of the film.

    Args:
        losses: What it would lack.
        strict: Whether the run is strict.

    Raises:
        OutputError: It is, and something would be lost.
    """
    if losses and strict:
        raise OutputError(
            f"the result would lack something of the film: {'; '.join(losses)}; "
            "name another kind of output, or omit --strict"
        )
