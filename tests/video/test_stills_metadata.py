"""Metadata of stills: carried byte for byte, and what cannot be is said before the work."""

import struct
import zlib

import cv2
import numpy as np
import pytest
from tests.made_stills import (
    PROFILE,
    XMP,
    camera_tags,
    chunk,
    exif_data,
    jpeg_with,
    landscape,
    png_with,
    tiff_of,
)

from unflicker import Settings, pipeline
from unflicker.errors import OutputError
from unflicker.video.picture_metadata import carried_tags, date_of, has_profile, not_carried
from unflicker.video.profiles import profile_of
from unflicker.video.source import open_video
from unflicker.video.tiff_tags import EXIF, ORIENTATION, Tag, in_order, read_tags
from unflicker.video.writer import open_writer

SIZE = (48, 64)


def rewritten(source, target):
    film = open_video(source)
    with open_writer(film, target) as writer:
        for frame in film.frames():
            writer.write(frame)
    return writer


def flat(directory, *, path=()):
    """All tags with their bytes, those inside others too."""
    found = {}
    for number, tag in directory.items():
        if tag.inner:
            found |= flat(tag.inner, path=(*path, number))
        else:
            found[(*path, number)] = (tag.kind, tag.count, tag.data)
    return found


def test_a_time_lapse_of_48_pictures_keeps_every_byte_of_its_metadata(tmp_path):
    # Listed: description, maker, model, orientation, resolution with its unit, software, artist,
    # copyright, XMP, IPTC, Photoshop data, profile, a private tag; exposure time, f-number, ISO
    # speed, time taken with its fraction, maker note, comment; latitude with its side.
    source = tmp_path / "in"
    source.mkdir()
    rng = np.random.default_rng(3)
    for number in range(48):
        light = 1.0 + 0.15 * rng.standard_normal()
        data = tiff_of([landscape(SIZE, light)], tags=[camera_tags(number)], compression=8)
        (source / f"IMG_{number:04d}.tif").write_bytes(data)
    record = pipeline.run(source, tmp_path / "out", settings=Settings.from_preset("fast"))
    assert record.visible_flicker_after < 0.5 * record.visible_flicker_before
    changed = 0
    for file in sorted(source.iterdir()):
        result = tmp_path / "out" / file.name
        given = read_tags(file.read_bytes()).pages[0]
        made = read_tags(result.read_bytes()).pages[0]
        expected = flat(camera_tags(int(file.stem[-4:])))
        assert len(expected) == 24
        assert {name: flat(made)[name] for name in expected} == expected
        assert given[259] == made[259], "the compression is another one"
        pixels = cv2.imread(str(result), cv2.IMREAD_UNCHANGED)
        assert pixels.dtype == np.uint16
        changed += not np.array_equal(pixels, cv2.imread(str(file), cv2.IMREAD_UNCHANGED))
    assert changed > 24


def test_a_tiff_of_the_other_byte_order_keeps_its_numbers():
    little, big = camera_tags(7), camera_tags(7, order=">")
    assert flat(in_order(big, ">", "<")) == flat(little)
    assert flat(in_order(little, "<", ">")) == flat(big)
    data = exif_data(big, order=">")
    tags = read_tags(data)
    assert flat(tags.pages[0]) == flat(big)
    assert flat(carried_tags(tags, 0, order="<")) == flat(little)


def test_chunks_of_a_png_go_along(tmp_path):
    source = tmp_path / "in"
    source.mkdir()
    exif = exif_data({ORIENTATION: camera_tags(0, order=">")[ORIENTATION]}, order=">")
    texts = [
        (b"iCCP", b"wide\0\0" + PROFILE),
        (b"pHYs", struct.pack(">IIB", 11811, 11811, 1)),
        (b"eXIf", exif),
        (b"tEXt", b"Title\0A picture"),
        (b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + XMP),
        (b"prVt", b"private, safe to copy"),
    ]
    (source / "a.png").write_bytes(png_with(landscape(SIZE, 1.0), *texts))
    rewritten(source, tmp_path / "out")
    result = (tmp_path / "out" / "a.png").read_bytes()
    for name, body in texts:
        assert result.count(name + body) == 1, name
    one, other = (
        cv2.imread(str(p / "a.png"), cv2.IMREAD_UNCHANGED) for p in (source, tmp_path / "out")
    )
    assert np.array_equal(one, other)


