"""Pictures one after the other, for videos that no memory holds: here from and to OpenCV."""

import argparse
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

import unflicker
from demo import flicker, moving_picture, write


def pictures_of(path: Path) -> Iterator[np.ndarray]:
    """The pictures of a video, RGB, as OpenCV reads them."""
    video = cv2.VideoCapture(str(path))
    while True:
        there, picture = video.read()
        if not there:
            return
        yield picture[..., ::-1]


def main() -> None:
    """Read a video, steady it picture by picture, write it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("demo"))
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    source, target = folder / "flickering.mp4", folder / "streamed.avi"
    write(flicker(moving_picture()), source)
    steady = unflicker.stream(pictures_of(source), fps=24, preset="fast")
    writer, count = None, 0
    for picture in steady:
        count += 1
        if writer is None:
            size = picture.shape[1::-1]
            writer = cv2.VideoWriter(str(target), cv2.VideoWriter.fourcc(*"MJPG"), 24, size)
        writer.write(np.ascontiguousarray(picture[..., ::-1]))
    if writer is not None:
        writer.release()
    print(f"{count} pictures written to {target}")


if __name__ == "__main__":
    main()
