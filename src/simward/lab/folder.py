"""The lab's working folder: simward.toml, the policies of three use cases, the inventory of a fleet."""

from __future__ import annotations

import csv
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from simward.errors import UsageError
from simward.lab.fleet import LIFT_ALARM, Fleet, make_fleet

NOTE = "lab.json"
"""Names the seed and size of the fleet, so that the folder's fleet can be made again."""

WATER_METER_POLICY = """\
# Water meters: fixed, narrow-band, once a day. The SIM belongs in the meter that used it first.
use_case: water-meter
segment: metering
binding: {mode: first-use, not_reported: refuse}
mobility: fixed
networks: {plmn: ["00101", "00102"], rat: [nb-iot, lte-m]}
services: {data: 2 MB/day, sms: none, voice: none}
cadence: {every: 24h, silent_after: 49h}
responses:
  default: refuse
  device-change: lock
  device-change/software: observe
release_when: bound-device-returns
limits:
  lock: {per_hour: 20, share_of_fleet: 50%}
---
segment: metering
apn: meters.iot
pool: 10.64.0.0/12
quarantine_pool: 10.127.0.0/16
"""

LIFT_ALARM_POLICY = """\
# Lift alarms: people's lives hang on them. The inventory says which modem; whatever happens, tell, never cut.
use_case: lift-alarm
segment: lifts
binding: {mode: declared, not_reported: notify}
mobility: fixed
networks: {plmn: ["00101"], rat: [lte-m, lte]}
responses:
  default: notify
  device-change: lock
  device-change/software: observe
criticality: never-cut
---
segment: lifts
apn: lifts.iot
pool: 10.80.0.0/14
"""

CAR_POLICY = """\
# Cars: they move and roam; a workshop may fit another unit of the same model. Anything else is refused, not locked.
use_case: car
segment: cars
binding: {mode: model, not_reported: refuse}
mobility: free
networks: {plmn: ["00101", "00102"], rat: [lte, nr]}
responses:
  default: refuse
  device-change: refuse
  device-change/software: observe
limits:
  refuse: {per_hour: 200, share_of_fleet: 50%}
---
segment: cars
apn: cars.iot
pool: 10.96.0.0/12
"""

POLICIES: Mapping[str, str] = {
    "water-meter.yaml": WATER_METER_POLICY, "lift-alarm.yaml": LIFT_ALARM_POLICY, "car.yaml": CAR_POLICY,
}  # fmt: skip

OBSERVED_POLICIES: Mapping[str, str] = {
    name: text.replace(": lock\n", ": observe\n").replace("default: refuse", "default: observe")
    .replace("device-change: refuse", "device-change: observe").replace("not_reported: refuse", "not_reported: observe")
    for name, text in POLICIES.items()
}  # fmt: skip
"""The same use cases with nothing but `observe`: every attack is seen and none is stopped."""


@dataclass(frozen=True)
class Ports:
    """Where the gate listens and where the lab's gateways take Disconnect-Requests; all on loopback."""

    auth: int
    accounting: int
    dynauth: Mapping[str, int]


ADDRESSES: Mapping[str, str] = {"pgw1": "127.0.0.1", "pgw2": "127.0.0.2"}
"""Each gateway has an address of its own: the whole of 127.0.0.0/8 is this machine's (RFC 1122 3.2.1.3)."""
STRANGER_ADDRESS = "127.0.0.66"


def write_fleet(folder: Path, fleet: Fleet, policies: Mapping[str, str] = POLICIES) -> None:
    """Write policies, inventory and the note about the fleet; never over an inventory that is there."""
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / "inventory.csv").exists():
        raise UsageError(f"{folder / 'inventory.csv'} exists; choose an empty folder")
    (folder / "policies").mkdir(exist_ok=True)
    for name, text in policies.items():
        (folder / "policies" / name).write_text(text)
    with (folder / "inventory.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("iccid", "imsi", "use_case", "msisdn", "imei", "state", "label"))
        for one in fleet.subscriptions:
            declared = one.device.imei if one.use_case == LIFT_ALARM else ""
            label = f"{one.use_case} {one.number:06d}"
            writer.writerow((one.iccid, one.imsi, one.use_case, one.msisdn, declared, one.state, label))
    (folder / NOTE).write_text(json.dumps({"seed": fleet.seed, "subscriptions": len(fleet)}) + "\n")


def write_settings(folder: Path, ports: Ports) -> None:
    """Write simward.toml for two gateways on loopback, each with a secret of its own."""
    lines = [
        "[gate]",
        f'auth = "127.0.0.1:{ports.auth}"',
        f'accounting = "127.0.0.1:{ports.accounting}"',
        'unknown_subscription = "reject"',
    ]
    for name, port in ports.dynauth.items():
        lines += [
            "",
            "[[gateway]]",
            f'name = "{name}"',
            f'address = "{ADDRESSES[name]}"',
            f'secret = "{secrets.token_urlsafe(24)}"',
            f'dynauth = "{ADDRESSES[name]}:{port}"',
            "require_message_authenticator = true",
        ]
    path = folder / "simward.toml"
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write("\n".join(lines) + "\n")


def read_fleet(folder: Path) -> Fleet:
    """The fleet of a folder that `write_fleet` made."""
    try:
        note = json.loads((folder / NOTE).read_text())
        return make_fleet(int(note["seed"]), int(note["subscriptions"]))
    except FileNotFoundError:
        raise UsageError(f"{folder} has no {NOTE}, so it is not the lab's: make one with `simward lab fleet`") from None

