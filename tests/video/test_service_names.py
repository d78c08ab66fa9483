"""Names of broadcast services: read, written again, or named as lost before work starts."""

from pathlib import Path

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_films import make_film

from unflicker.video import open_video, open_writer
from unflicker.video.service_names import _text, services_of


def rewritten(source: Path, target: Path) -> tuple[str, ...]:
    film = open_video(source)
    with open_writer(film, target) as writer:
        for frame in film.frames():
            writer.write(frame)
    return writer.losses


def broadcast(path: Path, **names: str) -> Path:
    def prepare(container: av.container.OutputContainer, _: object) -> None:
        container.metadata.update(names)

    return make_film(path, prepare=prepare)


def pid_of(path: Path) -> int:
    with av.open(str(path)) as container:
        return container.streams.video[0].id


@pytest.mark.parametrize("ending", ["ts", "m2ts"])
@pytest.mark.parametrize("name", ["My Channel", "Ärzte & Co", "x" * 100])
def test_a_services_name_is_kept(tmp_path: Path, ending: str, name: str) -> None:
    source = broadcast(tmp_path / "film.ts", service_name=name, service_provider="Someone")
    target = tmp_path / f"result.{ending}"
    losses = rewritten(source, target)
    assert not any("service" in loss for loss in losses)
    found = services_of(target, pid=pid_of(target)).own
    assert found == {"service_name": name, "service_provider": "Someone"}


def test_in_matroska_it_is_metadata_and_mp4_says_that_it_is_lost(tmp_path: Path) -> None:
    source = broadcast(tmp_path / "film.ts", service_name="My Channel", service_provider="Someone")
    assert not any("service" in loss for loss in rewritten(source, tmp_path / "film.mkv"))
    with av.open(str(tmp_path / "film.mkv")) as container:
        assert container.metadata["SERVICE_NAME"] == "My Channel"
    losses = rewritten(source, tmp_path / "film.mp4")
    assert any("service_name, service_provider" in loss for loss in losses)


def test_what_ffmpeg_makes_up_is_no_name(tmp_path: Path) -> None:
    source = broadcast(tmp_path / "film.ts")
    assert services_of(source, pid=pid_of(source)).own == {}
    assert rewritten(source, tmp_path / "film.mp4") == ()


def section(table: int, number: int, body: bytes) -> bytes:
    """A section with its head; nobody here looks at its checksum."""
    length = len(body) + 9
    head = bytes([table, 0xB0 | length >> 8, length & 255, number >> 8, number & 255, 0xC1, 0, 0])
    return head + body + bytes(4)


def packets(pid: int, content: bytes) -> bytes:
    """Transport packets of a section, as many as it takes."""
    content, out, first = b"\0" + content, b"", 0x40
    while content:
        part, content = content[:184], content[184:]
        out += bytes([0x47, first | pid >> 8, pid & 255, 0x10]) + part.ljust(184, b"\xff")
        first = 0
    return out


def described(number: int, name: bytes, provider: bytes = b"P") -> bytes:
    text = bytes([1, len(provider)]) + provider + bytes([len(name)]) + name
    descriptor = bytes([0x48, len(text)]) + text
    return bytes([number >> 8, number & 255, 0xFC, 0x80, len(descriptor)]) + descriptor


def program(number: int, *pids: int) -> bytes:
    streams = b"".join(bytes([2, 0xE0 | pid >> 8, pid & 255, 0xF0, 0]) for pid in pids)
    return section(2, number, bytes([0xE1, 0, 0xF0, 0]) + streams)


@given(
    texts=st.lists(st.text("abcdefgh ", min_size=1, max_size=60), min_size=1, max_size=5),
    own=st.integers(0, 4),
)
def test_the_service_is_that_of_the_streams_program(texts, own, tmp_path_factory) -> None:
    own %= len(texts)
    place = tmp_path_factory.mktemp("names") / "film.ts"
    services = b"".join(described(at + 7, text.encode()) for at, text in enumerate(texts))
    tables = packets(0x11, section(0x42, 1, bytes([0, 1, 0xFF]) + services))
    for at in range(len(texts)):
        tables += packets(0x30 + at, program(at + 7, 0x100 + at, 0x200 + at))
    place.write_bytes(tables + 5 * packets(0x1FFF, b""))
    found = services_of(place, pid=0x200 + own)
    assert found.own["service_name"] == texts[own]
    others = [text for at, text in enumerate(texts) if at != own]
    assert found.others == tuple(others)


@given(content=st.binary(max_size=2000), start=st.binary(max_size=400))
def test_any_bytes_have_names_or_none(content, start, tmp_path_factory) -> None:
    place = tmp_path_factory.mktemp("names") / "film.ts"
    mark = packets(0x11, b"\x42" + start)
    place.write_bytes(3 * mark + content + packets(0x11, start))
    assert isinstance(services_of(place, pid=256).own, dict)


@pytest.mark.parametrize(
    ("coded", "text"),
    [
        (b"plain", "plain"),
        (b"\x01\xb5", "Е"),
        (b"\x10\x00\x02\xb1", "ą"),
        (b"\x15\xc3\xa4", "ä"),
        (b"\x11\x00a", "a"),
        (b"\x1f?", "?"),
        (b"", ""),
    ],
)
def test_text_is_read_in_its_own_coding(coded: bytes, text: str) -> None:
    assert _text(coded) == text
