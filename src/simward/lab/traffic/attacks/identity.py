"""Attacks on who somebody is: SIMs in other devices, copies, credentials, places where the device cannot be."""

from __future__ import annotations

import numpy as np

from simward.engine.events import CREDENTIALS_WRONG
from simward.lab import geography
from simward.lab.traffic.day import Day
from simward.lab.traffic.happening import EVERY_KIND, Act, Happening
from simward.lab.traffic.kinds import (
    APNS,
    CAMERA,
    LIFT,
    METER,
    OTHER_APNS,
    PHONE_TAC,
    ROUTER_TAC,
    TERMINAL,
)
from simward.lab.traffic.members import HOUR_S, MINUTE_S, SECOND_US, unused_devices
from simward.lab.traffic.sessions import EASTERN, NORTHERN, ONLY_TRIES, next_serials, sessions_of

FIXED = (METER, CAMERA, LIFT, TERMINAL)
TAKEN = ("device-change", "model-mismatch", "location-change", "reappeared-changed", "unusual-behaviour",
         "budget-exceeded", "silent", "off-schedule", "too-chatty", "roaming-unexpected", "impossible-travel",
         "cloned-subscription", "network-not-permitted", "apn-not-permitted", "gateway-silent")  # fmt: skip
"""What may be said of a SIM in somebody else's hands."""


def device(act: Act, tac: int) -> np.ndarray:
    """A device of a model for each victim, the same all the time."""
    if "device" not in act.memory:
        act.memory["device"] = unused_devices(act.members, np.full(len(act.who), tac, np.int64), act.rng)
    made: np.ndarray = act.memory["device"]
    return made


def used(act: Act, day: Day, at: int, lasts_s: float = HOUR_S, **more: object) -> None:
    """A session of each victim's SIM, as `more` says."""
    rows = day.members.rows[act.who]
    base: dict[str, object] = dict(
        up=rows["up"] * act.strength + 100_000, down=rows["down"] * act.strength + 400_000, every_s=10 * MINUTE_S,
        serial=next_serials(day.members, act.who), salt=3,
    )  # fmt: skip
    whole = {**base, **more}
    day.add(sessions_of(day.members, act.who, at, at + int(lasts_s * SECOND_US), **whole))
    act.note(at)


