"""The attacks, one named scene each: the steps, and as data what must be seen and done; and the judgement of what was.

Every scene has a victim of its own, so that what Simward found about that subscription belongs to that scene.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from simward.lab.fleet import CAR, FOREIGN_PLMN, LIFT_ALARM, WATER_METER

# What a step sends. "attach" is an Access-Request and, where it is accepted, the Accounting Start of the session.
ATTACH, ASK, INTERIM, GATEWAY_ON = "attach", "ask", "interim", "gateway-on"

# Whose device the packet shows.
OWN, PHONE, LAPTOP, TWIN, WITHHELD, LAPTOP_COPY = "own", "phone", "laptop", "twin", "withheld", "laptop-copy"
"""`laptop-copy`: a laptop that shows the IMEI of the victim's own device."""

# What the gateway must be told.
ACCEPT, REJECT, ACKNOWLEDGED, SILENCE = "accept", "reject", "acknowledged", "silence"

# How a packet is spoilt.
WRONG_SECRET, UNSIGNED, RANDOM, TRUNCATED, STRANGER = "wrong-secret", "unsigned", "random", "truncated", "stranger"
"""`unsigned`: no Message-Authenticator; `stranger`: right in all, but from an address that is no configured client."""

# Proofs of a disconnect.
ACK, NAK = "ack", "nak"


@dataclass(frozen=True)
class Act:
    """One packet of a scene (or two, for an attach), and the answer that it must get."""

    send: str
    answer: str
    device: str = OWN
    apn: str = ""
    plmn: str = ""
    rat: str = ""
    forged: str = ""


@dataclass(frozen=True)
class Wanted:
    """One finding that must be there: `detector` or `detector/class`, the response in force, and why it is held."""

    finding: str
    response: str
    held: str = ""


@dataclass(frozen=True)
class Scene:
    """A named attack. `victim` is a use case, or "unknown" (a SIM in no inventory) or "suspended"."""

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
    """A finding as Simward reported it, reduced to what scenes compare."""

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
    """What a gateway saw happen in one scene: the answers in order, disconnects, the time the decisions took."""

    scene: Scene
    imsi: str
    iccid: str = ""
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


