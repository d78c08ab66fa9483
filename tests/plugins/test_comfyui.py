"""The nodes for ComfyUI, against a stub with the contract of its third schema."""

import asyncio
import inspect
import io as bytes_io
import json
import re
import sys
import tomllib
import types
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from made_clips import panning
from unflicker.frames.clip import Clip
from unflicker.frames.colour import to_rgb
from unflicker.synthesis import synthesise
from unflicker.video import ArraySource, open_video, open_writer

torch = pytest.importorskip("torch")
FOLDER = Path(__file__).parents[2] / "plugins" / "comfyui"


class Given:
    """An input or output of a node."""

    def __init__(self, name: str = "", **told: Any) -> None:
        self.id, self.told = name, told


class Kind:
    Input = Output = Given


@dataclass
class Schema:
    node_id: str
    display_name: str
    category: str
    description: str = ""
    inputs: list = field(default_factory=list)
    outputs: list = field(default_factory=list)


class NodeOutput:
    def __init__(self, *values: Any) -> None:
        self.result = values


class ComfyNode:
    @classmethod
    def define_schema(cls) -> Schema:
        raise NotImplementedError


class UserStopError(Exception):
    pass


class Video:
    """A video of ComfyUI: a file, or bytes in memory; it may be trimmed and cropped."""

    def __init__(
        self, file: Any, *, window: tuple[float, float] = (0.0, 0.0), width: int | None = None
    ) -> None:
        self.file, self.window, self.width = file, window, width

    def get_stream_source(self) -> Any:
        return self.file

    def as_cropped(self) -> Any:
        raise NotImplementedError

    def get_dimensions(self) -> tuple[int, int]:
        height, width = open_video(self.file).size
        return self.width or width, height

    def save_to(self, path: str) -> None:
        start, duration = self.window
        film = open_video(self.file, start_seconds=start, duration_seconds=duration or None)
        frames = np.stack([to_rgb(frame.picture) for frame in film.frames()])
        source = ArraySource(Clip.at_rate(frames[:, :, : self.width], fps=24.0))
        with open_writer(source, Path(path)) as writer:
            for frame in source.frames():
                writer.write(frame)

    def get_active_trim_window(self) -> tuple[float, float]:
        return self.window


@pytest.fixture
def comfy(monkeypatch, tmp_path) -> Iterator[types.SimpleNamespace]:
    progress: list[tuple[float, float]] = []
    state = types.SimpleNamespace(progress=progress, stops=False, nodes=None)
    executing = ContextVar("executing", default=False)
    executing.set(True)

    class Execution:
        def set_progress(self, value: float, max_value: float) -> None:
            # As ComfyUI's: the node is known by a context variable, which other threads lack.
            if not executing.get():
                raise ValueError("node_id must be provided if not in executing context")
            progress.append((value, max_value))

    class Sync:
        execution = Execution()

    def check() -> None:
        if state.stops:
            raise UserStopError

    latest = types.ModuleType("comfy_api.latest")
    latest.ComfyAPISync, latest.ComfyExtension = Sync, object
    latest.InputImpl = types.SimpleNamespace(VideoFromFile=Video)
    latest.io = types.SimpleNamespace(
        ComfyNode=ComfyNode, Schema=Schema, NodeOutput=NodeOutput,
        Image=Kind, Video=Kind, Mask=Kind, Float=Kind, Combo=Kind,
    )  # fmt: skip
    management = types.ModuleType("comfy.model_management")
    management.throw_exception_if_processing_interrupted = check
    paths = types.ModuleType("folder_paths")
    paths.get_temp_directory = lambda: str(tmp_path / "temp")
    for module in (latest, management, paths):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    for name in ("comfy_api", "comfy"):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    monkeypatch.delitem(sys.modules, "unflicker.plugins.comfyui", raising=False)
    import unflicker.plugins.comfyui as nodes

    state.nodes = nodes
    yield state
    sys.modules.pop("unflicker.plugins.comfyui", None)


