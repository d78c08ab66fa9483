"""Sound, subtitles, chapters, attachments and covers: kept, or the user is told before work."""

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from made_films import make_film, read, seconds

from unflicker.video import segments
from unflicker.video.source import open_video
from unflicker.video.writer import open_writer

HEADER = b"""[Script Info]
ScriptType: v4.00+

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, \
Italic, Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, \
Alignment, MarginL, MarginR, MarginV, Encoding
Style: Default,Arial,16,&Hffffff,&Hffffff,&H0,&H0,0,0,0,0,100,100,0,0,1,1,0,2,10,10,10,1

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
"""
RATE = 48_000
BLOCK = 1024


def add_sound(container, *, codec="aac", language="eng", length=2.0):
    """A tone on a new stream; returns the work to do once the container has started."""
    stream = container.add_stream(codec, rate=RATE)
    stream.metadata["language"] = language
    sample = stream.codec_context.codec.audio_formats[0].name
    packed = sample.startswith("s16") and not sample.endswith("p")

    def play():
        for block in range(int(length * RATE / BLOCK)):
            times = (np.arange(BLOCK) + block * BLOCK) / RATE
            wave = 0.2 * np.sin(2 * np.pi * 440 * times)
            if packed:
                samples = np.repeat((wave * 32767).astype(np.int16), 2)[None]
            else:
                samples = np.tile(wave.astype(np.float32), (2, 1))
            frame = av.AudioFrame.from_ndarray(samples, sample if packed else "fltp", "stereo")
            frame.sample_rate, frame.pts, frame.time_base = RATE, block * BLOCK, Fraction(1, RATE)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))

    return play


def add_subtitles(container, *, codec="subrip", language="ger", lines=((0, "eins"), (900, "zwei"))):
    stream = container.add_stream(codec)
    stream.metadata["language"] = language
    stream.time_base = Fraction(1, 1000)
    stream.codec_context.subtitle_header = HEADER

    def speak():
        for start, words in lines:
            data = words.encode()
            if codec == "mov_text":
                data = len(data).to_bytes(2, "big") + data
            packet = av.Packet(data)
            packet.stream, packet.time_base = stream, Fraction(1, 1000)
            packet.pts = packet.dts = start
            packet.duration = 500
            container.mux(packet)

    return speak


def rich_film(path, *, sound=("aac", "aac"), subtitles="subrip", ending_times=2000, extra=None):
    def prepare(container, _):
        work = [
            add_sound(container, codec=codec, language=language)
            for codec, language in zip(sound, ("eng", "fra", "spa"), strict=False)
        ]
        if subtitles:
            work.append(add_subtitles(container, codec=subtitles))
        container.metadata["title"] = "The Lamp"
        container.set_chapters(
            [
                {
                    "id": index,
                    "start": index * 1000,
                    "end": index * 1000 + 1000,
                    "time_base": Fraction(1, 1000),
                    "metadata": {"title": f"part {index}"},
                }
                for index in range(2)
            ]
        )
        if extra:
            extra(container)

        def start(container):
            for each in work:
                each()
            del container

        return start

    return make_film(path, times=range(0, ending_times, 40), prepare=prepare)


def test_a_container_that_would_hide_subtitles_as_data_leaves_them_out_aloud(tmp_path):
    source = rich_film(tmp_path / "film.mkv")
    notes = rewrite_all(source, tmp_path / "film.ts")
    assert any("subtitle" in note and "left out" in note for note in notes)
    assert [stream[0] for stream in contents(tmp_path / "film.ts")] == ["audio"] * 2
    notes = rewrite_all(source, tmp_path / "film.m2ts")
    assert sum("left out" in note for note in notes) == 1
    assert [stream[:2] for stream in contents(tmp_path / "film.m2ts")] == [["audio", "aac"]] * 2


def rewrite_all(source, target, **part):
    film = open_video(source, **part)
    with open_writer(film, target) as writer:
        for frame in film.frames():
            writer.write(frame)
    return writer.notes


