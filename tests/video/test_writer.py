"""Writing: what goes in comes out, in time, with its colours, or the user is told."""

import os
from fractions import Fraction

import av
import numpy as np
import pytest
from made_films import (
    MILLISECONDS,
    UNEVEN,
    lengths,
    make_film,
    read,
    rewrite,
    same_samples,
    seconds,
    worst_psnr,
)

from unflicker.errors import MissingError, OutputError, UsageError
from unflicker.frames.clip import Clip
from unflicker.settings import EncodingSettings
from unflicker.video.source import ArraySource, open_video
from unflicker.video.writer import open_writer

NINETY = Fraction(1, 90_000)
NTSC = tuple(3003 * index for index in range(12))


def film_traits(path):
    return open_video(path).traits


@pytest.mark.parametrize(
    ("ending", "codec", "pixel_format"),
    [
        ("mp4", "libx264", "yuv420p"),
        ("mov", "libx264", "yuv420p"),
        ("mkv", "libx264", "yuv422p10le"),
        ("mkv", "libx265", "yuv420p10le"),
        ("mp4", "libx265", "yuv422p12le"),
        ("webm", "libvpx-vp9", "yuv420p"),
        ("mkv", "libsvtav1", "yuv420p10le"),
        ("mov", "prores", "yuv422p10le"),
        ("mov", "dnxhd", "yuv422p10le"),
        ("mov", "mjpeg", "yuvj420p"),
        ("mov", "mjpeg", "yuvj422p"),
        ("ts", "libx264", "yuv420p"),
        ("avi", "mpeg4", "yuv420p"),
    ],
)
def test_codec_container_depth_and_times_stay_as_they_were(tmp_path, ending, codec, pixel_format):
    size = (240, 320) if codec == "dnxhd" else (96, 128)
    counted = ending == "avi"
    options = {"profile": "dnxhr_hqx"} if codec == "dnxhd" else {"svtav1-params": "preset=10"}
    source = make_film(
        tmp_path / f"film.{ending}",
        codec=codec,
        pixel_format=pixel_format,
        size=size,
        times=range(10) if counted else UNEVEN,
        time_base=Fraction(1, 25) if counted else MILLISECONDS,
        options=options if codec in ("dnxhd", "libsvtav1") else {},
    )
    target = tmp_path / f"again.{ending}"
    notes = rewrite(source, target)
    assert notes == ()
    one, other = read(source), read(target)
    assert seconds(one) == seconds(other)
    assert lengths(one) == lengths(other)
    assert film_traits(source).codec == film_traits(target).codec
    assert film_traits(source).pixel_format == film_traits(target).pixel_format
    assert worst_psnr(one, other) > 40


@pytest.mark.parametrize(
    ("ending", "codec", "pixel_format"),
    [
        ("mkv", "ffv1", "yuv420p"),
        ("mkv", "ffv1", "yuv444p16le"),
        ("mkv", "ffv1", "gray"),
        ("mkv", "ffv1", "gray16le"),
        ("mkv", "ffv1", "ya8"),
        ("mkv", "ffv1", "bgra"),
        ("mkv", "ffv1", "gbrp12le"),
        ("mkv", "ffv1", "yuva444p10le"),
        ("avi", "utvideo", "yuv422p"),
        ("avi", "huffyuv", "bgra"),
        ("avi", "rawvideo", "yuv420p"),
        ("mov", "png", "rgba"),
        ("mov", "png", "rgb48be"),
        ("mov", "qtrle", "argb"),
        ("mov", "v210", "yuv422p10le"),
        ("mkv", "libx264rgb", "rgb24"),
        ("mkv", "libx264", "yuv420p"),
        ("mp4", "libx264", "yuv420p10le"),
        ("mkv", "libx265", "yuv444p"),
    ],
)
def test_a_lossless_film_stays_lossless(tmp_path, ending, codec, pixel_format):
    options = {"libx264": {"qp": "0"}, "libx264rgb": {"qp": "0"}}.get(codec, {})
    if codec == "libx265":
        options = {"x265-params": "lossless=1:log-level=none"}
    source = make_film(
        tmp_path / f"film.{ending}",
        codec=codec,
        pixel_format=pixel_format,
        times=range(6),
        time_base=Fraction(1, 25),
        options=options,
    )
    target = tmp_path / f"again.{ending}"
    rewrite(source, target)
    assert same_samples(read(source), read(target))
    assert film_traits(source).codec == film_traits(target).codec


