"""What happens to an honest fleet and is so: roll-outs, swaps that were planned, outages, heat, wrong clocks.

Their rates are judged, like those of the lab's other weather; what they are is what operations people name first.
"""

from __future__ import annotations

from simward.engine import events as ev
from simward.lab.traffic.day import Day
from simward.lab.traffic.happening import EVERY_KIND, Act, Happening
from simward.lab.traffic.kinds import CAMERA, LIFT, METER, TERMINAL
from simward.lab.traffic.members import HOUR_S, MINUTE_S, unused_devices

ROLLOUT_TIMES = 4.0
"""A firmware update takes so many times a day's octets, downwards."""
HEAT_TIMES = 1.6
RECONNECT_S = 120


class FirmwareRollout(Happening):
    """Firmware is rolled out over a model, in three nights.

    Each device loads it, shows another software version (IMEISV digits 15 and 16), and goes on as before.
    """

    id = "firmware-rollout"
    honest = True
    kinds = (METER, CAMERA, LIFT)
    expects = ()
    also = ("device-change/software", "cohort-shift")
    group = "model"
    strengths = (1.0,)
    lasts_days = 3.0

    def before(self, act: Act, day: Day) -> None:
        """A third of them each night."""
        today = act.who[act.who % 3 == day.number % 3]
        day.members.rows["software"][today] = (day.members.rows["software"][today] + 1) % 99
        day.members.rows["session_at"][today] = 0
        act.memory["today"] = today

    def alter(self, act: Act, day: Day) -> None:
        """What is loaded."""
        places = day.of(act.memory["today"])
        day.sessions["down"][places] = day.sessions["down"][places] * ROLLOUT_TIMES
        act.note(day.sessions["begins_at"][places])


class PlannedSwap(Happening):
    """A device is exchanged, and the exchange was announced: the binding is released before the new unit attaches."""

    id = "planned-swap"
    honest = True
    kinds = (METER, CAMERA)
    also = ("device-change/software", "cell-silent", "silent")
    strengths = (1.0,)
    lasts_days = 2.0

    def before(self, act: Act, day: Day) -> None:
        """From midnight on, another unit."""
        if act.begins_on(day):
            rows = day.members.rows
            rows["imei"][act.who] = unused_devices(day.members, rows["imei"][act.who] // 10**6, act.rng)
            rows["session_at"][act.who] = 0

    def alter(self, act: Act, day: Day) -> None:
        """The announcement, at midnight."""
        if act.begins_on(day):
            commands = ev.empty(len(act.who))
            commands["kind"], commands["flags"] = ev.COMMAND_RELEASE, ev.FLAG_REBIND
            commands["imsi"] = act.imsis
            commands["received_at"] = commands["happened_at"] = day.begins_at + 1
            commands["request"] = -(1 + act.number * 1_000_000 + act.who)
            day.commands.append(commands)
            act.note(day.begins_at)


class CellOutage(Happening):
    """A mast is without power for some hours, and what is always on there comes back by and by."""

    id = "cell-outage"
    honest = True
    kinds = (CAMERA,)
    expects = ("cell-silent",)
    also = ("silent", "cohort-shift")
    group = "cell"
    members_least = 10
    strengths = (1.0,)
    lasts_days = 0.6

    def alter(self, act: Act, day: Day) -> None:
        """Nothing; then everything anew, within an hour."""
        day.resume(act.who, act.begins_at, act.ends_at, HOUR_S, act.rng)
        day.mute(act.who, *act.part(day))
        act.note(act.begins_at)


class GatewayOutage(Happening):
    """An operator's gateway is down for hours; afterwards everything on it begins anew, within two minutes.

    Nothing is wrong with any device. That they come back together is so, too.
    """

    id = "gateway-outage"
    honest = True
    kinds = EVERY_KIND
    expects = ("gateway-silent",)
    also = ("cell-silent", "gateway-restarted", "synchronised-reconnect", "signalling-storm", "silent", "cohort-shift")
    group = "gateway"
    strengths = (1.0,)
    lasts_days = 0.2

    def alter(self, act: Act, day: Day) -> None:
        """Nothing of that gateway meanwhile."""
        gateway = int(day.members.rows["gateway"][act.who[0]])
        day.resume(act.who, act.begins_at, act.ends_at, RECONNECT_S, act.rng)
        day.silence_gateway(gateway, *act.part(day))
        act.note(act.begins_at)


class HeatWave(Happening):
    """For three days everybody of a kind uses more: heat, frost, a sale."""

    id = "heat-wave"
    honest = True
    kinds = (METER, TERMINAL)
    also = ("cohort-shift",)
    group = "kind"
    strengths = (HEAT_TIMES,)
    lasts_days = 3.0

    def alter(self, act: Act, day: Day) -> None:
        """More of everything."""
        places = day.of(act.who)
        for name in ("up", "down"):
            day.sessions[name][places] = day.sessions[name][places] * act.strength
        act.note(day.sessions["begins_at"][places])


class WrongClock(Happening):
    """The clock of a device's gateway is wrong for a day: its records carry times that are some hours off."""

    id = "wrong-clock"
    honest = True
    kinds = (METER, TERMINAL, CAMERA)
    strengths = (1.0,)
    lasts_days = 1.0

    def alter(self, act: Act, day: Day) -> None:
        """By up to six hours, either way."""
        places = day.of(act.who)
        day.sessions["drift_s"][places] = int(act.rng.integers(-6 * HOUR_S, 6 * HOUR_S))
        act.note(day.sessions["begins_at"][places])


class CoverageHole(Happening):
    """A device is behind something for a day: its requests come to nothing at first, and it tries again, politely."""

    id = "coverage-hole"
    honest = True
    kinds = (METER, TERMINAL)
    strengths = (1.0,)
    lasts_days = 1.0

    def alter(self, act: Act, day: Day) -> None:
        """More tries, with a back-off of two minutes."""
        places = day.of(act.who)
        day.sessions["tries"][places] = act.rng.integers(2, 7, len(places))
        day.sessions["retry_s"][places] = 2 * MINUTE_S
        act.note(day.sessions["begins_at"][places])


