"""TIFFs as scanners, microscopes and editors write them: read right, or refused by name."""

import struct

import cv2
import numpy as np
import pytest
from tests.made_stills import camera_tags, landscape, tiff_of
from tests.made_tiffs import raw_tiff
from tests.video.test_stills_metadata import flat, rewritten

from unflicker.errors import InputError
from unflicker.video.picture_metadata import not_carried
from unflicker.video.source import open_video
from unflicker.video.tiff_pictures import stored_tiff
from unflicker.video.tiff_tags import EXTRA_SAMPLES, read_tags

SIZE = (20, 33)


def codes_of(samples, bits, *, seed=0, size=SIZE):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 1 << bits, (*size, samples), dtype=np.uint32)


def through(tmp_path, data):
    """What a picture is read as, and its result."""
    source = tmp_path / "in"
    source.mkdir()
    (source / "a.tif").write_bytes(data)
    film = open_video(source)
    planes = next(iter(film.frames())).picture.planes
    rewritten(source, tmp_path / "out")
    return np.dstack(planes), tmp_path / "out" / "a.tif"


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    ("samples", "bits", "extra"),
    [(1, 8, None), (1, 16, None), (3, 8, None), (3, 16, None), *((4, b, [e]) for b in (8, 16)
     for e in (0, 1, 2))],
)  # fmt: skip
def test_samples_and_the_meaning_of_transparency_stay(tmp_path, samples, bits, extra, order, wide):
    # libtiff would multiply colours of 8 bits by straight transparency (ExtraSamples of 2).
    codes = codes_of(samples, bits, seed=samples * bits)
    colours = 1 if samples == 1 else 2
    data = raw_tiff(codes, bits=bits, colours=colours, extra=extra, order=order, wide=wide)
    seen, made = through(tmp_path, data)
    assert np.array_equal(seen, codes)
    tags = read_tags(made.read_bytes())
    assert not tags.wide
    own = tags.pages[0]
    assert (tags.numbers(own[EXTRA_SAMPLES]) if extra else None) == (tuple(extra or ()) or None)
    assert np.array_equal(through_again(made), codes)


def through_again(made):
    return np.dstack(next(iter(open_video(made.parent).frames())).picture.planes)


@pytest.mark.parametrize("bits", [8, 16])
def test_a_picture_in_which_white_is_0_is_read_and_written_as_it_looks(tmp_path, bits):
    codes = codes_of(1, bits)
    seen, made = through(tmp_path, raw_tiff(codes, bits=bits, colours=0))
    assert np.array_equal(seen, (1 << bits) - 1 - codes)
    assert stored_tiff(read_tags(made.read_bytes())).colours == 1
    assert np.array_equal(cv2.imread(str(made), cv2.IMREAD_UNCHANGED), seen[..., 0])


@pytest.mark.parametrize("bits", [10, 12, 14])
@pytest.mark.parametrize("samples", [1, 3])
def test_samples_of_other_depths_become_16_bits_and_that_is_said(tmp_path, samples, bits):
    codes = codes_of(samples, bits)
    data = raw_tiff(codes, bits=bits, colours=1 if samples == 1 else 2)
    seen, _ = through(tmp_path, data)
    assert np.array_equal(seen >> (16 - bits), codes)
    assert not_carried(tmp_path / "in" / "a.tif") == (
        f"the {bits} bits of a TIFF (they become 16)",
    )


@pytest.mark.parametrize(
    ("samples", "bits", "colours", "why"),
    [
        (2, 8, 1, "grey with transparency"),
        (2, 16, 1, "grey with transparency"),
        (5, 16, 2, "5 samples"),
        (4, 16, 5, "CMYK in 16 bits"),
        (3, 16, 8, r"CIE L\*a\*b\* in 16 bits"),
        (1, 16, 32803, "mosaic"),
        (3, 16, 34892, "linear raw"),
        (3, 16, 77, "colours of kind 77"),
    ],
)
def test_what_would_lose_samples_is_refused_by_name(tmp_path, samples, bits, colours, why):
    (tmp_path / "a.tif").write_bytes(raw_tiff(codes_of(samples, bits), bits=bits, colours=colours))
    with pytest.raises(InputError, match=f"stores .*{why}"):
        open_video(tmp_path)


def test_floats_are_refused_with_the_way_out(tmp_path):
    data = raw_tiff(codes_of(3, 16), bits=16, colours=2, floats=True)
    (tmp_path / "a.tif").write_bytes(data)
    with pytest.raises(InputError, match=r"stores floats of 16 bits.*OpenEXR"):
        open_video(tmp_path)


