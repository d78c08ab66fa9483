"""The story of `unflicker atlas`: a film's atlases as pictures, and drawings carried back into it.

film ─► proxies ─► shots ─► tone ─► atlas ─► painted from full-size frames ─► atlas-001.png
                                      └────► guide.mkv · alpha.mkv · edited film
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from unflicker.analysis.analyse_film import analysed_windows
from unflicker.analysis.analyse_window import Finding
from unflicker.analysis.atlas_window import CorrectedWindow
from unflicker.analysis.windows import Window, usable_pictures
from unflicker.atlas_export.files import AtlasFiles, AtlasOptions, AtlasRecord, DrawnAtlas
from unflicker.compute.context import RunContext, run_context
from unflicker.compute.devices import torch_sharing
from unflicker.compute.weights import need_neural
from unflicker.errors import InputError
from unflicker.frames.colour import small_rgb, to_rgb
from unflicker.frames.picture import Frame, Picture
from unflicker.grade.apply import apply_grade
from unflicker.motion import match
from unflicker.progress import Report, silent
from unflicker.settings import Settings
from unflicker.video import VideoSource, open_video

if TYPE_CHECKING:
    from unflicker.atlas.make import ShotAtlas


PLAIN = AtlasOptions()


def draw_atlases(
    source: str | Path,
    folder: str | Path,
    *,
    settings: Settings,
    options: AtlasOptions = PLAIN,
    progress: Report = silent,
) -> AtlasRecord:
    """Make the atlases of a film, write them as pictures, and carry drawings back into the film.

    Args:
        source: A video file or a folder of pictures.
        folder: Where to write: atlas pictures, guide, alpha, the edited film.
        settings: How.
        options: What of it, masks, and drawings.
        progress: Called with the progress; may stop the work by raising `Cancelled`.

    Raises:
        UnflickerError: See `errors`.
    """
    need_neural()
    film = open_video(
        source,
        start_seconds=options.start_seconds,
        duration_seconds=options.duration_seconds,
        strict=settings.strict,
    )
    masks = [_mask_film(path, film, options) for path in options.masks]
    files = AtlasFiles.planned(Path(source), Path(folder), options)
    running = run_context(device=settings.device, threads=settings.threads, report=progress)
    with running as context, torch_sharing(), ExitStack() as stack:
        files.open(stack, film, settings.encoding)
        frames = _Readings(film, masks)
        for number, (window, finding) in enumerate(analysed_windows(film, settings), start=1):
            one = _One.of(window, finding, number=number, film=film)
            atlas = one.fitted(frames, settings, context)
            files.record.atlases.append(one.drawn(atlas, frames, files, options, context))
        frames.must_be_done()
    return files.finished(film)


@dataclass(frozen=True, kw_only=True, eq=False)
class _One:
    """One window during the making of its atlas."""

    number: int
    finding: Finding
    window: CorrectedWindow
    film: VideoSource

    @classmethod
    def of(cls, window: Window, finding: Finding, *, number: int, film: VideoSource) -> _One:
        """A window corrected by what tone has found in it."""
        pictures = np.stack(usable_pictures(window)[0])
        corrected = CorrectedWindow.of(pictures, finding.tone, fps=finding.fps)
        return cls(number=number, finding=finding, window=corrected, film=film)

    def fitted(self, frames: _Readings, settings: Settings, context: RunContext) -> ShotAtlas:
        """Its atlas."""
        from unflicker.atlas.make import Footage, make_atlas

        light = self.window.light
        footage = Footage(
            frames=light,
            motion=self.window.motion,
            masks=frames.masks(len(light), size=light.shape[1:3]),
            knots_apart=settings.keep_slower_than_seconds * self.finding.fps / 2.0,
        )
        return make_atlas(
            footage,
            settings.atlas,
            match=match,
            device=context.device,
            tell=context.steps_of("fit atlas"),
        )

    def drawn(
        self,
        atlas: ShotAtlas,
        frames: _Readings,
        files: AtlasFiles,
        options: AtlasOptions,
        context: RunContext,
    ) -> DrawnAtlas:
        """Painted from the frames at full size, rendered again for each of them, written."""
        from unflicker.atlas.guide import guide_of
        from unflicker.atlas_export.mosaic import AtlasPicture

        light, count = self.window.light, len(self.window.light)
        picture = AtlasPicture(atlas, size=self.film.size)
        for t, frame in enumerate(islice(frames.to_paint, count)):
            picture.add(t, to_rgb(self._graded(frame, t)), light[t])
            context.tell("paint", done=t + 1, total=count)
        picture.finish()
        names = files.names(self.number, len(picture.textures))
        drawings = files.drawings(names, picture, options.edit)
        files.save(names, picture, options.edit)
        for t, frame in enumerate(islice(frames.to_show, count)):
            files.show(frame, t, picture, drawings, self._graded(frame, t))
            context.tell("render", done=t + 1, total=count)
        guide = guide_of(atlas, light)
        return DrawnAtlas(
            start=self.finding.start,
            stop=self.finding.stop,
            pictures=names,
            psnr_db=float(-10.0 * np.log10(np.mean((guide.pictures - light) ** 2) + 1e-10)),
            held_out_db=atlas.held_out_db,
            log=atlas.log,
            trusted_share=float((guide.trust >= 0.5).mean()),
        )

    def _graded(self, frame: Frame, t: int) -> Picture:
        return apply_grade(frame.picture, self.finding.tone.grade(t))


class _Readings:
    """The film's frames, read again for painting and rendering, and its masks in step with them."""

    def __init__(self, film: VideoSource, masks: list[VideoSource]) -> None:
        self.to_paint, self.to_show = film.frames(), film.frames()
        self._masks = [(mask, mask.frames()) for mask in masks]

    def masks(self, count: int, *, size: tuple[int, int]) -> tuple[np.ndarray, ...]:
        """The masks of the next frames, at the proxy's size."""
        taken = []
        for film, frames in self._masks:
            part = [
                small_rgb(frame.picture, size=size).mean(axis=-1) for frame in islice(frames, count)
            ]
            if len(part) < count:
                raise InputError(
                    f"the mask {film.name} has fewer frames than the film; "
                    "pass one mask picture for each frame"
                )
            taken.append(np.stack(part).astype(np.float32))
        return tuple(taken)

    def must_be_done(self) -> None:
        """Refuse masks that are longer than the film."""
        for film, frames in self._masks:
            if next(frames, None) is not None:
                raise InputError(
                    f"the mask {film.name} has more frames than the film; "
                    "pass one mask picture for each frame"
                )


def _mask_film(path: Path, film: VideoSource, options: AtlasOptions) -> VideoSource:
    mask = open_video(
        path,
        start_seconds=options.start_seconds,
        duration_seconds=options.duration_seconds,
    )
    if mask.size != film.size:
        raise InputError(
            f"the mask {path} has {mask.size[1]}×{mask.size[0]} px, the film "
            f"{film.size[1]}×{film.size[0]}; make the mask from the film's own frames"
        )
    return mask


__all__ = ["AtlasOptions", "AtlasRecord", "draw_atlases"]
