"""Laws of a guide: the steady original of a processed film says what is wanted."""

from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import pytest
from made_films import read, same_samples

import unflicker
from made_clips import panning
from unflicker import RunOptions
from unflicker.analysis.crossfade import LevelHold
from unflicker.errors import InputError, UsageError
from unflicker.frames.clip import Clip, from_float, to_float
from unflicker.frames.colour import to_rgb
from unflicker.frames.flow import warp
from unflicker.settings import EncodingSettings, Settings, replaced
from unflicker.synthesis import processed
from unflicker.video import ArraySource, WithOriginal, open_writer

SIZE = (72, 128)
REFINED = replaced(Settings.from_preset("fast"), {"refinement.used": True})
SHORT = replaced(Settings.from_preset("fast"), {"window.frames": 24, "window.overlap_frames": 6})


def original(*, time: int = 24, seed: int = 0) -> np.ndarray:
    return panning(time=time, size=SIZE, seed=seed, speed_px=(0.7, 0.2)).pixels


def looked_up(frames: np.ndarray) -> np.ndarray:
    """A look that is the same in every frame: curves and sharper."""
    light = to_float(frames) ** np.array([0.8, 0.85, 0.7], np.float32)
    sharp = [frame + 0.5 * (frame - cv2.GaussianBlur(frame, (0, 0), 1.5)) for frame in light]
    return from_float(np.clip(np.stack(sharp), 0, 1), dtype=np.uint8)


def lit(frames: np.ndarray, log_gain: np.ndarray) -> np.ndarray:
    gain = np.exp(log_gain).astype(np.float32)[:, None, None, None]
    return from_float(np.clip(to_float(frames) * gain, 0, 1), dtype=np.uint8)


def slowly(time: int) -> np.ndarray:
    """Log light that takes four seconds to come and go."""
    return -0.2 + 0.15 * np.sin(2 * np.pi * np.arange(time) / 96)


def unsteadiness(frames: np.ndarray, clean: np.ndarray) -> float:
    """How much the light of frames wanders beside that of the clean ones (log)."""
    means = [np.log(to_float(each).mean(axis=(1, 2, 3))) for each in (frames, clean)]
    return float((means[0] - means[1]).std())


def error(frames: np.ndarray) -> float:
    """Change from frame to frame along the camera's known motion."""
    flow = np.full((*SIZE, 2), (0.7, 0.2), np.float32)
    pairs = zip(to_float(frames[1:]), to_float(frames[:-1]), strict=True)
    return float(np.mean([np.abs(a - warp(b, flow))[8:-8, 8:-8].mean() for a, b in pairs]))


def test_flicker_slower_than_any_without_a_guide_is_removed_with_one() -> None:
    clean = original(time=48)
    film = lit(clean, slowly(48))
    blind = unflicker.deflicker(film)
    guided = unflicker.deflicker(film, original=clean)
    given = unsteadiness(film, clean)
    assert unsteadiness(blind, clean) > 0.8 * given
    assert unsteadiness(guided, clean) < 0.1 * given


def test_windows_of_a_guided_shot_keep_one_level() -> None:
    clean = original(time=64)
    film = lit(clean, slowly(64))
    result = unflicker.deflicker(film, original=clean, settings=SHORT)
    assert unsteadiness(result, clean) < 0.2 * unsteadiness(film, clean)


def test_levels_are_held_and_given_up_slowly() -> None:
    levelling = LevelHold(held_frames=150.0)
    ramp = np.arange(30, dtype=float)[:, None, None] * np.ones((1, 3, 2))
    first = levelling.levelled(ramp[:20] - ramp[:20].mean(), 5)
    second = levelling.levelled(ramp[15:] - ramp[15:].mean(), 0)
    np.testing.assert_allclose(second[0], first[15], atol=0.3)
    assert np.abs(second - ramp[15:] + ramp[:20].mean()).max() < 1.6


