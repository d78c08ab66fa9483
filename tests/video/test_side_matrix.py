"""Every sound codec that FFmpeg writes, in every container that we write: kept, or named before."""

from fractions import Fraction

import av
import numpy as np
import pytest
from av.codec.codec import Codec, codecs_available
from made_films import make_film, moving, rewrite

from unflicker.video.source import open_video
from unflicker.video.target import CONTAINERS
from unflicker.video.writer import open_writer

FRAMES, SECONDS = 8, 8 / 25
SOURCES = {"matroska": "mkv", "mov": "mov", "avi": "avi", "nut": "nut", "mpeg": "mpg"}
ENDINGS = (
    "mp4",
    "m4v",
    "mov",
    "3gp",
    "mkv",
    "webm",
    "avi",
    "ts",
    "m2ts",
    "flv",
    "mxf",
    "nut",
    "mpg",
)
PCM = ("pcm_s16le", "pcm_s24le", "pcm_s16be", "pcm_u8", "pcm_alaw", "pcm_dvd", "pcm_s16le_planar")
"""One of each way to store plain samples; the others were tried once and behave alike."""
MUST_KEEP = {
    ("mp2", "ts"), ("mp2", "mp4"), ("mp2", "mkv"), ("mp3", "ts"), ("aac", "ts"), ("aac", "m2ts"),
    ("pcm_s16le", "mxf"), ("pcm_s24le", "mxf"), ("pcm_s24le", "mp4"), ("pcm_s16le", "mkv"),
    ("ac3", "ts"), ("eac3", "mp4"), ("flac", "mp4"), ("opus", "webm"), ("pcm_dvd", "mpg"),
}  # fmt: skip


def sounds():
    """Encoders of sound, one for each codec."""
    found = {}
    for name in sorted(codecs_available):
        try:
            codec = Codec(name, "w")
        except ValueError:
            continue
        if codec.type == "audio" and (name in PCM or not name.startswith("pcm_")):
            found.setdefault(codec.canonical_name, codec)
    return found


def heard(path):
    """Codec and seconds of the first sound; None if there is none."""
    with av.open(str(path)) as container:
        if not container.streams.audio or container.streams.audio[0].codec_context is None:
            return None
        stream, seconds = container.streams.audio[0], 0.0
        for packet in container.demux(stream):
            try:
                seconds += sum(frame.samples / frame.sample_rate for frame in packet.decode())
            except av.FFmpegError:
                continue
        return stream.codec_context.codec.canonical_name, seconds


def film_with(codec, path, form, *, layout="stereo", rate=None):
    """A film with a tone in a codec."""
    rates = codec.audio_rates
    rate = rate or (48_000 if not rates or 48_000 in rates else max(rates))
    sample = codec.audio_formats[0].name if codec.audio_formats else "s16"
    with av.open(str(path), "w", format=form) as container:
        pictures = container.add_stream("mpeg4", rate=25)
        pictures.width, pictures.height, pictures.pix_fmt = 64, 48, "yuv420p"
        stream = container.add_stream(codec.name, rate=rate, options={"strict": "-2"})
        stream.codec_context.layout, stream.codec_context.format = layout, sample
        stream.codec_context.open()
        for index in range(FRAMES):
            frame = moving("yuv420p", width=64, height=48, index=index)
            frame.pts, frame.time_base = index, Fraction(1, 25)
            container.mux(pictures.encode(frame))
        container.mux(pictures.encode(None))
        wave = (np.sin(np.arange(int(rate * SECONDS)) * 2764 / rate) * 8000).astype(np.int16)
        tone = av.AudioFrame.from_ndarray(
            np.repeat(wave, 2 if layout == "stereo" else 1)[None], "s16", layout
        )
        tone.sample_rate, tone.pts, tone.time_base = rate, 0, Fraction(1, rate)
        size = stream.codec_context.frame_size or 1024
        maker = av.AudioResampler(sample, layout, rate, frame_size=size)
        for frame in (*maker.resample(tone), *maker.resample(None)):
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return heard(path)


def source_of(codec, folder):
    """A film with this sound in a container that gives it back whole, or None."""
    for form, ending in SOURCES.items():
        for more in ({}, {"layout": "mono", "rate": 8000}):
            path = folder / f"source.{ending}"
            try:
                found = film_with(codec, path, form, **more)
            except (ValueError, OSError, av.FFmpegError):
                continue
            if found and found[0] == codec.canonical_name and found[1] > 0.8 * SECONDS:
                return path, found
    return None


@pytest.mark.parametrize("name", sorted(sounds()))
def test_sound_is_kept_in_full_or_named_before_work_starts(tmp_path, name):
    found = source_of(sounds()[name], tmp_path)
    if found is None:
        assert name not in {codec for codec, _ in MUST_KEEP}
        pytest.skip("no container that we write gives it back")
    source, (_, seconds) = found
    for ending in ENDINGS:
        target = tmp_path / f"result.{ending}"
        notes = open_writer(open_video(source), target).notes
        if any("audio stream" in note and "left out" in note for note in notes):
            assert (name, ending) not in MUST_KEEP
            continue
        rewrite(source, target)
        after = heard(target)
        assert after is not None, ending
        assert after[1] > seconds - 0.06, ending


def test_every_container_is_in_the_matrix():
    kinds = {CONTAINERS[f".{ending}"] for ending in ENDINGS}
    assert kinds == set(CONTAINERS.values())


def test_data_are_kept_or_named(tmp_path):
    def add(container, _):
        klv = container.add_data_stream("klv")
        klv.time_base = Fraction(1, 90_000)

        def play(container):
            for index in range(10):
                packet = av.Packet(b"\x06\x0e\x2b\x34" + bytes(20))
                packet.stream, packet.pts, packet.dts = klv, index * 3600, index * 3600
                packet.time_base = Fraction(1, 90_000)
                container.mux(packet)

        return play

    source = make_film(tmp_path / "film.ts", prepare=add)
    with av.open(str(source)) as container:
        assert [stream.type for stream in container.streams] == ["video", "data"]
    for ending in ENDINGS:
        target = tmp_path / f"result.{ending}"
        if ending == "mpg":
            continue
        notes = rewrite(source, target, overwrite=True)
        named = any("data stream" in note for note in notes)
        with av.open(str(target)) as container:
            kept = any(stream.type == "data" for stream in container.streams)
        assert kept != named, (ending, notes)
        assert kept or ending != "ts"
