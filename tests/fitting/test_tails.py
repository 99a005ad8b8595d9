"""Tails: the shape of a generalised Pareto distribution is found again, and levels are the inverse of probabilities."""

from __future__ import annotations

import numpy as np
import pytest

from simward.fitting.tails import SHAPE_LEAST, Tail, moments, pooled_shape, scale_of, shape_of


@pytest.mark.parametrize("shape", [0.0, 0.1, 0.3])
def test_a_shape_is_found_again(shape: float) -> None:
    uniform = np.random.default_rng(3).random(50_000)
    excess = -np.log(uniform) if shape == 0 else (uniform**-shape - 1) / shape
    first, second = moments(excess, np.ones(len(excess)))
    assert shape_of(first, second) == pytest.approx(shape, abs=0.03)
    assert scale_of(first, shape) == pytest.approx(1.0, rel=0.05)


@pytest.mark.parametrize("shape", [0.0, 0.4])
def test_levels_are_the_inverse_of_probabilities(shape: float) -> None:
    tail = Tail(10.0, 2.0, shape)
    for probability in (1.0, 0.1, 1e-6):
        assert tail.beyond(np.array([tail.level(probability)]))[0] == pytest.approx(probability)


def test_of_nothing_the_tail_is_exponential() -> None:
    assert pooled_shape([]) == SHAPE_LEAST
    assert pooled_shape([(np.array([1.0, 1.0]), np.array([0.0, 0.0]))]) == SHAPE_LEAST


def test_pools_of_another_scale_have_one_shape() -> None:
    chance = np.random.default_rng(4)
    pieces = [(scale * (chance.random(20_000) ** -0.25 - 1), np.ones(20_000)) for scale in (1.0, 50.0)]
    assert pooled_shape(pieces) == pytest.approx(0.25, abs=0.04)
