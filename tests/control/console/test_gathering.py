"""Points of a map gathered into groups: none is lost, what is apart stays apart, and the date line is no wall."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from simward.control.console.gathering import View, gather

WORLD = View(-180, -90, 180, 90, 2)
DEGREES = st.tuples(st.floats(-85, 85), st.floats(-179.9, 179.9))


def points(*places: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    both = np.array(places, np.float64).reshape(-1, 2)
    return both[:, 0], both[:, 1]


@given(st.lists(DEGREES, max_size=60), st.floats(0, 12))
def test_every_point_in_view_is_in_one_group(places: list[tuple[float, float]], zoom: float) -> None:
    assert gather(*points(*places), View(-180, -90, 180, 90, zoom)).count.sum() == len(places)


def test_what_is_apart_is_gathered_only_from_afar() -> None:
    oslo, bergen = (59.91, 10.75), (60.39, 5.32)
    assert list(gather(*points(oslo, bergen, oslo), View(0, 50, 20, 70, 0)).count) == [3]
    assert list(gather(*points(oslo, bergen, oslo), View(0, 50, 20, 70, 8)).count) == [2, 1]


def test_what_is_out_of_view_is_left_out() -> None:
    assert not len(gather(*points((59.9, 10.7)), View(-10, 0, 0, 70, 3)).count)


def test_a_view_may_cross_the_date_line() -> None:
    found = gather(*points((-17.0, 179.0), (-17.0, -179.0)), View(170, -30, 190, 0, 8))
    assert sorted(found.longitude) == [179.0, 181.0]


def test_a_group_has_the_worst_weight_in_it() -> None:
    up, across = points((59.9, 10.7), (59.9, 10.7))
    assert list(gather(up, across, WORLD, np.array([2, 5])).weight) == [5]
