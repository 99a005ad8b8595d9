"""Attacks in which one identity is in two places at once."""

from __future__ import annotations

from simward.lab.fleet import CAMERA, CAR, TRACKER
from simward.lab.geography import EASTERN_PLMN, NORTHERN_PLMN
from simward.lab.scenes.scene import Attack
from simward.lab.scripts import (
    ACCEPT,
    ACCOMPLICE,
    ACK,
    ACKNOWLEDGED,
    ATTACH,
    COPY,
    INTERIM,
    PHONE,
    REJECT,
    Act,
    Wanted,
)

ELSEWHERE = (
    "model-mismatch", "location-change", "impossible-travel", "reappeared-changed", "network-not-permitted",
    "device-change/other-model", "device-change/same-model", "device-change/returned",
)  # fmt: skip


def interleaved(rounds: int, every_s: float, ours: Act, theirs: Act) -> tuple[Act, ...]:
    """A, B, A, B: each in its own session, reporting in turn."""
    acts = [ours, theirs]
    for _ in range(rounds):
        for one in (ours, theirs):
            acts.append(Act(**{**one.__dict__, "send": INTERIM, "answer": ACKNOWLEDGED, "after_s": every_s}))
    return tuple(acts)


class CopiedDevice(Attack):
    """One IMEI live on two subscriptions at once.

    A car's IMEI was copied into another device, which uses the SIM of another car of the same model. Both report in
    turn. Subtler: fewer turns, further apart.
    """

    id = "copied-device"
    use_cases = (CAR,)
    catches = ("copied-device",)
    also = ("cloned-subscription", *ELSEWHERE)
    rank = 8
    wanted = (Wanted("copied-device", "refuse"),)
    disconnect = ACK
    live_acts = 3
    did = "one device, two subscriptions: Disconnect-Request, acknowledged by the gateway"

    def acts(self, strength: float) -> tuple[Act, ...]:
        """The victim's own, and the copy in the accomplice's SIM, thirty kilometres off."""
        ours = Act(ATTACH, ACCEPT, session="ours", ago_s=900)
        theirs = Act(ATTACH, ACCEPT, device=COPY, sim=ACCOMPLICE, session="theirs", km=30, after_s=900)
        return interleaved(1 + round(5 * strength), 1800 - 1200 * strength, ours, theirs)


class ClonedSubscription(Attack):
    """Sessions of one SIM in two devices at once, through two gateways.

    The SIM's keys were copied, and with them the IMEI; only that both report in turn gives it away. Subtler: fewer
    turns.
    """

    id = "cloned-subscription"
    use_cases = (CAMERA,)
    catches = ("cloned-subscription",)
    also = ("copied-device", *ELSEWHERE)
    rank = 9
    wanted = (Wanted("cloned-subscription", "notify"),)
    live_acts = 5
    did = "told: one subscription in two places in turn"

    def acts(self, strength: float) -> tuple[Act, ...]:
        """At home through its gateway, and 300 km away through the other one."""
        ours = Act(ATTACH, ACCEPT, session="ours")
        theirs = Act(ATTACH, ACCEPT, device=COPY, session="theirs", km=300, other_gateway=True)
        return interleaved(2 + round(4 * strength), 600, ours, theirs)


class ClonedIntoPhone(Attack):
    """Sessions of one SIM in two devices at once, in one place.

    A copy of the SIM is in a phone next door: the IMEIs differ, and both go on reporting. Subtler: fewer turns.
    """

    id = "cloned-into-phone"
    use_cases = (TRACKER,)
    catches = ("cloned-subscription",)
    also = ELSEWHERE
    wanted = (Wanted("cloned-subscription", "notify"),)
    did = "told: one subscription in two devices"
    live = False  # the phone is refused before it can report

    def acts(self, strength: float) -> tuple[Act, ...]:
        """The tracker and the phone in turn."""
        ours = Act(ATTACH, ACCEPT, session="ours")
        theirs = Act(ATTACH, REJECT, device=PHONE, session="theirs")
        return interleaved(2 + round(4 * strength), 600, ours, theirs)


class ClonedAbroad(Attack):
    """Sessions of one SIM in two countries at once.

    No cell is listed there; the networks are of two countries far apart, and both report in turn.
    """

    id = "cloned-abroad"
    use_cases = (TRACKER,)
    catches = ("cloned-subscription",)
    also = ("copied-device", *ELSEWHERE)
    wanted = (Wanted("cloned-subscription", "notify"),)
    live_acts = 5
    did = "told: one subscription in two countries in turn"

    def acts(self, strength: float) -> tuple[Act, ...]:
        """On one continent, and on another."""
        ours = Act(ATTACH, ACCEPT, session="ours", plmn=NORTHERN_PLMN)
        theirs = Act(ATTACH, ACCEPT, device=COPY, session="theirs", plmn=EASTERN_PLMN, other_gateway=True)
        return interleaved(2 + round(4 * strength), 600, ours, theirs)
