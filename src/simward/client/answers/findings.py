"""What `client.findings` answers and takes."""

# Made from the OpenAPI description by `make docs`: change the routes, not this file.
from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict

from simward.client.answers.benign import Verdicted


class Channel(TypedDict):
    """A channel of behaviour that weighs in a finding. Amounts are octets, seconds (session-time), thousandths of
    the octets (up-share) or how many."""

    channel: Literal["up", "down", "sessions", "session-time", "hours", "failed", "up-share"]
    side: Literal["more", "less"]
    value: int
    usual: Range
    peers: Range | None
    since: str
    bits: float

Finding = TypedDict("Finding", {
    "id": 'NotRequired[str]',
    "at": 'NotRequired[str]',
    "detector": 'NotRequired[str]',
    "class": 'NotRequired[str]',
    "severity": 'NotRequired[Literal["info", "low", "medium", "high", "critical"] | Literal[""]]',
    "tenant": 'NotRequired[str]',
    "imsi": 'NotRequired[str | None]',
    "iccid": 'NotRequired[str | None]',
    "use_case": 'NotRequired[str | None]',
    "was": 'NotRequired[str | int | float | dict[str, Any] | None]',
    "now": 'NotRequired[str | int | float | dict[str, Any] | None]',
    "expected": 'NotRequired[str | int | float | dict[str, Any] | None]',
    "verdict": 'NotRequired[str | None]',
    "response": 'NotRequired[str | None]',
    "held": 'NotRequired[str | None]',
    "ended_at": 'NotRequired[str | None]',
    "incident": 'NotRequired[int | None]',
    "outcome": 'NotRequired[str | None]',
    "about": 'NotRequired[str | None]',
    "gateway": 'NotRequired[str | None]',
    "apn": 'NotRequired[str | None]',
    "changes": 'NotRequired[dict[str, Any] | None]',
    "channels": 'NotRequired[list[Channel] | None]',
    "new_hours": 'NotRequired[int | None]',
})  # fmt: skip
"""A finding."""

FindingAndVerdict = TypedDict("FindingAndVerdict", {
    "id": 'NotRequired[str]',
    "at": 'NotRequired[str]',
    "detector": 'NotRequired[str]',
    "class": 'NotRequired[str]',
    "severity": 'NotRequired[Literal["info", "low", "medium", "high", "critical"] | Literal[""]]',
    "tenant": 'NotRequired[str]',
    "imsi": 'NotRequired[str | None]',
    "iccid": 'NotRequired[str | None]',
    "use_case": 'NotRequired[str | None]',
    "was": 'NotRequired[str | int | float | dict[str, Any] | None]',
    "now": 'NotRequired[str | int | float | dict[str, Any] | None]',
    "expected": 'NotRequired[str | int | float | dict[str, Any] | None]',
    "verdict": 'NotRequired[str | None]',
    "response": 'NotRequired[str | None]',
    "held": 'NotRequired[str | None]',
    "ended_at": 'NotRequired[str | None]',
    "incident": 'NotRequired[int | None]',
    "outcome": 'NotRequired[str | None]',
    "about": 'NotRequired[str | None]',
    "gateway": 'NotRequired[str | None]',
    "apn": 'NotRequired[str | None]',
    "changes": 'NotRequired[dict[str, Any] | None]',
    "channels": 'NotRequired[list[Channel] | None]',
    "new_hours": 'NotRequired[int | None]',
    "benign": 'NotRequired[Verdicted | None]',
})  # fmt: skip
"""One finding, with what people said of its device or cohort."""

class Findings(TypedDict):
    """A page, the newest first."""

    findings: list[Finding]
    next: str | None

class Range(TypedDict):
    """From and to where an amount usually lies: nineteen days of twenty."""

    low: int
    high: int