def moments(act: Act, day: Day, a_day: int) -> list[int]:
    """So many moments of the day that lie in the act."""
    since, until = act.part(day)
    if act.begins_on(day):
        return [since + 1 + index * (until - since) // (a_day + 1) for index in range(a_day)]
    return [since + int((index + act.rng.random() * 0.5) * (until - since) / (a_day + 1)) for index in range(a_day)]


class SimMoved(Happening):
    """The SIM is taken out and used in a phone; the device is not heard of again.

    Stronger: more octets in it.
    """

    id = "sim-moved"
    kinds: tuple[str, ...] = FIXED
    expects = ("device-change/other-model",)
    also = TAKEN
    tac = PHONE_TAC

    def alter(self, act: Act, day: Day) -> None:
        """Nothing of the device; sessions of the phone."""
        day.mute(act.who, *act.part(day))
        for at in moments(act, day, 3):
            used(act, day, at, imei=device(act, self.tac), software=17, rat=6)


class SimInTwin(SimMoved):
    """The SIM is used in another unit of the same model.

    A thief has two of them, or somebody replaced it without saying so.
    """

    id = "sim-in-twin"
    kinds = (METER, CAMERA, LIFT)
    expects = ("device-change/same-model",)
    strengths = (2.0,)

    def alter(self, act: Act, day: Day) -> None:
        """Another unit, much as before."""
        day.mute(act.who, *act.part(day))
        rows = day.members.rows[act.who]
        for at in moments(act, day, 3):
            used(act, day, at, imei=device(act, int(rows["imei"][0] // 10**6)))


class ImeiWithheld(SimMoved):
    """The SIM is used in something that does not say what it is."""

    id = "imei-withheld"
    expects = ("device-change/not-reported",)
    strengths = (10.0,)

    def alter(self, act: Act, day: Day) -> None:
        """No IMEI."""
        day.mute(act.who, *act.part(day))
        for at in moments(act, day, 3):
            used(act, day, at, imei=0, software=-1)


class SimCloned(Happening):
    """A copy of the SIM is used elsewhere, in another device, while the device goes on as before.

    Stronger: more octets over the copy.
    """

    id = "sim-cloned"
    kinds = (CAMERA, LIFT)
    expects = ("cloned-subscription",)
    also = TAKEN
    tac = ROUTER_TAC

    def alter(self, act: Act, day: Day) -> None:
        """Sessions of hours, so that those of the device report meanwhile."""
        site = elsewhere(day.members.rows["site"][act.who].astype(np.int64))
        for at in moments(act, day, 2):
            used(act, day, at, 7.0 * HOUR_S, site=site, leans=-1.0, gateway=self.gateway(act, day), **self.shown(act))

    def gateway(self, act: Act, day: Day) -> np.ndarray:
        """The other of the two that most use."""
        return (day.members.rows["gateway"][act.who] + 1) % 2

    def shown(self, act: Act) -> dict[str, object]:
        """What the copy is in."""
        return {"imei": device(act, self.tac), "software": 3}


class ClonedWhole(SimCloned):
    """A copy of the SIM is used elsewhere, in a device that shows the very IMEI of the victim's.

    Only that nobody is in two places gives it away.
    """

    id = "sim-and-imei-cloned"
    strengths = (2.0, 100.0)

    def shown(self, act: Act) -> dict[str, object]:
        """Nothing that differs."""
        return {}


def elsewhere(site: np.ndarray) -> np.ndarray:
    """A site 240 km away, at home."""
    column = geography.column_of(site)
    there: np.ndarray = geography.site_at(geography.row_of(site), np.where(column < 70, column + 65, column - 65))
    return there


class CopiedDevice(Happening):
    """Another SIM shows the IMEI of a device of the fleet, which goes on as before: a device that passes for it.

    Both SIMs are members; the second one's own device is not heard of meanwhile.
    """

    id = "copied-device"
    kinds = (CAMERA,)
    expects = ("device-change", "copied-device")
    also = TAKEN
    strengths = (2.0,)

    def alter(self, act: Act, day: Day) -> None:
        """A SIM of the kind, in the IMEI of the next one of it."""
        day.mute(act.who, *act.part(day))
        mine = day.members.by_kind[CAMERA]
        other = mine[(np.searchsorted(mine, act.who) + 1) % len(mine)]
        act.imsis = day.members.rows["imsi"][np.concatenate([act.who, other])]
        for at in moments(act, day, 2):
            used(act, day, at, 7.0 * HOUR_S, imei=day.members.rows["imei"][other])


class RoamingAbroad(Happening):
    """A device that never left its place is heard in a country that no road leads to, in a network that is not allowed.

    Stronger: for longer, and with more octets.
    """

    id = "roaming-abroad"
    kinds: tuple[str, ...] = (METER, LIFT, CAMERA)
    expects: tuple[str, ...] = ("roaming-unexpected", "network-not-permitted")
    also = TAKEN

    def alter(self, act: Act, day: Day) -> None:
        """Sessions there, none at home."""
        day.mute(act.who, *act.part(day))
        network = NORTHERN if int(act.who[0]) % 2 else EASTERN
        for at in moments(act, day, 3):
            used(act, day, at, network=network, leans=-1.0)


class FirstCountry(RoamingAbroad):
    """A device whose owner allows any network is heard in a country where neither it nor any of its kind ever was."""

    id = "first-country"
    kinds = (TERMINAL,)
    expects = ("roaming-unexpected/country",)


class Moved(Happening):
    """A device that stands still is carried off, and goes on working elsewhere."""

    id = "carried-off"
    from_midnight = True
    kinds = (CAMERA, TERMINAL)
    expects = ("location-change",)
    also = ("reappeared-changed", "outside-area", "impossible-travel", "silent", "cell-silent", "unusual-behaviour")
    strengths = (60.0, 200.0)
    lasts_days = 6.0

    def before(self, act: Act, day: Day) -> None:
        """Its place is another: that many kilometres away."""
        if act.begins_on(day):
            rows = day.members.rows
            rows["site"][act.who] = geography.moved_km(rows["site"][act.who].astype(np.int64), act.strength)
            rows["session_at"][act.who] = 0

    def alter(self, act: Act, day: Day) -> None:
        """Whatever it sends is sent there."""
        places = day.of(act.who)
        act.note(day.sessions["begins_at"][places])


class TamperThenSwap(Happening):
    """A device falls silent for four days, and comes back as another one, in a cell next to its own."""

    id = "tamper-then-swap"
    kinds = FIXED
    expects = ("device-change", "reappeared-changed")
    also = TAKEN
    strengths = (2.0,)
    lasts_days = 7.0

    def alter(self, act: Act, day: Day) -> None:
        """First nothing, then the other."""
        day.mute(act.who, *act.part(day))
        act.note(act.begins_at)
        if day.begins_at - act.begins_at > 4 * 86_400 * SECOND_US:
            site = geography.moved_km(day.members.rows["site"][act.who].astype(np.int64), 9.0)
            for at in moments(act, day, 2):
                act.shown_at = act.shown_at or at
                used(act, day, at, imei=device(act, ROUTER_TAC), software=3, site=site, leans=-1.0)


class Scanning(Happening):
    """Whoever has the SIM tries which private networks it opens: one APN after the other.

    Stronger: more tries.
    """

    id = "apn-scanning"
    kinds = EVERY_KIND
    expects = ("apn-not-permitted",)
    also = (*TAKEN, "authentication-failures", "retry-storm", "signalling-storm")
    lasts_days = 0.5

    def alter(self, act: Act, day: Day) -> None:
        """Requests alone: the network lets none of them in."""
        since, until = act.part(day)
        for number in range(int(max(2, act.strength))):
            at = since + int(number * min(20 * SECOND_US, (until - since) / max(2, act.strength)))
            apn = APNS.index(OTHER_APNS[number % len(OTHER_APNS)])
            act.note(at)
            used(act, day, at + SECOND_US, apn=apn, flags=ONLY_TRIES, tries=1, retry_s=1)


class CredentialGuessing(Happening):
    """Passwords of a private network are guessed, from a SIM in hand.

    Stronger: more guesses, one each ten seconds.
    """

    id = "credential-guessing"
    kinds = (METER,)
    expects = ("credentials-wrong",)
    also = ("authentication-failures", "retry-storm", "signalling-storm", "too-chatty", "unusual-behaviour")
    lasts_days = 0.5

    def alter(self, act: Act, day: Day) -> None:
        """Requests with wrong ones."""
        if act.begins_on(day):
            act.note(act.begins_at)
            used(act, day, act.begins_at + int(act.strength) * 10 * SECOND_US, flags=ONLY_TRIES,
                 tries=int(act.strength), retry_s=10, credentials=CREDENTIALS_WRONG)  # fmt: skip


class UnknownSim(Happening):
    """A SIM that nobody declared asks to be let in."""

    id = "unknown-sim"
    kinds = (METER,)
    expects = ("unknown-subscription",)
    strengths = (2.0,)
    lasts_days = 1.0

    def alter(self, act: Act, day: Day) -> None:
        """In a device and a cell like a victim's, with an IMSI of no inventory."""
        stranger = act.memory.setdefault("imsi", 100_101 * 10**10 + int(act.rng.integers(0, 10**10)))
        act.imsis = np.array([stranger])
        for at in moments(act, day, 2):
            used(act, day, at, imsi=stranger, imei=device(act, ROUTER_TAC), who=-1)
