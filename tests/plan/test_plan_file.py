"""Laws of a plan on disk: what is read is what was written, and nothing half-written is left."""

import io
import json
import os
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from made_pictures import curve, gain, mixed, smooth
from unflicker.errors import InputError, OutputError
from unflicker.grade import Grade
from unflicker.grade.grade import KNOTS
from unflicker.grade.mask import Kept
from unflicker.plan import FramePlan, Plan, PlanWriter, ShotPlan
from unflicker.plan.file import SCHEMA_VERSION
from unflicker.refinement.texture import TextureFlicker
from unflicker.tone.diagnosis import Diagnosis


def write(path, grades: list[Grade], **about) -> None:
    with PlanWriter(path, about=about) as plan:
        for index, grade in enumerate(grades):
            plan.add(FramePlan(index=index, grade=grade))


def grades_of(path) -> list[Grade]:
    return [frame.grade for frame in Plan(path)]


def write_and_stop(path) -> None:
    with PlanWriter(path, about={}) as plan:
        plan.add(FramePlan(index=0, grade=gain(0.1)))
        raise RuntimeError("stop")


def halved(grade: Grade) -> Grade:
    """As the tone stage makes them: gains that half precision holds."""
    exact = grade.log_gain.astype(np.float16).astype(np.float32)
    return Grade(curves=grade.curves, log_gain=exact)


def assert_same(one: list[Grade], other: list[Grade]) -> None:
    assert len(one) == len(other)
    for a, b in zip(one, other, strict=True):
        np.testing.assert_array_equal(a.curves, b.curves)
        np.testing.assert_array_equal(a.log_gain, b.log_gain)
        np.testing.assert_array_equal(a.log_matrix, b.log_matrix)
        assert a.is_identity == b.is_identity


@settings(max_examples=20, deadline=None)
@given(
    kinds=st.lists(
        st.sampled_from(["nothing", "gain", "curve", "smooth", "mixed", "fine"]), max_size=140
    ),
)
def test_grades_come_back_as_they_were_in_order(kinds, tmp_path_factory) -> None:
    made = {
        "nothing": Grade.identity(),
        "gain": halved(gain(0.25)),
        "curve": curve(1.2),
        "smooth": halved(smooth()),
        "mixed": mixed(0.3, 0.1),
        "fine": smooth().followed_by(np.full((36, 64, 1, 3), 0.1, np.float32)),
    }
    grades = [made[kind] for kind in kinds]
    path = tmp_path_factory.mktemp("plan") / "film.plan"
    write(path, grades)
    assert len(Plan(path)) == len(grades)
    assert_same(grades_of(path), grades)


def test_a_plan_says_what_it_is_of(tmp_path) -> None:
    path = tmp_path / "film.plan"
    write(path, [gain(0.5)], source="film.mp4", settings={"strength": 1.0})
    about = Plan(path).about
    assert about["schema"] == SCHEMA_VERSION
    assert about["source"] == "film.mp4"
    assert about["settings"] == {"strength": 1.0}
    with zipfile.ZipFile(path) as archive:
        assert json.loads(archive.read("plan.json")) == about


def test_many_changes_of_shape_keep_their_order(tmp_path) -> None:
    grades = [halved(smooth(seed=i, bins=1 + i % 3)) for i in range(200)]
    path = tmp_path / "film.plan"
    write(path, grades)
    assert_same(grades_of(path), grades)


def test_a_fault_leaves_nothing_behind(tmp_path) -> None:
    path = tmp_path / "film.plan"
    with pytest.raises(RuntimeError, match="stop"):
        write_and_stop(path)
    assert list(tmp_path.iterdir()) == []


def test_a_fault_leaves_an_earlier_plan_alone(tmp_path) -> None:
    path = tmp_path / "film.plan"
    write(path, [gain(0.1)])
    with pytest.raises(RuntimeError, match="stop"):
        write_and_stop(path)
    assert len(grades_of(path)) == 1


def test_what_another_run_writes_for_the_same_name_is_left_until_it_has_ended(tmp_path) -> None:
    running, killed = (tmp_path / f".film.npz.{pid}.part.npz" for pid in (os.getppid(), 2**22 + 1))
    for place in (running, killed):
        place.write_text("a plan in progress")
    write(tmp_path / "film.npz", [gain(0.1)])
    assert grades_of(tmp_path / "film.npz")
    assert (running.exists(), killed.exists()) == (True, False)


