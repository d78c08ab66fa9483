"""The promises to users, each end to end: a film goes in by its name, and comes out by its name.

What concerns reading and writing alone is tested in `video`; here frames really change on the way.
"""

import os
import subprocess
import sys
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import cv2
import made_films
import numpy as np
import pytest
from made_films import make_film, read, same_samples, seconds

import unflicker
from made_clips import panning, psnr
from unflicker import RunOptions
from unflicker.errors import Cancelled, InputError, OutputError
from unflicker.frames.clip import Clip
from unflicker.frames.colour import to_rgb
from unflicker.settings import EncodingSettings, Settings
from unflicker.synthesis import synthesise
from unflicker.video import ArraySource, open_video, open_writer

pytestmark = pytest.mark.parametrize("usual", ["fast", "standard"], indirect=True)
"""Every law of this file holds in both presets."""

COUNT = 14
EVEN = tuple(range(0, 40 * COUNT, 40))
UNEVEN_TIMES = tuple(np.cumsum([0, 40, 55, 25, 40, 173, 7, 160, 40, 160, 40, 40, 90, 33]).tolist())
SIZE = (72, 96)


def flickering(name: str, *, width: int, height: int, index: int) -> Any:
    """A still texture whose light alternates irregularly; in any pixel format."""
    frame = av.VideoFrame(width, height, name)
    layout = made_films.stored_format(name).layout
    texture = np.random.default_rng(8).uniform(0.25, 0.6, (height, width))
    gain = 1.0 + 0.16 * np.sin(index * 2.3) * np.cos(index * 0.7)
    for number, plane in enumerate(frame.planes):
        sample = np.uint8 if layout.depth == 8 else np.uint16
        samples = np.frombuffer(plane, sample)
        rows = samples.reshape(plane.height, -1)
        coloured = layout.family == "yuv" and number > 0
        for y in range(rows.shape[0]):
            light = np.resize(texture[y % height], rows.shape[1]) * gain
            rows[y] = (np.full_like(light, 0.5) if coloured else light) * ((1 << layout.depth) - 1)
    return frame


@pytest.fixture
def flickers(monkeypatch) -> None:
    """Films made in this test flicker."""
    monkeypatch.setattr(made_films, "moving", flickering)


def levels(frames: list) -> np.ndarray:
    return np.array([np.mean(frame.picture.planes[0], dtype=float) for frame in frames])


def rough(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.diff(np.log(values), 2) ** 2)))


def write(path: Path, pixels: np.ndarray, **encoding: Any) -> Path:
    film = ArraySource(Clip.at_rate(pixels, fps=24))
    settings = EncodingSettings(**{"codec": "ffv1", "pix_fmt": "bgr0"} | encoding)
    with open_writer(film, path, encoding=settings) as writer:
        for frame in film.frames():
            writer.write(frame)
    return path


SPECIAL: dict[str, tuple[str, dict[str, Any]]] = {
    "uneven times": ("mkv", {"times": UNEVEN_TIMES}),
    "uneven times in mp4": ("mp4", {"times": UNEVEN_TIMES}),
    "a late start": ("mp4", {"times": [t + 1400 for t in EVEN]}),
    "10 bit HDR": (
        "mkv",
        {
            "codec": "libx265",
            "pixel_format": "yuv420p10le",
            "tags": (9, 16, 9, 1),
            "options": {"crf": "8"},
        },
    ),
    "12 bit lossless": ("mkv", {"codec": "ffv1", "pixel_format": "yuv422p12le"}),
    "an odd size": ("mkv", {"codec": "ffv1", "size": (71, 95)}),
    "an odd size in H.264": ("mp4", {"size": (71, 95), "pixel_format": "yuv444p"}),
    "grey": ("mkv", {"codec": "ffv1", "pixel_format": "gray", "size": (72, 128)}),
    "grey of 16 bit": ("mkv", {"codec": "ffv1", "pixel_format": "gray16le"}),
    "transparency": ("mkv", {"codec": "ffv1", "pixel_format": "yuva420p"}),
    "RGB": ("mkv", {"codec": "ffv1", "pixel_format": "gbrp10le"}),
    "full range": ("mp4", {"pixel_format": "yuvj420p", "tags": (1, 1, 1, 2)}),
    "a name": ("mkv", {}),
}


