"""Names of broadcast services in transport streams, which FFmpeg reads but PyAV does not show.

Source: ETSI EN 300 468 (service description table, coding of text), ISO/IEC 13818-1 (sections).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

KEYS = ("service_name", "service_provider")
"""Keys of metadata under which FFmpeg's muxer of transport streams takes them."""
_MADE_UP = {"service_name": "Service01", "service_provider": "FFmpeg"}
"""What FFmpeg's muxer writes for want of a name."""
_READ_BYTES = 4 << 20
"""Tables are repeated every two seconds at least."""
_SYNC, _PACKET = 0x47, 188
_DESCRIPTION = 0x0011
"""Packet identifier of the table of services."""
_PMT, _SDT = 0x02, 0x42
_SERVICE = 0x48
_ENCODINGS = {0x11: "utf-16-be", 0x13: "gb2312", 0x14: "utf-16-be", 0x15: "utf-8"}


@dataclass(frozen=True, kw_only=True)
class Services:
    """The broadcast services of a transport stream."""

    own: dict[str, str] = field(default_factory=dict)
    """Name and provider of the service that a stream belongs to, as metadata."""
    others: tuple[str, ...] = ()
    """Names of the services to which it does not belong."""


def services_of(path: Path, *, pid: int) -> Services:
    """The services of a file, read from its first tables.

    Args:
        path: A transport stream.
        pid: Packet identifier of one of its streams.
    """
    own, services = _tables(path, pid)
    names = {number: names.get(KEYS[0], str(number)) for number, names in services.items()}
    others = tuple(name for number, name in names.items() if number != own)
    return Services(own=services.get(own, {}), others=others)


def _tables(path: Path, pid: int) -> tuple[int, dict[int, dict[str, str]]]:
    """The number of a stream's service, or -1, and the names of all services by their numbers."""
    with path.open("rb") as file:
        content = file.read(_READ_BYTES)
    services: dict[int, dict[str, str]] = {}
    own = -1
    for where, section in _sections(content):
        if section[0] == _PMT and own < 0 and pid in _streams(section):
            own = _number(section, 3)
        elif section[0] == _SDT and where == _DESCRIPTION:
            services |= _services(section)
    if own < 0 and len(services) == 1:
        own = next(iter(services))
    return own, services


def _sections(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Whole sections of tables, each with its packet identifier."""
    step = _step(content)
    if step is None:
        return
    begun: dict[int, bytes] = {}
    for start in range(step - _PACKET, len(content) - _PACKET + 1, step):
        packet = content[start : start + _PACKET]
        if packet[0] != _SYNC:
            continue
        pid, control = _number(packet, 1) & 0x1FFF, packet[3] >> 4 & 3
        payload = packet[4 + (1 + packet[4] if control & 2 else 0) :] if control & 1 else b""
        if packet[1] & 0x40 and payload:
            first = 1 + payload[0]
            begun[pid] = payload[first:]
        elif pid in begun:
            begun[pid] += payload
        held = begun.get(pid, b"")
        length = 3 + (_number(held, 1) & 0xFFF) if len(held) > 2 else len(held) + 1
        if held[:3] == b"\0\0\1":  # not a table but a part of a film
            del begun[pid]
        elif len(held) >= length:
            yield pid, begun.pop(pid)[:length]


def _step(content: bytes) -> int | None:
    """Bytes from packet to packet; 192 with times before them."""
    for step in (_PACKET, _PACKET + 4):
        marks = content[step - _PACKET : 5 * step : step]
        if len(marks) >= 3 and set(marks) == {_SYNC}:
            return step
    return None


def _streams(section: bytes) -> set[int]:
    """Packet identifiers of a program's streams."""
    found, at = set[int](), 12 + (_number(section, 10) & 0xFFF)
    while at + 5 <= len(section) - 4:
        found.add(_number(section, at + 1) & 0x1FFF)
        at += 5 + (_number(section, at + 3) & 0xFFF)
    return found


def _services(section: bytes) -> dict[int, dict[str, str]]:
    """Names of services by their numbers, which are those of programs."""
    found: dict[int, dict[str, str]] = {}
    at = 11
    while at + 5 <= len(section) - 4:
        number, length = _number(section, at), _number(section, at + 3) & 0xFFF
        at, end = at + 5, min(at + 5 + length, len(section))
        while at + 2 <= end:
            kind, size = section[at], section[at + 1]
            if kind == _SERVICE:
                found[number] = _named(section[at + 2 : at + 2 + size])
            at += 2 + size
        at = end
    return found


def _named(descriptor: bytes) -> dict[str, str]:
    provider_bytes = descriptor[1] if len(descriptor) > 1 else 0
    provider = descriptor[2 : 2 + provider_bytes]
    rest = descriptor[2 + provider_bytes :]
    name = rest[1 : 1 + rest[0]] if rest else b""
    texts = {KEYS[0]: _text(name), KEYS[1]: _text(provider)}
    return {key: text for key, text in texts.items() if text and text != _MADE_UP[key]}


def _text(coded: bytes) -> str:
    """Text whose first byte may say how it is coded; else it is nearly Latin-1."""
    if not coded:
        return ""
    first = coded[0]
    if first >= 0x20:
        return coded.decode("latin-1")
    if first == 0x10:
        return _decoded(coded[3:], f"iso8859-{coded[2] if len(coded) > 2 else 1}")
    if first < 0x0C:
        return _decoded(coded[1:], f"iso8859-{first + 4}")
    return _decoded(coded[1:], _ENCODINGS.get(first, "latin-1"))


def _decoded(coded: bytes, encoding: str) -> str:
    try:
        return coded.decode(encoding, errors="replace")
    except LookupError:
        return coded.decode("latin-1")


def _number(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 2], "big")
