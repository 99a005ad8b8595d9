"""What the owner of a made-up fleet declares: policies as an owner would write them, inventory, cells and models.

They stand apart from the traffic: what is allowed is the owner's word, what happens is the fleet's. Everything is
observed and nothing cut, so that one attack does not end another's.
"""

from __future__ import annotations

import csv
import os
import secrets
import tempfile
from collections.abc import Mapping
from pathlib import Path

from simward.engine.fold import Fold
from simward.engine.tables import InventoryDelta, PolicyTables
from simward.identity import iccid_text, imei_text, imsi_text, msisdn_text
from simward.lab import geography
from simward.lab.fleet import PASSWORDS
from simward.lab.traffic.kinds import BUTTON, CAMERA, CAR, KINDS, LIFT, METER, NUMBER, TERMINAL, TRACKER
from simward.lab.traffic.members import BEGINS_AT, GATEWAYS, Members
from simward.policy.plan import Current, plan
from simward.policy.wanted import read_wanted
from simward.settings import Settings

POLICIES: Mapping[str, str] = {
    METER: """\
use_case: meter
segment: metering
binding: {mode: first-use, not_reported: observe}
mobility: fixed
networks: {plmn: ["00101", "00102"], rat: [nb-iot, lte-m]}
services: {data: [500 kB/hour, 1 MB/day], sms: 5/day, voice: none}
cadence: {every: 24h, silent_after: 73h}
signalling: {attempts_per_hour: 30, sessions_per_hour: 30}
responses: {default: observe}
---
segment: metering
apn: meters.iot
credentials: {pap: metering}
""",
    TRACKER: """\
use_case: tracker
segment: trackers
binding: {mode: first-use, not_reported: observe}
mobility: free
services: {data: 5 MB/day, sms: 20/day, voice: none}
cadence: {every: 24h, silent_after: 73h}
signalling: {attempts_per_hour: 30, sessions_per_hour: 30}
responses: {default: observe}
---
segment: trackers
apn: trackers.iot
""",
    CAMERA: """\
use_case: camera
segment: cameras
binding: {mode: first-use, not_reported: observe}
mobility: fixed
networks: {plmn: ["00101", "00102"], rat: [lte, nr]}
services: {data: 1500 MB/day, sms: none, voice: none}
cadence: {every: 3h, silent_after: 48h}
signalling: {attempts_per_hour: 30, sessions_per_hour: 30}
responses: {default: observe}
---
segment: cameras
apn: cameras.iot
""",
    TERMINAL: """\
use_case: payment-terminal
segment: payments
binding: {mode: first-use, not_reported: observe}
mobility: fixed
networks: {rat: [lte]}
services: {data: [3 MB/hour, 5 MB/day], sms: none, voice: none}
cadence: {every: 24h, silent_after: 73h}
signalling: {attempts_per_hour: 30, sessions_per_hour: 30}
responses: {default: observe}
---
segment: payments
apn: terminals.iot
""",
    LIFT: """\
use_case: lift-alarm
segment: lifts
binding: {mode: declared, not_reported: observe}
mobility: fixed
networks: {plmn: ["00101"], rat: [lte-m, lte]}
services: {data: 10 MB/day, sms: none, voice: 30m/day}
cadence: {every: 6h, silent_after: 48h}
signalling: {attempts_per_hour: 30, sessions_per_hour: 30}
responses: {default: observe}
criticality: never-cut
---
segment: lifts
apn: lifts.iot
""",
    CAR: """\
use_case: car
segment: cars
binding: {mode: model, not_reported: observe}
mobility: free
services: {data: 1000 MB/day, sms: 10/day, voice: 30m/day}
signalling: {attempts_per_hour: 30, sessions_per_hour: 30}
responses: {default: observe}
---
segment: cars
apn: cars.iot
""",
    BUTTON: """\
use_case: panic-button
binding: {mode: none}
services: {data: none, sms: none, voice: 30m/day}
signalling: {attempts_per_hour: 30, sessions_per_hour: 30}
responses: {default: observe}
""",
}
assert set(POLICIES) == {one.name for one in KINDS}


def write_owner(folder: Path, members: Members) -> None:
    """Write simward.toml, policies, inventory, cells and models of a fleet into an empty folder."""
    (folder / "policies").mkdir(parents=True)
    for name, text in POLICIES.items():
        (folder / "policies" / f"{name}.yaml").write_text(text)
    rows = members.rows
    with (folder / "inventory.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("iccid", "imsi", "use_case", "msisdn", "imei", "state"))
        for row in rows[["iccid", "imsi", "kind", "msisdn", "imei"]].tolist():
            iccid, imsi, number, msisdn, imei = row
            one = KINDS[number]
            declared = imei_text(imei) if one.name == LIFT else ""
            writer.writerow((iccid_text(iccid), imsi_text(imsi), one.name, msisdn_text(msisdn), declared, "active"))
    with (folder / "cells.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("plmn", "tracking_area", "cell", "latitude", "longitude"))
        writer.writerows(geography.listed_cells())
    with (folder / "models.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("tac", "model", "rat"))
        writer.writerows((tac, f"{one.name} {tac[-1]}", one.rat) for one in KINDS for tac, _ in one.tacs)
    _write_settings(folder)


def _write_settings(folder: Path) -> None:
    """simward.toml for the fleet's gateways, each at an address of loopback and with a secret of its own."""
    lines = ["[gate]", 'auth = "127.0.0.1:1812"', 'accounting = "127.0.0.1:1813"', 'unknown_subscription = "reject"']
    for number, name in enumerate(GATEWAYS, 1):
        secret = secrets.token_urlsafe(24)
        lines += ["", "[[gateway]]", f'name = "{name}"', f'address = "127.0.0.{number}"', f'secret = "{secret}"']
    password = PASSWORDS[KINDS[NUMBER[METER]].apn]
    lines += ["", "[control]", 'http = "none"', "", "[[secret]]", 'name = "metering"', f'secret = "{password}"']
    path = folder / "simward.toml"
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write("\n".join(lines) + "\n")


def revisions(members: Members) -> tuple[PolicyTables, list[InventoryDelta]]:
    """Policy and inventory, read from a folder as the gate reads them."""
    with tempfile.TemporaryDirectory(prefix="simward-lab-") as place:
        folder = Path(place) / "fleet"
        write_owner(folder, members)
        wanted = read_wanted(Settings.load(folder))
        _, deltas = plan(Current.empty(), wanted.tables, wanted.inventory).deltas()
    return wanted.tables, list(deltas)


def new_fold(members: Members) -> Fold:
    """A gate fold that knows the fleet."""
    tables, deltas = revisions(members)
    fold = Fold.new()
    fold.policy(tables, BEGINS_AT - 1)
    for delta in deltas:
        fold.inventory(delta, BEGINS_AT - 1)
    return fold
