"""Calls about incidents."""

# Made from the OpenAPI description by `make docs`: change the routes, not this file.
from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Literal

from simward.client.answers.incidents import Acknowledged, Incident, Incidents, WholeIncident
from simward.client.caller import AsyncCaller, Caller, path


class IncidentsCalls:
    """Calls about incidents."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def list(
        self, *, state: Sequence[Literal["open", "acknowledged", "contained", "resolved"]] | None = None, severity:
        Sequence[Literal["info", "low", "medium", "high", "critical"]] | None = None, use_case: str | None = None,
        imsi: str | None = None, since: int | None = None, sort: Literal["-at", "at"] | None = None, fields: str | None
        = None, after: str | None = None, limit: int | None = None,
    ) -> Incidents:  # fmt: skip
        """The newest first unless `sort=at`, those that are not resolved unless `state` says; `since` (us UTC) of
        the last change."""
        answer: Incidents = self._caller.call(
            "GET", "/v1/incidents", query={"state": state, "severity": severity, "use_case": use_case, "imsi": imsi,
            "since": since, "sort": sort, "fields": fields, "after": after, "limit": limit},
        )  # fmt: skip
        return answer

    def all(
        self, *, state: Sequence[Literal["open", "acknowledged", "contained", "resolved"]] | None = None, severity:
        Sequence[Literal["info", "low", "medium", "high", "critical"]] | None = None, use_case: str | None = None,
        imsi: str | None = None, since: int | None = None, sort: Literal["-at", "at"] | None = None, fields: str | None
        = None, limit: int | None = None,
    ) -> Iterator[Incident]:  # fmt: skip
        """The same from the first page to the last, row by row."""
        return self._caller.pages(
            "/v1/incidents", "incidents", query={"state": state, "severity": severity, "use_case": use_case, "imsi":
            imsi, "since": since, "sort": sort, "fields": fields, "limit": limit},
        )  # fmt: skip

    def get(self, number: int) -> WholeIncident:
        """The whole of one: its story, evidence, effects, parties and entries."""
        answer: WholeIncident = self._caller.call("GET", path("/v1/incidents/{number}", number))
        return answer

    def acknowledge(
        self, number: int, *, actor: str | None = None, because: str | None = None, key: str | None = None,
    ) -> Incident:  # fmt: skip
        """Somebody sees to it."""
        answer: Incident = self._caller.call(
            "POST", path("/v1/incidents/{number}/acknowledge", number), body={"actor": actor, "because": because},
            key=key, keyed=True,
        )  # fmt: skip
        return answer

    def answer(
        self, number: int, *, party: str, action: Literal["release", "keep", "lock", "quarantine", "disconnect"] | None
        = None, reason: str | None = None, iccid: str | None = None, announcement: str | None = None, key: str | None =
        None,
    ) -> Acknowledged:  # fmt: skip
        """Acknowledge an incident, and ask for something or for nothing. The same again changes nothing."""
        answer: Acknowledged = self._caller.call(
            "POST", path("/v1/incidents/{number}/acknowledgements", number), body={"party": party, "action": action,
            "reason": reason, "iccid": iccid, "announcement": announcement}, key=key, keyed=True,
        )  # fmt: skip
        return answer

    def assign(
        self, number: int, *, to: str, actor: str | None = None, because: str | None = None, key: str | None = None,
    ) -> Incident:  # fmt: skip
        """It is somebody else's."""
        answer: Incident = self._caller.call(
            "POST", path("/v1/incidents/{number}/assign", number), body={"actor": actor, "because": because, "to": to},
            key=key, keyed=True,
        )  # fmt: skip
        return answer

    def note(self, number: int, *, because: str, actor: str | None = None, key: str | None = None) -> Incident:
        """One more line of its story; the text is `because`."""
        answer: Incident = self._caller.call(
            "POST", path("/v1/incidents/{number}/note", number), body={"actor": actor, "because": because}, key=key,
            keyed=True,
        )  # fmt: skip
        return answer

    def reopen(self, number: int, *, because: str, actor: str | None = None, key: str | None = None) -> Incident:
        """It is not over."""
        answer: Incident = self._caller.call(
            "POST", path("/v1/incidents/{number}/reopen", number), body={"actor": actor, "because": because}, key=key,
            keyed=True,
        )  # fmt: skip
        return answer

    def resolve(
        self, number: int, *, because: str, outcome: Literal["true-positive", "benign", "false-positive"], actor: str |
        None = None, key: str | None = None,
    ) -> Incident:  # fmt: skip
        """It is over, and was this."""
        answer: Incident = self._caller.call(
            "POST", path("/v1/incidents/{number}/resolve", number), body={"actor": actor, "because": because,
            "outcome": outcome}, key=key, keyed=True,
        )  # fmt: skip
        return answer


