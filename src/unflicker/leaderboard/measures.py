"""Measures: label, meaning, unit and direction of each metric."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

Best = Literal["high", "low", "near 1", ""]


@dataclass(frozen=True, kw_only=True)
class Measure:
    """One number of a score."""

    of: str
    """Its set of metrics."""
    name: str
    """Its name in the set."""
    label: str
    unit: str = ""
    best: Best = ""
    """Which values are good; empty if none are."""
    digits: int = 2
    significant: int = 0
    """Significant digits, for values that span orders of magnitude; 0 to use `digits`."""
    factor: float = 1.0
    """Factor for people: 100 turns a share into per cent."""
    meaning: str = ""
    """One sentence for the page."""

    def worse(self, value: float) -> float:
        """A sort key: greater for worse values."""
        if self.best == "high":
            return -value
        return abs(value - 1.0) if self.best == "near 1" else value

    def shown(self, value: float | None) -> str:
        """The number for people; a dash for None."""
        if value is None:
            return "–"
        value *= self.factor
        digits = self.digits
        if self.significant and value:
            digits = max(0, self.significant - 1 - math.floor(math.log10(abs(value))))
        return f"{value:.{digits}f}"

    @property
    def title(self) -> str:
        """Label and unit."""
        return f"{self.label}, {self.unit}" if self.unit else self.label


PSNR = Measure(
    of="fidelity",
    name="psnr",
    label="PSNR",
    unit="dB",
    best="high",
    digits=1,
    meaning="Peak signal-to-noise ratio to the clean clip; 3 dB are half the squared error.",
)
LEVEL_FREE_PSNR = Measure(
    of="fidelity",
    name="level_free_psnr",
    label="level-free PSNR",
    unit="dB",
    best="high",
    digits=1,
    meaning="PSNR after a curve a channel and a smooth field of gains were "
    "fitted to the clean clip and removed. Both are constant over the clip: a level that a blind "
    "method cannot know.",
)
WARP_RATIO = Measure(
    of="consistency",
    name="e_warp_ratio",
    label="E_warp ratio",
    best="low",
    meaning="Warping error (masked L1 to the previous and the first frame, along the steady "
    "video's motion) over the steady video's own: 1 is as steady as it. Blur lowers it too.",
)
WARP = Measure(
    of="consistency",
    name="e_warp",
    label="E_warp",
    best="low",
    digits=4,
    meaning="The warping error itself.",
)
LAI_RATIO = Measure(
    of="consistency",
    name="lai_warp_ratio",
    label="Lai's warp ratio",
    best="low",
    meaning="The same with squared errors of neighbouring frames, as in Lai et al. 2018.",
)
SEEN_LESS = Measure(
    of="visible",
    name="visible_flicker_less",
    label="flicker removed",
    unit="%",
    best="high",
    digits=0,
    factor=100.0,
    meaning="Reduction of visible flicker, relative to the input; needs no ground truth.",
)
SEEN = Measure(
    of="visible",
    name="visible_flicker",
    label="visible flicker",
    unit="ΔE",
    best="low",
    meaning="Change of light and colour from frame to frame at one point of the scene, weighted by "
    "the eye's temporal sensitivity; below 0.5 hardly visible.",
)
SEEN_WORST = Measure(
    of="visible",
    name="worst_tenth_flicker",
    label="visible, worst tenth",
    unit="ΔE",
    best="low",
    meaning="Visible flicker over the tenth of the picture where it is strongest, so that a small "
    "lamp counts.",
)
VBENCH_GAIN = Measure(
    of="visible",
    name="vbench_flickering_gain",
    label="VBench gain",
    unit="points",
    best="high",
    meaning="VBench's temporal flickering minus the input's, of 100 points. It counts motion too, "
    "so only the difference on one clip is shown; blur raises it.",
)
FLASHES = Measure(
    of="visible",
    name="flashes_a_second",
    label="general flashes",
    unit="a second",
    best="low",
    digits=1,
    meaning="Most general flashes in one second over a quarter of a field of 10 degrees; more than "
    "three may harm photosensitive viewers (WCAG 2.3.1, ITU-R BT.1702).",
)
SHARPNESS = Measure(
    of="fidelity",
    name="sharpness",
    label="sharpness",
    best="near 1",
    digits=3,
    meaning="Fine detail over that of the clean clip: below 1 is blurred, above 1 is grain.",
)
SHARPNESS_TO_INPUT = Measure(
    of="visible",
    name="sharpness_to_input",
    label="sharpness",
    best="near 1",
    digits=3,
    meaning="Fine detail over that of the input.",
)
CONTRAST_TO_INPUT = Measure(
    of="visible",
    name="contrast_to_input",
    label="contrast",
    best="near 1",
    digits=3,
    meaning="Contrast over that of the input.",
)
SSIM = Measure(
    of="fidelity",
    name="ssim",
    label="SSIM",
    best="high",
    digits=3,
    meaning="Structural similarity to the clean clip, at most 1.",
)
WORST_PSNR = Measure(
    of="fidelity",
    name="worst_psnr",
    label="worst frame",
    unit="dB",
    best="high",
    digits=1,
    meaning="PSNR of the worst frame.",
)
POOLED_PSNR = Measure(
    of="fidelity",
    name="pooled_psnr",
    label="pooled PSNR",
    unit="dB",
    best="high",
    digits=1,
    meaning="PSNR of the mean squared error of all frames.",
)
DELTA_E = Measure(
    of="fidelity",
    name="delta_e",
    label="colour error",
    unit="ΔE2000",
    best="low",
    meaning="Distance of colours to the clean clip's; 1 is just visible.",
)
LPIPS = Measure(
    of="perceptual",
    name="lpips",
    label="LPIPS",
    best="low",
    digits=3,
    meaning="Perceptual distance to the clean clip, by a network.",
)
VMAF = Measure(
    of="perceptual",
    name="vmaf",
    label="VMAF",
    best="high",
    digits=1,
    meaning="Quality as viewers would grade it, 0 to 100.",
)
SECONDS = Measure(
    of="cost",
    name="seconds_a_frame",
    label="time",
    unit="s a frame",
    best="low",
    significant=2,
    meaning="Wall-clock time, without set-up if a method reports it separately.",
)
MEMORY = Measure(
    of="cost",
    name="peak_mb",
    label="memory",
    unit="MB",
    best="low",
    digits=0,
    meaning="Peak memory of the process.",
)
SETUP = Measure(
    of="cost",
    name="setup_seconds",
    label="setting up",
    unit="s",
    best="low",
    digits=1,
    meaning="Set-up time, once for each video.",
)
SPEED = Measure(
    of="cost",
    name="frames_a_second",
    label="speed",
    unit="frames/s",
    best="high",
    significant=2,
    meaning="One over the mean time of a frame.",
)
MEASURES = (
    PSNR, LEVEL_FREE_PSNR, POOLED_PSNR, WORST_PSNR, SSIM, SHARPNESS, DELTA_E,
    WARP_RATIO, WARP, LAI_RATIO,
    SEEN, SEEN_LESS, SEEN_WORST, VBENCH_GAIN, FLASHES, SHARPNESS_TO_INPUT, CONTRAST_TO_INPUT,
    LPIPS, VMAF, SPEED, SECONDS, MEMORY, SETUP,
)  # fmt: skip
