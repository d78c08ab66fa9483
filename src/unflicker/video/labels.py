"""Metadata and chapters that a file is given, and what of them its container does not keep."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from av.container import InputContainer

from unflicker.video import service_names
from unflicker.video.traits import Cut

_OF_THE_FILE = (
    "encoder", "major_brand", "minor_version", "compatible_brands", "duration", "handler_name",
    "vendor_id", "vendor", "metadatacreator", "lastkeyframetimestamp", "lasttimestamp",
    "canseektoend", "variant_bitrate", "id3v2_priv", "filename", "mimetype", "encoding",
    "company_name", "modification_date", "uid", "software",
)  # fmt: skip
"""Keys that describe the old file or the program that wrote it, and not the film."""
_BEGINNINGS = ("bps", "number_of_", "_statistics", "duration", "has", "product_", "toolkit_",
               "application_", "operational_", "generation_", "file_package_",
               "material_package_", "source_package_", "data_type", "track_name")  # fmt: skip
"""How other such keys begin: of Matroska's statistics, FLV and MXF."""
_SHOWN_KEYS = 6
_QUICKTIME = {
    "deu": "ger", "nld": "dut", "swe": "sve", "zho": "chi", "ell": "gre", "isl": "ice",
    "fre": "fra", "sqi": "alb", "fas": "per", "mkd": "mac", "hye": "arm", "kat": "geo",
    "bod": "tib", "mya": "bur", "msa": "may", "cze": "ces", "slo": "slk", "rum": "ron",
    "eus": "baq", "cym": "wel", "hrv": "hr ", "fao": "fo ", "srp": "sr ", "pan": "pa ",
}  # fmt: skip
"""Languages under the codes that FFmpeg's muxer of MOV knows; ISO 639-2 has two for some."""
_SAME = {**_QUICKTIME, "fra": "fra"}


