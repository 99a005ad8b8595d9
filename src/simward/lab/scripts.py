"""An attack step by step: what is sent, and as data what must be seen and done; and the judgement of what was.

Every script has a victim of its own, so that what Simward found about that subscription belongs to that script.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

# What a step sends. "attach" is an Access-Request and, where it is accepted, the Accounting Start of the session.
ATTACH, ASK, INTERIM, STOP, GATEWAY_ON = "attach", "ask", "interim", "stop", "gateway-on"

# Whose device the packet shows.
OWN, PHONE, LAPTOP, TWIN, WITHHELD, COPY = "own", "phone", "laptop", "twin", "withheld", "copy"
"""`copy`: something else that shows the IMEI of the victim's own device."""

# Whose SIM it is, and which session of it. "accomplice" is another subscription of the same use case.
VICTIM, ACCOMPLICE = "victim", "accomplice"

# What the gateway must be told.
ACCEPT, REJECT, ACKNOWLEDGED, SILENCE = "accept", "reject", "acknowledged", "silence"

# How a packet is spoilt.
WRONG_SECRET, UNSIGNED, RANDOM, TRUNCATED, STRANGER = "wrong-secret", "unsigned", "random", "truncated", "stranger"
"""`unsigned`: no Message-Authenticator; `stranger`: right in all, but from an address that is no configured client."""

# Proofs of a disconnect.
ACK, NAK = "ack", "nak"


@dataclass(frozen=True)
class Act:
    """One packet (or two, for an attach), and the answer that it must get over RADIUS."""

    send: str
    answer: str = ""
    device: str = OWN
    apn: str = ""
    plmn: str = ""
    rat: str = ""
    forged: str = ""
    sim: str = VICTIM
    session: str = "first"
    """An attach opens a session under this name; reports are about the one of the same name."""
    km: float = 0.0
    """How far from home it is seen."""
    other_gateway: bool = False
    """Through a gateway that is not the victim's own."""
    wrong_password: bool = False
    octets_per_s: int = 900
    """What its session has sent by then, on an average; as events alone."""
    ago_s: int = 0
    """Over RADIUS: the Start of an attach says that it happened so long ago."""
    after_s: float = 60.0
    """Since the act before; over RADIUS there is no waiting."""


@dataclass(frozen=True)
class Wanted:
    """One finding that must be there: `detector` or `detector/class`, the response in force, and why it is held."""

    finding: str
    response: str
    held: str = ""


@dataclass(frozen=True)
class Script:
    """An attack as played over RADIUS. `victim`: a use case, or "unknown" (a SIM of no inventory) or "suspended"."""

    name: str
    title: str
    victim: str
    acts: tuple[Act, ...]
    findings: tuple[Wanted, ...] = ()
    disconnect: str = ""
    """The proof that must come of a Disconnect-Request: "ack", "nak", or "" for none at all."""
    gateway: str = "pgw1"
    did: str = ""
    """What Simward must do, in words for the table."""


@dataclass(frozen=True)
class Found:
    """A finding as Simward reported it, reduced to what scripts compare."""

    imsi: str
    detector: str
    kind: str
    response: str
    held: str = ""
    gateway: str = ""

    @property
    def name(self) -> str:
        """`detector/class`."""
        return f"{self.detector}/{self.kind}" if self.kind else self.detector


@dataclass
class Observed:
    """What a gateway saw happen in one script: the answers in order, disconnects, the time the decisions took."""

    script: Script
    imsi: str
    iccid: str = ""
    accomplices: list[str] = field(default_factory=list)
    """IMSIs of other subscriptions that took part."""
    answers: list[str] = field(default_factory=list)
    disconnects: list[str] = field(default_factory=list)
    proofs: list[str] = field(default_factory=list)
    """What Simward recorded as the answer to its Disconnect-Requests."""
    milliseconds: list[float] = field(default_factory=list)
    """From each Access-Request to its answer."""
    acknowledged: int = 0
    """Requests that were answered, forged ones apart."""
    disconnect_ms: float = 0.0
    """From the report that gave it away to the Disconnect-Request."""


def missed(observed: Observed, found: Sequence[Found]) -> list[str]:
    """What should have been seen or done in a script and was not, or was and should not; empty where all is well."""
    script = observed.script
    misses = []
    for number, act in enumerate(script.acts):
        answer = observed.answers[number] if number < len(observed.answers) else "not sent"
        if answer != act.answer:
            misses.append(f"packet {number + 1} ({act.send}, device {act.device}): {answer}, expected {act.answer}")
    here = [one for one in found if one.imsi == observed.imsi]
    for wanted in script.findings:
        if not any(_is(one, wanted) for one in here):
            seen = ", ".join(sorted({f"{one.name} ({one.response})" for one in here})) or "nothing"
            held = f", held by {wanted.held}" if wanted.held else ""
            misses.append(f"no finding {wanted.finding} ({wanted.response}{held}); found {seen}")
    if not script.findings and here:
        misses.append("nothing should have been found, yet " + ", ".join(sorted({one.name for one in here})))
    return misses + _missed_disconnect(observed)


def _missed_disconnect(observed: Observed) -> list[str]:
    script = observed.script
    if not script.disconnect:
        return ["a Disconnect-Request came that nothing called for"] if observed.disconnects else []
    if script.disconnect not in observed.disconnects:
        return [f"no Disconnect-Request answered with {script.disconnect}; {observed.disconnects or 'none came'}"]
    if script.disconnect not in observed.proofs:
        return [f"the {script.disconnect} to the Disconnect-Request is not recorded; {observed.proofs or 'nothing is'}"]
    return []


def _is(one: Found, wanted: Wanted) -> bool:
    return (
        wanted.finding in (one.name, one.detector) and one.response == wanted.response and one.held == wanted.held
    )
