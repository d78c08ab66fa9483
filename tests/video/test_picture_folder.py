"""Folders of pictures: in natural order, bit for bit, whole or not at all."""

# ruff: noqa: PT012 - the fault must come from inside the writer's block

import struct

import cv2
import numpy as np
import pytest

from unflicker.errors import InputError, OutputError
from unflicker.video.picture_kinds import kind_of
from unflicker.video.source import open_video
from unflicker.video.writer import open_writer

KINDS = {
    "grey 8": ((20, 30), np.uint8),
    "colour 8": ((20, 30, 3), np.uint8),
    "alpha 8": ((20, 30, 4), np.uint8),
    "grey 16": ((20, 30), np.uint16),
    "colour 16": ((20, 30, 3), np.uint16),
    "alpha 16": ((20, 30, 4), np.uint16),
}


def make_folder(folder, *, shape=(20, 30, 3), kind=np.uint8, ending="png", count=12):
    folder.mkdir()
    rng = np.random.default_rng(0)
    for number in range(count):
        pixels = rng.integers(0, np.iinfo(kind).max + 1, shape, kind)
        assert cv2.imwrite(str(folder / f"shot {number + 1}.{ending}"), pixels)
    return folder


def rewrite(source, target, *, overwrite=False):
    film = open_video(source)
    with open_writer(film, target, overwrite=overwrite) as writer:
        for frame in film.frames():
            writer.write(frame)
    return film


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("ending", ["png", "tif"])
def test_there_and_back_again_changes_nothing(tmp_path, kind, ending):
    shape, sample = KINDS[kind]
    source = make_folder(tmp_path / "in", shape=shape, kind=sample, ending=ending)
    film = rewrite(source, tmp_path / "out")
    assert film.layout.family == ("grey" if "grey" in kind else "rgb")
    assert film.layout.alpha == ("alpha" in kind)
    for file in sorted(source.iterdir()):
        one = cv2.imread(str(file), cv2.IMREAD_UNCHANGED)
        other = cv2.imread(str(tmp_path / "out" / file.name), cv2.IMREAD_UNCHANGED)
        assert other is not None
        assert other.dtype == sample
        assert np.array_equal(one, other)


def test_photographs_stay_nearly_as_they_were(tmp_path):
    source = tmp_path / "in"
    source.mkdir()
    ramp = np.tile(np.linspace(0, 255, 64, dtype=np.uint8)[None, :, None], (48, 1, 3))
    cv2.imwrite(str(source / "a.jpg"), ramp)
    rewrite(source, tmp_path / "out")
    back = cv2.imread(str(tmp_path / "out" / "a.jpg"))
    assert np.abs(back.astype(int) - cv2.imread(str(source / "a.jpg"))).max() <= 3


def test_two_comes_before_ten(tmp_path):
    source = make_folder(tmp_path / "in")
    names = [file.name for file in open_video(source).traits.pictures]
    assert names == [f"shot {number}.png" for number in range(1, 13)]


def test_planes_are_red_green_blue(tmp_path):
    (tmp_path / "in").mkdir()
    cv2.imwrite(str(tmp_path / "in" / "a.png"), np.full((8, 8, 3), (30, 20, 10), np.uint8))
    frame = next(iter(open_video(tmp_path / "in").frames()))
    assert [int(plane[0, 0]) for plane in frame.picture.planes] == [10, 20, 30]


def test_pictures_come_24_a_second_and_can_be_cut(tmp_path):
    source = make_folder(tmp_path / "in")
    film = open_video(source)
    assert film.rate == 24
    assert [frame.seconds for frame in film.frames()] == [index / 24 for index in range(12)]
    part = open_video(source, start_seconds=0.25, duration_seconds=0.125)
    assert [file.name for file in part.traits.pictures] == [f"shot {i}.png" for i in (7, 8, 9)]


def test_a_picture_of_another_size_is_named(tmp_path):
    source = make_folder(tmp_path / "in")
    cv2.imwrite(str(source / "shot 5.png"), np.zeros((21, 30, 3), np.uint8))
    with pytest.raises(InputError, match=r"shot 5\.png is 30x21"):
        list(open_video(source).frames())


def test_a_broken_picture_is_flagged_and_the_one_before_stands_in(tmp_path):
    source = make_folder(tmp_path / "in")
    (source / "shot 4.png").write_bytes(b"broken")
    film = open_video(source)
    frames = list(film.frames())
    assert [frame.damaged for frame in frames] == [index == 3 for index in range(12)]
    assert np.array_equal(frames[3].picture.planes[0], frames[2].picture.planes[0])
    assert any("shot 4.png" in note for note in film.notes)
    with pytest.raises(InputError, match="strict"):
        list(open_video(source, strict=True).frames())


def test_a_folder_without_pictures_is_refused(tmp_path):
    (tmp_path / "notes.txt").touch()
    with pytest.raises(InputError, match="no PNG"):
        open_video(tmp_path)
    (tmp_path / "a.webp").touch()
    with pytest.raises(InputError, match=r"only \.webp"):
        open_video(tmp_path)
    (tmp_path / "a.nef").touch()
    with pytest.raises(InputError, match="--xmp"):
        open_video(tmp_path)


