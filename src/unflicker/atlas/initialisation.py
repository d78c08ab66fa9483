"""Initialisation of an atlas, without gradient descent: motion chained from frame to frame.

Each frame's mapping comes from its neighbour's and the flow between them. Then the atlas is
painted, each frame is matched to its rendering, and its mapping is updated; twice. The fit then
takes hundreds of steps instead of ten thousand.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np
from jaxtyping import Float32

from unflicker.atlas.canvas import Canvas, Painting
from unflicker.atlas.light import COLUMNS, ROWS, SlowLight, flicker_in
from unflicker.atlas.mesh import Mesh
from unflicker.compute.threads import check_stopped, in_parallel
from unflicker.frames.flow import Motion, look_up, pixel_places

Match = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]
"""Flow from one picture to another, and visibility there (`motion.match`)."""

_STIFFNESS = 0.25
_UNSEEN = 1e-6
"""Weight of a pixel without motion: almost zero, enough to constrain the map."""
_RIM, _AT_THE_RIM = np.ones((9, 9), np.uint8), 0.001
_OUTLIER = 0.06
"""Colour error with a quarter of the weight: ghosts and flicker are outliers."""
_LOOKS_FOR_OUTLIERS = 1
_COUNTS_AT_LEAST = 0.5
_MOST_TEXELS = 2_000_000


@dataclass(frozen=True, kw_only=True, eq=False)
class Initialisation:
    """One layer of an atlas: the mapping of each frame, and its picture."""

    mesh: Mesh
    nodes: Float32[np.ndarray, "time rows columns 2"]
    """Places in the atlas, in px, at the nodes of each frame's mesh."""
    canvas: Canvas
    texture: Float32[np.ndarray, "height width 3"]
    light: SlowLight

    def places(self, frame: int) -> Float32[np.ndarray, "height width 2"]:
        """Place of each pixel of a frame in the atlas."""
        return self.mesh.dense(self.nodes[frame])

    def rendered(self, frame: int) -> Float32[np.ndarray, "height width 3"]:
        """The atlas's rendering of that frame."""
        size = self.mesh.height, self.mesh.width
        flat = self.canvas.look_up(self.texture, self.places(frame))
        return flat * self.light.gain(frame, size=size)


@dataclass(frozen=True, kw_only=True, eq=False)
class Seen:
    """The frames that an atlas explains."""

    frames: Float32[np.ndarray, "time height width 3"]
    motion: Motion
    counts: Float32[np.ndarray, "time height width"]
    """How far each pixel belongs to the layer, 0 to 1."""
    painted: Float32[np.ndarray, "time height width"]
    """Weight of each pixel in the picture: `counts`, but 0 for held-out frames."""

    def followed(self, frame: int) -> Float32[np.ndarray, "height width"]:
        """How far each pixel's motion is the layer's: less at borders, where two motions blur."""
        counts = self.counts[frame]
        return cv2.erode(counts, _RIM) + np.float32(_AT_THE_RIM) * counts

    def whole(self) -> Seen:
        """The same without held-out frames."""
        return replace(self, painted=self.counts)


def initialised(
    seen: Seen, *, mesh: Mesh, texels_per_px: float, knots_apart: float, rounds: int, match: Match
) -> Initialisation:
    """The initialisation of an atlas of one layer.

    Args:
        seen: Frames of the layer.
        mesh: Of each frame's mapping.
        texels_per_px: Resolution of the canvas.
        knots_apart: Frames between knots of the slow light.
        rounds: How often frames are matched to the atlas.
        match: Estimates the flow between two pictures.
    """
    nodes = _chained(seen, mesh)
    light = SlowLight.even(frames=len(seen.frames), knots_apart=knots_apart)
    sketch = painted(seen, nodes, mesh=mesh, light=light, texels_per_px=texels_per_px)
    for _ in range(rounds):
        sketch = matched(sketch, seen, match)
    return sketch


def matched(sketch: Initialisation, seen: Seen, match: Match) -> Initialisation:
    """The layer after each frame has been registered to its picture and painted again.

    Args:
        sketch: The initialisation so far.
        seen: Frames of the layer.
        match: Registers two pictures.
    """
    return repainted(replace(sketch, nodes=_matched(seen, sketch, match)), seen)


def _chained(seen: Seen, mesh: Mesh) -> Float32[np.ndarray, "time rows columns 2"]:
    """Mappings from motion alone: identity for the middle frame, chained flow for the others."""
    count = len(seen.frames)
    middle = count // 2
    nodes = np.empty((count, mesh.rows, mesh.columns, 2), np.float32)
    nodes[middle] = mesh.node_places()
    motion = seen.motion

    def later(_: int) -> None:
        for t in range(middle + 1, count):
            check_stopped()
            flow, visible = motion.backward[t - 1], motion.visible_backward[t - 1]
            nodes[t] = _carried(mesh, nodes[t - 1], flow, visible * seen.followed(t))

    def earlier(_: int) -> None:
        for t in range(middle - 1, -1, -1):
            check_stopped()
            flow, visible = motion.forward[t], motion.visible_forward[t]
            nodes[t] = _carried(mesh, nodes[t + 1], flow, visible * seen.followed(t))

    for _ in in_parallel(lambda way: way(0), (later, earlier)):
        pass
    return nodes


