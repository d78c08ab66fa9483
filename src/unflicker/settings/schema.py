"""The tree of settings. No torch, no NumPy: the command line loads this to print help.

Each field has a sentence with its effect, unit and source; `describe` lists them.
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, dataclass, field
from typing import Any

from unflicker.errors import UsageError
from unflicker.settings.presets import PRESETS

METHODS = ("grade", "redraw")
FLASHES = ("keep", "repair")
UNSTEADY = ("gate",)
"""What can be stabilised."""
DAMAGE = ("dirt", "scratches", "hairs", "frames")
"""What can be repaired."""
DEGREES = ("light", "normal", "strong")
"""How much counts as damage."""
USUAL_KEEP_SECONDS = 2.0
"""Light changes that take longer than this, in seconds, are kept by default."""


def _setting(default: Any = MISSING, sentence: str = "", **given: Any) -> Any:
    return field(default=default, metadata={"sentence": sentence}, **given)


def _need(holds: bool, name: str, got: Any, wanted: str) -> None:  # noqa: FBT001 - the condition
    if not holds:
        raise UsageError(f"{name} is {got}; pass {wanted}")


@dataclass(frozen=True, kw_only=True)
class ProxySettings:
    """The downscaled frames on which analysis runs."""

    width_px: int = _setting(
        256,
        "Longest side of the proxy in px; larger resolves smaller lamps, at more time a frame.",
    )

    def __post_init__(self) -> None:
        """Refuse proxies that are too small, or no smaller than the film."""
        _need(32 <= self.width_px <= 2048, "proxy.width_px", self.width_px, "32 to 2048")


@dataclass(frozen=True, kw_only=True)
class ToneSettings:
    """The basis functions of the illumination model (`tone.illumination`)."""

    used: bool = _setting(
        default=True, sentence="Whether light is corrected by tone; if not, it is only analysed."
    )
    waves_across: int = _setting(
        9, "Cosines of light over the width; 1 for none. More resolve smaller lamps."
    )
    waves_down: int = _setting(
        11, "Cosines of light over the height; 1 for none. More resolve narrower bands."
    )
    tone_powers: int = _setting(
        3, "Powers of log tone for the whole picture; 0 for gain alone, 1 adds gamma."
    )
    lock_exposure: bool = _setting(
        default=False,
        sentence="Whether slow drift of exposure and white balance is removed within each shot.",
    )
    contrast_waves: int = _setting(
        3, "Contrast may differ by place in waves of order below this; 0 for not at all."
    )
    flashes: str = _setting(
        "keep", "Flashes of light that clearly belong to the scene: keep them, or repair them."
    )

    def __post_init__(self) -> None:
        """Refuse counts that no illumination model can have."""
        _need(1 <= self.waves_across <= 32, "tone.waves_across", self.waves_across, "1 to 32")
        _need(1 <= self.waves_down <= 32, "tone.waves_down", self.waves_down, "1 to 32")
        _need(0 <= self.tone_powers <= 5, "tone.tone_powers", self.tone_powers, "0 to 5")
        _need(0 <= self.contrast_waves <= 8, "tone.contrast_waves", self.contrast_waves, "0 to 8")
        _need(self.flashes in FLASHES, "tone.flashes", self.flashes, " or ".join(FLASHES))


@dataclass(frozen=True, kw_only=True)
class WindowSettings:
    """The windows in which long shots are analysed."""

    frames: int = _setting(80, "Frames analysed together; memory grows with it.")
    overlap_frames: int = _setting(
        8, "Frames shared by neighbouring windows, over which they are crossfaded."
    )

    def __post_init__(self) -> None:
        """Refuse windows that are too short, or no longer than their overlap."""
        _need(self.frames >= 8, "window.frames", self.frames, "8 or more")
        fits = 0 <= self.overlap_frames < self.frames
        _need(fits, "window.overlap_frames", self.overlap_frames, "0 to less than window.frames")


@dataclass(frozen=True, kw_only=True)
class FineLightSettings:
    """Correction of light by small places (`fine_light`)."""

    used: bool = _setting(
        default=True,
        sentence="Whether light of places too small for tone, such as lamps, is corrected.",
    )


@dataclass(frozen=True, kw_only=True)
class AtlasSettings:
    """The atlas of a shot (`atlas`), its fit and its loss functions."""

    used: bool = _setting(
        default=False,
        sentence="Whether an atlas of each shot adds to the correction of light; needs torch.",
    )
    window_frames: int = _setting(120, "Frames of each atlas that `unflicker atlas` writes.")
    kind: str = _setting("grid", "Fields of the atlas: grid, or mlp as in the reference system.")
    layers: int = _setting(1, "Layers of the atlas: 1, 2, or 0 for what explains the shot better.")
    cell_px: float = _setting(4.0, "Distance of the nodes of a frame's mesh, in px of the proxy.")
    texels_per_px: float = _setting(1.5, "Texels of the atlas for each px of the proxy.")
    rounds: int = _setting(2, "Rounds in which frames are matched to the atlas before the fit.")
    steps: int = _setting(200, "Steps of the fit at most.")
    stops_early: bool = _setting(
        default=True, sentence="Whether the fit ends once its loss has stopped falling."
    )
    points: int = _setting(7_000, "Points of the shot that each step samples.")
    learning_rate: float = _setting(1e-4, "Adam's rate for networks; grids have their own.")
    colour: float = _setting(1.0, "Weight of the colour loss.")
    outlier: float = _setting(0.02, "Colour error above which that loss is robust; 0 for never.")
    gradient: float = _setting(1.0, "Weight of the loss on colour differences over one px.")
    flow: float = _setting(0.005, "Weight of the flow loss, for each px.")
    flow_both_ways: bool = _setting(
        default=False,
        sentence="Whether half of the flow loss follows the motion backward, as the reference's.",
    )
    longest_stride: int = _setting(
        1, "Longest stride of the flow loss in frames, of 1, 4, 16 and so on; 1 for neighbours."
    )
    rigidity: float = _setting(0.0, "Weight of the rigidity loss over one px.")
    global_rigidity: float = _setting(0.0, "Weight of the rigidity loss over many px.")
    global_rigidity_px: float = _setting(100.0, "Distance of that loss, in px.")
    global_rigidity_steps: int = _setting(5_000, "Steps in which that loss is used.")
    bending: float = _setting(3e-4, "Weight of the bending of a grid's mesh.")
    evenness: float = _setting(0.01, "Weight of the unevenness of slow light.")
    alpha_flow: float = _setting(0.005, "Weight of the alpha flow loss.")
    bootstrapping: float = _setting(0.003, "Weight of the loss between alpha and its mask.")
    bootstrapping_steps: int = _setting(200, "Steps in which that loss is used.")
    sparsity: float = _setting(0.0, "Weight of the loss on colours that a layer hides.")
    log_every: int = _setting(10, "Steps between entries in a fit's log.")
    seed: int = _setting(0, "Seed of the sampled points; the same seed gives the same atlas.")

    def __post_init__(self) -> None:
        """Refuse values with which no atlas can be fitted."""
        _need(self.kind in ("grid", "mlp"), "atlas.kind", self.kind, "grid or mlp")
        _need(self.window_frames >= 1, "atlas.window_frames", self.window_frames, "1 or more")
        _need(0 <= self.layers <= 8, "atlas.layers", self.layers, "0 (choose) to 8")
        _need(1.0 <= self.cell_px <= 64.0, "atlas.cell_px", self.cell_px, "1 to 64")
        density = self.texels_per_px
        _need(0.25 <= density <= 4.0, "atlas.texels_per_px", density, "0.25 to 4")
        _need(0 <= self.rounds <= 10, "atlas.rounds", self.rounds, "0 to 10")
        _need(self.longest_stride >= 1, "atlas.longest_stride", self.longest_stride, "1 or more")
        _need(self.steps >= 0, "atlas.steps", self.steps, "0 or more")
        _need(self.points >= 1, "atlas.points", self.points, "1 or more")
        _need(self.log_every >= 1, "atlas.log_every", self.log_every, "1 or more")


@dataclass(frozen=True, kw_only=True)
class NeuralFilterSettings:
    """Transfer of the atlas guide's light to the frame (`neural_filter`)."""

    used: bool = _setting(
        default=True,
        sentence="Whether a trained network transfers the guide's light, or a closed form.",
    )
    weights: str = _setting(
        "", "File of other weights; empty for those of the package (paper has none)."
    )