def test_the_folder_appears_only_when_whole(tmp_path):
    source = make_folder(tmp_path / "in")
    film = open_video(source)
    with pytest.raises(RuntimeError), open_writer(film, tmp_path / "out") as writer:
        writer.write(next(iter(film.frames())))
        raise RuntimeError
    assert sorted(item.name for item in tmp_path.iterdir()) == ["in"]


def test_overwriting_replaces_pictures_and_nothing_else(tmp_path):
    source = make_folder(tmp_path / "in")
    target = tmp_path / "out"
    target.mkdir()
    (target / "shot 1.png").write_bytes(b"old")
    (target / "diary.txt").write_text("keep me")
    with pytest.raises(OutputError, match="--overwrite"):
        rewrite(source, target)
    rewrite(source, target, overwrite=True)
    assert (target / "diary.txt").read_text() == "keep me"
    assert (target / "shot 1.png").read_bytes() != b"old"
    assert sorted(item.name for item in tmp_path.iterdir()) == ["in", "out"]
    with pytest.raises(OutputError, match="the input itself"):
        rewrite(source, source, overwrite=True)


def test_a_folder_can_become_a_video(tmp_path):
    source = make_folder(tmp_path / "in", shape=(48, 64, 3))
    rewrite(source, tmp_path / "film.mp4")
    frames = list(open_video(tmp_path / "film.mp4").frames())
    assert len(frames) == 12
    assert [round(frame.seconds * 24) for frame in frames] == list(range(12))


def test_pictures_of_several_kinds_are_read_as_one_and_written_as_each_was(tmp_path):
    source = tmp_path / "in"
    source.mkdir()
    rng = np.random.default_rng(0)
    for number, (shape, sample) in enumerate(KINDS.values()):
        for ending in ("png", "tif"):
            pixels = rng.integers(0, np.iinfo(sample).max + 1, shape, sample)
            cv2.imwrite(str(source / f"{number}.{ending}"), pixels)
    film = rewrite(source, tmp_path / "out")
    assert (film.layout.family, film.layout.depth, film.layout.alpha) == ("rgb", 16, True)
    assert any("several kinds" in note for note in film.notes)
    for file in source.iterdir():
        one = cv2.imread(str(file), cv2.IMREAD_UNCHANGED)
        other = cv2.imread(str(tmp_path / "out" / file.name), cv2.IMREAD_UNCHANGED)
        assert np.array_equal(one, other), file.name


def test_kinds_are_read_from_headers(tmp_path):
    for shape, sample in KINDS.values():
        for ending in ("png", "tif"):
            file = tmp_path / f"{len(shape)}{shape[-1]}{sample.__name__}.{ending}"
            cv2.imwrite(str(file), np.zeros(shape, sample))
            kind = kind_of(file)
            channels = 1 if len(shape) == 2 else shape[2]
            assert kind is not None
            assert (kind.channels, kind.depth) == (channels, np.iinfo(sample).bits)
            assert kind.size == (20, 30)
    assert kind_of(tmp_path / "nothing.png") is None
    (tmp_path / "junk.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    assert kind_of(tmp_path / "junk.png") is None


def with_orientation(file, orientation):
    """Put an EXIF orientation into a JPEG."""
    entry = struct.pack(">HHIHH", 0x112, 3, 1, orientation, 0)
    exif = b"Exif\0\0MM\0*" + struct.pack(">IH", 8, 1) + entry + bytes(4)
    data = file.read_bytes()
    file.write_bytes(data[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + data[2:])


def test_tags_that_disagree_about_what_is_upright_do_not_turn_the_scene(tmp_path):
    ramp = np.tile(np.linspace(0, 255, 64, dtype=np.uint8)[None, :, None], (48, 1, 3))
    for number, orientation in enumerate((1, 6, 6, 8, 6)):
        cv2.imwrite(str(tmp_path / f"{number}.jpg"), ramp)
        with_orientation(tmp_path / f"{number}.jpg", orientation)
    film = open_video(tmp_path)
    frames = list(film.frames())
    assert film.size == (64, 48)
    assert len({frame.picture.planes[0].tobytes() for frame in frames}) == 1
    assert any("EXIF" in note for note in film.notes)


def test_sizes_of_one_shape_are_brought_together(tmp_path):
    for number, size in enumerate(((40, 60), (20, 30), (40, 60))):
        cv2.imwrite(str(tmp_path / f"{number}.png"), np.full((*size, 3), 90, np.uint8))
    film = open_video(tmp_path)
    assert len(list(film.frames())) == 3
    assert any("scaled to 60x40" in note for note in film.notes)


def test_a_stack_in_a_folder_is_named(tmp_path):
    pages = [np.full((20, 30), 9 * page, np.uint16) for page in range(5)]
    cv2.imwritemulti(str(tmp_path / "stack.tif"), pages)
    with pytest.raises(InputError, match="5 pages"):
        open_video(tmp_path)