@pytest.fixture(scope="module")
def images() -> Any:
    made = synthesise(panning(time=20, size=(48, 80)), kind="exposure", seed=3).clip
    return torch.from_numpy(made.as_float())


ASKED = {"preset": "fast", "strength": 1.0, "keep_slower_than": 2.0}


def unrest(frames: Any) -> float:
    return float(np.abs(np.diff(np.asarray(frames).mean(axis=(1, 2, 3)))).mean())


def test_images_become_steady_as_those_of_deflicker(comfy, images) -> None:
    import unflicker

    before = images.clone()
    steady, curve = comfy.nodes.UnflickerImages.execute(images, fps=24.0, **ASKED).result
    assert torch.equal(images, before)
    assert steady.dtype == torch.float32
    assert unrest(steady) < 0.3 * unrest(images)
    whole = unflicker.deflicker(images, fps=24.0, preset="fast")
    torch.testing.assert_close(steady, whole)
    assert comfy.progress[-1] == (20, 20)
    assert curve.shape[0] == 1
    assert curve.shape[-1] == 3
    assert 0.0 <= float(curve.min()) < float(curve.max()) <= 1.0


def test_strength_zero_returns_the_same_object(comfy, images) -> None:
    asked = {**ASKED, "strength": 0.0}
    assert comfy.nodes.UnflickerImages.execute(images, fps=24.0, **asked).result[0] is images
    video = Video("film.mp4")
    assert comfy.nodes.UnflickerVideo.execute(video, **asked).result[0] is video


def test_alpha_is_kept_and_a_mask_limits_the_correction(comfy, images) -> None:
    alpha = torch.rand(20, 48, 80, 1)
    mask = torch.zeros(48, 80)
    mask[:, 40:] = 1.0
    given = torch.cat([images, alpha], dim=-1)
    steady = comfy.nodes.UnflickerImages.execute(given, fps=24.0, mask=mask, **ASKED).result[0]
    assert torch.equal(steady[..., 3], given[..., 3])
    assert torch.equal(steady[:, :, :40], given[:, :, :40])
    assert not torch.equal(steady[:, :, 40:], given[:, :, 40:])
    from unflicker.errors import UsageError

    with pytest.raises(UsageError, match="resize it"):
        comfy.nodes.UnflickerImages.execute(images, fps=24.0, mask=mask[:9], **ASKED)


def test_the_user_can_interrupt(comfy, images) -> None:
    comfy.stops = True
    with pytest.raises(UserStopError):
        comfy.nodes.UnflickerImages.execute(images, fps=24.0, **ASKED)


def test_an_original_of_another_size_is_taken(comfy, images) -> None:
    small = torch.nn.functional.interpolate(
        torch.from_numpy(panning(time=20, size=(48, 80)).as_float()).movedim(-1, 1), (24, 40)
    ).movedim(1, -1)
    steady = comfy.nodes.UnflickerImages.execute(images, fps=24.0, original=small, **ASKED)
    assert unrest(steady.result[0]) < 0.5 * unrest(images)


def test_a_video_is_steadied_by_file_and_by_bytes(comfy, images, tmp_path) -> None:
    source = ArraySource(Clip.at_rate(images.numpy(), fps=24.0))
    path = tmp_path / "film.mp4"
    with open_writer(source, path) as writer:
        for frame in source.frames():
            writer.write(frame)
    parts = [Video(str(path)), Video(bytes_io.BytesIO(path.read_bytes())),
             Video(str(path), window=(0.25, 0.5))]  # fmt: skip
    lengths = []
    for video in parts:
        steady, curve = comfy.nodes.UnflickerVideo.execute(video, **ASKED).result
        made = Path(steady.get_stream_source())
        assert (tmp_path / "temp") in made.parents
        lengths.append(len(list(open_video(made).frames())))
        assert curve.shape[-1] == 3
    assert lengths == [20, 20, 12]


@pytest.fixture
def path(images, tmp_path) -> Path:
    source = ArraySource(Clip.at_rate(images.numpy(), fps=24.0))
    with open_writer(source, tmp_path / "whole.mp4") as writer:
        for frame in source.frames():
            writer.write(frame)
    return tmp_path / "whole.mp4"


