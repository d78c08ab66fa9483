"""Other streams in every container that we write: kept, or named before work starts.

`benchmarks/side_matrix.py` tries all codecs; here are all of sound but most plain samples, and all
of subtitles and data.
"""

import sys
from pathlib import Path

import pytest

from unflicker.video.target import CONTAINERS

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))

from side_matrix import (
    ENDINGS,
    all_codecs,
    outcome,
    sound_encoders,
    source_of,
)

PCM = ("pcm_s16le", "pcm_s24le", "pcm_s16be", "pcm_u8", "pcm_alaw", "pcm_dvd", "pcm_s16le_planar")
"""One of each way to store plain samples; the others were tried once and behave alike."""
SOUNDS = [name for name in sound_encoders() if name in PCM or not name.startswith("pcm_")]
OTHERS = [name for name in all_codecs() if name not in sound_encoders()]
MUST_KEEP = {
    ("mp2", "ts"), ("mp2", "mp4"), ("mp2", "mkv"), ("mp3", "ts"), ("aac", "ts"), ("aac", "m2ts"),
    ("pcm_s16le", "mxf"), ("pcm_s24le", "mxf"), ("pcm_s24le", "mp4"), ("pcm_s16le", "mkv"),
    ("ac3", "ts"), ("eac3", "mp4"), ("flac", "mp4"), ("opus", "webm"), ("pcm_dvd", "mpg"),
    ("dvd_subtitle", "mkv"), ("dvd_subtitle", "mp4"), ("dvb_subtitle", "ts"), ("ass", "mkv"),
    ("mov_text", "mp4"), ("subrip", "mkv"), ("webvtt", "webm"), ("klv", "ts"), ("timed_id3", "ts"),
}  # fmt: skip
MUST_CONVERT = {("subrip", "mp4"), ("ass", "mov"), ("text", "mp4"), ("mov_text", "mkv")}


def outcomes(side, folder):
    return {ending: outcome(side, folder / f"result.{ending}") for ending in ENDINGS}


@pytest.mark.parametrize("name", SOUNDS)
def test_sound_is_kept_in_full_or_named_before_work_starts(tmp_path, name):
    side = source_of(name, tmp_path)
    if side is None:
        assert name not in {codec for codec, _ in MUST_KEEP}
        pytest.skip("no container that we write gives it back")
    found = outcomes(side, tmp_path)
    assert "LOST" not in found.values(), found
    assert all(found[ending] == "kept" for codec, ending in MUST_KEEP if codec == name), found


@pytest.mark.parametrize("cues", [(0.04, 0.4), (0.32, 0.4)], ids=["early", "late"])
@pytest.mark.parametrize("name", OTHERS)
def test_subtitles_and_data_are_kept_converted_or_named(tmp_path, name, cues):
    side = source_of(name, tmp_path, cues=cues)
    if side is None:
        assert name in ("ttml", "xsub")
        pytest.skip("no container that we write gives it back")
    found = outcomes(side, tmp_path)
    assert "LOST" not in found.values(), found
    assert all(found[ending] == "kept" for codec, ending in MUST_KEEP if codec == name), found
    assert all(found[ending] == "converted" for codec, ending in MUST_CONVERT if codec == name)


def test_every_container_is_in_the_matrix():
    kinds = {CONTAINERS[f".{ending}"] for ending in ENDINGS}
    assert kinds == set(CONTAINERS.values())
