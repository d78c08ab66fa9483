"""A film that holds less than its container promises is not taken for whole."""

from fractions import Fraction

import av
import pytest
from made_films import make_film

from unflicker.errors import InputError
from unflicker.video.source import open_video

TIMES = range(0, 4000, 40)


def index_first(source, target):
    """The same film with its index at the beginning, as films for the web have it."""
    with av.open(str(source)) as old, av.open(str(target), "w", options=FAST) as new:
        copy = new.add_stream_from_template(old.streams.video[0], opaque=True)
        for packet in old.demux(old.streams.video[0]):
            if packet.dts is not None:
                packet.stream = copy
                new.mux(packet)
    return target


FAST = {"movflags": "+faststart"}


def film(folder, ending):
    if ending in ("mp4", "mov"):
        plain = make_film(folder / f"plain.{ending}", times=TIMES)
        return index_first(plain, folder / f"film.{ending}")
    if ending == "mxf":
        return make_film(
            folder / "film.mxf",
            codec="mpeg2video",
            pixel_format="yuv422p",
            size=(144, 192),
            times=range(100),
            time_base=Fraction(1, 25),
        )
    return make_film(
        folder / f"film.{ending}", codec="mpeg4" if ending == "avi" else "libx264", times=TIMES
    )


@pytest.mark.parametrize("ending", ["mp4", "mov", "mkv", "avi", "flv", "mxf"])
def test_a_cut_film_is_incomplete_and_a_whole_one_is_not(tmp_path, ending):
    whole = film(tmp_path, ending)
    source = open_video(whole)
    count = len(list(source.frames()))
    assert (count, source.incomplete) == (100, False)
    data = whole.read_bytes()
    for share in (0.97, 0.5):
        cut = tmp_path / f"cut.{ending}"
        cut.write_bytes(data[: int(len(data) * share)])
        source = open_video(cut)
        found = len(list(source.frames()))
        assert source.incomplete, share
        assert any("cut off" in note for note in source.notes)
        assert found < count or ending in ("avi", "mxf", "mkv")
        strict = open_video(cut, strict=True)
        with pytest.raises(InputError):
            list(strict.frames())


def test_a_whole_film_that_begins_late_is_whole(tmp_path):
    plain = make_film(tmp_path / "film.mkv", times=range(500, 1500, 40))
    source = open_video(plain)
    assert len(list(source.frames())) == 25
    assert not source.incomplete


def test_a_part_of_a_whole_film_is_no_cut_off_film(tmp_path):
    source = open_video(film(tmp_path, "mkv"), start_seconds=1.0, duration_seconds=1.0)
    assert len(list(source.frames())) == 25
    assert not source.incomplete
    assert source.notes == ()
