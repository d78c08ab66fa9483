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
from jaxtyping import Float32

from unflicker.analysis.analyse_film import analysed_windows
from unflicker.analysis.analyse_window import Finding
from unflicker.analysis.atlas_window import steadied
from unflicker.analysis.windows import usable_pictures
from unflicker.atlas_export.files import AtlasFiles, AtlasOptions, AtlasRecord, DrawnAtlas
from unflicker.compute.devices import chosen, limited_threads, torch_sharing
from unflicker.compute.weights import need_neural
from unflicker.errors import InputError
from unflicker.frames.colour import small_rgb, to_rgb
from unflicker.frames.flow import Motion
from unflicker.frames.picture import Frame, Picture
from unflicker.grade.apply import apply_grade
from unflicker.motion import match
from unflicker.progress import Progress, Report, silent
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
    device = chosen(settings.device)
    film = open_video(
        source,
        start_seconds=options.start_seconds,
        duration_seconds=options.duration_seconds,
        strict=settings.strict,
    )
    masks = [_mask_film(path, film, options) for path in options.masks]
    files = AtlasFiles.planned(Path(source), Path(folder), options)
    with limited_threads(settings.threads), torch_sharing(), ExitStack() as stack:
        files.open(stack, film, settings.encoding)
        frames = _Readings(film, masks)
        for number, (window, finding) in enumerate(analysed_windows(film, settings), start=1):
            light, motion = steadied(np.stack(usable_pictures(window)[0]), finding.tone)
            one = _One(number=number, finding=finding, light=light, film=film, device=device)
            atlas = one.fitted(motion, frames, settings, progress)
            files.record.atlases.append(one.drawn(atlas, frames, files, options, progress))
        frames.must_be_done()
    return files.finished(film)


@dataclass(frozen=True, kw_only=True, eq=False)
class _One:
    """One window during the making of its atlas."""

    number: int
    finding: Finding
    light: Float32[np.ndarray, "time height width 3"]
    """Its proxies, without flicker."""
    film: VideoSource
    device: str

    def fitted(
        self, motion: Motion, frames: _Readings, settings: Settings, progress: Report
    ) -> ShotAtlas:
        """Its atlas."""
        from unflicker.atlas.make import Footage, make_atlas

        footage = Footage(
            frames=self.light,
            motion=motion,
            masks=frames.masks(len(self.light), size=self.light.shape[1:3]),
            knots_apart=settings.keep_slower_than_seconds * self.finding.fps / 2.0,
        )
        return make_atlas(
            footage,
            settings.atlas,
            match=match,
            device=self.device,
            tell=lambda done, total: progress(Progress(stage="fit", done=done, total=total)),
        )

    def drawn(
        self,
        atlas: ShotAtlas,
        frames: _Readings,
        files: AtlasFiles,
        options: AtlasOptions,
        progress: Report,
    ) -> DrawnAtlas:
        """Painted from the frames at full size, rendered again for each of them, written."""
        from unflicker.atlas.guide import guide_of
        from unflicker.atlas_export.mosaic import AtlasPicture

        light, count = self.light, len(self.light)
        picture = AtlasPicture(atlas, size=self.film.size)
        for t, frame in enumerate(islice(frames.to_paint, count)):
            picture.add(t, to_rgb(self._graded(frame, t)), light[t])
            progress(Progress(stage="paint", done=t + 1, total=count))
        picture.finish()
        names = files.names(self.number, len(picture.textures))
        drawings = files.drawings(names, picture, options.edit)
        files.save(names, picture, options.edit)
        for t, frame in enumerate(islice(frames.to_show, count)):
            files.show(frame, t, picture, drawings, self._graded(frame, t))
            progress(Progress(stage="render", done=t + 1, total=count))
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