def test_a_cropped_video_stays_cropped(comfy, path) -> None:
    video = Video(str(path), width=40, window=(0.25, 0.5))
    steady, _ = comfy.nodes.UnflickerVideo.execute(video, **ASKED).result
    made = open_video(steady.get_stream_source())
    assert made.size == (48, 40)
    assert len(list(made.frames())) == 12


def test_a_trimmed_original_begins_where_its_video_does(comfy, path, tmp_path) -> None:
    from unflicker.errors import UsageError

    part = tmp_path / "part.mp4"
    Video(str(path), window=(0.25, 0.5)).save_to(str(part))
    asked = {**ASKED, "original": Video(str(path), window=(0.25, 0.5))}
    for video in (Video(str(part)), Video(str(path), window=(0.25, 0.5))):
        steady, _ = comfy.nodes.UnflickerVideo.execute(video, **asked).result
        assert len(list(open_video(steady.get_stream_source()).frames())) == 12
    late = Video(str(path), window=(0.5, 0.25))
    with pytest.raises(UsageError, match=r"begins at 0\.5 s .* original at 0\.25 s; trim both"):
        comfy.nodes.UnflickerVideo.execute(late, **asked)


def test_the_schema_has_what_comfyui_needs(comfy) -> None:
    extension = asyncio.run(comfy.nodes.comfy_entrypoint())
    nodes = asyncio.run(extension.get_node_list())
    for node in nodes:
        schema = node.define_schema()
        names = [one.id for one in schema.inputs]
        assert schema.node_id == node.__name__
        assert {"preset", "strength", "keep_slower_than", "original"} <= set(names)
        assert [one.told["display_name"] for one in schema.outputs][1] == "curve"
        needed = [one.id for one in schema.inputs if not one.told.get("optional")]
        parameters = inspect.signature(node.execute).parameters
        assert set(needed) <= set(names) == set(parameters)


def test_the_folder_is_ready_for_the_registry(comfy, monkeypatch) -> None:
    told = tomllib.loads((FOLDER / "pyproject.toml").read_text())
    assert told["tool"]["comfy"]["DisplayName"]
    name = told["project"]["name"]  # the rules of docs.comfy.org/registry/specifications
    assert re.fullmatch(r"[A-Za-z](?:[-_.]?[A-Za-z0-9]+)*", name)
    assert len(name) < 100
    assert "comfyui" not in name.lower()
    assert re.fullmatch(r"\d+\.\d+\.\d+", told["project"]["version"])
    assert (FOLDER / told["project"]["license"]["file"]).is_file()
    assert any(each.startswith("unflicker") for each in told["project"]["dependencies"])
    assert (FOLDER / "icon.png").read_bytes().startswith(b"\x89PNG")
    workflow = json.loads((FOLDER / "example_workflow.json").read_text())
    kinds = {node["type"] for node in workflow["nodes"]}
    assert {"LoadVideo", "UnflickerVideo", "SaveVideo"} <= kinds
    ends = {node["id"] for node in workflow["nodes"]}
    assert all(link[1] in ends and link[3] in ends for link in workflow["links"])
    loaded = types.ModuleType("loaded")
    exec((FOLDER / "__init__.py").read_text(), loaded.__dict__)
    assert loaded.comfy_entrypoint is comfy.nodes.comfy_entrypoint


def test_memory_beyond_the_result_does_not_grow_with_the_images(comfy) -> None:
    """The images are not copied again: only the windows of proxies and one picture are held."""
    import tracemalloc

    peaks, sizes = [], []
    for count in (220, 400):
        images = torch.rand(1, 120, 160, 3).expand(count, 120, 160, 3).clone()
        tracemalloc.start()
        comfy.nodes.UnflickerImages.execute(images, fps=24.0, **ASKED)
        # torch's own memory, the result, is not traced; NumPy's is.
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        sizes.append(images.numel() * 4)
    assert peaks[1] - peaks[0] < 0.3 * (sizes[1] - sizes[0])
