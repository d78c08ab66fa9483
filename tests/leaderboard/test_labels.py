"""Names beside points."""

import itertools

import numpy as np
import pytest
from matplotlib.text import Text

from unflicker.evaluation.registry import method_of
from unflicker.leaderboard.labels import place_labels
from unflicker.leaderboard.plots import Point
from unflicker.report.style import ON_WHITE, figure_of, in_house_style

NAMES = ("fast", "standard", "best", "histogram", "ffmpeg-deflicker", "average", "paper", "lai")


def boxes(points):
    with in_house_style(ON_WHITE):
        figure = figure_of(height_in=5.4)
        ax = figure.subplots()
        for point in points:
            ax.plot([point.x], [point.y], "o")
        ax.margins(0.2)
        place_labels(figure, ax, points, ON_WHITE)
        figure.draw_without_rendering()
        names = [text for text in ax.texts if text.get_text()]  # without leader lines
        return [Text.get_window_extent(name) for name in names]


@pytest.mark.parametrize("seed", range(4))
def test_names_of_crowded_points_do_not_cover_each_other(seed):
    places = np.random.default_rng(seed).normal(0.0, 0.15, (len(NAMES), 2))
    places[0] = 1.0, 1.0
    points = [
        Point(method=method_of(name), x=float(x), y=float(y), marked=False)
        for name, (x, y) in zip(NAMES, places, strict=True)
    ]
    placed = boxes(points)
    assert len(placed) == len(NAMES)
    for one, other in itertools.combinations(placed, 2):
        assert not one.overlaps(other)
