"""OpenEXR and DPX: exact where nothing is corrected, values above white, all attributes."""

import sys

import numpy as np
import pytest
from tests.made_stills import landscape

from unflicker import Settings, pipeline
from unflicker.errors import InputError, MissingError
from unflicker.frames.picture import Picture
from unflicker.video.light_codes import LightCodes
from unflicker.video.source import open_video
from unflicker.video.writer import open_writer

oiio = pytest.importorskip("OpenImageIO")
SIZE = (48, 64)
FAST = Settings.from_preset("fast")


def write(path, samples, *, kind, names=(), **attributes):
    height, width, channels = samples.shape
    spec = oiio.ImageSpec(width, height, channels, kind)
    if names:
        spec.channelnames = names
    for name, value in attributes.items():
        spec.attribute(name.replace("__", ":"), value)
    output = oiio.ImageOutput.create(path.suffix[1:])
    assert output.open(str(path), spec), output.geterror()
    assert output.write_image(samples), output.geterror()
    output.close()
    return path


def read(path, kind="float"):
    opened = oiio.ImageInput.open(str(path))
    pixels = opened.read_image(kind)
    spec = opened.spec()
    opened.close()
    return pixels, {item.name: item.value for item in spec.extra_attribs}, spec


def scene(light, *, count=1.0):
    """Scene-linear values with a lamp of 40 times white in them."""
    values = (landscape(SIZE, 1.0).astype(np.float32) / 65535) ** 2.4 * light * count
    values[4:8, 4:8] = 40.0 * light
    return values


def rewritten(source, target, *, change=lambda plane: plane):
    film = open_video(source)
    with open_writer(film, target) as writer:
        for frame in film.frames():
            picture = frame.picture
            planes = tuple(change(plane) for plane in picture.planes)
            made = Picture(planes=planes, layout=picture.layout, meaning=picture.meaning)
            writer.write(type(frame)(**{**vars(frame), "picture": made}))
    return film


@pytest.mark.parametrize("kind", ["half", "float"])
def test_an_uncorrected_exr_comes_back_exactly(tmp_path, kind):
    source, rng = tmp_path / "in", np.random.default_rng(0)
    source.mkdir()
    for number in range(3):
        values = rng.normal(0.5, 3.0, (*SIZE, 5)).astype(np.float32)
        values[0, 0, 0], values[0, 1, 1] = np.inf, np.nan
        values[0, 2] = -1.0
        names = ("R", "G", "B", "A", "depth.Z")
        more = {"compression": "zip", "owner": "someone", "smpte__TimeCode": "01:02:03:04"}
        write(source / f"{number}.exr", values, kind=kind, names=names, **more)
    rewritten(source, tmp_path / "out")
    for file in source.iterdir():
        assert (tmp_path / "out" / file.name).read_bytes() == file.read_bytes()


def test_lamps_above_white_get_the_gain_of_the_scene(tmp_path):
    source, rng = tmp_path / "in", np.random.default_rng(1)
    source.mkdir()
    lights = np.exp(0.2 * rng.standard_normal(24))
    for number, light in enumerate(lights):
        write(source / f"{number:03d}.exr", scene(light), kind="half", names=("R", "G", "B"))
    record = pipeline.run(source, tmp_path / "out", settings=FAST)
    assert record.visible_flicker_after < 0.3 * record.visible_flicker_before
    before = [read(file)[0] for file in sorted(source.iterdir())]
    after = [read(file)[0] for file in sorted((tmp_path / "out").iterdir())]
    lamps = np.array([picture[4:8, 4:8].mean() for picture in after])
    middles = np.array([picture[20:40, 20:60].mean() for picture in after])
    raw = np.array([picture[4:8, 4:8].mean() for picture in before])
    assert lamps.min() > 20
    assert lamps.std() / lamps.mean() < 0.35 * raw.std() / raw.mean()
    assert middles.std() / middles.mean() < 0.35 * np.std(lights) / np.mean(lights)


