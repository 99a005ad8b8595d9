"""Stories of calls and messages: their records, as operators give them, on the clock of the stories of usage."""

from __future__ import annotations

import numpy as np
from story import IMSI
from using import MB, UsageStory

from simward.engine import call_records as c
from simward.engine.watching.layouts import SMS, VOICE
from simward.engine.watching.tallies import ANY, key_destination, key_network, key_service

HOME_NETWORK = 1_00101
KINDS = {VOICE: c.VOICE, SMS: c.SHORT_MESSAGE}


class CallStory(UsageStory):
    """Two meters with data, whose use case also says `services: {SAID}`."""

    def __init__(self, said: str = "", members: int = 2) -> None:
        super().__init__(f"unlimited, {said}" if said else "unlimited", members)

    def record(
        self, kind: int, destination: int, *, lasted: int = -1, member: int = 0, ago: float = 0,
        network: int = HOME_NETWORK, octets: int = -1,
    ) -> np.ndarray:  # fmt: skip
        """One record of what happened `ago` seconds before."""
        made = np.zeros(1, c.RECORD)
        made["imsi"], made["kind"], made["destination"] = IMSI + member, kind, destination
        made["happened_at"], made["duration_s"], made["plmn"] = self.now - int(ago * MB), lasted, network
        made["uplink_octets"] = made["downlink_octets"] = octets
        return made

    def told_of(self, *records: np.ndarray) -> CallStory:
        """Records come, and the watch folds them before what the gate hears next."""
        taken, found = self.watch.records(np.concatenate(records), self.fold.sequence + 1, self.now)
        assert taken == len(records)
        self.found += list(found)
        return self

    def calls(self, destination: int = c.HOME, lasted: int = 60, **more: float) -> CallStory:
        """A call is told of."""
        return self.told_of(self.record(c.VOICE, destination, lasted=lasted, **more))  # type: ignore[arg-type]

    def writes(self, destination: int = c.HOME, **more: float) -> CallStory:
        """A short message is."""
        return self.told_of(self.record(c.SHORT_MESSAGE, destination, **more))  # type: ignore[arg-type]

    def used_of(
        self, service: int, period: int, destination: int = ANY, network: int = ANY, member: int = 0
    ) -> int:
        """What the counters say, whichever period it is by now."""
        state, total = self.watch.state, 0
        at = int(state.called["head"][member])
        while at:
            one = state.tallies[at - 1]
            key = int(one["key"])
            fits = destination in (ANY, key_destination(key)) and network in (ANY, key_network(key))
            if fits and key_service(key) == service:
                high = int(one["high"][period - 1]) if period else 0
                total += int(one["low"][period]) | high << 32
            at = int(one["next"])
        return total
