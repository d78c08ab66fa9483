"""The parts of an atlas by themselves: meshes, canvases, slow light, losses, networks."""

import numpy as np
import pytest
import torch
from torch import Tensor

from unflicker.atlas import losses
from unflicker.atlas.canvas import Canvas, Painting
from unflicker.atlas.encoding import octaves
from unflicker.atlas.fields import Atlas
from unflicker.atlas.light import COLUMNS, ROWS, SlowLight
from unflicker.atlas.mesh import Mesh
from unflicker.atlas.mlp import Frame, MlpLayer, texture_network
from unflicker.errors import UsageError
from unflicker.frames.flow import pixel_places

MESH = Mesh(height=40, width=60, cell_px=6.0)


def affine(places: np.ndarray) -> np.ndarray:
    turn = np.array([[1.1, -0.2], [0.15, 0.9]])
    return (places @ turn.T + [3.0, -7.0]).astype(np.float32)


def test_nodes_at_their_places_give_every_pixel_its_place():
    assert MESH.dense(MESH.node_places()) == pytest.approx(pixel_places(40, 60), abs=1e-4)


def test_a_mesh_at_twice_the_size_says_the_same_of_the_same_points():
    small = MESH.dense(affine(MESH.node_places()))
    large = MESH.dense(affine(MESH.node_places()), size=(80, 120))
    halved = large.reshape(40, 2, 60, 2, 2).mean(axis=(1, 3))
    assert halved == pytest.approx(small, abs=1e-3)


def test_fitting_an_affine_map_gives_that_map():
    places = affine(pixel_places(40, 60))
    nodes = MESH.fit(places, np.ones((40, 60), np.float32), stiffness=1.0)
    assert MESH.dense(nodes) == pytest.approx(places, abs=1e-2)


def test_where_nothing_counts_a_fitted_map_goes_on_as_it_was():
    places = affine(pixel_places(40, 60))
    wrong = places.copy()
    wrong[10:30, 20:40] += 25.0
    weight = np.ones((40, 60), np.float32)
    weight[8:32, 18:42] = 0.0
    assert MESH.dense(MESH.fit(wrong, weight, stiffness=1.0)) == pytest.approx(places, abs=0.05)


def test_a_stiffer_mesh_bends_less():
    random = np.random.default_rng(0)
    places = pixel_places(40, 60) + random.normal(0, 2, (40, 60, 2)).astype(np.float32)
    weight = np.ones((40, 60), np.float32)
    soft, stiff = (MESH.fit(places, weight, stiffness=value) for value in (0.1, 100.0))
    assert (
        np.square(np.diff(stiff, n=2, axis=0)).sum() < np.square(np.diff(soft, n=2, axis=0)).sum()
    )


def test_a_picture_laid_on_a_canvas_is_found_there_again():
    picture = np.random.default_rng(0).random((20, 30, 3)).astype(np.float32)
    places = pixel_places(20, 30) + np.float32(100.0)
    canvas = Canvas.around(places, texels_per_px=1.0, most_texels=10_000)
    painting = Painting(canvas)
    painting.add(picture, places, np.ones((20, 30), np.float32))
    assert canvas.look_up(painting.texture(), places) == pytest.approx(picture, abs=1e-3)
    assert painting.seen.sum() == pytest.approx(600, rel=1e-5)


def test_texels_that_nobody_saw_are_filled_from_around():
    canvas = Canvas.around(pixel_places(32, 32), texels_per_px=1.0, most_texels=10_000)
    painting = Painting(canvas)
    weight = np.ones((32, 32), np.float32)
    weight[12:20, 12:20] = 0.0
    painting.add(np.full((32, 32, 3), 0.3, np.float32), pixel_places(32, 32), weight)
    assert painting.texture() == pytest.approx(0.3, abs=1e-4)


def test_a_canvas_that_would_be_too_large_is_coarser():
    places = pixel_places(100, 100) * np.float32(50.0)
    canvas = Canvas.around(places, texels_per_px=2.0, most_texels=40_000)
    assert canvas.rows * canvas.columns < 45_000


def test_a_stray_place_does_not_make_a_canvas_larger_but_an_edge_is_kept():
    places = pixel_places(50, 60).reshape(-1, 2).copy()
    whole = Canvas.around(places, texels_per_px=1.0, most_texels=10**6)
    places[0] = 5000.0
    with_stray = Canvas.around(places, texels_per_px=1.0, most_texels=10**6)
    assert whole.columns >= 60
    assert with_stray.columns < 90


def test_a_canvas_of_no_places_is_refused():
    with pytest.raises(UsageError, match="no places"):
        Canvas.around(np.zeros((0, 2), np.float32), texels_per_px=1.0, most_texels=100)


def test_light_that_is_even_is_a_gain_of_one():
    assert SlowLight.even(frames=40, knots_apart=10).gain(7, size=(9, 16)) == pytest.approx(1.0)


def test_a_fade_is_found_as_slow_light_and_flicker_is_not():
    even = SlowLight.even(frames=60, knots_apart=20.0)
    weight = np.ones((60, ROWS, COLUMNS), np.float32)
    painted = np.full((60, ROWS, COLUMNS, 3), 0.5, np.float32)
    fade = np.linspace(0.2, -0.2, 60)[:, None, None, None]
    flicker = 0.2 * (-1.0) ** np.arange(60)[:, None, None, None]
    found = {
        name: even.seen_in((painted * np.exp(light)).astype(np.float32), painted, weight)
        for name, light in (("fade", fade), ("flicker", flicker))
    }
    gains = {
        name: np.array([light.gain(t, size=(3, 4)).mean() for t in range(60)])
        for name, light in found.items()
    }
    assert gains["fade"] == pytest.approx(np.exp(fade.ravel()), rel=0.03)
    assert gains["flicker"] == pytest.approx(1.0, abs=0.03)