def _carried(
    mesh: Mesh,
    nodes: Float32[np.ndarray, "rows columns 2"],
    flow: Float32[np.ndarray, "height width 2"],
    weight: Float32[np.ndarray, "height width"],
) -> Float32[np.ndarray, "rows columns 2"]:
    """The mapping of a frame from the flow to a picture with a known mapping."""
    here = pixel_places(mesh.height, mesh.width)
    moved = mesh.dense(nodes) - here
    places = look_up(moved, here + flow) + here + flow
    return mesh.fit(places, weight + np.float32(_UNSEEN), stiffness=_STIFFNESS)


def _matched(
    seen: Seen, sketch: Initialisation, match: Match
) -> Float32[np.ndarray, "time rows columns 2"]:
    """Mappings updated by the flow from each frame to the atlas's rendering."""

    def moved(t: int) -> np.ndarray:
        flow, visible = match(seen.frames[t], np.clip(sketch.rendered(t), 0.0, 1.0))
        return _carried(sketch.mesh, sketch.nodes[t], flow, visible * seen.followed(t))

    return np.stack(list(in_parallel(moved, range(len(seen.frames)))))


def painted(
    seen: Seen,
    nodes: Float32[np.ndarray, "time rows columns 2"],
    *,
    mesh: Mesh,
    light: SlowLight,
    texels_per_px: float,
) -> Initialisation:
    """A layer's initialisation from frames and their mappings, by robust averaging.

    Args:
        seen: Frames of the layer.
        nodes: Mapping of each frame, at the nodes of `mesh`, in px.
        mesh: Of all frames.
        light: Slow light to divide out.
        texels_per_px: Resolution of the canvas.
    """
    places = np.stack([mesh.dense(frame) for frame in nodes])
    counting = places[seen.counts > _COUNTS_AT_LEAST]
    canvas = Canvas.around(
        counting if counting.size else places,
        texels_per_px=texels_per_px,
        most_texels=_MOST_TEXELS,
    )
    weight = seen.painted
    sketch = _laid(seen, nodes, places, weight, (mesh, canvas, light))
    for _ in range(_LOOKS_FOR_OUTLIERS):
        frames, flat, regions, weight = _compared(seen, sketch)
        light = sketch.light.seen_in(frames, flat, regions)
        sketch = _laid(seen, nodes, places, weight, (mesh, canvas, light))
    return sketch


def repainted(sketch: Initialisation, seen: Seen) -> Initialisation:
    """The layer with its picture painted from other frames or other parts of them.

    Args:
        sketch: Gives the mappings.
        seen: Frames to paint.
    """
    return painted(
        seen,
        sketch.nodes,
        mesh=sketch.mesh,
        light=sketch.light,
        texels_per_px=sketch.canvas.texels_per_px,
    )


def _laid(
    seen: Seen,
    nodes: np.ndarray,
    places: np.ndarray,
    weight: np.ndarray,
    on: tuple[Mesh, Canvas, SlowLight],
) -> Initialisation:
    """All frames, without slow light, painted on the canvas."""
    mesh, canvas, light = on
    painting = Painting(canvas)
    size = mesh.height, mesh.width
    for t, frame in enumerate(seen.frames):
        check_stopped()
        painting.add(frame / light.gain(t, size=size), places[t], weight[t])
    return Initialisation(
        mesh=mesh,
        nodes=nodes,
        canvas=canvas,
        texture=painting.texture(),
        light=light,
    )


def flicker_of(seen: Seen, sketch: Initialisation) -> SlowLight:
    """Difference of each frame's light from the initialisation's, region by region.

    Args:
        seen: Frames of the layer.
        sketch: Its initialisation.
    """
    frames, flat, regions, _ = _compared(seen, sketch)
    slow = np.exp(np.tensordot(sketch.light.hats, sketch.light.knots, axes=1))
    return flicker_in(frames, flat * slow, regions)


def _compared(seen: Seen, sketch: Initialisation) -> tuple[np.ndarray, ...]:
    """Sums over regions of frames, of the picture without light, and of weights; and the weight of
    each pixel, less for outliers."""
    size = sketch.mesh.height, sketch.mesh.width
    weights = np.empty_like(seen.painted)

    def look(t: int) -> tuple[np.ndarray, ...]:
        flat = sketch.canvas.look_up(sketch.texture, sketch.places(t))
        miss = seen.frames[t] - flat * sketch.light.gain(t, size=size)
        error = cv2.GaussianBlur((miss * miss).mean(axis=-1), (0, 0), 1.0)
        weights[t] = seen.painted[t] / (1.0 + error / np.float32(_OUTLIER**2)) ** 2
        by_region = [weights[t][..., None] * picture for picture in (seen.frames[t], flat)]
        return tuple(_regions(picture) for picture in (*by_region, weights[t]))

    sums = list(in_parallel(look, range(len(seen.frames))))
    return (*(np.stack(part) for part in zip(*sums, strict=True)), weights)


def _regions(picture: np.ndarray) -> np.ndarray:
    return cv2.resize(picture, (COLUMNS, ROWS), interpolation=cv2.INTER_AREA)
