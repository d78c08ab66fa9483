"""Short steady scenes of many kinds, made from photographs: what editing, cameras, light and
screens do to a picture. Each is a function of a `Maker`, which gives one of a frame's index."""

from scenes import cameras, editing, light, screens, things
from scenes.drawing import FPS, SCENES, rendered

__all__ = ["FPS", "SCENES", "cameras", "editing", "light", "rendered", "screens", "things"]
