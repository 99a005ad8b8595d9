"""Rules are read or refused with a line and the nearest right spelling; their conditions have types and a bound."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
import yaml

from simward.errors import ConfigurationError
from simward.policy.compile import CANONICAL, compile_policy
from simward.policy.conditions import CHARACTERS_MAX, FIELDS, Condition, ConditionError
from simward.policy.inventory import Inventory
from simward.policy.load import not_enforced, read_policies
from simward.policy.plan import Current, plan
from simward.policy.schema import json_schema
from simward.settings import Endpoint, Settings

RULE = """
rule: stolen
on: [device-change/other-model, binding.broken]
if: finding.severity == "high" && subscription.use_case.startsWith("m")
do:
  - notify: {endpoint: ops}
  - lock:
    after: 10m
    unless: bound-device-returns
  - open-incident: {severity: high}
    unless: incident.findings > 3 || now.getHours("Europe/Oslo") < 6
mode: live
limits: {per_hour: 20}
"""
OPS = Settings(Path("/nowhere"), endpoints=(Endpoint("ops", "webhook"),))
ALL = frozenset(FIELDS)


def test_a_rule_is_normalised() -> None:
    rule = read_policies({"rules.yaml": RULE}).of("rule")["stolen"].value
    assert rule["on"] == ["binding.broken", "device-change/other-model"]
    assert rule["do"][1] == {"lock": {}, "after": "10m", "unless": "bound-device-returns"}
    assert read_policies({"a.yaml": "rule: a\non: device-change\ndo: [{lock: {}}]"}).of("rule")["a"].value["on"] == [
        "device-change"
    ]


@pytest.mark.parametrize(
    ("was", "instead", "line", "said"),
    [
        ("finding.severity ==", "finding.severty ==", 4, "if: finding has no field 'severty' (did you mean 'severity'"),
        ('"high" &&', "3 &&", 4, "if: == does not go with string, int"),
        ('if: finding.severity == "high"', 'if: fnding.severity == "high"', 4, "no 'fnding.severity' (did you mean"),
        ('if: finding.severity == "high" &&', 'if: "1 +"\n#', 4, "if: syntax error"),
        ('if: finding.severity == "high" &&', "if: subscription.generation\n#", 4, "if: is a int"),
        ("if: finding.severity", "if: |\n  true &&\n  finding.severty", 6, "finding has no field 'severty'"),
        ("other-model,", "other-modl,", 3, "on[0]: device-change has no class 'other-modl' (did you mean 'other"),
        ("binding.broken", "binding.brokn", 3, "on[1]: nothing triggers as 'binding.brokn' (did you mean 'binding.br"),
        ("bound-device-returns", "bound-device-return", 9, "do[1].unless: 'bound-device-return' is no word for it"),
        ("lock:", "lok:", 7, "do[1].lok: unknown key (did you mean 'lock'?)"),
        ("severity: high", "severity: hihg", 10, "'hihg' is not a choice (did you mean 'high'?)"),
        ("mode: live", "mode: liv", 12, "mode: 'liv' is not a choice (did you mean 'live'?)"),
        ("[device-change/other-model, binding.broken]", "incident.opened", 4, "finding is not known where"),
        ("notify: {endpoint: ops}", "notify: {}", 6, "do[0].notify: should name one endpoint or party"),
        ("notify: {endpoint: ops}", "after: 5m", 6, "do[0]: names no action"),
        ("notify: {endpoint: ops}", "{lock: {}, release: {}}", 6, "do[0]: names 2 actions: lock, release"),
        ("per_hour", "per_day", 13, "limits.per_day: unknown key"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(was: str, instead: str, line: int, said: str) -> None:
    assert was in RULE
    with pytest.raises(ConfigurationError) as caught:
        read_policies({"rules.yaml": RULE.replace(was, instead)})
    problems = [str(one) for one in caught.value.problems]
    assert problems[0].startswith(f"rules.yaml:{line}: "), problems
    assert said in problems[0]


def test_words_that_mean_nothing_for_the_trigger() -> None:
    for word, said in (("ended", "only a finding ends"), ("acknowledged", "only an incident is acknowledged")):
        with pytest.raises(ConfigurationError, match=said):
            read_policies({"a.yaml": f"rule: a\non: binding.established\ndo: [{{lock: {{}}, unless: {word}}}]"})


def test_an_endpoint_that_is_not_there_is_named() -> None:
    with pytest.raises(ConfigurationError, match=r"do\[0\].notify.endpoint: simward.toml has no \[\[endpoint"):
        compile_policy(read_policies({"a.yaml": RULE}), Settings(Path("/nowhere")))


def test_what_is_not_enforced_yet_is_listed() -> None:
    policy = read_policies({"a.yaml": "rule: a\non: endpoint-not-permitted\ndo: [{lock: {}, unless: work-order}]"})
    assert [one.where for one in not_enforced(policy)] == ["on"]


def test_a_name_that_was_meant_for_later_leads_to_what_it_is_called() -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_policies({"a.yaml": "rule: a\non: usage-exceeded\ndo: [{lock: {}}]"})
    assert "nothing triggers as 'usage-exceeded' (did you mean 'budget-exceeded'?)" in str(caught.value)
    policy = read_policies({"a.yaml": "rule: a\non: [budget-exceeded/burst, service-not-permitted]\ndo: [{lock: {}}]"})
    assert not_enforced(policy) == []


def test_the_schema_says_the_same() -> None:
    validator = jsonschema.Draft202012Validator(json_schema())
    document: dict[Any, Any] = yaml.safe_load(RULE)
    document["on"] = document.pop(True)  # to YAML 1.1, which this loader reads, `on` is a switch
    assert validator.is_valid(document)
    for wrong in ({"on": "device-chang"}, {"mode": "maybe"}, {"do": []}, {"do": [{"lok": {}}]}, {"unknown": 1}):
        assert not validator.is_valid({**document, **wrong}), wrong


def test_rules_change_nothing_that_the_gate_decides_by() -> None:
    use_case = "use_case: meter\n---\n"
    with_rules = compile_policy(read_policies({"a.yaml": use_case + RULE}), OPS)
    without = compile_policy(read_policies({"a.yaml": use_case}), OPS)
    assert all((one == without.arrays()[name]).all() for name, one in with_rules.arrays().items())
    assert with_rules.names == without.names
    assert '"rule":{"stolen"' in with_rules.sources[CANONICAL]
    assert "rule" not in without.sources[CANONICAL]


def planned(before: str, after: str) -> Any:
    made = compile_policy(read_policies({"a.yaml": before}), OPS)
    empty = Current.empty()
    wanted = compile_policy(read_policies({"a.yaml": after}), OPS)
    current = Current(empty.declared, made, empty.locked, empty.bound, empty.numbers)
    return plan(current, wanted, Inventory(Path("inventory.csv"), empty.declared, ("",), np.zeros(0, np.int64)))


def test_the_plan_shows_rules_and_asks_before_one_goes_live_unseen() -> None:
    use_case = "use_case: meter\n---\n"
    dry = RULE.replace("mode: live", "mode: dry-run")
    added = planned(use_case, use_case + dry)
    assert [(one.kind, one.name, one.change) for one in added.objects] == [("rule", "stolen", "added")]
    assert added.needs_confirmation == ()
    assert "+ rule stolen added" in added.lines()
    seen = planned(use_case + dry, use_case + RULE)
    assert seen.needs_confirmation == ()
    assert seen.objects[0].keys == (("mode", "dry-run", "live"),)
    assert "would act for the first time" in planned(use_case, use_case + RULE).needs_confirmation[0]
    changed = RULE.replace('"high"', '"low"')
    assert len(planned(use_case + RULE, use_case + changed).needs_confirmation) == 1
    removed = planned(use_case + RULE, use_case)
    assert [(one.kind, one.change) for one in removed.objects] == [("rule", "removed")]
    assert planned(use_case + RULE, use_case + RULE).empty


def test_a_condition_is_bounded() -> None:
    with pytest.raises(ConditionError, match="characters"):
        Condition(" || ".join(["true"] * CHARACTERS_MAX), ALL)
    with pytest.raises(ConditionError, match="loops 2 times"):
        Condition("[1].all(x, [2].exists(y, y > x))", ALL)
    assert Condition('["a", "b"].exists(x, x == finding.was)', ALL).holds({"finding.was": "b"})


def test_names_in_texts_are_texts() -> None:
    assert Condition('finding.was == "finding.nothing" || true', ALL).holds({})
    assert Condition("finding.was == r'incident.x' || true // it's finding.nothing", ALL).holds({})
    for hidden in ("true // '\n && {} // '", "true // \'\'\'\n && {} // \'\'\'"):
        with pytest.raises(ConditionError, match="loops 2 times"):
            Condition(hidden.format("[1].all(x, [2].exists(y, y > x))"), ALL)


def test_whatever_is_written_is_read_or_refused() -> None:
    for text in ("(" * 999, "[" * 900, "-" * 990 + "1", "true?" * 199 + "true", "\0", "\ud800", "'\ud800'", "'\\x'"):
        with pytest.raises(ConditionError):
            Condition(text, ALL)


def test_what_has_no_answer_is_an_error() -> None:
    one = Condition("1 / incident.findings == 1", ALL)
    assert one.holds({"incident.findings": 1})
    with pytest.raises(ConditionError, match="cannot be judged"):
        one.holds({"incident.findings": 0})


def test_every_field_has_a_value_where_nothing_is_known() -> None:
    for group, fields in FIELDS.items():
        for name, kind in fields.items():
            nothing = {"STRING": "''", "BOOL": "false", "INT": "0", "TIMESTAMP": "timestamp(0)"}[kind]
            assert Condition(f"{group}.{name} == {nothing}", ALL).holds({}), (group, name)
