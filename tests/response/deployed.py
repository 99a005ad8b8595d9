"""Deployments as facts make them go on, over the mirror of a small inventory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from response.happening import METER, Happening, imsi
from simward.policy.compile import compile_policy
from simward.policy.load import read_policies
from simward.registry import deployments as kept
from simward.registry import tables as t
from simward.registry.upsert import upsert
from simward.response import facts as f
from simward.response.deploying import Policy, Wanted, check
from simward.response.deployments import Deployments
from simward.settings import GateSettings, Settings

POLICY = """
use_case: stock
binding: {mode: none}
---
use_case: water-meter
segment: metering
binding: {mode: declared}
networks: {plmn: ["00101"], rat: [nb-iot]}
---
segment: metering
apn: meters.iot
pool: 10.64.0.0/16
---
use_case: tracker
segment: metering
binding: {mode: model}
---
use_case: theirs
tenant: elsewhere
segment: metering
"""


class Deployed:
    """A card for each number from 1 to 5, in stock."""

    def __init__(self, happening: Happening) -> None:
        self.happening = happening
        self.deployments = Deployments(happening.announcing)
        tables = compile_policy(read_policies({"a.yaml": POLICY}), Settings(Path("/nowhere"), GateSettings()))
        self.policy = Policy(tables)
        rows = [
            {"imsi": imsi(who), "iccid": f"8900101{who:012d}", "use_case": "stock", "tenant": "default",
             "state": "active", "msisdn": f"+88300000000{who:04d}"} for who in range(1, 6)
        ]  # fmt: skip
        with happening.registry.writing() as connection:
            upsert(connection, t.subscription, ["imsi"], rows)

    def wants(self, who: int, imei: str = METER, use_case: str = "water-meter", **more: Any) -> Wanted:
        """A request."""
        return Wanted(iccid=f"8900101{who:012d}", imsi=None, imei=imei, use_case=use_case, **more)

    def deploy(self, wanted: Wanted, tenant: str | None = None, correlator: str = "c-1") -> int:
        """One that is taken; its number."""
        with self.happening.registry.writing() as connection:
            fit = check(connection, wanted, self.policy, tenant)
            number, _ = self.deployments.make(
                connection, wanted, fit, actor="dm", because="order 1", correlator=correlator, at=self.happening.now
            )
        return number

    def cancel(self, number: int) -> None:
        """Take it back, to what it was before."""
        with self.happening.registry.writing() as connection:
            row = kept.find(connection, number)
            assert row is not None
            lines = [{**one, "owner": 2, "moved": True} for one in row.before]
            self.deployments.cancel(connection, row, lines, actor="ada", because="dismantled", at=self.happening.now)

    def sent(self) -> list[Any]:
        """What is to be sent now, under its name."""
        from simward.control.deploying import _named

        with self.happening.registry.writing() as connection:
            return list(_named(connection, self.happening.now))

    def in_force(self, *gone: str) -> list[Any]:
        """The gate takes what is to be sent, but for these IMSIs; what that was."""
        rows = self.sent()
        owned = tuple(line["imsi"] for row in rows for line in row.lines if line["imsi"] not in gone)
        by_api = [row.asked == kept.DEPLOY for row in rows]
        command = {"do": kept.DEPLOY, "actor": "dm", "id": rows[0].revision}
        self.takes(f.PolicyApplied(
            **self.happening._base(None), what="inventory", command=command, deployed=owned if all(by_api) else (),
            handed_back=() if all(by_api) else owned,
        ))  # fmt: skip
        return rows

    def takes(self, fact: f.Fact) -> None:
        """As the follower has it taken."""
        with self.happening.registry.writing() as connection:
            self.deployments.take(connection, fact)

    def attaches(self, who: int, imei: str | None = METER, verdict: str = "allow", because: str | None = None) -> None:
        """It asks to connect."""
        base = self.happening._base(who)
        seen = {"device": imei} if imei else {}
        self.takes(f.Attached(**base, imei=imei, verdict=verdict, because=because, seen=seen))

    def row(self, number: int) -> Any:
        """As it stands."""
        with self.happening.registry.reading() as connection:
            return kept.find(connection, number)

    def state(self, number: int) -> str:
        """In one word."""
        return str(self.row(number).state)
