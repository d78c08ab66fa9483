"""Each layer's picture at the film's own size.

The fit runs on proxies; its mappings are smooth, so they hold at full size as well. Full-size
frames painted along them give a picture as sharp as the film.
"""

from __future__ import annotations

import cv2
import numpy as np
import torch
from jaxtyping import Float32

from unflicker.atlas.canvas import Canvas, Painting
from unflicker.atlas.grid import GridLayer, GridLight
from unflicker.atlas.make import ShotAtlas

_MOST_TEXELS = 16_000_000
_OUTLIER = 0.06
_BELONGS = 0.5
_SLIGHT = 0.05
"""Alpha is kept from 0 and 1 during the fit; values within this of them are rounded."""
_LEAST_SHOWN = 1e-3


class AtlasPicture:
    """All layers of a shot's atlas, painted from its frames at their own size."""

    def __init__(self, atlas: ShotAtlas, *, size: tuple[int, int]) -> None:
        """Begin with empty canvases for frames of a height and width."""
        self._atlas, self._size = atlas, size
        light = atlas.model.light
        self._light = light.as_slow_light() if isinstance(light, GridLight) else None
        finer = size[0] / atlas.size[0]
        self.canvases = [
            _canvas(atlas, layer, finer=finer) for layer in range(len(atlas.model.layers))
        ]
        self._paintings = [Painting(canvas) for canvas in self.canvases]
        self.textures: list[Float32[np.ndarray, "rows columns 3"]] = []

    def add(
        self,
        frame: int,
        picture: Float32[np.ndarray, "height width 3"],
        proxy: Float32[np.ndarray, "rows columns 3"],
    ) -> None:
        """Paint a frame on its layers, with less weight where the fitted atlas does not match it.

        Args:
            frame: Its index.
            picture: RGB at full size, in [0, 1].
            proxy: The same at the atlas's size.
        """
        error = cv2.GaussianBlur((self._atlas.rendered(frame) - proxy) ** 2, (0, 0), 1.0).mean(-1)
        agrees = 1.0 / (1.0 + error / np.float32(_OUTLIER**2)) ** 2
        flat = picture / self.gain(frame)
        for layer, painting in enumerate(self._paintings):
            weight = self._grown(agrees * _shares(self._atlas, frame)[layer])
            painting.add(flat, self.places(frame, layer), weight)

    def finish(self) -> None:
        """Finish the pictures of all layers."""
        self.textures = [np.clip(painting.texture(), 0.0, 1.0) for painting in self._paintings]

    def shown(self, layer: int) -> Float32[np.ndarray, "rows columns"]:
        """Visibility of each texel of a layer, 0 to 1."""
        return np.clip(self._paintings[layer].seen * 2.0, 0.0, 1.0)

    def rendered(self, frame: int) -> Float32[np.ndarray, "height width 3"]:
        """A frame rendered from the finished pictures, in [0, 1]."""
        shares = _shares(self._atlas, frame)
        total = np.zeros((*self._size, 3), np.float32)
        for layer, (canvas, texture) in enumerate(zip(self.canvases, self.textures, strict=True)):
            share = self._grown(shares[layer])[..., None]
            total += share * canvas.look_up(texture, self.places(frame, layer))
        return np.clip(total * self.gain(frame), 0.0, 1.0)

    def drawn(
        self, frame: int, drawings: dict[int, Float32[np.ndarray, "rows columns 4"]]
    ) -> tuple[Float32[np.ndarray, "height width 3"], Float32[np.ndarray, "height width"]]:
        """Drawings on layers as they appear in a frame: premultiplied colour, and opacity.

        Args:
            frame: Its index.
            drawings: By layer: RGB and opacity in [0, 1], over the layer's canvas.
        """
        shares = _shares(self._atlas, frame)
        colour = np.zeros((*self._size, 3), np.float32)
        opaque = np.zeros(self._size, np.float32)
        for layer, drawing in drawings.items():
            premultiplied = drawing * np.concatenate(
                [np.repeat(drawing[..., 3:], 3, axis=-1), np.ones_like(drawing[..., :1])], axis=-1
            )
            seen = self.canvases[layer].look_up(premultiplied, self.places(frame, layer))
            share = self._grown(shares[layer])
            colour += seen[..., :3] * share[..., None]
            opaque += seen[..., 3] * share
        opaque[opaque < _LEAST_SHOWN] = 0.0
        return np.clip(colour * self.gain(frame), 0.0, 1.0), np.clip(opaque, 0.0, 1.0)

    def coverage(self, frame: int) -> Float32[np.ndarray, "height width"]:
        """Alpha of the layers above the lowest in a frame."""
        return self._grown(1.0 - _shares(self._atlas, frame)[0])

    def gain(self, frame: int) -> Float32[np.ndarray, "height width 3"] | np.float32:
        """The slow light of a frame."""
        if self._light is None:
            return np.float32(1.0)
        return self._light.gain(frame, size=self._size)

    def places(self, frame: int, layer: int) -> Float32[np.ndarray, "height width 2"]:
        """Places of a frame's pixels in a layer, in px of the proxy, x first.

        Args:
            frame: Its index.
            layer: 0 is the lowest.
        """
        module = self._atlas.model.layers[layer]
        if isinstance(module, GridLayer):
            with torch.no_grad():
                nodes = module.nodes[frame].cpu().numpy()
            return module.mesh.dense(nodes, size=self._size)
        return self._grown(self._atlas.places(frame, layer=layer))

    def _grown(self, small: np.ndarray) -> np.ndarray:
        return cv2.resize(small, self._size[::-1], interpolation=cv2.INTER_LINEAR)


def _shares(atlas: ShotAtlas, frame: int) -> Float32[np.ndarray, "layers rows columns"]:
    """Weight of each layer at each pixel; slight weights of upper layers are set to zero."""
    shares = atlas.shares(frame)
    shares[1:] = np.clip((shares[1:] - _SLIGHT) / (1.0 - 2.0 * _SLIGHT), 0.0, 1.0)
    shares[0] = np.maximum(1.0 - shares[1:].sum(axis=0), 0.0)
    return shares


def _canvas(atlas: ShotAtlas, layer: int, *, finer: float) -> Canvas:
    """A canvas for all of a layer that any frame shows, with a texel for each pixel of the film."""
    belonging = []
    for frame in range(atlas.frames):
        places = atlas.places(frame, layer=layer)
        shown = atlas.shares(frame)[layer] > _BELONGS
        belonging.append(places[shown] if shown.any() else places[:1, 0])
    every = np.concatenate(belonging)
    return Canvas.around(every, texels_per_px=max(1.0, finer), most_texels=_MOST_TEXELS)
