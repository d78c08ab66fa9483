"""Stills and films: pages, patterns of names, rate, order; mixtures refused as one list."""

import cv2
import numpy as np
import pytest
from click import BadParameter
from tests.made_stills import camera_tags, landscape, tiff_of
from tests.video.test_stills_metadata import flat

from unflicker import Settings, pipeline
from unflicker.cli.values import Rate
from unflicker.errors import InputError, UsageError
from unflicker.rendering.options import RunOptions
from unflicker.video.picture_order import Stills, is_pattern, name_by_pattern, ordered
from unflicker.video.source import open_video
from unflicker.video.target import planned_target
from unflicker.video.tiff_tags import read_tags
from unflicker.video.writer import open_writer

SIZE = (48, 64)
FAST = Settings.from_preset("fast")


def rewritten(film, target):
    with open_writer(film, target) as writer:
        for frame in film.frames():
            writer.write(frame)
    return writer


def small_film(folder, *, count=5, seed=0):
    folder.mkdir()
    for number in range(count):
        picture = landscape(SIZE, 1.0 - 0.1 * number, seed=seed)
        cv2.imwrite(str(folder / f"{number}.png"), picture)
    return folder


def test_pages_of_a_tiff_are_frames_and_come_back_with_their_tags(tmp_path):
    pages = [landscape(SIZE, 1.0 - 0.02 * number) for number in range(7)]
    tags = [{**camera_tags(number), 297: camera_tags(number)[274]} for number in range(7)]
    (tmp_path / "stack.tif").write_bytes(tiff_of(pages, tags=tags))
    film = open_video(tmp_path / "stack.tif")
    assert film.estimated_frames == 7
    rewritten(film, planned_target(tmp_path / "stack.tif", None))
    made = tmp_path / "stack_unflickered.tif"
    read = read_tags(made.read_bytes())
    assert [flat(page)[(270,)][2] for page in read.pages] == [
        f"picture {number}\0".encode() for number in range(7)
    ]
    assert flat(tags[3]).items() <= flat(read.pages[3]).items()
    _, back = cv2.imreadmulti(str(made), flags=cv2.IMREAD_UNCHANGED)
    assert all(np.array_equal(one, other) for one, other in zip(pages, back, strict=True))


def test_a_small_copy_in_a_tiff_is_no_frame(tmp_path):
    small = {254: tiff_tag_of_a_copy()}
    data = tiff_of([landscape(SIZE, 1.0), landscape((12, 16), 1.0)], tags=[{}, small])
    (tmp_path / "photo.tif").write_bytes(data)
    assert open_video(tmp_path).estimated_frames == 1


def tiff_tag_of_a_copy():
    return camera_tags(0)[274].__class__(kind=4, count=1, data=b"\1\0\0\0")


def test_a_folder_becomes_pages_and_pages_become_a_folder(tmp_path):
    source = small_film(tmp_path / "in")
    rewritten(open_video(source), tmp_path / "all.tif")
    stack = open_video(tmp_path / "all.tif")
    assert stack.estimated_frames == 5
    (tmp_path / "out").mkdir()
    rewritten(stack, tmp_path / "out" / "p%03d.tif")
    assert [file.name for file in sorted((tmp_path / "out").iterdir())] == [
        f"p{number:03d}.tif" for number in range(1, 6)
    ]
    for number in range(5):
        one = cv2.imread(str(source / f"{number}.png"), cv2.IMREAD_UNCHANGED)
        other = cv2.imread(str(tmp_path / "out" / f"p{number + 1:03d}.tif"), cv2.IMREAD_UNCHANGED)
        assert np.array_equal(one, other)


@pytest.mark.parametrize("ending", ["png", "tif", "jpg", "exr", "dpx"])
def test_a_film_becomes_stills(tmp_path, ending):
    if ending in ("exr", "dpx"):
        pytest.importorskip("OpenImageIO")
    rewritten(open_video(small_film(tmp_path / "in")), tmp_path / "film.mkv")
    film = open_video(tmp_path / "film.mkv")
    out = tmp_path / "out" / f"%06d.{ending}"
    record = pipeline.run(tmp_path / "film.mkv", out, settings=FAST)
    assert any("no times" in note for note in record.notes)
    stills = open_video(tmp_path / "out")
    assert [path.name for path in stills.traits.pictures] == [
        f"{number:06d}.{ending}" for number in range(1, 6)
    ]
    assert stills.size == film.size
    rewritten(stills, tmp_path / "again.mkv")
    levels = [
        [frame.picture.planes[0].mean() / frame.picture.layout.peak for frame in one.frames()]
        for one in (film, open_video(tmp_path / "again.mkv"))
    ]
    assert np.abs(np.diff(levels, axis=0)).max() < 0.06


def test_pictures_come_at_the_rate_that_is_asked_for(tmp_path):
    source = small_film(tmp_path / "in")
    stills = Stills.of(fps=12.5)
    pipeline.run(source, tmp_path / "a.mp4", settings=FAST, options=RunOptions(stills=stills))
    assert open_video(tmp_path / "a.mp4").rate == stills.rate
    part = open_video(source, start_seconds=0.16, stills=stills)
    assert part.estimated_frames == 3
    with pytest.raises(UsageError, match="--fps"):
        open_video(tmp_path / "a.mp4", stills=stills)
    with pytest.raises(UsageError, match="above 0"):
        Stills.of(fps=0)


