"""A scene with small lamps, steady and flickering."""

import numpy as np

from made_clips import scene


def lamps(
    *,
    seed: int,
    time: int = 40,
    size: tuple[int, int] = (144, 256),
    count: int = 9,
    strength: float = 0.25,
    alike: bool = True,
) -> tuple[np.ndarray, np.ndarray]:
    """A dim still scene with small lamps: steady, and flickering on three phases of one mains, or
    each lamp in a rhythm of its own."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[0 : size[0], 0 : size[1]].astype(np.float32)
    steady = np.repeat(0.3 * scene(seed=seed, size=size)[None], time, axis=0)
    log_gain = np.zeros((time, *size), np.float32)
    hertz = random.uniform(0.36, 0.46)
    for lamp in range(count):
        place = random.uniform(12, size[0] - 12), random.uniform(12, size[1] - 12)
        wide = random.uniform(5, 8) if alike else random.uniform(2.5, 4)
        spot = np.exp(-0.5 * ((y - place[0]) ** 2 + (x - place[1]) ** 2) / wide**2)
        steady += 0.35 * spot[None, ..., None]
        phases = 2 * np.pi * (hertz * np.arange(time) + lamp % 3 / 3)
        rhythm = np.cos(phases) if alike else random.normal(size=time)
        log_gain += strength * (rhythm[:, None, None] * spot).astype(np.float32)
    steady = np.clip(steady, 0, 0.98).astype(np.float32)
    grain = random.normal(0, 0.004, steady.shape).astype(np.float32)
    flickering = steady * np.exp(log_gain)[..., None] + grain
    return steady, np.clip(flickering, 0, 1).astype(np.float32)
