"""Attacks that use what nobody declared: a SIM, an APN, a network, a radio, a device, a password."""

from __future__ import annotations

from simward.lab.fleet import CAR, LIFT_ALARM, SCOOTER, WATER_METER
from simward.lab.geography import FOREIGN_PLMN
from simward.lab.scenes.scene import Attack
from simward.lab.scripts import ACCEPT, ACKNOWLEDGED, ASK, ATTACH, COPY, INTERIM, PHONE, REJECT, STOP, Act, Wanted

ABROAD = ("location-change", "impossible-travel", "reappeared-changed", "cloned-subscription")


class UnknownSim(Attack):
    """SIM that no inventory lists.

    A forgotten test SIM and an intruder look alike.
    """

    id = "unknown-sim"
    stranger = "unknown"
    catches = ("unknown-subscription",)
    rank = 4
    wanted = (Wanted("unknown-subscription", "refuse"),)
    did = "refused"

    def acts(self, strength: float) -> tuple[Act, ...]:
        """One attempt."""
        return (Act(ATTACH, REJECT),)


class SuspendedSim(Attack):
    """SIM that the inventory suspends.

    Nobody may use it until the inventory says otherwise.
    """

    id = "suspended-sim"
    stranger = "suspended"
    catches = ("subscription-locked",)
    wanted = (Wanted("subscription-locked", "refuse"),)
    did = "refused"

    def acts(self, strength: float) -> tuple[Act, ...]:
        """One attempt."""
        return (Act(ATTACH, REJECT),)


class WrongApn(Attack):
    """Car SIM asks for the meters' network.

    A way into another segment; its own APN goes on.
    """

    id = "wrong-apn"
    use_cases = (CAR,)
    catches = ("apn-not-permitted",)
    rank = 5
    wanted = (Wanted("apn-not-permitted", "refuse"),)
    did = "refused; its own APN goes on"

    def acts(self, strength: float) -> tuple[Act, ...]:
        """The wrong one, then its own."""
        return Act(ATTACH, REJECT, apn="meters.iot"), Act(ATTACH, ACCEPT)


class ForeignNetwork(Attack):
    """Meter attaches in a foreign network.

    Carried abroad. Subtler: seen there in a report alone.
    """

    id = "foreign-network"
    catches = ("network-not-permitted/plmn",)
    also = ABROAD
    keeps = True
    rank = 6
    wanted = (Wanted("network-not-permitted", "refuse"),)
    did = "refused"

    def acts(self, strength: float) -> tuple[Act, ...]:
        """One attempt; a subtle one attaches at home."""
        if strength <= 0.3:
            return Act(ATTACH), Act(INTERIM, plmn=FOREIGN_PLMN, after_s=1800)
        return (Act(ATTACH, REJECT, plmn=FOREIGN_PLMN),)


class CopiedImei(Attack):
    """Laptop with a meter's SIM and a copy of its IMEI, on NR.

    The IMEI is right, the radio is not one that meters may use.
    """

    id = "copied-imei"
    catches = ("network-not-permitted/rat", "model-mismatch")
    also = ABROAD
    keeps = True
    wanted = (Wanted("network-not-permitted", "refuse"),)
    did = "refused: meters do not speak NR"

    def acts(self, strength: float) -> tuple[Act, ...]:
        """One attempt."""
        return (Act(ATTACH, REJECT, device=COPY, rat="nr"),)


class ModelMismatch(Attack):
    """Lift alarm's IMEI on a radio that its model does not have.

    Policy permits LTE, and `models.csv` says that this modem speaks LTE-M alone: the IMEI was copied into something
    better. Subtler: only a report shows it.
    """

    id = "model-mismatch"
    use_cases = (LIFT_ALARM,)
    catches = ("model-mismatch",)
    also = ("cloned-subscription",)
    rank = 16
    wanted = (Wanted("model-mismatch", "notify"),)
    did = "told: this model has no such radio"

    def acts(self, strength: float) -> tuple[Act, ...]:
        """Attached over LTE; a subtle one is handed over to it."""
        if strength <= 0.3:
            return Act(ATTACH), Act(INTERIM, device=COPY, rat="lte", after_s=900), Act(STOP, rat="lte", after_s=900)
        return Act(ATTACH, ACCEPT, device=COPY, rat="lte"), Act(STOP, ACKNOWLEDGED, device=COPY, rat="lte", after_s=900)


class NotInPool(Attack):
    """Scooter's SIM in a device of no approved model.

    Scooters may have any modem of the pool; a phone is none.
    """

    id = "not-in-pool"
    use_cases = (SCOOTER,)
    catches = ("device-change/not-in-pool",)
    also = ("model-mismatch",)
    rank = 14
    wanted = (Wanted("device-change/not-in-pool", "refuse"),)
    did = "refused: not in the pool of approved modems"

    def acts(self, strength: float) -> tuple[Act, ...]:
        """The phone, then the scooter again."""
        return Act(ATTACH, REJECT, device=PHONE), Act(ATTACH, ACCEPT)


class CredentialsWrong(Attack):
    """Right SIM and device, wrong password.

    The PAP password does not fit the segment's secret: the SIM is somebody's who has not read the device's flash.
    """

    id = "credentials-wrong"
    use_cases = (WATER_METER,)
    catches = ("credentials-wrong/wrong",)
    wanted = (Wanted("credentials-wrong/wrong", "refuse"),)
    did = "refused; with the right password it goes on"

    def acts(self, strength: float) -> tuple[Act, ...]:
        """One attempt; then the device itself, which knows the password."""
        return Act(ASK, REJECT, wrong_password=True), Act(ATTACH, ACCEPT)