@pytest.mark.parametrize("ending", ["mp4", "mov"])
def test_ntsc_times_are_exact(tmp_path, ending):
    rate = Fraction(30_000, 1001)
    source = make_film(tmp_path / f"film.{ending}", times=NTSC, time_base=NINETY, rate=rate)
    rewrite(source, tmp_path / f"again.{ending}")
    assert seconds(read(source)) == seconds(read(tmp_path / f"again.{ending}"))


def test_matroska_says_that_it_rounds_times(tmp_path):
    rate = Fraction(30_000, 1001)
    source = make_film(tmp_path / "film.mp4", times=NTSC, time_base=NINETY, rate=rate)
    notes = rewrite(source, tmp_path / "film.mkv")
    assert any("milliseconds" in note for note in notes)
    gaps = np.array(seconds(read(source))) - np.array(seconds(read(tmp_path / "film.mkv")))
    assert max(abs(gap) for gap in gaps) <= Fraction(1, 2000)


def test_avi_says_that_it_counts_frames(tmp_path):
    source = make_film(tmp_path / "film.mkv", times=UNEVEN)
    assert any("counts frames" in note for note in rewrite(source, tmp_path / "film.avi"))
    assert len(read(tmp_path / "film.avi")) == len(UNEVEN)


@pytest.mark.parametrize("ending", ["mp4", "mkv", "mov", "ts"])
def test_a_film_that_starts_late_still_does(tmp_path, ending):
    source = make_film(tmp_path / f"film.{ending}", times=range(2500, 3300, 40))
    rewrite(source, tmp_path / f"again.{ending}")
    one, other = seconds(read(source)), seconds(read(tmp_path / f"again.{ending}"))
    assert one == other
    assert one[0] >= 2.5


@pytest.mark.parametrize("codec", ["libx264", "libx265", "libvpx-vp9", "libsvtav1"])
@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_films_of_a_few_frames_come_out(tmp_path, count, codec):
    source = make_film(tmp_path / "film.mp4", times=tuple(range(0, 40 * count, 40)))
    rewrite(source, tmp_path / "again.mp4", encoding=EncodingSettings(codec=codec))
    assert seconds(read(source)) == seconds(read(tmp_path / "again.mp4"))
    assert lengths(read(source)) == lengths(read(tmp_path / "again.mp4"))


@pytest.mark.parametrize("codec", ["libx264", "libx265", "libvpx-vp9", "ffv1", "libsvtav1"])
@pytest.mark.parametrize(
    "tags", [(9, 16, 9, 1), (1, 1, 1, 1), (2, 2, 2, 0), (5, 6, 5, 1), (9, 18, 9, 2)]
)
def test_colour_tags_come_through_unchanged(tmp_path, codec, tags):
    name = "yuv420p" if codec == "libvpx-vp9" else "yuv420p10le"
    source = make_film(
        tmp_path / "film.mkv", codec=codec, pixel_format=name, tags=tags, times=range(0, 120, 40)
    )
    rewrite(source, tmp_path / "again.mkv")
    assert film_traits(source).tags == film_traits(tmp_path / "again.mkv").tags


HDR = (
    "hdr10=1:log-level=none:max-cll=1000,400:master-display="
    "G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1)"
)


@pytest.mark.parametrize("ending", ["mp4", "mkv"])
def test_hdr10_data_come_through(tmp_path, ending):
    source = make_film(
        tmp_path / f"film.{ending}",
        codec="libx265",
        pixel_format="yuv420p10le",
        tags=(9, 16, 9, 1),
        options={"x265-params": HDR},
    )
    before = film_traits(source)
    assert before.light_level == (1000, 400)
    assert before.mastering is not None
    assert before.mastering.brightest_nits == 1000
    notes = rewrite(source, tmp_path / f"again.{ending}")
    after = film_traits(tmp_path / f"again.{ending}")
    assert notes == ()
    assert (after.mastering, after.light_level, after.tags) == (
        before.mastering,
        before.light_level,
        before.tags,
    )
    assert open_video(source).meaning.transfer == "pq"


@pytest.mark.parametrize("codec", ["libsvtav1", "libx264"])
def test_hdr10_data_reach_other_encoders_too(tmp_path, codec):
    source = make_film(
        tmp_path / "film.mkv",
        codec="libx265",
        pixel_format="yuv420p10le",
        tags=(9, 16, 9, 1),
        options={"x265-params": HDR},
    )
    rewrite(source, tmp_path / "again.mkv", encoding=EncodingSettings(codec=codec))
    after = film_traits(tmp_path / "again.mkv")
    assert after.light_level == (1000, 400)
    assert after.mastering is not None
    assert after.mastering.brightest_nits == pytest.approx(1000, rel=0.01)


