"""Streams of raw video: y4m in, y4m out, the same pixels as a run by files."""

import io
import subprocess
import sys
import threading
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from made_clips import panning
from unflicker.errors import InputError, PartlyFailedError, UsageError
from unflicker.frames.clip import Clip, from_float
from unflicker.pipeline import run
from unflicker.rendering.latency import latency_frames, within_latency
from unflicker.rendering.options import RunOptions
from unflicker.rendering.pipes import PipeOptions, pipe
from unflicker.settings import Settings, replaced
from unflicker.synthesis import synthesise
from unflicker.video import ArraySource, PipeTarget, StreamTags, open_video
from unflicker.video.pixel_formats import planes_of, stored_format
from unflicker.video.raw_stream import Reader, colours_of, nearest

SIZE = (36, 64)
FORMATS = ["yuv420p", "yuv422p", "yuv444p", "yuv411p", "gray", "yuv420p10le", "yuv422p12le",
           "yuv444p16le", "gray16le", "yuv420p9le"]  # fmt: skip


def flickering(time: int = 24, size: tuple[int, int] = SIZE) -> np.ndarray:
    made = synthesise(panning(time=time, size=size), kind="exposure", seed=3).clip
    return from_float(made.as_float(), dtype=np.uint8)


def in_format(frames: np.ndarray, name: str) -> list[av.VideoFrame]:
    return [av.VideoFrame.from_ndarray(f, format="rgb24").reformat(format=name) for f in frames]


def y4m_of(frames: np.ndarray, name: str = "yuv420p", rate: Fraction = Fraction(25)) -> bytes:
    """A stream as FFmpeg writes it."""
    written = io.BytesIO()
    with av.open(written, "w", format="yuv4mpegpipe", options={"strict": "-1"}) as output:
        stream = output.add_stream("wrapped_avframe", rate=rate)
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = name
        for index, picture in enumerate(in_format(frames, name)):
            picture.pts, picture.time_base = index, 1 / rate
            output.mux(stream.encode(picture))
        output.mux(stream.encode(None))
    return written.getvalue()


def planes_in(stream: bytes) -> list[tuple[np.ndarray, ...]]:
    return list(Reader(io.BytesIO(stream)).pictures())


def planes_equal(one: bytes, other: bytes) -> bool:
    pairs = zip(planes_in(one), planes_in(other), strict=True)
    return all(
        np.array_equal(a, b) for first, second in pairs for a, b in zip(first, second, strict=True)
    )


def piped(given: bytes, settings: Settings, **options) -> bytes:
    written = io.BytesIO()
    pipe(io.BytesIO(given), written, settings=settings, **options)
    return written.getvalue()


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_of_ffmpeg_goes_through_bit_for_bit(name: str) -> None:
    given = y4m_of(flickering(4, (35, 63)), name)
    through = piped(given, Settings.from_preset("fast", strength=0.0))
    assert planes_equal(through, given)
    assert through.partition(b"\n")[0].split()[:3] == given.partition(b"\n")[0].split()[:3]
    with av.open(io.BytesIO(through)) as container:
        decoded = list(container.decode(video=0))
    assert [frame.format.name for frame in decoded] == [name] * 4
    expected = in_format(flickering(4, (35, 63)), name)
    for one, other in zip(decoded, expected, strict=True):
        for plane, original in zip(planes_of(one), planes_of(other), strict=True):
            np.testing.assert_array_equal(plane, original)


@pytest.mark.parametrize("usual", ["fast", "standard"], indirect=True)
def test_a_stream_gives_the_pixels_of_a_run(usual: Settings, tmp_path: Path) -> None:
    settings = replaced(usual, {"window.frames": 16, "window.overlap_frames": 4})
    given = y4m_of(flickering(40))
    source, result = tmp_path / "film.y4m", tmp_path / "film.mkv"
    source.write_bytes(given)
    run(source, result, settings=replaced(settings, {"encoding.codec": "ffv1"}))
    steady = planes_in(piped(given, settings))
    assert not np.array_equal(steady[1][0], planes_in(given)[1][0])
    for planes, frame in zip(steady, open_video(result).frames(), strict=True):
        for one, other in zip(planes, frame.picture.planes, strict=True):
            np.testing.assert_array_equal(one, other)
    from_file = io.BytesIO()
    pipe(source, from_file, settings=settings)
    assert planes_equal(from_file.getvalue(), piped(given, settings))


def test_a_stream_becomes_a_film_as_a_file_does(tmp_path: Path) -> None:
    given, settings = y4m_of(flickering(20), rate=Fraction(30)), Settings.from_preset("fast")
    pipe(io.BytesIO(given), tmp_path / "film.mkv", settings=settings)
    film = open_video(tmp_path / "film.mkv")
    steady = planes_in(piped(given, settings))
    assert float(film.rate) == pytest.approx(30.0)
    for planes, frame in zip(steady, film.frames(), strict=True):
        difference = frame.picture.planes[0].astype(int) - planes[0]
        assert np.abs(difference).mean() < 2.0  # encoded with loss


