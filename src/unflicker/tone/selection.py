"""Forward selection of shapes that explain levels of light, the one that explains most first.

Source: orthogonal forward selection in generalised least squares, e.g. Chen, Billings and Luo,
International Journal of Control 50 (1989).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from unflicker.tone.weighing import deviation_of, memory_of, projector


@dataclass(frozen=True, kw_only=True, eq=False)
class Judged:
    """How levels of light flicker."""

    scale: Float[np.ndarray, " parts"]
    """One over the deviation of each part's flicker."""
    memory: float
    """Correlation of flicker between neighbouring frames."""
    weigh: Float[np.ndarray, "time time"]
    """Weights of deviations from the smooth curve."""

    @classmethod
    def of(
        cls, calm: Float[np.ndarray, "time parts"], *, smoothness: Float[np.ndarray, "time time"]
    ) -> Judged:
        """The flicker of levels without the shapes that are known.

        Args:
            calm: Levels, frame by frame.
            smoothness: The matrix of the smooth curve's penalty, relative to the flicker's
                variance.
        """
        changes = np.diff(calm, axis=0)
        deviation = deviation_of(changes)
        memory = memory_of(changes / deviation)
        return cls(
            scale=np.sqrt(2.0 - 2.0 * memory) / deviation,
            memory=memory,
            weigh=projector(len(calm), memory, smoothness),
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Unexplained:
    """What of some levels no chosen shape explains, and what each shape has in common with it."""

    levels: Float[np.ndarray, "time parts"]
    """In deviations of their flicker."""
    shapes: Float[np.ndarray, "time shapes"]
    weighed: Float[np.ndarray, "time shapes"]
    seen: Float[np.ndarray, "shapes parts"]
    power: Float[np.ndarray, " shapes"]
    alone: Float[np.ndarray, " shapes"]
    """Power of each shape before any was chosen."""

    @classmethod
    def of(
        cls,
        levels: Float[np.ndarray, "time parts"],
        shapes: Float[np.ndarray, "time shapes"],
        weigh: Float[np.ndarray, "time time"],
    ) -> Unexplained:
        """Everything: no shape is chosen.

        Args:
            levels: In deviations of their flicker.
            shapes: Columns to choose from.
            weigh: From `projector`.
        """
        weighed = weigh @ shapes
        power = np.einsum("ts,ts->s", shapes, weighed)
        return cls(
            levels=levels,
            shapes=shapes,
            weighed=weighed,
            seen=weighed.T @ levels,
            power=power,
            alone=np.maximum(power, 1e-9),
        )

    @property
    def significant(self) -> float:
        """What flicker alone hardly ever lets any of the shapes explain."""
        parts, doubt = self.levels.shape[1], np.log(10.0 * self.shapes.shape[1])
        return parts + 2.0 * np.sqrt(parts * doubt) + 2.0 * doubt

    def explained(self) -> Float[np.ndarray, " shapes"]:
        """By how much each shape reduces the weighed squares."""
        explained = (self.seen**2).sum(axis=1) / np.maximum(self.power, 1e-9)
        # What the chosen ones make up already explains nothing more.
        explained[self.power < 1e-3 * self.alone] = 0.0
        return explained

    def without(self, shape: int) -> Unexplained:
        """The same when a shape is chosen, too."""
        along = self.weighed[:, shape] / np.sqrt(self.power[shape])
        shared = along @ self.shapes
        return replace(
            self,
            seen=self.seen - np.outer(shared, along @ self.levels),
            power=self.power - shared**2,
            weighed=self.weighed - np.outer(along, shared),
        )
