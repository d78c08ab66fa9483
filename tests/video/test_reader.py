"""Reading: the same frames each time, in time, whatever the file."""

import re
from fractions import Fraction
from itertools import pairwise

import av
import numpy as np
import pytest
from made_films import MILLISECONDS, UNEVEN, lengths, make_film, read, same_samples, seconds

from unflicker.errors import InputError
from unflicker.frames.clip import Clip
from unflicker.frames.picture import PixelLayout
from unflicker.video.promised import credible_rate
from unflicker.video.source import ArraySource, open_video
from unflicker.video.traits import ColourTags


@pytest.fixture(scope="module")
def uneven(tmp_path_factory):
    return make_film(tmp_path_factory.mktemp("films") / "uneven.mkv", times=UNEVEN)


@pytest.mark.parametrize("ending", ["mkv", "mp4", "mov", "ts", "webm"])
def test_frame_times_are_the_files_own(tmp_path, ending):
    codec = "libvpx-vp9" if ending == "webm" else "libx264"
    path = make_film(tmp_path / f"film.{ending}", codec=codec, times=UNEVEN)
    frames = read(path)
    expected = [time * MILLISECONDS for time in UNEVEN]
    offset = seconds(frames)[0] if ending == "ts" else 0
    assert [time - offset for time in seconds(frames)] == expected
    assert [frame.index for frame in frames] == list(range(len(UNEVEN)))
    if ending != "ts":
        assert lengths(frames)[-1] == 77 * MILLISECONDS


def test_a_duration_reaches_to_the_next_frame(uneven):
    frames = read(uneven)
    assert all(a.pts + a.duration == b.pts for a, b in pairwise(frames))


def test_reading_twice_gives_the_same_frames(uneven):
    film = open_video(uneven)
    first, second = list(film.frames()), list(film.frames())
    assert same_samples(first, second)
    assert seconds(first) == seconds(second)


def test_a_reading_that_is_given_up_leaves_the_film_whole(uneven):
    film = open_video(uneven)
    next(iter(film.frames()))
    assert len(list(film.frames())) == len(UNEVEN)


@pytest.mark.parametrize("count", [1, 2])
def test_films_of_one_and_two_frames_are_films(tmp_path, count):
    path = make_film(tmp_path / "short.mp4", times=tuple(range(0, 40 * count, 40)))
    assert len(read(path)) == count


@pytest.mark.parametrize(
    ("ending", "codec"), [("avi", "mpeg4"), ("avi", "libx264"), ("h264", "libx264")]
)
def test_containers_without_times_give_even_rising_ones(tmp_path, ending, codec):
    path = make_film(
        tmp_path / f"film.{ending}",
        codec=codec,
        times=range(10),
        time_base=Fraction(1, 25),
        options={"bf": "0"},
    )
    times = seconds(read(path))
    assert times[0] == 0
    assert np.allclose(np.diff([float(time) for time in times]), 0.04)


@pytest.mark.parametrize(
    ("codec", "pixel_format", "layout"),
    [
        ("libx264", "yuv420p10le", PixelLayout(family="yuv", depth=10, chroma_shift=(1, 1))),
        ("ffv1", "yuv422p12le", PixelLayout(family="yuv", depth=12, chroma_shift=(1, 0))),
        ("ffv1", "yuv444p16le", PixelLayout(family="yuv", depth=16)),
        ("ffv1", "gray", PixelLayout(family="grey", depth=8)),
        ("ffv1", "gray16le", PixelLayout(family="grey", depth=16)),
        ("ffv1", "gbrp10le", PixelLayout(family="rgb", depth=10)),
        ("ffv1", "bgra", PixelLayout(family="rgb", depth=8, alpha=True)),
        (
            "ffv1",
            "yuva420p",
            PixelLayout(family="yuv", depth=8, chroma_shift=(1, 1), alpha=True),
        ),
        ("ffv1", "ya8", PixelLayout(family="grey", depth=8, alpha=True)),
    ],
)
def test_depth_and_layout_are_the_films_own(tmp_path, codec, pixel_format, layout):
    path = make_film(tmp_path / "film.mkv", codec=codec, pixel_format=pixel_format, times=(0, 40))
    film = open_video(path)
    assert film.layout == layout
    assert next(iter(film.frames())).picture.layout == layout


def test_untagged_films_mean_what_players_take_them_for():
    layout = PixelLayout(family="yuv", depth=8, chroma_shift=(1, 1))
    untagged = ColourTags()
    small, large = (
        untagged.meaning(layout, size=(576, 720)),
        untagged.meaning(layout, size=(720, 1280)),
    )
    assert (small.matrix, large.matrix) == ("bt601", "bt709")
    assert not small.full_range
    assert ColourTags(primaries=9).meaning(layout, size=(2160, 3840)).matrix == "bt2020"
    grey = PixelLayout(family="grey", depth=8)
    assert untagged.meaning(grey, size=(10, 10)).full_range


@pytest.mark.parametrize(
    ("number", "name"),
    [(16, "pq"), (18, "hlg"), (8, "linear"), (9, "log"), (1, "power"), (2, "power")],
)
def test_the_transfer_tag_names_the_light_space(number, name):
    layout = PixelLayout(family="yuv", depth=10, chroma_shift=(1, 1))
    assert ColourTags(transfer=number).meaning(layout, size=(2160, 3840)).transfer == name


def test_full_range_film_is_read_as_full_range(tmp_path):
    path = make_film(tmp_path / "film.mkv", codec="mjpeg", pixel_format="yuvj420p")
    film = open_video(path)
    assert film.meaning.full_range
    assert film.traits.tags.range == 2


