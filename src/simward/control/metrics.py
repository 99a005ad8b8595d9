"""What the control process says of itself for Prometheus: gathered from its parts when it is asked."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Mapping
from typing import Protocol

import sqlalchemy as sa

from simward.control.behind import Behind
from simward.control.dispatching import Dispatcher
from simward.control.requests import Requests
from simward.errors import RegistryError
from simward.incident_settings import SEVERITIES
from simward.observing.exposition import Family, Histogram, Labels, text_of
from simward.registry import measuring
from simward.registry.database import Registry
from simward.registry.rules import HELD, WAITING
from simward.response.delivering import CLOSED

PREFIX = "simward_control_"
KEPT_S = 2.0
"""Who asks the registry's numbers more often is told what was found then."""


def _family(name: str, about: str, *labels: str, histogram: bool = False) -> Family:
    return Family(PREFIX + name, about, labels, histogram)


FAMILIES = (
    _family("requests_total", "Requests answered, by route template (none: not routed) and status.", "method", "route",
            "status"),
    _family("request_seconds", "Time until the answer began.", "method", "route", histogram=True),
    _family("requests_in_progress", "Requests being served, streams of events included."),
    _family("requests_turned_away_total", "Requests answered 503 because 128 were being served."),
    _family("wrong_tokens_total", "Requests that showed a token or a session that nobody knows."),
    _family("sign_ins_total", "Tries to sign in, by what came of them.", "result"),
    _family("event_streams", "Clients that are being sent events (server-sent events)."),
    _family("followed_sequence", "Last sequence of the gate's journal that is in the registry."),
    _family("lag_events", "Inputs that the gate has journalled and that are not in the registry yet; not there while "
            "no gate answers."),
    _family("lag_seconds", "How long ago everything journalled was in the registry."),
    _family("following", "1 while the journals are followed."),
    _family("facts_total", "Facts taken from the journals since the process began."),
    _family("gaps_total", "Times that journalled rows were gone before they were followed."),
    _family("registry_up", "1 while the registry answers."),
    _family("registry_transaction_seconds", "Transactions on the registry, waiting for the writer included.", "kind",
            histogram=True),
    _family("registry_writers_waiting", "Transactions that wait for their turn to write."),
    _family("registry_failures_total", "Transactions that the registry did not do.", "kind"),
    _family("outbox_waiting", "Deliveries that wait for an endpoint, or are on their way.", "endpoint"),
    _family("outbox_oldest_seconds", "For how long the oldest of them has waited; 0 where none waits.", "endpoint"),
    _family("outbox_dead", "Deliveries that were given up and are still kept.", "endpoint"),
    _family("deliveries_total", "Deliveries delivered or dead, and attempts that failed, since the process began.",
            "endpoint", "result"),
    _family("endpoint_down", "1 while the endpoint counts as down.", "endpoint"),
    _family("incidents_open", "Incidents that are not resolved, by severity.", "severity"),
    _family("incidents_overdue", "Those of them whose deadline is over.", "severity"),
    _family("incidents_total", "What was done with incidents since the process began.", "what"),
    _family("rule_actions_total", "Actions of rules that came into a state since the process began; unjudged: "
            "conditions without an answer.", "state"),
    _family("rule_actions_waiting", "Actions of rules that wait for their time."),
    _family("rule_actions_held", "Actions of rules that wait for a person."),
    _family("commands_open", "Commands that the gate has not answered yet."),
    _family("uptime_seconds", "Since the process began."),
)  # fmt: skip

Values = dict[str, Mapping[Labels, float | Histogram]]


class Streaming(Protocol):
    """Whoever serves streams of events."""

    @property
    def now(self) -> int:
        """How many it serves."""


class Transactions:
    """How long the registry takes; counted from whatever thread uses it."""

    def __init__(self) -> None:
        self.seconds: dict[Labels, Histogram] = {
            (kind,): Histogram(_TRANSACTION_BOUNDS_S) for kind in ("read", "write")
        }
        self.failures: dict[Labels, float] = {("read",): 0, ("write",): 0}
        self._lock = threading.Lock()

    def note(self, kind: str, seconds: float, failed: bool) -> None:
        """One transaction is over."""
        with self._lock:
            self.seconds[kind,].add(seconds)
            self.failures[kind,] += failed


_TRANSACTION_BOUNDS_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0)