def contents(path):
    """Per stream beside the film: kind, codec, language, packets as (seconds, bytes).

    Chapters of MP4 also show as a data stream; they are looked at as chapters.
    """
    found = []
    with av.open(str(path)) as container:
        for stream in container.streams:
            name = stream.codec_context.name if stream.codec_context else stream.name
            found.append([stream.type, name, stream.language, []])
        for packet in container.demux():
            if packet.dts is not None:
                found[packet.stream_index][3].append((packet.pts * packet.time_base, bytes(packet)))
    return [stream for stream in found[1:] if stream[0] != "data"]


@pytest.mark.parametrize(
    ("ending", "subtitles"),
    [("mkv", "subrip"), ("mkv", "ass"), ("mp4", "mov_text"), ("mov", "mov_text")],
)
def test_two_sound_tracks_and_subtitles_come_through_packet_by_packet(
    tmp_path, monkeypatch, ending, subtitles
):
    """However many segments the pictures are encoded in: sound is copied once, and cannot drift."""
    monkeypatch.setattr(segments, "SEGMENT_FRAMES", 7)
    source = rich_film(tmp_path / f"film.{ending}", subtitles=subtitles)
    target = tmp_path / f"again.{ending}"
    notes = rewrite_all(source, target)
    assert notes == ()
    before, after = contents(source), contents(target)
    assert [stream[:3] for stream in before] == [stream[:3] for stream in after]
    assert [stream[2] for stream in after] == ["eng", "fra", "ger"]
    for one, other in zip(before, after, strict=True):
        assert len(one[3]) == len(other[3])
        assert one[3] == other[3]
    assert seconds(read(source)) == seconds(read(target))


@pytest.mark.parametrize("ending", ["mkv", "mp4", "mov"])
def test_chapters_and_title_are_kept(tmp_path, ending):
    source = rich_film(tmp_path / f"film.{ending}", subtitles=None)
    target = tmp_path / f"again.{ending}"
    rewrite_all(source, target)
    with av.open(str(target)) as container:
        titles = [chapter["metadata"]["title"] for chapter in container.chapters()]
        starts = [chapter["start"] * chapter["time_base"] for chapter in container.chapters()]
        assert container.metadata["title"] == "The Lamp"
    assert titles == ["part 0", "part 1"]
    assert starts == [0, 1]


def test_attachments_are_kept(tmp_path):
    source = rich_film(
        tmp_path / "film.mkv",
        extra=lambda container: container.add_attachment("font.ttf", "font/ttf", b"letters" * 9),
    )
    target = tmp_path / "again.mkv"
    assert rewrite_all(source, target) == ()
    with av.open(str(target)) as container:
        attached = [stream for stream in container.streams if stream.type == "attachment"]
        assert [(item.name, item.mimetype, item.data) for item in attached] == [
            ("font.ttf", "font/ttf", b"letters" * 9)
        ]


def test_sound_and_pictures_lie_side_by_side_in_the_file(tmp_path):
    source = rich_film(tmp_path / "film.mkv")
    target = tmp_path / "again.mkv"
    rewrite_all(source, target)
    latest = {}
    with av.open(str(target)) as container:
        for packet in container.demux():
            if packet.dts is None or packet.stream.type == "subtitle":
                continue
            latest[packet.stream_index] = float(packet.dts * packet.time_base)
            if len(latest) == 3:
                assert max(latest.values()) - min(latest.values()) < 1.0


def test_text_subtitles_that_a_container_cannot_hold_are_converted_aloud(tmp_path):
    source = rich_film(tmp_path / "film.mkv")
    film = open_video(source)
    writer = open_writer(film, tmp_path / "film.mp4")
    assert any("becomes mov_text" in note for note in writer.notes)
    rewrite_all(source, tmp_path / "film.mp4")
    words = contents(tmp_path / "film.mp4")[2]
    assert words[1] == "mov_text"
    spoken = [(when, data[2 : 2 + int.from_bytes(data[:2], "big")]) for when, data in words[3]]
    assert [line for line in spoken if line[1]] == [(0, b"eins"), (Fraction(9, 10), b"zwei")]


def test_what_a_container_cannot_hold_is_told_before_work_starts(tmp_path):
    source = rich_film(tmp_path / "film.mkv", subtitles=None)
    writer = open_writer(open_video(source), tmp_path / "film.webm")
    left_out = [note for note in writer.notes if "left out" in note]
    assert len(left_out) == 2
    assert ".mkv" in left_out[0]
    rewrite_all(source, tmp_path / "film.webm")
    assert contents(tmp_path / "film.webm") == []


