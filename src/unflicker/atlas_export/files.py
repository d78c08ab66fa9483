"""Inputs and output files of `unflicker atlas`, and the drawings that it reads."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from jaxtyping import Float32

from unflicker.errors import InputError
from unflicker.files.atomic import write_whole
from unflicker.files.outputs import Read, Written, made_folder, named, refuse_loss
from unflicker.frames.colour import from_rgb, to_rgb
from unflicker.frames.picture import Frame, Picture
from unflicker.settings import EncodingSettings
from unflicker.video import VideoSource, Writer, open_writer

if TYPE_CHECKING:
    from unflicker.atlas_export.mosaic import AtlasPicture

FIT = "fit.png"
"""The plot of the losses of atlases, which the command line adds."""
_PICTURES, _FIRST = "atlas-*.png", "atlas-001"


@dataclass(frozen=True, kw_only=True)
class AtlasOptions:
    """Options of one call that do not concern the method."""

    overwrite: bool = False
    """Whether files of an earlier call may be replaced."""
    start_seconds: float = 0.0
    duration_seconds: float | None = None
    masks: tuple[Path, ...] = ()
    """Films or folders, white where an object is; one for each layer above the background."""
    edit: Path | None = None
    """A drawing on the first atlas picture, or a folder of drawings named as atlas pictures."""


@dataclass(frozen=True, kw_only=True)
class DrawnAtlas:
    """One atlas of a film, as it was written."""

    start: int
    stop: int
    pictures: tuple[Path, ...]
    """Of each layer, the lowest first."""
    psnr_db: float
    """PSNR of its rendering of the frames, at the size of the proxy."""
    held_out_db: tuple[float, float] | None
    """The same of held-out frames, with one layer and with several; None if not compared."""
    log: Any
    """Losses of its fit (`atlas.fit.FitLog`)."""
    trusted_share: float
    """Share of the frames for which the guide is trusted."""


@dataclass(kw_only=True)
class AtlasRecord:
    """The results of a call."""

    atlases: list[DrawnAtlas] = field(default_factory=list)
    guide: Path
    alpha: Path | None = None
    edited: Path | None = None
    notes: tuple[str, ...] = ()


@dataclass(kw_only=True, eq=False)
class AtlasFiles:
    """The files of a call."""

    folder: Path
    record: AtlasRecord
    alpha_target: Path
    edited_target: Path | None
    overwrite: bool
    _guide: Writer | None = None
    _alpha: Writer | None = None
    _edited: Writer | None = None
    _has_layers: bool = False

    @classmethod
    def planned(cls, source: Path, folder: Path, options: AtlasOptions) -> AtlasFiles:
        """The files of a call, after all checks that need no work.

        Args:
            source: The film.
            folder: For the results.
            options: Of the call.

        Raises:
            InputError: There is no such drawing.
            OutputError: A file of that name is there, and may not be replaced.
        """
        edited = None
        if options.edit is not None:
            if not options.edit.exists():
                raise InputError(f"there is no drawing {options.edit}; pass a PNG or a folder")
            edited = _edited(source, folder)
        outputs = cls(
            folder=folder,
            record=AtlasRecord(guide=folder / "guide.mkv", edited=edited),
            alpha_target=folder / "alpha.mkv",
            edited_target=edited,
            overwrite=options.overwrite,
        )
        reads, writes = paths_of(source, folder, options)
        refuse_loss(reads, writes, overwrite=options.overwrite)
        return outputs

    def open(self, stack: ExitStack, film: VideoSource, encoding: EncodingSettings) -> None:
        """Open the films to be written.

        Args:
            stack: Closes them.
            film: The source.
            encoding: Of the edited film.
        """
        stack.enter_context(made_folder(self.folder))

        def writer(target: Path) -> Writer:
            made = open_writer(film, target, encoding=encoding, overwrite=self.overwrite)
            return stack.enter_context(made)

        self._guide, self._alpha = writer(self.record.guide), writer(self.alpha_target)
        if self.edited_target is not None:
            self._edited = writer(self.edited_target)

    def names(self, number: int, layers: int) -> tuple[Path, ...]:
        """Paths of the pictures of an atlas, one for each layer.

        Args:
            number: Of the atlas, from 1.
            layers: Number of layers.
        """
        kinds = [""] if layers == 1 else [f"-{_layer_name(layer)}" for layer in range(layers)]
        self._has_layers |= layers > 1
        return tuple(self.folder / f"atlas-{number:03d}{kind}.png" for kind in kinds)

    def save(self, names: tuple[Path, ...], picture: AtlasPicture, edit: Path | None) -> None:
        """Write the picture of each layer, transparent where no frame shows it.

        A picture that was painted in place is the user's work, and is not overwritten.

        Args:
            names: Path of each layer's picture.
            picture: The atlas.
            edit: Drawing or folder of drawings, if any.
        """
        for layer, (path, texture) in enumerate(zip(names, picture.textures, strict=True)):
            if edit is not None and path.exists() and _is_in(path, edit):
                continue
            opaque = picture.shown(layer)[..., None]
            rgba = np.concatenate([texture[..., ::-1], opaque], axis=-1)
            data = cv2.imencode(".png", np.rint(rgba * 255.0).astype(np.uint8))[1]
            write_whole(path, data.tobytes())

    def drawings(
        self, names: tuple[Path, ...], picture: AtlasPicture, edit: Path | None
    ) -> dict[int, Float32[np.ndarray, "rows columns 4"]]:
        """The drawings for these pictures, by layer, RGBA in [0, 1].

        Args:
            names: Path of each layer's picture.
            picture: The atlas.
            edit: Drawing or folder of drawings, if any.
        """
        from unflicker.atlas_export.drawing import read_drawing

        if edit is None:
            return {}
        if edit.is_dir():
            meant = {layer: edit / name.name for layer, name in enumerate(names)}
            meant = {layer: path for layer, path in meant.items() if path.exists()}
        else:
            stems = [name.stem for name in names]
            first = names[0].stem.startswith("atlas-001")
            meant = {stems.index(edit.stem): edit} if edit.stem in stems else {}
            if not meant and first and not edit.stem.startswith("atlas-"):
                meant = {0: edit}
        return {
            layer: read_drawing(path, over=picture.textures[layer]) for layer, path in meant.items()
        }

    def show(
        self, frame: Frame, t: int, picture: AtlasPicture, drawings: dict[int, Any], graded: Picture
    ) -> None:
        """Write a frame of the guide, of alpha, and of the edited film.

        Args:
            frame: Of the source.
            t: Its index in the atlas.
            picture: The atlas.
            drawings: By layer.
            graded: The frame without flicker.
        """
        assert self._guide is not None
        assert self._alpha is not None
        self._guide.write(_with(frame, picture.rendered(t)))
        alpha = picture.coverage(t)[..., None].repeat(3, axis=-1)
        self._alpha.write(_with(frame, alpha))
        if self._edited is not None:
            self._edited.write(
                replace(frame, picture=_drawn_upon(graded, *picture.drawn(t, drawings)))
            )

    def finished(self, film: VideoSource) -> AtlasRecord:
        """The record, once everything is written."""
        if self._has_layers:
            self.record.alpha = self.alpha_target
        else:
            self.alpha_target.unlink(missing_ok=True)
        self.record.notes = film.notes
        return self.record


def paths_of(source: Path, folder: Path, options: AtlasOptions) -> tuple[list[Read], list[Written]]:
    """Every file that a call reads, and every one that it writes.

    A drawing made in the place of an atlas picture is not an input here: it is never replaced.

    Args:
        source: The film.
        folder: For the results.
        options: Of the call.
    """
    reads = [*named("the film", source), *named("the mask", *options.masks)]
    edit = options.edit
    if edit is not None and edit.is_file() and not _in_its_place(edit, folder):
        reads += named("the drawing", edit)
    names = ["guide.mkv", "alpha.mkv", FIT, *sorted(path.name for path in folder.glob(_PICTURES))]
    files = [folder / name for name in names]
    if not any(path.name.startswith(_FIRST) for path in files):
        files.append(folder / f"{_FIRST}.png")
    writes = [Written(path=path, what="the file") for path in files]
    if edit is not None:
        edited = _edited(source, folder)
        writes.append(Written(path=edited, what="the edited film", folder=source.is_dir()))
    return reads, writes


def _edited(source: Path, folder: Path) -> Path:
    """The film that drawings are carried back into."""
    return folder / f"{source.stem}_edited{source.suffix if source.is_file() else ''}"


def _in_its_place(edit: Path, folder: Path) -> bool:
    real = edit.resolve()
    return real.parent == folder.resolve() and real.match(_PICTURES)


def _is_in(path: Path, edit: Path) -> bool:
    """Whether a picture is the drawing, or one of the folder of drawings."""
    return edit.resolve() in (path.resolve(), path.resolve().parent)


def _layer_name(layer: int) -> str:
    return "background" if layer == 0 else f"object-{layer}"


def _with(frame: Frame, rgb: Float32[np.ndarray, "height width 3"]) -> Frame:
    """A frame at its time, with another picture in its own layout."""
    own = frame.picture
    return replace(frame, picture=from_rgb(rgb, layout=own.layout, meaning=own.meaning))


def _drawn_upon(
    picture: Picture,
    colour: Float32[np.ndarray, "height width 3"],
    opaque: Float32[np.ndarray, "height width"],
) -> Picture:
    """A picture under a drawing; samples that the drawing does not touch stay bit for bit."""
    if not opaque.any():
        return picture
    rgb = to_rgb(picture) * (1.0 - opaque[..., None]) + colour
    covered = from_rgb(rgb, layout=picture.layout, meaning=picture.meaning)
    planes = []
    for own, new in zip(picture.planes, covered.planes, strict=True):
        size = own.shape[::-1]
        touched = cv2.resize(opaque, size, interpolation=cv2.INTER_AREA) > 0.0
        planes.append(np.where(touched, new, own))
    return replace(picture, planes=tuple(planes))
