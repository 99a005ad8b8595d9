"""Whom a verdict on a finding of behaviour is about, and until when."""

from __future__ import annotations

from pathlib import Path

from simward.engine.behaviour.cohort_numbers import ANY, Cohort
from simward.engine.benign import DAY_US, Benign, Kind, newest_of_each, sentence
from simward.engine.words import Lexicon
from simward.policy.compile import compile_policy
from simward.policy.load import read_policies
from simward.settings import GateSettings, Settings

POLICY = """
use_case: meter
---
use_case: camera
tenant: acme
"""
CAMERA, METER, TAC = 1, 2, 35_000_001


def lexicon() -> Lexicon:
    policy = compile_policy(read_policies({"a.yaml": POLICY}), Settings(Path("/nowhere"), GateSettings()))
    made = Lexicon(lambda kernel: {})
    made.policy(policy.to_bytes())
    return made


def said(until_day: int, finding: str = "w0/1/1024", **of: object) -> dict[str, object]:
    return {"finding": finding, "because": "so", "by": "ada", "until_day": until_day, "bits": 20, **of}


def about(*cohort: int) -> Benign:
    one = Benign.of(5 * DAY_US, said(9, cohort=list(cohort)))
    assert one is not None
    return one


def test_a_cohort_holds_for_those_that_are_in_it() -> None:
    names = lexicon()
    meter = Kind("meter", TAC, "nb-iot")
    for cohort, inside in (
        ((ANY, METER, ANY, ANY), True), ((ANY, METER, TAC, ANY), True), ((ANY, CAMERA, ANY, ANY), False),
        ((ANY, METER, TAC + 1, ANY), False), ((0, ANY, ANY, ANY), True), ((1, ANY, ANY, ANY), False),
        ((ANY, ANY, ANY, ANY), True),
    ):  # fmt: skip
        assert about(*cohort).holds_for((), meter, names) is inside, cohort
    assert not about(ANY, METER, ANY, ANY).holds_for((), None, names), "it is not known what it is"


def test_a_device_holds_for_itself() -> None:
    one = Benign.of(0, said(9, imsi=1_001010000000001))
    assert one is not None and one.subject == "001010000000001"
    assert one.holds_for((1_001010000000001,), None, lexicon()) and not one.holds_for((5,), None, lexicon())


def test_it_holds_up_to_and_with_its_last_day() -> None:
    one = about(ANY, METER, ANY, ANY)
    assert one.in_force(10 * DAY_US - 1) and not one.in_force(10 * DAY_US)
    told = one.told(lexicon(), 0)
    assert told["until"] == "1970-01-10" and told["about"] == "use case meter"
    assert "Of its cohort (use case meter) more is allowed until 1970-01-10: ada said on 1970-01-06" in sentence(told)


def test_the_newest_of_each_is_in_force_and_what_was_erased_is_nobodys() -> None:
    rows = [(1, said(9, imsi=7)), (2, said(0, cohort=[ANY, 1, ANY, ANY])), (3, said(8, "w0/2/1024", imsi=7)),
            (4, said(9, imsi=0))]  # fmt: skip
    assert [(one.at, one.until) for one in newest_of_each(rows)] == [(2, None), (3, "1970-01-09")]
    assert not Cohort(0, 0, 0, 0).rat