@pytest.mark.parametrize(
    ("bits", "transfer"),
    [(10, "Printing density"), (12, "Linear"), (16, "Logarithmic"), (10, "ITU-R 709-4")],
)
def test_an_uncorrected_dpx_comes_back_exactly(tmp_path, bits, transfer):
    source, rng = tmp_path / "in", np.random.default_rng(0)
    source.mkdir()
    codes = rng.integers(0, 1 << bits, (*SIZE, 3), np.uint32)
    wide = (codes << (16 - bits) | codes >> (2 * bits - 16)).astype(np.uint16)
    more = {
        "oiio__BitsPerSample": bits,
        "dpx__Transfer": transfer,
        "dpx__InputDevice": "a scanner",
        "dpx__FrameRate": 23.976,
        "Copyright": "someone",
        "DateTime": "2024:01:02 03:04:05",
    }
    write(source / "a.dpx", wide, kind="uint16", **more)
    rewritten(source, tmp_path / "out")
    one, given, _ = read(source / "a.dpx", "uint16")
    other, made, _ = read(tmp_path / "out" / "a.dpx", "uint16")
    assert np.array_equal(one, other)
    assert made == given
    assert {"dpx:InputDevice", "dpx:FrameRate", "Copyright", "DateTime"} <= set(made)
    begin = (source / "a.dpx").read_bytes()[:2048]
    assert (tmp_path / "out" / "a.dpx").read_bytes()[1408:2048] == begin[1408:]


def test_a_change_of_exposure_is_an_offset_of_density(tmp_path):
    source = tmp_path / "in"
    source.mkdir()
    codes = np.tile(np.linspace(150, 800, 64).astype(np.uint32)[None, :, None], (48, 1, 3))
    wide = (codes << 6 | codes >> 4).astype(np.uint16)
    more = {"oiio__BitsPerSample": 10, "dpx__Transfer": "Printing density"}
    write(source / "a.dpx", wide, kind="uint16", **more)
    darker = np.float32(2.0 ** (-1 / 2.4))  # half the light, in working light
    rewritten(
        source, tmp_path / "out", change=lambda plane: np.rint(plane * darker).astype(np.uint16)
    )
    result = read(tmp_path / "out" / "a.dpx", "uint16")[0] >> 6
    offset = codes.astype(int) - result
    assert np.abs(offset - 300 * np.log10(2.0)).max() < 1.1


def test_codes_lead_back_to_their_values():
    for light in (LightCodes(limit=4.0), LightCodes.of_film()):
        values = np.linspace(0.02, 0.98, 500, dtype=np.float32)
        codes = light.codes(values)
        assert np.abs(light.decoded(codes) - values).max() < 1e-3
        assert np.array_equal(light.changed(values, before=codes, after=codes), values)
    film = LightCodes.of_film()
    assert film.shown(film.codes(np.array([685 / 1023], np.float32)))[0] > 65500


def test_the_range_of_codes_follows_the_scene():
    bright = [np.full((4, 4, 3), 11.0, np.float32), np.full((4, 4, 3), np.nan, np.float32)]
    assert LightCodes.of_linear(bright).limit == 16.0
    assert LightCodes.of_linear([np.full((4, 4, 3), 0.2, np.float32)]).limit == 0.25
    assert LightCodes.of_linear([np.zeros((4, 4, 3), np.float32)]).limit == 1.0
    assert LightCodes.of_linear([np.full((4, 4, 3), 9e5, np.float32)]).limit == 64.0


def test_layers_deep_parts_and_mixtures_are_refused_by_name(tmp_path):
    values = scene(1.0)
    write(tmp_path / "a.exr", values, kind="half", names=("Y", "RY", "BY"))
    with pytest.raises(InputError, match="channels Y, BY, RY"):
        open_video(tmp_path)
    write(tmp_path / "a.exr", values, kind="half", names=("beauty.R", "beauty.G", "beauty.B"))
    assert open_video(tmp_path).layout.family == "rgb"
    write(tmp_path / "b.dpx", landscape(SIZE, 1.0), kind="uint16")
    with pytest.raises(InputError, match=r"1 \.dpx, 1 \.exr"):
        open_video(tmp_path)


def test_a_missing_library_names_the_extra(tmp_path, monkeypatch):
    write(tmp_path / "a.exr", scene(1.0), kind="half", names=("R", "G", "B"))
    monkeypatch.setitem(sys.modules, "OpenImageIO", None)
    with pytest.raises(MissingError, match=r"unflicker\[images\]"):
        open_video(tmp_path)
