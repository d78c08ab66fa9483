"""A film with dirt and a scratch: the same repairs by any processes, with a plan or without."""

from pathlib import Path

import numpy as np
import pytest
from made_films import read, same_samples

import unflicker
from made_clips import panning
from unflicker import RunOptions, rendering
from unflicker.errors import UsageError
from unflicker.frames.clip import Clip
from unflicker.report.page import page
from unflicker.settings import EncodingSettings, Settings
from unflicker.settings.schema import DAMAGE
from unflicker.synthesis.damage import Density, damaged, drawn_spots
from unflicker.video import ArraySource, open_writer, segments

SETTINGS = Settings.from_preset(
    "fast",
    repair__dirt=True,
    repair__scratches=True,
    repair__hairs=True,
    repair__frames=True,
    window__frames=24,
)
FRAMES = 27
PLAIN = Settings.from_preset("fast", window__frames=24)


@pytest.fixture(scope="module")
def film(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("dirt") / "film.mkv"
    random, size = np.random.default_rng(5), (56, 112)

    def density() -> Density:
        made = drawn_spots(random, size=size)
        made[:, 60:62] = 0.5  # a scratch
        return made

    steady = panning(time=FRAMES, size=size).pixels
    pixels = np.stack([damaged(f, density()).pixels for f in steady])
    pixels[18] = pixels[17]  # a repeat near the border of a segment
    source = ArraySource(Clip.at_rate(pixels, fps=24.0))
    with open_writer(source, path, encoding=EncodingSettings(codec="ffv1")) as writer:
        for frame in source.frames():
            writer.write(frame)
    return path


def test_segments_processes_and_plans_do_not_change_a_repair(film, tmp_path, monkeypatch) -> None:
    repairs: dict[str, int] = {}

    def made(name: str, *, segment: int, settings: Settings = SETTINGS, **options):
        for module in (segments, rendering.segments, rendering.side_by_side):
            monkeypatch.setattr(module, "SEGMENT_FRAMES", segment)
        target = tmp_path / name
        record = unflicker.run(film, target, settings=settings, options=RunOptions(**options))
        assert len(record.repaired.counts) == FRAMES
        repairs[name] = sum(record.repaired.counts)
        shown = page(record)
        assert ("before its repair" in shown) == (repairs[name] > 0)
        return read(target)

    whole = made("whole.mkv", segment=240, jobs=1)
    assert not same_samples(whole, made("plain.mkv", segment=240, settings=PLAIN, jobs=1))
    assert same_samples(whole, made("parts.mkv", segment=14, jobs=1))
    assert same_samples(whole, made("two.mkv", segment=14, jobs=2))
    plan = tmp_path / "film.plan"
    unflicker.analyze(film, settings=SETTINGS, options=RunOptions(save_plan=plan))
    # The plan says what is repaired, whatever the settings of `apply` are.
    assert same_samples(whole, made("plan.mkv", segment=240, settings=PLAIN, plan=plan, jobs=1))
    assert repairs.pop("plain.mkv") == 0
    assert len(set(repairs.values())) == 1
    assert repairs["whole.mkv"] > FRAMES


@pytest.mark.parametrize("damage", DAMAGE)
def test_what_redraws_frames_repairs_none(damage: str) -> None:
    with pytest.raises(UsageError, match=f"repair.{damage}.*redraws"):
        Settings.from_preset("paper", **{f"repair__{damage}": True})
