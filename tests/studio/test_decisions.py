"""What a person decides: as plain values and back, what is refused, what it changes."""

import json
from dataclasses import replace

import numpy as np
import pytest

from unflicker.errors import UsageError
from unflicker.grade import Grade
from unflicker.grade.mask import Kept
from unflicker.plan import FramePlan
from unflicker.refinement.texture import NO_FLICKER, TextureFlicker
from unflicker.settings.schema import RepairSettings
from unflicker.studio.steering import ShotSteering, Steering

EVERYTHING = Steering(
    preset="fast",
    strength=0.25,
    keep_slower_than=7.5,
    lock_exposure=True,
    clean="light",
    scratches=True,
    hairs=True,
    frames=True,
    gate=True,
    overlays="correct",
    shots={0: ShotSteering(strength=0.0), 12: ShotSteering(model="whole")},
    mask="0123456789abcdef",
)


def test_plain_values_come_back_as_they_were():
    plain = json.loads(json.dumps(EVERYTHING.to_dict()))
    assert Steering.from_dict(plain) == EVERYTHING
    assert Steering.from_dict({}) == Steering()
    assert Steering.from_dict(plain).key == EVERYTHING.key


def test_a_browser_that_writes_whole_numbers_decides_the_same():
    sent = json.loads(json.dumps(Steering().to_dict()).replace(".0", ""))
    assert sent["keep_slower_than"] == 2
    assert Steering.from_dict(sent).key == Steering().key
    assert Steering.from_dict(sent).analysis_key == Steering().analysis_key


def test_settings_are_those_of_a_run():
    settings = EVERYTHING.settings
    assert settings.strength == 0.25
    assert settings.keep_slower_than_seconds == 7.5
    assert settings.tone.lock_exposure
    assert settings.repair == RepairSettings(
        dirt=True, scratches=True, hairs=True, frames=True, degree="light"
    )
    assert settings.stabilise.gate
    alone = replace(EVERYTHING, clean="").settings.repair
    assert (alone.dirt, alone.scratches, alone.degree) == (False, True, "normal")
    assert not settings.refinement.used


@pytest.mark.parametrize(
    "given",
    [
        [],
        "fast",
        {"preset": "paper"},
        {"preset": ["fast"]},
        {"strength": 1.01},
        {"strength": "1"},
        {"strength": True},
        {"strength": float("nan")},
        {"keep_slower_than": 0},
        {"keep_slower_than": float("inf")},
        {"lock_exposure": 1},
        {"clean": "very"},
        {"scratches": "yes"},
        {"hairs": 1},
        {"frames": None},
        {"gate": "on"},
        {"overlays": None},
        {"unknown": 1},
        {"shots": [0.5]},
        {"shots": {"-1": {}}},
        {"shots": {"²": {}}},
        {"shots": {"1" * 12: {}}},
        {"shots": {"0": 0.5}},
        {"shots": {"0": {"strength": 2}}},
        {"shots": {"0": {"model": "curves"}}},
        {"shots": {"0": {"start": 1}}},
        {"mask": "../../etc/passwd"},
        {"mask": 7},
    ],
)
def test_nonsense_is_refused_in_one_line(given):
    with pytest.raises(UsageError) as refused:
        Steering.from_dict(given)
    assert "\n" not in str(refused.value)


def test_only_what_needs_a_new_plan_changes_the_key_of_analysis():
    plain = Steering()
    for same in (
        Steering(strength=0.5),
        Steering(shots={0: ShotSteering(strength=0.0)}),
        Steering(overlays="correct"),
    ):
        assert same.analysis_key == plain.analysis_key
        assert same.key != plain.key
    for other in (
        Steering(preset="fast"),
        Steering(keep_slower_than=5.0),
        Steering(lock_exposure=True),
        Steering(clean="normal"),
        Steering(clean="normal", scratches=True),
        Steering(hairs=True),
        Steering(frames=True),
        Steering(gate=True),
    ):
        assert other.analysis_key != plain.analysis_key


def test_switches_of_a_later_version_change_no_key_while_they_are_off():
    """The results of a library that does not know them stay its results."""
    assert Steering().key == "a5d97a4c86768dc3"
    assert Steering().analysis_key == "dd417f3324ce7b1b"


def frame() -> FramePlan:
    gains = np.linspace(-0.2, 0.3, 2 * 2 * 3, dtype=np.float32).reshape(2, 2, 1, 3)
    share = np.full((4, 4), 255, np.uint8)
    share[0] = 0
    return FramePlan(
        index=3,
        grade=Grade.identity(rows=2, columns=2).followed_by(gains),
        texture=TextureFlicker(amount=0.4, where=None),
        kept=Kept.of(share),
    )


def test_a_shot_can_be_corrected_as_a_whole_alone():
    steering = Steering(shots={1: ShotSteering(model="whole")})
    changed = steering.applied(frame(), shot=1)
    assert changed.grade.log_gain.shape[:2] == (1, 1)
    assert changed.texture is NO_FLICKER
    assert steering.applied(frame(), shot=0).grade.log_gain.shape[:2] == (2, 2)


def test_overlays_are_corrected_only_when_asked_for():
    assert Steering().applied(frame(), shot=0).kept is not None
    assert Steering(overlays="correct").applied(frame(), shot=0).kept is None
