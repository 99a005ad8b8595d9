"""Scenes over RADIUS against a gate of their own: attacks are caught, an oddity and everybody else are left alone."""

from __future__ import annotations

import pytest

from simward.lab.score import BACKGROUND
from simward.lab.scoring import Plan, score_radius


@pytest.mark.slow
def test_scenes_are_scored_over_radius() -> None:
    result = score_radius(Plan(("sim-in-phone", "credentials-wrong", "duplicates"), subscriptions=60, seed=3))
    phone, password, duplicates, others = result.scenes
    assert result.passed, result.told()
    assert (phone.caught, phone.missed) == (1, 0)
    assert phone.found["device-change/other-model"] == 1
    assert (password.caught, password.missed, password.found) == (1, 0, {"credentials-wrong/wrong": 1})
    assert duplicates.victims > 0 and not duplicates.note and duplicates.false == 0
    assert others.scene == BACKGROUND and others.victims > 40 and others.false == 0
