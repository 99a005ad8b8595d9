"""An address is one subscription's at a time, whatever the owner revises while sessions are up; and the law holds."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from histories import IMSI, START_AT
from hypothesis import given
from hypothesis import strategies as st

from simward.engine import events as e
from simward.engine import outputs as o
from simward.engine.apply import revision_row
from simward.engine.fold import Fold
from simward.engine.journal import MemoryJournal, events_row
from simward.engine.snapshot import newest_snapshot
from simward.engine.start import from_snapshot, restore, save
from simward.engine.tables import DECLARED, InventoryDelta
from simward.policy.compile import compile_policy
from simward.policy.load import read_policies
from simward.settings import GateSettings, Settings

MEMBERS = 6
POLICY = """
use_case: {use_case}
segment: {segment}
binding: {{mode: none}}
---
use_case: other
segment: others
binding: {{mode: none}}
---
segment: {segment}
apn: {segment}.iot
pool: {pool}
---
segment: others
apn: others.iot
pool: 10.99.0.0/30
"""
POOLS = ("10.64.0.0/29", "10.64.0.0/30", "10.64.0.0/28", "10.64.0.4/30", "10.65.0.0/29")
step = st.one_of(
    st.tuples(st.just("revise"), st.sampled_from(("meter", "water")), st.sampled_from(("a", "b")),
              st.sampled_from(POOLS)),
    st.tuples(st.sampled_from(("remove", "add", "other")), st.integers(0, MEMBERS - 1)),
    st.tuples(st.sampled_from(("attach", "attach", "attach", "stop", "stop late")), st.integers(0, MEMBERS - 1)),
    st.tuples(st.sampled_from(("ack", "unknown", "nak", "silence")), st.integers(0, 3)),
    st.tuples(st.sampled_from(("restart", "tick", "snapshot"))),
)  # fmt: skip


class Town:
    """A gate, and what its sessions are in truth: a session is over when its gateway says so, or restarts."""

    def __init__(self) -> None:
        self.journal, self.fold, self.now, self.count = MemoryJournal(), Fold.new(), START_AT, 0
        self.journal.register_kernel(self.fold.kernel, self.fold.manifest())
        self.live: dict[str, tuple[int, int]] = {}
        self.held: dict[int, int] = {}
        self.waiting: list[np.ndarray] = []
        self.use_case = "meter"
        self.revise("meter", "a", POOLS[0])
        for member in range(MEMBERS):
            self.declare(member, "meter")

    def revise(self, use_case: str, segment: str, pool: str) -> None:
        text = POLICY.format(use_case=use_case, segment=segment, pool=pool)
        self.use_case = use_case
        self._revision(compile_policy(read_policies({"a.yaml": text}), Settings(Path("/nowhere"), GateSettings())))

    def declare(self, member: int, use_case: str) -> None:
        line = np.zeros(1, DECLARED)
        line["imsi"], line["iccid"] = IMSI + member, 1_00_1000000000000001 + member
        self._revision(InventoryDelta(line, np.zeros(0, np.int64), [use_case]))

    def remove(self, member: int) -> None:
        self._revision(InventoryDelta(np.zeros(0, DECLARED), np.array([IMSI + member]), []))

    def attach(self, member: int) -> None:
        """Ask for a session, and begin it where it was allowed."""
        result = self.tell(e.ACCESS_REQUEST, member)
        address = int(result["address"])
        if not int(result["known"]) or int(result["verdict"]) or not address:
            return
        whose = {owner for owner, held in self.live.values() if held == address}
        assert whose <= {member}, f"{address:x} is given to {member}, and {whose} have it"
        self.count += 1
        name = f"s{self.count}"
        self.live[name] = (member, address)
        self.tell(e.ACCOUNTING_START, member, name, address)

    def stop(self, member: int, late: bool) -> None:
        """The oldest session of a member ends; where it is `late`, its Stop is lost."""
        for name, (owner, address) in self.live.items():
            if owner == member:
                if not late:
                    self.tell(e.ACCOUNTING_STOP, member, name, address)
                    del self.live[name]
                return

    def proof(self, number: int, what: str) -> None:
        """The gateway answers a Disconnect."""
        if number >= len(self.waiting):
            return
        effect = self.waiting.pop(number)
        name = bytes(effect["session_id"][: int(effect["session_id_octets"])]).decode()
        over = name not in self.live
        if over or what == "unknown":
            what = "unknown" if over else "ack"  # an honest gateway
        cause = {"ack": e.EFFECT_ACK, "silence": e.EFFECT_SILENCE}.get(what, e.EFFECT_NAK)
        if what == "ack":
            self.live.pop(name, None)
        error = {"unknown": 503, "nak": 506}.get(what, 0)
        self.now += 1_000_000
        self._events(self.fold.effect_result(effect, cause, error, self.now))

    def restart(self) -> None:
        """The gateway begins anew."""
        self.live.clear()
        self.tell(e.ACCOUNTING_ON, 0)

    def tell(self, kind: int, member: int, session: str = "", address: int = 0) -> np.ndarray:
        self.now += 60_000_000
        event = e.empty(1)
        event["kind"], event["received_at"], event["happened_at"] = kind, self.now, self.now
        texts = self.fold.state.texts
        if kind != e.TICK:
            event["gateway"], event["client"] = texts.intern(b"pgw1"), texts.intern(b"client1")
            event["request"] = self.now
        if kind not in (e.TICK, e.ACCOUNTING_ON):
            event["imsi"], event["address"] = IMSI + member, address
            event["session_id_octets"] = len(session)
            event["session_id"][0, : len(session)] = list(session.encode())
        return self._events(event)

    def _events(self, event: np.ndarray) -> np.ndarray:
        first = self.fold.sequence + 1
        folded = self.fold.events(event)
        outputs, result = folded.outputs.view(np.ndarray).copy(), folded.results.view(np.ndarray).copy()[0]
        if folded.kept[0]:
            new = self.fold.state.texts.take_new()
            self.journal.append(events_row(first, self.now, self.fold.kernel, event, outputs, new))
        self.waiting += list(outputs[outputs["kind"] == o.DISCONNECT])
        return result

    def _revision(self, revision: object) -> None:
        self.now += 1_000_000
        row = revision_row(self.fold, revision, self.now)
        self.journal.append(row)
        outputs = np.frombuffer(row.outputs, o.OUTPUT) if row.outputs else np.zeros(0, o.OUTPUT)
        self.waiting += list(outputs[outputs["kind"] == o.DISCONNECT])


@given(st.lists(step, min_size=8, max_size=50))
def test_no_address_is_given_while_a_session_of_another_has_it(steps: list) -> None:
    town = Town()
    for what, *more in steps:
        if what == "revise":
            town.revise(*more)
        elif what == "remove":
            town.remove(*more)
        elif what in ("add", "other"):
            town.declare(more[0], town.use_case if what == "add" else "other")
        elif what == "attach":
            town.attach(*more)
        elif what in ("stop", "stop late"):
            town.stop(more[0], what == "stop late")
        elif what == "restart":
            town.restart()
        elif what == "snapshot":
            with tempfile.TemporaryDirectory() as folder:
                save(town.fold, Path(folder))
                snapshot = newest_snapshot(Path(folder) / "snapshots")
                assert snapshot is not None
                digest, town.fold = town.fold.state.digest(), from_snapshot(snapshot)
                assert town.fold.state.digest() == digest
        elif what == "tick":
            town.tell(e.TICK, 0)
        else:
            town.proof(more[0], what)
    with tempfile.TemporaryDirectory() as folder:
        assert restore(Path(folder), town.journal).state.digest() == town.fold.state.digest()
