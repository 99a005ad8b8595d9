"""A whole Simward at work, for the pages behind the first three: a rule that its limit holds, an endpoint that is down,
planned work.
"""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

from gate.running import POLICY, READY_S, Served, access_request, iccid, imeisv, imsi, radclient, until
from simward.commands import through_control

PHONE_TAC = "35999900"
FLEET, LIMIT, STOLEN = 8, 2, 5
RULED = (
    POLICY.replace("device-change: lock,", "device-change: notify,").replace(
        "binding:", f"limits: {{lock: {{per_hour: {LIMIT}}}}}\nbinding:"
    )
    + """---
rule: thief
on: device-change/other-model
if: finding.severity == "high" && subscription.bound && !subscription.locked
do: [{lock: {}}]
limits: {per_hour: 60}
mode: live
"""
)
OUTWARD = """
[[endpoint]]
name = "ops"
kind = "webhook"
url = "http://127.0.0.1:{port}/hooks"
secret = "whsec_QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo="
allow_private = true

[[party]]
name = "device-management"
endpoint = "ops"
may = ["release"]
acknowledge_within = "4h"
"""
NEW = FLEET
"""The number of a subscription that nobody has seen yet."""


class AtWork:
    """Its meters are in their devices but for the last one, which waits to be installed; some were stolen."""

    def __init__(self, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as closed:
            port = closed.getsockname()[1]  # nobody listens there any more
        self.net = Served(folder, FLEET, policy=RULED, control="127.0.0.1:0", more=OUTWARD.format(port=port))
        lines = [
            f"{iccid(one)},{imsi(one)},water-meter,{59.9 + one / 50:.3f},{10.6 + one / 20:.3f}"
            for one in range(1, FLEET + 1)
        ]  # fmt: skip
        (folder / "inventory.csv").write_text("\n".join(["iccid,imsi,use_case,latitude,longitude", *lines]) + "\n")
        (folder / "cells.csv").write_text("plmn,tracking_area,cell,latitude,longitude\n00101,1,ecgi:257,59.95,10.75\n")
        self.folder = folder
        self._tokens: dict[str, str] = {}
        self.net.start()
        try:
            self._begin()
        except BaseException:
            self.net.stop()
            raise

    def _begin(self) -> None:
        until(lambda: through_control.is_running(self.folder / "data"), within_s=READY_S)  # the first start compiles
        self.tcp()
        for one in range(1, FLEET):
            assert "Access-Accept" in self.asks(one)
        for one in range(1, STOLEN + 1):
            self.asks(one, **{"3GPP-IMEISV": f'"{imeisv(one, tac=PHONE_TAC)}"'})
        until(lambda: self.rule()["actions"], lambda found: found == {"done": LIMIT, "held": STOLEN - LIMIT})

    def asks(self, number: int, **more: str) -> str:
        """One request, and what came back."""
        return radclient(self.net.auth, "auth", access_request(number, **more))

    def ask(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """By the owner's socket."""
        return through_control.ask(self.folder / "data", "simward", method, path, body, within_s=20)

    def rule(self) -> dict[str, Any]:
        """That one."""
        return self.ask("GET", "/v1/rules/thief")

    def tcp(self) -> tuple[str, int]:
        """Where the console is."""
        host, port = str(until(lambda: self.ask("GET", "/v1/status").get("http"))).removeprefix("http://").split(":")
        return host, int(port)

    def token(self, role: str) -> str:
        """One of this role."""
        if role not in self._tokens:
            made = self.ask("POST", "/v1/tokens", {"name": f"browser-{role}", "role": role})
            self._tokens[role] = str(made["token"])
        return self._tokens[role]

    def close(self) -> None:
        """Stop everything."""
        self.net.stop()


__all__ = ["NEW", "AtWork", "iccid", "imsi"]
