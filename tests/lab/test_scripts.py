"""The judgement of scripts: what is missed is said, what is right passes."""

from __future__ import annotations

import pytest

from simward.lab import scenes
from simward.lab.scripts import ACCEPT, ACK, NAK, REJECT, Found, Observed, Script, missed

IMSI = "001010000000001"
SCRIPTS = tuple(one.script() for one in scenes.attacks() if one.live)
BY_NAME = {one.name: one for one in SCRIPTS}


def as_wanted(script: Script) -> tuple[Observed, list[Found]]:
    """What a perfect gate would have made of a script."""
    observed = Observed(script, IMSI, answers=[act.answer for act in script.acts])
    if script.disconnect:
        observed.disconnects, observed.proofs = [script.disconnect], [script.disconnect]
    found = []
    for wanted in script.findings:
        detector, _, kind = wanted.finding.partition("/")
        found.append(Found(IMSI, detector, kind, wanted.response, wanted.held))
    return observed, found


EVERY = pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
FOUND = [one for one in SCRIPTS if one.findings]
WITH_FINDINGS = pytest.mark.parametrize("script", FOUND, ids=lambda script: script.name)


@EVERY
def test_what_was_wanted_is_not_missed(script: Script) -> None:
    assert missed(*as_wanted(script)) == []


@WITH_FINDINGS
def test_a_finding_about_somebody_else_does_not_count(script: Script) -> None:
    observed, found = as_wanted(script)
    elsewhere = [Found("001019999999999", one.detector, one.kind, one.response, one.held) for one in found]
    assert any("no finding" in miss for miss in missed(observed, elsewhere))


def test_an_accepted_phone_is_missed() -> None:
    observed, found = as_wanted(BY_NAME["sim-in-phone"])
    observed.answers[0] = ACCEPT
    assert missed(observed, found) == ["packet 1 (attach, device phone): accept, expected reject"]


def test_only_observing_is_missed() -> None:
    observed, _ = as_wanted(BY_NAME["sim-in-twin"])
    seen = [Found(IMSI, "device-change", "same-model", "observe")]
    name = "device-change/same-model"
    assert missed(observed, seen) == [f"no finding {name} (lock); found {name} (observe)"]


def test_a_finding_made_of_a_forged_packet_is_missed() -> None:
    observed, _ = as_wanted(BY_NAME["forged-accounting"])
    made = [Found(IMSI, "device-change", "other-model", "lock")]
    assert "nothing should have been found" in missed(observed, made)[0]


def test_a_refused_owner_is_missed() -> None:
    observed, found = as_wanted(BY_NAME["sim-in-phone-and-back"])
    observed.answers[1] = REJECT
    assert missed(observed, found)


def test_a_disconnect_that_did_not_come_is_missed() -> None:
    observed, found = as_wanted(BY_NAME["wrong-device-in-accounting"])
    observed.disconnects = []
    assert "no Disconnect-Request" in missed(observed, found)[0]


def test_a_disconnect_without_recorded_proof_is_missed() -> None:
    observed, found = as_wanted(BY_NAME["gateway-refuses-disconnect"])
    observed.proofs = [ACK]
    assert f"{NAK} to the Disconnect-Request is not recorded" in missed(observed, found)[0]


def test_a_disconnect_that_nothing_called_for_is_missed() -> None:
    observed, found = as_wanted(BY_NAME["wrong-apn"])
    observed.disconnects = [ACK]
    assert missed(observed, found) == ["a Disconnect-Request came that nothing called for"]
