"""Attacks that put a SIM into another device."""

from __future__ import annotations

from simward.lab.fleet import CAR, LIFT_ALARM, WATER_METER
from simward.lab.scenes.scene import Attack
from simward.lab.scripts import (
    ACCEPT,
    ACK,
    ACKNOWLEDGED,
    ATTACH,
    INTERIM,
    LAPTOP,
    NAK,
    PHONE,
    REJECT,
    STOP,
    TWIN,
    WITHHELD,
    Act,
    Wanted,
)

MOVED = ("model-mismatch", "location-change", "impossible-travel", "reappeared-changed", "cloned-subscription")
"""What may follow: the other device has another radio, or the SIM is carried off as well."""


class SimInPhone(Attack):
    """SIM moved to a phone.

    The SIM is taken out of a meter and put into a phone, which asks twice and stays. Subtler: it asks once and leaves.
    """

    id = "sim-in-phone"
    catches = ("device-change/other-model",)
    also = MOVED
    keeps = True
    rank = 1
    wanted = (Wanted("device-change/other-model", "lock"),)
    did = "refused and locked; refused again when the phone retried"

    def acts(self, strength: float) -> tuple[Act, ...]:
        """Two attempts; one where it is subtle."""
        attempt = Act(ATTACH, REJECT, device=PHONE)
        return (attempt, attempt) if strength > 0.5 else (attempt,)


class SimInPhoneAndBack(Attack):
    """SIM moved to a phone and put back.

    A-B-A: used in a phone for a while, then back in the meter as if nothing had been. Subtler: for a shorter while.
    """

    id = "sim-in-phone-and-back"
    catches = ("device-change/other-model",)
    also = ("device-change/returned", *MOVED)
    rank = 11
    wanted = (Wanted("device-change/other-model", "lock"),)
    did = "refused and locked; the bound device came back and was released in-line"

    def acts(self, strength: float) -> tuple[Act, ...]:
        """There, and back again."""
        return Act(ATTACH, REJECT, device=PHONE), Act(ATTACH, ACCEPT, after_s=60 + 7200 * strength)


class SimInTwin(Attack):
    """SIM moved to another meter of the same model.

    The TAC is the same, only the serial number differs. Subtler: the request shows nothing (the gateway's accounting
    does).
    """

    id = "sim-in-twin"
    catches = ("device-change/same-model",)
    also = MOVED
    keeps = True
    rank = 2
    wanted = (Wanted("device-change/same-model", "lock"),)
    did = "refused and locked"

    def acts(self, strength: float) -> tuple[Act, ...]:
        """One attempt; a subtle one shows the twin in a report alone."""
        if strength <= 0.3:
            return Act(ATTACH), Act(INTERIM, device=TWIN, after_s=900)
        return (Act(ATTACH, REJECT, device=TWIN),)


class ImeiWithheld(Attack):
    """IMEI withheld.

    A device that shows no IMEI asks with a bound SIM; then the meter itself.
    """

    id = "imei-withheld"
    catches = ("device-change/not-reported",)
    also = ("device-change/returned",)
    rank = 3
    wanted = (Wanted("device-change/not-reported", "refuse"),)
    did = "refused; the right device may go on"

    def acts(self, strength: float) -> tuple[Act, ...]:
        """Without, and with."""
        return Act(ATTACH, REJECT, device=WITHHELD), Act(ATTACH, ACCEPT)


class CarSimInLaptop(Attack):
    """Car SIM moved to a laptop.

    Cars are bound by model, and move: the device alone gives it away.
    """

    id = "car-sim-in-laptop"
    use_cases = (CAR,)
    catches = ("device-change/other-model",)
    also = ("device-change/returned", *MOVED)
    wanted = (Wanted("device-change/other-model", "refuse"),)
    did = "refused; the right car goes on"

    def acts(self, strength: float) -> tuple[Act, ...]:
        """The laptop, then the car again."""
        return Act(ATTACH, REJECT, device=LAPTOP), Act(ATTACH, ACCEPT)


class NeverCut(Attack):
    """Lift alarm's SIM moved to a phone.

    People's lives may hang on it: policy says to tell and never to cut.
    """

    id = "never-cut"
    use_cases = (LIFT_ALARM,)
    catches = ("device-change/other-model",)
    also = ("device-change/returned", *MOVED)
    wanted = (Wanted("device-change/other-model", "notify", "never-cut"),)
    did = "told, not cut: policy says never-cut"

    def acts(self, strength: float) -> tuple[Act, ...]:
        """One attempt, which succeeds."""
        return Act(ATTACH, ACCEPT, device=PHONE), Act(STOP, ACKNOWLEDGED, device=PHONE, after_s=1800)


class WrongDeviceInAccounting(Attack):
    """Accounting alone shows a phone in a live session.

    The request named the right device, or the gateway asked before it knew; a report shows the truth.
    """

    id = "wrong-device-in-accounting"
    catches = ("device-change/other-model",)
    also = ("device-change/returned", *MOVED)
    rank = 12
    wanted = (Wanted("device-change/other-model", "lock"),)
    disconnect = ACK
    did = "locked; Disconnect-Request, acknowledged by the gateway"

    def acts(self, strength: float) -> tuple[Act, ...]:
        """The meter attaches, a phone is reported."""
        return Act(ATTACH, ACCEPT), Act(INTERIM, ACKNOWLEDGED, device=PHONE, after_s=900)


class GatewayRefusesDisconnect(Attack):
    """The same, at a gateway that has lost the session.

    The Disconnect-Request is answered with NAK and Error-Cause 503, and the record must say so.
    """

    id = "gateway-refuses-disconnect"
    use_cases = (WATER_METER,)
    catches = ("device-change/other-model",)
    also = ("device-change/returned", *MOVED)
    wanted = (Wanted("device-change/other-model", "lock"),)
    disconnect = NAK
    gateway = "pgw2"
    did = "locked; Disconnect-Request, NAK with Error-Cause 503 recorded"

    def acts(self, strength: float) -> tuple[Act, ...]:
        """The meter attaches, a laptop is reported."""
        return Act(ATTACH, ACCEPT), Act(INTERIM, ACKNOWLEDGED, device=LAPTOP, after_s=900)
