"""Exposures as XMP sidecars: pixels untouched, an existing sidecar keeps all else."""

import hashlib
import re

import cv2
import numpy as np
import pytest
from tests.made_stills import dng_of, landscape

from unflicker import Settings
from unflicker.batch.sidecars import write_sidecars
from unflicker.cli.main import exit_code
from unflicker.errors import InputError, OutputError, UsageError
from unflicker.files.xmp import read_sidecar, with_exposure
from unflicker.rendering.options import RunOptions

FAST = Settings.from_preset("fast")
COUNT = 16
LIGHTROOM = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about=""
    xmlns:xmp="http://ns.adobe.com/xap/1.0/"
    xmlns:crs="http://ns.adobe.com/camera-raw-settings/1.0/"
   xmp:Rating="5"
   crs:Exposure2012="+0.50"
   crs:Contrast2012="-12">
   <dc:subject xmlns:dc="http://purl.org/dc/elements/1.1/"><rdf:Bag><rdf:li>Füße</rdf:li></rdf:Bag></dc:subject>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>"""


def raw_folder(folder, lights):
    """Raw pictures under changing light, whose previews have the tone of sRGB."""
    folder.mkdir()
    scene = (landscape((120, 160), 1.0).astype(np.float32) / 65535) ** 2.4 * 0.7
    for number, light in enumerate(lights):
        preview = np.rint(255 * np.clip(scene * light, 0, 1) ** (1 / 2.4)).astype(np.uint8)
        data = dng_of(preview, np.full((240, 320), 9000, np.uint16), number=number)
        (folder / f"IMG_{number:04d}.dng").write_bytes(data)
    return folder


def exposure_in(path):
    return float(re.search(r'crs:Exposure2012="([-+.\d]+)"', path.read_text())[1])


def sums(folder, ending):
    return [hashlib.sha256(f.read_bytes()).digest() for f in sorted(folder.glob(f"*{ending}"))]


@pytest.fixture(scope="module")
def lights():
    return np.exp2(0.3 * np.random.default_rng(4).standard_normal(COUNT))


def test_exposures_undo_the_flicker_of_the_light_in_stops(tmp_path, lights):
    pytest.importorskip("rawpy")
    folder = raw_folder(tmp_path / "raw", lights)
    before = sums(folder, ".dng")
    written = write_sidecars(folder, settings=FAST, options=RunOptions())
    assert sums(folder, ".dng") == before
    assert [path.name for path in written.paths] == [f"IMG_{n:04d}.xmp" for n in range(COUNT)]
    found = np.array([exposure_in(path) for path in written.paths])
    assert np.abs(found - written.stops).max() < 0.006
    left = np.log2(lights) + found
    assert left.std() < 0.2 * np.log2(lights).std()
    assert any("previews" in note for note in written.notes)


def test_sidecars_are_replaced_only_when_asked_and_twice_is_once(tmp_path, lights):
    folder = tmp_path / "in"
    folder.mkdir()
    for number, light in enumerate(lights[:8]):
        picture = landscape((48, 64), 0.6 * light ** (1 / 2.4))
        cv2.imwrite(str(folder / f"{number}.png"), picture)
    (folder / "3.xmp").write_text(LIGHTROOM, encoding="utf-8")
    with pytest.raises(OutputError, match=r"1 sidecars.*3\.xmp.*--overwrite"):
        write_sidecars(folder, settings=FAST, options=RunOptions())
    assert sorted(folder.glob("*.xmp")) == [folder / "3.xmp"]
    options = RunOptions(overwrite=True)
    first = write_sidecars(folder, settings=FAST, options=options)
    texts = [path.read_text() for path in first.paths]
    assert exposure_in(folder / "3.xmp") == pytest.approx(0.5 + first.stops[3], abs=0.006)
    assert any("Lightroom reads" in note for note in first.notes)
    again = write_sidecars(folder, settings=FAST, options=options)
    assert [path.read_text() for path in again.paths] == texts
    apart = write_sidecars(folder, tmp_path / "out", settings=FAST, options=RunOptions())
    assert (tmp_path / "out" / "3.xmp").read_text() == texts[3]
    assert len(apart.paths) == 8


def test_all_else_of_a_sidecar_stays():
    made = with_exposure(LIGHTROOM, 0.25)
    assert 'crs:Exposure2012="+0.75"' in made
    kept = re.sub(r' (xmlns:)?unflicker(:\w+)?="[^"]*"', "", made)
    assert kept.replace("+0.75", "+0.50") == LIGHTROOM
    assert 'crs:Exposure2012="+0.40"' in with_exposure(made, -0.10)
    as_element = LIGHTROOM.replace('   crs:Exposure2012="+0.50"\n', "").replace(
        "   <dc:subject", "   <crs:Exposure2012>-1.00</crs:Exposure2012>\n   <dc:subject"
    )
    assert "<crs:Exposure2012>-0.75</crs:Exposure2012>" in with_exposure(as_element, 0.25)
    other = LIGHTROOM.replace("crs:", "c:").replace(":crs", ":c")
    assert 'c:Exposure2012="+5.00"' in with_exposure(other, 9.0)


@pytest.mark.parametrize("text", ["no xml", "<a/>", LIGHTROOM[:300]])
def test_what_is_no_sidecar_is_left_alone(tmp_path, text):
    (tmp_path / "a.xmp").write_text(text)
    with pytest.raises(InputError, match=r"a\.xmp cannot be changed"):
        read_sidecar(tmp_path / "a.xmp")
    assert read_sidecar(tmp_path / "b.xmp") == ""


def test_two_pictures_of_one_name_have_no_sidecar(tmp_path):
    for name in ("a.png", "a.tif"):
        cv2.imwrite(str(tmp_path / name), landscape((48, 64), 1.0))
    with pytest.raises(UsageError, match=r"a\.xmp"):
        write_sidecars(tmp_path, settings=FAST, options=RunOptions())


def test_the_command_writes_sidecars_alone(tmp_path, capsys):
    folder = tmp_path / "in"
    folder.mkdir()
    for number in range(4):
        cv2.imwrite(str(folder / f"{number}.png"), landscape((48, 64), 1.0 - 0.1 * (number % 2)))
    assert exit_code([str(folder), "--xmp", "--preset", "fast"]) == 0
    assert capsys.readouterr().out == f"{folder}\n"
    assert len(list(folder.glob("*.xmp"))) == 4
    assert sorted(tmp_path.iterdir()) == [folder]
    assert exit_code([str(folder), "--xmp", "--crf", "9"]) == 2
