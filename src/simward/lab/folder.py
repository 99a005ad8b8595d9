"""The lab's working folder: simward.toml, policies, the fleet's inventory, its cells and its models."""

from __future__ import annotations

import csv
import json
import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from simward.errors import UsageError
from simward.lab import geography
from simward.lab.fleet import (
    APNS,
    LIFT_ALARM,
    MODEL_NAMES,
    MODEL_RATS,
    PASSWORDS,
    WATER_METER,
    Fleet,
    Subscription,
    make_fleet,
)
from simward.lab.policies import POLICIES

NOTE = "lab.json"
"""Names the seed and size of the fleet, so that the folder's fleet can be made again."""

@dataclass(frozen=True)
class Ports:
    """Where Simward listens and where the lab's gateways take Disconnect-Requests; all on loopback."""

    auth: int
    accounting: int
    dynauth: Mapping[str, int]
    http: int = 0
    """Of API and console; 0: none, since several labs may run on one machine."""


ADDRESSES: Mapping[str, str] = {"pgw1": "127.0.0.1", "pgw2": "127.0.0.2"}
"""Each gateway has an address of its own: the whole of 127.0.0.0/8 is this machine's (RFC 1122 3.2.1.3)."""
STRANGER_ADDRESS = "127.0.0.66"


def write_fleet(
    folder: Path, fleet: Fleet, policies: Mapping[str, str] = POLICIES, more: Sequence[Subscription] = ()
) -> None:
    """Write policies, inventory, cells, models and the note about the fleet; never over an inventory that is there.

    `more` are subscriptions of the inventory that are no part of the fleet.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / "inventory.csv").exists():
        raise UsageError(f"{folder / 'inventory.csv'} exists; choose an empty folder")
    (folder / "policies").mkdir(exist_ok=True)
    for name, text in policies.items():
        (folder / "policies" / name).write_text(text)
    with (folder / "inventory.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("iccid", "imsi", "use_case", "msisdn", "imei", "state", "label"))
        for one in (*fleet.subscriptions, *more):
            declared = one.device.imei if one.use_case == LIFT_ALARM else ""
            label = f"{one.use_case} {one.number:06d}"
            writer.writerow((one.iccid, one.imsi, one.use_case, one.msisdn, declared, one.state, label))
    with (folder / "cells.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("plmn", "tracking_area", "cell", "latitude", "longitude"))
        writer.writerows(geography.listed_cells())
    with (folder / "models.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("tac", "model", "rat"))
        writer.writerows((tac, MODEL_NAMES[tac], rats) for tac, rats in MODEL_RATS.items())
    (folder / NOTE).write_text(json.dumps({"seed": fleet.seed, "subscriptions": len(fleet)}) + "\n")


def write_settings(folder: Path, ports: Ports) -> None:
    """Write simward.toml for two gateways on loopback, each with a secret of its own, and the meters' password."""
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
    lines += ["", "[control]", f'http = "127.0.0.1:{ports.http}"' if ports.http else 'http = "none"']
    lines += ["", "[[secret]]", 'name = "metering"', f'secret = "{PASSWORDS[APNS[WATER_METER]]}"']
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

