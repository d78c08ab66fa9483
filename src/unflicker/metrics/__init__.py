"""Numbers for results: nearness to the truth, steadiness along the motion, visible flicker."""

from unflicker.metrics.consistency import (
    warping_error,
    warping_error_ratio,
    warping_error_to_first,
)
from unflicker.metrics.fidelity import pooled_psnr, psnr, psnr_by_frame, sharpness_ratio, ssim
from unflicker.metrics.visible import visible_flicker, visible_flicker_by_frame

__all__ = [
    "pooled_psnr",
    "psnr",
    "psnr_by_frame",
    "sharpness_ratio",
    "ssim",
    "visible_flicker",
    "visible_flicker_by_frame",
    "warping_error",
    "warping_error_ratio",
    "warping_error_to_first",
]
