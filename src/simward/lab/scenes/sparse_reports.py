"""Honest oddities of gateways that report less than they could, or otherwise than before."""

from __future__ import annotations

from simward.engine import events as ev
from simward.lab.scenes.scene import Oddity
from simward.lab.scenes.stage import Stage
from simward.lab.sightings import Day

DOCUMENTATION_PREFIX = 0x20010DB8 << 32  # 2001:db8::/32 (RFC 3849)


class ImeiNotInAccounting(Oddity):
    """Accounting records carry no IMEI.

    3GPP-IMEISV is optional in them (TS 29.061 16.4.7.1). Stronger: in more of them.
    """

    id = "imei-not-in-accounting"

    def alter(self, stage: Stage, day: Day) -> None:
        """Take it out of some."""
        some = stage.some(stage.of(day) & (day.events["kind"] != ev.ACCESS_REQUEST), stage.strength)
        day.events["imei"][some], day.events["software"][some] = 0, -1


class ImeisvDigits(Oddity):
    """IMEISV with 14, 15 or 16 digits in turn.

    Only 16 digits name the software version: the device is the same, its version comes and goes. Stronger: more often.
    """

    id = "imeisv-digits"

    def alter(self, stage: Stage, day: Day) -> None:
        """No version in some."""
        day.events["software"][stage.some(stage.of(day), 0.7 * stage.strength)] = -1


class CellMissing(Oddity):
    """No cell in some records.

    Some name the network alone, some nothing at all. Stronger: more of them.
    """

    id = "cell-missing"

    def alter(self, stage: Stage, day: Day) -> None:
        """Take cell and area out of some, and the network out of some of those."""
        some = stage.some(stage.of(day), 0.7 * stage.strength)
        day.events["cell"][some], day.events["area"][some] = 0, -1
        day.events["plmn"][stage.some(some, 0.3)] = 0


class Ipv6Attach(Oddity):
    """Devices attach with IPv6 alone.

    There is no Framed-IP-Address. Stronger: more sessions.
    """

    id = "ipv6-attach"
    live = False  # the lab's own packets ask for IPv4

    def alter(self, stage: Stage, day: Day) -> None:
        """A prefix instead of the address, where events can say so."""
        some = stage.some(stage.of(day), stage.strength)
        day.events["address"][some] = 0
        if "prefix_high" in (ev.EVENT.names or ()):
            accounting = some & (day.events["kind"] != ev.ACCESS_REQUEST)
            day.events["prefix_high"][accounting] = DOCUMENTATION_PREFIX | day.who[accounting]
            day.events["prefix_length"][accounting], day.events["pdp_type"][some] = 64, 3