def named_by(folder, names_and_times):
    folder.mkdir()
    for name, number in names_and_times:
        tags = {} if number is None else camera_tags(number)
        (folder / name).write_bytes(tiff_of([landscape(SIZE, 1.0)], tags=[tags]))
    return folder


def in_order(folder, order):
    film = open_video(folder, stills=Stills.of(order=order))
    return [path.name for path in film.traits.pictures], film.notes


def test_the_order_is_by_number_by_name_or_by_time(tmp_path):
    files = [("a2.tif", 30), ("a10.tif", 20), ("a1.tif", 40)]
    folder = named_by(tmp_path / "in", files)
    assert in_order(folder, None)[0] == ["a1.tif", "a2.tif", "a10.tif"]
    assert in_order(folder, "name")[0] == ["a1.tif", "a10.tif", "a2.tif"]
    assert in_order(folder, "time")[0] == ["a10.tif", "a2.tif", "a1.tif"]
    named_by(tmp_path / "other", [("b.tif", None), ("a.tif", 3)])
    with pytest.raises(InputError, match=r"1 of 2 pictures.*b\.tif"):
        in_order(tmp_path / "other", "time")


def test_a_counter_that_begins_again_is_noticed(tmp_path):
    files = [("IMG_9998.tif", 1), ("IMG_9999.tif", 2), ("IMG_0001.tif", 3), ("IMG_0002.tif", 4)]
    names, notes = in_order(named_by(tmp_path / "in", files), None)
    assert names == [name for name, _ in files]
    assert any("begin again after IMG_9999.tif" in note for note in notes)
    whole = [("IMG_0001.tif", 1), ("IMG_9999.tif", 2)]
    names, notes = in_order(named_by(tmp_path / "whole", whole), None)
    assert names == [name for name, _ in whole]
    assert not notes


def test_pictures_of_other_shapes_are_refused_as_one_list(tmp_path):
    source = small_film(tmp_path / "in")
    for number, size in ((1, (40, 64)), (3, (64, 48))):
        cv2.imwrite(str(source / f"{number}.png"), landscape(size, 1.0))
    with pytest.raises(InputError, match=r"1\.png is 64x40, 3\.png is 48x64, the first"):
        open_video(source)


def test_patterns_are_names_with_one_number():
    assert is_pattern("a/%06d.exr")
    assert is_pattern("a/frame.%d.tif")
    assert not is_pattern("a/%06d.mp4")
    assert not is_pattern("a/%d_%d.png")
    assert name_by_pattern("s%04d.png", 9) == "s0010.png"
    assert name_by_pattern("s%d.png", 0) == "s1.png"


def test_the_name_of_one_picture_is_no_result(tmp_path):
    source = small_film(tmp_path / "in")
    with pytest.raises(UsageError, match=r"%06d\.png"):
        open_writer(open_video(source), tmp_path / "one.png")


@pytest.mark.parametrize(
    ("numbers", "note"),
    [
        (range(1, 21), ""),
        (range(10, 210, 10), ""),
        ([1, 2, 3, 4, 7, 8, 9, 10, 11, 12, 14, 15, 16, 17, 18], "3 numbers are missing, the first"),
        ([*range(5, 15), *range(16, 26)], "1 number is missing, the first after p0014.png"),
        ([*range(0, 50, 5), *range(60, 100, 5)], "2 numbers are missing, the first after p0045"),
        ([1, 5, 6, 11, 30, 31, 50], ""),
        ([7], ""),
    ],
)
def test_missing_numbers_are_noted_where_the_others_are_regular(tmp_path, numbers, note):
    files = [tmp_path / f"p{number:04d}.png" for number in numbers]
    found, told = ordered(files[::-1], "number")
    assert found == files
    assert told.startswith(note)
    assert bool(told) == bool(note)


def test_files_of_several_names_have_no_gaps(tmp_path):
    files = [tmp_path / f"{name}{number}.png" for name in "ab" for number in (1, 2, 3, 4, 5, 9)]
    assert ordered(files, "number") == (files, "")


@pytest.mark.parametrize(
    "name",
    ["%d.webp", "all.bmp", "%04d.jp2", "%3d.heic", "p%d.xyz", "still.jxl", "one.png", "a.gif"],
)
def test_pictures_that_are_not_written_are_refused_by_name(tmp_path, name):
    source = small_film(tmp_path / "in", count=2)
    for film in (source, tmp_path / "film.mkv"):
        if not film.exists():
            rewritten(open_video(source), film)
        with pytest.raises(UsageError, match=r"is not written: .*name"):
            open_writer(open_video(film), tmp_path / "out" / name)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("25", "25"),
        ("23.976", "23.976"),
        ("30000/1001", "29.97002997"),
        ("1/10", "0.1"),
        ("24.", "24"),
    ],
)
def test_a_rate_is_a_number_or_a_fraction(text, rate):
    assert Rate().convert(text, None, None) == pytest.approx(float(rate))


@pytest.mark.parametrize("text", ["nan", "-25", "25/0", "24fps", "1e3", "", "25 / 1", "1/2/3"])
def test_what_is_no_rate_is_refused_with_examples(text):
    with pytest.raises(BadParameter, match=r"write 25, 23\.976 or 30000/1001"):
        Rate().convert(text, None, None)
