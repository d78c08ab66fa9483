"""The presets as data: their differences from the defaults."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

PRESETS: Mapping[str, Mapping[str, Any]] = {
    "fast": {"atlas.layers": 0, "refinement.used": False},
    "standard": {},
    "best": {"atlas.used": True, "atlas.layers": 0, "atlas.steps": 1000},
    "paper": {
        "method": "redraw",
        "fine_light.used": False,
        "atlas.used": True,
        "atlas.kind": "mlp",
        "atlas.steps": 10_001,
        "atlas.points": 10_000,
        "atlas.colour": 5000.0,
        "atlas.outlier": 0.0,
        "atlas.gradient": 1000.0,
        "atlas.stops_early": False,
        "atlas.flow": 500.0,
        "atlas.flow_both_ways": True,
        "atlas.longest_stride": 1,
        "atlas.rigidity": 1.0,
        "atlas.global_rigidity": 5.0,
        "atlas.bending": 0.0,
        "atlas.evenness": 0.0,
        "atlas.bootstrapping": 2000.0,
        "atlas.bootstrapping_steps": 10_000,
        "atlas.alpha_flow": 49.0,
        "atlas.sparsity": 1000.0,
        "refinement.used": True,
        "window.frames": 200,
    },
}
"""Differences of each preset from the defaults; `paper` is Lei et al. 2023, with the layers of
Kasten et al. 2021."""
STAGES = {
    "tone": "tone.used",
    "fine-light": "fine_light.used",
    "atlas": "atlas.used",
    "neural-filter": "neural_filter.used",
    "refinement": "refinement.used",
}
"""The stages that can be switched off, and the setting of each."""
NEURAL_LIBRARIES = ("torch", "safetensors")
"""Libraries that atlases and networks need."""