def test_segments_of_a_jpeg_go_along_and_its_pixels_come_upright(tmp_path):
    source = tmp_path / "in"
    source.mkdir()
    exif = exif_data(camera_tags(5, order=">", orientation=6), order=">")
    segments = [
        (0xE1, b"Exif\0\0" + exif),
        (0xE1, b"http://ns.adobe.com/xap/1.0/\0" + XMP),
        (0xE2, b"ICC_PROFILE\0\1\1" + PROFILE),
        (0xFE, b"another comment"),
    ]
    picture = (landscape(SIZE, 1.0) // 257).astype(np.uint8)
    (source / "a.jpg").write_bytes(jpeg_with(picture, *segments))
    rewritten(source, tmp_path / "out")
    result = (tmp_path / "out" / "a.jpg").read_bytes()
    for _, body in segments[1:]:
        assert result.count(body) == 1
    tags = read_tags(result[result.index(b"Exif\0\0") + 6 :]).pages[0]
    upright = camera_tags(5, order=">")
    assert flat(tags) == flat(upright)
    shown = [cv2.imread(str(folder / "a.jpg")) for folder in (source, tmp_path / "out")]
    assert shown[0].shape == shown[1].shape == (64, 48, 3)
    assert np.abs(shown[0].astype(int) - shown[1]).mean() < 3


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_tiff_comes_upright(tmp_path, orientation):
    source = tmp_path / "in"
    source.mkdir()
    stored = landscape((30, 40), 1.0)
    as_jpeg = (stored // 257).astype(np.uint8)
    exif = exif_data(camera_tags(0, order=">", orientation=orientation), order=">")
    (tmp_path / "a.jpg").write_bytes(jpeg_with(as_jpeg, (0xE1, b"Exif\0\0" + exif)))
    (source / "a.tif").write_bytes(
        tiff_of([stored], tags=[camera_tags(0, orientation=orientation)])
    )
    rewritten(source, tmp_path / "out")
    result = tmp_path / "out" / "a.tif"
    tag = read_tags(result.read_bytes()).pages[0][ORIENTATION]
    assert tag.data == struct.pack("<H", 1)
    # OpenCV's own reader of JPEG turns by the same tag.
    truth = cv2.imread(str(tmp_path / "a.jpg"))
    pixels = cv2.imread(str(result), cv2.IMREAD_UNCHANGED)
    assert pixels.shape == truth.shape
    assert np.abs((pixels // 257).astype(int) - truth).mean() < 6


def test_when_a_picture_was_taken_is_read_from_every_kind(tmp_path):
    exif = exif_data(camera_tags(9, order=">"), order=">")
    picture = landscape(SIZE, 1.0)
    small = (picture // 257).astype(np.uint8)
    (tmp_path / "a.tif").write_bytes(tiff_of([picture], tags=[camera_tags(9)]))
    (tmp_path / "a.png").write_bytes(png_with(picture, (b"eXIf", exif)))
    (tmp_path / "a.jpg").write_bytes(jpeg_with(small, (0xE1, b"Exif\0\0" + exif)))
    cv2.imwrite(str(tmp_path / "b.jpg"), small)
    for name in ("a.tif", "a.png", "a.jpg"):
        assert date_of(tmp_path / name) == "2024:05:01 10:00:09.25"
    assert date_of(tmp_path / "b.jpg") == ""
    assert date_of(tmp_path / "none.png") == ""


def test_what_cannot_be_carried_is_said_before_the_work(tmp_path):
    source = tmp_path / "in"
    source.mkdir()
    more = {**camera_tags(0), 330: camera_tags(0)[EXIF]}
    (source / "a.tif").write_bytes(tiff_of([landscape(SIZE, 1.0)], tags=[more]))
    assert not_carried(source / "a.tif") == ("smaller pictures inside a TIFF (SubIFDs)",)
    film = open_video(source)
    assert any("SubIFDs" in note for note in open_writer(film, tmp_path / "out").losses)
    assert has_profile(source / "a.tif")
    to_film = open_writer(film, tmp_path / "film.mkv").losses
    assert any("colour profile" in note for note in to_film)
    (tmp_path / "out").mkdir()
    other = open_writer(film, tmp_path / "out" / "%d.png").losses
    assert any("not carried into PNG" in note for note in other)
    strict = Settings.from_preset("fast", strict=True)
    with pytest.raises(OutputError, match="SubIFDs"):
        pipeline.run(source, tmp_path / "other", settings=strict)


def test_a_profile_goes_from_kind_to_kind(tmp_path):
    long = bytes(20) + PROFILE * 400  # more than a segment of a JPEG holds
    source = tmp_path / "tif"
    source.mkdir()
    tags = camera_tags(0) | {34675: Tag(kind=7, count=len(long), data=long)}
    (source / "a.tif").write_bytes(tiff_of([landscape(SIZE, 1.0)], tags=[tags]))
    for ending in ("png", "jpg", "tif"):
        target = tmp_path / ending / f"%d.{ending}"
        target.parent.mkdir(exist_ok=True)
        if ending == "tif":
            target = tmp_path / "again" / "%d.tif"
            target.parent.mkdir()
        rewritten(source, target)
        source = target.parent
        assert profile_of(next(source.iterdir())) == long
    printed = bytes(16) + b"CMYK" + bytes(100)
    (tmp_path / "p.png").write_bytes(
        png_with(landscape(SIZE, 1.0), (b"iCCP", b"p\0\0" + zlib.compress(printed)))
    )
    assert profile_of(tmp_path / "p.png") == b""


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("orientation", [1, 8])
def test_a_jpeg_that_is_not_corrected_is_not_encoded_again(tmp_path, orientation, channels):
    source = tmp_path / "in"
    source.mkdir()
    exif = exif_data(camera_tags(1, order=">", orientation=orientation), order=">")
    for number in range(4):
        picture = (landscape(SIZE, 1.0 - 0.15 * number, seed=number) // 257).astype(np.uint8)
        picture = picture[..., 0] if channels == 1 else picture
        (source / f"{number}.jpg").write_bytes(jpeg_with(picture, (0xE1, b"Exif\0\0" + exif)))
    none = Settings.from_preset("fast", strength=0.0)
    pipeline.run(source, tmp_path / "out", settings=none)
    for file in source.iterdir():
        made = (tmp_path / "out" / file.name).read_bytes()
        assert (made == file.read_bytes()) == (orientation == 1)


def test_colours_that_png_and_jpeg_cannot_keep_are_announced(tmp_path):
    grey = chunk(b"IHDR", struct.pack(">IIBBBBB", 4, 4, 8, 4, 0, 0, 0))
    rows = zlib.compress(b"".join(b"\0" + bytes(range(8)) for _ in range(4)))
    data = b"\x89PNG\r\n\x1a\n" + grey + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    (tmp_path / "a.png").write_bytes(data)
    assert open_video(tmp_path).layout.alpha
    assert not_carried(tmp_path / "a.png") == (
        "the grey of a PNG with transparency (it becomes RGB)",
    )
    printed = bytearray(jpeg_with(landscape(SIZE, 1.0).astype(np.uint8)))
    printed[printed.index(b"\xff\xc0") + 9] = 4
    (tmp_path / "b.jpg").write_bytes(printed)
    assert any("CMYK" in words for words in not_carried(tmp_path / "b.jpg"))
