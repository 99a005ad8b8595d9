"""Honest oddities of a fleet that is worked on: roll-outs, refits, silence, second sessions, a mast that is down."""

from __future__ import annotations

import numpy as np

from simward.engine import events as ev
from simward.lab import geography
from simward.lab.fleet import CAMERA, LIFT_ALARM, WATER_METER
from simward.lab.population import DAY_US, MINUTE_US, SECOND_US
from simward.lab.scenes.scene import Oddity
from simward.lab.scenes.stage import Stage
from simward.lab.sightings import Day, put_place, session_names

REFIT_SERIAL_FIRST = 900_000


class FirmwareRollout(Oddity):
    """Firmware is rolled out over a whole use case.

    Every device shows another software version (IMEISV digits 15 and 16) from some moment on. Stronger: more of them.
    """

    id = "firmware-rollout"
    use_cases = (WATER_METER,)
    everybody = True
    informs = ("device-change/software",)

    def before(self, stage: Stage, begins_at: int) -> None:
        """All in one night."""
        if begins_at <= stage.begins_at < begins_at + DAY_US:
            some = stage.victims[stage.rng.random(len(stage.victims)) < stage.strength]
            stage.rows["software"][some] = (stage.rows["software"][some] + 1) % 99


class AnnouncedRefit(Oddity):
    """A device is exchanged, and the exchange was announced.

    `release --rebind` comes first; then another unit of the model attaches and becomes the bound one.
    """

    id = "announced-refit"
    use_cases = (WATER_METER, CAMERA)
    live = False  # the release is a command, not a packet

    def before(self, stage: Stage, begins_at: int) -> None:
        """From midnight on, another unit."""
        if begins_at <= stage.begins_at < begins_at + DAY_US:
            rows, count = stage.rows, len(stage.victims)
            model = rows["imei"][stage.victims] // 10**6 * 10**6
            rows["imei"][stage.victims] = model + REFIT_SERIAL_FIRST + stage.rng.permutation(90_000)[:count]
            rows["renew_at"][stage.victims] = begins_at + 2 * MINUTE_US
            rows["no_stop"][stage.victims] = True

    def alter(self, stage: Stage, day: Day) -> None:
        """The announcement, at midnight."""
        if not stage.begins_within(day):
            return
        commands = ev.empty(len(stage.victims))
        commands["kind"], commands["flags"] = ev.COMMAND_RELEASE, ev.FLAG_REBIND
        commands["imsi"] = stage.rows["imsi"][stage.victims]
        commands["received_at"] = commands["happened_at"] = day.begins_at + SECOND_US
        commands["request"] = -stage.population.take_requests(len(stage.victims))
        day.add(commands)


class BatterySilence(Oddity):
    """Devices on battery are silent for days, and come back unchanged.

    Stronger: longer, up to four days.
    """

    id = "battery-silence"
    use_cases = (WATER_METER,)
    informs = ("silent",)
    live = False

    def alter(self, stage: Stage, day: Day) -> None:
        """Nothing is heard."""
        at = day.events["received_at"]
        day.drop(stage.of(day) & (at < stage.begins_at + int(4 * stage.strength * DAY_US)))


class TwoApns(Oddity):
    """A device has sessions in two APNs at once.

    Cameras send alarms through a second one, beside the first, which stays. Stronger: more days.
    """

    id = "two-apns"
    use_cases = (CAMERA,)

    def alter(self, stage: Stage, day: Day) -> None:
        """Beside each interim, a short second session."""
        chosen = stage.some(stage.of(day) & (day.events["kind"] == ev.ACCOUNTING_INTERIM), stage.strength)
        beside, people = day.events[chosen], stage.rows[day.who[chosen]]
        names = session_names(np.arange(len(beside)), np.full(len(beside), day.begins_at // DAY_US), 96)
        for kind, after in (
            (ev.ACCESS_REQUEST, 0), (ev.ACCOUNTING_START, SECOND_US), (ev.ACCOUNTING_STOP, 5 * MINUTE_US),
        ):  # fmt: skip
            more = beside.copy()
            more["kind"], more["apn"] = kind, stage.population.second_apn
            if kind == ev.ACCESS_REQUEST:  # the report may have left it out; a request names the device
                more["imei"], more["software"] = people["imei"], people["software"]
            more["received_at"] += after
            more["happened_at"] += after
            more["duration_s"] = 300 if kind == ev.ACCOUNTING_STOP else -1
            more["request"] = stage.population.take_requests(len(more))
            more["session_id"][:] = 0
            if kind == ev.ACCESS_REQUEST:
                more["session_id_octets"] = 0
            else:
                more["session_id"][:, :16] = names
            day.add(more)


class CellOutage(Oddity):
    """A mast is down, and its devices are silent or seen from the next one.

    Eight lifts and cameras; after half a day all is as before. Stronger: longer.
    """

    id = "cell-outage"
    use_cases = (LIFT_ALARM, CAMERA)
    informs = ("cell-silent", "silent")
    live = False
    lasts_h = 12.0

    def prepare(self, stage: Stage) -> None:
        """All below one mast."""
        for name in ("site", "sector", "network"):
            stage.rows[name][stage.victims] = stage.rows[name][stage.victims[0]]

    def alter(self, stage: Stage, day: Day) -> None:
        """Half of them are heard through the next best neighbour; the rest are not heard."""
        at = day.events["received_at"]
        meanwhile = (at >= stage.begins_at) & (at < self.ends_at(stage))
        day.drop(day.of(stage.victims[::2]) & meanwhile)
        heard = np.flatnonzero(day.of(stage.victims[1::2]) & meanwhile)
        people = stage.rows[day.who[heard]]
        put_place(day.events, heard, geography.beside(people["site"], people["leans"][:, 0]), 1, people["network"])
