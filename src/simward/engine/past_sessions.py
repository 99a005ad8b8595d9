"""Sessions as the journal tells them: when each began, from which device and where, and how it ended."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from simward import identity
from simward.engine import events as ev
from simward.engine.phrases import WHOLE_ADDRESS, address_text, ipv6_text, prefix_text, printable, terminate_cause_text
from simward.engine.words import Lexicon

FACTS = (
    "device", "software", "network", "area", "cell", "rat", "apn", "gateway", "address", "prefix", "ipv6_address",
    "delegated",
)  # fmt: skip
"""What is compared across time, in the order in which it is told."""

CHANGES_KEPT = 100
STOPPED_KEPT = 1024
"""Sessions that a record may still come late for."""


def facts_of(event: Any, lexicon: Lexicon) -> dict[str, str]:
    """What one event reports, in words; what it does not report is not there."""
    whole = int(event["prefix_length"]) == WHOLE_ADDRESS  # the address stands in its place
    said = {
        "device": identity.imei_text(int(event["imei"])),
        "software": f"{int(event['software']):02d}" if event["software"] >= 0 else "",
        "network": identity.plmn_text(int(event["plmn"])),
        "area": str(int(event["area"])) if event["area"] >= 0 else "",
        "cell": identity.cell_text(int(event["cell"])),
        "rat": identity.rat_text(int(event["rat"])),
        "apn": lexicon.text(event["apn"]),
        "gateway": lexicon.text(event["gateway"]),
        "address": address_text(event["address"]) if event["address"] else "",
        "prefix": "" if whole else prefix_text(event["prefix_high"], event["prefix_low"], int(event["prefix_length"])),
        "ipv6_address": ipv6_text(event["ipv6_high"], event["ipv6_low"])
        or (prefix_text(event["prefix_high"], event["prefix_low"], WHOLE_ADDRESS) if whole else ""),
        "delegated": prefix_text(event["delegated_high"], 0, int(event["delegated_length"])),
    }
    return {name: text for name, text in said.items() if text}


def session_key(event: Any) -> tuple[int, bytes]:
    """A session is named by its gateway and the Acct-Session-Id that the gateway gave it (RFC 2866 5.5)."""
    return int(event["gateway"]), bytes(event["session_id"][: int(event["session_id_octets"])])


@dataclass
class PastSession:
    """One session. Times are as the gateway reported them, us UTC; 0 = nobody said."""

    gateway: str
    session_id: str
    began_at: int
    facts: dict[str, str]
    imsi: int = 0
    user: int = 0
    msisdn: int = 0
    last_at: int = 0
    ended_at: int = 0
    how: str = ""
    start_seen: bool = False
    duration_s: int = -1
    uplink: int = -1
    downlink: int = -1
    changes: list[tuple[int, str, str, str]] = field(default_factory=list)
    more_changes: int = 0
    decision: int = 0
    """Sequence of the decision that allowed it, as its Class says; 0 = no Class of ours came back."""
    multi_session: int = 0
    """What its Acct-Multi-Session-Id is known by; 0 = it has none."""

    def report(self, event: Any, facts: dict[str, str]) -> None:
        """Take over what a later report of this session says."""
        at = int(event["happened_at"])
        for name, text in facts.items():
            before = self.facts.get(name)
            if before is not None and before != text:
                if len(self.changes) < CHANGES_KEPT:
                    self.changes.append((at, name, before, text))
                else:
                    self.more_changes += 1
            self.facts[name] = text
        self.imsi = self.imsi or int(event["imsi"])
        self.decision = self.decision or int(event["class_token"])
        self.multi_session = self.multi_session or int(event["multi_session"])
        self.last_at = max(self.last_at, at)
        self.duration_s = max(self.duration_s, int(event["duration_s"]))
        self.uplink = max(self.uplink, int(event["uplink_octets"]))
        self.downlink = max(self.downlink, int(event["downlink_octets"]))

    def end(self, at: int, how: str) -> None:
        """It is over."""
        self.ended_at, self.how = at, how

    @property
    def live(self) -> bool:
        """Has nothing ended it yet?"""
        return not self.ended_at


class SessionBook:
    """Sessions put together from accounting events, given in journal order."""

    def __init__(self, lexicon: Lexicon) -> None:
        self._lexicon = lexicon
        self._live: dict[tuple[int, bytes], PastSession] = {}
        self._stopped: dict[tuple[int, bytes], PastSession] = {}

    def __contains__(self, event: Any) -> bool:
        return session_key(event) in self._live

    def live(self) -> list[PastSession]:
        """Those that nothing has ended."""
        return [session for session in self._live.values() if session.live]

    def disconnected(self, event: Any) -> None:
        """The gateway says that the session of this effect result is gone. Its own Stop may still come."""
        session = self._live.get(session_key(event))
        if session is not None and session.live:
            how = "disconnected by Simward, and no Stop followed"
            if event["cause"] != ev.EFFECT_ACK:
                how = "the gateway no longer knew it when asked to disconnect it, and no Stop was reported"
            session.end(int(event["received_at"]), how)

    def take(self, event: Any) -> Iterator[PastSession]:
        """Follow one accounting event; yields the sessions that it began, continued or ended."""
        kind = int(event["kind"])
        if kind in (ev.ACCOUNTING_ON, ev.ACCOUNTING_OFF):
            yield from self._gateway_lost_them(event, kind)
        elif kind in (ev.ACCOUNTING_START, ev.ACCOUNTING_INTERIM, ev.ACCOUNTING_STOP):
            yield self._reported(event, kind)

    def _reported(self, event: Any, kind: int) -> PastSession:
        key, facts, at = session_key(event), facts_of(event, self._lexicon), int(event["happened_at"])
        session = self._live.get(key)
        if session is not None and kind == ev.ACCOUNTING_START and session.live and session.start_seen:
            # The journal keeps no retransmission: the gateway gave the id to another session.
            session.end(at, "its id was given to another session, without a Stop of its own")
            del self._live[key]
            session = None
        stopped = self._stopped.get(key)
        if session is None and stopped is not None and kind != ev.ACCOUNTING_STOP and at <= stopped.ended_at:
            return stopped  # it was overtaken by its own Stop: it says nothing new, and opens nothing
        if session is None:
            began = at - max(0, int(event["duration_s"])) * 1_000_000
            session = PastSession(
                self._lexicon.text(event["gateway"]), printable(key[1]), began, dict(facts),
                int(event["imsi"]), int(event["user"]), int(event["msisdn"]),
            )  # fmt: skip
            self._live[key] = session
        session.start_seen |= kind == ev.ACCOUNTING_START
        session.report(event, facts)
        if kind == ev.ACCOUNTING_STOP:
            cause = terminate_cause_text(event["cause"])
            session.end(at, f"Stop ({cause})" if cause else "Stop")
            del self._live[key]
            self._stopped.pop(key, None)
            self._stopped[key] = session
            if len(self._stopped) > STOPPED_KEPT:
                del self._stopped[next(iter(self._stopped))]
        return session

    def _gateway_lost_them(self, event: Any, kind: int) -> Iterator[PastSession]:
        word = "Accounting-On" if kind == ev.ACCOUNTING_ON else "Accounting-Off"
        for key in [key for key in self._live if key[0] == int(event["gateway"])]:
            session = self._live.pop(key)
            if not session.live:
                continue
            session.end(int(event["happened_at"]), f"gateway restarted ({word})")
            yield session
