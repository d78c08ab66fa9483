"""Attributes of OpenEXR, byte for byte; the same bytes whenever a picture is written."""

import struct

import numpy as np
import pytest
from tests.made_tiffs import raw_exr
from tests.video.test_cinema_pictures import read, rewritten, write

from unflicker.errors import InputError
from unflicker.video.exr_header import attributes_of, whole_number_channels
from unflicker.video.picture_metadata import not_carried
from unflicker.video.source import open_video

oiio = pytest.importorskip("OpenImageIO")
SIZE = (12, 17)
MORE = [
    ("owner", "string", b"somebody"),
    ("a name that has more than thirty-one letters", "int", struct.pack("<i", -7)),
    ("timeCode", "timecode", bytes(range(8))),
    ("keyCode", "keycode", struct.pack("<7i", 1, 2, 3, 4, 5, 4, 64)),
    ("framesPerSecond", "rational", struct.pack("<iI", 24000, 1001)),
    ("chromaticities", "chromaticities", struct.pack("<8f", *np.linspace(0.1, 0.8, 8))),
    ("worldToCamera", "m44f", struct.pack("<16f", *range(16))),
    ("exposures", "floatvector", struct.pack("<3f", 0.5, 1.5, 2.5)),
    ("crop", "box2f", struct.pack("<4f", 0, 0, 1, 2)),
    ("double", "double", struct.pack("<d", 1 / 3)),
    ("point", "v3d", struct.pack("<3d", 1, 2, 3)),
    ("preview", "preview", struct.pack("<II", 2, 2) + bytes(range(16))),
    ("studio", "our own kind", b"\1\2\3\0\xff"),
    ("empty", "string", b""),
]


def scene(names="RGB", *, seed=0, kind=np.float16):
    rng = np.random.default_rng(seed)
    return {name: rng.uniform(0.1, 0.9, SIZE).astype(kind) for name in names}


def darker(plane):
    return (plane * np.float32(0.9)).astype(plane.dtype)


@pytest.mark.parametrize("names", ["RGB", "RGBA", "Y"])
def test_a_corrected_picture_has_every_attribute_of_its_source(tmp_path, names):
    source = tmp_path / "in"
    source.mkdir()
    channels = {**scene(names), "depth.Z": scene("Z", kind=np.float32)["Z"] * 1e6}
    (source / "a.exr").write_bytes(raw_exr(channels, *MORE))
    rewritten(source, tmp_path / "out", change=darker)
    made = (tmp_path / "out" / "a.exr").read_bytes()
    given, _ = attributes_of((source / "a.exr").read_bytes())
    kept, _ = attributes_of(made)
    assert kept == given
    assert list(kept) == list(given)
    before, after = read(source / "a.exr"), read(tmp_path / "out" / "a.exr")
    assert before[2].channelnames == after[2].channelnames
    first = after[2].channelnames.index(names[0])
    ratio = after[0][..., first] / before[0][..., first]
    assert np.abs(ratio - 0.9**2.4).max() < 0.01
    depth = after[2].channelnames.index("depth.Z")
    assert np.array_equal(after[0][..., depth], before[0][..., depth])


def test_no_time_of_writing_gets_into_a_picture(tmp_path):
    source = tmp_path / "in"
    source.mkdir()
    (source / "a.exr").write_bytes(raw_exr(scene()))
    rewritten(source, tmp_path / "out", change=darker)
    assert b"capDate" not in (tmp_path / "out" / "a.exr").read_bytes()
    (tmp_path / "film").mkdir()
    rewritten(source, tmp_path / "film.mkv")
    rewritten(tmp_path / "film.mkv", tmp_path / "film" / "%d.exr")
    assert b"capDate" not in (tmp_path / "film" / "1.exr").read_bytes()