@dataclass(frozen=True, kw_only=True)
class RefinementSettings:
    """Removal of flicker of texture (`refinement`)."""

    used: bool = _setting(
        default=True,
        sentence="Whether texture that flickers is corrected: in old film, under lamps, in "
        "processed and generated video.",
    )
    weights: str = _setting("", "Weights of preset paper's refinement, a safetensors file.")


@dataclass(frozen=True, kw_only=True)
class RepairSettings:
    """Repair of damage (`repair`)."""

    dirt: bool = _setting(
        default=False, sentence="Whether dirt, spots of single frames, is found and filled."
    )
    scratches: bool = _setting(
        default=False,
        sentence="Whether upright scratches, in front of a scene that moves, are filled.",
    )
    hairs: bool = _setting(
        default=False,
        sentence="Whether hairs in the gate, at the border of a scene that moves, are filled.",
    )
    frames: bool = _setting(
        default=False,
        sentence="Whether single frames that are lost, torn or grossly damaged are rebuilt.",
    )
    degree: str = _setting(
        "normal", "How much counts as damage: light, normal or strong; light is wrong least often."
    )

    def __post_init__(self) -> None:
        """Refuse an unknown degree."""
        _need(self.degree in DEGREES, "repair.degree", self.degree, " or ".join(DEGREES))

    @property
    def used(self) -> bool:
        """Whether any damage is repaired."""
        return any(getattr(self, damage) for damage in DAMAGE)

    def only(self, *damage: str) -> RepairSettings:
        """The same with the given damage repaired, and no other.

        Args:
            damage: Any of `DAMAGE`; none for no repair.
        """
        return dataclasses.replace(self, **{one: one in damage for one in DAMAGE})