def test_hdr10_data_that_get_lost_are_announced(tmp_path):
    source = make_film(
        tmp_path / "film.mkv",
        codec="libx265",
        pixel_format="yuv420p10le",
        options={"x265-params": HDR},
    )
    notes = rewrite(source, tmp_path / "again.mkv", encoding=EncodingSettings(codec="ffv1"))
    assert any("HDR10" in note for note in notes)


@pytest.mark.parametrize("ending", ["mp4", "mov", "mkv"])
@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_rotation_is_carried_once_and_not_applied(tmp_path, ending, degrees):
    def turn(_, stream):
        stream.set_display_rotation(degrees)

    source = make_film(tmp_path / f"film.{ending}", prepare=turn)
    assert film_traits(source).display_matrix is not None
    rewrite(source, tmp_path / f"again.{ending}")
    assert (
        film_traits(tmp_path / f"again.{ending}").display_matrix
        == film_traits(source).display_matrix
    )
    assert open_video(tmp_path / f"again.{ending}").size == open_video(source).size


def test_a_container_without_rotation_says_so(tmp_path):
    source = make_film(
        tmp_path / "film.mp4", prepare=lambda _, stream: stream.set_display_rotation(90)
    )
    assert any("rotation" in note for note in rewrite(source, tmp_path / "film.ts"))


@pytest.mark.parametrize("ending", ["mp4", "mkv", "ts"])
def test_sample_aspect_is_kept(tmp_path, ending):
    def widen(_, stream):
        stream.codec_context.sample_aspect_ratio = Fraction(64, 45)

    source = make_film(tmp_path / f"film.{ending}", prepare=widen)
    assert film_traits(source).sample_aspect == Fraction(64, 45)
    rewrite(source, tmp_path / f"again.{ending}")
    assert film_traits(tmp_path / f"again.{ending}").sample_aspect == Fraction(64, 45)


@pytest.mark.parametrize("size", [(361, 641), (361, 640), (360, 641)])
@pytest.mark.parametrize("ending", ["mkv", "mp4"])
def test_odd_sizes_keep_every_row_and_column_and_the_encoder_changes_aloud(tmp_path, size, ending):
    source = make_film(tmp_path / "film.mkv", codec="ffv1", size=size, times=range(0, 160, 40))
    settings = EncodingSettings()
    film = open_video(source)
    traits = film.traits.__class__(**{**film.traits.__dict__, "codec": "h264", "lossless": False})
    film.traits = traits
    target = tmp_path / f"again.{ending}"
    with open_writer(film, target, encoding=settings) as writer:
        for frame in film.frames():
            writer.write(frame)
    assert any("cannot hold" in note and "used instead" in note for note in writer.notes)
    assert open_video(target).size == size
    assert open_video(target).layout == film.layout
    assert worst_psnr(read(source), read(target)) > 38


def test_asking_for_an_encoder_that_cannot_says_so_before_work(tmp_path):
    source = make_film(tmp_path / "film.mkv", codec="ffv1", size=(361, 641), times=(0, 40))
    with pytest.raises(OutputError, match="cannot hold this film"):
        rewrite(
            source,
            tmp_path / "again.mkv",
            encoding=EncodingSettings(codec="libx264", pix_fmt="yuv420p"),
        )
    assert not (tmp_path / "again.mkv").exists()


def test_an_unknown_encoder_or_format_is_named(tmp_path):
    source = make_film(tmp_path / "film.mkv")
    target = tmp_path / "again.mkv"
    with pytest.raises(MissingError, match="libx999"):
        rewrite(source, target, encoding=EncodingSettings(codec="libx999"))
    with pytest.raises(UsageError, match="yuv999"):
        rewrite(source, target, encoding=EncodingSettings(pix_fmt="yuv999"))
    with pytest.raises(UsageError, match="does not take"):
        rewrite(source, target, encoding=EncodingSettings(pix_fmt="gbrp"))


def test_a_prores_of_an_eight_bit_film_is_converted_aloud(tmp_path):
    source = make_film(tmp_path / "film.mp4", size=(96, 128))
    notes = rewrite(source, tmp_path / "film.mov", encoding=EncodingSettings(codec="prores"))
    assert any("converted to yuv422p10le" in note for note in notes)
    one, other = read(source), read(tmp_path / "film.mov")
    assert seconds(one) == seconds(other)
    for before, after in zip(one, other, strict=True):
        luma = after.picture.planes[0].astype(float) / 4
        assert abs(luma - before.picture.planes[0]).mean() < 1.5


