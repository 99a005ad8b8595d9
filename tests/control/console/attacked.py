"""A whole Simward (gate, watch and control, as `simward serve` starts them), with a thief at work, for the browser."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

from gate.running import Served, access_request, accounting_request, iccid, imeisv, imsi, radclient, until
from simward.commands import through_control
from simward.errors import PeerError

PHONE_TAC = "35999900"


class Attacked:
    """Three meters, each bound to its device."""

    def __init__(self, folder: Path) -> None:
        self.net = Served(folder, 3, control="127.0.0.1:0").start()
        self.folder = folder
        for one in (1, 2, 3):
            assert "Access-Accept" in self.asks(one)
        self._tokens: dict[str, str] = {}
        self.tcp()

    def asks(self, number: int, **more: str) -> str:
        """One request, and what came back."""
        return radclient(self.net.auth, "auth", access_request(number, **more))

    def connects(self, number: int) -> None:
        """A session begins."""
        radclient(self.net.accounting, "acct", accounting_request(number, "Start"))

    def is_put_into_a_phone(self, number: int) -> str:
        """What the thief gets."""
        return self.asks(number, **{"3GPP-IMEISV": f'"{imeisv(7, tac=PHONE_TAC)}"'})

    def ask(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """By the owner's socket."""
        return through_control.ask(self.folder / "data", "simward", method, path, body, within_s=20)

    def tcp(self) -> tuple[str, int]:
        """Where the console is."""

        def address() -> str:
            with contextlib.suppress(PeerError):  # it is about to start
                return str(self.ask("GET", "/v1/status").get("http") or "")
            return ""

        host, port = until(address, within_s=60).removeprefix("http://").split(":")
        return host, int(port)

    def token(self, role: str) -> str:
        """One of this role."""
        if role not in self._tokens:
            made = self.ask("POST", "/v1/tokens", {"name": f"browser-{role}", "role": role})
            self._tokens[role] = str(made["token"])
        return self._tokens[role]

    def incident_of(self, number: int) -> int:
        """The number of the incident about one of them, once there is one."""

        def found() -> int:
            rows = self.ask("GET", "/v1/incidents?limit=100")["incidents"]
            return next((int(one["number"]) for one in rows if one["imsi"] == imsi(number)), 0)

        return int(until(found))

    def close(self) -> None:
        """Stop everything."""
        self.net.stop()


__all__ = ["Attacked", "iccid", "imsi"]
