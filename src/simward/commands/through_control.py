"""Commands go through the control process: HTTP over its unix socket, waiting for one that is still starting."""

from __future__ import annotations

import http.client
import json
import time
from pathlib import Path
from typing import Any

from simward import unix_sockets
from simward.errors import PeerError, RefusedError, UsageError
from simward.gate_socket import DECIDED

SOCKET_NAME = "control.sock"
START_WITHIN_S = 20.0
"""How long a control process that a supervisor keeps running may take to answer; it takes a second or two."""
TRIED_AGAIN_S = 0.1
DECIDED_HERE = (
    ":no-such-incident", ":no-such-finding", ":finding-not-judged",
    ":no-such-rule", ":incident-refused", ":no-such-work-order", ":work-order-refused",
    ":no-such-token", ":token-refused", ":no-such-account", ":account-refused", ":no-such-client", ":client-refused",
    ":key-refused", ":not-permitted", ":not-found", ":no-such-deployment", ":deployment-is-over",
    ":device-bound-elsewhere", ":subscription-locked", ":subscription-out-of-service", ":unknown-subscription",
    ":unknown-use-case", ":other-tenant", ":wrong-model",
)  # fmt: skip
"""Types of problems by which the control process decides against what was asked."""


class _Connection(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path: Path, timeout_s: float) -> None:
        super().__init__("localhost", timeout=timeout_s)
        self._path, self._timeout_s = path, timeout_s

    def connect(self) -> None:
        self.sock = unix_sockets.connect(self._path, self._timeout_s)


def is_running(data_dir: Path) -> bool:
    """Does a control process listen in `data_dir`?"""
    return unix_sockets.somebody_listens(data_dir / SOCKET_NAME)


def ask(data_dir: Path, called: str, method: str, path: str, body: Any = None, *, within_s: float) -> dict[str, Any]:
    """The answer of the control process. `called` is how commands about this folder begin, for the advice.

    Raises PeerError where there is no control process or it could not, RefusedError where the gate decided against it.
    """
    wait_for_control(data_dir, called)
    status, octets = _answer(data_dir, method, path, body, within_s)
    document = _document(octets)
    if status < 400 and document is not None:
        return document
    raise error_of(status, document or {})


def text(data_dir: Path, path: str, *, within_s: float) -> str:
    """What the control process answers that runs, as text; PeerError where there is none, or it could not."""
    status, octets = _answer(data_dir, "GET", path, None, within_s)
    if status >= 400:
        raise error_of(status, _document(octets) or {})
    return octets.decode()


def conditions(data_dir: Path, *, within_s: float) -> dict[str, Any]:
    """The conditions of `/readyz`, whether they hold or not; PeerError where no control process answers."""
    if not is_running(data_dir):
        raise PeerError("no control process is running")
    status, octets = _answer(data_dir, "GET", "/readyz", None, within_s)
    document = _document(octets) or {}
    if "conditions" not in document:
        raise error_of(status, document)
    return dict(document["conditions"])


def _answer(data_dir: Path, method: str, path: str, body: Any, within_s: float) -> tuple[int, bytes]:
    connection = _Connection(data_dir / SOCKET_NAME, within_s)
    try:
        sent = None if body is None else json.dumps(body)
        connection.request(method, path, sent, {"Content-Type": "application/json"} if sent else {})
        response = connection.getresponse()
        return response.status, response.read()
    except TimeoutError:
        raise PeerError(f"the control process did not answer within {within_s:g} s") from None
    except (OSError, http.client.HTTPException) as error:
        raise PeerError(f"the control process did not answer; what was asked may have been done: {error!r}") from error
    finally:
        connection.close()


def _document(octets: bytes) -> dict[str, Any] | None:
    """A JSON object; None for anything else."""
    try:
        found = json.loads(octets)
    except ValueError as error:
        raise PeerError(f"the control process answered in no way that is known: {error}") from error
    return found if isinstance(found, dict) else None


def error_of(status: int, problem: dict[str, Any]) -> PeerError | RefusedError | UsageError:
    """The error for an answer that is a problem."""
    said = str(problem.get("detail") or problem.get("title") or f"HTTP status {status}")
    if problem.get("result") in DECIDED:
        return RefusedError(f"the gate says: {said}")
    if str(problem.get("type", "")).endswith(DECIDED_HERE):
        return RefusedError(said)
    if str(problem.get("type", "")).endswith((":unfit-order", ":malformed-imei")):
        return UsageError(said)
    by_gate = str(problem.get("type", "")).endswith(":gate-refused")
    return PeerError(f"the {'gate' if by_gate else 'control process'} says: {said}")


def wait_for_control(data_dir: Path, called: str) -> None:
    """Until it listens; where no supervisor is starting one there is nothing to wait for."""
    from simward.observing.processes import CONTROL, read_processes

    in_emergency = "In an emergency --break-glass asks the gate directly; that is kept and raises an alarm."
    until = time.monotonic() + START_WITHIN_S
    while not is_running(data_dir):
        if CONTROL not in read_processes(data_dir):
            raise PeerError(
                "no control process is running, and commands go through it.\n"
                f"`{called} serve` runs it beside the gate, `{called} serve --only control` alone.\n"
                + in_emergency
            )
        if time.monotonic() >= until:
            raise PeerError(
                f"the control process did not start within {START_WITHIN_S:g} s.\n"
                f"The log of `{called} serve` says why. {in_emergency}"
            )
        time.sleep(TRIED_AGAIN_S)
