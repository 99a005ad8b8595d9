"""The working folder that `simward init` makes: small, commented, and accepted by `simward check` as it stands."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from simward.errors import UsageError

SETTINGS = """\
# Simward's settings. `simward check` reads them, the policies and the inventory, and says what is wrong.

[gate]
auth = "127.0.0.1:1812"              # where gateways ask (RADIUS Access-Request); [::]:1812 for every address
accounting = "127.0.0.1:1813"        # where they report sessions
unknown_subscription = "reject"      # or "allow": what becomes of a SIM that is not in the inventory
when_not_durable = "refuse"          # or "allow": what becomes of requests while the disk cannot be written
interim_interval = "15m"             # how often a gateway shall report a session; "none": as it likes

# Each GGSN/PGW/SMF (or the RADIUS proxy in front of them) that may ask. One block each.
[[gateway]]
name = "pgw1"
address = "127.0.0.1"                # an address or a CIDR
secret_file = "gateway.secret"       # made by `simward init`: give the same secret to the gateway
dynauth = "127.0.0.1:3799"           # where it takes Disconnect and CoA (RFC 5176)
require_message_authenticator = true # CVE-2024-3596: without it answers and requests can be forged

[control]
http = "127.0.0.1:8080"              # the API over TCP; "none": only by data/control.sock
"""

POLICY = """\
# A use case says what its subscriptions are meant to do; a segment says in which network of their own.
# One object a document, documents divided by `---`. `simward check` finds mistakes, `simward plan` shows what would
# change, `simward apply` puts it in force.

use_case: water-meter
segment: metering
binding:
  mode: first-use            # the first device that is let in is the right one; or declared | model | pool: NAME | none
  not_reported: refuse       # what a request without an IMEI counts as
mobility: fixed
networks:
  plmn: ["00101"]            # in quotes: the zeros in front count
  rat: [nb-iot, lte-m]
services: {data: 2 MB/day, sms: none, voice: none}
cadence: {every: 24h, silent_after: 49h}
responses:
  default: observe           # mildest first: observe, notify, quarantine, refuse, lock
  device-change: lock        # the SIM woke up in another device
  device-change/software: observe   # ... a software update is not another device
release_when: bound-device-returns
limits:
  lock: {per_hour: 20, share_of_fleet: 5%}   # past these a lock becomes a notice: a mistake cannot cut the fleet
criticality: normal          # or never-cut
---
segment: metering
apn: meters.iot
pool: 10.64.0.0/16           # each subscription keeps one address of these
quarantine_pool: 10.127.0.0/24
credentials: none
classification: internal
"""

INVENTORY = """\
iccid,imsi,use_case,msisdn,imei,label
8900101000000000019,001010000000001,water-meter,,,Meter 1 (synthetic)
8900101000000000027,001010000000002,water-meter,,,Meter 2 (synthetic)
8900101000000000035,001010000000003,water-meter,,,Meter 3 (synthetic)
"""

IGNORED = """\
data/
*.secret
"""


def write_initial(directory: Path) -> list[Path]:
    """Make a working folder; returns what was written. Raises UsageError, writing nothing, where any of it is there."""
    directory = Path(directory)
    secret = secrets.token_urlsafe(32) + "\n"
    files = {
        directory / "gateway.secret": (secret, 0o600),
        directory / "simward.toml": (SETTINGS, 0o644),
        directory / "policies" / "water-meter.yaml": (POLICY, 0o644),
        directory / "inventory.csv": (INVENTORY, 0o644),
        directory / ".gitignore": (IGNORED, 0o644),
    }
    there = [path for path in (*files, directory / "policies", directory / "data") if path.exists()]
    if there:
        names = ", ".join(str(path) for path in there)
        raise UsageError(f"nothing is overwritten, and there is already: {names}")
    try:
        (directory / "policies").mkdir(parents=True)
        (directory / "data").mkdir(mode=0o700)
        for path, (text, mode) in files.items():
            with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w", encoding="utf-8") as file:
                file.write(text)
    except OSError as error:
        raise UsageError(f"{error.filename}: {error.strerror}") from None
    return list(files)
