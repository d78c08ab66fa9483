"""Facts of a film that are easily lost: fields, shape of pixels, timecode, a maker's own keys."""

from fractions import Fraction

import av
import cv2
import numpy as np
import pytest
from made_films import make_film, moving, read, rewrite, same_samples

from unflicker.video.source import open_video
from unflicker.video.timecode import moved
from unflicker.video.writer import open_writer

NTSC = Fraction(30_000, 1001)


def interlaced(codec, path, *, order, size=(96, 128), shape=Fraction(16, 15), **more):
    def prepare(_, stream):
        stream.codec_context.flags |= 1 << 18 | 1 << 29
        stream.codec_context.field_order = order
        stream.codec_context.sample_aspect_ratio = shape

    return make_film(path, codec=codec, size=size, prepare=prepare, **more)


def facts(path):
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        frames = list(container.decode(stream))
        return all(frame.interlaced_frame for frame in frames), stream.sample_aspect_ratio


@pytest.mark.parametrize("ending", ["avi", "mkv", "mov"])
@pytest.mark.parametrize(
    ("size", "pixel_format", "shape"),
    [((480, 720), "yuv411p", Fraction(8, 9)), ((576, 720), "yuv420p", Fraction(16, 15))],
)
def test_tape_stays_interlaced_and_its_pixels_keep_their_shape(
    tmp_path, ending, size, pixel_format, shape
):
    rate = NTSC if size[0] == 480 else Fraction(25)
    source = make_film(
        tmp_path / "tape.avi",
        codec="dvvideo",
        pixel_format=pixel_format,
        size=size,
        times=range(4),
        time_base=1 / rate,
        rate=rate,
        prepare=lambda _, stream: setattr(stream.codec_context, "sample_aspect_ratio", shape),
    )
    film = open_video(source)
    assert film.traits.field_order == 3
    rewrite(source, tmp_path / f"out.{ending}")
    assert facts(tmp_path / f"out.{ending}") == (True, shape)


@pytest.mark.parametrize(
    ("codec", "pixel_format", "ending"),
    [
        ("ffv1", "yuv420p", "mkv"),
        ("ffv1", "yuv420p", "avi"),
        ("prores_ks", "yuv422p10le", "mov"),
        ("mpeg4", "yuv420p", "avi"),
        ("mpeg2video", "yuv420p", "mxf"),
    ],
)
def test_fields_are_written_for_every_encoder(tmp_path, codec, pixel_format, ending):
    first = "ts" if codec == "mpeg2video" else "mov" if "prores" in codec else "mkv"
    source = interlaced(
        codec, tmp_path / f"film.{first}", order=2, pixel_format=pixel_format,
        times=range(6), time_base=Fraction(1, 25),
    )  # fmt: skip
    rewrite(source, tmp_path / f"out.{ending}")
    film = open_video(source)
    if film.traits.field_order > 1:
        assert facts(tmp_path / f"out.{ending}")[0]


def test_a_shape_of_pixels_that_gets_lost_is_announced(tmp_path):
    source = interlaced("prores_ks", tmp_path / "f.mov", order=2, pixel_format="yuv422p10le")
    assert any("shape of pixels" in note for note in rewrite(source, tmp_path / "out.avi"))
    assert not any("shape of pixels" in note for note in rewrite(source, tmp_path / "out.mov"))


def test_timecode_moves_with_the_part():
    assert moved("10:00:00:00", Fraction(3, 2), rate=Fraction(24)) == "10:00:01:12"
    assert moved("23:59:59:24", Fraction(1, 25), rate=Fraction(25)) == "00:00:00:00"
    assert moved("00:00:59;29", 1 / NTSC, rate=NTSC) == "00:01:00;02"
    assert moved("00:09:59;29", 1 / NTSC, rate=NTSC) == "00:10:00;00"
    assert moved("no code", Fraction(9), rate=NTSC) == "no code"


@pytest.mark.parametrize("ending", ["mp4", "mov"])
def test_a_telephones_keys_the_name_of_hevc_and_timecode_are_kept(tmp_path, ending):
    path = tmp_path / f"film.{ending}"
    keys = {"com.apple.quicktime.make": "Maker", "com.apple.quicktime.model": "Model 15"}
    with av.open(str(path), "w", options={"movflags": "use_metadata_tags"}) as container:
        stream = container.add_stream("libx265", rate=25, options={"x265-params": "log-level=none"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        container.metadata.update({**keys, "title": "T", "timecode": "10:00:00:00"})
        for index in range(50):
            frame = moving("yuv420p", width=64, height=48, index=index)
            frame.pts, frame.time_base = index, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    target = tmp_path / f"out.{ending}"
    film = open_video(path, start_seconds=1.0)
    with open_writer(film, target) as writer:
        for frame in film.frames():
            writer.write(frame)
    with av.open(str(target)) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.codec_tag == "hvc1"
        assert stream.metadata["timecode"] == "10:00:01:00"
        assert keys.items() <= container.metadata.items()
        assert container.metadata["title"] == "T"


@pytest.mark.parametrize(
    ("codec", "source", "target", "named"),
    [
        ("mpeg2video", "ts", "ts", "h264"),
        ("mpeg4", "mp4", "mp4", "h264"),
        ("libx264", "mkv", "mp4", ""),
        ("ffv1", "mkv", "mkv", ""),
        ("mpeg2video", "mpg", "mpg", ""),
    ],
)
def test_another_codec_than_the_films_is_named(tmp_path, codec, source, target, named):
    counted = {"times": range(10), "time_base": Fraction(1, 25)} if "mpeg" in codec else {}
    film = make_film(tmp_path / f"film.{source}", codec=codec, size=(96, 128), **counted)
    notes = rewrite(film, tmp_path / f"result.{target}")
    assert [note for note in notes if "is written as" in note] == (
        [f"the film's {codec} is written as {named} (libx264); --codec chooses another"]
        if named
        else []
    )


@pytest.mark.parametrize("speed_px", [0.7, 2.0])
def test_lossless_interlaced_film_stays_lossless(tmp_path, speed_px):
    """x264 skips parts that differ by one value, unless it is told not to."""
    cells = np.random.default_rng(3).uniform(40, 200, (10, 12))
    scene = cv2.resize(cells, (144, 700), interpolation=cv2.INTER_CUBIC)
    path, options = tmp_path / "film.mkv", {"qp": "0", "x264-params": "tff=1:no-fast-pskip=1"}
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt = 144, 96, "yuv444p"
        for index in range(30):
            picture = np.empty((96, 144), np.uint8)
            for field in range(2):
                down = np.array([[1, 0, 0], [0, 1, -speed_px * (index + field / 2)]], np.float32)
                seen = cv2.warpAffine(scene, down, (144, 96), flags=cv2.INTER_LINEAR)
                picture[field::2] = np.clip(seen + 0.5, 0, 255)[field::2]
            frame = av.VideoFrame.from_ndarray(np.stack([picture] * 3), format="yuv444p")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    assert open_video(path).traits.lossless
    rewrite(path, tmp_path / "result.mkv")
    assert same_samples(read(path), read(tmp_path / "result.mkv"))
