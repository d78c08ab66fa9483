"""Options for the encoder: checked by name, range and word; never another codec."""

from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from made_films import make_film

from unflicker.errors import MissingError, OutputError, UnflickerError, UsageError
from unflicker.settings import EncodingSettings
from unflicker.video.source import open_video
from unflicker.video.target import planned_target
from unflicker.video.writer import open_writer


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return make_film(tmp_path_factory.mktemp("film") / "film.mp4")


def writer(source, ending="mkv", **encoding):
    target = source.with_name(f"out.{ending}")
    return open_writer(open_video(source), target, encoding=EncodingSettings(**encoding))


def option(key, value, **encoding):
    return {"options": ((key, value),), **encoding}


WRONG = [
    (option("prest", "slow"), "did you mean preset"),
    (option("g", "many"), "takes a number"),
    (option("qmin", "999"), "-1 to 69"),
    (option("preset", "slowish"), "refuses -e preset=slowish"),
    (option("x264-params", "foo=1"), "foo"),
    (option("x265-params", "foo=1", codec="libx265"), "foo"),
    ({"crf": 99.0}, "0 to 51"),
    ({"crf": -1.0}, "0 to 51"),
    ({"crf": 64.0, "codec": "libvpx-vp9"}, "0 to 63"),
    ({"crf": 40.0, "codec": "mpeg4"}, "1 to 31"),
    ({"crf": 3.0, "codec": "ffv1"}, "ffv1 has no quality"),
    ({"codec": "h265"}, "did you mean libx265"),
    ({"codec": "h264_nvenc"}, "device"),
    ({"codec": "hevc_qsv"}, "device"),
]


@pytest.mark.parametrize(("encoding", "words"), WRONG, ids=[str(case[0]) for case in WRONG])
def test_what_an_encoder_does_not_take_is_named(source, encoding, words, capfd):
    with pytest.raises(UnflickerError, match=words) as caught:
        writer(source, **encoding)
    assert isinstance(caught.value, (UsageError, MissingError))
    assert "\n" not in str(caught.value)


def test_names_of_codecs_mean_their_encoder_with_its_quality(source):
    assert writer(source, codec="h264").encoder == "libx264"
    assert writer(source, codec="hevc").encoder == "libx265"


UNREADABLE = [
    (codec, ending)
    for codec in ("libsvtav1", "ffv1", "mjpeg", "prores", "libvpx-vp9", "png")
    for ending in ("ts", "m2ts", "mpg")
]


@pytest.mark.parametrize(("codec", "ending"), UNREADABLE)
def test_files_that_nobody_could_read_are_refused(source, codec, ending):
    with pytest.raises(OutputError, match="cannot hold"):
        writer(source, ending, codec=codec)


@pytest.mark.parametrize("rate", [90_000, 1_000_000])
def test_absurd_rates_become_readable_films_or_are_refused(tmp_path, rate):
    source = make_film(
        tmp_path / "film.nut", times=range(20), time_base=Fraction(1, rate), rate=rate
    )
    film = open_video(source)
    try:
        with open_writer(film, tmp_path / "out.mp4") as made:
            for frame in film.frames():
                made.write(frame)
    except OutputError:
        return
    assert len(list(open_video(tmp_path / "out.mp4").frames())) == 20


def test_lossless_film_for_browsers_is_said_to_be_none(tmp_path):
    source = make_film(tmp_path / "film.avi", codec="utvideo", pixel_format="gbrp")
    assert any("no browser" in note for note in writer(source, "mp4").notes)
    assert not any("browser" in note for note in writer(source, "mkv").notes)


@pytest.mark.parametrize("name", ["frames.png", "x.exr", "x.GIF"])
def test_names_that_mean_something_else_are_refused(tmp_path, source, name):
    cv2.imwrite(str(tmp_path / "picture.png"), np.zeros((20, 30, 3), np.uint8))
    for film in (source, tmp_path):
        with pytest.raises(UsageError, match="is not written"):
            open_writer(open_video(film), tmp_path / name)


@pytest.mark.parametrize("name", ["-", "/dev/stdout"])
def test_streams_are_refused_and_folders_may_have_any_name(tmp_path, source, name):
    for film in (source, tmp_path):
        with pytest.raises(UsageError, match="-o "):
            planned_target(film, name)
    assert planned_target(source, "x.tif/") == Path("x.tif/film_unflickered.mp4")