def test_slow_light_has_no_mean():
    even = SlowLight.even(frames=30, knots_apart=10.0)
    weight = np.ones((30, ROWS, COLUMNS), np.float32)
    painted = np.full((30, ROWS, COLUMNS, 3), 0.5, np.float32)
    light = even.seen_in(painted * np.float32(0.7), painted, weight)
    assert np.abs(np.tensordot(light.hats, light.knots, axes=1).mean(axis=(0, 1, 2))).max() < 1e-5


def test_flicker_has_nothing_that_slow_light_could_be():
    slow = SlowLight.even(frames=30, knots_apart=10.0)
    fast = SlowLight(
        knots=np.zeros((30, ROWS, COLUMNS, 3), np.float32), hats=np.eye(30, dtype=np.float32)
    )
    ramp, jitter = np.linspace(-1.0, 1.0, 30), np.random.default_rng(0).normal(size=30)
    only_fast = fast.without(slow)
    assert np.abs(only_fast @ ramp).max() < 1e-3
    assert np.abs(only_fast @ jitter - jitter).mean() < 0.5 * np.abs(jitter).mean()


def jacobian(*rows: tuple[float, float]) -> Tensor:
    return torch.tensor([rows])


@pytest.mark.parametrize("angle", [0.0, 0.4, 2.0])
def test_rigidity_is_least_for_turns(angle):
    cosine, sine = float(np.cos(angle)), float(np.sin(angle))
    turned = losses.rigidity_loss(jacobian((cosine, -sine), (sine, cosine)))
    assert float(turned) == pytest.approx(2.0 * 2.0**0.5, rel=1e-2)
    for stretched in (jacobian((1.3, 0.0), (0.0, 1.0)), jacobian((1.0, 0.4), (0.0, 1.0))):
        assert float(losses.rigidity_loss(stretched)) > float(turned) + 0.01


def test_bending_is_none_for_affine_maps_and_some_for_others():
    nodes = torch.from_numpy(affine(MESH.node_places()))[None]
    assert float(losses.bending_loss(nodes)) == pytest.approx(0.0, abs=1e-6)
    assert float(losses.bending_loss(nodes.square() / 50.0)) > 1e-3


def test_the_robust_colour_loss_lets_outliers_pull_no_harder():
    seen = torch.zeros(2, 3)
    near, far = torch.full((2, 3), 0.2), torch.full((2, 3), 0.4)
    robust = [float(losses.robust_colour_loss(x, seen, outlier=0.01)) for x in (near, far)]
    squared = [float(losses.colour_loss(x, seen)) for x in (near, far)]
    assert robust[1] / robust[0] == pytest.approx(2.0, rel=0.01)
    assert squared[1] / squared[0] == pytest.approx(4.0, rel=0.01)


def test_points_that_keep_their_place_lose_nothing_and_unseen_ones_do_not_count():
    here = torch.rand(10, 2)
    there = here + torch.tensor([3.0, 4.0])
    weight = torch.ones(10)
    assert float(losses.flow_loss(here, here, weight)) == pytest.approx(0.0, abs=2e-3)
    assert float(losses.flow_loss(here, there, weight)) == pytest.approx(5.0, rel=1e-3)
    assert float(losses.flow_loss(here, there, weight * 0)) == 0.0


def test_alpha_is_pulled_to_its_mask_and_hidden_colours_cost():
    mask = torch.tensor([0.0, 1.0])
    right, wrong = torch.tensor([0.02, 0.98]), torch.tensor([0.9, 0.1])
    assert losses.alpha_bootstrapping_loss(right, mask) < losses.alpha_bootstrapping_loss(
        wrong, mask
    )
    colour = torch.full((2, 3), 0.5)
    assert float(losses.sparsity_loss(colour, torch.ones(2))) == 0.0
    assert float(losses.sparsity_loss(colour, torch.zeros(2))) == pytest.approx(0.75)
    assert float(losses.alpha_flow_loss(right, wrong, torch.ones(2))) == pytest.approx(0.88)


def test_gradient_loss_looks_at_differences_alone():
    one = torch.rand(5, 2, 3)
    assert float(losses.gradient_loss(one, one)) == 0.0
    assert float(losses.gradient_loss(one, one + 1.0)) == pytest.approx(6.0, rel=1e-4)


def test_octaves_are_sines_and_cosines_of_doubling_frequency():
    encoded = octaves(torch.tensor([[0.25, 0.0]]), count=2)
    half = 0.5**0.5
    assert encoded.flatten().tolist() == pytest.approx(
        [half, 1.0, 0.0, 0.0, half, 0.0, 1.0, 1.0], abs=1e-6
    )


def test_networks_have_the_reference_sizes():
    layer = MlpLayer(Frame(frames=10, size=(20, 30)), texture_network())
    mapping = sum(p.numel() for p in layer.mapping.parameters())
    texture = sum(p.numel() for p in layer.texture_network.parameters())
    inner = 256 * 256 + 256
    assert mapping == (3 * 256 + 256) + 4 * inner + (256 * 2 + 2)
    assert texture == (40 * 256 + 256) + 6 * inner + 40 * 256 + (296 * 3 + 3)


def test_layers_that_lack_an_alpha_are_refused():
    layer = MlpLayer(Frame(frames=10, size=(20, 30)), texture_network())
    with pytest.raises(ValueError, match="one fewer"):
        Atlas([layer, layer], alphas=[], light=None)
