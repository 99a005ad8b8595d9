"""`ETag` and `If-Match`: a write that rests on what its author has seen is refused where that has changed since."""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Any

from fastapi import Header

from simward.control.api.problems import Problem

IfMatch = Annotated[str | None, Header(
    max_length=256, description="Only where what it is about still has this ETag; * is any."
)]  # fmt: skip


def tag_of(*declared: Any) -> str:
    """A strong validator (RFC 9110 8.8.3) of declared fields; what the network does to them has no part in it."""
    said = json.dumps(declared, sort_keys=True, separators=(",", ":"), default=str)
    return f'"{hashlib.sha256(said.encode()).hexdigest()[:32]}"'


def must_match(shown: str | None, tag: str) -> None:
    """Raises Problem (412) unless `If-Match` was not sent, is * or lists this tag (RFC 9110 13.1.1)."""
    if shown is None or shown.strip() == "*" or tag in [one.strip() for one in shown.split(",")]:
        return
    raise Problem(
        412, "changed-since", "It has changed since", f"If-Match: the ETag is {tag} by now; read it again.",
        headers={"ETag": tag},
    )  # fmt: skip


def described(description: str = "What is declared, as it is now.") -> dict[str, Any]:
    """The header as the OpenAPI description of an answer has it."""
    return {"ETag": {"description": description, "schema": {"type": "string"}}}
