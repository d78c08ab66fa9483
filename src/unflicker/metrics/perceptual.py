"""Learned perceptual metrics: LPIPS and VMAF, where their library and weights are installed.

Neither comes with unflicker and nothing is downloaded: without them these two are skipped.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jaxtyping import Float32

from unflicker.errors import MissingError
from unflicker.frames.clip import from_float
from unflicker.metrics.pictures import Pictures, as_pixels, pairs_of_frames

LPIPS_BACKBONE = "alexnet-owt-7be5be79.pth"
"""The file of LPIPS's backbone weights; its own small ones come with its library."""
_VMAF_RATE = 25
_LEAST_VMAF_PX = 32


def perceptual_measures(result: Pictures, reference: Pictures) -> dict[str, float]:
    """`lpips` and `vmaf` by name, as far as they are installed; perhaps none.

    Args:
        result: Frames to assess.
        reference: Ground truth, of the same size and length.
    """
    found = {}
    for name, measure in (("lpips", lpips), ("vmaf", vmaf)):
        try:
            found[name] = measure(result, reference)
        except MissingError:
            continue
    return found


def lpips(result: Pictures, reference: Pictures) -> float:
    """Learned distance of pictures, mean over frames; 0 is equal, about 1 unlike.

    Args:
        result: Frames to assess.
        reference: Ground truth, of the same size and length.

    Raises:
        MissingError: The library lpips, or the weights of its backbone, are not installed.

    Source: Zhang, Isola, Efros, Shechtman and Wang, The unreasonable effectiveness of deep features
    as a perceptual metric, CVPR 2018; its version 0.1 on AlexNet.
    """
    distance = _lpips_model()
    return float(np.mean([distance(*frames) for frames in pairs_of_frames(result, reference)]))


def vmaf(result: Pictures, reference: Pictures) -> float:
    """Netflix's fusion of quality measures, 0 to 100; above 90 hardly different.

    Args:
        result: Frames to assess.
        reference: Ground truth, of the same size and length.

    Raises:
        MissingError: No ffmpeg with libvmaf: the package imageio-ffmpeg brings one.

    Source: Li, Aaron, Katsavounidis, Moorthy and Manohara, Toward a practical perceptual video
    quality metric, Netflix 2016; libvmaf's default model. Made for pictures 1080 lines high, and
    less reliable on smaller ones.
    """
    program = _ffmpeg_with_vmaf()
    with tempfile.TemporaryDirectory(prefix="unflicker-vmaf-") as folder:
        places = [Path(folder) / name for name in ("result.rgb", "reference.rgb")]
        with places[0].open("wb") as one, places[1].open("wb") as other:
            for frames in pairs_of_frames(result, reference):
                for frame, file in zip(frames, (one, other), strict=True):
                    file.write(_large_enough(frame).tobytes())
        height, width = (max(side, _LEAST_VMAF_PX) for side in as_pixels(result).shape[1:3])
        return _measured(program, places, size=f"{width}x{height}")


def _measured(program: str, places: list[Path], *, size: str) -> float:
    """VMAF of two files of raw RGB frames, by libvmaf."""
    raw = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", size, "-r", str(_VMAF_RATE)]
    inputs = [word for place in places for word in (*raw, "-i", str(place))]
    done = subprocess.run(
        [program, "-hide_banner", "-v", "error", *inputs, "-lavfi", _graph(), "-f", "null", "-"],
        cwd=places[0].parent,
        capture_output=True,
        text=True,
        check=False,
    )
    log = places[0].with_name("vmaf.json")
    if done.returncode or not log.exists():
        told = done.stderr.strip()[-200:] or f"it ended with {done.returncode}"
        raise MissingError(f"{program} could not measure VMAF: {told}; install another ffmpeg")
    return float(json.loads(log.read_text())["pooled_metrics"]["vmaf"]["mean"])


def _graph() -> str:
    """Both inputs with the same times, counted in frames, into libvmaf."""
    times = f"settb=1/{_VMAF_RATE},setpts=N,format=yuv444p"
    return f"[0:v]{times}[a];[1:v]{times}[b];[a][b]libvmaf=log_fmt=json:log_path=vmaf.json"


def _large_enough(frame: Float32[np.ndarray, "height width 3"]) -> np.ndarray:
    height, width = (max(side, _LEAST_VMAF_PX) for side in frame.shape[:2])
    if (height, width) != frame.shape[:2]:
        frame = cv2.resize(frame, (width, height), interpolation=cv2.INTER_LINEAR)
    return from_float(frame, dtype=np.uint8)


@lru_cache(maxsize=1)
def _ffmpeg_with_vmaf() -> str:
    try:
        program = import_module("imageio_ffmpeg").get_ffmpeg_exe()
    except Exception as fault:
        raise MissingError(
            "VMAF needs an ffmpeg with libvmaf; install one: pip install imageio-ffmpeg"
        ) from fault
    listed = subprocess.run(
        [program, "-hide_banner", "-filters"], capture_output=True, text=True, check=False
    )
    if " libvmaf " not in listed.stdout:
        raise MissingError(f"{program} has no libvmaf; install another: pip install imageio-ffmpeg")
    return program


@lru_cache(maxsize=1)
def _lpips_model() -> Any:
    """A function of two pictures; the model loads its weights from disk, never from the network."""
    try:
        torch, library = import_module("torch"), import_module("lpips")
    except Exception as fault:  # its torchvision breaks in more ways than by not being there
        raise MissingError("LPIPS needs its library; install it: pip install lpips") from fault
    weights = Path(torch.hub.get_dir()) / "checkpoints" / LPIPS_BACKBONE
    if not weights.exists():
        raise MissingError(f"LPIPS needs {LPIPS_BACKBONE}; put the file into {weights.parent}")
    model = library.LPIPS(net="alex", verbose=False).eval()

    def distance(one: np.ndarray, other: np.ndarray) -> float:
        tensors = [
            torch.from_numpy(np.ascontiguousarray(frame)).permute(2, 0, 1)[None] * 2 - 1
            for frame in (one, other)
        ]
        with torch.no_grad():
            return float(model(*tensors))

    return distance
