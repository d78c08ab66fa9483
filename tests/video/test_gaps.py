"""Broadcasts that lost frames on the way, and films that change in the middle, say so."""

import random
from fractions import Fraction

import pytest
from made_films import MILLISECONDS, make_film

from unflicker.errors import InputError
from unflicker.video.gaps import Gaps
from unflicker.video.source import open_video

PACKET = 188


def broadcast(path, *, codec="libx264", frames=60, **options):
    counted = codec == "mpeg2video"
    return make_film(
        path,
        codec=codec,
        size=(96, 128),
        options={"g": "12"},
        times=range(frames) if counted else range(0, 40 * frames, 40),
        time_base=Fraction(1, 25) if counted else MILLISECONDS,
        **options,
    )


@pytest.mark.parametrize("codec", ["libx264", "mpeg2video"])
def test_a_broadcast_that_lost_frames_is_incomplete(tmp_path, codec):
    whole = broadcast(tmp_path / "film.ts", codec=codec).read_bytes()
    packets, lost = len(whole) // PACKET, 0
    for seed in range(12):
        first = random.Random(seed).randrange(packets // 8, packets - packets // 8)
        damaged = tmp_path / f"{seed}.ts"
        damaged.write_bytes(whole[: first * PACKET] + whole[(first + 1 + seed % 3) * PACKET :])
        source = open_video(damaged)
        found = len(list(source.frames()))
        said = any("missing at" in note or "spread" in note for note in source.notes)
        assert said == (found < 60), seed
        lost += found < 60
    assert lost > 3
    source = open_video(tmp_path / "film.ts")
    assert (len(list(source.frames())), source.notes, source.incomplete) == (60, (), False)


@pytest.mark.parametrize("rhythm", [(3003,), (3003, 3003, 3003, 6006), (3600, 3601, 3599)])
def test_rhythms_are_no_gaps_and_a_longer_step_is_one(rhythm):
    for lost in (0, 1, 2, 5):
        gaps, pts, longest = Gaps(), 0, max(rhythm)
        for index in range(100):
            gaps.see(pts)
            pts += rhythm[index % len(rhythm)] + (index == 41) * lost * longest
        places, frames = gaps.missing(joins=0)
        assert (places > 0) == (lost > 0)
        assert frames >= lost
        assert gaps.missing(joins=1) == (0, 0)


def test_variable_rates_have_no_gaps():
    drawn = random.Random(5)
    gaps, pts = Gaps(), 0
    for _ in range(200):
        gaps.see(pts)
        pts += drawn.choice((3000, 6000, 9000, 15_000))
    assert gaps.missing(joins=0) == (0, 0)


@pytest.mark.parametrize(
    ("other", "word"),
    [
        ({"size": (64, 96)}, "the size changes to 96x64"),
        ({"pixel_format": "yuv422p"}, "the pixel format changes to yuv422p"),
        ({"shape": Fraction(16, 11)}, "the shape of pixels changes to 16:11"),
        ({}, ""),
    ],
)
def test_a_film_that_changes_in_the_middle_says_so_and_strict_stops(tmp_path, other, word):
    def part(name, *, shape=Fraction(12, 11), size=(48, 64), **options):
        def set_shape(_, stream):
            stream.codec_context.sample_aspect_ratio = shape

        return make_film(tmp_path / name, size=size, prepare=set_shape, **options).read_bytes()

    path = tmp_path / "film.ts"
    path.write_bytes(part("one.ts") + part("two.ts", **other))
    source = open_video(path)
    assert len(list(source.frames())) == 20
    assert any(note.startswith(word) for note in source.notes if "joined" not in note) == bool(word)
    strict = open_video(path, strict=True)
    if word:
        with pytest.raises(InputError, match=word):
            list(strict.frames())
    else:
        assert len(list(strict.frames())) == 20
