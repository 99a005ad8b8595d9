"""CloudEvents 1.0.2: an event, and how it is written in an HTTP message, structured or binary."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

SPEC_VERSION = "1.0"
JSON = "application/json"
STRUCTURED = "application/cloudevents+json; charset=utf-8"
SEQUENCE_DIGITS = 10
"""Of the sequence extension, whose values "MUST be lexicographically-orderable": 2^31 - 1 has ten."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event. `extensions` are further attributes: names of lower-case letters and digits (CloudEvents 1.0.2, 2)."""

    id: str
    source: str
    type: str
    subject: str
    at: int
    """When it happened, us UTC."""
    data: dict[str, Any]
    extensions: Mapping[str, str | int] = field(default_factory=dict)

    @property
    def attributes(self) -> dict[str, str | int]:
        """Every attribute but datacontenttype."""
        return {
            "specversion": SPEC_VERSION, "id": self.id, "source": self.source, "type": self.type,
            "subject": self.subject, "time": timestamp(self.at), **self.extensions,
        }  # fmt: skip

    @property
    def document(self) -> dict[str, Any]:
        """The whole of it, in the JSON event format."""
        return {**self.attributes, "datacontenttype": JSON, "data": self.data}


def sequence_extension(sequence: int) -> dict[str, str]:
    """The attributes of the sequence extension for the `sequence`-th event (from 1) about a subject."""
    return {"sequence": f"{sequence:0{SEQUENCE_DIGITS}d}", "sequencetype": "Integer"}


def timestamp(at: int) -> str:
    """us UTC as RFC 3339 has it."""
    moment = datetime.fromtimestamp(at // 1_000_000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{at % 1_000_000:06d}Z"


def structured(event: Event) -> tuple[dict[str, str], bytes]:
    """(headers, body) in structured content mode, JSON event format."""
    return {"content-type": STRUCTURED}, _json(event.document)


def binary(event: Event) -> tuple[dict[str, str], bytes]:
    """(headers, body) in binary content mode: the attributes are headers, the body is the data alone."""
    headers = {f"ce-{name}": header_value(str(value)) for name, value in event.attributes.items()}
    return {"content-type": JSON, **headers}, _json(event.data)


def header_value(text: str) -> str:
    """An attribute's value as a header has it (HTTP binding 3.1.3.2)."""
    return "".join(
        one if "!" <= one <= "~" and one not in '"%' else "".join(f"%{octet:02X}" for octet in one.encode())
        for one in text
    )


def _json(document: Mapping[str, Any]) -> bytes:
    # What is half of a character (JSON may hold it) is written as an escape, which every reader takes.
    return json.dumps(document, separators=(",", ":"), ensure_ascii=True).encode()