def test_what_a_stream_tells_comes_back_and_tags_replace_it() -> None:
    _, _, rest = y4m_of(flickering(2)).partition(b"\n")
    told = b"YUV4MPEG2 W64 H36 F30000:1001 It A4:3 C420mpeg2 XFOO XCOLORRANGE=FULL"
    settings = Settings.from_preset("fast")
    assert piped(told + b"\n" + rest, settings).partition(b"\n")[0] == told
    tags = StreamTags.of({"rate": "24", "fields": "bottom", "range": "limited", "matrix": "bt709"})
    out = piped(told + b"\n" + rest, settings, stream=PipeOptions(tags=tags))
    assert out.partition(b"\n")[0].split() == [
        b"YUV4MPEG2", b"W64", b"H36", b"F24:1", b"Ib", b"A4:3", b"C420mpeg2", b"XFOO",
        b"XCOLORRANGE=LIMITED",
    ]  # fmt: skip
    for wrong in ({"matrix": "bt7"}, {"colour": "red"}, {"rate": "0"}, {"rate": "often"}):
        with pytest.raises(UsageError, match="pass"):
            StreamTags.of(wrong)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (b"", "is empty"),
        (b"\x00\x00\x00\x18ftypmp42" * 40, "no y4m"),
        (b"YUV4MPEG2 W64 F25:1\n", "None px"),
        (b"YUV4MPEG2 W64 H36 C420p11\n", "C420p11"),
        (b"YUV4MPEG2 W64 H36 F25:1\n", "no picture"),
        (b"YUV4MPEG2 W64 H36 F25:1\nFRAME\nshort", "within a frame"),
    ],
)
def test_what_is_no_stream_is_refused(given: bytes, says: str) -> None:
    with pytest.raises(InputError, match=says):
        piped(given, Settings.from_preset("fast"))


@pytest.mark.parametrize("end", [b"FRAME\nhalf", b"FRAMF\n"])
def test_a_broken_stream_is_written_up_to_there_and_told(end: bytes) -> None:
    given, written = y4m_of(flickering(5)), io.BytesIO()
    with pytest.raises(PartlyFailedError, match="first 5 frames"):
        pipe(io.BytesIO(given + end), written, settings=Settings.from_preset("fast"))
    assert len(planes_in(written.getvalue())) == 5


@pytest.mark.parametrize(
    ("seconds", "usual"), [(1.0, "standard"), (None, "fast")], indirect=["usual"]
)
def test_no_more_is_read_ahead_than_is_told(seconds: float | None, usual: Settings) -> None:
    """A live source that waits for the first result after so many frames gets it."""
    settings = usual
    if seconds is None:
        latency = latency_frames(settings)
    else:
        latency = latency_frames(within_latency(settings, seconds=seconds, fps=25.0))
        assert latency <= seconds * 25
    assert latency > 20
    frames = np.concatenate([flickering()] * 5)[: latency + 10]
    given, come = y4m_of(frames), threading.Event()

    class Live(io.BytesIO):
        def read(self, count: int = -1, /) -> bytes:
            frame = 6 + 64 * 36 * 3 // 2
            if self.tell() >= len(given.partition(b"\n")[0]) + 1 + latency * frame:
                assert come.wait(60.0), "the first result was waited for"
            return super().read(count)

    class Written(io.BytesIO):
        def write(self, data, /) -> int:
            if bytes(data[:5]) == b"FRAME":
                come.set()
            return super().write(data)

    written, stream = Written(), PipeOptions(latency_seconds=seconds)
    done = pipe(Live(given), written, settings=settings, stream=stream)
    assert (done.frames, done.latency_frames) == (latency + 10, latency)


def test_a_latency_that_is_not_kept_is_refused() -> None:
    stream, options = PipeOptions(latency_seconds=2.0), RunOptions(jobs=2)
    settings = Settings.from_preset("fast")
    with pytest.raises(UsageError, match="leave out --jobs"):
        piped(b"", settings, stream=stream, options=options)
    with pytest.raises(UsageError, match=r"pass 0\.68 or more"):
        within_latency(Settings.from_preset("standard"), seconds=0.5, fps=25.0)


def test_rgb_and_transparency_become_what_y4m_holds() -> None:
    frames = np.full((3, 36, 64, 3), (200, 40, 90), np.uint8)
    written = io.BytesIO()
    film = ArraySource(Clip.at_rate(frames, fps=25.0))
    target = PipeTarget(film=film, target=written)
    for frame in film.frames():
        target.write(frame.picture)
    assert "converted to yuv444p10le" in target.notes[0]
    with av.open(io.BytesIO(written.getvalue())) as container:
        picture = next(container.decode(video=0)).to_ndarray(format="rgb24")
    assert np.abs(picture.astype(int) - frames[0]).max() <= 2


@pytest.mark.parametrize(
    ("name", "nearest_name"),
    [("yuva420p", "420jpeg"), ("yuv440p", "444"), ("gbrp16le", "444p16"), ("ya16le", "mono16"),
     ("yuv410p", "420jpeg"), ("gray14le", "mono16")],
)  # fmt: skip
def test_other_layouts_are_widened_no_further_than_needed(name: str, nearest_name: str) -> None:
    assert colours_of(nearest(stored_format(name).layout)) == nearest_name


PROGRAM = [sys.executable, "-c", "from unflicker.cli import main; main()"]


def test_the_program_is_a_filter_in_a_shell_pipe() -> None:
    given = y4m_of(flickering(30))
    done = subprocess.run(
        [*PROGRAM, "-", "-o", "-"], input=given, capture_output=True, check=True, timeout=300
    )
    assert planes_equal(done.stdout, piped(given, Settings.from_preset("fast")))
    assert done.stderr.decode().splitlines()[-1].startswith("30 frames, read 94 ahead")


def test_the_program_ends_silently_when_its_reader_has_ended() -> None:
    with subprocess.Popen(
        [*PROGRAM, "-", "-o", "-", "-q"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        process.stdin.write(y4m_of(flickering(110)))
        process.stdin.flush()  # more may follow: the program must not wait for it
        assert process.stderr.read() == b""
        assert process.wait(60) == 1