@dataclass(frozen=True, kw_only=True)
class Labels:
    """What the muxer of a file was told about it, besides its streams' content."""

    metadata: tuple[tuple[str, str], ...] = ()
    """Of the file, the pictures and the other streams: key and value."""
    languages: tuple[tuple[str, str], ...] = ()
    """Streams in words, each with its language."""
    chapters: int = 0

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing that could be lost."""
        return not (self.metadata or self.languages or self.chapters)


def labels_of(*metadata: dict[str, str], chapters: int, streams: dict[str, str]) -> Labels:
    """The labels of a file.

    Args:
        metadata: Of the file, and of its streams.
        chapters: How many there are.
        streams: The language of each other stream, by its description.
    """
    pairs = [pair for one in metadata for pair in one.items() if _is_of_the_film(*pair)]
    return Labels(
        metadata=tuple(dict.fromkeys(pairs)),
        languages=tuple((what, code) for what, code in streams.items() if code not in ("", "und")),
        chapters=chapters,
    )


def lost_labels(told: Labels, back: InputContainer, *, container_format: str) -> tuple[str, ...]:
    """What a file does not give back of its labels, in words.

    Args:
        told: What its muxer was told.
        back: The file, read again.
        container_format: FFmpeg's name of its muxer.
    """
    found = {_plain(value) for _, value in _all_metadata(back)}
    missing = [
        key
        for key, value in told.metadata
        if _plain(value) not in found
        # PyAV does not show those of transport streams.
        and not (key in service_names.KEYS and container_format in ("mpegts", "m2ts"))
    ]
    codes = [_code(stream.metadata.get("language", "")) for stream in back.streams]
    parts = list(_missing_languages(told, codes))
    if told.chapters and len(back.chapters()) < told.chapters:
        parts.insert(0, "the chapter" if told.chapters == 1 else f"the {told.chapters} chapters")
    if missing:
        names = list(dict.fromkeys(key.lower() for key in missing))
        more = f" and {len(names) - _SHOWN_KEYS} more" if len(names) > _SHOWN_KEYS else ""
        parts.append(f"metadata ({', '.join(names[:_SHOWN_KEYS])}{more})")
    if not parts:
        return ()
    advice = "" if container_format == "matroska" else "; an output ending in .mkv keeps more"
    return (f"{container_format} does not store {', '.join(parts)}{advice}",)


def known_to(container_format: str, metadata: dict[str, str]) -> dict[str, str]:
    """A stream's metadata under the keys and codes that a container knows.

    Args:
        container_format: FFmpeg's name of the muxer.
        metadata: Of a stream.
    """
    known = dict(metadata)
    by_key = {key.lower(): value for key, value in metadata.items()}
    # MP4's name of a track is its title in all other containers, and in FFmpeg's muxers.
    if "name" in by_key and "title" not in by_key:
        known["title"] = by_key["name"]
    if container_format == "mov" and "language" in known:
        known["language"] = _QUICKTIME.get(known["language"], known["language"])
    return known


def cut_chapters(chapters: list[Any], *, cut: Cut | None) -> list[Any]:
    """The chapters that overlap the selected part, clipped to it and shifted.

    Args:
        chapters: As PyAV has them.
        cut: The selected part; None for all of the film.
    """
    if cut is None:
        return chapters
    kept = []
    for chapter in chapters:
        base = chapter["time_base"]
        start = max(chapter["start"], round(cut.start / base))
        end = chapter["end"]
        if cut.stop is not None:
            end = min(end, round(cut.stop / base))
        if start < end:
            shift = round(cut.shift / base)
            kept.append({**chapter, "start": start - shift, "end": end - shift})
    return kept


def repeats_chapters(stream: Any, source: InputContainer) -> bool:
    """Whether a text track only repeats the chapters, as players of QuickTime read them.

    Args:
        stream: Of the source; it is read.
        source: Opened for reading.
    """
    chapters = source.chapters()
    context = stream.codec_context
    if not chapters or context is None or context.name != "mov_text":
        return False
    told = {(_seconds(one["start"], one["time_base"]), _title(one)) for one in chapters}
    texts = set()
    for packet in source.demux(stream):
        if packet.size > 2 and packet.pts is not None:
            content = bytes(packet)
            text = content[2 : 2 + int.from_bytes(content[:2], "big")]
            texts.add((_seconds(packet.pts, packet.time_base), text.decode(errors="replace")))
        if len(texts) > len(told):
            break
    source.seek(0)
    return bool(texts) and texts <= told


def _title(chapter: Any) -> str:
    return chapter["metadata"].get("title", "")


def _seconds(ticks: int, unit: Fraction | None) -> float:
    return round(float(ticks * (unit or 1)), 1)


def _missing_languages(told: Labels, codes: list[str]) -> Iterator[str]:
    left = list(codes)
    for what, code in told.languages:
        if _code(code) in left:
            left.remove(_code(code))
        else:
            yield f"the language of {what} ({code})"


def _code(language: str) -> str:
    """One code for each language that has two."""
    return _SAME.get(language, language)


def _is_of_the_film(key: str, value: str) -> bool:
    name = key.lower()
    noise = name in _OF_THE_FILE or name.startswith(_BEGINNINGS) or name == "language"
    # MP4 repeats such keys with a language.
    return bool(value.strip()) and not noise and not re.search(r"-[a-z]{3}$", name)


def _all_metadata(container: InputContainer) -> Iterator[tuple[str, str]]:
    yield from container.metadata.items()
    for stream in container.streams:
        yield from stream.metadata.items()


def _plain(value: str) -> str:
    """A value for comparison: numbers without their last zeros, times without parts of a second."""
    words = re.sub(r"(\d+\.\d*?)0+(?=\D|$)", r"\1", value.strip().lower())
    return re.sub(r"\.(?=\D|$)", "", re.sub(r"(:\d\d)\.\d+", r"\1", words))
