"""The two systems of the closed loop, as real HTTP receivers: they verify what comes, keep it, and acknowledge."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from itertools import pairwise
from types import TracebackType
from typing import Any

from standardwebhooks import Webhook as Verifier
from standardwebhooks import WebhookVerificationError

from connectors.receiving import OTHER_SECRET, SECRET, Received, Receiver

SECRETS = {"dm": SECRET, "app": OTHER_SECRET}
TOKENS = {"dm": "the token of device management", "app": "the token of the application"}
PATIENCE_S = 30.0
LOOK_S = 0.005
SETTINGS = """
[[endpoint]]
name = "{name}"
kind = "webhook"
url = "{url}"
secret = "{secret}"
{events}
allow_private = true
[[party]]
name = "{name}"
endpoint = "{name}"
token = "{token}"
{more}
"""


class System:
    """`dm` or `app`. `up` and `down` as a service is: what is down refuses connections, at an address that stays."""

    def __init__(self, name: str, answers: Callable[[dict[str, Any]], int] = lambda event: 204) -> None:
        self.name, self.answers = name, answers
        self.events: list[dict[str, Any]] = []
        """Verified, in the order in which they came; what came again stands here again."""
        self.wrong: list[str] = []
        self._verifier = Verifier(SECRETS[name].decode())
        self._bodies: dict[str, bytes] = {}
        self._receiver: _Closable | None = None
        # Bound and not listening: the port is nobody else's while the system is down.
        self._kept = socket.socket()
        self._kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._kept.bind(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._kept.getsockname()[1]}/hook"

    def __enter__(self) -> System:
        return self.up()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.down()
        self._kept.close()

    def up(self) -> System:
        """It can be reached."""
        self._receiver = _Closable(self._take, self._kept.getsockname()[1])
        return self

    def down(self) -> None:
        """It cannot, and whoever was connected is not any more."""
        if self._receiver is not None:
            self._receiver.close()
            self._receiver = None

    def settings(self, *events: str, **more: str) -> str:
        """Its endpoint and party in simward.toml; `more` are keys of the party, as TOML."""
        return SETTINGS.format(
            name=self.name, url=self.url, secret=SECRETS[self.name].decode(), token=TOKENS[self.name],
            events=f"events = {json.dumps(events)}" if events else "",
            more="\n".join(f"{key} = {value}" for key, value in more.items()),
        )  # fmt: skip

    @property
    def ids(self) -> list[str]:
        """What came, by id."""
        return [event["id"] for event in self.events]

    def of(self, subject: str) -> list[str]:
        """The types of what came about a subject, each event once."""
        once = {event["id"]: event["type"] for event in self.events if event["subject"] == subject}
        return list(once.values())

    def find(self, kind: str, subject: str | None = None) -> dict[str, Any] | None:
        """The first event of a type (about a subject) that has come."""
        for event in list(self.events):
            if event["type"] == kind and subject in (None, event["subject"]):
                return event
        return None

    def told(self, kind: str, subject: str | None = None) -> dict[str, Any]:
        """The same, once it has come."""
        end = time.monotonic() + PATIENCE_S
        while (event := self.find(kind, subject)) is None:
            assert time.monotonic() < end, f"{self.name} was never told {kind} of {subject}, but {self.events}"
            time.sleep(LOOK_S)
        return event

    def acknowledges(
        self, address: str, incident: int, *, token: str | None = None, **said: Any
    ) -> tuple[int, dict[str, Any]]:
        """What it gets for acknowledging over TCP, at host:port. OSError and HTTPException where nobody answers."""
        connection = http.client.HTTPConnection(address, timeout=20)
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token or TOKENS[self.name]}"}
        body = json.dumps({"party": self.name, **said})
        try:
            connection.request("POST", f"/v1/incidents/{incident}/acknowledgements", body, headers)
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        finally:
            connection.close()

    def broken_promises(self, *, gapless: bool = False) -> list[str]:
        """What an integrator was promised and did not get. `gapless`: it takes every type, so nothing may be missing.

        What was not recorded as taken is sent again before what follows it: a sequence never goes back.
        """
        sequences: dict[str, list[int]] = defaultdict(list)
        for event in self.events:
            sequences[event["subject"]].append(int(event["sequence"]))
        found = list(self.wrong)
        for subject, came in sequences.items():
            if any(later < earlier for earlier, later in pairwise(came)):
                found.append(f"{subject} came out of order: {came}")
            if gapless and sorted(set(came)) != list(range(1, max(came) + 1)):
                found.append(f"of {subject} something is missing: {came}")
        return found

    def _take(self, received: Received) -> int:
        try:
            event: dict[str, Any] = self._verifier.verify(received.body, received.headers)
        except WebhookVerificationError as error:
            self.wrong.append(f"{self.name} could not verify {received.body[:80]!r}: {error}")
            return 401
        if self._bodies.setdefault(event["id"], received.body) != received.body:
            self.wrong.append(f"{event['id']} came again as something else")
        status = self.answers(event)
        if 200 <= status <= 299:
            self.events.append(event)
        return status


class _Closable(Receiver):
    """A receiver that can go away for good: the connections that its clients keep end with it."""

    def __init__(self, answers: Callable[[Received], int], port: int) -> None:
        self._open: list[socket.socket] = []
        self._opening = threading.Lock()
        super().__init__(answers, port)

    def get_request(self) -> tuple[socket.socket, Any]:
        """One more connection."""
        connection, peer = super().get_request()
        with self._opening:
            self._open.append(connection)
        return connection, peer

    def close(self) -> None:
        """Nobody is there any more."""
        self.__exit__()
        with self._opening:
            for one in self._open:
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A peer that was killed has cut its connection off: nothing to print."""
