"""Laws of made processed flicker: repeatable, its own in every frame, nothing at strength 0."""

import numpy as np
import pytest

from made_clips import panning
from unflicker.errors import UsageError
from unflicker.frames.clip import Clip, to_float
from unflicker.synthesis import processed


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_the_same_seed_gives_the_same_clip_and_another_another(dtype) -> None:
    clip = panning(time=3, size=(45, 70), dtype=dtype)
    first, again, other = (processed(clip, seed=seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first.pixels, again.pixels)
    assert (first.pixels != other.pixels).any()
    assert first.pixels.dtype == dtype
    assert first.pixels.shape == clip.pixels.shape
    np.testing.assert_array_equal(first.seconds, clip.seconds)


def test_no_strength_changes_nothing() -> None:
    clip = panning(time=2, size=(45, 70))
    np.testing.assert_array_equal(processed(clip, seed=0, strength=0.0).pixels, clip.pixels)
    with pytest.raises(UsageError, match="negative strength"):
        processed(clip, seed=0, strength=-1.0)


def test_a_still_flickers_in_light_and_in_texture_more_with_more_strength() -> None:
    still = np.repeat(panning(time=1, size=(90, 140)).pixels, 6, axis=0)
    change = []
    for strength in (0.3, 1.0):
        made = to_float(processed(Clip.at_rate(still, fps=24), seed=2, strength=strength).pixels)
        change.append(np.diff(made, axis=0).std())
        level = made.mean(axis=(1, 2))
        assert np.diff(level, axis=0).std() > 0
        # Texture: what is left when each frame's own level is divided out.
        texture = made / level[:, None, None]
        assert np.diff(texture, axis=0).std() > 0.01 * strength
    assert change[1] > 1.5 * change[0]