@pytest.mark.parametrize("ending", ["mp4", "mkv"])
def test_a_cover_is_kept_and_is_not_the_film(tmp_path, ending):
    source = film_with_cover(tmp_path, ending)
    assert open_video(source).size == (48, 64)
    target = tmp_path / f"again.{ending}"
    notes = rewrite_all(source, target)
    assert notes == ()
    with av.open(str(target)) as container:
        covers = [stream for stream in container.streams.video if stream.disposition.value & 0x400]
        assert len(covers) == 1
        assert covers[0].codec_context.width == 32
    assert len(read(target)) == 10


def film_with_cover(folder: Path, ending: str) -> Path:
    done, jpeg = cv2.imencode(".jpg", np.full((32, 32, 3), 90, np.uint8))
    assert done
    path = folder / f"film.{ending}"
    if ending == "mkv":

        def attach(container, _):
            container.add_attachment("cover.jpg", "image/jpeg", jpeg.tobytes())

        return make_film(path, prepare=attach)
    plain = make_film(folder / f"plain.{ending}")
    with av.open(str(plain)) as source, av.open(str(path), "w") as target:
        film = source.streams.video[0]
        copy = target.add_stream_from_template(film, opaque=True)
        cover = target.add_stream("mjpeg", rate=1)
        cover.width = cover.height = 32
        cover.pix_fmt = "yuvj420p"
        cover.disposition = av.stream.Disposition.attached_pic
        cover.metadata["filename"] = "cover.jpg"
        cover.metadata["mimetype"] = "image/jpeg"
        target.start_encoding()
        packet = av.Packet(jpeg.tobytes())
        packet.stream, packet.pts, packet.dts = cover, 0, 0
        packet.time_base, packet.is_keyframe = Fraction(1, 90_000), True
        target.mux(packet)
        for item in source.demux(film):
            if item.dts is not None:
                item.stream = copy
                target.mux(item)
    return path


def test_a_part_of_a_film_has_the_same_part_of_its_sound(tmp_path):
    source = rich_film(tmp_path / "film.mkv")
    target = tmp_path / "part.mkv"
    rewrite_all(source, target, start_seconds=0.8, duration_seconds=0.6)
    frames = read(target)
    assert len(frames) == 15
    assert seconds(frames)[0] == 0
    sound, _, words = contents(target)
    whole, _, _ = contents(source)
    first, last = sound[3][0], sound[3][-1]
    assert -0.03 < first[0] < 0.03
    assert 0.55 < last[0] < 0.62
    packets = [data for _, data in whole[3]]
    assert packets.index(first[1]) == pytest.approx(0.8 * RATE / BLOCK, abs=2)
    assert [(float(when), data) for when, data in words[3]] == [(pytest.approx(0.1), b"zwei")]
    with av.open(str(target)) as container:
        chapters = [
            (chapter["metadata"]["title"], float(chapter["end"] * chapter["time_base"]))
            for chapter in container.chapters()
        ]
    assert chapters == [("part 0", pytest.approx(0.2)), ("part 1", pytest.approx(0.6))]


def test_sound_of_mp4_moved_to_matroska_leaves_frame_times_alone(tmp_path):
    source = rich_film(tmp_path / "film.mp4", subtitles=None)
    rewrite_all(source, tmp_path / "film.mkv")
    one, other = seconds(read(source)), seconds(read(tmp_path / "film.mkv"))
    assert one == other


def test_memory_does_not_grow_with_the_sound(tmp_path, monkeypatch):
    """Sound is read only as far as the pictures have come, a segment at a time."""
    monkeypatch.setattr(segments, "SEGMENT_FRAMES", 30)
    source = rich_film(tmp_path / "film.mkv", ending_times=4000)
    film = open_video(source)
    frames = list(film.frames())
    with open_writer(film, tmp_path / "again.mkv") as writer:
        for frame in frames[:31]:
            writer.write(frame)
        waiting = writer._muxer._sides._next
        assert waiting is not None
        assert 0.5 < float(waiting.dts * waiting.time_base) < frames[30].seconds + 0.1
        for frame in frames[31:]:
            writer.write(frame)
