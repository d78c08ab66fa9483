"""The list of all methods: who they are, how they are called, what they cost.

Costs are seconds on one core of the machine of docs/benchmark.md, at 480 x 270; only the order of
work and the estimate of the whole depend on them.
"""

from __future__ import annotations

from unflicker.evaluation.methods import INPUT, Effort, Method

_CALLED = "unflicker.evaluation.adapters"
_BASELINES = "unflicker.baselines"
_TORCH = ("torch", "safetensors")
_FEW = ("w3",)
"""The made flicker of slow methods: the paper's own, in the middle of its three."""
_PAPER = {"neural_filter": "paper_filter.safetensors", "refinement": "paper_refinement.safetensors"}
_FITS = {
    "full": Effort(options={"steps": 10_001, "points": 10_000}, seconds_a_video=15_000.0),
    "reduced": Effort(options={"steps": 200, "points": 1_000}, seconds_a_video=36.0),
    "quick": Effort(options={"steps": 100, "points": 500}, seconds_a_video=16.0),
}
"""How long the paper's atlas is fitted: as published, and as two cores can afford."""


def _ours(name: str, *, preset: str, cost: tuple[float, float], **others: object) -> Method:
    """A preset of ours; cost in seconds a video and a frame."""
    options = {"preset": preset, **others}
    guided = bool(options.pop("guided", False))
    left_out = options.get("without")
    return Method(
        name=name,
        place=f"{_CALLED}:{'by_preset_guided' if guided else 'by_preset'}",
        guided=guided,
        source="ours",
        needs=() if preset == "fast" else _TORCH,
        efforts={"full": Effort(options=options, seconds_a_video=cost[0])},
        seconds_a_frame=cost[1],
        few_kinds=_FEW if preset == "best" else (),
        usual=left_out is None,
    )


def _paper(name: str, *, without: str = "") -> Method:
    """The reference system, whole or with a part left out."""
    efforts = {
        effort: Effort(
            options={**fit.options, **({"without": without} if without else {})},
            seconds_a_video=0.0 if without == "atlas" else fit.seconds_a_video,
        )
        for effort, fit in _FITS.items()
    }
    return Method(
        name=name,
        place=f"{_CALLED}:paper",
        source="Lei et al. 2023",
        weights=_PAPER,
        needs=_TORCH,
        efforts=efforts,
        seconds_a_frame=2.5,
        few_kinds=_FEW,
        usual=not without,
    )


_ALL = (
    Method(name=INPUT, place=f"{_CALLED}:unchanged", seconds_a_frame=0.001),
    Method(
        name="ffmpeg-deflicker",
        place=f"{_BASELINES}.ffmpeg:ffmpeg_deflicker",
        source="FFmpeg",
        seconds_a_frame=0.005,
    ),
    Method(
        name="ffmpeg-tmidequalizer",
        place=f"{_BASELINES}.ffmpeg:ffmpeg_tmidequalizer",
        source="FFmpeg, after Delon 2006",
        seconds_a_frame=0.02,
    ),
    Method(
        name="histogram",
        place=f"{_BASELINES}.histogram:histogram",
        source="Delon 2006",
        seconds_a_frame=0.02,
    ),
    Method(
        name="average",
        place=f"{_BASELINES}.average:average",
        seconds_a_frame=0.1,
    ),
    _ours("fast", preset="fast", cost=(0.0, 0.05)),
    Method(
        name="bonneel",
        place=f"{_BASELINES}.bonneel:bonneel",
        guided=True,
        source="Bonneel et al. 2015",
        seconds_a_frame=0.2,
    ),
    Method(
        name="convlstm",
        place=f"{_BASELINES}.convlstm:convlstm",
        source="Lei et al. 2023, baseline",
        weights={"weights": "convlstm.safetensors"},
        needs=_TORCH,
        seconds_a_frame=1.4,
        few_kinds=_FEW,
    ),
    Method(
        name="lai",
        place=f"{_BASELINES}.lai:lai",
        guided=True,
        source="Lai et al. 2018",
        weights={"weights": "lai.safetensors"},
        needs=_TORCH,
        seconds_a_frame=1.4,
    ),
    _ours("standard", preset="standard", cost=(6.0, 0.2)),
    _ours("standard+guide", preset="standard", cost=(6.0, 0.2), guided=True),
    _ours("best", preset="best", cost=(30.0, 0.3)),
    Method(
        name="video_prior",
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
    _paper("paper"),
    *(
        _ours(f"standard-without-{part}", preset="standard", cost=(6.0, 0.2), without=part)
        for part in ("tone", "atlas", "neural-filter", "refinement")
    ),
    _paper("paper-without-atlas", without="atlas"),
    _paper("paper-without-refinement", without="refinement"),
)
METHODS = {method.name: method for method in _ALL}
"""By name, cheap ones first; last the ablations, which run when they are asked for."""