@pytest.mark.parametrize("special", SPECIAL)
def test_whatever_is_special_about_a_film_stays_and_its_flicker_goes(tmp_path, flickers, special):
    ending, arguments = SPECIAL[special]
    arguments = {"times": EVEN, "size": SIZE, "options": {"crf": "4"}} | arguments
    if arguments.get("codec") == "ffv1":
        arguments["options"] = {}
    name = 'it\'s "quoted" & ünï 🎞' if special == "a name" else "film"
    source = make_film(tmp_path / f"{name}.{ending}", **arguments)
    record = unflicker.run(source)
    target = tmp_path / f"{name}_unflickered.{ending}"
    assert Path(record.output) == target
    before, after = open_video(source), open_video(target)
    frames, steady = list(before.frames()), list(after.frames())
    assert seconds(steady) == seconds(frames)
    assert (after.size, after.layout, after.meaning) == (before.size, before.layout, before.meaning)
    for part in ("codec", "pixel_format", "tags", "sample_aspect", "lossless"):
        assert getattr(after.traits, part) == getattr(before.traits, part)
    assert rough(levels(steady)) < 0.35 * rough(levels(frames))
    if before.layout.alpha:
        for one, other in zip(frames, steady, strict=True):
            np.testing.assert_array_equal(one.picture.planes[-1], other.picture.planes[-1])


def test_sound_subtitles_and_rotation_come_through_a_correction(tmp_path, flickers):
    def prepare(container, stream):
        stream.set_display_rotation(90)
        tracks = [container.add_stream("aac", rate=48_000) for _ in range(2)]
        for track, language in zip(tracks, ("eng", "fra"), strict=True):
            track.metadata["language"] = language

        def play(_):
            for pitch, track in enumerate(tracks, start=1):
                for block in range(20):
                    times = (np.arange(1024) + block * 1024) / 48_000
                    wave = np.tile(np.sin(times * 2000 * pitch).astype(np.float32), (2, 1))
                    sound = av.AudioFrame.from_ndarray(wave, "fltp", "stereo")
                    sound.sample_rate, sound.pts = 48_000, block * 1024
                    sound.time_base = Fraction(1, 48_000)
                    container.mux(track.encode(sound))
                container.mux(track.encode(None))

        return play

    source = make_film(tmp_path / "film.mp4", times=EVEN, size=SIZE, prepare=prepare)
    unflicker.run(source, tmp_path / "out.mp4")
    heard = [packets(path) for path in (source, tmp_path / "out.mp4")]
    assert heard[0] == heard[1]
    assert [language for language, _ in heard[1]] == ["eng", "fra"]
    matrices = [open_video(p).traits.display_matrix for p in (source, tmp_path / "out.mp4")]
    assert matrices[0] is not None
    assert matrices[0] == matrices[1]
    assert rough(levels(read(tmp_path / "out.mp4"))) < 0.35 * rough(levels(read(source)))


def packets(path: Path) -> list[tuple[str | None, list[bytes]]]:
    """Language and packets of each sound track."""
    with av.open(str(path)) as container:
        tracks = container.streams.audio
        found: dict[int, list[bytes]] = {track.index: [] for track in tracks}
        for packet in container.demux(tracks):
            if packet.size:
                found[packet.stream.index].append(bytes(packet))
        return [(track.metadata.get("language"), found[track.index]) for track in tracks]


def test_two_constant_shots_joined_come_out_bit_equal(tmp_path):
    frames = np.full((16, *SIZE, 3), 60, np.uint8)
    frames[8:] = 180
    source = write(tmp_path / "film.mkv", frames)
    record = unflicker.run(source, tmp_path / "out.mkv")
    assert same_samples(read(source), read(tmp_path / "out.mkv"))
    assert [(shot.start, shot.stop) for shot in record.shots] == [(0, 8), (8, 16)]


def test_a_shot_comes_out_the_same_whatever_it_is_joined_to():
    one, two = (
        synthesise(panning(time=16, size=SIZE, seed=seed), kind="exposure", seed=seed).clip.pixels
        for seed in (1, 2)
    )
    joined = unflicker.deflicker(np.concatenate([one, two]))
    np.testing.assert_array_equal(joined[:16], unflicker.deflicker(one))
    np.testing.assert_array_equal(joined[16:], unflicker.deflicker(two))
    assert (joined[:16] != one).any()


@pytest.mark.parametrize("codec", ["ffv1", "libx264"])
def test_a_steady_film_comes_back(tmp_path, codec):
    clip = panning(time=20, size=SIZE).pixels
    lossy = {} if codec == "ffv1" else {"pix_fmt": "yuv444p", "crf": 2.0}
    source = write(tmp_path / "film.mkv", clip, codec=codec, **lossy)
    record = unflicker.run(source, tmp_path / "out.mkv")
    before, after = read(source), read(tmp_path / "out.mkv")
    assert record.shots[0].diagnosis.kind == "none"
    if codec == "ffv1":
        assert same_samples(before, after)
    else:
        assert made_films.worst_psnr(before, after) > 44
    assert not record.correction_stops.any()


