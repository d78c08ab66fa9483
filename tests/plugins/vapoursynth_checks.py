"""Checks under the real VapourSynth; run by a Python that has it (`test_vapoursynth.py`)."""

import random
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import vapoursynth as vs

import unflicker
from unflicker.plugins.vapoursynth import Unflicker

core = vs.core
HERE = Path(__file__)
SIZE = (64, 112)


def arrays(time_frames: int = 40, *, flicker: float = 0.2) -> np.ndarray:
    """A textured picture that pans under flickering light, uint8 RGB."""
    rng = np.random.default_rng(1)
    grain = rng.uniform(0.2, 0.8, (SIZE[0] // 4, SIZE[1] // 2, 3))
    wide = np.kron(grain, np.ones((4, 4, 1)))
    light = 1.0 + rng.uniform(-flicker, flicker, time_frames)
    return np.stack(
        [np.clip(wide[:, t : t + SIZE[1]] * light[t] * 255, 0, 255) for t in range(time_frames)]
    ).astype(np.uint8)


def clip_of(pixels: np.ndarray, form: int = vs.RGB24, **tags: int) -> vs.VideoNode:
    blank = core.std.BlankClip(
        width=pixels.shape[2], height=pixels.shape[1], format=vs.RGB24, length=len(pixels),
        fpsnum=25, fpsden=1,
    )  # fmt: skip

    def filled(n: int, f: vs.VideoFrame) -> vs.VideoFrame:
        made = f.copy()
        for plane in range(3):
            np.copyto(np.asarray(made[plane]), pixels[n, ..., plane])
        made.props["Mark"] = n
        return made

    clip = core.std.ModifyFrame(blank, blank, filled)
    if form == vs.RGB24:
        return clip
    family = core.get_video_format(form).color_family
    return core.resize.Point(
        clip, format=form, **({} if family == vs.RGB else {"matrix_s": "170m"})
    )


def planes(frame: vs.VideoFrame) -> list[np.ndarray]:
    return [np.array(np.asarray(frame[place])) for place in range(len(frame))]


def steady_of(clip: vs.VideoNode, **asked: object) -> vs.VideoNode:
    return Unflicker(clip, **{"preset": "fast", **asked})


def check_every_format_is_steadied_and_keeps_its_kind() -> None:
    pixels = arrays()
    for form in (vs.RGB24, vs.RGB48, vs.YUV420P8, vs.YUV422P10, vs.YUV444P16, vs.GRAY8, vs.GRAY16,
                 vs.RGBS, vs.GRAYS, vs.YUV444PS, vs.RGBH):  # fmt: skip
        clip = clip_of(pixels, form)
        steady = steady_of(clip)
        assert steady.format.id == clip.format.id, form
        assert (steady.num_frames, steady.fps) == (clip.num_frames, clip.fps)
        levels = [
            np.array([float(planes(each.get_frame(n))[0].mean()) for n in range(40)])
            for each in (clip, steady)
        ]
        steps = [np.abs(np.diff(level)).mean() for level in levels]
        assert steps[1] < 0.5 * steps[0], (form, steps)
        assert steady.get_frame(7).props["Mark"] == 7


def check_any_order_gives_the_same_and_that_of_a_run(folder: Path) -> None:
    pixels = arrays()
    rng = np.random.default_rng(5)
    wild = pixels.astype(float) + rng.normal(0, 9, (40, 16, 28, 1)).repeat(4, 1).repeat(4, 2)
    for given, preset in ((pixels, "fast"), (np.clip(wild, 0, 255).astype(np.uint8), "standard")):
        clip = clip_of(given, vs.YUV420P8)
        path = folder / f"{preset}.y4m"
        with path.open("wb") as written:
            clip.output(written, y4m=True)
        result = folder / f"{preset}.mkv"
        settings = unflicker.Settings.from_preset(preset, encoding__codec="ffv1")
        unflicker.run(path, result, settings=settings)
        from unflicker.video import open_video

        expected = [frame.picture.planes for frame in open_video(result).frames()]
        steady = steady_of(clip, preset=preset)
        order = list(range(40))
        random.Random(1).shuffle(order)
        for n in order:
            for one, other in zip(planes(steady.get_frame(n)), expected[n], strict=True):
                difference = np.abs(one.astype(int) - other)
                assert difference.max() <= 1, (preset, n, difference.max(), difference.mean())


def check_the_plan_is_kept_next_to_the_script() -> None:
    folder = HERE.parent / ".unflicker"
    assert list(folder.glob("*.plan"))
    clip, began = clip_of(arrays()), time.monotonic()
    steady_of(clip)
    assert time.monotonic() - began < 1.0
    assert steady_of(clip, strength=0.0) is clip


def check_faults_are_errors_of_vapoursynth(folder: Path) -> None:
    clip = clip_of(arrays())
    for asked, says in (
        ({"preset": "quick"}, "preset"),
        ({"strength": 2.0}, "strength"),
        ({"preset": "paper"}, "paper"),
        ({"plan": folder / "none.plan"}, "not a whole plan"),
        ({"mask": folder / "none.png"}, "mask"),
    ):
        try:
            steady_of(clip, **asked)
        except vs.Error as fault:
            told = str(fault)
        else:
            told = "it was taken"
        assert says in told, (asked, told)


def check_an_original_and_a_mask_are_used(folder: Path) -> None:
    import cv2

    clip = clip_of(arrays())
    white = np.zeros(SIZE, np.uint8)
    white[:, 56:] = 255
    cv2.imwrite(str(folder / "mask.png"), white)
    steady = steady_of(clip, mask=folder / "mask.png")
    one, other = planes(clip.get_frame(9))[1], planes(steady.get_frame(9))[1]
    assert (one[:, :56] == other[:, :56]).all()
    assert (one[:, 56:] != other[:, 56:]).any()
    guided = steady_of(clip, original=clip_of(arrays(flicker=0.0)), preset="standard")
    assert guided.get_frame(20).height == SIZE[0]


def measured_speed() -> None:
    """Prints frames a second of a copy and of the filter, at 1080p."""
    small = arrays(48)
    clip = clip_of(small, vs.YUV420P8).resize.Bicubic(1920, 1080)
    frames = [clip.get_frame(n) for n in range(48)]
    held = core.std.BlankClip(clip, keep=True)
    held = core.std.ModifyFrame(held, held, lambda n, f: frames[n])

    def copied(n: int, f: vs.VideoFrame) -> vs.VideoFrame:
        made = f.copy()
        for plane in range(3):
            np.copyto(np.asarray(made[plane]), np.asarray(f[plane]))
        return made

    steady = steady_of(held)
    for name, node in (("copy", core.std.ModifyFrame(held, held, copied)), ("filter", steady)):
        list(node.frames(close=True))
        began = time.monotonic()
        list(node.frames(close=True))
        speed = 48 / (time.monotonic() - began)
        sys.stdout.write(f"{name}: {speed:.1f} frames a second\n")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        check_every_format_is_steadied_and_keeps_its_kind()
        check_any_order_gives_the_same_and_that_of_a_run(place)
        check_the_plan_is_kept_next_to_the_script()
        check_faults_are_errors_of_vapoursynth(place)
        check_an_original_and_a_mask_are_used(place)
    if "speed" in sys.argv:
        measured_speed()
    sys.stdout.write("all checks passed\n")