def test_a_missing_folder_is_made(tmp_path) -> None:
    path = tmp_path / "a" / "b" / "film.plan"
    write(path, [gain(0.1)])
    assert len(grades_of(path)) == 1


def test_a_place_that_cannot_be_written_is_told(tmp_path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(OutputError, match="cannot be written"):
        write(tmp_path / "file" / "film.plan", [])


@pytest.mark.parametrize(
    "content",
    [b"", b"text", b"PK\x03\x04 broken", None],
    ids=["empty", "text", "broken", "missing"],
)
def test_what_is_no_plan_is_an_input_error(tmp_path, content) -> None:
    path = tmp_path / "film.plan"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match="not a whole plan"):
        Plan(path)


def test_an_archive_of_something_else_is_an_input_error(tmp_path) -> None:
    path = tmp_path / "film.plan"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("other.txt", "hello")
    with pytest.raises(InputError, match="not a whole plan"):
        Plan(path)


def test_a_plan_description_that_is_no_object_is_an_input_error(tmp_path) -> None:
    path = tmp_path / "film.plan"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("plan.json", "[1, 2]")
    with pytest.raises(InputError):
        Plan(path)


def test_a_plan_of_another_version_says_which(tmp_path) -> None:
    path = tmp_path / "film.plan"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("plan.json", json.dumps({"schema": 99}))
    with pytest.raises(InputError, match="schema 99"):
        Plan(path)


def test_a_plan_cut_off_in_the_middle_is_an_input_error(tmp_path) -> None:
    path = tmp_path / "film.plan"
    write(path, [halved(smooth(seed=i)) for i in range(100)])
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(InputError, match="not a whole plan"):
        Plan(path)


def test_a_plan_with_a_damaged_member_is_an_input_error(tmp_path) -> None:
    path = tmp_path / "film.plan"
    write(path, [halved(smooth(seed=i)) for i in range(100)])
    data = bytearray(path.read_bytes())
    data[200:400] = bytes(200)
    path.write_bytes(data)
    with pytest.raises(InputError):
        grades_of(path)


@pytest.mark.parametrize(
    ("part", "content"),
    [
        ("curves", np.zeros((1, 3, 7), np.float32)),
        ("curves", np.zeros((2, 3, KNOTS), np.float32)),
        ("curves", np.full((1, 3, KNOTS), np.nan, np.float32)),
        ("curves", np.array([[["a"] * KNOTS] * 3])),
        ("gains", np.zeros((1, 3), np.float16)),
        ("gains", np.zeros((1, 2, 2, 2, 4), np.float16)),
        ("gains", np.zeros((1, 0, 2, 2, 3), np.float16)),
        ("gains", np.full((1, 2, 2, 2, 3), np.inf, np.float16)),
    ],
)
def test_a_plan_whose_numbers_are_no_grades_is_an_input_error(tmp_path, part, content) -> None:
    path = tmp_path / "film.plan"
    write(path, [gain(0.1)])
    buffer = io.BytesIO()
    np.save(buffer, content)
    with zipfile.ZipFile(path) as archive:
        kept = {name: archive.read(name) for name in archive.namelist()}
    kept[f"000000000_{part}.npy"] = buffer.getvalue()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in kept.items():
            archive.writestr(name, content)
    with pytest.raises(InputError):
        grades_of(path)


