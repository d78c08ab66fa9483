"""Plans that strangers made: refused in one line, and never unpacked without bounds."""

import io
import json
import os
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest

from made_pictures import gain
from unflicker.errors import InputError
from unflicker.grade.grade import KNOTS
from unflicker.plan import FramePlan, Plan, PlanWriter
from unflicker.plan.file import _TABLE, SCHEMA_VERSION


def write(path: Path) -> None:
    """A plan of one frame."""
    with PlanWriter(path, about={}) as plan:
        plan.add(FramePlan(index=0, grade=gain(0.1)))


def packed(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def table(**values: float) -> bytes:
    """The numbers of one frame, with others in some columns."""
    numbers = np.zeros(1, _TABLE)
    numbers["light_scale"] = 1.0
    for name, value in values.items():
        numbers[name] = value
    return packed(numbers)


def described(**about: object) -> bytes:
    return json.dumps({"schema": SCHEMA_VERSION, "frames": 1, **about}).encode()


SHOT = {"start": 0, "stop": 1, "diagnosis": {}}
HUGE = packed(np.zeros(1, np.float32)).replace(b"(1,)", b"(9" + b"9" * 12 + b",)")
HOSTILE = {
    "an infinite light": ("000000000_frames.npy", table(light_scale=np.inf)),
    "no light": ("000000000_frames.npy", table(light_scale=0.0)),
    "an infinite time": ("000000000_frames.npy", table(seconds=np.inf)),
    "boundless texture": ("000000000_frames.npy", table(texture_amount=1e30)),
    "boundless gains": ("000000000_gains.npy", packed(np.full((1, 1, 1, 1, 3), 6e4, np.float16))),
    "boundless curves": ("000000000_curves.npy", packed(np.full((1, 3, KNOTS), 1e30, np.float32))),
    "an array of a description": ("000000000_gains.npy", HUGE),
    "objects": ("000000000_gains.npy", packed(np.array([{}], object))),
    "a nested description": ("plan.json", b"[" * 200_000),
    "shots that are text": ("plan.json", described(shots="many")),
    "a shot that is text": ("plan.json", described(shots=["one"])),
    "a shot without a place": ("plan.json", described(shots=[{**SHOT, "start": "x"}])),
    "frames without end": ("plan.json", described(frames=10**15)),
    "frames below zero": ("plan.json", described(frames=-1)),
    "a film that is a list": ("plan.json", described(film=[])),
    "settings that are text": ("plan.json", described(settings="x")),
    "a mask of all the world": ("000000000.kept", b"\xff" * 8 + zlib.compress(bytes(99))),
    "a mask that unpacks without end": (
        "000000000.kept",
        struct.pack("<II", 1, 1) + zlib.compress(bytes(10**7)),
    ),
    "a number that is none": ("x_curves.npy", b""),
}


@pytest.mark.parametrize(("name", "content"), HOSTILE.values(), ids=HOSTILE)
def test_a_strangers_plan_is_refused_in_one_line(tmp_path, name, content) -> None:
    path = tmp_path / "film.plan"
    write(path)
    replace_entry(path, name, content)
    with pytest.raises(InputError, match="not a whole plan"):
        read_all(path)


def test_a_bomb_is_not_unpacked(tmp_path) -> None:
    path = tmp_path / "film.plan"
    write(path)
    replace_entry(path, "plan.json", b" " * (70 * 2**20))
    assert path.stat().st_size < 200_000
    with pytest.raises(InputError, match="more than"):
        Plan(path)


def test_an_encrypted_plan_is_refused(tmp_path) -> None:
    path = tmp_path / "film.plan"
    write(path)
    data = bytearray(path.read_bytes())
    for mark, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = data.find(mark)
        while place >= 0:
            data[place + flags] |= 1
            place = data.find(mark, place + 4)
    path.write_bytes(data)
    with pytest.raises(InputError, match="encrypted"):
        Plan(path)


@pytest.mark.parametrize("place", ["/dev/zero", "pipe", "."])
def test_what_is_not_a_file_is_not_read(tmp_path, place) -> None:
    path = Path(place) if place != "pipe" else tmp_path / "pipe"
    if place == "pipe":
        os.mkfifo(path)
    with pytest.raises(InputError, match="not a file"):
        Plan(path)


def replace_entry(path: Path, name: str, content: bytes) -> None:
    with zipfile.ZipFile(path) as archive:
        kept = {other: archive.read(other) for other in archive.namelist()}
    kept[name] = content
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for other, data in kept.items():
            archive.writestr(other, data)


def read_all(path: Path) -> None:
    plan = Plan(path)
    assert plan.shots is not None
    assert list(plan)
