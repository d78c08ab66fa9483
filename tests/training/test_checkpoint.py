"""States of a training that are another's, or a stranger's, are refused in one line."""

import io
import zipfile

import pytest
import torch
from torch import nn

from unflicker.errors import InputError
from unflicker.training.checkpoint import TrainingState, keep, resume, write_recipe

RECIPE = {"seed": 3}


def state(width=4):
    network = nn.Linear(width, 2)
    return TrainingState(network=network, optimiser=torch.optim.Adam(network.parameters()))


def saved(value):
    buffer = io.BytesIO()
    torch.save(value, buffer)
    return buffer.getvalue()


def whole(**changes):
    """The state of a training with something else in it."""
    one = state()
    held = {
        "network": one.network.state_dict(),
        "optimiser": one.optimiser.state_dict(),
        "average": one.average,
        "steps": 7,
        "seconds": 1.5,
    }
    return saved({**held, **changes})


def zipped():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("archive/data.pkl", b"no pickle")
    return buffer.getvalue()


STRANGE = {
    "an empty file": b"",
    "text": b"hello",
    "a zip": zipped(),
    "a list": saved([1, 2]),
    "another kind": saved({"model": 1}),
    "a tensor": saved(torch.zeros(3)),
    "code": saved({"network": state}),
    "another network": whole(network=nn.Linear(5, 2).state_dict()),
    "another optimiser": whole(optimiser={"a": 1}),
    "an average of another network": whole(average=nn.Linear(5, 2).state_dict()),
    "an average that is a list": whole(average=[1]),
    "steps below zero": whole(steps=-1),
    "steps that are text": whole(steps="many"),
    "seconds without end": whole(seconds=float("inf")),
}


@pytest.mark.parametrize("content", STRANGE.values(), ids=STRANGE)
def test_a_state_of_another_kind_is_refused(tmp_path, content):
    write_recipe(tmp_path, RECIPE)
    (tmp_path / "training.pt").write_bytes(content)
    with pytest.raises(InputError, match="training") as caught:
        resume(state(), tmp_path, RECIPE)
    assert "\n" not in str(caught.value)[:60]


@pytest.mark.parametrize("steps", [1, 12])
def test_its_own_state_is_taken(tmp_path, steps):
    first = state()
    for _ in range(steps):
        first.network(torch.ones(1, 4)).sum().backward()
        first.step()
    keep(first, tmp_path)
    write_recipe(tmp_path, RECIPE)
    again = state()
    assert resume(again, tmp_path, RECIPE)
    assert again.steps == steps
    for name, value in first.average.items():
        assert torch.equal(again.average[name], value)


@pytest.mark.parametrize("text", ["[]", "7", "{", "[" * 100_000])
def test_a_recipe_that_is_none_is_refused(tmp_path, text):
    (tmp_path / "training.pt").write_bytes(whole())
    (tmp_path / "recipe.json").write_text(text)
    with pytest.raises(InputError, match="description of the training"):
        resume(state(), tmp_path, RECIPE)