class AsyncIncidentsCalls:
    """Calls about incidents."""

    def __init__(self, caller: AsyncCaller) -> None:
        self._caller = caller

    async def list(
        self, *, state: Sequence[Literal["open", "acknowledged", "contained", "resolved"]] | None = None, severity:
        Sequence[Literal["info", "low", "medium", "high", "critical"]] | None = None, use_case: str | None = None,
        imsi: str | None = None, since: int | None = None, sort: Literal["-at", "at"] | None = None, fields: str | None
        = None, after: str | None = None, limit: int | None = None,
    ) -> Incidents:  # fmt: skip
        """The newest first unless `sort=at`, those that are not resolved unless `state` says; `since` (us UTC) of
        the last change."""
        answer: Incidents = await self._caller.call(
            "GET", "/v1/incidents", query={"state": state, "severity": severity, "use_case": use_case, "imsi": imsi,
            "since": since, "sort": sort, "fields": fields, "after": after, "limit": limit},
        )  # fmt: skip
        return answer

    def all(
        self, *, state: Sequence[Literal["open", "acknowledged", "contained", "resolved"]] | None = None, severity:
        Sequence[Literal["info", "low", "medium", "high", "critical"]] | None = None, use_case: str | None = None,
        imsi: str | None = None, since: int | None = None, sort: Literal["-at", "at"] | None = None, fields: str | None
        = None, limit: int | None = None,
    ) -> AsyncIterator[Incident]:  # fmt: skip
        """The same from the first page to the last, row by row."""
        return self._caller.pages(
            "/v1/incidents", "incidents", query={"state": state, "severity": severity, "use_case": use_case, "imsi":
            imsi, "since": since, "sort": sort, "fields": fields, "limit": limit},
        )  # fmt: skip

    async def get(self, number: int) -> WholeIncident:
        """The whole of one: its story, evidence, effects, parties and entries."""
        answer: WholeIncident = await self._caller.call("GET", path("/v1/incidents/{number}", number))
        return answer

    async def acknowledge(
        self, number: int, *, actor: str | None = None, because: str | None = None, key: str | None = None,
    ) -> Incident:  # fmt: skip
        """Somebody sees to it."""
        answer: Incident = await self._caller.call(
            "POST", path("/v1/incidents/{number}/acknowledge", number), body={"actor": actor, "because": because},
            key=key, keyed=True,
        )  # fmt: skip
        return answer

    async def answer(
        self, number: int, *, party: str, action: Literal["release", "keep", "lock", "quarantine", "disconnect"] | None
        = None, reason: str | None = None, iccid: str | None = None, announcement: str | None = None, key: str | None =
        None,
    ) -> Acknowledged:  # fmt: skip
        """Acknowledge an incident, and ask for something or for nothing. The same again changes nothing."""
        answer: Acknowledged = await self._caller.call(
            "POST", path("/v1/incidents/{number}/acknowledgements", number), body={"party": party, "action": action,
            "reason": reason, "iccid": iccid, "announcement": announcement}, key=key, keyed=True,
        )  # fmt: skip
        return answer

    async def assign(
        self, number: int, *, to: str, actor: str | None = None, because: str | None = None, key: str | None = None,
    ) -> Incident:  # fmt: skip
        """It is somebody else's."""
        answer: Incident = await self._caller.call(
            "POST", path("/v1/incidents/{number}/assign", number), body={"actor": actor, "because": because, "to": to},
            key=key, keyed=True,
        )  # fmt: skip
        return answer

    async def note(self, number: int, *, because: str, actor: str | None = None, key: str | None = None) -> Incident:
        """One more line of its story; the text is `because`."""
        answer: Incident = await self._caller.call(
            "POST", path("/v1/incidents/{number}/note", number), body={"actor": actor, "because": because}, key=key,
            keyed=True,
        )  # fmt: skip
        return answer

    async def reopen(self, number: int, *, because: str, actor: str | None = None, key: str | None = None) -> Incident:
        """It is not over."""
        answer: Incident = await self._caller.call(
            "POST", path("/v1/incidents/{number}/reopen", number), body={"actor": actor, "because": because}, key=key,
            keyed=True,
        )  # fmt: skip
        return answer

    async def resolve(
        self, number: int, *, because: str, outcome: Literal["true-positive", "benign", "false-positive"], actor: str |
        None = None, key: str | None = None,
    ) -> Incident:  # fmt: skip
        """It is over, and was this."""
        answer: Incident = await self._caller.call(
            "POST", path("/v1/incidents/{number}/resolve", number), body={"actor": actor, "because": because,
            "outcome": outcome}, key=key, keyed=True,
        )  # fmt: skip
        return answer

