"""Training learns, stops, goes on as if it had not stopped, and refuses what it cannot use."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch")

from unflicker.errors import Cancelled, InputError, MissingError, UsageError  # noqa: E402
from unflicker.neural_filter.apply import trained_filter  # noqa: E402
from unflicker.progress import silent  # noqa: E402
from unflicker.training import data, footage, neural_filter  # noqa: E402
from unflicker.training.checkpoint import read_weights  # noqa: E402
from unflicker.training.data import FilterData, photo_sample, split_files  # noqa: E402
from unflicker.training.distortions import lit_otherwise, spoilt  # noqa: E402
from unflicker.training.footage import guided_footage, guided_photographs  # noqa: E402
from unflicker.training.ken_burns import ken_burns  # noqa: E402
from unflicker.training.loop import Training, TrainingTask, rate_share, trained  # noqa: E402
from unflicker.training.neural_filter import train_neural_filter  # noqa: E402
from unflicker.training.photos import PHOTO_ENDINGS, stored_photo  # noqa: E402


def scenery(seed: int, size=(200, 320)) -> np.ndarray:
    """A picture of soft shapes and edges, float32 RGB."""
    random = np.random.default_rng(seed)
    picture = np.zeros((*size, 3), np.float32)
    for cells in (4, 12, 40):
        nodes = random.random((cells, cells * 2, 3)).astype(np.float32)
        kind = cv2.INTER_NEAREST if cells == 12 else cv2.INTER_CUBIC
        picture += cv2.resize(nodes, size[::-1], interpolation=kind) / 3.0
    return picture.clip(0.05, 0.95)


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    for kind, seeds in (("train", range(6)), ("val", range(6, 8)), ("test", range(8, 10))):
        (folder / kind).mkdir()
        for seed in seeds:
            codes = (scenery(seed) * 255.0).astype(np.uint8)
            assert cv2.imwrite(str(folder / kind / f"{seed}.png"), codes[..., ::-1])
    return folder


SIZES, LOOKED_AT = data.SIZES, neural_filter._LOOKED_AT


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Small pictures, short clips, and few of them looked at."""
    monkeypatch.setattr(data, "SIZES", ((64, 128), (96, 128), (128, 64), (80, 112)))
    monkeypatch.setattr(neural_filter, "_LOOKED_AT", 10)
    monkeypatch.setattr(footage, "PANNED_SIZES", ((64, 128),))


def training(photos, out, **changes) -> Training:
    given = {"steps": 12, "batch": 2, "panned": 0, "keep_every": 5, **changes}
    return Training(data=(photos,), out=out, **given)


def log_of(out):
    return [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]


def test_the_loss_falls(photos, tmp_path, monkeypatch):
    # It learns too slowly of small pictures, and few of them vary too much.
    monkeypatch.setattr(data, "SIZES", SIZES)
    monkeypatch.setattr(neural_filter, "_LOOKED_AT", LOOKED_AT)
    train_neural_filter(
        training(photos, tmp_path, steps=80, batch=4, keep_every=40),
        progress=silent,
        resumes=lambda _: None,
    )
    entries = log_of(tmp_path)
    assert len(entries) == 2
    # Batches differ in how much can be won on them; validation is the same at every step.
    won = [entry["validation_db"] for entry in entries]
    assert won[-1] > max(won[0], 0.05), won
    assert (tmp_path / "validation.png").stat().st_size > 1000


def test_a_training_that_was_stopped_ends_as_if_it_had_not_been(photos, tmp_path):
    short = {"steps": 6, "keep_every": 3}
    straight, stopped = tmp_path / "straight", tmp_path / "stopped"
    train_neural_filter(
        training(photos, straight, **short), progress=silent, resumes=lambda _: None
    )

    def stop(progress):
        if progress.stage == "train" and progress.done == 4:
            raise Cancelled("enough")

    with pytest.raises(Cancelled):
        train_neural_filter(
            training(photos, stopped, **short), progress=stop, resumes=lambda _: None
        )
    resumed = []
    train_neural_filter(training(photos, stopped, **short), progress=silent, resumes=resumed.append)
    assert resumed == [4]
    ends = [torch.load(out / "training.pt", weights_only=True) for out in (straight, stopped)]
    for name, value in ends[0]["network"].items():
        assert torch.allclose(value, ends[1]["network"][name], atol=1e-6), name


def test_its_weights_can_be_used_and_no_others(photos, tmp_path):
    path = train_neural_filter(
        training(photos, tmp_path, steps=2), progress=silent, resumes=lambda _: None
    )
    assert trained_filter(own=str(path)).training is False
    with pytest.raises(MissingError, match="unflicker train"):
        trained_filter(own=str(tmp_path / "none.safetensors"))
    (tmp_path / "broken.safetensors").write_bytes(b"not weights at all")
    with pytest.raises(InputError, match="cannot be read"):
        trained_filter(own=str(tmp_path / "broken.safetensors"))


