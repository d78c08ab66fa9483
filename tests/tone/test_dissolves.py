"""Dissolves are found under any flicker, and their change of light is not taken for it."""

import cv2
import numpy as np
import pytest

import unflicker
from made_clips import panning, scene
from unflicker.frames.clip import from_float
from unflicker.tone.dissolves import find_dissolves

SIZE = (144, 256)


def dissolving(
    pieces: list[int], fade: int, *, seed: int = 0, speed_px: float = 0.0
) -> tuple[np.ndarray, list[tuple[int, int]]]:
    """Pictures that give way to each other, and where they begin and end to do so."""
    random = np.random.default_rng(seed)
    frames, spans, start = [], [], 0
    shown = [panning_view(int(random.integers(1000)), speed_px) for _ in pieces]
    for number, piece in enumerate(pieces):
        for at in range(piece):
            late = max(0.0, (at - (piece - fade)) / fade)
            one = shown[number](at)
            frames.append(one)
            if late > 0 and number + 1 < len(pieces):
                frames[-1] = one * (1 - late) + shown[number + 1](at - piece) * late
        start += piece
        if number + 1 < len(pieces):
            spans.append((start - fade, start))
    return np.stack(frames).astype(np.float32), spans


def panning_view(seed: int, speed_px: float):
    """The frames of a slow pan over a picture, by number."""
    whole = scene(seed=seed, size=(SIZE[0] + 16, SIZE[1] + 80))

    def at(index: int) -> np.ndarray:
        move = np.array([[1, 0, -40 - speed_px * index], [0, 1, -8]], np.float32)
        return np.clip(cv2.warpAffine(whole, move, SIZE[::-1], flags=cv2.INTER_CUBIC), 0, 1)

    return at


def flickering(frames: np.ndarray, kind: str, *, seed: int = 0) -> np.ndarray:
    """With flicker of the whole picture, of its parts, or none."""
    random = np.random.default_rng(seed)
    if kind == "whole":
        gain = random.normal(0, 0.08, (len(frames), 1, 1, 1))
    elif kind == "parts":
        coarse = random.normal(0, 0.05, (len(frames), 3, 4)).astype(np.float32)
        gain = np.stack([cv2.resize(g, SIZE[::-1], interpolation=cv2.INTER_CUBIC) for g in coarse])
        gain = gain[..., None]
    else:
        gain = np.zeros((1, 1, 1, 1))
    return np.clip(frames * np.exp(gain), 0, 1).astype(np.float32)


@pytest.mark.parametrize("kind", ["none", "whole", "parts"])
@pytest.mark.parametrize(
    ("pieces", "fade", "speed_px"),
    [([18, 18, 18, 18], 6, 0.0), ([40, 40], 16, 0.0), ([36, 36], 10, 0.2)],
)
def test_each_is_found_with_its_shares(pieces, fade, speed_px, kind):
    frames, spans = dissolving(pieces, fade, seed=fade, speed_px=speed_px)
    found = find_dissolves(flickering(frames, kind))
    assert len(found) == len(spans)
    for dissolve, (first, last) in zip(found, spans, strict=True):
        assert dissolve.first <= first + 1
        assert dissolve.last >= last - 1
        at = np.arange(dissolve.first, dissolve.last + 1)
        true = np.clip((at - first) / fade, 0, 1)
        assert np.abs(dissolve.shares - true).max() < 0.12
        assert (np.diff(dissolve.shares) >= 0).all()


@pytest.mark.parametrize("kind", ["none", "whole", "parts"])
@pytest.mark.parametrize("seed", range(3))
def test_what_is_no_dissolve_is_none(seed, kind):
    speed = [(0.4, 0.0), (1.3, 0.4), (4.0, 0.0)][seed]
    pan = panning(time=40, size=SIZE, seed=seed, speed_px=speed).pixels / np.float32(255)
    other = panning(time=40, size=SIZE, seed=seed + 7).pixels / np.float32(255)
    still = np.repeat(pan[:1], 40, axis=0)
    level = np.clip(np.arange(40) / 30, 0, 1)[:, None, None, None]
    across = (
        np.arange(SIZE[1])[None, None, :, None] < np.linspace(0, SIZE[1], 40)[:, None, None, None]
    )
    for name, frames in {
        "pan": pan,
        "still": still,
        "cut": np.concatenate([pan[:20], other[20:]]),
        "fade from black": still * level,
        "fade to white": still * (1 - level) + level,
        "wipe": np.where(across, other[:1], still),
    }.items():
        assert not find_dissolves(flickering(frames.astype(np.float32), kind)), name


def test_too_few_frames_have_none():
    assert find_dissolves(np.zeros((3, *SIZE, 3), np.float32)) == ()
    assert find_dissolves(np.zeros((30, *SIZE, 3), np.float32)) == ()


@pytest.mark.parametrize(
    ("pieces", "fade", "kind"), [([18] * 5, 6, "parts"), ([30, 30, 30], 10, "whole")]
)
def test_pictures_that_dissolve_become_steady(pieces, fade, kind):
    frames, spans = dissolving(pieces, fade, seed=3)
    given = from_float(flickering(frames, kind), dtype=np.uint8)
    steady = unflicker.deflicker(given, fps=24.0, preset="fast")
    held = np.ones(len(frames) - 1, bool)
    for first, last in spans:
        held[first - 1 : last + 1] = False
    before, after = (light_steps(part)[held].mean() for part in (given, steady))
    assert after < 0.25 * before
    worst = [level_free_errors(part, frames).max() for part in (given, steady)]
    assert worst[1] < 0.6 * worst[0]


@pytest.mark.parametrize("fade", [6, 16])
def test_steady_dissolves_stay_bit_for_bit(fade):
    frames, _ = dissolving([24, 24, 24], fade, seed=5)
    given = from_float(frames, dtype=np.uint8)
    assert np.array_equal(unflicker.deflicker(given, fps=24.0, preset="fast"), given)


def light_steps(pixels: np.ndarray) -> np.ndarray:
    """Change of log light from frame to frame, in each of twelve parts of the picture."""
    parts = np.stack([cv2.resize(p, (4, 3), interpolation=cv2.INTER_AREA) for p in pixels])
    return np.abs(np.diff(np.log(parts.astype(float) + 4), axis=0)).mean(axis=(1, 2, 3))


def level_free_errors(pixels: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Root mean square error of each frame after one gain a channel for the whole film."""
    ours = pixels.astype(float) / 255
    gain = (ours * truth).sum(axis=(0, 1, 2)) / (ours**2).sum(axis=(0, 1, 2))
    return np.sqrt(((ours * gain - truth) ** 2).mean(axis=(1, 2, 3)))
