"""Attacks that carry a device to where it does not belong."""

from __future__ import annotations

import numpy as np

from simward.lab import geography
from simward.lab.fleet import CAMERA, PHONE_TAC, SCOOTER, TRACKER, WATER_METER
from simward.lab.geography import EASTERN_PLMN, NORTHERN_PLMN
from simward.lab.population import DAY_US
from simward.lab.scenes.scene import Attack
from simward.lab.scenes.stage import Stage
from simward.lab.scripts import ACCEPT, ACKNOWLEDGED, ATTACH, INTERIM, STOP, Act, Wanted
from simward.lab.sightings import Day


class LocationChange(Attack):
    """Fixed device carried to another place for good.

    Meters and cameras are taken away and go on reporting as always, from another tracking area. Subtler: nearer.
    """

    id = "location-change"
    use_cases = (WATER_METER, CAMERA)
    catches = ("location-change", "reappeared-changed")
    also = ("impossible-travel", "network-not-permitted")
    live = False  # a home has to be learnt first

    def acts(self, strength: float) -> tuple[Act, ...]:
        """None of its own: the device goes on by itself."""
        return ()

    def before(self, stage: Stage, begins_at: int) -> None:
        """From the day it begins, home is elsewhere."""
        if begins_at <= stage.begins_at < begins_at + DAY_US:
            rows = stage.rows
            rows["site"][stage.victims] = geography.moved_km(rows["site"][stage.victims], 30 + 170 * stage.strength)
            stage.began_at = np.full(len(stage.victims), begins_at, np.int64)

    def alter(self, stage: Stage, day: Day) -> None:
        """Nothing more."""


class ReappearedChanged(Attack):
    """Vanishes for a day, comes back in another device and place.

    What a thief does who waits. Subtler: only the place is another, and the device is shown as before.
    """

    id = "reappeared-changed"
    use_cases = (WATER_METER, CAMERA)
    catches = ("reappeared-changed",)
    also = ("location-change", "impossible-travel", "device-change", "network-not-permitted", "model-mismatch")
    live = False

    def acts(self, strength: float) -> tuple[Act, ...]:
        """None of its own: the SIM goes on elsewhere."""
        return ()

    def before(self, stage: Stage, begins_at: int) -> None:
        """Two days after it vanished it lives elsewhere."""
        if begins_at <= stage.begins_at + 2 * DAY_US < begins_at + DAY_US:
            rows, count = stage.rows, len(stage.victims)
            rows["site"][stage.victims] = geography.moved_km(rows["site"][stage.victims], 150)
            rows["begun_at"][stage.victims] = 0
            if stage.strength > 0.5:
                rows["imei"][stage.victims] = int(PHONE_TAC) * 10**6 + stage.rng.integers(0, 10**6, count)
            stage.began_at = np.full(count, begins_at, np.int64)

    def alter(self, stage: Stage, day: Day) -> None:
        """Silence from the day it begins to the second after."""
        begins = stage.begins_at // DAY_US * DAY_US
        if begins <= day.begins_at < begins + 2 * DAY_US:
            day.drop(day.of(stage.victims))


class OutsideArea(Attack):
    """Rental scooter taken out of town.

    It reports from further and further away. Subtler: not so far.
    """

    id = "outside-area"
    use_cases = (SCOOTER,)
    catches = ("outside-area",)
    also = ("impossible-travel", "cloned-subscription", "network-not-permitted")
    rank = 15
    wanted = (Wanted("outside-area", "notify"),)
    did = "told: outside its area"

    def acts(self, strength: float) -> tuple[Act, ...]:
        """A session that begins in town and ends far off."""
        far = 50 + 100 * strength
        return (
            Act(ATTACH, ACCEPT), Act(INTERIM, ACKNOWLEDGED, km=far / 2, after_s=3600),
            Act(INTERIM, ACKNOWLEDGED, km=far, after_s=3600), Act(INTERIM, ACKNOWLEDGED, km=far + 3, after_s=1800),
            Act(STOP, ACKNOWLEDGED, km=far, after_s=1800),
        )  # fmt: skip


class ImpossibleTravel(Attack):
    """Six hundred kilometres within minutes.

    A tracker may be anywhere, but not that fast: it is not the same one. Subtler: less far.
    """

    id = "impossible-travel"
    use_cases = (TRACKER,)
    catches = ("impossible-travel",)
    also = ("cloned-subscription", "reappeared-changed")
    keeps = True
    rank = 10
    wanted = (Wanted("impossible-travel", "notify"),)
    did = "told: nothing travels so fast"

    def prepare(self, stage: Stage) -> None:
        """Wherever the land is wide enough, and cells are listed."""
        rows = geography.row_of(stage.rows["site"][stage.victims])
        stage.rows["site"][stage.victims] = geography.site_at(rows, np.full(len(rows), 1))

    def acts(self, strength: float) -> tuple[Act, ...]:
        """Here, and ten minutes later there."""
        far = 594 * max(strength, 0.1)
        return (
            Act(ATTACH, ACCEPT), Act(INTERIM, ACKNOWLEDGED, after_s=300),
            Act(INTERIM, ACKNOWLEDGED, km=far, after_s=600),
            Act(INTERIM, ACKNOWLEDGED, km=far, after_s=600),
        )  # fmt: skip


class ImpossibleCountry(Attack):
    """Another continent within minutes, where no cell is listed.

    The networks alone say where: their mobile country codes.
    """

    id = "impossible-country"
    use_cases = (TRACKER,)
    catches = ("impossible-travel",)
    also = ("cloned-subscription", "reappeared-changed")
    keeps = True
    wanted = (Wanted("impossible-travel", "notify"),)
    did = "told: another continent within minutes"

    def acts(self, strength: float) -> tuple[Act, ...]:
        """Here, and minutes later there."""
        return (
            Act(ATTACH, ACCEPT, plmn=NORTHERN_PLMN), Act(INTERIM, ACKNOWLEDGED, plmn=NORTHERN_PLMN, after_s=300),
            Act(INTERIM, ACKNOWLEDGED, plmn=EASTERN_PLMN, after_s=900 + 5400 * (1 - strength)),
        )  # fmt: skip