@pytest.mark.parametrize("stopped_at", [None, 2, 3])
def test_the_weights_are_those_of_the_best_validation_and_not_the_last(tmp_path, stopped_at):
    measured = {1: 0.2, 2: 0.9, 3: 0.4, 4: 0.1}
    scores = []

    def scored(_network, _batch):
        scores.append(measured[len(scores) + 1])
        return torch.tensor(scores[-1])

    def stop(progress):
        if progress.done == stopped_at:
            raise Cancelled("enough")

    def run(progress):
        network = torch.nn.Linear(1, 1, bias=False)
        torch.nn.init.zeros_(network.weight)
        task = TrainingTask(
            recipe={"network": "line"},
            network=network,
            optimiser=torch.optim.SGD(network.parameters(), lr=1.0),
            rate=lambda _step, _steps: 1.0,
            loss=lambda line, batch: -line(batch).mean(),
            won_db=scored,
            row=lambda *_: torch.zeros(3, 2, 2),
            learning=torch.ones(4, 1, 1),
            checking=[torch.ones(1, 1)],
            weights="line.safetensors",
            half=False,
        )
        given = Training(data=(), out=tmp_path, steps=4, keep_every=1)
        return trained(task, given, progress=progress, resumes=lambda _: None)

    if stopped_at is not None:
        with pytest.raises(Cancelled):
            run(stop)
    found = read_weights(run(silent))["weight"].item()
    # Weights grow by 1 a step; their running mean takes 9/11 and 9/12 of the difference.
    first = 9 / 11
    assert found == pytest.approx(first + (2 - first) * 9 / 12)


def test_another_recipe_does_not_go_on_in_the_same_folder(photos, tmp_path):
    train_neural_filter(
        training(photos, tmp_path, steps=2), progress=silent, resumes=lambda _: None
    )
    with pytest.raises(UsageError, match="steps 2, not 3"):
        train_neural_filter(
            training(photos, tmp_path, steps=3), progress=silent, resumes=lambda _: None
        )


def test_a_training_that_says_not_what_it_is_does_not_go_on(photos, tmp_path):
    train_neural_filter(
        training(photos, tmp_path, steps=2), progress=silent, resumes=lambda _: None
    )
    (tmp_path / "recipe.json").unlink()
    with pytest.raises(InputError, match=r"recipe.json, .* cannot be read: .*to start again"):
        train_neural_filter(
            training(photos, tmp_path, steps=2), progress=silent, resumes=lambda _: None
        )


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match="no photographs and no films"):
        train_neural_filter(
            training(tmp_path, tmp_path / "out"), progress=silent, resumes=lambda _: None
        )


def test_files_keep_their_side(photos):
    split = split_files((photos,), endings=PHOTO_ENDINGS, leave_out=frozenset({"3"}))
    assert split.names() == {
        "training": ["0", "1", "2", "4", "5"],
        "validation": ["6", "7"],
        "left out": ["3", "8", "9"],
    }


def test_a_step_always_has_the_same_batch(photos):
    split = split_files((photos,), endings=PHOTO_ENDINGS, leave_out=frozenset())
    one, same, other = (
        FilterData(photos=split.training, guided=(), batch=2, seed=0)[step] for step in (4, 4, 5)
    )
    assert torch.equal(one.target, same.target)
    assert torch.equal(one.pictures.guide, same.pictures.guide)
    assert not torch.equal(one.target, other.target)


def test_distortions_of_light_keep_structure_and_those_of_structure_light():
    random = np.random.default_rng(0)
    picture = scenery(1)
    frames = [lit_otherwise(random, picture) for _ in range(20)]
    guides = [spoilt(random, picture, other=scenery(2)) for _ in range(20)]
    level = picture.mean()
    frame_levels = np.std([frame.mean() / level for frame in frames])
    guide_levels = np.std([np.median(guide) / np.median(picture) for guide in guides])
    assert frame_levels > 2 * guide_levels
    assert all(frame.min() >= 0.0 and frame.max() <= 1.0 for frame in frames)


def test_a_wrong_guide_comes_without_trust():
    random = np.random.default_rng(5)
    samples = [photo_sample(random, scenery(1), scenery(2), size=(144, 256)) for _ in range(60)]
    misses = [float(np.abs(guide - target).mean()) for _, guide, *_, target in samples]
    strangers = [
        trust for (_, _, trust, *_), miss in zip(samples, misses, strict=True) if miss > 0.15
    ]
    assert strangers
    assert all(trust.max() == 0.0 for trust in strangers)
    assert np.mean([sample[2].mean() for sample in samples]) > 0.2


def test_a_clip_made_of_photographs_moves_and_keeps_its_light():
    clip = ken_burns(np.random.default_rng(3), scenery(1), scenery(2), frames=12, size=(144, 256))
    assert np.abs(np.diff(clip, axis=0)).mean() > 0.003
    levels = clip.mean(axis=(1, 2, 3))
    assert np.abs(np.diff(np.log(levels))).max() < 0.02


def test_real_guides_are_made_once(photos, tmp_path):
    from unflicker.settings import Settings, replaced

    settings = replaced(Settings(), {"proxy.width_px": 96, "atlas.steps": 5})
    paths = tuple(sorted((photos / "train").iterdir()))
    made = list(guided_photographs(paths, tmp_path, count=1, settings=settings, progress=silent))
    assert len(made) == 1
    stamps = {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    again = list(guided_photographs(paths, tmp_path, count=1, settings=settings, progress=silent))
    assert stamps == {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    assert np.array_equal(made[0].guide, again[0].guide)
    shapes = {part.shape[0] for part in made[0].sample(np.random.default_rng(0), as_came=0.5)}
    assert shapes == {1, 3}
    assert not list(guided_footage((), tmp_path, settings=settings, progress=silent))


def test_the_rate_rises_and_falls():
    shares = [rate_share(step, 1000) for step in range(1000)]
    assert shares[0] < 0.05
    assert max(shares) > 0.9
    assert shares[-1] < 0.05
    assert np.argmax(shares) < 150


def test_a_file_that_is_no_picture_is_named(tmp_path):
    (tmp_path / "odd.jpg").write_bytes(b"no picture")
    with pytest.raises(InputError, match=r"odd\.jpg is no photograph"):
        stored_photo(tmp_path / "odd.jpg")
