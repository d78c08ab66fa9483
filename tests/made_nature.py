"""Steady clips whose texture moves or changes by itself: water, leaves, rain, crowds, grain, fire.

Nothing in them flickers. Each is drawn from a seed: strengths, sizes and paces differ.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from made_clips import scene
from unflicker.frames.clip import Clip, from_float

Random = np.random.Generator
Size = tuple[int, int]
_MARGIN = 48


@dataclass(frozen=True, kw_only=True, eq=False)
class Setting:
    """What a kind is painted into: the picture behind it and where the camera looks."""

    random: Random
    size: Size
    behind: np.ndarray
    """(time, height, width, 3) in [0, 1]: a scene as the camera passes over it."""
    pace: float
    """Frames of a film of 24 frames a second for each frame of this one."""

    @property
    def time(self) -> int:
        """How many frames there are."""
        return len(self.behind)

    @property
    def places(self) -> tuple[np.ndarray, np.ndarray]:
        """x and y of each pixel."""
        y, x = np.mgrid[0 : self.size[0], 0 : self.size[1]].astype(np.float32)
        return x, y


def natural(
    kind: str,
    *,
    seed: int,
    time: int = 24,
    size: Size = (144, 256),
    fps: float = 24.0,
    pans: bool | None = None,
) -> Clip:
    """A steady clip with texture of a kind (`KINDS`); the same seed gives the same clip.

    Args:
        kind: What moves.
        seed: Chooses the scene, sizes, strengths and paces.
        time: Frames.
        size: Height and width.
        fps: Frames a second; what moves has its own pace in seconds.
        pans: Whether the camera moves; None lets the seed choose.
    """
    random = np.random.default_rng([seed, sorted(KINDS).index(kind)])
    moves = bool(random.integers(2)) if pans is None else pans
    pace = 24.0 / fps
    angle, speed = random.uniform(0, 2 * np.pi), random.uniform(0.3, 3.0) * pace * moves
    step = speed * np.array([np.cos(angle), np.sin(angle)])
    reach = np.ceil(np.abs(step) * time).astype(int) + _MARGIN
    picture = scene(seed=seed, size=(size[0] + reach[1], size[1] + reach[0]))
    start = np.where(step >= 0, _MARGIN / 2, _MARGIN / 2 - step * time)
    frames = np.stack([_looked_at(picture, start + step * t, size) for t in range(time)])
    setting = Setting(random=random, size=size, behind=frames, pace=pace)
    made = np.clip(KINDS[kind](setting), 0.0, 1.0)
    return Clip.at_rate(from_float(made.astype(np.float32), dtype=np.uint8), fps=fps)


def _looked_at(picture: np.ndarray, place: np.ndarray, size: Size) -> np.ndarray:
    shift = np.array([[1, 0, place[0]], [0, 1, place[1]]], np.float32)
    how = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    return np.clip(cv2.warpAffine(picture, shift, size[::-1], flags=how), 0, 1)


def _noise(random: Random, size: Size, blur_px: float) -> np.ndarray:
    """Smooth noise of deviation 1."""
    made = random.standard_normal(size).astype(np.float32)
    if blur_px > 0:
        made = cv2.GaussianBlur(made, (0, 0), blur_px)
    return made / made.std()


def _water(setting: Setting) -> np.ndarray:
    """Ripples that shade and bend what is below, on a part of the picture or all of it."""
    random, (x, y) = setting.random, setting.places
    shore = random.choice([-1.0, 0.3, 0.55]) * setting.size[0]
    wet = 1.0 / (1.0 + np.exp(-(y - shore) / 3.0))[..., None]
    waves = int(random.integers(12, 40))
    lengths = np.exp(random.uniform(np.log(3.0), np.log(40.0), waves))
    angles, phases = random.uniform(0, 2 * np.pi, (2, waves))
    # Deep water: the frequency goes with the root of the wave number.
    turns = random.uniform(0.3, 1.2) * np.sqrt(8.0 / lengths) * setting.pace
    sizes = (lengths / lengths.max()) ** random.uniform(0.2, 0.8)
    shade, bend = random.uniform(0.02, 0.2), random.uniform(0.0, 2.0)
    glare = random.choice([0.0, 0.15])
    frames = []
    for t, behind in enumerate(setting.behind):
        height, slope_x, slope_y = (np.zeros(setting.size, np.float32) for _ in range(3))
        for length, angle, phase, turn, part in zip(
            lengths, angles, phases, turns, sizes, strict=True
        ):
            k = 2 * np.pi / length
            at = k * (x * np.cos(angle) + 2.5 * y * np.sin(angle)) - turn * t + phase
            height += part * np.cos(at)
            slope_x += part * np.sin(at) * np.cos(angle)
            slope_y += part * np.sin(at) * np.sin(angle)
        scale = np.sqrt((sizes**2).sum() / 2)
        bent = cv2.remap(
            behind,
            (x + bend * slope_x / scale).astype(np.float32),
            (y + bend * slope_y / scale).astype(np.float32),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REFLECT,
        )
        glint = np.maximum(height / scale - 1.6, 0.0) * glare
        water = bent * (1 + shade * height / scale)[..., None] + glint[..., None]
        frames.append(behind * (1 - wet) + water * wet)
    return np.stack(frames)


def _swaying(setting: Setting, *, rooted: bool) -> np.ndarray:
    """Texture that sways to and fro, each bunch at its own pace; rooted: more at the top."""
    random, (x, y) = setting.random, setting.places
    bunches = [_noise(random, setting.size, random.uniform(4, 14)) for _ in range(6)]
    turns = random.uniform(0.1, 0.9, 6) * setting.pace
    # Each place sways in a time of its own; one time for all would be flicker.
    phases = [3.0 * _noise(random, setting.size, random.uniform(8, 16)) for _ in range(6)]
    sway, shine = random.uniform(0.5, 3.0), random.uniform(0.0, 0.1)
    fine = _noise(random, setting.size, random.uniform(0.7, 1.6))
    leafy = np.clip(setting.behind * (1 + random.uniform(0.1, 0.3) * fine)[..., None], 0, 1)
    root = 1.0 - y / setting.size[0] if rooted else 1.0
    frames = []
    for t, behind in enumerate(leafy):
        aside = sum(b * np.sin(w * t + p) for b, w, p in zip(bunches, turns, phases, strict=True))
        dips = sum(
            b * np.sin(1.3 * w * t + 2 * p) for b, w, p in zip(bunches, turns, phases, strict=True)
        )
        moved = cv2.remap(
            behind,
            (x + root * sway * aside / 1.7).astype(np.float32),
            (y + 0.5 * root * sway * dips / 1.7).astype(np.float32),
            cv2.INTER_CUBIC,
            borderMode=cv2.BORDER_REFLECT,
        )
        # The undersides of leaves are lighter or darker.
        turned = 1 + shine * aside / 1.7
        frames.append(moved * turned[..., None])
    return np.stack(frames)


def _leaves(setting: Setting) -> np.ndarray:
    return _swaying(setting, rooted=False)


def _grass(setting: Setting) -> np.ndarray:
    return _swaying(setting, rooted=True)


def _rain(setting: Setting) -> np.ndarray:
    """Streaks, new ones in every frame."""
    random = setting.random
    height, width = setting.size
    drops, light = int(random.integers(40, 500)), random.uniform(0.05, 0.35)
    length, slant = random.uniform(4, 30), random.uniform(-0.4, 0.4)
    frames = []
    for behind in setting.behind:
        streaks = np.zeros(setting.size, np.float32)
        for px, py, long in random.uniform([0, -10, 0.5], [width, height, 1.5], (drops, 3)):
            end = (round(px + slant * length * long), round(py + length * long))
            cv2.line(streaks, (round(px), round(py)), end, random.uniform(0.3, 1), 1, cv2.LINE_AA)
        soft = cv2.GaussianBlur(streaks, (0, 0), 0.6)[..., None] * light
        frames.append(behind * (1 - soft) + soft * 0.9)
    return np.stack(frames)


def _sprites(setting: Setting, *, falls: float, sizes_px: tuple[float, float]) -> np.ndarray:
    """Small things, each with its own colour and way, before the scene."""
    random = setting.random
    height, width = setting.size
    count = int(random.integers(60, 500))
    places = random.uniform([0, 0], [width, height], (count, 2))
    size = random.uniform(*sizes_px, count)
    ways = random.normal(0, 0.8 * setting.pace, (count, 2))
    ways[:, 1] += falls * setting.pace * size / size.mean()
    colours = random.uniform(0.05, 0.95, (count, 3)) if falls < 1 else np.full((count, 3), 0.95)
    swing, turns = random.uniform(0, 2, count), random.uniform(0.1, 0.8, count) * setting.pace
    frames = []
    for t, behind in enumerate(setting.behind):
        frame = behind.copy()
        for place, radius, way, colour, wide, turn in zip(
            places, size, ways, colours, swing, turns, strict=True
        ):
            x, y = (place + way * t + [wide * np.sin(turn * t), 0]) % [width, height]
            where = (round(x * 16), round(y * 16))
            cv2.circle(frame, where, round(radius * 16), colour.tolist(), -1, cv2.LINE_AA, 4)
        frames.append(frame)
    return np.stack(frames)


def _snow(setting: Setting) -> np.ndarray:
    return _sprites(setting, falls=setting.random.uniform(1.0, 6.0), sizes_px=(0.5, 2.5))


def _crowd(setting: Setting) -> np.ndarray:
    return _sprites(setting, falls=0.0, sizes_px=(1.0, 4.0))


def _confetti(setting: Setting) -> np.ndarray:
    """Sheets that turn as they fall: each flashes in its own rhythm."""
    random = setting.random
    height, width = setting.size
    count = int(random.integers(60, 300))
    places = random.uniform([0, 0], [width, height], (count, 2))
    ways = random.normal([0, 2], [0.8, 0.6], (count, 2)) * setting.pace
    size, turn = random.uniform(1, 3.5, count), random.uniform(0.2, 1.5, count) * setting.pace
    colours = random.uniform(0.1, 0.95, (count, 3))
    frames = []
    for t, behind in enumerate(setting.behind):
        frame = behind.copy()
        for place, way, half, spin, colour in zip(places, ways, size, turn, colours, strict=True):
            x, y = (place + way * t) % [width, height]
            shown = abs(np.sin(spin * t + x))
            box = ((float(x), float(y)), (2 * half, 2 * half * max(shown, 0.1)), 57.0 * spin * t)
            lit = (colour * (0.4 + 0.6 * shown)).tolist()
            cv2.fillConvexPoly(frame, np.round(cv2.boxPoints(box)).astype(int), lit, cv2.LINE_AA)
        frames.append(frame)
    return np.stack(frames)


def _grain(setting: Setting) -> np.ndarray:
    """Grain of film: new in every frame, of any size, strongest in the middle tones."""
    random = setting.random
    blur, strength = random.uniform(0.0, 2.0), random.uniform(0.01, 0.08)
    coloured = bool(random.integers(2))
    frames = []
    for behind in setting.behind:
        one = _noise(random, setting.size, blur)
        grains = [_noise(random, setting.size, blur) if coloured else one for _ in range(3)]
        weight = np.sqrt(np.maximum(4 * behind * (1 - behind), 0.1))
        frames.append(behind + strength * weight * np.stack(grains, -1))
    return np.stack(frames)


def _fire(setting: Setting) -> np.ndarray:
    """Flames that rise, in a part of the picture, and light nothing else."""
    random, (x, y) = setting.random, setting.places
    height, width = setting.size
    middle, wide = random.uniform(0.3, 0.7) * width, random.uniform(0.1, 0.3) * width
    rise = random.uniform(2, 8) * setting.pace
    tall = height + round(rise * setting.time * 1.5) + 2
    layers = [_noise(random, (tall, width), b) for b in (2.0, 5.0, 9.0)]
    body = np.exp(-(((x - middle) / wide) ** 2)) * np.clip(y / height * 1.4 - 0.2, 0, 1)
    frames = []
    for t, behind in enumerate(setting.behind):
        rows = [round(rise * t * s) for s in (1.5, 1.2, 1.0)]
        parts = [layer[r : r + height] for layer, r in zip(layers, rows, strict=True)]
        hot = np.clip(body * (0.7 + 0.3 * sum(parts)), 0, 1.5)
        flame = np.stack([hot, 0.6 * hot**1.5, 0.15 * hot**3], -1)
        frames.append(np.maximum(0.5 * behind, np.clip(flame, 0, 1)))
    return np.stack(frames)


def _lights(setting: Setting) -> np.ndarray:
    """Small lights that go on and off, each by itself, by night."""
    random = setting.random
    height, width = setting.size
    count = int(random.integers(20, 150))
    places = random.uniform([0, 0], [width, height], (count, 2))
    radius, period = random.uniform(0.8, 3, count), random.uniform(3, 20, count) / setting.pace
    phase, colours = random.uniform(0, 20, count), random.uniform(0.4, 1, (count, 3))
    frames = []
    for t, behind in enumerate(setting.behind):
        lit = np.zeros_like(behind)
        for place, size, each, late, colour in zip(
            places, radius, period, phase, colours, strict=True
        ):
            if ((t + late) / each) % 1.0 < 0.5:
                where = (round(place[0] * 16), round(place[1] * 16))
                cv2.circle(lit, where, round(size * 16), colour.tolist(), -1, cv2.LINE_AA, 4)
        frames.append(np.maximum(0.4 * behind, cv2.GaussianBlur(lit, (0, 0), 0.8)))
    return np.stack(frames)


def _shaken(setting: Setting) -> np.ndarray:
    """A camera held by a running hand: fast motion that changes with every frame."""
    random = setting.random
    height, width = setting.size
    large = cv2.resize(setting.behind[0], (2 * width, 2 * height), interpolation=cv2.INTER_CUBIC)
    sway = random.uniform(2, 8) * setting.pace**0.5
    place = np.array([width / 2, height / 2])
    frames, step = [], np.zeros(2)
    for _ in range(setting.time):
        step = 0.7 * step + random.normal(0, sway, 2) - 0.02 * (place - [width / 2, height / 2])
        place = np.clip(place + step, 4, [width - 4, height - 4])
        blurred = cv2.blur(
            large, (1 + 2 * round(abs(step[0]) / 4), 1 + 2 * round(abs(step[1]) / 4))
        )
        frames.append(_looked_at(blurred, place, setting.size))
    return np.stack(frames)


KINDS: dict[str, Callable[[Setting], np.ndarray]] = {
    "water": _water,
    "leaves": _leaves,
    "grass": _grass,
    "rain": _rain,
    "snow": _snow,
    "crowd": _crowd,
    "confetti": _confetti,
    "grain": _grain,
    "fire": _fire,
    "lights": _lights,
    "fast": _shaken,
}
"""What paints each kind."""