@pytest.mark.parametrize("first", ["tff", "bff"])
def test_interlaced_film_is_written_interlaced(tmp_path, first):
    options = {"x264-params": f"{first}=1"}
    source = make_film(tmp_path / "film.mkv", times=range(0, 1200, 40), options=options)
    rewrite(source, tmp_path / "again.mkv")
    before, after = film_traits(source), film_traits(tmp_path / "again.mkv")
    assert before.field_order == after.field_order > 1
    assert any("interlaced" in note for note in open_video(tmp_path / "again.mkv").notes)


def test_quality_and_options_reach_the_encoder(tmp_path):
    source = make_film(tmp_path / "film.mp4", size=(144, 192), times=range(0, 1200, 40))
    fine, coarse = tmp_path / "fine.mp4", tmp_path / "coarse.mp4"
    rewrite(source, fine, encoding=EncodingSettings(crf=10))
    rewrite(source, coarse, encoding=EncodingSettings(options=(("crf", "45"),)))
    assert fine.stat().st_size > 1.5 * coarse.stat().st_size


def test_grey_film_in_a_lossy_codec_stays_grey(tmp_path):
    source = make_film(tmp_path / "film.mkv", codec="libx265", pixel_format="gray")
    rewrite(source, tmp_path / "again.mkv")
    assert open_video(tmp_path / "again.mkv").layout.family == "grey"


def test_transparency_that_gets_lost_is_announced(tmp_path):
    source = make_film(tmp_path / "film.mkv", codec="ffv1", pixel_format="yuva420p")
    notes = rewrite(
        source,
        tmp_path / "again.mkv",
        encoding=EncodingSettings(codec="libx264", pix_fmt="yuv420p"),
    )
    assert any("transparency" in note for note in notes)


def test_arrays_become_a_film_any_player_shows(tmp_path):
    ramp = np.linspace(0, 1, 64, dtype=np.float32)
    pixels = np.broadcast_to(ramp[None, None, :, None], (6, 48, 64, 3))
    film = ArraySource(Clip.at_rate(np.ascontiguousarray(pixels * 255).astype(np.uint8), fps=24))
    with open_writer(film, tmp_path / "film.mp4") as writer:
        for frame in film.frames():
            writer.write(frame)
    assert any("converted to yuv420p" in note for note in writer.notes)
    with av.open(str(tmp_path / "film.mp4")) as container:
        back = next(container.decode(video=0)).to_ndarray(format="rgb24")
    assert abs(back.astype(float) - pixels[0] * 255).mean() < 3


def test_nothing_of_ffmpegs_chatter_reaches_the_terminal(tmp_path, capfd):
    for codec in ("libx264", "libsvtav1"):
        source = make_film(tmp_path / f"{codec}.mkv", codec="ffv1", times=(0, 40, 80))
        capfd.readouterr()
        rewrite(source, tmp_path / f"{codec}2.mkv", encoding=EncodingSettings(codec=codec))
        out, err = capfd.readouterr()
        assert (out, err) == ("", "")
    rewrite(source, tmp_path / "x265.mkv", encoding=EncodingSettings(codec="libx265"))
    out, err = capfd.readouterr()
    assert out == ""
    assert "x265 [info]" not in err


@pytest.mark.skipif("UNFLICKER_DATA" not in os.environ, reason="needs the shared clips")
def test_a_real_film_of_uneven_rate_keeps_its_times(tmp_path):
    from pathlib import Path

    source = Path(os.environ["UNFLICKER_DATA"]) / "cuts" / "goldeneye-vfr-drop3.mp4"
    rewrite(source, tmp_path / "again.mp4")
    one, other = read(source), read(tmp_path / "again.mp4")
    assert seconds(one) == seconds(other)
    assert lengths(one) == lengths(other)
    assert worst_psnr(one, other) > 45


@pytest.mark.parametrize("codec", ["jpeg2000", "mjpeg", "ffv1"])
def test_a_program_stream_refuses_codecs_that_its_standard_lacks(tmp_path, codec):
    source = make_film(tmp_path / "film.mp4")
    encoding = EncodingSettings(codec=codec)
    with pytest.raises(OutputError, match=r"cannot hold this film"):
        open_writer(open_video(source), tmp_path / "result.mpg", encoding=encoding)
    assert rewrite(source, tmp_path / "result.mkv", encoding=encoding) is not None