@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv422p10le", "gray", "bgr0", "yuva420p"])
def test_no_strength_is_bit_exact(tmp_path, flickers, pixel_format):
    made = {"codec": "ffv1", "pixel_format": pixel_format, "times": EVEN, "size": SIZE}
    if pixel_format == "bgr0":
        source = write(tmp_path / "film.mkv", np.repeat(panning(time=1, size=SIZE).pixels, 9, 0))
    else:
        source = make_film(tmp_path / "film.mkv", **made)
    unflicker.run(source, tmp_path / "out.mkv", settings=Settings.from_preset("fast", strength=0.0))
    assert same_samples(read(source), read(tmp_path / "out.mkv"))


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("level", [0, 128, 255])
def test_films_of_few_constant_frames_come_back(tmp_path, count, level):
    source = write(tmp_path / "film.mkv", np.full((count, *SIZE, 3), level, np.uint8))
    unflicker.run(source, tmp_path / "out.mkv")
    assert same_samples(read(source), read(tmp_path / "out.mkv"))


@pytest.mark.parametrize("count", [1, 2])
def test_films_of_one_and_two_frames_come_back_whatever_their_light(tmp_path, flickers, count):
    source = make_film(tmp_path / "film.mkv", codec="ffv1", times=EVEN[:count], size=SIZE)
    unflicker.run(source, tmp_path / "out.mkv")
    assert same_samples(read(source), read(tmp_path / "out.mkv"))


def test_a_fade_stays_and_what_pulses_faster_than_asked_goes(tmp_path):
    clip = panning(time=60, size=SIZE, dtype=np.float32).pixels
    fade = np.linspace(1.0, 0.4, 60, dtype=np.float32)[:, None, None, None]
    assert psnr(unflicker.deflicker(clip * fade), clip * fade) >= 45
    pulse = 1 + 0.1 * np.sin(2 * np.pi * np.arange(60, dtype=np.float32) / 20)
    pulsing = np.clip(clip * pulse[:, None, None, None], 0, 1).astype(np.float32)
    left = {}
    for slower in (0.3, 4.0):
        settings = Settings.from_preset("fast", keep_slower_than_seconds=slower)
        out = unflicker.deflicker(pulsing, fps=24.0, settings=settings)
        left[slower] = np.std((out.mean((1, 2, 3)) / clip.mean((1, 2, 3)))[10:-10])
    assert left[0.3] > 0.05
    assert left[4.0] < 0.5 * left[0.3]


def test_no_ffmpeg_and_no_network_are_needed(tmp_path):
    source = write(tmp_path / "film.mkv", np.full((3, *SIZE, 3), 90, np.uint8))
    program = (
        "import socket, sys\n"
        "def refuse(*_, **__): raise OSError('no network')\n"
        "socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse\n"
        "import unflicker\n"
        "unflicker.run(sys.argv[1], sys.argv[2])\n"
        "assert 'torch' not in sys.modules\n"
    )
    command = [sys.executable, "-c", program, str(source), str(tmp_path / "out.mkv")]
    environment = {k: v for k, v in os.environ.items() if k != "PATH"} | {"PATH": "/nonexistent"}
    subprocess.run(command, check=True, env=environment)
    assert len(read(tmp_path / "out.mkv")) == 3


def test_the_original_and_an_earlier_output_stay_as_they_are(tmp_path, flickers):
    source = make_film(tmp_path / "film.mkv", codec="ffv1", times=EVEN, size=SIZE)
    bytes_before = source.read_bytes()
    earlier = tmp_path / "out.mkv"
    earlier.write_text("an earlier output")
    with pytest.raises(OutputError, match="overwrite"):
        unflicker.run(source, earlier)
    with pytest.raises(OutputError):
        unflicker.run(source, source, options=RunOptions(overwrite=True))
    assert earlier.read_text() == "an earlier output"

    def stop(progress):
        if progress.done == 5:
            raise Cancelled("stop")

    options = RunOptions(overwrite=True)
    with pytest.raises(Cancelled):
        unflicker.run(source, earlier, options=options, progress=stop)
    assert earlier.read_text() == "an earlier output"
    unflicker.run(source, earlier, options=options)
    assert len(read(earlier)) == COUNT
    assert source.read_bytes() == bytes_before
    assert sorted(file.name for file in tmp_path.iterdir()) == ["film.mkv", "out.mkv"]


def damage(path: Path) -> Path:
    """Overwrite parts in the middle of a file."""
    data = bytearray(path.read_bytes())
    noise = np.random.default_rng(1)
    for place in (0.45, 0.6):
        start = int(place * len(data))
        data[start : start + 150] = noise.integers(0, 256, 150, np.uint8).tobytes()
    path.write_bytes(data)
    return path


