"""radclient shows PAP and CHAP credentials to a running gate; an APN without them stays as it was."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gate.running import POLICY, RunningGate, access_request, needs_radclient, radclient

SECRETS = """
[[secret]]
name = "meters"
secret = "a password of meters"
[[secret]]
name = "upkeep"
secret_env = "SIMWARD_TEST_UPKEEP"
"""
POLICIES = (
    POLICY.replace("segment: metering\nbinding", "segment: [metering, upkeep, open]\nbinding").replace(
        "apn: meters.iot", "apn: meters.iot\ncredentials: {pap: meters}"
    )
    + "---\nsegment: upkeep\napn: upkeep.iot\ncredentials: {chap: upkeep}\n---\nsegment: open\napn: open.iot\n"
)
UPKEEP = "another password"


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGate]:
    made = RunningGate(tmp_path_factory.mktemp("asking") / "net", policy=POLICIES, more=SECRETS)
    made.start(SIMWARD_TEST_UPKEEP=UPKEEP)
    yield made
    made.close()


def asked(gate: RunningGate, **shown: str) -> str:
    said = radclient(gate.auth, "auth", access_request(1, **shown))
    return next(word for word in ("Access-Accept", "Access-Reject") if f"Received {word}" in said) + said


@needs_radclient
def test_right_wrong_and_missing(gate: RunningGate) -> None:
    right = asked(gate, **{"User-Password": '"a password of meters"'})
    wrong = asked(gate, **{"User-Password": '"a password of metres"'})
    missing = asked(gate, **{"CHAP-Password": '"a password of meters"'})
    assert right.startswith("Access-Accept")
    assert wrong.startswith("Access-Reject") and "The password of this APN is wrong" in wrong
    assert missing.startswith("Access-Reject") and "asks for a password" in missing


@needs_radclient
def test_each_apn_asks_for_its_own(gate: RunningGate) -> None:
    upkeep = {"Called-Station-Id": '"upkeep.iot"'}
    assert asked(gate, **upkeep, **{"CHAP-Password": f'"{UPKEEP}"'}).startswith("Access-Accept")
    assert asked(gate, **upkeep, **{"CHAP-Password": '"a password of meters"'}).startswith("Access-Reject")
    assert asked(gate, **upkeep, **{"User-Password": f'"{UPKEEP}"'}).startswith("Access-Reject")
    assert asked(gate, **{"Called-Station-Id": '"open.iot"'}).startswith("Access-Accept")


@needs_radclient
def test_no_password_reaches_the_journal_or_the_log(gate: RunningGate) -> None:
    asked(gate, **{"User-Password": '"a password of meters"'})
    written = b"".join(one.read_bytes() for one in gate.folder.rglob("*") if one.is_file() and one.suffix != ".toml")
    assert b"a password of" not in written and UPKEEP.encode() not in written


def test_a_start_without_the_secret_says_what_is_missing(tmp_path: Path) -> None:
    gate = RunningGate(tmp_path / "net", policy=POLICIES, more=SECRETS.replace("upkeep", "another"))
    with pytest.raises(AssertionError):
        gate.start(SIMWARD_TEST_UPKEEP=UPKEEP)
    assert "meters.yaml:15: credentials: simward.toml has no [[secret]] 'upkeep'" in gate.errors()
