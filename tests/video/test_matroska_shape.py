"""The shape of pixels in Matroska and WebM, and that the file around it stays right."""

import io
import zlib
from fractions import Fraction
from pathlib import Path

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_films import make_film

from unflicker.settings import EncodingSettings
from unflicker.video import open_video, open_writer
from unflicker.video.matroska_shape import store_pixel_shape


def element(data: bytes, at: int) -> tuple[int, int, int]:
    """Name, and where the content begins and ends."""
    first = next(n for n in range(8) if data[at] & 0x80 >> n) + 1
    sized = at + first
    second = next(n for n in range(8) if data[sized] & 0x80 >> n) + 1
    size = int.from_bytes(data[sized : sized + second], "big") - (1 << (7 * second))
    content = sized + second
    return int.from_bytes(data[at:sized], "big"), content, content + size


def inside(data: bytes, start: int, end: int) -> list[tuple[int, int, int]]:
    found, at = [], start
    while at < end:
        found.append(element(data, at))
        at = found[-1][2]
    assert at == end
    return found


def check(path: Path) -> None:
    """Places in the index, sizes and checksums agree with what is there."""
    data = path.read_bytes()
    _, segment, end = element(data, element(data, 0)[2])
    parts = inside(data, segment, end)
    for name, start, stop in parts:
        if data[start] == 0xBF:
            told = int.from_bytes(data[start + 2 : start + 6], "little")
            assert zlib.crc32(data[start + 6 : stop]) == told, hex(name)
    index = next(part for part in parts if part[0] == 0x114D9B74)
    seeks = [part for part in inside(data, index[1], index[2]) if part[0] == 0x4DBB]
    assert seeks
    for _, start, stop in seeks:
        values = {n: data[a:b] for n, a, b in inside(data, start, stop)}
        place = segment + int.from_bytes(values[0x53AC], "big")
        assert data[place : place + len(values[0x53AB])] == values[0x53AB]


def anamorphic(path: Path, shape: Fraction, *, sound: bool) -> Path:
    def prepare(container, stream):
        stream.codec_context.sample_aspect_ratio = shape
        container.metadata["title"] = "wide"
        if not sound:
            return None
        made = container.add_stream("libopus", rate=48_000)
        made.codec_context.layout = "mono"

        def play(container):
            frame = av.AudioFrame(format="flt", layout="mono", samples=960)
            frame.sample_rate, frame.pts, frame.time_base = 48_000, 0, Fraction(1, 48_000)
            for plane in frame.planes:
                plane.update(bytes(plane.buffer_size))
            container.mux(made.encode(frame))
            container.mux(made.encode(None))

        return play

    return make_film(path, size=(64, 96), prepare=prepare)


@pytest.mark.parametrize("shape", [Fraction(16, 11), Fraction(8, 9), Fraction(4, 3), Fraction(2)])
@pytest.mark.parametrize("sound", [False, True])
@pytest.mark.parametrize(
    ("codec", "ending"),
    [
        ("ffv1", "mkv"), ("libvpx-vp9", "mkv"), ("libvpx-vp9", "webm"), ("libsvtav1", "mkv"),
        ("libx264", "mkv"),
    ],
)  # fmt: skip
def test_the_shape_of_pixels_comes_back(tmp_path, codec, ending, sound, shape):
    source = anamorphic(tmp_path / "film.mkv", shape, sound=sound)
    target = tmp_path / f"result.{ending}"
    film = open_video(source)
    assert film.traits.sample_aspect == shape
    with open_writer(film, target, encoding=EncodingSettings(codec=codec)) as writer:
        assert not any("shape" in loss for loss in writer.losses)
        for frame in film.frames():
            writer.write(frame)
    check(target)
    with av.open(str(target)) as result:
        found = result.streams.video[0].sample_aspect_ratio
        assert abs(found / shape - 1) * 96 <= (1 if ending == "webm" else 0)
        assert result.metadata["title"] == "wide"
        assert len(list(result.decode(video=0))) == 10
        assert len(result.streams.audio) == sound


def test_square_pixels_leave_the_file_as_it_is(tmp_path):
    source = make_film(tmp_path / "film.mkv")
    with open_writer(open_video(source), tmp_path / "result.mkv") as writer:
        for frame in open_video(source).frames():
            writer.write(frame)
    check(tmp_path / "result.mkv")
    assert b"\x54\xb0" not in (tmp_path / "result.mkv").read_bytes()[:1000]


@given(content=st.binary(max_size=300), cut=st.integers(0, 2000))
def test_files_of_another_make_are_left_alone(content, cut, tmp_path_factory):
    folder = tmp_path_factory.mktemp("shape")
    whole = make_film(folder / "film.mkv").read_bytes()
    for data in (content, whole[:cut] + content):
        file = io.BytesIO(data)
        if not store_pixel_shape(file, Fraction(4, 3), as_ratio=True):
            assert file.getvalue() == data
        else:
            assert len(file.getvalue()) == len(data)
