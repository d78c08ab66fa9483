"""Records made by hand: what a run would say of a film that flickers in a known way."""

import dataclasses

import numpy as np
import pytest

from unflicker.plan import ShotPlan
from unflicker.recording.record import Record, Still
from unflicker.settings import Settings, to_dict
from unflicker.tone.diagnosis import Diagnosis


def diagnosis(**changes) -> Diagnosis:
    given = Diagnosis(
        kind="local",
        model="curves+path",
        strength_stops=0.31,
        strength_delta_e=4.2,
        period_frames=4.0,
        frequency_hz=6.0,
        confidence=0.93,
    )
    return dataclasses.replace(given, **changes)


def made_record(frames: int = 120, *, grey: bool = False, **changes) -> Record:
    """A film of two shots whose left side flickers; a still every tenth frame."""
    random = np.random.default_rng(5)
    rows, columns = 9, 16
    gain = random.normal(0.0, 0.35, (frames, 1, 1)) * np.linspace(1.0, 0.1, columns)
    gain = (gain + 0.08 * np.sin(np.arange(frames)[:, None, None] * 0.8)).astype(np.float32)
    stops = np.broadcast_to(gain, (frames, rows, columns)).astype(np.float32)
    level = np.where(np.arange(frames) < frames // 2, 0.45, 0.3)[:, None]
    colour = np.ones(3) if grey else np.array([1.1, 1.0, 0.85])
    after = (level * colour).astype(np.float32)
    before = (after * 2.0 ** -stops.mean(axis=(1, 2))[:, None]).astype(np.float32)
    scene = _scene(180, 320)
    stills = tuple(_still(scene, stops[index], index) for index in range(0, frames, 10))
    middle = frames // 2
    values = {
        "source": "films/<old> & 'new'.mp4",
        "output": "films/out.mp4",
        "seconds": (np.arange(frames) / 24.0).astype(np.float32),
        "mean_before": before,
        "mean_after": after,
        "correction_stops": -stops,
        "shots": (
            ShotPlan(start=0, stop=middle, diagnosis=diagnosis()),
            ShotPlan(start=middle, stop=frames, diagnosis=diagnosis(kind="exposure")),
        ),
        "visible_flicker_before": 4.2,
        "visible_flicker_after": 0.6,
        "stills": stills,
        "settings": to_dict(Settings.from_preset("fast")),
        "versions": {"unflicker": "0.1.0", "numpy": np.__version__},
        "notes": ("one data stream cannot be copied and is left out",),
        "wall_seconds": 3.25,
    }
    return Record(**{**values, **changes})


def _scene(height: int, width: int) -> np.ndarray:
    down, across = np.mgrid[0:height, 0:width]
    red = 120 + 60 * np.sin(across / 17.0) * np.cos(down / 23.0)
    green = 110 + 50 * np.cos(across / 31.0 + down / 19.0)
    blue = 100 + 40 * np.sin(down / 13.0)
    return np.stack([red, green, blue], axis=-1)


def _still(scene: np.ndarray, stops: np.ndarray, index: int) -> Still:
    light = np.repeat(np.repeat(stops, 20, axis=0), 20, axis=1)[..., None]
    before = np.clip(scene * 2.0**light, 0, 255).astype(np.uint8)
    after = np.clip(scene, 0, 255).astype(np.uint8)
    return Still(index=index, seconds=index / 24.0, before=before, after=after)


@pytest.fixture
def record() -> Record:
    return made_record()


@pytest.fixture
def make_record():
    return made_record
