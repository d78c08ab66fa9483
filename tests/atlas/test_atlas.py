"""Atlases of whole shots: what is known must be found again."""

import numpy as np
import pytest
import torch

from made_clips import psnr
from made_scenes import known_scene
from unflicker.atlas.guide import guide_of
from unflicker.atlas.layers import moving_masks
from unflicker.atlas.make import Footage, ShotAtlas, make_atlas
from unflicker.atlas.transfer import transferred_gain
from unflicker.errors import Cancelled
from unflicker.frames.flow import Motion
from unflicker.motion import estimate_motion, match
from unflicker.settings import AtlasSettings, Settings

ONE = AtlasSettings(layers=1, steps=120, points=3000)


def atlas_of(
    frames: np.ndarray, settings: AtlasSettings = ONE, *, masks=(), knots_apart=24.0, **options
) -> ShotAtlas:
    footage = Footage(
        frames=frames, motion=estimate_motion(frames), masks=masks, knots_apart=knots_apart
    )
    return make_atlas(footage, settings, match=match, **options)


def rendered(atlas: ShotAtlas) -> np.ndarray:
    return np.stack([atlas.rendered(t) for t in range(atlas.frames)])


@pytest.fixture(scope="module")
def moving():
    scene = known_scene(fade=0.3)
    return scene, atlas_of(scene.frames, knots_apart=12.0)


@pytest.fixture(scope="module")
def layered():
    scene = known_scene(square=True)
    return scene, atlas_of(scene.frames, AtlasSettings(layers=0, steps=200, points=4000))


def test_a_known_path_of_the_camera_is_found_to_under_a_pixel(moving):
    scene, atlas = moving
    for t in range(0, atlas.frames, 5):
        miss = np.linalg.norm(atlas.places(t) - scene.places_in_middle(t), axis=-1)
        assert miss[8:-8, 8:-8].mean() < 1.0


def test_known_colours_under_fading_light_are_found_to_a_code_value(moving):
    scene, atlas = moving
    assert np.abs(rendered(atlas) - scene.frames).mean() * 255.0 < 1.0


def test_light_that_fades_is_in_the_slow_light(moving):
    _, atlas = moving
    light = atlas.model.light.as_slow_light()
    first, last = (light.gain(t, size=(3, 4)).mean() for t in (0, atlas.frames - 1))
    assert last / first == pytest.approx(0.7, abs=0.03)


def test_a_square_before_the_plane_becomes_a_layer(layered):
    scene, atlas = layered
    assert len(atlas.model.layers) == 2
    alike = []
    for t in range(2, atlas.frames - 2, 4):
        found, true = atlas.shares(t)[1] > 0.5, scene.masks[t] > 0.5
        alike.append((found & true).sum() / (found | true).sum())
    assert np.mean(alike) >= 0.93
    assert min(alike) >= 0.88  # 0.895 to 0.9 on one frame, by processor and seed


def test_layers_are_taken_only_where_they_explain_frames_held_out_better(layered):
    _, atlas = layered
    one, several = atlas.held_out_db
    assert several > one + 1.0


