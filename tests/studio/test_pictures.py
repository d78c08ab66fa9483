"""Pictures as a browser shows them have the colours of the film."""

import cv2
import numpy as np
import pytest

from made_clips import scene
from unflicker.frames.colour import from_rgb, small_rgb, to_rgb
from unflicker.frames.picture import ColourMeaning, PixelLayout
from unflicker.studio.pictures import as_jpeg, mean_rgb, stacked, viewable, whole_part_size
from unflicker.video import open_video
from unflicker.video.viewing import ViewingFilm

LAYOUTS = [
    (PixelLayout(family="yuv", depth=8, chroma_shift=(1, 1)), "bt709", False),
    (PixelLayout(family="yuv", depth=8, chroma_shift=(1, 1)), "bt601", True),
    (PixelLayout(family="yuv", depth=10, chroma_shift=(1, 0)), "bt709", False),
    (PixelLayout(family="yuv", depth=12), "bt601", False),
    (PixelLayout(family="yuv", depth=10, chroma_shift=(1, 1)), "bt2020", False),
    (PixelLayout(family="rgb", depth=16), "identity", True),
    (PixelLayout(family="rgb", depth=8, alpha=True), "identity", True),
    (PixelLayout(family="grey", depth=8), "bt709", True),
]


@pytest.mark.parametrize(("layout", "matrix", "full"), LAYOUTS)
def test_colours_are_those_of_the_film(layout, matrix, full):
    rgb = cv2.GaussianBlur(scene(seed=2, size=(120, 180)), None, 3.0)
    if layout.family == "grey":
        rgb = np.repeat(rgb.mean(axis=2, keepdims=True), 3, axis=2)
    picture = from_rgb(rgb, layout=layout, meaning=ColourMeaning(matrix=matrix, full_range=full))
    small = viewable(picture, size=(60, 90))
    assert small.layout == PixelLayout(family="yuv", depth=8, chroma_shift=(1, 1))
    assert not small.meaning.full_range
    expected = small_rgb(picture, size=(60, 90))
    apart = np.abs(to_rgb(small) - expected) * 255
    assert apart.mean() < 1.0
    assert np.quantile(apart, 0.99) < 6.0  # edges of colour, halved
    np.testing.assert_allclose(mean_rgb(small), expected.mean(axis=(0, 1)), atol=0.005)


def test_a_picture_that_fits_is_not_touched():
    layout, meaning = LAYOUTS[0][0], ColourMeaning(matrix="bt709", full_range=False)
    picture = from_rgb(scene(seed=3, size=(64, 96)), layout=layout, meaning=meaning)
    small = viewable(picture, size=(64, 96))
    for plane, same in zip(picture.planes, small.planes, strict=True):
        np.testing.assert_array_equal(plane, same)


@pytest.mark.parametrize(
    ("size", "longest", "expected"),
    [
        ((1080, 1920), 900, (360, 640)),
        ((2160, 3840), 900, (432, 768)),
        ((720, 1280), 900, (360, 640)),
        ((480, 640), 900, (480, 640)),
        ((481, 639), 900, (480, 640)),
        ((1, 1), 900, (2, 2)),
        ((3000, 3), 900, (750, 2)),
    ],
)
def test_sizes_are_even_parts(size, longest, expected):
    assert whole_part_size(size, longest_px=longest) == expected


def test_a_stacked_film_keeps_both_halves_and_every_time(tmp_path):
    layout, meaning = LAYOUTS[0][0], ColourMeaning(matrix="bt709", full_range=False)
    one, two = (
        from_rgb(scene(seed=seed, size=(64, 96)), layout=layout, meaning=meaning) for seed in (4, 5)
    )
    times = [0.0, 0.04, 0.1, 0.1, 0.5, 1.25]
    with ViewingFilm(tmp_path / "a.mp4", keyframe_every=2, crf=5) as film:
        for seconds in times:
            film.add(stacked(one, two), seconds=seconds)
    back = list(open_video(tmp_path / "a.mp4").frames())
    assert [frame.seconds for frame in back] == pytest.approx(times, abs=2e-4)
    for frame in back:
        above, below = np.split(frame.picture.planes[0].astype(int), 2)
        assert np.abs(above - one.planes[0]).mean() < 1.5
        assert np.abs(below - two.planes[0]).mean() < 1.5


def test_a_film_that_fails_leaves_no_file(tmp_path):
    with pytest.raises(RuntimeError), ViewingFilm(tmp_path / "a.mp4", keyframe_every=2, crf=5):
        raise RuntimeError("in the middle")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("layout", "matrix", "full"), LAYOUTS[2:7:2])
def test_a_still_has_the_film_s_colours(layout, matrix, full):
    rgb = scene(seed=6, size=(80, 120))
    picture = from_rgb(rgb, layout=layout, meaning=ColourMeaning(matrix=matrix, full_range=full))
    data = np.frombuffer(as_jpeg(picture), np.uint8)
    shown = cv2.cvtColor(cv2.imdecode(data, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
    assert np.abs(shown / 255.0 - to_rgb(picture)).mean() * 255 < 3.0
    small = cv2.imdecode(np.frombuffer(as_jpeg(picture, longest_px=60), np.uint8), 1)
    assert small.shape == (40, 60, 3)
