"""Laws of the refinement: it calms texture, and leaves alone what does not flicker."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

import unflicker
from made_clips import panning, scene
from unflicker import Settings
from unflicker.frames.clip import Clip, from_float, to_float
from unflicker.frames.colour import from_rgb, to_rgb
from unflicker.frames.flow import pixel_places, warp
from unflicker.frames.picture import ColourMeaning, Picture, PixelLayout, as_array, as_picture
from unflicker.metrics import sharpness_ratio
from unflicker.motion import estimate_motion
from unflicker.refinement import kernels
from unflicker.refinement.alignment import refined_flow
from unflicker.refinement.mixing import within_mask
from unflicker.refinement.refine import Graded, refined
from unflicker.settings import replaced
from unflicker.synthesis import processed

USED = replaced(Settings.from_preset("fast"), {"refinement.used": True})
SIZE = (72, 128)


def noise(*, time: int, size: tuple[int, int], deviation: float, seed: int = 0) -> np.ndarray:
    """Texture of its own for every frame, a little blurred; (time, height, width, 3)."""
    random = np.random.default_rng(seed)
    made = random.normal(size=(time, *size, 1)).astype(np.float32)
    soft = np.stack([cv2.GaussianBlur(frame, (0, 0), 1.5)[..., None] for frame in made])
    return np.repeat(soft * (deviation / soft.std()), 3, axis=3)


def still(*, time: int, size: tuple[int, int] = SIZE) -> np.ndarray:
    return np.repeat(scene(seed=2, size=size)[None], time, axis=0)


def calmed(
    frames: np.ndarray,
    *,
    starts: tuple[int, ...] = (0,),
    wanted: tuple[bool, ...] | None = None,
    strong: float = 0.0,
) -> np.ndarray:
    """Frames of an array through the stage, all of them wanting it."""
    graded = [
        Graded(
            picture=as_picture(frame),
            texture_flickers=wanted[index] if wanted else True,
            starts_shot=index in starts,
            strong=strong,
        )
        for index, frame in enumerate(frames)
    ]
    out = refined(graded, follow=estimate_motion, proxy_px=256)
    return np.stack([as_array(p, like=f) for p, f in zip(out, frames, strict=True)])


def change(frames: np.ndarray) -> float:
    return float(np.diff(to_float(frames), axis=0).std())


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_a_steady_clip_comes_out_bit_for_bit(dtype) -> None:
    clip = panning(time=12, size=SIZE, dtype=dtype)
    result = unflicker.deflicker(clip.pixels, settings=USED)
    np.testing.assert_array_equal(result, clip.pixels)


def test_texture_that_flickers_is_calmed_and_stays_sharp() -> None:
    clean = still(time=10, size=(144, 256))
    frames = np.clip(clean + noise(time=10, size=(144, 256), deviation=0.02), 0, 1)
    result = calmed(from_float(frames, dtype=np.uint8))
    given = change(frames)
    # A share of a fifth from both sides leaves 0.45 of independent changes, more where motion errs
    # and in the lowest frequencies, which are fine light's.
    assert 0.40 * given < change(result) < 0.75 * given
    assert np.abs(to_float(result) - clean).mean() < 0.85 * np.abs(frames - clean).mean()


def test_strong_flicker_is_calmed_more_at_no_less_detail() -> None:
    size = (144, 256)
    frames = still(time=12, size=size) + noise(time=12, size=size, deviation=0.02)
    given = from_float(np.clip(frames, 0, 1), dtype=np.uint8)
    weak, strong = calmed(given), calmed(given, strong=1.0)
    assert change(strong) < 0.95 * change(weak)
    clip, soft, sharp = (Clip.at_rate(part, fps=24) for part in (given, weak, strong))
    assert sharpness_ratio(sharp, clip) > sharpness_ratio(soft, clip)
    assert sharpness_ratio(sharp, clip) < 1.02


def test_of_noise_alone_no_detail_is_restored() -> None:
    size = (144, 256)
    frames = 0.5 + noise(time=10, size=size, deviation=0.05)
    given = from_float(frames, dtype=np.uint8)
    assert change(calmed(given, strong=1.0)) < change(calmed(given))


def test_processed_video_is_calmed_along_its_motion() -> None:
    clean = panning(time=10, size=(108, 192))
    made = processed(clean, seed=5)
    off, on = (
        unflicker.deflicker(made.pixels, settings=s) for s in (Settings.from_preset("fast"), USED)
    )
    flow = np.full((108, 192, 2), (1.3, 0.4), np.float32)
    # The camera moves right and down: what is at x now was at x + 1.3 before.

    def error(frames: np.ndarray) -> float:
        pairs = zip(to_float(frames[1:]), to_float(frames[:-1]), strict=True)
        return float(np.mean([np.abs(a - warp(b, flow))[8:-8, 8:-8].mean() for a, b in pairs]))

    own = error(clean.pixels)
    assert error(on) - own < 0.75 * (error(off) - own)


def test_texture_is_calmed_where_it_is_said_to_flicker() -> None:
    frames = np.clip(still(time=6) + noise(time=6, size=SIZE, deviation=0.03), 0, 1)
    given = [as_picture(frame) for frame in from_float(frames, dtype=np.uint8)]
    where = np.zeros((9, 16), np.float32)
    where[:, 8:] = 1.0
    left, right = (slice(None), slice(0, 56)), (slice(None), slice(72, 128))
    graded = [
        Graded(picture=p, texture_flickers=True, where=where, starts_shot=p is given[0])
        for p in given
    ]
    result = refined(graded, follow=estimate_motion, proxy_px=256)
    change_of = [
        np.diff(np.stack([p.planes[0] for p in film]).astype(float), axis=0)
        for film in (given, list(result))
    ]
    kept, taken = (
        change_of[1][:, *part].std() / change_of[0][:, *part].std() for part in (left, right)
    )
    assert taken < kept - 0.1
    assert kept > 0.85  # its light is carried


def test_nothing_crosses_a_cut() -> None:
    first = still(time=4) + noise(time=4, size=SIZE, deviation=0.03)
    second = panning(time=4, size=SIZE, seed=7, dtype=np.float32).pixels
    second = second + noise(time=4, size=SIZE, deviation=0.03, seed=1)
    both = from_float(np.clip(np.concatenate([first, second]), 0, 1), dtype=np.uint8)
    together = calmed(both, starts=(0, 4))
    apart = np.concatenate([calmed(both[:4]), calmed(both[4:])])
    np.testing.assert_array_equal(together, apart)
    assert (calmed(both) != apart).any()


def test_what_moves_in_front_is_not_ghosted() -> None:
    frames = still(time=8, size=(108, 192)).copy()
    for t in range(8):
        frames[t, 40:70, 10 + 14 * t : 40 + 14 * t] = (0.9, 0.1, 0.1)
    given = from_float(frames, dtype=np.uint8)
    off = np.abs(calmed(given).astype(int) - given).max(axis=3)
    # A ghost would be a fifth of a difference of a hundred codes, all along the way.
    assert off.mean() < 0.8
    assert np.percentile(off, 99) <= 16


def test_frames_come_out_untouched_once_it_has_faded_out() -> None:
    frames = still(time=24) + noise(time=24, size=SIZE, deviation=0.03)
    given = from_float(np.clip(frames, 0, 1), dtype=np.uint8)
    result = calmed(given, wanted=(True,) * 4 + (False,) * 20)
    changed = (result != given).any(axis=(1, 2, 3))
    assert changed[:8].all()
    assert not changed[12:].any()


@pytest.mark.parametrize("time", [1, 2, 3])
@pytest.mark.parametrize(
    "layout",
    [
        PixelLayout(family="yuv", depth=8, chroma_shift=(1, 1)),
        PixelLayout(family="yuv", depth=10, chroma_shift=(1, 0)),
        PixelLayout(family="rgb", depth=16, alpha=True),
        PixelLayout(family="grey", depth=8),
    ],
    ids=["4:2:0", "10 bits 4:2:2", "16 bits RGB with alpha", "grey"],
)
def test_every_layout_at_odd_sizes(layout: PixelLayout, time: int) -> None:
    size = (53, 77)
    light = np.clip(still(time=time, size=size) + noise(time=time, size=size, deviation=0.02), 0, 1)
    meaning = ColourMeaning(full_range=False)
    given = [from_rgb(frame, layout=layout, meaning=meaning) for frame in light]
    result = list(
        refined(
            [Graded(picture=p, texture_flickers=True, starts_shot=p is given[0]) for p in given],
            follow=estimate_motion,
            proxy_px=256,
        )
    )
    assert [p.size for p in result] == [size] * time
    assert all(p.layout == layout for p in result)
    if time == 3:
        near = np.abs(to_rgb(result[1]) - to_rgb(given[1]))
        assert 0.0 < near.mean() < 0.03
    if layout.alpha:
        assert all((p.planes[-1] == layout.peak).all() for p in result)


def test_pictures_smaller_than_any_neighbourhood_pass() -> None:
    for size in ((1, 1), (2, 3), (5, 40)):
        frames = np.random.default_rng(0).integers(0, 255, (3, *size, 3)).astype(np.uint8)
        assert calmed(frames).shape == frames.shape


def test_strength_nought_and_a_black_mask_change_nothing() -> None:
    frames = np.clip(still(time=4) + noise(time=4, size=SIZE, deviation=0.03), 0, 1)
    given = [as_picture(from_float(frame, dtype=np.uint8)) for frame in frames]
    graded = [Graded(picture=p, texture_flickers=True, starts_shot=p is given[0]) for p in given]
    off = [replace(each, strength=0.0) for each in graded]
    none = list(refined(off, follow=estimate_motion, proxy_px=256))
    assert all(a is b for a, b in zip(none, given, strict=True))
    full = list(refined(graded, follow=estimate_motion, proxy_px=256))
    mask = np.zeros(SIZE, np.float32)
    mask[:, 64:] = 1.0
    kept = within_mask(given[1], full[1], mask)
    for old, new, result in zip(given[1].planes, full[1].planes, kept.planes, strict=True):
        np.testing.assert_array_equal(result[:, :64], old[:, :64])
        np.testing.assert_array_equal(result[:, 64:], new[:, 64:])


def test_motion_is_refined_to_a_small_part_of_a_proxys_pixel() -> None:
    large = scene(seed=3, size=(400, 620))[..., 1]
    there = np.array([[1, 0, 4.6], [0, 1, -3.3]], np.float32)
    moved = cv2.warpAffine(large, there, (620, 400), flags=cv2.INTER_CUBIC)
    first, second = large[20:-20, 20:-20].copy(), moved[20:-20, 20:-20].copy()
    scale = 580 / 145
    rough = np.full((90, 145, 2), (4.6 / scale + 0.25, -3.3 / scale - 0.2), np.float32)
    found = refined_flow(rough, first, second) * scale
    off = np.hypot(found[..., 0] - 4.6, found[..., 1] + 3.3)[8:-8, 8:-8]
    assert np.median(off) < 0.1


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_plane_moved_by_whole_pixels_is_fetched_exactly(dtype) -> None:
    random = np.random.default_rng(0)
    plane = random.integers(0, 255, (40, 61)).astype(dtype)
    plan = np.zeros((10, 15, 6), np.float32)
    plan[..., 0], plan[..., 1], plan[..., 4] = 3.0, -2.0, 1.0
    scale = tuple(np.float32(v) for v in (1, 1, 255, 1e9))
    out = np.empty_like(plane)
    kernels.mix(plane, plane, plane, out, plan, scale, None, (0, 40), kernels.room_for_mix(61))
    rows = np.clip(np.arange(40) - 2, 0, 39)
    columns = np.clip(np.arange(61) + 3, 0, 60)
    np.testing.assert_array_equal(out, plane[rows][:, columns])
    plan[..., 4] = 0.0
    kernels.mix(plane, plane, plane, out, plan, scale, None, (0, 40), kernels.room_for_mix(61))
    np.testing.assert_array_equal(out, plane)


def test_cubic_fetching_keeps_more_detail_than_bilinear() -> None:
    picture = from_float(scene(seed=4, size=(90, 160)), dtype=np.uint8)[..., 0].copy()
    plan = np.zeros((9, 16, 6), np.float32)
    plan[..., 0], plan[..., 4] = 0.5, 1.0
    out = np.empty_like(picture)
    scale = tuple(np.float32(v) for v in (1, 1, 255, 1e9))
    room = kernels.room_for_mix(160)
    kernels.mix(picture, picture, picture, out, plan, scale, None, (0, 90), room)
    half = pixel_places(90, 160) * 0 + np.array([0.5, 0.0], np.float32)
    bilinear = warp(picture.astype(np.float32), half)
    detail = [np.abs(np.diff(p.astype(np.float32), axis=1)).mean() for p in (out, bilinear)]
    assert detail[0] > detail[1]


def test_arrays_become_pictures_and_come_back() -> None:
    for dtype in (np.uint8, np.uint16, np.float32):
        for pixels in (panning(time=1, size=(9, 14), dtype=dtype).pixels[0],):
            np.testing.assert_array_equal(as_array(as_picture(pixels), like=pixels), pixels)
            grey = np.ascontiguousarray(pixels[..., 0])
            picture = as_picture(grey)
            assert isinstance(picture, Picture)
            np.testing.assert_array_equal(as_array(picture, like=grey), grey)