def test_a_mask_that_fits_nothing_leaves_one_layer():
    scene = known_scene(time=12)
    squares = (np.indices((96, 160)).sum(axis=0) // 16 % 2).astype(np.float32)
    mask = np.stack([np.roll(squares, 37 * t, axis=1) for t in range(12)])
    atlas = atlas_of(scene.frames, AtlasSettings(layers=0, steps=20, points=1000), masks=(mask,))
    one, several = atlas.held_out_db
    assert several < one - 0.5
    assert len(atlas.model.layers) == 1


@pytest.mark.parametrize("objects", [1, 2])
def test_masks_make_as_many_layers_as_there_are_objects(objects):
    scene = known_scene(time=12, square=True)
    masks = (scene.masks, np.roll(scene.masks, 60, axis=2))[:objects]
    atlas = atlas_of(scene.frames, AtlasSettings(layers=0, steps=20, points=1000), masks=masks)
    assert len(atlas.model.layers) == 1 + objects
    shares = atlas.shares(6)[1:]
    for share, mask in zip(shares, masks, strict=True):
        assert share[mask[6] > 0.5].mean() > 0.7
        assert share[mask[6] < 0.5].mean() < 0.1


def test_nothing_that_moves_by_itself_gives_no_mask():
    assert moving_masks(estimate_motion(known_scene(time=10).frames)) is None


def test_a_shot_that_stands_still_lies_on_the_atlas_as_it_is():
    frames = np.repeat(known_scene(time=1).frames, 10, axis=0)
    atlas = atlas_of(frames)
    identity = np.stack(np.meshgrid(np.arange(160), np.arange(96)), axis=-1)
    assert np.abs(atlas.places(3) - identity).mean() < 0.1
    assert psnr(rendered(atlas), frames) > 38.0


def test_a_steady_clips_guide_is_the_clip(moving):
    scene, atlas = moving
    guide = guide_of(atlas, scene.frames)
    assert psnr(guide.pictures, scene.frames) > 38.0
    assert (guide.trust > 0.5).mean() > 0.9


def test_flicker_is_no_part_of_the_guide():
    steady = known_scene(time=24).frames
    gain = np.exp(np.random.default_rng(0).normal(0.0, 0.1, 24)).astype(np.float32)
    seen = np.clip(steady * gain[:, None, None, None], 0.0, 1.0)
    levels = rendered(atlas_of(seen)).mean(axis=(1, 2, 3)) / steady.mean(axis=(1, 2, 3))
    assert np.abs(np.diff(np.log(gain))).mean() > 0.08
    assert np.abs(np.diff(np.log(levels))).mean() < 0.004


def test_a_guide_with_the_wrong_structure_is_not_trusted(moving):
    scene, atlas = moving
    other = np.random.default_rng(0).random(scene.frames.shape).astype(np.float32)
    assert guide_of(atlas, other).trust.mean() < 0.2


def test_transfer_takes_regions_to_the_guides_light(moving):
    scene, atlas = moving
    guide = guide_of(atlas, scene.frames)
    gain = transferred_gain(guide.pictures * np.float32(0.8), guide, rows=6, columns=8)
    assert np.exp(gain).mean() == pytest.approx(1.25, abs=0.06)
    assert not transferred_gain(
        guide.pictures * np.float32(0.8),
        type(guide)(pictures=guide.pictures, trust=guide.trust * 0),
        rows=6,
        columns=8,
    ).any()


def test_the_same_seed_gives_the_same_atlas_and_another_does_not():
    frames = known_scene(time=8).frames
    settings = AtlasSettings(layers=1, steps=20, points=500)
    first, second = (rendered(atlas_of(frames, settings)) for _ in range(2))
    other = rendered(atlas_of(frames, AtlasSettings(layers=1, steps=20, points=500, seed=1)))
    assert np.array_equal(first, second)
    assert not np.array_equal(first, other)


def test_twice_as_many_frames_are_matched_twice_as_often():
    calls = []

    def counted(one: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        calls.append(1)
        return match(one, other)

    counts = []
    for time in (8, 16):
        calls.clear()
        frames = known_scene(time=time).frames
        settings = AtlasSettings(layers=1, steps=1, points=100)
        make_atlas(Footage(frames=frames, motion=estimate_motion(frames)), settings, match=counted)
        counts.append(len(calls))
    assert counts[1] == 2 * counts[0]


@pytest.mark.parametrize("visible", [1.0, 0.0])
def test_motion_over_many_frames_pulls_where_it_is_seen(visible):
    frames = np.repeat(known_scene(time=1).frames, 8, axis=0)

    def shifted(one: np.ndarray, _: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        flow = np.zeros((*one.shape[:2], 2), np.float32) + np.array([6.0, 0.0], np.float32)
        return flow, np.full(one.shape[:2], visible, np.float32)

    misses = []
    for longest_stride in (1, 4):
        settings = AtlasSettings(
            layers=1, rounds=0, steps=60, points=2000, flow=1.0, longest_stride=longest_stride
        )
        footage = Footage(frames=frames, motion=estimate_motion(frames))
        atlas = make_atlas(footage, settings, match=shifted)
        miss = atlas.places(5)[:, 6:] - atlas.places(1)[:, :-6]
        misses.append(np.linalg.norm(miss, axis=-1).mean())
    if visible:
        assert misses[1] < 0.7 * misses[0]
    else:
        assert misses[1] == pytest.approx(misses[0], rel=0.02)


def test_no_motion_is_sought_over_more_frames_than_there_are():
    frames = known_scene(time=6).frames
    atlas = atlas_of(frames, AtlasSettings(layers=1, steps=4, points=200, longest_stride=64))
    assert np.isfinite(rendered(atlas)).all()


def test_a_fit_can_be_stopped():
    def stop(done: int, total: int) -> None:
        if done == 3:
            raise Cancelled("stop")

    with pytest.raises(Cancelled):
        atlas_of(known_scene(time=6).frames, tell=stop)


@pytest.mark.parametrize("stops_early", [True, False])
def test_a_fit_that_no_longer_gets_better_stops_unless_told_otherwise(stops_early):
    settings = AtlasSettings(
        layers=1, steps=300, points=50, learning_rate=0.0, kind="mlp", stops_early=stops_early
    )
    atlas = atlas_of(known_scene(time=4, size=(16, 24)).frames, settings)
    assert atlas.log.stalled is stops_early
    assert (atlas.log.steps[-1] < 299) is stops_early


def test_the_reference_system_fits_all_its_steps_and_follows_motion_both_ways():
    paper = Settings.from_preset("paper").atlas
    assert not paper.stops_early
    assert paper.flow_both_ways


@pytest.mark.parametrize("both_ways", [True, False])
def test_motion_seen_backward_alone_pulls_only_where_the_flow_loss_goes_both_ways(both_ways):
    frames = np.repeat(known_scene(time=1, size=(24, 40)).frames, 6, axis=0)
    still = np.zeros((5, 24, 40, 2), np.float32)
    shift = np.array([4.0, 0.0], np.float32)
    motion = Motion(forward=still, backward=still + shift)
    seen = np.ones((5, 24, 40), np.float32)
    motion.__dict__.update(visible_forward=seen * 0, visible_backward=seen)
    settings = AtlasSettings(
        layers=1,
        rounds=0,
        steps=60,
        points=800,
        flow=1.0,
        flow_both_ways=both_ways,
    )
    atlas = make_atlas(Footage(frames=frames, motion=motion), settings, match=match)
    # A point of frame 3 lies 4 px further to the right in frame 2.
    miss = atlas.places(2)[:, 4:] - atlas.places(3)[:, :-4]
    moved = 4.0 - np.linalg.norm(miss, axis=-1).mean()
    assert bool(moved > 1.0) is both_ways


@pytest.mark.parametrize(
    "frames",
    [
        known_scene(time=1).frames,
        known_scene(time=2).frames,
        np.zeros((5, 96, 160, 3), np.float32),
        np.ones((5, 96, 160, 3), np.float32),
        np.random.default_rng(0).random((6, 20, 24, 3)).astype(np.float32),
        known_scene(time=3, size=(9, 11)).frames,
    ],
    ids=["one frame", "two frames", "black", "white", "noise, nothing to follow", "tiny"],
)
@pytest.mark.parametrize("layers", [0, 2])
def test_odd_shots_get_an_atlas_all_the_same(frames, layers):
    atlas = atlas_of(frames, AtlasSettings(layers=layers, steps=5, points=200))
    guide = guide_of(atlas, frames)
    assert np.isfinite(guide.pictures).all()
    assert ((guide.trust >= 0.0) & (guide.trust <= 1.0)).all()


def test_black_frames_in_between_are_not_trusted():
    frames = known_scene(time=12).frames.copy()
    frames[5:7] = 0.0
    guide = guide_of(atlas_of(frames), frames)
    assert guide.trust[5:7].mean() < 0.3
    assert guide.trust[[0, 11]].mean() > 0.5


@pytest.mark.parametrize("layers", [1, 2])
def test_the_reference_networks_learn(layers):
    scene = known_scene(time=4, size=(24, 40), square=layers == 2)
    paper = Settings.from_preset("paper").atlas
    settings = AtlasSettings(
        **{
            **{name: getattr(paper, name) for name in paper.__dataclass_fields__},
            "layers": layers,
            "steps": 40,
            "points": 200,
            "learning_rate": 1e-3,
        }
    )
    masks = (np.ones((4, 24, 40), np.float32) * 0.5,) if layers == 2 else ()
    atlas = atlas_of(scene.frames, settings, masks=masks)
    colour = [entry["colour"] for entry in atlas.log.losses]
    assert len(atlas.model.layers) == layers
    assert colour[-1] < 0.7 * colour[0]
    assert next(atlas.model.parameters()).dtype == torch.float32
