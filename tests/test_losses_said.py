"""What a result will lack is said before the work, and `strict` stops there."""

import os
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest
from made_films import make_film

import unflicker
from unflicker.errors import OutputError
from unflicker.settings import Settings


def _film_with_subtitles(path: Path) -> Path:
    """A film whose subtitles MPEG-TS cannot hold."""

    def subtitle(container: Any, _: Any) -> Any:
        stream = container.add_stream("subrip")
        stream.time_base = Fraction(1, 1000)
        stream.codec_context.subtitle_header = b"[Script Info]\nScriptType: v4.00+\n"

        def write(container: Any) -> None:
            packet = av.Packet(b"hello")
            packet.stream, packet.time_base = stream, stream.time_base
            packet.pts = packet.dts = 0
            packet.duration = 200
            container.mux(packet)

        return write

    return make_film(path, times=tuple(range(0, 200, 40)), prepare=subtitle)


def test_losses_are_told_before_the_first_frame_and_strict_stops_there(tmp_path):
    source, target = _film_with_subtitles(tmp_path / "film.mkv"), tmp_path / "film.ts"
    heard = []
    record = unflicker.run(source, target, preset="fast", progress=heard.append)
    assert any("left out" in note for note in heard[0].notes)
    assert set(heard[0].notes) <= set(record.notes)
    assert not any(progress.notes for progress in heard[1:])
    target.unlink()

    def refuse(_: Any) -> None:
        raise AssertionError("work began")

    strict = Settings.from_preset("fast", strict=True)
    with pytest.raises(OutputError, match=r"would lack .*srt"):
        unflicker.run(source, target, settings=strict, progress=refuse)
    assert os.listdir(tmp_path) == ["film.mkv"]
