"""Stories told to the fold: events of one subscription on a manual clock, and what came of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from simward.engine import events as e
from simward.engine import outputs as o
from simward.engine.fold import Fold
from simward.engine.outputs import ALLOW, REJECT, VERDICT_NAMES
from simward.engine.tables import CELL, DECLARED, MODEL, InventoryDelta
from simward.engine.words import CHANGED
from simward.policy.compile import Beside, compile_policy
from simward.policy.load import read_policies
from simward.policy.places import points
from simward.settings import GateSettings, Settings

METER = 35000000000001
OTHER_METER = 35000000000002
PHONE = 35999999000001
IMSI = 1_001010000000001
START_AT = 1_790_000_000_000_000
NB_IOT, LTE = 8, 6
HOME, PARTNER, ABROAD = 100101, 100102, 199999

POLICY = """
use_case: meter
segment: metering
binding: {mode: first-use}
networks: {plmn: ["00101", "00102"], rat: [nb-iot, lte-m]}
---
segment: metering
apn: meters.iot
pool: 10.64.0.0/24
"""


def beside(cells: Any, models: Any) -> Beside:
    """The tables of cells and models."""
    placed, known = np.zeros(len(cells), CELL), np.zeros(len(models), MODEL)
    for row, (plmn, cell, latitude, longitude) in enumerate(cells):
        placed[row] = (cell, plmn, *points(np.array([latitude]), np.array([longitude]))[0].tolist())
    for row, (tac, model, rats) in enumerate(sorted(models)):
        known[row] = (tac, model, sum(1 << rat for rat in rats))
    return Beside(placed, known)


class Story:
    """One fleet of a few subscriptions; every call is one event, a minute after the one before unless `after` says."""

    def __init__(
        self,
        policy: str = POLICY,
        members: int = 4,
        states: dict[int, int] | None = None,
        imeis: dict[int, int] | None = None,
        cells: list[tuple[int, int, float, float]] = (),
        models: list[tuple[int, int, tuple[int, ...]]] = (),
        secrets: dict[str, bytes] | None = None,
        **gate: Any,
    ) -> None:
        """`cells`: (PLMN, cell, latitude, longitude); `models`: (TAC, number of the model, RAT types)."""
        self.fold = Fold.new()
        self.now = START_AT
        self.outputs: list[np.ndarray] = []
        self.last: Any = None
        self.count = 0
        self.kept = True
        settings = Settings(Path("/nowhere"), GateSettings(**gate), secrets=secrets or {})
        tables = compile_policy(read_policies({"story.yaml": policy}), settings, beside(cells, models))
        self.fold.policy(tables, self.now)
        lines = np.zeros(members, DECLARED)
        lines["imsi"] = IMSI + np.arange(members)
        lines["iccid"] = 1_00_1000000000000001 + np.arange(members)
        lines["msisdn"] = 1_883000000000001 + np.arange(members)
        for member, state in (states or {}).items():
            lines["state"][member] = state
        for member, imei in (imeis or {}).items():
            lines["imei"][member] = imei
        self.fold.inventory(InventoryDelta(lines, np.zeros(0, np.int64), [tables.names["use_cases"][-1]]), self.now)

    def tell(
        self,
        kind: int,
        *,
        device: int = METER,
        software: int = 1,
        apn: str = "meters.iot",
        plmn: int = HOME,
        rat: int = NB_IOT,
        member: int = 0,
        session: str = "",
        gateway: str = "pgw1",
        **fields: Any,
    ) -> Story:
        """Fold one event; the named fields are identities, the rest are EVENT columns."""
        self.count += 1
        self.now += 60_000_000
        event = e.empty(1)
        event["kind"], event["imsi"], event["imei"], event["software"] = (
            kind,
            IMSI + member,
            device,
            software if device else -1,
        )
        event["apn"] = self.fold.state.texts.intern(apn.encode())
        event["gateway"] = self.fold.state.texts.intern(gateway.encode())
        event["client"] = self.fold.state.texts.intern(b"client1")
        event["plmn"], event["rat"], event["request"] = plmn, rat, 1000 + self.count
        event["received_at"] = event["happened_at"] = self.now
        event["session_id_octets"] = len(session)
        event["session_id"][0, : len(session)] = list(session.encode())
        for name, value in fields.items():
            event[name] = value
        return self.fold_in(event)

    def fold_in(self, event: np.ndarray) -> Story:
        """Fold an event as it is."""
        folded = self.fold.events(event)
        self.outputs += list(folded.outputs.view(np.ndarray).copy())
        self.last, self.kept = folded.results.view(np.ndarray).copy()[0], bool(folded.kept[0])
        return self

    def attaches(self, **more: Any) -> Story:
        """An Access-Request."""
        return self.tell(e.ACCESS_REQUEST, **more)

    def starts(self, session: str = "s1", **more: Any) -> Story:
        """Accounting Start."""
        return self.tell(e.ACCOUNTING_START, session=session, **more)

    def reports(self, session: str = "s1", **more: Any) -> Story:
        """Accounting Interim-Update."""
        return self.tell(e.ACCOUNTING_INTERIM, session=session, **more)

    def stops(self, session: str = "s1", **more: Any) -> Story:
        """Accounting Stop."""
        return self.tell(e.ACCOUNTING_STOP, session=session, **more)

    def says(self, kind: int, **more: Any) -> Story:
        """A command."""
        return self.tell(kind, device=0, plmn=0, rat=0, **more)

    def plans(
        self, device: int = 0, *, place: bool = False, order: int = 1, begins: float = 0, hours: float = 24,
        **more: Any,
    ) -> Story:
        """A work order: the SIM moves to `device`, or (place) elsewhere, from `begins` hours from now, for `hours`."""
        first = self.now + int(begins * 3_600_000_000)
        flags = (0 if place and not device else e.FLAG_PLAN_DEVICE) | (e.FLAG_PLAN_PLACE if place else 0)
        said = {"imei": device, "prefix_high": first, "prefix_low": first + int(hours * 3_600_000_000)}
        return self.says(e.COMMAND_PLAN, **{"flags": flags, "delegated_high": order, **said, **more})

    def after(self, *, hours: float = 0, seconds: float = 0) -> Story:
        """Let time pass, with one tick at its end."""
        self.now += int((hours * 3600 + seconds) * 1_000_000)
        event = e.empty(1)
        event["kind"], event["received_at"], event["happened_at"] = e.TICK, self.now, self.now
        return self.fold_in(event)

    def of(self, *kinds: int) -> list[np.ndarray]:
        """The outputs of these kinds."""
        return [one for one in self.outputs if int(one["kind"]) in kinds]

    def name(self, output: np.ndarray) -> str:
        """detector/class of an output."""
        detector = self.fold.manifest()["detectors"][int(output["detector"])]
        return f"{detector['id']}/{detector['classes'][int(output['class'])]}"

    @property
    def findings(self) -> list[str]:
        """Findings in the order in which they began."""
        return [self.name(one) for one in self.of(o.FINDING_BEGAN)]

    @property
    def open(self) -> list[str]:
        """Findings that have not ended."""
        ended = {(int(one["opened_sequence"]), int(one["opened_index"])) for one in self.of(o.FINDING_ENDED)}
        return [
            self.name(one) for one in self.of(o.FINDING_BEGAN) if (int(one["sequence"]), int(one["index"])) not in ended
        ]

    @property
    def verdict(self) -> str:
        """The answer to the last request."""
        return VERDICT_NAMES[int(self.last["verdict"])]

    @property
    def changes(self) -> dict[str, tuple[int, int]]:
        """What the last detailed finding says that differs."""
        last = [one for one in self.of(o.FINDING_BEGAN) if one["before"].any()][-1]
        pairs = zip(CHANGED, last["before"].tolist(), last["after"].tolist(), strict=True)
        return {name: (before, after) for (name, _), before, after in pairs if before}

    @property
    def allowed(self) -> bool:
        """Was the last request allowed?"""
        return int(self.last["verdict"]) == ALLOW

    @property
    def refused(self) -> bool:
        """Was the last request refused?"""
        return int(self.last["verdict"]) == REJECT

    @property
    def disconnects(self) -> list[np.ndarray]:
        """Disconnects that are to be sent."""
        return [one for one in self.of(o.DISCONNECT) if not int(one["held"])]

    def row(self, member: int = 0) -> Any:
        """The subscription's row."""
        return self.fold.state.subscriptions.view(np.recarray)[self.fold.find(imsi=IMSI + member)]
