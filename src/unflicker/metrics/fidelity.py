"""Distance of a result to the ground truth: PSNR, SSIM, sharpness."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Float32, Float64

from unflicker.metrics.pictures import Pictures, luma, pairs_of_frames

CAP_DECIBEL = 100.0
"""PSNR of a frame without any error."""
_SSIM_SIGMA_PX = 1.5
_SSIM_RADIUS_PX = 5
_SSIM_C1, _SSIM_C2 = 0.01**2, 0.03**2
_LOCAL_LIGHT_PX = 8.0
_LEAST_LIGHT = 0.05


def psnr_by_frame(result: Pictures, reference: Pictures) -> Float64[np.ndarray, " time"]:
    """Peak signal-to-noise ratio of each frame in dB, at most 100; higher is better.

    Over all pixels and the three channels as stored; the peak is white.

    Args:
        result: Frames to assess.
        reference: Ground truth, of the same size and length.
    """
    errors = [
        np.mean((a - b) ** 2, dtype=np.float64) for a, b in pairs_of_frames(result, reference)
    ]
    return decibels(np.array(errors))


def decibels(errors: Float64[np.ndarray, "*any"]) -> Float64[np.ndarray, "*any"]:
    """Mean squared errors as PSNR in dB, at most 100; the peak is 1."""
    return np.minimum(CAP_DECIBEL, -10 * np.log10(np.maximum(errors, 1e-12)))


def psnr(result: Pictures, reference: Pictures) -> float:
    """Mean over frames of their PSNR in dB, 0 to 100; higher is better.

    The mean of decibels is usual for video; a single bad frame weighs less in it than in
    `pooled_psnr`.

    Args:
        result: Frames to assess.
        reference: Ground truth, of the same size and length.
    """
    return float(psnr_by_frame(result, reference).mean())


def pooled_psnr(result: Pictures, reference: Pictures) -> float:
    """PSNR of the mean squared error over all frames, in dB, at most 100.

    Args:
        result: Frames to assess.
        reference: Ground truth, of the same size and length.
    """
    errors = [
        np.mean((a - b) ** 2, dtype=np.float64) for a, b in pairs_of_frames(result, reference)
    ]
    return float(decibels(np.mean(errors, keepdims=True))[0])


def worst_psnr(result: Pictures, reference: Pictures) -> float:
    """PSNR of the worst frame in dB, at most 100; higher is better.

    Args:
        result: Frames to assess.
        reference: Ground truth, of the same size and length.
    """
    return float(psnr_by_frame(result, reference).min())


def ssim(result: Pictures, reference: Pictures) -> float:
    """Structural similarity of luma, mean over frames; 1 is identical.

    Args:
        result: Frames to assess.
        reference: Ground truth, of the same size and length.

    Source: Wang, Bovik, Sheikh and Simoncelli, Image quality assessment: from error visibility to
    structural similarity, IEEE TIP 2004, equation 13; Gaussian window of 11 px and deviation 1.5.
    """
    scores = [_ssim_frame(luma(a), luma(b)) for a, b in pairs_of_frames(result, reference)]
    return float(np.mean(scores))


def sharpness_ratio(result: Pictures, reference: Pictures) -> float:
    """Detail of the result relative to the reference; 1 is as sharp, below 1 softer.

    Detail is the mean gradient magnitude of luma divided by local light, so that gains, global or
    smooth in place, do not count as sharpness. Noise does.

    Args:
        result: Frames to assess.
        reference: Ground truth or input, of the same size and length.
    """
    sums = np.zeros(2)
    for frames in pairs_of_frames(result, reference):
        sums += [_detail(luma(frame)) for frame in frames]
    return float(sums[0] / sums[1]) if sums[1] > 1e-9 else 1.0


def contrast_ratio(result: Pictures, reference: Pictures) -> float:
    """Contrast of the result relative to the reference; 1 is equal, below 1 flatter.

    Contrast is the standard deviation of all stored values of a frame, averaged over frames: blur,
    desaturation and averaging of frames lower it.

    Args:
        result: Frames to assess.
        reference: Ground truth or input, of the same size and length.
    """
    sums = np.zeros(2)
    for frames in pairs_of_frames(result, reference):
        sums += [np.std(frame, dtype=np.float64) for frame in frames]
    return float(sums[0] / sums[1]) if sums[1] > 1e-9 else 1.0


def _ssim_frame(
    one: Float32[np.ndarray, "height width"], other: Float32[np.ndarray, "height width"]
) -> float:
    """Structural similarity of two pictures, without the border that the window crosses."""
    one, other = one.astype(np.float64), other.astype(np.float64)
    mean_one, mean_other = _window(one), _window(other)
    variance_one = _window(one * one) - mean_one**2
    variance_other = _window(other * other) - mean_other**2
    covariance = _window(one * other) - mean_one * mean_other
    light = (2 * mean_one * mean_other + _SSIM_C1) / (mean_one**2 + mean_other**2 + _SSIM_C1)
    form = (2 * covariance + _SSIM_C2) / (variance_one + variance_other + _SSIM_C2)
    score = light * form
    inner = score[_SSIM_RADIUS_PX:-_SSIM_RADIUS_PX, _SSIM_RADIUS_PX:-_SSIM_RADIUS_PX]
    return float(inner.mean() if inner.size else score.mean())


def _window(values: Float64[np.ndarray, "height width"]) -> Float64[np.ndarray, "height width"]:
    side = 2 * _SSIM_RADIUS_PX + 1
    return cv2.GaussianBlur(values, (side, side), _SSIM_SIGMA_PX)


def _detail(values: Float32[np.ndarray, "height width"]) -> float:
    """Mean gradient magnitude, relative to local light."""
    light = cv2.GaussianBlur(values, (0, 0), _LOCAL_LIGHT_PX)
    levelled = values / np.maximum(light, _LEAST_LIGHT)
    across = cv2.Sobel(levelled, cv2.CV_32F, 1, 0)
    down = cv2.Sobel(levelled, cv2.CV_32F, 0, 1)
    return float(np.mean(cv2.magnitude(across, down), dtype=np.float64))
