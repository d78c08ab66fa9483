"""Interlaced film whose fields differ in light is corrected field by field."""

import av
import numpy as np
import pytest

import unflicker
from made_clips import panning
from unflicker import RunOptions
from unflicker.analysis.by_fields import Fields, by_frames, fields_differ
from unflicker.grade import Grade
from unflicker.plan import FramePlan, Plan
from unflicker.video import open_video

SIZE, FRAMES = (96, 128), 22


def woven(fields, *, upper_first):
    """Frames of fields that were shot one after the other."""
    frames = fields[::2].copy()
    late = 1 if upper_first else 0
    frames[:, late::2] = fields[1::2, late::2]
    return frames


def write(path, frames, *, upper_first=True, interlaced=True):
    """A lossless film."""
    order = f"{'tff' if upper_first else 'bff'}=1" if interlaced else "bframes=0"
    options = {"qp": "0", "preset": "ultrafast", "x264-params": order}
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options=options)
        stream.height, stream.width, stream.pix_fmt = SIZE[0], SIZE[1], "yuv444p"
        for pixels in frames:
            eight = np.clip(pixels * 255 + 0.5, 0, 255).astype(np.uint8)
            picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(eight), format="rgb24")
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return path


def pixels(path):
    with av.open(str(path)) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    return np.stack(frames).astype(np.float64)


def psnr(found, truth):
    found = found * (truth.mean() / found.mean())
    return float(np.mean(10 * np.log10(255**2 / ((found - truth) ** 2).mean(axis=(1, 2, 3)))))


def light_of(kind, seed):
    """The light of each field, over the rows of the picture."""
    at = np.arange(2 * FRAMES)
    if kind == "field":
        own = np.exp(np.random.default_rng(seed).normal(0, 0.07, 2 * FRAMES))
    elif kind == "frame":
        own = np.repeat(np.exp(np.random.default_rng(seed).normal(0, 0.07, FRAMES)), 2)
    elif kind == "mains":
        own = 1 + 0.1 * np.sin(2 * np.pi * 0.26 * at + seed)
    elif kind == "bands":
        rows = np.linspace(0, 1.2, SIZE[0])
        return 1 + 0.1 * np.sin(2 * np.pi * (rows[None] + 0.31 * at[:, None]))[..., None, None]
    else:
        own = np.ones(2 * FRAMES)
    return own[:, None, None, None]


def film(folder, kind, *, upper_first=True, seed=1, interlaced=True, speed_px=(0.7, 0.2)):
    """A film and its steady truth."""
    clip = panning(time=2 * FRAMES, size=SIZE, seed=seed, speed_px=speed_px, dtype=np.float32)
    fields, weave = clip.pixels, {"upper_first": upper_first}
    truth = woven(fields, **weave) * 255
    lit = woven(fields * light_of(kind, seed), **weave)
    path = write(folder / "film.mkv", lit, **weave, interlaced=interlaced)
    return path, truth


def steady(source, target, **options):
    unflicker.run(source, target, preset="fast", **options)
    return pixels(target)


@pytest.mark.parametrize(
    ("kind", "upper_first", "seed"),
    [("field", False, 3), ("mains", True, 4), ("bands", False, 5)],
)
def test_flicker_by_field_is_removed_by_field(tmp_path, monkeypatch, kind, upper_first, seed):
    source, truth = film(tmp_path, kind, upper_first=upper_first, seed=seed)
    by_field = psnr(steady(source, tmp_path / "fields.mkv"), truth)
    with open_of(tmp_path / "fields.mkv") as container:
        assert all(frame.interlaced_frame for frame in container.decode(video=0))
    monkeypatch.setattr("unflicker.analysis.analyse_film.fields_differ", lambda film: False)
    by_frame = psnr(steady(source, tmp_path / "frames.mkv"), truth)
    assert by_field > by_frame + 5, (by_field, by_frame)
    assert by_field > psnr(pixels(source), truth) + 9


def open_of(path):
    return av.open(str(path))


@pytest.mark.parametrize("speed_px", [(0.7, 0.2), (3.0, 0.0), (0.0, 2.5)])
@pytest.mark.parametrize("kind", ["none", "frame"])
def test_fields_of_one_light_are_corrected_as_frames(tmp_path, kind, speed_px):
    source, _ = film(tmp_path, kind, speed_px=speed_px)
    assert open_video(source).traits.field_order > 1
    assert not fields_differ(open_video(source))


def test_progressive_film_is_never_split(tmp_path):
    source, _ = film(tmp_path, "field", interlaced=False)
    assert not fields_differ(open_video(source))
    unflicker.analyze(source, preset="fast", options=RunOptions(save_plan=tmp_path / "film.plan"))
    plan = Plan(tmp_path / "film.plan")
    assert plan.about["schema"] == 3
    assert all(frame.lower_grade is None for frame in plan)


def test_a_plan_of_fields_gives_what_the_run_gives(tmp_path):
    source, _ = film(tmp_path, "field", seed=6, upper_first=False)
    steady(source, tmp_path / "run.mkv")
    saved = RunOptions(save_plan=tmp_path / "film.plan")
    record = unflicker.analyze(source, preset="fast", options=saved)
    plan = Plan(tmp_path / "film.plan")
    assert (plan.about["schema"], len(plan)) == (4, FRAMES)
    assert [(shot.start, shot.stop) for shot in record.shots] == [(0, FRAMES)]
    assert all(frame.lower_grade is not None for frame in plan)
    steady(source, tmp_path / "apply.mkv", options=RunOptions(plan=tmp_path / "film.plan"))
    assert (tmp_path / "apply.mkv").read_bytes() == (tmp_path / "run.mkv").read_bytes()


@pytest.mark.parametrize("upper_first", [True, False])
def test_fields_are_read_in_the_order_in_which_they_are_shown(tmp_path, upper_first):
    source, _ = film(tmp_path, "field", upper_first=upper_first)
    fields = Fields(open_video(source))
    found = list(fields.frames())
    assert [frame.index for frame in found] == list(range(2 * FRAMES))
    seconds = np.array([frame.seconds for frame in found])
    assert np.allclose(np.diff(seconds), 0.02, atol=1e-3)
    assert fields.lower_first != upper_first
    for index in (0, 6, 7):
        again = next(iter(fields.frames_from(index, found[index].pts)))
        assert (again.index, again.pts) == (index, found[index].pts)
        same = zip(again.picture.planes, found[index].picture.planes, strict=True)
        assert all(np.array_equal(one, other) for one, other in same)


@pytest.mark.parametrize(("cut", "starts"), [(4, [0, 2]), (5, [0, 3]), (None, [0])])
def test_a_cut_between_the_fields_of_a_frame_counts_from_the_next(cut, starts):
    light = np.full(3, 0.4, np.float32)
    plans = [
        FramePlan(
            index=index,
            grade=Grade.identity(rows=index + 1),
            starts_shot=index in (0, cut),
            mean_before=light,
            mean_after=light,
        )
        for index in range(8)
    ]
    frames = list(by_frames(iter(plans), lower_first=True))
    assert [frame.index for frame in frames] == [0, 1, 2, 3]
    assert [frame.index for frame in frames if frame.starts_shot] == starts
    rows = [
        (frame.grade.log_gain.shape[0], frame.lower_grade.log_gain.shape[0]) for frame in frames
    ]
    assert rows == [(2, 1), (4, 3), (6, 5), (8, 7)]