def test_start_and_duration_choose_frames_and_shift_them_to_the_beginning(tmp_path):
    path = make_film(tmp_path / "film.mkv", times=range(0, 8000, 40), options={"g": "25"})
    whole = read(path)
    part = read(path, start_seconds=5.0, duration_seconds=1.0)
    assert len(part) == 25
    assert seconds(part)[0] == 0
    assert same_samples(part, whole[125:150])
    assert part[0].index == 0


def test_start_works_where_the_clock_starts_late(tmp_path):
    path = make_film(tmp_path / "late.mkv", times=range(10_000, 13_000, 40))
    part = read(path, start_seconds=1.0)
    assert seconds(part)[0] == 10
    assert same_samples(part, read(path)[25:])


def test_a_part_beyond_the_end_is_refused(uneven):
    with pytest.raises(InputError, match="--start"):
        read(uneven, start_seconds=50)


def damaged_copy(path, target, *, places):
    data = bytearray(path.read_bytes())
    rng = np.random.default_rng(1)
    for place in places:
        start = int(place * len(data))
        data[start : start + 200] = rng.integers(0, 256, 200, np.uint8).tobytes()
    target.write_bytes(data)
    return target


@pytest.mark.parametrize("ending", ["mkv", "mp4", "ts"])
def test_damaged_frames_are_flagged_and_the_rest_stays_in_time(tmp_path, ending):
    options = {"qp": "20", "g": "10"}
    path = make_film(
        tmp_path / f"whole.{ending}", times=range(0, 4000, 40), size=(144, 192), options=options
    )
    whole = read(path)
    bad = damaged_copy(path, tmp_path / f"bad.{ending}", places=(0.4, 0.6))
    film = open_video(bad)
    frames = list(film.frames())
    assert len(frames) >= 90
    assert set(seconds(frames)) <= set(seconds(whole))
    assert any(frame.damaged for frame in frames)
    assert not frames[0].damaged
    with pytest.raises(InputError, match="strict"):
        read(bad, strict=True)


def test_a_sound_film_has_no_damaged_frame(uneven):
    assert not any(frame.damaged for frame in read(uneven))
    assert open_video(uneven, strict=True).notes == ()


@pytest.mark.parametrize(
    ("ending", "notes"),
    [("mkv", [r"cut off: its header promises [\d,]+ bytes"]), ("ts", [])],
    ids=["a length is promised", "none is promised"],
)
def test_a_film_cut_off_in_the_middle_gives_what_it_has(tmp_path, ending, notes):
    path = make_film(tmp_path / f"whole.{ending}", times=range(0, 8000, 40), options={"qp": "10"})
    data = path.read_bytes()
    half = tmp_path / f"half.{ending}"
    half.write_bytes(data[: len(data) // 2])
    film = open_video(half)
    count = len(list(film.frames()))
    assert 90 <= count <= 110
    assert len(film.notes) == len(notes)
    for told, words in zip(film.notes, notes, strict=True):
        assert re.search(words, told)


def test_an_mp4_without_its_index_is_refused_in_plain_words(tmp_path):
    path = make_film(tmp_path / "whole.mp4", times=range(0, 4000, 40))
    half = tmp_path / "half.mp4"
    half.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(InputError, match="cannot be read as a video"):
        open_video(half)


def test_what_is_no_film_is_refused(tmp_path):
    text = tmp_path / "notes.txt"
    text.write_text("this is not a film\n" * 400)
    empty = tmp_path / "empty.mp4"
    empty.touch()
    for path in (text, empty):
        with pytest.raises(InputError, match=r"not a film|cannot be read"):
            open_video(path)
    with pytest.raises(InputError, match="no such file"):
        open_video(tmp_path / "nothing.mp4")


def test_sound_alone_is_refused(tmp_path):
    path = tmp_path / "sound.m4a"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=48_000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        frame.sample_rate = 48_000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with pytest.raises(InputError, match="no video"):
        open_video(path)


def test_interlaced_film_is_said_to_be(tmp_path):
    path = make_film(
        tmp_path / "film.mkv", times=range(0, 1200, 40), options={"x264-params": "tff=1"}
    )
    assert any("interlaced" in note for note in open_video(path).notes)


@pytest.mark.parametrize(
    "name",
    [
        "with space.mkv",
        'it\'s "quoted".mkv',
        "-dash.mkv",
        "fïlm é 日本.mkv",
        "noending",
        "a:b%03d.mkv",
    ],
)
def test_any_name_will_do(tmp_path, name, monkeypatch):
    make_film(tmp_path / name, container_format="matroska")
    monkeypatch.chdir(tmp_path)
    assert len(read(name)) == 10


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.float32])
def test_arrays_are_films_too(kind):
    top = 1.0 if kind == np.float32 else np.iinfo(kind).max
    pixels = (np.random.default_rng(0).random((3, 8, 10, 3)) * top).astype(kind)
    film = ArraySource(Clip.at_rate(pixels, fps=25))
    frames = list(film.frames())
    assert film.size == (8, 10)
    assert film.rate == 25
    assert [round(frame.seconds, 6) for frame in frames] == [0, 0.04, 0.08]
    if kind != np.float32:
        stacked = np.stack([np.dstack(frame.picture.planes) for frame in frames])
        assert np.array_equal(stacked, pixels)


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ((Fraction(24000, 1001), Fraction(25)), Fraction(24000, 1001)),
        ((Fraction(1, 2**31 - 1), Fraction(30)), Fraction(30)),
        ((Fraction(2**31 - 1), None), Fraction(25)),
        ((None, Fraction(0)), Fraction(25)),
        ((Fraction(1, 3600), None), Fraction(1, 3600)),
    ],
)
def test_a_rate_that_no_film_has_is_not_believed(told, expected):
    assert credible_rate(*told) == expected
