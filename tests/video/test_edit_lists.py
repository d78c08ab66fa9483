"""The edit list of an MP4 or MOV says where the film begins: frames before it are not shown."""

import struct
from pathlib import Path

import av
import pytest
from made_films import make_film, read, same_samples, seconds

from unflicker.settings import EncodingSettings
from unflicker.video import frames_from, open_video, open_writer, segments

TIMES, LEFT_OUT = range(0, 1600, 40), 5
_ENTRY = ">IIIiI"
"""Version and flags, number of entries, length, first time of the media, rate (ISO 14496-12)."""


def trimmed(film: Path, *, frames: int) -> Path:
    """A copy of a film whose edit list leaves out its first frames, which are still stored."""
    with av.open(str(film)) as container:
        shown = sorted(packet.pts for packet in container.demux(video=0) if packet.size)
    content = bytearray(film.read_bytes())
    at = content.find(b"elst") + 4
    assert at > 4
    version, entries, length, start, rate = struct.unpack_from(_ENTRY, content, at)
    assert (version, entries) == (0, 1)
    length = length * (len(shown) - frames) // len(shown)
    struct.pack_into(_ENTRY, content, at, 0, 1, length, start + shown[frames], rate)
    target = film.with_stem(f"{film.stem}_trimmed")
    target.write_bytes(content)
    return target


@pytest.fixture(params=[("mp4", "0"), ("mp4", "3"), ("mov", "3")], ids=lambda one: "-".join(one))
def films(request, tmp_path) -> tuple[Path, Path]:
    ending, b_frames = request.param
    options = {"bf": b_frames, "g": "12"}
    whole = make_film(tmp_path / f"film.{ending}", times=TIMES, options=options)
    return whole, trimmed(whole, frames=LEFT_OUT)


def test_the_film_begins_where_the_list_says(films) -> None:
    whole, cut = (read(film) for film in films)
    assert same_samples(cut, whole[LEFT_OUT:])
    assert seconds(cut) == [at - seconds(whole)[LEFT_OUT] for at in seconds(whole)[LEFT_OUT:]]
    assert open_video(films[1]).notes == ()


@pytest.mark.parametrize("index", [1, 8, 20])
def test_it_is_entered_in_the_middle_at_the_same_frame(films, index: int) -> None:
    cut, film = read(films[1]), open_video(films[1])
    assert same_samples(list(frames_from(film, index, cut[index].pts)), cut[index:])


def test_segments_have_its_frames_and_times(films, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(segments, "SEGMENT_FRAMES", 7)
    film, target = open_video(films[1]), tmp_path / f"out{films[1].suffix}"
    with open_writer(film, target, encoding=EncodingSettings()) as writer:
        for frame in film.frames():
            writer.write(frame)
    assert seconds(read(target)) == seconds(read(films[1]))
    assert not writer.incomplete
