"""The registry of methods: name, description, function and cost of each.

Costs are seconds on one core of the machine of docs/benchmark.md, at 480 x 270; only the order of
work and the estimate of the whole depend on them.
"""

from __future__ import annotations

from dataclasses import replace

from unflicker.evaluation.methods import INPUT, Effort, Method

_CALLED = "unflicker.evaluation.adapters"
_BASELINES = "unflicker.baselines"
_TORCH = ("torch", "safetensors")
_FEW = ("w3",)
"""The synthetic flicker on which slow methods run: the middle one of the paper's three."""
_PAPER = {"neural_filter": "paper_filter.safetensors", "refinement": "paper_refinement.safetensors"}
_FITS = {
    "full": Effort(options={"steps": 10_001, "points": 10_000}, seconds_a_video=15_000.0),
    "reduced": Effort(options={"steps": 200, "points": 1_000}, seconds_a_video=36.0),
    "quick": Effort(options={"steps": 100, "points": 500}, seconds_a_video=16.0),
}
"""Efforts of the paper's atlas: as published, and feasible on two cores."""
_PRICES = {"fast": (0.0, 0.06), "standard": (0.0, 0.15), "best": (30.0, 0.3)}
"""Of presets: seconds a video and a frame."""
_PARTS = {
    "standard": ("tone", "fine-light", "refinement"),
    "best": ("atlas", "neural-filter"),
}
"""Stages whose worth is measured, and the preset that each is left out of. Those of scores that
were made when the atlas was a part of `standard` are told by their names (`method_of`)."""
_PRESETS = ("fast", "standard", "best", "paper")
"""Beginnings of the names of ablations."""
_WITH_GUIDE = "+guide"


def method_of(name: str) -> Method:
    """The method of a name in scores; for one that is not in the registry, inferred from the name.

    A known name followed by "+guide" is ours and guided, a preset's name followed by a part is an
    ablation, any other is a blind baseline. Such a method has no function.
    """
    if name in METHODS:
        return METHODS[name]
    if name.endswith(_WITH_GUIDE):
        return _with_guide(method_of(name.removesuffix(_WITH_GUIDE)))
    behind = (name[len(preset) :] for preset in _PRESETS if name.startswith(preset))
    if name.startswith("ablation") or any(rest[:1] in ("-", " ", ":", "_") for rest in behind):
        return _ablation(name)
    return Method(name=name, label=name)


def _with_guide(base: Method) -> Method:
    return Method(
        name=f"{base.name}{_WITH_GUIDE}",
        label=f"{base.label} + guide",
        family="ours",
        about="with the steady original",
        guided=True,
    )


def _ablation(name: str) -> Method:
    label = name.replace("-", " ")
    return Method(name=name, label=label, family="ablation", about="a part left out")


def _ours(method: Method, *, preset: str, without: str = "") -> Method:
    """A preset of ours, with its function."""
    a_video, a_frame = _PRICES["standard" if without == "atlas" else preset]
    options = {"preset": preset, **({"without": without} if without else {})}
    return replace(
        method,
        place=f"{_CALLED}:{'by_preset_guided' if method.guided else 'by_preset'}",
        source="ours",
        needs=_TORCH if preset == "best" else (),
        efforts={"full": Effort(options=options, seconds_a_video=a_video)},
        seconds_a_frame=a_frame,
        few_kinds=_FEW if preset == "best" else (),
        usual=not without,
    )


def _preset(name: str, *, about: str) -> Method:
    method = Method(name=name, label=f"unflicker {name}", family="ours", about=about)
    return _ours(method, preset=name)


def _paper(method: Method, *, without: str = "") -> Method:
    """The reference system with its function, complete or with a part left out."""
    efforts = {
        effort: Effort(
            options={**fit.options, **({"without": without} if without else {})},
            seconds_a_video=0.0 if without == "atlas" else fit.seconds_a_video,
        )
        for effort, fit in _FITS.items()
    }
    return replace(
        method,
        place=f"{_CALLED}:paper",
        source="Lei et al. 2023",
        weights=_PAPER,
        needs=_TORCH,
        efforts=efforts,
        seconds_a_frame=2.5,
        few_kinds=_FEW,
        usual=not without,
    )


