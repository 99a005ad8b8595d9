"""Attacks that use more of a service than was declared, or one that was never meant to be used."""

from __future__ import annotations

from simward.lab.fleet import WATER_METER
from simward.lab.scenes.scene import Attack
from simward.lab.scripts import ATTACH, INTERIM, STOP, Act

HOURS, INTERIMS_AN_HOUR = 6, 4
TEN_BUDGETS_OCTETS_PER_S = 10 * 2_000_000 // (HOURS * 3600)
"""Of the meters' 2 MB a day."""


class TakenOver(Attack):
    """Meter that was taken over sends ten times its day's budget in an evening.

    The SIM, the device, the cell and the APN are right: only what it sends is not. Subtler: less, but still half as
    much again as its budget.
    """

    id = "taken-over"
    use_cases = (WATER_METER,)
    catches = ("budget-exceeded/day",)
    live = False

    def acts(self, strength: float) -> tuple[Act, ...]:
        """A session of some hours, with an interim each quarter of an hour."""
        rate = max(int(TEN_BUDGETS_OCTETS_PER_S * strength), TEN_BUDGETS_OCTETS_PER_S * 3 // 20)
        interims = (Act(INTERIM, after_s=3600 / INTERIMS_AN_HOUR, octets_per_s=rate),) * (HOURS * INTERIMS_AN_HOUR)
        return (Act(ATTACH), *interims, Act(STOP, octets_per_s=rate))


class DataOnCallOnly(Attack):
    """SIM of a panic button, which only calls, begins a data session.

    Data is open on every SIM, because most use cases need it. Stronger or subtler make no difference: one session
    tells.
    """

    id = "data-on-call-only"
    stranger = "no-data"
    catches = ("service-not-permitted/data",)
    live = False

    def acts(self, strength: float) -> tuple[Act, ...]:
        """One session of a minute."""
        return Act(ATTACH), Act(STOP)
