"""An announcement as the event that others get: the attributes of CloudEvents, and what stands in each."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from simward.connectors.cloudevents import Event, sequence_extension


def event_of(row: Any, installation: str) -> Event:
    """The event of a row of `announcement`, as this installation says it.

    `type` is the plain name that filters and documentation use: the source says whose it is. `sequence` counts from 1
    in (source, subject), whatever a filter leaves out. `causationid` and `correlationid` are CloudEvents' correlation
    extension: what made it so (a finding, a command), and what it belongs to: of what was deployed the
    x-correlator of that request, else the incident.
    """
    extensions: dict[str, str | int] = {**sequence_extension(row.sequence), "tenant": row.tenant}
    if row.use_case:
        extensions["usecase"] = row.use_case
    if row.cause:
        extensions["causationid"] = row.cause
    if row.correlation:
        extensions["correlationid"] = row.correlation
    elif row.incident is not None:
        extensions["correlationid"] = f"incident/{row.incident}"
    return Event(
        row.id, source_of(installation, row.tenant), row.type, row.subject, row.at, dict(row.data), extensions
    )


def source_of(installation: str, tenant: str) -> str:
    """Where events come from: one URI for each tenant of each installation, which stays as it is."""
    return f"urn:simward:{installation}:{quote(tenant, safe='')}"
