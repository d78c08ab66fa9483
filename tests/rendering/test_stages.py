"""What every stage of rendering must keep to, and what one may look like."""

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from made_clips import panning
from unflicker.compute.context import ON_THE_CPU
from unflicker.frames.picture import Frame, as_picture
from unflicker.grade import Grade
from unflicker.plan import FramePlan
from unflicker.refinement.texture import TextureFlicker
from unflicker.rendering.repairing import Repair
from unflicker.rendering.stages import Grading, Item, Refinement, Stage, stages_of, through
from unflicker.settings import Settings

CPU = Grading(device="cpu")
REFINED = Refinement(proxy_px=64)
REPAIRED = Repair(degree="normal")


def items(count: int, *, repeated: frozenset[int] = frozenset()) -> Iterator[Item]:
    """Frames of a pan, some of which show the picture before again; all are to be refined."""
    if count == 0:
        return
    noise = np.random.default_rng(7).integers(-6, 7, (count, 48, 64, 3))
    pixels = np.clip(panning(time=count, size=(48, 64)).pixels + noise, 0, 255).astype(np.uint8)
    shown = 0
    for index in range(count):
        shown = shown if index in repeated else index
        picture = as_picture(pixels[shown])
        frame = Frame(picture=picture, index=index, pts=index, time_base=Fraction(1, 24))
        plan = FramePlan(
            index=index,
            grade=Grade.identity(),
            starts_shot=index == 0,
            repeats=index in repeated,
            texture=TextureFlicker(amount=1.0),
        )
        yield Item(frame=frame, plan=plan, picture=picture)


@pytest.mark.parametrize("stage", [CPU, REPAIRED, REFINED], ids=["grading", "repair", "refinement"])
@pytest.mark.parametrize("count", [0, 1, 2, 9])
def test_each_item_comes_out_once_and_in_order(stage: Stage, count: int) -> None:
    out = list(stage(items(count)))
    assert [item.plan.index for item in out] == list(range(count))
    assert [item.frame.index for item in out] == list(range(count))


@pytest.mark.parametrize("stage", [CPU, REPAIRED, REFINED], ids=["grading", "repair", "refinement"])
def test_no_stage_looks_further_ahead_than_it_says(stage: Stage) -> None:
    taken = 0

    def counted() -> Iterator[Item]:
        nonlocal taken
        for item in items(9):
            taken += 1
            yield item

    for given, _ in enumerate(stage(counted()), start=1):
        assert taken <= given + stage.look_ahead_frames


def test_a_picture_that_is_shown_again_gets_the_same_answer() -> None:
    out = list(REFINED(items(8, repeated=frozenset({3, 4}))))
    for place in (3, 4):
        for one, other in zip(out[place].picture.planes, out[2].picture.planes, strict=True):
            np.testing.assert_array_equal(one, other)


def test_a_stage_of_ones_own_joins_the_others() -> None:
    class Inverted:
        look_ahead_frames = 0
        burn_in_frames = 0
        follows_texture = False

        def __call__(self, items: Iterator[Item]) -> Iterator[Item]:
            for item in items:
                planes = tuple(255 - plane for plane in item.picture.planes)
                yield replace(item, picture=replace(item.picture, planes=planes))

    out = list(through(items(3), [CPU, Inverted(), Inverted()]))
    for item in out:
        np.testing.assert_array_equal(item.picture.planes[0], item.frame.picture.planes[0])


def test_settings_say_which_stages_there_are() -> None:
    def names(preset: str) -> list[str]:
        stages = stages_of(Settings.from_preset(preset), ON_THE_CPU)
        return [type(stage).__name__ for stage in stages]

    assert names("fast") == ["Grading"]
    assert names("standard") == names("best") == ["Grading", "Refinement"]