_STANDARD = _preset("standard", about="preset standard, the default")
_ALL = (
    Method(
        name=INPUT,
        label="input",
        family="input",
        about="the flickering video, nothing done",
        place=f"{_CALLED}:unchanged",
        seconds_a_frame=0.001,
    ),
    Method(
        name="ffmpeg-deflicker",
        label="FFmpeg deflicker",
        about="FFmpeg's filter, its default settings",
        place=f"{_BASELINES}.ffmpeg:ffmpeg_deflicker",
        source="FFmpeg",
        seconds_a_frame=0.005,
    ),
    Method(
        name="ffmpeg-tmidequalizer",
        label="FFmpeg tmidequalizer",
        about="FFmpeg's filter, its defaults",
        place=f"{_BASELINES}.ffmpeg:ffmpeg_tmidequalizer",
        source="FFmpeg, after Delon 2006",
        seconds_a_frame=0.02,
    ),
    Method(
        name="histogram",
        label="histogram",
        about="scale-time equalisation of histograms, Delon 2006",
        place=f"{_BASELINES}.histogram:histogram",
        source="Delon 2006",
        seconds_a_frame=0.02,
    ),
    Method(
        name="ffmpeg-tmix",
        label="FFmpeg deflicker, tmix",
        about="FFmpeg's deflicker, then a mean of three frames",
        place=f"{_BASELINES}.ffmpeg:ffmpeg_tmix",
        source="FFmpeg",
        seconds_a_frame=0.01,
    ),
    Method(
        name="ffmpeg-minterpolate",
        label="FFmpeg minterpolate",
        about="FFmpeg's motion interpolation to twice the rate, pairs averaged",
        place=f"{_BASELINES}.ffmpeg:ffmpeg_minterpolate",
        source="FFmpeg",
        seconds_a_frame=0.3,
    ),
    Method(
        name="local-stabilization",
        label="local stabilisation",
        about="quantiles of patches, averaged along the motion, after Delon and Desolneux 2010",
        place=f"{_BASELINES}.local_stabilization:local_stabilization",
        source="Delon and Desolneux 2010",
        seconds_a_frame=0.25,
    ),
    Method(
        name="singular-frames",
        label="BlazeBVD, classical part",
        about="illumination of singular frames by scale-time equalisation, no networks",
        place=f"{_BASELINES}.singular_frames:singular_frames",
        source="after Qiu et al. 2024",
        seconds_a_frame=0.03,
    ),
    Method(
        name="average",
        label="moving average",
        about="mean of neighbours along the motion",
        place=f"{_BASELINES}.average:average",
        seconds_a_frame=0.1,
    ),
    _preset("fast", about="preset fast, without refinement"),
    _STANDARD,
    _ours(_with_guide(_STANDARD), preset="standard"),
    Method(
        name="bonneel",
        label="Bonneel 2015",
        family="guided",
        about="blind temporal consistency, least squares of gradients",
        place=f"{_BASELINES}.bonneel:bonneel",
        guided=True,
        source="Bonneel et al. 2015",
        seconds_a_frame=0.2,
    ),
    Method(
        name="convlstm",
        label="ConvLSTM",
        about="the network of Lai et al. 2018, trained blind",
        place=f"{_BASELINES}.convlstm:convlstm",
        source="Lei et al. 2023, baseline",
        weights={"weights": "convlstm.safetensors"},
        needs=_TORCH,
        seconds_a_frame=1.4,
        few_kinds=_FEW,
    ),
    Method(
        name="lai",
        label="Lai 2018",
        family="guided",
        about="blind video temporal consistency, a recurrent network",
        place=f"{_BASELINES}.lai:lai",
        guided=True,
        source="Lai et al. 2018",
        weights={"weights": "lai.safetensors"},
        needs=_TORCH,
        seconds_a_frame=1.4,
    ),
    _preset("best", about="preset best, with an atlas and a trained filter"),
    Method(
        name="video_prior",
        label="video prior",
        family="guided",
        about="deep video prior, Lei et al. 2020, fitted per video",
        place=f"{_CALLED}:video_prior",
        guided=True,
        source="Lei et al. 2020",
        needs=_TORCH,
        efforts={
            "full": Effort(options={"effort": "published"}, seconds_a_video=6_000.0),
            "reduced": Effort(options={"effort": "reduced"}, seconds_a_video=150.0),
            "quick": Effort(options={"effort": "quick"}, seconds_a_video=30.0),
        },
        seconds_a_frame=0.5,
    ),
    _paper(
        Method(
            name="paper",
            label="paper (Lei 2023)",
            about="neural filtering with a flawed atlas, Lei et al. 2023",
        )
    ),
    *(
        _ours(_ablation(f"{preset}-without-{part}"), preset=preset, without=part)
        for preset, parts in _PARTS.items()
        for part in parts
    ),
    *(_paper(_ablation(f"paper-without-{part}"), without=part) for part in ("atlas", "refinement")),
)
METHODS = {method.name: method for method in _ALL}
"""All methods by name, cheap ones first; ablations last, which only run if named."""
