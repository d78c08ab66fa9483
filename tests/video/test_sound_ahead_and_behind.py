"""Sound that begins before or after the pictures: at its time in every container, or named."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from made_films import make_film

from unflicker.settings import EncodingSettings
from unflicker.video import open_video, open_writer
from unflicker.video.target import CONTAINERS

RATE = 48_000
BLOCK = 1152
ENDINGS = {kind: ending for ending, kind in reversed(CONTAINERS.items())}
TOLERANCE_SECONDS = 0.03
"""A block of sound, and the priming of a decoder."""


def film(path: Path, *, codec: str, offset_ms: int, length_ms: int = 1200) -> Path:
    """Pictures from a second on, and a tone that begins so much later, or earlier."""

    def prepare(container, _):
        stream = container.add_stream(codec, rate=RATE)
        stream.codec_context.layout = "stereo"

        def play(container):
            first = round((1000 + offset_ms) * RATE / 1000)
            for at in range(0, round(length_ms * RATE / 1000) - BLOCK, BLOCK):
                wave = 0.2 * np.sin(2 * np.pi * 440 * np.arange(at, at + BLOCK) / RATE)
                samples = np.repeat((wave * 32767).astype(np.int16), 2)[None]
                frame = av.AudioFrame.from_ndarray(samples, "s16", "stereo")
                frame.sample_rate, frame.time_base = RATE, Fraction(1, RATE)
                frame.pts = first + at
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))

        return play

    return make_film(path, times=range(1000, 2000, 40), prepare=prepare)


def offset_seconds(path: Path, *, number: int = 0) -> float | None:
    """How much later than a picture the sound begins; None without sound."""
    with av.open(str(path)) as container:
        if not container.streams.audio:
            return None
        found: dict[str, list[float]] = {"video": [], "audio": []}
        for packet in container.demux(container.streams.video[0], container.streams.audio[0]):
            # AVI has no times but those of decoding; FFmpeg guesses others.
            ticks = packet.dts if path.suffix == ".avi" else packet.pts
            if packet.size:
                found[packet.stream.type].append(float((ticks or 0) * packet.time_base))
    return sorted(found["audio"])[0] - sorted(found["video"])[number]


@pytest.mark.parametrize("offset_ms", [-700, 0, 500, 4000])
@pytest.mark.parametrize("kind", sorted(ENDINGS))
@pytest.mark.parametrize("codec", ["pcm_s16le", "mp2"])
def test_sound_keeps_its_time_or_is_named(tmp_path, codec, kind, offset_ms):
    source = film(tmp_path / "film.mkv", codec=codec, offset_ms=offset_ms)
    target = tmp_path / f"result{ENDINGS[kind]}"
    steady = open_video(source)
    settings = EncodingSettings(codec="mpeg2video" if kind == "mpeg" else "")
    with open_writer(steady, target, encoding=settings) as writer:
        losses = writer.losses
        for frame in steady.frames():
            writer.write(frame)
    found = offset_seconds(target)
    if kind == "avi" and offset_ms < 0:
        # Its first picture is held until the second is due.
        assert any("first picture" in loss for loss in losses)
        assert offset_seconds(target, number=1) == pytest.approx(
            (offset_ms - 40) / 1000, abs=TOLERANCE_SECONDS
        )
        return
    if any("stream 1" in loss for loss in losses):
        left_out = any("left out" in loss for loss in losses)
        assert left_out or (kind in ("avi", "mxf") and offset_ms)
        assert left_out == (found is None)
        return
    assert found == pytest.approx(offset_ms / 1000, abs=TOLERANCE_SECONDS)


def kept_at(tmp_path, ending: str, offset_ms: int) -> bool:
    source = film(tmp_path / f"{offset_ms}.mkv", codec="mp2", offset_ms=offset_ms)
    with open_writer(open_video(source), tmp_path / f"result{offset_ms}{ending}") as writer:
        return writer.losses == ()


@pytest.mark.parametrize("ending", [".mp4", ".mov", ".ts", ".mkv"])
def test_sound_that_begins_late_is_not_left_out(tmp_path, ending):
    """It was, as a trial of the first frames saw none of it."""
    assert kept_at(tmp_path, ending, 0)
    assert kept_at(tmp_path, ending, 800)
    assert kept_at(tmp_path, ending, 30_000)


def test_windows_media_keep_their_sound_and_their_container(tmp_path):
    source = tmp_path / "film.wmv"

    def prepare(container, _):
        sound = container.add_stream("wmav2", rate=RATE)
        sound.bit_rate = 96_000
        sound.codec_context.layout = "stereo"

        def play(container):
            for at in range(0, RATE, 2048):
                wave = np.tile(0.2 * np.sin(np.arange(at, at + 2048) / 17), (2, 1))
                frame = av.AudioFrame.from_ndarray(wave.astype(np.float32), "fltp", "stereo")
                frame.sample_rate, frame.pts, frame.time_base = RATE, at, Fraction(1, RATE)
                container.mux(sound.encode(frame))

        return play

    make_film(source, codec="wmv2", container_format="asf", prepare=prepare)
    steady = open_video(source)
    with open_writer(steady, tmp_path / "result.wmv") as writer:
        assert writer.losses == ()
        for frame in steady.frames():
            writer.write(frame)
    with av.open(str(source)) as old, av.open(str(tmp_path / "result.wmv")) as new:
        packets = [[bytes(p) for p in one.demux(audio=0) if p.size] for one in (old, new)]
        assert packets[0] == packets[1]
        assert new.streams.video[0].codec_context.name == "wmv2"
    with open_writer(steady, tmp_path / "result.mkv") as writer:
        assert any("ending in .wmv may" in loss for loss in writer.losses)


@pytest.mark.parametrize(
    ("codec", "ending", "stores"),
    [
        ("libx264", ".mkv", True),
        ("libx264", ".avi", True),
        ("mpeg4", ".avi", False),
        ("ffv1", ".mkv", True),
        ("ffv1", ".avi", False),
        ("wmv2", ".wmv", False),
    ],
)
def test_colour_tags_that_do_not_come_back_are_named(tmp_path, codec, ending, stores):
    tagged = make_film(tmp_path / "film.mkv", tags=(9, 16, 9, 1))
    plain = make_film(tmp_path / "plain.mkv")
    for source, told in ((tagged, not stores), (plain, False)):
        target = tmp_path / f"result{ending}"
        with open_writer(
            open_video(source), target, encoding=EncodingSettings(codec=codec), overwrite=True
        ) as writer:
            assert any("colour tags" in loss for loss in writer.losses) == told, writer.losses
