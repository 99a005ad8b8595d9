"""Honest oddities of places: borders, neighbouring cells, radio technologies that give way to one another."""

from __future__ import annotations

import numpy as np

from simward.engine import events as ev
from simward.identity import rat_number
from simward.lab import geography
from simward.lab.fleet import CAMERA, LIFT_ALARM, TRACKER, WATER_METER
from simward.lab.geography import BLOCK, BORDER
from simward.lab.population import HOUR_US, MINUTE_US, SECOND_US
from simward.lab.scenes.scene import Oddity
from simward.lab.scenes.stage import Stage
from simward.lab.sightings import Day, joined, put_place, sightings
from simward.lab.sightings import as_events as reported


class RoamingByRoad(Oddity):
    """Trackers cross the border by road, at road speed.

    They live at the border and are driven to and fro over it all day. Stronger: faster, up to 90 km/h.
    """

    id = "roaming-by-road"
    use_cases = (TRACKER,)
    live = False

    def prepare(self, stage: Stage) -> None:
        """A hundred kilometres from the border, or less."""
        stage.rows["column"][stage.victims] = BORDER + stage.rng.integers(-30, 30, len(stage.victims))

    def alter(self, stage: Stage, day: Day) -> None:
        """Besides what it does anyway, an evening drive over the border and back with a report each half hour."""
        if not stage.has_begun(day):
            return
        who, population = stage.victims, stage.population
        day.drop(day.of(who))
        at = np.full(len(who), day.begins_at + 6 * HOUR_US) + (stage.rng.random(len(who)) * HOUR_US).astype(np.int64)
        population.rows["serial"][who] += 1
        serial, row = population.rows["serial"][who], geography.row_of(population.rows["site"][who])
        speed = (40 + 50 * stage.strength) / geography.SPACING_KM / 2  # columns each half hour
        parts = []
        for step in range(16):
            column = BORDER - 4 * speed + speed * (step if step < 8 else 16 - step)
            site = geography.site_at(row, np.full(len(who), np.rint(column)))
            network = geography.network_at(site, geography.HOME)
            place = {"site": site, "sector": 1, "network": network}
            when = at + step * 30 * MINUTE_US
            kind = ev.ACCOUNTING_INTERIM if 0 < step < 15 else ev.ACCOUNTING_STOP
            if step == 0:
                parts.append(sightings(who, when, ev.ACCESS_REQUEST, serial, **place))
                parts.append(sightings(who, when + SECOND_US, ev.ACCOUNTING_START, serial, **place))
            else:
                parts.append(sightings(who, when, kind, serial, duration_s=step * 1800, **place))
        day.add(reported(population, joined(parts)))


class BorderFlapping(Oddity):
    """Mobile devices at a border flap between the networks of two countries.

    Two masts three kilometres apart, heard equally well: report after report, the other network. Stronger: more often.
    """

    id = "border-flapping"
    use_cases = (TRACKER,)

    def alter(self, stage: Stage, day: Day) -> None:
        """Put them at the border; each report is from a random side of it."""
        where = np.flatnonzero(stage.of(day))
        row = geography.row_of(stage.rows["site"][day.who[where]])
        east = stage.rng.random(len(where)) < 0.5 * stage.strength
        site = geography.site_at(row, np.where(east, BORDER, BORDER - 1))
        put_place(day.events, where, site, 1, geography.network_at(site, geography.HOME))


class NeighbourFlapping(Oddity):
    """Fixed devices flap between neighbouring cells, within and across two tracking areas.

    They stand where two areas meet, and are seen from both sides. Stronger: more often.
    """

    id = "neighbour-flapping"
    use_cases = (WATER_METER, LIFT_ALARM, CAMERA)

    def prepare(self, stage: Stage) -> None:
        """At the edge of a tracking area."""
        site = stage.rows["site"][stage.victims]
        column = geography.column_of(site) // BLOCK * BLOCK
        stage.rows["site"][stage.victims] = geography.site_at(geography.row_of(site), np.maximum(column, BLOCK))

    def alter(self, stage: Stage, day: Day) -> None:
        """Each report from the home cell, another sector of it, or the mast across the edge."""
        where = np.flatnonzero(day.of(stage.victims))  # a home is learnt under these conditions too
        people = stage.rows[day.who[where]]
        across = stage.rng.random(len(where)) < 0.5 * stage.strength
        sector = np.where(stage.rng.random(len(where)) < 0.5, people["sector"], stage.rng.integers(1, 4, len(where)))
        put_place(day.events, where, people["site"] - across, sector, people["network"])


class RatFallback(Oddity):
    """LTE-M gives way to NB-IoT and the other way round, where both are permitted.

    A model that has both chooses by signal. Stronger: more often.
    """

    id = "rat-fallback"
    use_cases = (WATER_METER,)

    def alter(self, stage: Stage, day: Day) -> None:
        """The other technology in some."""
        day.events["rat"][stage.some(stage.of(day), 0.5 * stage.strength)] = rat_number("lte-m")
