"""A pipeline that does nothing but remember what it was asked."""

import sys
import types
from pathlib import Path

import numpy as np
import pytest

import unflicker
from unflicker.errors import InputError
from unflicker.plan import ShotPlan
from unflicker.recording.record import Record, Still
from unflicker.rendering import resources
from unflicker.rendering.options import RunOptions
from unflicker.settings import Settings, to_dict
from unflicker.tone.diagnosis import Diagnosis


def a_record(source: Path, output: str, **changes) -> Record:
    frames = 12
    picture = np.full((36, 64, 3), 90, np.uint8)
    values = {
        "source": str(source),
        "output": output,
        "seconds": np.arange(frames, dtype=np.float32) / 25,
        "mean_before": np.full((frames, 3), 0.4, np.float32),
        "mean_after": np.full((frames, 3), 0.5, np.float32),
        "correction_stops": np.full((frames, 2, 3), 0.1, np.float32),
        "shots": (
            ShotPlan(
                start=0,
                stop=frames,
                diagnosis=Diagnosis(
                    kind="exposure",
                    model="curves",
                    strength_stops=0.4,
                    strength_delta_e=3.0,
                    period_frames=None,
                    frequency_hz=None,
                    confidence=0.9,
                ),
            ),
        ),
        "visible_flicker_before": 3.0,
        "visible_flicker_after": 0.3,
        "stills": (Still(index=3, seconds=0.12, before=picture, after=picture),),
        "settings": to_dict(Settings.from_preset("fast")),
        "versions": {"unflicker": "test"},
    }
    return Record(**{**values, **changes})


class Pipeline(types.ModuleType):
    """Stands in for `unflicker.pipeline`; `bad` in a film's name makes it fail."""

    RunOptions = RunOptions

    def __init__(self):
        super().__init__("unflicker.pipeline")
        self.calls = []
        self.changes = {}
        self.during = lambda _: None

    def run(self, source, target=None, *, settings, options, progress):
        self.calls.append((Path(source), target, settings, options))
        self.during(progress)
        if "bad" in Path(source).name:
            raise InputError(f"{source} cannot be read: it is text; pass a film")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text("steady")
        return a_record(source, str(target), **self.changes)

    def analyze(self, source, *, settings, options, progress):
        self.calls.append((Path(source), None, settings, options))
        self.during(progress)
        return a_record(source, "", **self.changes)


@pytest.fixture
def pipeline(monkeypatch):
    made = Pipeline()
    monkeypatch.setitem(sys.modules, "unflicker.pipeline", made)
    monkeypatch.setattr(unflicker, "pipeline", made, raising=False)
    monkeypatch.setattr("unflicker.batch.make._lack", lambda task: "")
    # Another process would have the real pipeline.
    monkeypatch.setattr(resources, "can_start_processes", lambda: False)
    return made


@pytest.fixture
def call(capsys):
    """Call the program; returns its exit code, stdout and stderr."""
    from unflicker.cli.main import exit_code

    def called(*arguments):
        code = exit_code([str(argument) for argument in arguments])
        written = capsys.readouterr()
        return code, written.out, written.err

    return called


@pytest.fixture
def film(tmp_path):
    path = tmp_path / "film.mp4"
    path.write_text("a film")
    return path
