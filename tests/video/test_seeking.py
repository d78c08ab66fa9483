"""A film read from the middle on shows the frames that a whole reading shows there."""

from collections.abc import Sequence
from fractions import Fraction

import pytest
from made_films import make_film, read, same_samples

from unflicker.video import frames_from, open_video

EVEN = range(0, 6_000, 40)
UNEVEN = [40 * n + (n * n * 7) % 23 for n in range(150)]
KINDS = [
    ("mp4", "libx264", {"g": "12", "bf": "3"}, EVEN),
    ("mkv", "libx264", {"g": "30", "bf": "3"}, UNEVEN),
    ("mp4", "libx264", {"g": "24", "x264-params": "open-gop=1"}, UNEVEN),
    ("mp4", "libx264", {"g": "60", "x264-params": "intra-refresh=1"}, EVEN),
    ("mp4", "libx265", {"x265-params": "keyint=20:log-level=none"}, EVEN),
    ("ts", "libx264", {"g": "12"}, EVEN),
    ("ts", "mpeg2video", {"g": "12", "bf": "2"}, EVEN),
    ("avi", "mpeg4", {"g": "12"}, EVEN),
    ("mkv", "ffv1", {}, UNEVEN),
    ("mxf", "mpeg2video", {"g": "12", "bf": "2"}, EVEN),
    ("webm", "libvpx-vp9", {"g": "25", "cpu-used": "8", "deadline": "realtime"}, EVEN),
]


@pytest.mark.parametrize(("ending", "codec", "options", "times"), KINDS)
@pytest.mark.parametrize("part", [{}, {"start_seconds": 1.0, "duration_seconds": 4.2}])
def test_it_is_as_if_read_from_the_beginning(
    tmp_path, ending: str, codec: str, options, times: Sequence[int], part
) -> None:
    pixels = "yuv422p" if ending == "mxf" else "yuv420p"
    counted = {"times": range(150), "time_base": Fraction(1, 25)} if codec == "mpeg2video" else {}
    made = {"codec": codec, "options": options, "pixel_format": pixels, "times": times} | counted
    path = make_film(tmp_path / f"film.{ending}", **made)
    whole, film = read(path, **part), open_video(path, **part)
    for index in (0, 1, 47, 83, len(whole) - 1):
        found = list(frames_from(film, index, whole[index].pts))
        assert same_samples(found, whole[index:])
        for one, other in zip(found, whole[index:], strict=True):
            assert one.index == other.index
            assert (one.pts, one.duration) == (other.pts, other.duration)


def test_a_time_that_no_frame_has_is_no_reason_to_show_others(tmp_path) -> None:
    path = make_film(tmp_path / "film.mp4", times=EVEN)
    whole, film = read(path), open_video(path)
    found = list(frames_from(film, 90, whole[90].pts + 1))
    assert same_samples(found, whole[90:])
