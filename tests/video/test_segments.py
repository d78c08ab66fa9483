"""A film written in segments is the film: its frames, times and decoding times."""

from fractions import Fraction
from itertools import pairwise

import av
import pytest
from made_films import lengths, make_film, read, same_samples, seconds, worst_psnr

from unflicker.errors import InputError
from unflicker.settings import EncodingSettings
from unflicker.video import open_video, open_writer, segments
from unflicker.video.segment_file import packets, timings

UNEVEN = [0, 40, 70, 75, 130, 250, 251, 300, 380, 390, 470, 500, 510, 600, 640, 700, 745, 800]
EVEN = range(0, 1080, 40)
ENCODERS = [
    ("mp4", "libx264", "yuv420p", {}),
    ("mkv", "libx264", "yuv420p", {"bf": "6", "x264-params": "b-adapt=0:open-gop=1"}),
    ("mp4", "libx265", "yuv420p", {}),
    ("mkv", "libx265", "yuv420p10le", {"x265-params": "bframes=8"}),
    ("mov", "prores", "yuv422p10le", {}),
    ("mkv", "ffv1", "yuv420p", {}),
    ("ts", "libx264", "yuv420p", {}),
    ("ts", "mpeg2video", "yuv420p", {"bf": "2"}),
    ("mxf", "mpeg2video", "yuv422p", {}),
    ("avi", "mpeg4", "yuv420p", {}),
    ("avi", "libx264", "yuv420p", {}),
    ("webm", "libvpx-vp9", "yuv420p", {}),
    ("webm", "libvpx-vp9", "yuva420p", {}),
    ("mp4", "libsvtav1", "yuv420p", {}),
    ("mov", "png", "rgb24", {}),
]


def written(source, target, *, frames: int, monkeypatch, **encoding):
    """A film written again, in segments of so many frames."""
    monkeypatch.setattr(segments, "SEGMENT_FRAMES", frames)
    film = open_video(source)
    with open_writer(film, target, encoding=EncodingSettings(**encoding)) as writer:
        for frame in film.frames():
            writer.write(frame)
    return target


def packets_of(path) -> list[av.Packet]:
    with av.open(str(path)) as film:
        return [packet for packet in film.demux(video=0) if packet.size]


def alpha_of(packet: av.Packet) -> bytes:
    return bytes(packet.get_sidedata("matroska_block_additional"))


def due(path) -> list[tuple[int, int]]:
    """Decoding and presentation time of each packet, in order."""
    return [(packet.dts, packet.pts) for packet in packets_of(path)]


@pytest.mark.parametrize(("ending", "encoder", "pixels", "options"), ENCODERS)
@pytest.mark.parametrize("frames", [5, 6])
def test_each_encoder_is_joined_without_a_seam(
    tmp_path, monkeypatch, ending, encoder, pixels, options, frames: int
) -> None:
    """Five frames are fewer than many encoders look ahead; some segments then have one frame."""
    times = EVEN if ending in ("avi", "mxf", "ts") else UNEVEN
    stored = "bgr0" if pixels == "rgb24" else pixels
    source = make_film(
        tmp_path / "film.mkv", codec="ffv1", pixel_format=stored, times=times, size=(64, 96)
    )
    encoding = {"codec": encoder, "pix_fmt": pixels, "options": tuple(options.items())}
    target = tmp_path / f"out.{ending}"
    written(source, target, frames=frames, monkeypatch=monkeypatch, **encoding)
    before, after = read(source), read(target)
    assert len(after) == len(before)
    begins = seconds(after)[0] - seconds(before)[0]  # a transport stream may begin later
    off = [abs(b - a - begins) for a, b in zip(seconds(before), seconds(after), strict=True)]
    assert max(off) <= Fraction(1, 1000)
    assert worst_psnr(before, after) > 30
    order = due(target)
    if ending not in ("avi", "mkv", "webm"):  # which store no decoding times
        assert all(one[0] < other[0] for one, other in pairwise(order))
        assert all(decoded <= shown for decoded, shown in order)
    if pixels == "yuva420p":  # FFmpeg's own decoder does not show it
        assert all(alpha_of(packet) for packet in packets_of(target))


@pytest.mark.parametrize("ending", ["mp4", "mkv", "mov"])
@pytest.mark.parametrize("frames", [1, 2, 7, 17, 18, 19])
def test_where_borders_lie_has_no_effect_on_times(tmp_path, monkeypatch, ending, frames) -> None:
    source = make_film(tmp_path / f"film.{ending}", times=UNEVEN, options={"bf": "3", "g": "100"})
    target = written(source, tmp_path / f"out.{ending}", frames=frames, monkeypatch=monkeypatch)
    before, after = read(source), read(target)
    assert seconds(after) == seconds(before)
    if ending != "mkv":  # which rounds durations to milliseconds
        assert lengths(after) == lengths(before)


def test_lossless_segments_hold_the_same_samples(tmp_path, monkeypatch) -> None:
    source = make_film(tmp_path / "film.mkv", codec="ffv1", times=UNEVEN)
    target = written(source, tmp_path / "out.mkv", frames=4, monkeypatch=monkeypatch)
    assert same_samples(read(source), read(target))


@pytest.mark.parametrize("frames", [5, 240])
def test_the_same_film_becomes_the_same_file(tmp_path, monkeypatch, frames: int) -> None:
    for ending in ("mp4", "mkv", "mov", "avi", "ts"):
        source = make_film(tmp_path / f"film.{ending}", times=EVEN)
        for name in ("one", "two"):
            written(source, tmp_path / f"{name}.{ending}", frames=frames, monkeypatch=monkeypatch)
        one, two = (tmp_path / f"{name}.{ending}" for name in ("one", "two"))
        assert one.read_bytes() == two.read_bytes()


def test_a_segment_does_not_depend_on_those_before_it(tmp_path) -> None:
    source = make_film(tmp_path / "film.mp4", times=range(0, 1600, 40))
    film = open_video(source)
    form = open_writer(film, tmp_path / "out.mp4").format
    frames = list(film.frames())
    for name, before in (("alone", None), ("after", slice(0, 20))):
        if before is not None:
            with form.segment(tmp_path / "other") as segment:
                for frame in frames[before]:
                    segment.write(frame)
        with form.segment(tmp_path / name) as segment:
            for frame in frames[20:]:
                segment.write(frame)
    assert (tmp_path / "alone").read_bytes() == (tmp_path / "after").read_bytes()


def broken_off(form, place, frame) -> None:
    with form.segment(place) as segment:
        segment.write(frame)
        raise RuntimeError


def test_a_segment_is_whole_or_not_there(tmp_path) -> None:
    film = open_video(make_film(tmp_path / "film.mp4"))
    form = open_writer(film, tmp_path / "out.mp4").format
    with pytest.raises(RuntimeError):
        broken_off(form, tmp_path / "part", next(iter(film.frames())))
    assert sorted(file.name for file in tmp_path.iterdir()) == ["film.mp4"]
    with form.segment(tmp_path / "part") as segment:
        for frame in film.frames():
            segment.write(frame)
    data = (tmp_path / "part").read_bytes()
    (tmp_path / "part").write_bytes(data[:-1])
    with (tmp_path / "part").open("rb") as file, pytest.raises(InputError, match="not complete"):
        timings(file)
    with (tmp_path / "part").open("rb") as file, pytest.raises(InputError, match="not complete"):
        list(packets(file))