@dataclass(frozen=True, kw_only=True)
class StabiliseSettings:
    """Removal of unsteadiness (`motion.weave`)."""

    gate: bool = _setting(
        default=False,
        sentence="Whether gate weave, jumps of the whole picture, is removed; pans are kept.",
    )


@dataclass(frozen=True, kw_only=True)
class EncodingSettings:
    """Encoding of the result; an empty value keeps the source's."""

    codec: str = _setting("", "Encoder by FFmpeg's name; empty keeps the source's family.")
    crf: float | None = _setting(
        None,
        "Quality of the encoder, lower is better; none for the encoder's high-quality value.",
    )
    pix_fmt: str = _setting("", "Pixel format by FFmpeg's name; empty keeps the source's.")
    options: tuple[tuple[str, str], ...] = _setting((), "Further options for the encoder.")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All settings of a run, as one tree."""

    method: str = _setting(
        "grade",
        "How frames are corrected: grade, or redraw by networks as in the reference system.",
    )
    strength: float = _setting(1.0, "Share of the flicker to remove, 0 to 1; 0 copies.")
    keep_slower_than_seconds: float = _setting(
        USUAL_KEEP_SECONDS,
        "Light changes that take longer than this are kept, in seconds.",
    )
    device: str = _setting("auto", "Device that applies grades: auto, cpu, cuda or cuda:n.")
    threads: int = _setting(0, "Threads of all libraries together; 0 for one a core.")
    strict: bool = _setting(
        default=False,
        sentence="Whether a damaged frame stops the work, or a result that would lack something.",
    )
    proxy: ProxySettings = field(default_factory=ProxySettings)
    window: WindowSettings = field(default_factory=WindowSettings)
    tone: ToneSettings = field(default_factory=ToneSettings)
    fine_light: FineLightSettings = field(default_factory=FineLightSettings)
    atlas: AtlasSettings = field(default_factory=AtlasSettings)
    neural_filter: NeuralFilterSettings = field(default_factory=NeuralFilterSettings)
    repair: RepairSettings = field(default_factory=RepairSettings)
    refinement: RefinementSettings = field(default_factory=RefinementSettings)
    stabilise: StabiliseSettings = field(default_factory=StabiliseSettings)
    encoding: EncodingSettings = field(default_factory=EncodingSettings)

    def __post_init__(self) -> None:
        """Refuse values out of range, before any work."""
        _need(self.method in METHODS, "method", self.method, " or ".join(METHODS))
        _need(0.0 <= self.strength <= 1.0, "strength", self.strength, "0 to 1")
        slow = self.keep_slower_than_seconds
        _need(0.0 < slow < float("inf"), "keep_slower_than_seconds", slow, "seconds above 0")
        locks = self.tone.lock_exposure and self.redraws
        wanted = "False with preset paper, which redraws frames and has no grades"
        _need(not locks, "tone.lock_exposure", self.tone.lock_exposure, wanted)
        wanted = "False with preset paper, which redraws frames"
        for damage in DAMAGE:
            mends = getattr(self.repair, damage)
            _need(not (mends and self.redraws), f"repair.{damage}", mends, wanted)
        still = self.stabilise.gate
        _need(not (still and self.redraws), "stabilise.gate", still, wanted)
        _need(self.threads >= 0, "threads", self.threads, "0 (all) or more")

    @property
    def redraws(self) -> bool:
        """Whether networks redraw each frame; then there are no grades."""
        return self.method == "redraw"

    @classmethod
    def from_preset(cls, name: str, **changes: Any) -> Settings:
        """The settings of a preset with some of them changed.

        Args:
            name: Name of the preset.
            changes: Values by name; in a part of the tree, with two underscores for the dot, as
                `tone__flashes="repair"`.

        Raises:
            UsageError: No preset or no setting has that name, or a value is out of range.
        """
        _need(name in PRESETS, "preset", name, ", ".join(PRESETS))
        given = {key.replace("__", "."): value for key, value in changes.items()}
        return replaced(cls(), {**PRESETS[name], **given})


def describe(settings: Any, prefix: str = "") -> Iterator[tuple[str, Any, str]]:
    """Every setting of a tree: dotted name, value, sentence.

    Args:
        settings: A settings tree, or a part of one.
        prefix: Put before each name; the part's own name and a dot.
    """
    for item in dataclasses.fields(settings):
        value = getattr(settings, item.name)
        if dataclasses.is_dataclass(value):
            yield from describe(value, f"{prefix}{item.name}.")
        else:
            yield f"{prefix}{item.name}", value, item.metadata["sentence"]


def to_dict(settings: Settings) -> dict[str, Any]:
    """The settings as plain values by dotted name, to be stored with an output."""
    return {name: value for name, value, _ in describe(settings)}


def replaced(settings: Settings, changes: Mapping[str, Any]) -> Settings:
    """The settings with some values changed.

    Args:
        settings: A whole tree.
        changes: Values by dotted name, as `tone.flashes`; or whole parts, as `tone`.

    Raises:
        UsageError: No setting has that name; the message suggests the nearest.
    """
    known = [name for name, _, _ in describe(settings)]
    known += [part.name for part in dataclasses.fields(settings)]
    for name in changes:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.0)
            raise UsageError(f"unknown setting {name}; did you mean {near[0]}?")
    for name, value in changes.items():
        settings = _replace_one(settings, name.split("."), value)
    return settings


def _replace_one(tree: Any, path: list[str], value: Any) -> Any:
    if len(path) > 1:
        value = _replace_one(getattr(tree, path[0]), path[1:], value)
    return dataclasses.replace(tree, **{path[0]: value})
