"""A control plane elsewhere (`--server URL`): commands ask it by the client, as they ask that of a folder."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from simward.client import Client, ProblemError, Unreachable
from simward.commands.folder import ANSWER_WITHIN_S, Folder
from simward.errors import UsageError

REMOTE = (
    "account", "benign", "client", "deployments", "disconnect", "endpoints", "events", "explain", "findings",
    "incidents", "lock", "pause", "quarantine", "release", "resume", "rules", "token", "undo", "work",
)  # fmt: skip
"""Commands that can ask a server; the others work on the files or the processes of this machine."""


class Server(Folder):
    """Stands where a folder stands. Nothing of this machine is touched."""

    def __init__(self, url: str, token: str, ca_file: Path | None) -> None:
        super().__init__(Path())
        # A frozen dataclass: what is not a path of the folder is set aside from its fields.
        object.__setattr__(self, "url", url.rstrip("/"))
        object.__setattr__(self, "client", Client(url.rstrip("/"), token, ca_file=ca_file))

    url: str
    client: Client

    @staticmethod
    def of(url: str, token_file: Path | None, token: str, ca_file: Path | None) -> Server:
        """From the options of the command line. UsageError where a file cannot be read or no server is meant."""
        if not url.startswith(("https://", "http://")):
            raise UsageError(f"--server {url!r}: write it like https://simward.example or http://127.0.0.1:8080")
        try:
            token = token_file.read_text(encoding="ascii").strip() if token_file is not None else token
            return Server(url, token, ca_file)
        except (OSError, ValueError) as error:
            raise UsageError(f"--token-file, --ca-file: {error}") from None

    @property
    def called(self) -> str:
        """How a command to this server begins."""
        return f"simward --server {self.url}"

    @property
    def server(self) -> Server:
        """Itself."""
        return self

    def must_be_one(self) -> None:
        """No folder is needed."""

    def needs_gate(self) -> None:
        """The server says whether it has one."""

    def ask(
        self, method: str, path: str, body: dict[str, Any] | None = None, within_s: float = ANSWER_WITHIN_S
    ) -> dict[str, Any]:
        """See Folder. Who asks, the token says: a name is sent only where another one was given."""
        from simward.commands.acting import me

        if body is not None and body.get("actor") == me():
            body = {name: value for name, value in body.items() if name != "actor"}
        with self.errors():
            keyed = method == "POST" and not path.startswith("/v1/tokens")
            answer: dict[str, Any] = self.client.caller.call(method, path, body=body, keyed=keyed)
        return answer

    def ask_gate(self, request: dict[str, Any], within_s: float = ANSWER_WITHIN_S) -> dict[str, Any]:
        """Nobody asks a gate past its control plane from elsewhere."""
        raise UsageError("--break-glass asks the gate of this machine: log in there")

    @contextlib.contextmanager
    def errors(self) -> Iterator[None]:
        """Errors of the client as those of commands."""
        from simward.commands.through_control import error_of
        from simward.errors import PeerError

        try:
            yield
        except ProblemError as problem:
            if problem.name == "unauthenticated":
                raise UsageError(f"{self.url} does not know the token: --token-file or SIMWARD_TOKEN") from None
            raise error_of(problem.status, problem.document) from None
        except Unreachable as error:
            raise PeerError(f"{self.url} does not answer: {error}") from None

    def incidents(
        self, states: Any, severities: Any, use_case: str | None, since: int | None
    ) -> list[dict[str, Any]]:
        """As `incidents list` shows them."""
        with self.errors():
            page = self.client.incidents.list(
                state=list(states), severity=list(severities) or None, use_case=use_case, since=since, limit=1000
            )
        return [dict(one) for one in page["incidents"]]

    def findings(self, imsi: str | None, detector: str | None, only_open: bool, since: int | None) -> list[Any]:
        """As `findings` shows them, the oldest first."""
        name, _, class_name = (detector or "").partition("/")
        with self.errors():
            rows = list(self.client.findings.all(
                imsi=imsi, detector=name or None, lasting=True if only_open else None, since=since, limit=1000
            ))  # fmt: skip
        return [dict(one) for one in reversed(rows) if not class_name or one["class"] == class_name]

    def finding(self, named: str) -> dict[str, Any] | None:
        """One finding; None where there is none of this id."""
        try:
            return dict(self.client.findings.get(named))
        except ProblemError as problem:
            if problem.status == 404:
                return None
            with self.errors():
                raise

    def benign(self) -> list[Any]:
        """As `benign --list --all` shows them, the oldest first."""
        with self.errors():
            return [dict(one) for one in self.client.benign.all(in_force=False, sort="at", limit=1000)]

    def story(self, subscription: str) -> dict[str, Any]:
        """What `explain` tells of a subscription (IMSI or ICCID); without incidents and work orders."""
        if subscription.lstrip().startswith(("+", "tel:")):
            raise UsageError("over --server a subscription is known by its IMSI or ICCID")
        with self.errors():
            one = self.client.subscriptions.get(subscription.strip())
        known: Any = one["story"] or {"chapters": [], "now": None, "could": []}
        who = {"imsi": [one["imsi"]], "iccid": one["iccid"], "msisdn": one["msisdn"]}
        return {"subscription": who, **known, "incidents": [], "work_orders": []}

    def events(self, imsi: str | None, since: int | None) -> Iterator[Any]:
        """What webhooks send, the oldest that is kept first."""
        from simward.engine.phrases import when

        after, more, begin = None, True, when(since) if since is not None else ""
        while more:
            with self.errors():
                page = self.client.events.list(after=after, limit=1000)
            after, more = page["after"], page["more"]
            yield from (one for one in page["events"] if imsi in (None, one["subject"]) and one["time"] >= begin)