def frames_of_all_kinds(*, count: int = 150) -> list[FramePlan]:
    random = np.random.default_rng(1)
    one, other = (Kept.of(random.integers(0, 256, (6, 9), np.uint8)) for _ in range(2))
    kept = ([None] * 3 + [one] * 70 + [None] + [other] * count)[:count]
    cells = [random.random((4, 5)).astype(np.float32) for _ in range(2)]
    textures = [
        TextureFlicker(amount=0.0),
        TextureFlicker(amount=0.013),
        TextureFlicker(amount=0.02, where=cells[0]),
        TextureFlicker(amount=0.03, where=cells[1]),
    ]
    return [
        FramePlan(
            index=t,
            grade=halved(smooth(seed=t % 7, bins=1 + (t // 40) % 2)),
            seconds=t / 23.976,
            mean_before=random.random(3).astype(np.float32),
            mean_after=random.random(3).astype(np.float32),
            texture=textures[(t // 31) % 4],
            kept=kept[t],
            starts_shot=t in (0, 77),
            repeats=t % 4 == 3,
            keeps_light=t == 50,
            damaged=t == 12,
            light_scale=1.0 if t < 77 else 16.0,
        )
        for t in range(count)
    ]


def assert_frames_same(one: FramePlan, other: FramePlan) -> None:
    assert_same([one.grade], [other.grade])
    np.testing.assert_array_equal(one.mean_before, other.mean_before)
    np.testing.assert_array_equal(one.mean_after, other.mean_after)
    assert one.texture.amount == other.texture.amount
    np.testing.assert_equal(one.texture.where, other.texture.where)
    assert one.kept == other.kept
    for name in ("index", "seconds", "starts_shot", "repeats", "keeps_light", "damaged"):
        assert getattr(one, name) == getattr(other, name)
    assert one.light_scale == other.light_scale


def test_all_of_a_frame_comes_back_in_order_and_out_of_it(tmp_path) -> None:
    frames = frames_of_all_kinds()
    with PlanWriter(tmp_path / "film.plan", about={}) as plan:
        for frame in frames:
            plan.add(frame)
    read = Plan(tmp_path / "film.plan")
    for one, other in zip(read, frames, strict=True):
        assert_frames_same(one, other)
    for index in np.random.default_rng(2).permutation(len(frames)):
        assert_frames_same(read[int(index)], frames[index])
    with zipfile.ZipFile(tmp_path / "film.plan") as archive:
        assert sum(name.endswith(".kept") for name in archive.namelist()) == 3
        assert sum(name.endswith(".texture") for name in archive.namelist()) == 3


def test_frames_that_keep_the_same_share_one_object(tmp_path) -> None:
    with PlanWriter(tmp_path / "film.plan", about={}) as plan:
        for frame in frames_of_all_kinds():
            plan.add(frame)
    read = Plan(tmp_path / "film.plan")
    kept = [read[index].kept for index in range(10, 40)]
    assert all(one is kept[0] for one in kept)


def test_a_frame_that_is_not_there_is_an_index_error(tmp_path) -> None:
    write(tmp_path / "film.plan", [gain(0.1)] * 3)
    for index in (-1, 3):
        with pytest.raises(IndexError, match=f"frame {index} of a plan of 3"):
            Plan(tmp_path / "film.plan")[index]


def test_shots_come_back(tmp_path) -> None:
    diagnosis = Diagnosis(
        kind="exposure",
        model="curves",
        strength_stops=0.2,
        strength_delta_e=1.5,
        period_frames=None,
        frequency_hz=None,
        confidence=0.9,
    )
    shots = [
        ShotPlan(start=0, stop=2, diagnosis=diagnosis, visible_before=1.5, visible_after=0.2),
        ShotPlan(
            start=2, stop=3, diagnosis=diagnosis, guided=True, visible_before=1.0, visible_after=1.0
        ),
    ]
    with PlanWriter(tmp_path / "film.plan", about={}) as plan:
        plan.add(FramePlan(index=0, grade=gain(0.1)))
        plan.tell_shots(shots)
    assert list(Plan(tmp_path / "film.plan").shots) == shots


def test_a_plan_of_version_1_is_read(tmp_path) -> None:
    new, old = tmp_path / "new.plan", tmp_path / "old.plan"
    grades = [halved(smooth(seed=seed)) for seed in range(3)]
    write(new, grades, source="film.mp4")
    with zipfile.ZipFile(new) as given, zipfile.ZipFile(old, "w") as archive:
        for name in given.namelist():
            content = given.read(name)
            if name.endswith("_frames.npy"):
                continue
            if name == "plan.json":
                about = json.loads(content) | {"schema": 1}
                about.pop("shots")
                content = json.dumps(about).encode()
            archive.writestr(name, content)
        assert not [name for name in given.namelist() if "matrices" in name]
    read = Plan(old)
    assert read.about["schema"] == 1
    assert_same(grades_of(old), grades)
    assert read.shots == ()
    assert all(np.isnan(frame.seconds) and not frame.texture.amount for frame in read)


def test_matrices_of_another_shape_are_an_input_error(tmp_path) -> None:
    path = tmp_path / "film.plan"
    write(path, [gain(0.1), gain(0.2)])
    buffer = io.BytesIO()
    np.save(buffer, np.ones((1, 3, 3), np.float32))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("000000000_matrices.npy", buffer.getvalue())
    with pytest.raises(InputError, match="matrices of"):
        grades_of(path)
