"""Nodes for ComfyUI (its third schema): images in memory, and video by file.

The folder `plugins/comfyui` of the repository is what ComfyUI loads; it imports this module.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from unflicker.compute.context import run_context
from unflicker.errors import MissingError, UsageError
from unflicker.frames.clip import Clip
from unflicker.plugins.curve_picture import curve_picture
from unflicker.progress import Progress
from unflicker.rendering.checks import need_networks, refuse_original
from unflicker.rendering.in_memory import render_arrays
from unflicker.rendering.options import RunOptions
from unflicker.settings import Settings, asked_for
from unflicker.video import ArraySource, WithOriginal, open_video

try:
    from comfy_api.latest import (  # pyright: ignore[reportMissingImports]
        ComfyAPISync,
        ComfyExtension,
        InputImpl,
        io,
    )
except ImportError as missing:
    raise MissingError(
        "comfy_api.latest is not there; install these nodes in a ComfyUI of version 0.3.48 or newer"
    ) from missing

_PRESETS = ["standard", "fast", "best"]
_SPARSE = (slice(None, None, 4), slice(None, None, 4))
_CATEGORY = "video/unflicker"


def _common() -> list[Any]:
    """The inputs that both nodes have."""
    return [
        io.Combo.Input(
            "preset",
            options=_PRESETS,
            default="standard",
            tooltip="fast: light alone. standard: also texture. best: also an atlas and a network.",
        ),
        io.Float.Input(
            "strength",
            default=1.0,
            min=0.0,
            max=1.0,
            step=0.05,
            tooltip="Share of the flicker to remove; 0 returns the input.",
        ),
        io.Float.Input(
            "keep_slower_than",
            default=2.0,
            min=0.1,
            max=60.0,
            step=0.1,
            tooltip="Light changes that take longer are kept, in seconds.",
        ),
    ]


class UnflickerImages(io.ComfyNode):
    """Removes flicker from a batch of images."""

    @classmethod
    def define_schema(cls) -> Any:
        """Inputs and outputs."""
        return io.Schema(
            node_id="UnflickerImages",
            display_name="Unflicker (images)",
            category=_CATEGORY,
            description="Removes flicker of light and texture from consecutive frames.",
            inputs=[
                io.Image.Input("images", tooltip="Frames of one video, in order."),
                *_common(),
                io.Float.Input("fps", default=24.0, min=0.1, max=1000.0, step=0.01),
                io.Image.Input(
                    "original",
                    optional=True,
                    tooltip="The steady video that the images were made from, of any size.",
                ),
                io.Mask.Input("mask", optional=True, tooltip="Correct where it is white only."),
            ],
            outputs=[
                io.Image.Output(display_name="images"),
                io.Image.Output(display_name="curve"),
            ],
        )

    @classmethod
    def execute(  # noqa: PLR0913 - ComfyUI passes every input by name
        cls,
        images: Any,
        preset: str,
        strength: float,
        keep_slower_than: float,
        fps: float,
        original: Any = None,
        mask: Any = None,
    ) -> Any:
        """The images without flicker, and the plot of their light.

        Args:
            images: float `(time, height, width, 3 or 4)` in [0, 1]; a fourth channel is kept.
            preset: Name of a preset.
            strength: 0 to 1.
            keep_slower_than: Seconds.
            fps: Frames a second.
            original: Images of the steady original.
            mask: float `(height, width)` or `(time or 1, height, width)` in [0, 1].
        """
        settings = asked_for(
            None, preset=preset, strength=strength, keep_slower_than=keep_slower_than
        )
        light = [float(picture[_SPARSE].mean()) for picture in images]
        if strength == 0.0:
            return io.NodeOutput(images, _as_images(images, curve_picture(light, light)))
        result = images.clone()
        after = []
        for index, picture in enumerate(_steady(images, original, settings, fps=fps)):
            part = _part_of(mask, index, images)
            steady = images.new_tensor(picture)
            given = images[index, ..., :3]
            result[index, ..., :3] = steady if part is None else given + (steady - given) * part
            after.append(float(result[index][_SPARSE].mean()))
        return io.NodeOutput(result, _as_images(images, curve_picture(light, after)))


class UnflickerVideo(io.ComfyNode):
    """Removes flicker from a video by file, frame by frame."""

    @classmethod
    def define_schema(cls) -> Any:
        """Inputs and outputs."""
        return io.Schema(
            node_id="UnflickerVideo",
            display_name="Unflicker (video)",
            category=_CATEGORY,
            description="Removes flicker from a video of any length; sound and times stay.",
            inputs=[
                io.Video.Input("video"),
                *_common(),
                io.Video.Input(
                    "original", optional=True, tooltip="The steady video that it was made from."
                ),
            ],
            outputs=[io.Video.Output(display_name="video"), io.Image.Output(display_name="curve")],
        )

    @classmethod
    def execute(
        cls,
        video: Any,
        preset: str,
        strength: float,
        keep_slower_than: float,
        original: Any = None,
    ) -> Any:
        """The video without flicker, and the plot of its light.

        Args:
            video: A video of ComfyUI.
            preset: Name of a preset.
            strength: 0 to 1; 0 returns the same video.
            keep_slower_than: Seconds.
            original: The steady original.
        """
        from unflicker import pipeline

        settings = asked_for(
            None, preset=preset, strength=strength, keep_slower_than=keep_slower_than
        )
        if strength == 0.0:
            return io.NodeOutput(video, _white(curve_picture([], [])))
        folder = Path(tempfile.mkdtemp(prefix="unflicker-", dir=_temporary_folder()))
        part = _part_file(video, folder / "input.mp4")
        beside = _original_file(original, part, folder / "original.mp4")
        options = RunOptions(
            start_seconds=part.start, duration_seconds=part.duration, original=beside, jobs=1
        )
        target = folder / f"steady{part.path.suffix or '.mkv'}"
        record = pipeline.run(
            part.path, target, settings=settings, options=options, progress=_told(None)
        )
        curve = curve_picture(
            *(each.mean(axis=1).tolist() for each in (record.mean_before, record.mean_after))
        )
        return io.NodeOutput(InputImpl.VideoFromFile(record.output), _white(curve))


class UnflickerExtension(ComfyExtension):
    """What ComfyUI loads."""

    async def get_node_list(self) -> list[Any]:
        """The nodes."""
        return [UnflickerImages, UnflickerVideo]


async def comfy_entrypoint() -> UnflickerExtension:
    """Called by ComfyUI when it loads the folder."""
    return UnflickerExtension()


def _steady(images: Any, original: Any, settings: Settings, *, fps: float) -> Iterator[np.ndarray]:
    """The results, one after the other; no copy of all images is made."""
    pixels = _pixels_of(images, what="images")
    film = ArraySource(Clip.at_rate(pixels, fps=fps), name="images")
    source, originals = film, ()
    if original is None:
        need_networks(settings)
    else:
        refuse_original(settings)
        beside = ArraySource(Clip.at_rate(_pixels_of(original, what="original"), fps=fps))
        source = WithOriginal(film, beside)
        originals = (frame.picture for frame in beside.frames())
    arrays = (np.clip(picture, 0.0, 1.0) for picture in pixels)
    running = run_context(
        device=settings.device, threads=settings.threads, report=_told(len(pixels))
    )
    with running as context:
        rendered = render_arrays(arrays, source, settings, context, originals=originals)
        for index, picture in enumerate(rendered):
            context.tell("render", done=index + 1, total=len(pixels))
            yield picture


def _pixels_of(images: Any, *, what: str) -> np.ndarray:
    """Images as an array that shares their memory, if they are on the processor and of floats."""
    if images.ndim != 4 or images.shape[-1] not in (3, 4):
        raise UsageError(
            f"{what} of shape {tuple(images.shape)}; pass (frames, height, width, 3 or 4)"
        )
    return images[..., :3].detach().float().cpu().numpy()


def _part_of(mask: Any, index: int, images: Any) -> Any:
    """The correction share of each pixel of an image, if there is a mask."""
    if mask is None:
        return None
    masks = mask if mask.ndim == 3 else mask[None]
    one = masks[min(index, len(masks) - 1)]
    if tuple(one.shape) != tuple(images.shape[1:3]):
        raise UsageError(
            f"a mask of {tuple(one.shape)} for images of {tuple(images.shape[1:3])}; resize it"
        )
    return one[..., None].to(images)


def _as_images(like: Any, picture: np.ndarray) -> Any:
    return like.new_tensor(picture)[None]


def _white(picture: np.ndarray) -> Any:
    """A picture as images, where there is no other tensor to begin with."""
    import torch

    return torch.from_numpy(picture)[None]


def _told(total: int | None) -> Any:
    """A callback that moves the bar of the node, and ends the run where the user asks for it."""
    from comfy.model_management import (  # pyright: ignore[reportMissingImports]
        throw_exception_if_processing_interrupted,
    )

    execution = ComfyAPISync().execution

    def report(progress: Progress) -> None:
        throw_exception_if_processing_interrupted()
        of = total or progress.total
        if progress.stage == "render" and of:
            execution.set_progress(value=min(progress.done, of), max_value=of)

    return report


@dataclass(frozen=True, kw_only=True)
class _Part:
    """The part of a file that a video of ComfyUI shows."""

    path: Path
    start: float = 0.0
    duration: float | None = None

    @property
    def window(self) -> tuple[float, float | None]:
        return self.start, self.duration


def _part_file(video: Any, spare: Path) -> _Part:
    """The file of a video; one in memory, or cropped, is written to a spare place."""
    source = video.get_stream_source()
    start, duration = _trimmed(video)
    if not isinstance(source, str):
        spare.write_bytes(source.read())
    elif _is_cropped(video, source):
        return _saved(video, spare)
    else:
        spare = Path(source)
    return _Part(path=spare, start=start, duration=duration)


def _original_file(original: Any, part: _Part, spare: Path) -> Path | None:
    """The file of an original whose times are those of the video; None where there is none."""
    if original is None:
        return None
    beside = _part_file(original, spare)
    if beside.window == part.window:
        return beside.path
    if part.start > 0.0:
        raise UsageError(
            f"the video begins at {part.start:g} s of its file and the original at "
            f"{beside.start:g} s; trim both alike, or save the video to a file first"
        )
    return _saved(original, spare).path if beside.start > 0.0 else beside.path


def _saved(video: Any, spare: Path) -> _Part:
    """What a video shows, as a file of its own."""
    video.save_to(str(spare))
    return _Part(path=spare)


def _is_cropped(video: Any, source: str) -> bool:
    """Whether a video shows less of each picture than its file; older ones cannot."""
    if getattr(video, "as_cropped", None) is None:
        return False
    height, width = open_video(source).size
    return tuple(video.get_dimensions()) != (width, height)


def _trimmed(video: Any) -> tuple[float, float | None]:
    """The part of its file that a video shows."""
    window = getattr(video, "get_active_trim_window", None)
    start, duration = window() if window is not None else (0.0, 0.0)
    return float(start), float(duration) or None


def _temporary_folder() -> str:
    import folder_paths  # pyright: ignore[reportMissingImports]

    folder = folder_paths.get_temp_directory()
    Path(folder).mkdir(parents=True, exist_ok=True)
    return folder
