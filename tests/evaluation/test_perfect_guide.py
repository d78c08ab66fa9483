"""Suite `perfect-guide`: what it says of filters whose behaviour is known."""

import json

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from made_clips import panning
from unflicker.cli.main import exit_code
from unflicker.evaluation.suites.perfect_guide import with_perfect_guides
from unflicker.evaluation.suites.run import SUITES
from unflicker.evaluation.suites.suite import Options
from unflicker.frames.clip import Clip
from unflicker.metrics import psnr
from unflicker.paper.convlstm import RefinementNetwork
from unflicker.paper.pipeline import Networks, atlas_size
from unflicker.paper.unet import UNet
from unflicker.settings import EncodingSettings
from unflicker.training.paper_filter import leaving_the_frame
from unflicker.video import ArraySource, open_writer

SIZE = (36, 64)


def copying(*, the_guide: bool) -> Networks:
    """A filter that returns the frame, or the guide."""
    torch.manual_seed(0)
    network = leaving_the_frame(UNet()).eval()
    with torch.no_grad():
        network.out.weight.zero_()
        channels = range(3, 6) if the_guide else range(3)
        network.out.weight[range(3), channels] = 1.0
    return Networks(neural_filter=network, refinement=RefinementNetwork().eval())


def flickering(clip: Clip, seed: int) -> Clip:
    gains = np.random.default_rng(seed).uniform(0.75, 1.0, (len(clip), 1, 1, 1))
    return Clip(pixels=(clip.pixels * gains).astype(np.uint8), seconds=clip.seconds)


@pytest.mark.parametrize("seed", [1, 2])
def test_guides_are_clean_and_small_and_the_filter_sees_flicker(seed: int) -> None:
    clean = panning(time=4, size=SIZE, seed=seed)
    given = flickering(clean, seed)
    kept = with_perfect_guides(clean, given, copying(the_guide=False))
    taken = with_perfect_guides(clean, given, copying(the_guide=True))
    assert list(kept) == ["input", "guide, enlarged", "filter", "filter, refinement"]
    assert psnr(kept["filter"], given) > 60
    assert psnr(taken["filter"], taken["guide, enlarged"]) > 60
    blurred = psnr(taken["guide, enlarged"], clean)
    assert psnr(given, clean) < blurred < 60


def test_a_guide_has_a_quarter_of_the_size() -> None:
    assert atlas_size((36, 64)) == (9, 16)
    assert atlas_size((2, 1)) == (1, 1)


@pytest.mark.parametrize("the_guide", [False, True])
def test_the_suite_says_whether_the_filter_passes(tmp_path, the_guide: bool) -> None:
    networks = copying(the_guide=the_guide)
    (tmp_path / "clean").mkdir()
    film = ArraySource(panning(time=4, size=SIZE, seed=7))
    with open_writer(
        film, tmp_path / "clean" / "fig.mkv", encoding=EncodingSettings(codec="ffv1")
    ) as writer:
        for frame in film.frames():
            writer.write(frame)
    for name, network in (
        ("paper_filter", networks.neural_filter),
        ("paper_refinement", networks.refinement),
    ):
        save_file(network.state_dict(), str(tmp_path / f"{name}.safetensors"))
    command = ["evaluate", str(tmp_path / "clean"), "--suite", "perfect-guide", "-q"]
    command += ["-o", str(tmp_path / "out"), "--weights", str(tmp_path)]
    assert exit_code([*command, "--kinds", "w1,exposure", "--seeds", "2"]) == 0
    rows = json.loads((tmp_path / "out" / "perfect-guide.json").read_text())["rows"]
    assert len(rows) == 2 * 2 * 4
    same = "guide, enlarged" if the_guide else "input"
    for of in range(0, len(rows), 4):
        some = {row["stage"]: row for row in rows[of : of + 4]}
        assert some["filter"]["psnr"] == pytest.approx(some[same]["psnr"], abs=0.1)
    text = (tmp_path / "out" / "perfect-guide.md").read_text()
    assert "PSNR of the filter" in text
    assert "**not met**" in text
    perfect = [{**row, "psnr": 40.0, "warping_ratio": 1.1} for row in rows]
    passed = SUITES["perfect-guide"].table(perfect, Options(out=tmp_path))
    assert "**not met**" not in passed
    assert passed.count(": met") == 2


def test_weights_that_are_missing_and_unknown_kinds_are_told(tmp_path, capsys) -> None:
    (tmp_path / "clean").mkdir()
    film = ArraySource(panning(time=2, size=SIZE))
    with open_writer(
        film, tmp_path / "clean" / "fig.mkv", encoding=EncodingSettings(codec="ffv1")
    ) as writer:
        for frame in film.frames():
            writer.write(frame)
    command = ["evaluate", str(tmp_path / "clean"), "--suite", "perfect-guide", "-q"]
    command += ["-o", str(tmp_path / "out"), "--weights", str(tmp_path)]
    assert exit_code(command) == 5
    assert "paper-filter" in capsys.readouterr().err
    assert exit_code([*command, "--kinds", "sunset"]) == 2
    assert "sunset" in capsys.readouterr().err
