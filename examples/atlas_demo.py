"""The picture of docs/atlas.md: a clip, its atlas in two layers, a drawing carried back into it.

The clip is made: a slow move over a photograph that comes with matplotlib (an official portrait of
Grace Hopper, public domain), and a ball that flies across.
"""

import argparse
import sys
from pathlib import Path

import cv2
import numpy as np

from demo import FPS, moving_picture, write
from unflicker.cli.main import exit_code
from unflicker.frames.clip import Clip
from unflicker.frames.colour import to_rgb
from unflicker.video import open_video

FRAMES = 48
_SHOWN = (4, 24, 44)
_GAP = 8


def main() -> int:
    """Make the clip, its atlas, a drawing on it, the edited clip, and the picture of all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("demo"))
    parser.add_argument("--picture", type=Path, default=Path("demo/atlas.jpg"))
    given = parser.parse_args()
    folder = given.folder / "atlas"
    folder.mkdir(parents=True, exist_ok=True)
    film = given.folder / "ball.mp4"
    write(with_ball(moving_picture()), film)
    code = exit_code(["atlas", str(film), "-o", str(folder), "--overwrite", "-q"])
    if code:
        return code
    drawing = given.folder / "atlas-001-background.png"
    cv2.imwrite(str(drawing), drawn(cv2.imread(str(folder / drawing.name), cv2.IMREAD_UNCHANGED)))
    arguments = ["atlas", str(film), "-o", str(folder), "--overwrite", "-q", "--edit", str(drawing)]
    code = exit_code(arguments)
    cv2.imwrite(str(given.picture), together(film, folder), [cv2.IMWRITE_JPEG_QUALITY, 88])
    print(f"picture {given.picture}")
    return code


def with_ball(clip: Clip) -> Clip:
    """The first frames of a clip, and a striped ball that flies through them."""
    y, x = np.mgrid[-40:41, -40:41] / 38.0
    stripes = 0.5 + 0.5 * np.sign(np.sin(9.0 * (x + 0.4 * y)))
    shade = np.clip(1.0 - 0.5 * ((x + 0.4) ** 2 + (y + 0.4) ** 2), 0.2, 1.0)[..., None]
    ball = shade * (
        stripes[..., None] * [235, 60, 50] + (1.0 - stripes[..., None]) * [245, 240, 225]
    )
    alpha = cv2.GaussianBlur((x * x + y * y < 1.0).astype(np.float32), (0, 0), 0.8)[..., None]
    frames = clip.pixels[::2][:FRAMES].copy()
    for t, frame in enumerate(frames):
        left, top = 10 + 7 * t, round(230 - 150 * np.sin(np.pi * t / FRAMES))
        part = frame[top : top + 81, left : left + 81]
        part[:] = np.rint(part * (1.0 - alpha) + ball * alpha).astype(np.uint8)
    return Clip.at_rate(frames, fps=FPS)


def drawn(atlas: np.ndarray) -> np.ndarray:
    """A transparent drawing as large as an atlas: a word and a ring."""
    drawing = np.zeros_like(atlas)
    height, width = drawing.shape[:2]
    ink = (40, 220, 255, 255)
    place = (round(0.10 * width), round(0.24 * height))
    cv2.putText(
        drawing, "unflicker", place, cv2.FONT_HERSHEY_DUPLEX, width / 420, ink, 3, cv2.LINE_AA
    )
    cv2.circle(
        drawing, (round(0.80 * width), round(0.22 * height)), height // 10, ink, 4, cv2.LINE_AA
    )
    return drawing


def together(film: Path, folder: Path) -> np.ndarray:
    """Frames of the clip, the layers of its atlas, and the edited frames, as one picture (BGR)."""
    rows = [frames_of(film), layers_of(folder), frames_of(folder / "ball_edited.mp4")]
    return cv2.vconcat(
        [cv2.copyMakeBorder(row, _GAP, 0, 0, 0, cv2.BORDER_CONSTANT) for row in rows]
    )


def frames_of(film: Path) -> np.ndarray:
    """Three frames side by side."""
    frames = [to_rgb(frame.picture)[..., ::-1] for frame in open_video(film).frames()]
    shown = [np.rint(frames[t] * 255).astype(np.uint8)[::, :] for t in _SHOWN]
    return cv2.hconcat(
        [cv2.copyMakeBorder(each, 0, 0, 0, _GAP, cv2.BORDER_CONSTANT) for each in shown]
    )


def layers_of(folder: Path) -> np.ndarray:
    """The layers side by side on grey, as wide as three frames."""
    pictures = []
    for path in sorted(folder.glob("atlas-001*.png")):
        picture = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        opaque = picture[..., 3:] / 255.0
        picture = np.rint(picture[..., :3] * opaque + 40 * (1.0 - opaque)).astype(np.uint8)
        scale = 420 / picture.shape[0]
        pictures.append(cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))
    row = cv2.hconcat(pictures)
    wide = len(_SHOWN) * (480 + _GAP)
    left = max(0, (wide - row.shape[1]) // 2)
    row = cv2.copyMakeBorder(row, 0, 0, left, left + 2, cv2.BORDER_CONSTANT, value=(40, 40, 40))
    return row[:, :wide]


if __name__ == "__main__":
    sys.exit(main())