@pytest.mark.parametrize("compression", ["dwaa:45", "dwab:120", "b44", "pxr24", "zips", "piz"])
@pytest.mark.parametrize("tiled", [False, True])
def test_compression_stays_and_what_is_not_corrected_is_not_encoded_again(
    tmp_path, compression, tiled
):
    source = tmp_path / "in"
    source.mkdir()
    planes = scene(kind=np.float32)
    spec = oiio.ImageSpec(SIZE[1], SIZE[0], 3, "half")
    spec.attribute("compression", compression)
    if tiled:
        spec.tile_width = spec.tile_height = 16
    out = oiio.ImageOutput.create("exr")
    assert out.open(str(source / "a.exr"), spec)
    assert out.write_image(np.dstack([planes[name] for name in "RGB"]))
    out.close()
    rewritten(source, tmp_path / "same")
    assert (tmp_path / "same" / "a.exr").read_bytes() == (source / "a.exr").read_bytes()
    rewritten(source, tmp_path / "out", change=darker)
    given, _ = attributes_of((source / "a.exr").read_bytes())
    kept, _ = attributes_of((tmp_path / "out" / "a.exr").read_bytes())
    assert kept == given
    assert np.isfinite(read(tmp_path / "out" / "a.exr")[0]).all()


def test_channels_of_whole_numbers_are_announced_and_kept_where_nothing_is_corrected(tmp_path):
    source = tmp_path / "in"
    source.mkdir()
    numbers = np.random.default_rng(0).integers(0, 1 << 32, SIZE, dtype=np.uint32)
    (source / "a.exr").write_bytes(raw_exr({**scene(), "id": numbers, "material": numbers}))
    assert whole_number_channels(source / "a.exr") == ("id", "material")
    assert not_carried(source / "a.exr") == (
        "the last bits of whole numbers (channels id, material)",
    )
    rewritten(source, tmp_path / "out")
    assert (tmp_path / "out" / "a.exr").read_bytes() == (source / "a.exr").read_bytes()
    assert not not_carried(tmp_path / "none.exr")


def test_headers_that_are_damaged_are_refused():
    whole = raw_exr(scene(), *MORE)
    for data in (b"", b"no picture", whole[:40], whole[:300], whole[:8] + b"\xff" * 50):
        with pytest.raises(ValueError, match="OpenEXR"):
            attributes_of(data)


@pytest.mark.parametrize("order", ["big", "little"])
@pytest.mark.parametrize("orientation", [0, 1, 2, 3, 0xFFFF])
def test_a_dpx_comes_upright(tmp_path, orientation, order):
    source = tmp_path / "in"
    source.mkdir()
    codes = np.random.default_rng(orientation).integers(0, 1 << 16, (*SIZE, 3)).astype(np.uint16)
    path = write(source / "a.dpx", codes, kind="uint16", oiio__BitsPerSample=16, oiio__Endian=order)
    data = bytearray(path.read_bytes())
    data[768:770] = orientation.to_bytes(2, order)
    path.write_bytes(data)
    upright = codes[:: -1 if orientation in (2, 3) else 1, :: -1 if orientation in (1, 3) else 1]
    seen = np.dstack(next(iter(open_video(source).frames())).picture.planes)
    assert np.array_equal(seen, upright)
    rewritten(source, tmp_path / "out")
    made = (tmp_path / "out" / "a.dpx").read_bytes()
    assert made[768:770] == (data[768:770] if orientation == 0xFFFF else bytes(2))
    assert np.array_equal(
        np.dstack(next(iter(open_video(tmp_path / "out").frames())).picture.planes), upright
    )


def test_a_dpx_that_is_stored_by_columns_is_refused(tmp_path):
    path = write(tmp_path / "a.dpx", np.zeros((*SIZE, 3), np.uint16), kind="uint16")
    data = bytearray(path.read_bytes())
    data[768:770] = bytes([0, 5]) if data[:4] == b"SDPX" else bytes([5, 0])
    path.write_bytes(data)
    with pytest.raises(InputError, match="by columns"):
        open_video(tmp_path)
