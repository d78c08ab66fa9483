"""Facts that encoders take from each frame: its fields, and the shape of its pixels.

PyAV cannot set them on a frame; FFmpeg's filters `setfield` and `setsar` can.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from av.filter import Graph
from av.video.frame import VideoFrame

from unflicker.video.traits import Traits

TOP_FIRST = (2, 5)
"""FFmpeg's numbers of the field orders that show the upper field first (AVFieldOrder)."""
FROM_FRAMES = ("mpeg2video", "mpeg1video", "mpeg4", "ffv1", "prores", "prores_ks", "prores_aw")
"""Encoders that write the fields, and some the shape, as each frame says."""
BY_FIELDS = ("mpeg2video", "mpeg4", "prores", "prores_ks", "prores_aw", "dvvideo")
"""Encoders that code interlaced frames otherwise: by FFmpeg's flags ildct and ilme."""
INTERLACED_FLAGS = 1 << 18 | 1 << 29
"""AV_CODEC_FLAG_INTERLACED_DCT and AV_CODEC_FLAG_INTERLACED_ME."""
_ANY_UNIT = Fraction(1, 90_000)


class FrameFacts:
    """Marks frames before they are encoded."""

    def __init__(self, traits: Traits, *, encoder: str) -> None:
        """Choose what to mark.

        Args:
            traits: Of the film.
            encoder: FFmpeg's name.
        """
        self._steps: list[tuple[str, str]] = []
        self._graph: Any = None
        if encoder not in FROM_FRAMES:
            return
        if traits.field_order > 1:
            order = "tff" if traits.field_order in TOP_FIRST else "bff"
            self._steps.append(("setfield", order))
        if traits.sample_aspect:
            shape = traits.sample_aspect
            self._steps.append(("setsar", f"{shape.numerator}/{shape.denominator}"))

    def marked(self, frame: VideoFrame) -> VideoFrame:
        """The same picture, marked; its time is to be set again."""
        if not self._steps:
            return frame
        if self._graph is None:
            self._graph = self._built(frame)
        frame.pts = None
        self._graph.vpush(frame)
        return self._graph.vpull()

    def _built(self, frame: VideoFrame) -> Graph:
        graph = Graph()
        last = graph.add_buffer(
            width=frame.width, height=frame.height, format=frame.format, time_base=_ANY_UNIT
        )
        for name, arguments in self._steps:
            step = graph.add(name, arguments)
            last.link_to(step)
            last = step
        last.link_to(graph.add("buffersink"))
        graph.configure()
        return graph
