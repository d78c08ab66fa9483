"""The paper's networks are trained through the command, go on, and fit the preset's loaders."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch")

from made_clips import panning, scene  # noqa: E402
from unflicker.cli.main import exit_code  # noqa: E402
from unflicker.errors import Cancelled, InputError, UsageError  # noqa: E402
from unflicker.frames.flow import warp  # noqa: E402
from unflicker.paper.convlstm import load_refinement  # noqa: E402
from unflicker.paper.unet import load_unet  # noqa: E402
from unflicker.progress import silent  # noqa: E402
from unflicker.training import checkpoint, paper_filter, recurrent  # noqa: E402
from unflicker.training.clips import ClipData, kept_films, with_synthetic_flicker  # noqa: E402
from unflicker.training.loop import Training  # noqa: E402
from unflicker.training.networks import NETWORKS, trainer  # noqa: E402
from unflicker.training.paper_filter import PhotoData  # noqa: E402
from unflicker.training.photos import part_of  # noqa: E402
from unflicker.video import ArraySource, open_writer  # noqa: E402

LOADERS = {
    "paper-filter": load_unet,
    "paper-refinement": load_refinement,
    "convlstm": load_refinement,
    "lai": load_refinement,
}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Four photographs and a steady film."""
    folder = tmp_path_factory.mktemp("data")
    for kind, seeds in (("train", range(3)), ("val", range(3, 4))):
        (folder / kind).mkdir()
        for seed in seeds:
            codes = (scene(seed=seed, size=(90, 120)) * 255.0).astype(np.uint8)
            assert cv2.imwrite(str(folder / kind / f"{seed}.png"), codes[..., ::-1])
    film = ArraySource(panning(time=12, size=(72, 96)))
    with open_writer(film, folder / "train" / "film.mkv") as writer:
        for frame in film.frames():
            writer.write(frame)
    return folder


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Small pictures, short clips, and few of them looked at."""
    for module in (paper_filter, recurrent):
        monkeypatch.setattr(module, "CROP_PX", 32)
        monkeypatch.setattr(module, "_LOOKED_AT", 1)
    monkeypatch.setattr(recurrent, "FRAMES", 4)


def training(data, out, **changes) -> Training:
    return Training(data=(data,), out=out, **{"steps": 4, "batch": 2, **changes})


def weights_in(out) -> dict:
    return torch.load(out / "training.pt", weights_only=True)["network"]


@pytest.mark.parametrize("network", LOADERS)
def test_the_command_trains_it_and_the_preset_takes_its_weights(network, data, tmp_path, capsys):
    code = exit_code(
        ["train", network, "--data", str(data), "-o", str(tmp_path), "--steps", "2", "--batch", "1"]
    )
    shown = capsys.readouterr()
    assert code == 0, shown.err
    weights = tmp_path / f"{network.replace('-', '_')}.safetensors"
    assert shown.out == f"{weights}\n"
    assert LOADERS[network](str(weights), device="cpu").training is False
    assert {value.dtype for value in _stored(weights).values()} == {torch.float16}
    entries = checkpoint.logged(tmp_path)
    assert [entry.step for entry in entries] == [1, 2]
    assert np.isfinite([entries[1].loss, entries[1].validation_db]).all()
    for picture in ("training.png", "validation.png"):
        assert cv2.imread(str(tmp_path / picture)) is not None


def _stored(path) -> dict:
    from safetensors.torch import load_file

    return load_file(str(path))


@pytest.mark.parametrize("network", ["paper-filter", "paper-refinement"])
def test_one_that_was_stopped_ends_as_if_it_had_not_been(network, data, tmp_path):
    straight, stopped = tmp_path / "straight", tmp_path / "stopped"
    train, resumed = trainer(network), []
    train(training(data, straight), progress=silent, resumes=resumed.append)

    def stop(progress):
        if progress.stage == "train" and progress.done == 2:
            raise Cancelled("enough")

    with pytest.raises(Cancelled):
        train(training(data, stopped), progress=stop, resumes=resumed.append)
    train(training(data, stopped), progress=silent, resumes=resumed.append)
    assert resumed == [2]
    other = weights_in(stopped)
    for name, value in weights_in(straight).items():
        assert torch.allclose(value, other[name], atol=1e-6), name
    with pytest.raises(UsageError, match="steps 4, not 5"):
        train(training(data, stopped, steps=5), progress=silent, resumes=resumed.append)


def test_ctrl_c_keeps_what_was_learned(data, tmp_path):
    def interrupt(progress):
        if progress.stage == "train" and progress.done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trainer("convlstm")(
            training(data, tmp_path, keep_every=100), progress=interrupt, resumes=lambda _: None
        )
    assert torch.load(tmp_path / "training.pt", weights_only=True)["steps"] == 2


@pytest.mark.parametrize("network", LOADERS)
def test_it_begins_by_leaving_frames_as_they_are(network, data, tmp_path):
    trainer(network)(
        training(data, tmp_path, steps=1, rate=1e-7), progress=silent, resumes=lambda _: None
    )
    assert checkpoint.logged(tmp_path)[0].validation_db == pytest.approx(0.0, abs=0.05)


def test_an_unknown_network_is_refused(data, tmp_path, capsys):
    assert exit_code(["train", "paper-atlas", "--data", str(data), "-o", str(tmp_path)]) == 2
    assert "paper-filter" in capsys.readouterr().err
    with pytest.raises(UsageError, match="there are neural-filter, paper-filter"):
        trainer("paper-atlas")


@pytest.mark.parametrize("network", NETWORKS)
def test_every_network_has_what_trains_it(network):
    assert callable(trainer(network))


def test_a_training_of_the_filter_needs_photographs(data, tmp_path):
    folder = tmp_path / "films"
    folder.mkdir()
    (folder / "film.mkv").write_bytes((data / "train" / "film.mkv").read_bytes())
    with pytest.raises(InputError, match="no photographs to learn from"):
        trainer("paper-filter")(
            training(folder, tmp_path / "out"), progress=silent, resumes=lambda _: None
        )


def test_films_too_small_to_learn_from_are_refused(data, tmp_path, monkeypatch):
    monkeypatch.setattr(recurrent, "CROP_PX", 128)
    folder = tmp_path / "films" / "train"
    folder.mkdir(parents=True)
    (folder / "film.mkv").write_bytes((data / "train" / "film.mkv").read_bytes())
    with pytest.raises(InputError, match="smaller than 128 px"):
        trainer("paper-refinement")(
            training(folder, tmp_path / "out"), progress=silent, resumes=lambda _: None
        )


def test_a_step_always_has_the_same_photographs(data):
    photos = tuple(sorted((data / "train").glob("*.png")))
    of = PhotoData(photos=photos, batch=2, seed=0, crop_px=32)
    one, same, other = of[3], of[3], of[4]
    assert torch.equal(one.frame, same.frame)
    assert torch.equal(one.guide, same.guide)
    assert not torch.equal(one.clean, other.clean)


@pytest.mark.parametrize("source", ["photographs", "film"])
def test_a_step_always_has_the_same_clips_and_motion_lays_them_on_each_other(
    source, data, tmp_path
):
    films = kept_films((data / "train" / "film.mkv",), tmp_path, least=(4, 64), progress=silent)
    photos = tuple(sorted((data / "train").glob("*.png")))
    of = ClipData(photos=photos, films=(), batch=1, seed=0, frames=4, crop_px=64, filtered=True)
    of = of if source == "photographs" else replace(of, photos=(), films=films)
    one, same = of[1], of[1]
    assert torch.equal(one.frames, same.frames)
    assert torch.equal(one.to_first, same.to_first)
    clean = of.clips(1)[0].clean
    for flow, seen, there in (
        (one.to_last[0, 2], one.seen_in_last[0, 2], clean[2]),
        (one.to_first[0, 2], one.seen_in_first[0, 2], clean[0]),
    ):
        laid = warp(there, np.ascontiguousarray(flow.permute(1, 2, 0).numpy()))
        error, before = (np.abs(each - clean[3]).mean(axis=2) for each in (laid, there))
        assert float(seen.mean()) > 0.3
        assert (error * seen.numpy()).mean() < 0.7 * (before * seen.numpy()).mean() + 0.002


def test_films_are_read_once(data, tmp_path):
    paths = (data / "train" / "film.mkv",)
    files = kept_films(paths, tmp_path, least=(4, 64), progress=silent)
    stamp = files[0].stat().st_mtime_ns
    assert kept_films(paths, tmp_path, least=(4, 64), progress=silent) == files
    assert files[0].stat().st_mtime_ns == stamp
    assert kept_films(paths, tmp_path, least=(13, 64), progress=silent) == ()


def test_a_filter_leaves_less_than_there_was():
    clean = panning(time=4, size=(48, 64)).as_float()
    random = np.random.default_rng(2)
    clips = [with_synthetic_flicker(random, clean) for _ in range(40)]
    flicker, rest = (
        np.mean([np.abs(getattr(clip, part) - clean).mean() for clip in clips])
        for part in ("frames", "filtered")
    )
    assert 0.0 < rest < 0.6 * flicker


def test_clips_come_processed_where_that_is_asked_for():
    clean = panning(time=4, size=(48, 64)).as_float()
    one, other = (
        with_synthetic_flicker(np.random.default_rng(4), clean, processed_share=share).frames
        for share in (0.0, 1.0)
    )
    assert not np.array_equal(one, other)
    # Frame by frame: texture differs too, which no recipe of light does.
    texture = [np.diff(clip, axis=2).std(axis=(1, 2, 3)) for clip in (other, clean)]
    assert np.ptp(texture[0]) > 2 * np.ptp(texture[1])


def test_parts_of_photographs_keep_their_resolution():
    photo = (scene(seed=1, size=(90, 120)) * 255.0).astype(np.uint8)
    random = np.random.default_rng(0)
    for size in ((32, 48), (90, 120), (100, 200)):
        part = part_of(random, photo, size)
        assert part.shape == (*size, 3)
        assert part.std() > 0.05