def marked_by_one_thread(path: Path) -> list[int]:
    """Frames that FFmpeg marks as damaged where no threads of it race."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "NONE"
        frames = sorted(container.decode(stream), key=lambda frame: frame.pts or 0)
        return [index for index, frame in enumerate(frames) if frame.is_corrupt]


def test_damaged_frames_are_reported_and_the_others_are_fine(tmp_path, flickers):
    made = {"times": range(0, 2400, 40), "size": (144, 192), "options": {"qp": "12", "g": "6"}}
    source = damage(make_film(tmp_path / "film.mp4", **made))
    frames, bad = read(source), marked_by_one_thread(source)
    assert len(bad) >= 2
    # Threads that decode frames side by side miss a mark now and then, and invent none.
    near = {index // 6 * 6 + step for index in bad for step in range(6)}
    for _ in range(4):
        record = unflicker.run(source, tmp_path / "out.mkv", options=RunOptions(overwrite=True))
        assert set(record.damaged) <= near
        if set(record.damaged) >= set(bad):
            break
    assert set(record.damaged) >= set(bad)
    steady = read(tmp_path / "out.mkv")
    assert seconds(steady) == seconds(frames)
    assert len(record.seconds) == len(frames)
    sound = [
        (a, b, c)
        for a, b, c in zip(range(60), range(1, 60), range(2, 60), strict=False)
        if not {a, b, c} & set(record.damaged)
    ]
    curve = [np.log(levels(each)) for each in (frames, steady)]
    bends = [np.array([c[a] - 2 * c[b] + c[d] for a, b, d in sound]) for c in curve]
    assert np.sqrt(np.mean(bends[1] ** 2)) < 0.35 * np.sqrt(np.mean(bends[0] ** 2))


def test_strict_stops_at_the_first_damaged_frame_and_leaves_nothing(tmp_path, flickers):
    made = {"times": range(0, 2400, 40), "size": (144, 192), "options": {"qp": "12", "g": "6"}}
    source = damage(make_film(tmp_path / "film.mkv", **made))
    with pytest.raises(InputError, match="strict"):
        unflicker.run(
            source, tmp_path / "out.mkv", settings=Settings.from_preset("fast", strict=True)
        )
    assert [file.name for file in tmp_path.iterdir()] == ["film.mkv"]


def test_every_run_can_say_what_it_did(tmp_path, flickers):
    source = make_film(tmp_path / "film.mkv", codec="ffv1", times=EVEN, size=SIZE)
    record = unflicker.run(
        source, tmp_path / "out.mkv", settings=Settings.from_preset("fast", strength=0.9)
    )
    assert record.source.endswith("film.mkv")
    assert record.output == str(tmp_path / "out.mkv")
    assert len(record.seconds) == len(record.mean_before) == len(record.mean_after) == COUNT
    assert record.correction_stops.shape[0] == COUNT
    assert 0.05 < np.abs(record.correction_stops).max() < 1.0
    assert rough(record.mean_after[:, 1]) < 0.4 * rough(record.mean_before[:, 1])
    assert record.visible_flicker_after < record.visible_flicker_before
    assert all(a.stop == b.start for a, b in pairwise(record.shots))
    assert (record.shots[0].start, record.shots[-1].stop) == (0, COUNT)
    assert record.shots[0].diagnosis.kind in ("exposure", "gamma")
    assert record.settings["strength"] == 0.9
    assert {"unflicker", "numpy", "python"} <= set(record.versions)
    assert record.stills
    assert record.stills[0].before.shape == record.stills[0].after.shape
    assert record.wall_seconds > 0
    # What the record says of the result is what the file shows.
    shown = [to_rgb(frame.picture).mean() for frame in read(tmp_path / "out.mkv")]
    np.testing.assert_allclose(record.mean_after.mean(axis=1), shown, atol=0.01)


def test_repeated_frames_stay_repeated(tmp_path):
    """VideoSource at twice its rate: each picture shown two times, and still so afterwards."""
    once = synthesise(panning(time=14, size=SIZE), kind="exposure", seed=3).clip.pixels
    out = unflicker.deflicker(np.repeat(once, 2, axis=0))
    assert psnr(out[0::2], out[1::2]) > 46


def test_a_folder_of_pictures_is_a_film(tmp_path):
    folder = tmp_path / "pictures"
    made = synthesise(panning(time=12, size=SIZE), kind="exposure", seed=1).clip.pixels
    write_folder(folder, made)
    record = unflicker.run(folder, tmp_path / "steady")
    names = sorted(file.name for file in (tmp_path / "steady").iterdir())
    assert names == sorted(file.name for file in folder.iterdir())
    assert len(record.seconds) == 12
    assert rough(levels(read(tmp_path / "steady"))) < 0.3 * rough(levels(read(folder)))


def write_folder(folder: Path, pixels: np.ndarray) -> None:
    folder.mkdir()
    for index, picture in enumerate(pixels):
        cv2.imwrite(str(folder / f"{index:03d}.png"), picture[..., ::-1])