class Measures:
    """Gathers. Every part counts for itself; nothing is counted here but the registry's time."""

    def __init__(
        self, registry: Registry, requests: Requests, *, now: Callable[[], int], behind: Behind, dispatcher: Dispatcher,
        incidents: Mapping[str, int], rules: Mapping[str, int], sign_ins: Mapping[str, int], streams: Streaming,
    ) -> None:  # fmt: skip
        self._registry, self._requests, self._now, self._behind = registry, requests, now, behind
        self._dispatcher, self._incidents, self._rules = dispatcher, incidents, rules
        self._sign_ins, self._streams = sign_ins, streams
        self._began = time.monotonic()
        self._transactions = Transactions()
        registry.observe = self._transactions.note
        self._found: Values = {}
        self._until = 0.0
        self._asking = asyncio.Lock()

    async def text(self, last: int | None) -> str:
        """Everything; `last` is the last sequence of the gate's journal, None where nobody says."""
        async with self._asking:
            if time.monotonic() >= self._until:
                self._found = await asyncio.to_thread(self._look)
                self._until = time.monotonic() + KEPT_S
        values = self._served() | self._followed(last) | self._found
        return text_of(FAMILIES, {PREFIX + name: of for name, of in values.items()})

    def _served(self) -> Values:
        requests, transactions = self._requests, self._transactions
        deliveries: dict[Labels, float | Histogram] = {
            (name, result): one.counted[result]
            for name, one in self._dispatcher.couriers.items() for result in ("delivered", "failed", "dead")
        }  # fmt: skip
        return {
            "requests_total": requests.counted,
            "request_seconds": requests.seconds,
            "requests_in_progress": {(): requests.now}, "requests_turned_away_total": {(): requests.busy},
            "wrong_tokens_total": {(): requests.wrong_tokens},
            "sign_ins_total": {(result,): many for result, many in self._sign_ins.items()},
            "event_streams": {(): self._streams.now},
            "registry_transaction_seconds": transactions.seconds,
            "registry_failures_total": transactions.failures,
            "registry_writers_waiting": {(): self._registry.turns.waiting},
            "deliveries_total": deliveries,
            "endpoint_down": {
                (name,): one.breaker.state != CLOSED for name, one in self._dispatcher.couriers.items()
            },
            "incidents_total": {(what,): many for what, many in self._incidents.items()},
            "rule_actions_total": {(state,): many for state, many in self._rules.items()},
            "uptime_seconds": {(): round(time.monotonic() - self._began, 3)},
        }  # fmt: skip

    def _followed(self, last: int | None) -> Values:
        said = self._behind.status()
        values: Values = {"following": {(): bool(said) and not self._behind.trouble}}
        if said:
            values |= {
                "followed_sequence": {(): said["sequence"]}, "lag_seconds": {(): said["behind_s"]},
                "facts_total": {(): said["facts"]}, "gaps_total": {(): said["gaps"]},
            }  # fmt: skip
            if last is not None:
                values["lag_events"] = {(): max(0, last - said["sequence"])}
        return values

    def _look(self) -> Values:
        try:
            with self._registry.reading() as connection:
                return {"registry_up": {(): 1}, **self._read(connection)}
        except RegistryError:
            return {"registry_up": {(): 0}}

    def _read(self, connection: sa.Connection) -> Values:
        now = self._now()
        boxes = {name: measuring.outbox_of(connection, name) for name in self._dispatcher.couriers}
        incidents = measuring.open_incidents(connection, now)
        actions = measuring.actions_in(connection, (WAITING, HELD))
        ages = {name: 0.0 if one.oldest_at is None else max(0.0, (now - one.oldest_at) / 1e6)
                for name, one in boxes.items()}  # fmt: skip
        return {
            "outbox_waiting": {(name,): one.waiting for name, one in boxes.items()},
            "outbox_oldest_seconds": {(name,): age for name, age in ages.items()},
            "outbox_dead": {(name,): one.dead for name, one in boxes.items()},
            "incidents_open": {(one,): incidents.get(one, (0, 0))[0] for one in SEVERITIES},
            "incidents_overdue": {(one,): incidents.get(one, (0, 0))[1] for one in SEVERITIES},
            "rule_actions_waiting": {(): actions[WAITING]}, "rule_actions_held": {(): actions[HELD]},
            "commands_open": {(): measuring.open_commands(connection)},
        }  # fmt: skip