SCENES: tuple[Scene, ...] = (
    Scene(
        "sim-in-phone", "SIM moved to a phone", WATER_METER,
        (
            Act(ATTACH, REJECT, device=PHONE),
            Act(ATTACH, REJECT, device=PHONE),
        ),
        (Wanted("device-change/other-model", "lock"),),
        did="refused and locked; refused again when the phone retried",
    ),
    Scene(
        "sim-in-phone-and-back", "SIM moved to a phone and put back", WATER_METER,
        (
            Act(ATTACH, REJECT, device=PHONE),
            Act(ATTACH, ACCEPT),
        ),
        (Wanted("device-change/other-model", "lock"),),
        did="refused and locked; the bound device came back and was released in-line",
    ),
    Scene(
        "sim-in-twin", "SIM moved to another meter of the same model", WATER_METER,
        (Act(ATTACH, REJECT, device=TWIN),),
        (Wanted("device-change/same-model", "lock"),),
        did="refused and locked",
    ),
    Scene(
        "imei-withheld", "IMEI withheld", WATER_METER,
        (Act(ATTACH, REJECT, device=WITHHELD), Act(ATTACH, ACCEPT)),
        (Wanted("device-change/not-reported", "refuse"),),
        did="refused; the right device may go on",
    ),
    Scene(
        "unknown-sim", "SIM that no inventory lists", "unknown",
        (Act(ATTACH, REJECT),),
        (Wanted("unknown-subscription", "refuse"),),
        did="refused",
    ),
    Scene(
        "suspended-sim", "SIM that the inventory suspends", "suspended",
        (Act(ATTACH, REJECT),),
        (Wanted("subscription-locked", "refuse"),),
        did="refused",
    ),
    Scene(
        "wrong-apn", "car SIM asks for the meters' network", CAR,
        (Act(ATTACH, REJECT, apn="meters.iot"), Act(ATTACH, ACCEPT)),
        (Wanted("apn-not-permitted", "refuse"),),
        did="refused; its own APN goes on",
    ),
    Scene(
        "foreign-network", "meter attaches in a foreign network", WATER_METER,
        (Act(ATTACH, REJECT, plmn=FOREIGN_PLMN),),
        (Wanted("network-not-permitted", "refuse"),),
        did="refused",
    ),
    Scene(
        "copied-imei", "laptop with a meter's SIM and a copy of its IMEI, on NR", WATER_METER,
        (Act(ATTACH, REJECT, device=LAPTOP_COPY, rat="nr"),),
        (Wanted("network-not-permitted", "refuse"),),
        did="refused: meters do not speak NR",
    ),
    Scene(
        "car-sim-in-laptop", "car SIM moved to a laptop", CAR,
        (Act(ATTACH, REJECT, device=LAPTOP), Act(ATTACH, ACCEPT)),
        (Wanted("device-change/other-model", "refuse"),),
        did="refused; the right car goes on",
    ),
    Scene(
        "never-cut", "lift alarm's SIM moved to a phone", LIFT_ALARM,
        (Act(ATTACH, ACCEPT, device=PHONE),),
        (Wanted("device-change/other-model", "notify", "never-cut"),),
        did="told, not cut: policy says never-cut",
    ),
    Scene(
        "wrong-device-in-accounting", "accounting alone shows a phone in a live session", WATER_METER,
        (Act(ATTACH, ACCEPT), Act(INTERIM, ACKNOWLEDGED, device=PHONE)),
        (Wanted("device-change/other-model", "lock"),),
        disconnect=ACK,
        did="locked; Disconnect-Request, acknowledged by the gateway",
    ),
    Scene(
        "gateway-refuses-disconnect", "the same, at a gateway that has lost the session", WATER_METER,
        (Act(ATTACH, ACCEPT), Act(INTERIM, ACKNOWLEDGED, device=LAPTOP)),
        (Wanted("device-change/other-model", "lock"),),
        disconnect=NAK,
        gateway="pgw2",
        did="locked; Disconnect-Request, NAK with Error-Cause 503 recorded",
    ),
    Scene(
        "forged-access", "forged requests: unsigned, wrong secret, random, truncated, from a stranger", WATER_METER,
        (
            Act(ASK, SILENCE, device=PHONE, forged=UNSIGNED),
            Act(ASK, SILENCE, device=PHONE, forged=WRONG_SECRET),
            Act(ASK, SILENCE, device=PHONE, forged=RANDOM),
            Act(ASK, SILENCE, device=PHONE, forged=TRUNCATED),
            Act(ASK, SILENCE, device=PHONE, forged=STRANGER),
            Act(ATTACH, ACCEPT),
        ),
        did="dropped and counted; nothing believed",
    ),
    Scene(
        "forged-accounting", "forged accounting: a phone in an honest session, a restart of the gateway", WATER_METER,
        (
            Act(ATTACH, ACCEPT),
            Act(INTERIM, SILENCE, device=PHONE, forged=WRONG_SECRET),
            Act(INTERIM, SILENCE, device=PHONE, forged=TRUNCATED),
            Act(INTERIM, SILENCE, device=PHONE, forged=STRANGER),
            Act(GATEWAY_ON, SILENCE, forged=WRONG_SECRET),
            Act(INTERIM, ACKNOWLEDGED),
        ),
        did="dropped and counted; the honest sessions stay",
    ),
)  # fmt: skip

BY_NAME: Mapping[str, Scene] = {scene.name: scene for scene in SCENES}


def missed(observed: Observed, found: Sequence[Found]) -> list[str]:
    """What should have been seen or done in a scene and was not, or was and should not; empty where all is well."""
    scene = observed.scene
    misses = []
    for number, act in enumerate(scene.acts):
        answer = observed.answers[number] if number < len(observed.answers) else "not sent"
        if answer != act.answer:
            misses.append(f"packet {number + 1} ({act.send}, device {act.device}): {answer}, expected {act.answer}")
    here = [one for one in found if one.imsi == observed.imsi]
    for wanted in scene.findings:
        if not any(_is(one, wanted) for one in here):
            seen = ", ".join(sorted({f"{one.name} ({one.response})" for one in here})) or "nothing"
            held = f", held by {wanted.held}" if wanted.held else ""
            misses.append(f"no finding {wanted.finding} ({wanted.response}{held}); found {seen}")
    if not scene.findings and here:
        misses.append("nothing should have been found, yet " + ", ".join(sorted({one.name for one in here})))
    return misses + _missed_disconnect(observed)


def _missed_disconnect(observed: Observed) -> list[str]:
    scene = observed.scene
    if not scene.disconnect:
        return ["a Disconnect-Request came that nothing called for"] if observed.disconnects else []
    if scene.disconnect not in observed.disconnects:
        return [f"no Disconnect-Request answered with {scene.disconnect}; {observed.disconnects or 'none came'}"]
    if scene.disconnect not in observed.proofs:
        return [f"the {scene.disconnect} to the Disconnect-Request is not recorded; {observed.proofs or 'nothing is'}"]
    return []


def _is(one: Found, wanted: Wanted) -> bool:
    return (
        wanted.finding in (one.name, one.detector) and one.response == wanted.response and one.held == wanted.held
    )
