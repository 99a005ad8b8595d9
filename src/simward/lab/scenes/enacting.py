"""The acts of an attack as events: one row an act and victim, each victim a little later than the one before."""

from __future__ import annotations

import numpy as np

from simward.engine import events as ev
from simward.identity import Plmn, rat_number
from simward.lab import geography
from simward.lab.fleet import LAPTOP_TAC, PHONE_TAC
from simward.lab.population import HOUR_US, SECOND_US
from simward.lab.scenes.stage import Stage
from simward.lab.scripts import (
    ACCOMPLICE,
    ASK,
    ATTACH,
    INTERIM,
    LAPTOP,
    PHONE,
    STOP,
    TWIN,
    WITHHELD,
    Act,
)
from simward.lab.sightings import put_credentials, put_place, session_names

KINDS = {ASK: ev.ACCESS_REQUEST, INTERIM: ev.ACCOUNTING_INTERIM, STOP: ev.ACCOUNTING_STOP}
SALT = 64
"""Keeps the names of these sessions apart from those of the honest ones."""
TWIN_SERIAL_LAST = 999_999
MADE_UP = {PHONE: (int(PHONE_TAC), 17), LAPTOP: (int(LAPTOP_TAC), 3)}


def enacted(stage: Stage, acts: tuple[Act, ...]) -> np.ndarray:
    """EVENT rows of all acts for all victims, not in order; says in the stage when each victim's first one arrives.

    Forged packets are no events: they never get as far.
    """
    count = len(stage.people)
    at = stage.begins_at + (stage.rng.random(count) * HOUR_US).astype(np.int64)
    stage.began_at = at.copy()
    sessions: dict[tuple[str, str], tuple[np.ndarray, np.ndarray]] = {}
    parts = []
    for number, act in enumerate(acts):
        if act.forged:
            continue
        at = at + (int(act.after_s * SECOND_US) if number else 0)
        if act.send == ATTACH:
            names = session_names(np.arange(count) + SALT * number, np.full(count, stage.begins_at // SECOND_US), SALT)
            sessions[act.sim, act.session] = (at + SECOND_US, names)
            parts.append(_events(stage, act, ev.ACCESS_REQUEST, at))
            parts.append(_events(stage, act, ev.ACCOUNTING_START, at + SECOND_US))
        else:
            parts.append(_events(stage, act, KINDS[act.send], at))
        if act.send != ASK:
            began, names = sessions[act.sim, act.session]
            last = parts[-1]
            last["session_id"][:, :16], last["session_id_octets"] = names, 16
            if act.send != ATTACH:
                duration = (at - began) // SECOND_US
                last["duration_s"], last["downlink_octets"] = duration, duration
                last["uplink_octets"] = duration * act.octets_per_s
    return np.concatenate(parts) if parts else ev.empty(0)


def device_shown(stage: Stage, shown: str, whose: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """IMEI and software version that a packet shows, one for each victim; the same in all acts of a scene."""
    own, software = stage.people["imei"], stage.people["software"]
    if shown == WITHHELD:
        return np.zeros_like(own), np.full_like(software, -1)
    if shown == TWIN:
        return own // 10**6 * 10**6 + TWIN_SERIAL_LAST - np.arange(len(own)) - len(stage.population) % 1000, software
    if shown in MADE_UP:
        tac, version = MADE_UP[shown]
        serials = stage.memory.setdefault(shown, stage.rng.integers(0, 10**6, len(own)))
        return tac * 10**6 + serials, np.full_like(software, version)
    return (own, software) if shown != "own" else (whose["imei"], whose["software"])


def _events(stage: Stage, act: Act, kind: int, at: np.ndarray) -> np.ndarray:
    """One kind of event for every victim."""
    population, rows = stage.population, ev.empty(len(at))
    whose = population.rows[stage.accomplices] if act.sim == ACCOMPLICE else stage.people
    for name in ("imsi", "msisdn", "rat"):
        rows[name] = whose[name]
    rows["imei"], rows["software"] = device_shown(stage, act.device, whose)
    if act.rat:
        rows["rat"] = rat_number(act.rat)
    rows["kind"] = kind
    rows["received_at"], rows["happened_at"] = at, at // SECOND_US * SECOND_US
    rows["flags"] = ev.FLAG_TIMESTAMP
    rows["request"] = population.take_requests(len(at))
    own_apn = population.apns[whose["use_case"]]
    rows["apn"] = population.stolen_apns[act.apn] if act.apn else own_apn
    put_credentials(rows, population, ev.CREDENTIALS_WRONG if act.wrong_password else ev.CREDENTIALS_RIGHT)
    gateway = (whose["gateway"] + act.other_gateway) % len(population.gateways)
    rows["gateway"], rows["client"] = population.gateways[gateway], population.client
    site = geography.moved_km(whose["site"], act.km) if act.km else whose["site"]
    network = np.broadcast_to(geography.network_at(site, whose["network"]), site.shape)
    put_place(rows, slice(None), site, whose["sector"], network)
    if act.plmn:
        # The cell of another network: no owner has listed it.
        rows["plmn"] = Plmn.parse(act.plmn).number
        rows["cell"] += geography.UNLISTED << 8
    return rows
