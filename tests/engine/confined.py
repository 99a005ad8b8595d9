"""A session that is up under a policy with quarantine filters, and what its gateway answers."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "detectors"))

from story import HOME, Story

from simward.engine import events as e
from simward.engine import outputs as o
from simward.engine.outputs import INTO_QUARANTINE, OUT_OF_QUARANTINE

ABROAD = 199999
POLICY = """
use_case: meter
segment: metering
binding: {mode: none}
networks: {plmn: ["00101"]}
responses: {network-not-permitted: quarantine}
limits: {disconnect: {per_hour: 3}, quarantine: {per_hour: 2}}
---
segment: metering
apn: meters.iot
pool: 10.64.0.0/24
filter: [permit in ip from assigned to 192.0.2.0/24, permit out ip from 192.0.2.0/24 to assigned]
quarantine_filter: [permit in 17 from assigned to 192.0.2.53 53]
"""
NO_WAY_BACK = "\n".join(line for line in POLICY.splitlines() if not line.startswith("filter:"))


class Told(Story):
    """A story with the gateway's answers to changes and Disconnects."""

    @property
    def effects(self) -> list[tuple[int, int]]:
        """Kind and direction of everything that was sent."""
        sent = [one for one in self.of(o.CHANGE, o.DISCONNECT) if not int(one["held"])]
        return [(int(one["kind"]), int(one["result"])) for one in sent]

    def answered(self, cause: int = e.EFFECT_ACK, error_cause: int = 0) -> Told:
        """What the gateway says to the last effect."""
        last = self.of(o.CHANGE, o.DISCONNECT)[-1]
        self.now += 1_000_000
        self.fold_in(self.fold.effect_result(last, cause, error_cause, self.now))
        return self

    @property
    def flags(self) -> int:
        """Of the only session."""
        return int(self.fold.state.sessions["flags"][self.row().session_head])


INTO, OUT, CUT = (o.CHANGE, INTO_QUARANTINE), (o.CHANGE, OUT_OF_QUARANTINE), (o.DISCONNECT, 0)


def up(policy: str = POLICY) -> Told:
    """A session that is up at home."""
    told = Told(policy)
    told.attaches().starts(address=0x0A400001)
    assert told.effects == []
    return told


def abroad(told: Told, seconds: int = 1) -> Told:
    told.reports(duration_s=seconds, plmn=ABROAD)
    return told


def home(told: Told, seconds: int = 9) -> Told:
    told.reports(duration_s=seconds, plmn=HOME)
    return told