@pytest.mark.parametrize("colours", [5, 6, 8])
def test_colours_that_become_rgb_are_announced(tmp_path, colours):
    samples = 4 if colours == 5 else 3
    data = raw_tiff(codes_of(samples, 8), bits=8, colours=colours)
    (tmp_path / "a.tif").write_bytes(data)
    assert any("it becomes RGB" in words for words in not_carried(tmp_path / "a.tif"))


@pytest.mark.parametrize("order", ["<", ">"])
def test_a_bigtiff_keeps_its_metadata(tmp_path, order):
    more = [
        (270, 2, b"described\0"),
        (318, 11, [0.31, 0.33]),
        (700, 1, b'<x tiff:Orientation="1"/>'),
        (65000, 12, [1.5, -2.5e300]),
        (65001, 16, [7]),
        (65002, 16, [1 << 40]),
        (65003, 6, [-1, 2, -3]),
    ]
    data = raw_tiff(codes_of(3, 16), bits=16, colours=2, order=order, wide=True, more=more)
    _, made = through(tmp_path, data)
    tags = read_tags(made.read_bytes())
    kept = tags.pages[0]
    for number, kind, values in more[:4] + more[6:]:
        letter = {2: "B", 11: "f", 1: "B", 12: "d", 6: "b"}[kind]
        wanted = struct.pack(f"{tags.order}{len(values)}{letter}", *values)
        assert (kept[number].kind, kept[number].data) == (kind, wanted), number
    assert tags.numbers(kept[65001]) == (7,)
    assert kept[65002].data == struct.pack(f"{tags.order}Q", 1 << 40)


def test_pages_of_a_stack_with_straight_transparency_are_read_each(tmp_path):
    pages = [codes_of(4, 8, seed=n).astype(np.uint8) for n in range(3)]
    # OpenCV writes blue first.
    stored = [page[..., [2, 1, 0, 3]] for page in pages]
    straight = [{**camera_tags(n), EXTRA_SAMPLES: camera_tags(n)[296]} for n in range(3)]
    (tmp_path / "s.tif").write_bytes(tiff_of(stored, tags=straight))
    film = open_video(tmp_path / "s.tif")
    for frame, page in zip(film.frames(), pages, strict=True):
        assert np.array_equal(np.dstack(frame.picture.planes), page)


@pytest.mark.parametrize("target", ["p%03d.tif", "all.tif"])
def test_pages_keep_their_tags_as_files_and_as_pages(tmp_path, target):
    pages = [landscape(SIZE, 1.0 - 0.05 * n) for n in range(4)]
    (tmp_path / "s.tif").write_bytes(tiff_of(pages, tags=[camera_tags(n) for n in range(4)]))
    (tmp_path / "out").mkdir()
    rewritten(tmp_path / "s.tif", tmp_path / "out" / target)
    made = [
        page
        for file in sorted((tmp_path / "out").iterdir())
        for page in read_tags(file.read_bytes()).pages
    ]
    assert len(made) == 4
    for number, page in enumerate(made):
        assert flat(camera_tags(number)).items() <= flat(page).items()


def test_a_smaller_copy_and_damaged_metadata_are_announced(tmp_path):
    small = codes_of(3, 16, size=(5, 8))
    data = raw_tiff(codes_of(3, 16), bits=16, colours=2, copies=[small])
    (tmp_path / "a.tif").write_bytes(data)
    assert not_carried(tmp_path / "a.tif") == ("the smaller copy inside a TIFF",)
    whole = raw_tiff(codes_of(3, 16), bits=16, colours=2, more=[(700, 1, b"x" * 900)])
    (tmp_path / "b.tif").write_bytes(whole[:-500])
    assert not_carried(tmp_path / "b.tif") == ("the metadata of a picture, which are damaged",)


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_the_orientation_inside_xmp_becomes_upright_with_the_picture(tmp_path, orientation):
    xmp = f'<rdf:D tiff:Orientation="{orientation}" xmp:Rating="{orientation}"/>'.encode()
    more = [(274, 3, [orientation]), (700, 1, xmp)]
    data = raw_tiff(codes_of(3, 16), bits=16, colours=2, more=more)
    _, made = through(tmp_path, data)
    kept = read_tags(made.read_bytes()).pages[0][700].data
    assert kept == f'<rdf:D tiff:Orientation="1" xmp:Rating="{orientation}"/>'.encode()
