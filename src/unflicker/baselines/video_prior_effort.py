"""Length and network size of a video prior's fit."""

from __future__ import annotations

from dataclasses import dataclass

from unflicker.errors import UsageError


@dataclass(frozen=True, kw_only=True)
class Effort:
    """Length and network size of a fit."""

    epochs: int
    """Steps for each frame; more steps also fit the flicker."""
    width: int
    """Channels of the network at full size; they double each time the size is halved."""
    window_px: int
    """Side of the random crop of a frame in each step, in px; 0 is the whole frame."""
    rate: float
    """Adam's."""

    def __post_init__(self) -> None:
        """Refuse invalid values."""
        if min(self.epochs, self.width) < 1 or self.window_px < 0 or not self.rate > 0:
            raise UsageError(f"no fit can have {self}; pass one epoch and channel or more")


EFFORTS = {
    "published": Effort(epochs=25, width=32, window_px=0, rate=1e-4),
    "reduced": Effort(epochs=25, width=16, window_px=128, rate=1e-3),
    "quick": Effort(epochs=15, width=8, window_px=96, rate=2e-3),
}
"""As in their program, and two that two cores can afford: smaller networks, crops of each frame, at
a higher rate. All are fitted and applied at the video's own size."""
