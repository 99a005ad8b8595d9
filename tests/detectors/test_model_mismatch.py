"""model-mismatch: what a device reports does not go with its model."""

from __future__ import annotations

from story import LTE, METER, NB_IOT, OTHER_METER, PHONE, POLICY, Story

UNBOUND = POLICY.replace("first-use", "none").replace(", rat: [nb-iot, lte-m]", "")
MODELS = [(METER // 10**6, 1, (NB_IOT,)), (PHONE // 10**6, 2, (LTE, 10))]


def test_fires_for_a_technology_that_the_model_cannot_use() -> None:
    story = Story(UNBOUND, models=MODELS).attaches(rat=NB_IOT).attaches(rat=LTE)
    assert story.findings == ["model-mismatch/rat"]
    assert story.attaches(rat=NB_IOT).open == []


def test_fires_when_another_model_was_declared() -> None:
    story = Story(UNBOUND, models=MODELS, imeis={0: METER}).attaches(device=PHONE, rat=LTE)
    assert story.findings == ["model-mismatch/declared-model"]


def test_stays_quiet_about_another_unit_of_the_declared_model() -> None:
    assert Story(UNBOUND, models=MODELS, imeis={0: METER}).attaches(device=OTHER_METER).findings == []


def test_stays_quiet_about_models_that_are_not_listed() -> None:
    assert Story(UNBOUND, models=MODELS).attaches(device=49000000000001, rat=LTE).findings == []
    assert Story(UNBOUND).attaches(rat=LTE).findings == []


def test_boundary_a_technology_that_is_not_reported_says_nothing() -> None:
    story = Story(UNBOUND, models=MODELS).attaches(rat=LTE)
    assert story.attaches(rat=0).findings == ["model-mismatch/rat"]
    assert story.attaches(device=0, rat=NB_IOT).open == ["model-mismatch/rat"], "no device, no opinion"


def test_boundary_a_model_without_technologies_can_use_all() -> None:
    assert Story(UNBOUND, models=[(METER // 10**6, 1, ())]).attaches(rat=LTE).findings == []
