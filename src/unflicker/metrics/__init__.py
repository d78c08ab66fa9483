"""Metrics: distance to the ground truth, stability along the motion, visible flicker."""

from unflicker.metrics.colour import delta_e
from unflicker.metrics.consistency import (
    Paths,
    e_warp,
    lai_warp,
    over_own,
    squared_warping_error,
    vbench_flickering_gain,
    warping_error,
    warping_error_ratio,
    warping_error_to_first,
)
from unflicker.metrics.fidelity import (
    contrast_ratio,
    pooled_psnr,
    psnr,
    psnr_by_frame,
    sharpness_ratio,
    ssim,
    worst_psnr,
)
from unflicker.metrics.flashes import FlashCounter, Flashes, flashes_in
from unflicker.metrics.level import level_free_psnr, level_free_psnr_of
from unflicker.metrics.perceptual import lpips, perceptual_measures, vmaf
from unflicker.metrics.pictures import PROXY_PX, on_proxies
from unflicker.metrics.visible import (
    VisibleStrength,
    mean_strength,
    visible_flicker,
    visible_flicker_by_frame,
    visible_flicker_by_place,
    visible_strength,
)

__all__ = [
    "PROXY_PX",
    "FlashCounter",
    "Flashes",
    "Paths",
    "VisibleStrength",
    "contrast_ratio",
    "delta_e",
    "e_warp",
    "flashes_in",
    "lai_warp",
    "level_free_psnr",
    "level_free_psnr_of",
    "lpips",
    "mean_strength",
    "on_proxies",
    "over_own",
    "perceptual_measures",
    "pooled_psnr",
    "psnr",
    "psnr_by_frame",
    "sharpness_ratio",
    "squared_warping_error",
    "ssim",
    "vbench_flickering_gain",
    "visible_flicker",
    "visible_flicker_by_frame",
    "visible_flicker_by_place",
    "visible_strength",
    "vmaf",
    "warping_error",
    "warping_error_ratio",
    "warping_error_to_first",
    "worst_psnr",
]