@pytest.mark.parametrize("look", [np.array, looked_up], ids=["the same film", "a steady look"])
def test_a_steady_film_beside_its_original_stays_bit_for_bit(look) -> None:
    clean = original()
    film = look(clean)
    result = unflicker.deflicker(film, original=clean, settings=REFINED)
    np.testing.assert_array_equal(result, film)


def test_light_that_the_guide_has_too_is_wanted_however_quick() -> None:
    random = np.random.default_rng(0)
    flickering = lit(original(), random.normal(-0.3, 0.1, 24))
    film = looked_up(flickering)
    np.testing.assert_array_equal(unflicker.deflicker(film, original=flickering), film)
    assert (unflicker.deflicker(film) != film).any()


@lru_cache(maxsize=1)
def without_a_guide() -> tuple[np.ndarray, np.ndarray]:
    """A film whose texture flickers, and what becomes of it without a guide."""
    film = processed(Clip.at_rate(original(time=14), fps=24), seed=5).pixels
    return film, unflicker.deflicker(film, settings=REFINED)


@pytest.mark.parametrize("kind", ["as it is", "half as large", "larger", "grey", "16 bits"])
def test_texture_is_steadier_with_a_guide_of_any_size_and_type(kind) -> None:
    clean = original(time=14)
    film, blind = without_a_guide()
    guides = {
        "as it is": clean,
        "half as large": np.stack([cv2.resize(f, (64, 36)) for f in clean]),
        "larger": np.stack([cv2.resize(f, (199, 131)) for f in clean]),
        "grey": clean[..., 1],
        "16 bits": clean.astype(np.uint16) * 257,
    }
    guided = unflicker.deflicker(film, settings=REFINED, original=guides[kind])
    own = error(clean)
    most = 0.9 if kind == "half as large" else 0.75
    assert error(guided) - own < most * (error(blind) - own)
    detail = [np.abs(np.diff(to_float(f), axis=2)).mean() for f in (guided, film)]
    assert detail[0] > 0.85 * detail[1]


def test_another_film_is_no_guide() -> None:
    film = lit(original(), slowly(24))
    with pytest.raises(InputError, match="does not show"):
        unflicker.deflicker(film, original=original(seed=9))


@pytest.mark.parametrize("later", [1, -2])
def test_a_guide_that_is_out_of_step_is_refused(later) -> None:
    quick = panning(time=20, size=SIZE, speed_px=(4.0, 0.5)).pixels
    film, guide = quick[2:18], quick[2 - later : 18 - later]
    with pytest.raises(InputError, match=f"{abs(later)} frames {'late' if later > 0 else 'early'}"):
        unflicker.deflicker(looked_up(film), original=guide)
    unflicker.deflicker(looked_up(film), original=film)


def test_a_guide_may_lack_a_few_frames_and_no_more() -> None:
    clean = original(time=24)
    film = processed(Clip.at_rate(clean, fps=24), seed=5).pixels
    result = unflicker.deflicker(film, original=clean[:-2], settings=REFINED)
    assert result.shape == film.shape
    assert (result[-3:] != film[-3:]).any()
    longer = unflicker.deflicker(film[:-2], original=clean, settings=REFINED)
    assert longer.shape == film[:-2].shape
    with pytest.raises(InputError, match="24"):
        unflicker.deflicker(film, original=clean[:12])
    beside = WithOriginal(ArraySource(Clip.at_rate(film, fps=24)), Promising(clean[:17]))
    with pytest.raises(InputError, match="17 frames"):
        list(beside.frames())


class Promising(ArraySource):
    """A film whose header promises more than there is."""

    def __init__(self, pixels: np.ndarray) -> None:
        super().__init__(Clip.at_rate(pixels, fps=24))
        self.estimated_frames = 1000


def test_nothing_crosses_a_cut_of_a_guided_film() -> None:
    parts = [original(time=12), original(time=12, seed=7)]
    films = [
        processed(Clip.at_rate(part, fps=24), seed=s).pixels for s, part in enumerate(parts, 3)
    ]
    together = unflicker.deflicker(
        np.concatenate(films), original=np.concatenate(parts), settings=REFINED
    )
    apart = [
        unflicker.deflicker(film, original=part, settings=REFINED)
        for film, part in zip(films, parts, strict=True)
    ]
    np.testing.assert_array_equal(together, np.concatenate(apart))


