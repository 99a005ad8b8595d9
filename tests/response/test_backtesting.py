"""What rules would have done with facts that are over: the same judging as today's, with everything in memory."""

from __future__ import annotations

from typing import Any

from simward.policy.load import read_policies
from simward.response import facts as f
from simward.response.rules.backtesting import Outcome, would_act
from simward.response.rules.rule import Rules

MINUTE = 60_000_000
IMSI = "001010000000001"
RULE = """
rule: thief
on: device-change/other-model
if: finding.severity == "high" && !subscription.locked
do: [{lock: {}, after: 10m, unless: bound-device-returns}]
"""


def rules(text: str) -> Rules:
    return Rules(one.value for one in read_policies({"a.yaml": text}).of("rule").values())


def document(number: int, detector: str = "device-change", class_: str = "other-model", **more: Any) -> dict[str, Any]:
    return {"id": f"0/{number}/0", "detector": detector, "class": class_, "severity": "high", "imsi": IMSI,
            "response": "notify", "wanted": "lock", "use_case": "meter", **more}  # fmt: skip


def began(number: int, minute: float, imsi: str = IMSI, **more: Any) -> f.FindingBegan:
    return f.FindingBegan(id=f"0/{number}/0", at=int(minute * MINUTE), sequence=number, imsi=imsi, iccid="89",
                          use_case="meter", document=document(number, **more))  # fmt: skip


def ended(number: int, minute: float) -> f.FindingEnded:
    return f.FindingEnded(id=f"0/{number + 1}/1", at=int(minute * MINUTE), sequence=number + 1, imsi=IMSI,
                          document=document(number))  # fmt: skip


def told(outcomes: list[Outcome]) -> list[tuple[str, float, str]]:
    return [(one.action.deed.action, one.at / MINUTE, one.state) for one in outcomes]


def tick(minute: float) -> f.CommandAnswered:
    """A fact that means nothing here: the recording goes on."""
    return f.CommandAnswered(id="x", at=int(minute * MINUTE), sequence=9, answer="applied")


def test_it_would_have_locked_when_its_time_had_come() -> None:
    outcomes = list(would_act(rules(RULE), [began(1, 0), tick(9.99), tick(10)]))
    assert told(outcomes) == [("lock", 10, "done")]


def test_it_would_not_have_where_the_device_came_back() -> None:
    outcomes = list(would_act(rules(RULE), [began(1, 0), ended(1, 9.99), tick(20)]))
    assert told(outcomes) == [("lock", 10, "cancelled")]
    assert outcomes[0].why == "the bound device is back"


def test_the_boundary_is_the_moment_itself() -> None:
    """What comes in the very microsecond in which it is due comes after."""
    assert told(list(would_act(rules(RULE), [began(1, 0), ended(1, 10)]))) == [("lock", 10, "done")]


def test_what_is_due_after_the_recording_is_judged_as_far_as_one_asks() -> None:
    recording = [began(1, 0)]
    assert list(would_act(rules(RULE), recording)) == []
    assert told(list(would_act(rules(RULE), recording, until=10 * MINUTE))) == [("lock", 10, "done")]


def test_a_condition_that_does_not_hold_does_nothing() -> None:
    locked = f.Locked(id="0/1/0", at=0, sequence=1, imsi=IMSI, until=None, by_person=True)
    assert list(would_act(rules(RULE), [locked, began(2, 1), tick(20)])) == []
    assert list(would_act(rules(RULE), [began(2, 1, severity="low"), tick(20)])) == []


def test_another_tenants_findings_trigger_nothing() -> None:
    assert list(would_act(rules(RULE + "tenant: acme\n"), [began(1, 0), tick(20)])) == []


def test_a_rule_fires_once_whatever_names_its_trigger_has() -> None:
    text = "rule: a\non: [device-change, device-change/other-model, binding.broken]\ndo: [{lock: {}}]"
    assert told(list(would_act(rules(text), [began(1, 0)]))) == [("lock", 0, "done")]


def test_its_own_limit_holds() -> None:
    text = "rule: a\non: device-change\ndo: [{lock: {}}]\nlimits: {per_hour: 1}"
    outcomes = list(would_act(rules(text), [began(1, 0), began(2, 30), began(3, 59.9), began(4, 60)]))
    assert [one.state for one in outcomes] == ["done", "held", "held", "done"]


def test_the_same_trigger_gives_the_same_id() -> None:
    first, second = (next(iter(would_act(rules(RULE), [began(1, 0), tick(11)]))).action.id for _ in range(2))
    assert first == second
    assert len(first) <= 40


def test_a_rule_of_a_later_version_is_left_out(caplog: Any) -> None:
    made = Rules([{"rule": "new", "on": ["device-change"], "do": [{"lock": {}}], "if": "finding.colour == 'red'"}])
    assert made.by_name == {}
    assert "rule 'new' of revision 0 is not judged" in caplog.text
