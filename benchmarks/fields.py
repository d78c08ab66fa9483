"""Interlaced film corrected by fields and by frames: PSNR to the steady film.

    python benchmarks/fields.py --presets fast standard

Scenes pan at a constant speed and are scanned field by field; the light of each field is known.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

import unflicker
from unflicker.analysis import analyse_film

_HEIGHT, _WIDTH, _FRAMES = 144, 208, 48
_CELLS = ((64, 0.5), (24, 0.3), (9, 0.2), (3, 0.12))
"""Sizes of a scene's detail in px, and their weights."""
_KINDS = ("field", "frame", "mains", "bands", "telecine")


def scene(seed: int, *, speed_px: float) -> np.ndarray:
    """The fields of a pan over a scene of all scales, each a whole picture in [0, 1].

    Args:
        seed: Of the scene.
        speed_px: Motion from frame to frame.
    """
    drawn = np.random.default_rng(seed)
    width = _WIDTH + int(speed_px * _FRAMES) + 8
    wide = np.zeros((_HEIGHT, width, 3), np.float32)
    for cell, weight in _CELLS:
        size = (_HEIGHT // cell + 2, width // cell + 2, 3)
        small = drawn.normal(0, weight, size).astype(np.float32)
        small = 1.0 * small.mean(axis=-1, keepdims=True) + 0.4 * small
        wide += cv2.resize(small, (width, _HEIGHT), interpolation=cv2.INTER_CUBIC)
    wide = 0.12 + 0.62 / (1 + np.exp(-2.2 * wide))
    fields = []
    for number in range(2 * _FRAMES):
        shift = np.array([[1, 0, -speed_px / 2 * number], [0, 1, 0]], np.float32)
        fields.append(cv2.warpAffine(wide, shift, (_WIDTH, _HEIGHT), flags=cv2.INTER_LINEAR))
    return np.stack(fields)


def light(kind: str, seed: int) -> np.ndarray:
    """The light of each field, by rows.

    Args:
        kind: One of `_KINDS`.
        seed: Of random light.
    """
    drawn, at = np.random.default_rng(seed), np.arange(2 * _FRAMES)
    own = np.exp(drawn.normal(0, 0.08, 2 * _FRAMES))
    if kind == "frame":
        own = np.repeat(own[:_FRAMES], 2)
    elif kind == "mains":
        own = 1 + 0.12 * np.sin(2 * np.pi * 0.26 * at + seed)
    elif kind == "telecine":
        own = np.concatenate([[gain] * (2 + place % 2) for place, gain in enumerate(own)])
        own = own[: 2 * _FRAMES]
    elif kind == "bands":
        rows = np.linspace(0, 1.2, _HEIGHT)
        own = 1 + 0.12 * np.sin(2 * np.pi * (rows[None] + 0.31 * at[:, None]))
        return own[:, :, None, None]
    return own[:, None, None, None]


def woven(fields: np.ndarray, *, upper_first: bool) -> np.ndarray:
    """Interlaced frames of pictures taken at the times of the fields.

    Args:
        fields: Two for each frame.
        upper_first: Whether rows 0, 2, … are of the earlier one.
    """
    frames, late = fields[::2].copy(), int(upper_first)
    frames[:, late::2] = fields[1::2, late::2]
    return frames


def write(path: Path, frames: np.ndarray, *, upper_first: bool) -> None:
    """Write a lossless interlaced film.

    Args:
        path: Of the file.
        frames: In [0, 1].
        upper_first: The order of its fields.
    """
    order = f"{'tff' if upper_first else 'bff'}=1"
    options = {"qp": "0", "preset": "veryfast", "x264-params": order}
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("libx264", rate=25, options=options)
        stream.height, stream.width, stream.pix_fmt = _HEIGHT, _WIDTH, "yuv444p"
        for pixels in frames:
            eight = np.ascontiguousarray(np.clip(pixels * 255 + 0.5, 0, 255).astype(np.uint8))
            container.mux(stream.encode(av.VideoFrame.from_ndarray(eight, format="rgb24")))
        container.mux(stream.encode(None))


def psnr(path: Path, truth: np.ndarray) -> float:
    """PSNR of a film in dB, its mean level aligned with that of the truth.

    Args:
        path: Of the film.
        truth: Its frames in [0, 1].
    """
    with av.open(str(path)) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    found = np.stack(frames) / 255.0
    found *= truth.mean() / found.mean()
    return float(np.mean(-10 * np.log10(((found - truth) ** 2).mean(axis=(1, 2, 3)))))


def main() -> None:
    """Print a line for each kind of flicker and each scene."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--presets", nargs="+", default=["fast"])
    parser.add_argument("--kinds", nargs="+", default=_KINDS, choices=_KINDS)
    given = parser.parse_args()
    ask = analyse_film.fields_differ
    for preset in given.presets:
        for kind in given.kinds:
            for seed in (3, 8):
                fields, upper = scene(seed, speed_px=1.2), seed == 3
                truth = woven(fields, upper_first=upper)
                lit = woven(fields * light(kind, seed), upper_first=upper)
                with tempfile.TemporaryDirectory() as folder:
                    film, result = Path(folder) / "film.mkv", Path(folder) / "result.mkv"
                    write(film, lit, upper_first=upper)
                    levels = [psnr(film, truth)]
                    for asked in (lambda _: False, ask):
                        analyse_film.fields_differ = asked
                        options = unflicker.RunOptions(overwrite=True)
                        unflicker.run(film, result, preset=preset, options=options)
                        levels.append(psnr(result, truth))
                before, by_frames, by_fields = levels
                sys.stdout.write(
                    f"{preset:9} {kind:9} {before:.1f} -> {by_frames:.1f} dB by frames, "
                    f"{by_fields:.1f} dB as the program chooses\n"
                )
                sys.stdout.flush()


if __name__ == "__main__":
    main()