def test_a_few_frames_and_no_strength_come_back_as_they_are() -> None:
    clean = original(time=3)
    film = looked_up(clean)
    for time in (1, 2, 3):
        result = unflicker.deflicker(film[:time], original=clean[:time], settings=REFINED)
        np.testing.assert_array_equal(result, film[:time])
    none = replaced(REFINED, {"strength": 0.0})
    np.testing.assert_array_equal(unflicker.deflicker(film, original=clean, settings=none), film)


def written(pixels: np.ndarray, path: Path) -> Path:
    source = ArraySource(Clip.at_rate(pixels, fps=24))
    encoding = EncodingSettings(codec="ffv1", pix_fmt="bgr0")
    with open_writer(source, path, encoding=encoding) as writer:
        for frame in source.frames():
            writer.write(frame)
    return path


def test_files_are_guided_as_arrays_are(tmp_path) -> None:
    clean = original(time=14)
    pixels = processed(Clip.at_rate(clean, fps=24), seed=5).pixels
    film, guide = (written(p, tmp_path / n) for p, n in ((pixels, "f.mkv"), (clean, "g.mkv")))
    settings = replaced(REFINED, {"encoding.codec": "ffv1", "encoding.pix_fmt": "bgr0"})
    options = RunOptions(original=guide)
    unflicker.run(film, tmp_path / "out.mkv", settings=settings, options=options)
    ours = from_float(
        np.stack([to_rgb(f.picture) for f in read(tmp_path / "out.mkv")]), dtype=np.uint8
    )
    arrays = unflicker.deflicker(pixels, original=clean, settings=REFINED)
    difference = np.abs(ours.astype(int) - arrays)
    assert difference.mean() < 0.6
    assert np.percentile(difference, 99.9) <= 6


def test_a_guide_that_nothing_would_use_is_refused(tmp_path) -> None:
    clean = original(time=4)
    film = written(clean, tmp_path / "film.mkv")
    with pytest.raises(UsageError, match="does not use an original"):
        unflicker.deflicker(clean, original=clean, settings=Settings.from_preset("paper"))
    unflicker.analyze(
        film, settings=Settings.from_preset("fast"), options=RunOptions(save_plan=tmp_path / "plan")
    )
    with pytest.raises(UsageError, match="would have no effect"):
        unflicker.run(
            film, tmp_path / "out.mkv", options=RunOptions(original=film, plan=tmp_path / "plan")
        )
    with pytest.raises(UsageError):
        unflicker.deflicker(clean, original=clean.astype(np.float64))
    none = RunOptions(original=tmp_path / "none.mkv")
    with pytest.raises(InputError):
        unflicker.run(film, tmp_path / "out.mkv", options=none)
    assert not (tmp_path / "out.mkv").exists()


def test_a_plan_made_beside_a_guide_is_followed_beside_it(tmp_path) -> None:
    clip = panning(time=8, size=SIZE, speed_px=(0.4, 0.1))
    film = written(processed(clip, seed=5).pixels, tmp_path / "film.mkv")
    guide, plan = written(clip.pixels, tmp_path / "guide.mkv"), tmp_path / "plan"
    beside = RunOptions(original=guide, save_plan=plan)
    unflicker.run(film, tmp_path / "run.mkv", settings=REFINED, options=beside)
    followed = RunOptions(original=guide, plan=plan)
    unflicker.run(film, tmp_path / "applied.mkv", settings=REFINED, options=followed)
    assert same_samples(read(tmp_path / "run.mkv"), read(tmp_path / "applied.mkv"))
    with pytest.raises(InputError, match="pass the same original with --original"):
        unflicker.run(film, tmp_path / "no.mkv", settings=REFINED, options=RunOptions(plan=plan))
    assert not (tmp_path / "no.mkv").exists()
