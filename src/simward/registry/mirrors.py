"""Mirrors of what the journal owns: findings, effects and subscriptions, for lists, look-ups and joins."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from simward.engine.events import SESSION_CONTEXT_NOT_FOUND
from simward.engine.words import NEWEST
from simward.registry import population
from simward.registry import tables as t
from simward.registry.hourly import count
from simward.registry.upsert import upsert


def note_subscription(connection: sa.Connection, imsi: str, as_of_seq: int, **facts: Any) -> None:
    """What an output said of a subscription; only the facts given change."""
    population.changes(connection, imsi, facts)
    upsert(connection, t.subscription, ["imsi"], {"imsi": imsi, "as_of_seq": as_of_seq, **facts})


def note_device(
    connection: sa.Connection, imsi: str, as_of_seq: int, imei: str, at: int, base: dict[str, Any]
) -> None:
    """It was heard in this device; since when, unless that is where it was heard before."""
    before = connection.execute(sa.select(t.subscription.c.seen_imei).where(t.subscription.c.imsi == imsi)).scalar()
    if before != imei:
        note_subscription(connection, imsi, as_of_seq, **base, seen_imei=imei, seen_since=at)


BINDINGS_KEPT = 100
"""Of one subscription; older ones go."""
_B = t.binding.c


def note_binding(connection: sa.Connection, imsi: str, generation: int, at: int, **facts: Any) -> None:
    """A subscription belongs in a device from now on, and no longer in the one before."""
    end_binding(connection, imsi, at)
    upsert(connection, t.binding, ["imsi", "generation"], {
        "imsi": imsi, "generation": generation, "began_at": at, "ended_at": None, **facts
    })  # fmt: skip
    if generation > BINDINGS_KEPT:
        connection.execute(sa.delete(t.binding).where(_B.imsi == imsi, _B.generation <= generation - BINDINGS_KEPT))


def end_binding(connection: sa.Connection, imsi: str, at: int) -> None:
    """It belongs in none."""
    connection.execute(_END, {"of": imsi, "at": at})


_END = sa.update(t.binding).where(_B.imsi == sa.bindparam("of"), _B.ended_at.is_(None)).values(
    ended_at=sa.bindparam("at")
)  # fmt: skip


def tenant_of(connection: sa.Connection, iccid: str) -> str | None:
    """Whose subscription has this ICCID; None where none is mirrored, or several tenants claim it."""
    found = sa.select(t.subscription.c.tenant).where(t.subscription.c.iccid == iccid).distinct().limit(2)
    tenants = list(connection.execute(found).scalars())
    return tenants[0] if len(tenants) == 1 else None


def note_finding(connection: sa.Connection, began_at: int, as_of_seq: int, document: dict[str, Any],
                 ended_at: int | None = None) -> None:
    """A finding as it now stands; what only its beginning said (was, expected, ...) is kept."""
    known = connection.execute(_DOCUMENT, {"known": document["id"]}).scalar()
    if known is not None:
        connection.execute(
            sa.update(t.finding).where(t.finding.c.id == document["id"]).values(
                document=merged(known, document), severity=document["severity"] or "",
                response=known["response"] if ended_at else document["response"], ended_at=ended_at,
                held=known["held"] if ended_at else document["held"],
                as_of_seq=as_of_seq,
            )
        )  # fmt: skip
        return
    connection.execute(
        _NEW_FINDING,
        {"class": document["class"], **{name: document[name] for name in _FINDING_COLUMNS}, "document": document,
         "began_at": began_at, "ended_at": ended_at, "as_of_seq": as_of_seq},
    )  # fmt: skip
    name = f"{document['detector']}/{document['class']}" if document["class"] else document["detector"]
    count(connection, began_at, document["tenant"], "finding", name)


# Made once: making a statement takes longer than running it.
_DOCUMENT = sa.select(t.finding.c.document).where(t.finding.c.id == sa.bindparam("known"))
_NEW_FINDING = sa.insert(t.finding)
_FINDING_COLUMNS = ("id", "tenant", "imsi", "iccid", "use_case", "detector", "severity", "response", "held")


def merged(known: dict[str, Any], fresh: dict[str, Any]) -> dict[str, Any]:
    """A finding's document after one more of its rows, as `words.Findings` merges them."""
    if fresh["ended_at"]:
        return {**known, "ended_at": fresh["ended_at"], "now": fresh["now"]}
    return {**known, **{key: fresh[key] for key in NEWEST if key in fresh}}


def note_effect(connection: sa.Connection, values: dict[str, Any]) -> None:
    """A request that the gate sends, again or for the first time."""
    known = connection.execute(sa.select(t.effect.c.attempts).where(t.effect.c.id == values["id"])).scalar()
    if known is None:
        connection.execute(sa.insert(t.effect).values(values))
        if values["held"] is None:
            count(connection, values["at"], values.get("tenant", t.DEFAULT_TENANT), "effect", values["what"])
    else:
        changed = {"attempts": known + 1, "held": values["held"], "as_of_seq": values["as_of_seq"]}
        connection.execute(sa.update(t.effect).where(t.effect.c.id == values["id"]).values(changed))


def note_proof(connection: sa.Connection, effect: str, result: str, error_cause: int | None, at: int,
               as_of_seq: int) -> None:
    """What a gateway answered, or that it did not."""
    values = {"result": result, "error_cause": error_cause, "proved_at": at, "as_of_seq": as_of_seq}
    connection.execute(sa.update(t.effect).where(t.effect.c.id == effect).values(values))


UNPROVED = sa.and_(
    t.effect.c.what == "disconnect", t.effect.c.held.is_(None), t.effect.c.imsi.is_not(None),
    sa.or_(t.effect.c.result.is_(None), t.effect.c.result.in_(("silence", "nak"))),
    sa.or_(t.effect.c.error_cause.is_(None), t.effect.c.error_cause != SESSION_CONTEXT_NOT_FOUND),
)  # fmt: skip


def unproved(connection: sa.Connection) -> set[str]:
    """The IMSIs of which a Disconnect is on its way: a Stop would prove it."""
    return {str(imsi) for imsi in connection.execute(sa.select(t.effect.c.imsi).where(UNPROVED).distinct()).scalars()}


def awaits_proof(connection: sa.Connection, imsi: str) -> bool:
    """Is there still a Disconnect of this subscription that nothing has proved?"""
    found = sa.select(t.effect.c.id).where(UNPROVED, t.effect.c.imsi == imsi).limit(1)
    return connection.execute(found).scalar() is not None


def stopped(connection: sa.Connection, imsi: str, session_id: str | None, at: int, as_of_seq: int) -> list[str]:
    """A Stop came: the Disconnects of this session that nothing has proved yet are proved by it; gives their ids."""
    waiting = sa.select(t.effect.c.id).where(UNPROVED, t.effect.c.imsi == imsi)
    if session_id is not None:
        waiting = waiting.where(sa.or_(t.effect.c.session_id == session_id, t.effect.c.session_id.is_(None)))
    found = list(connection.execute(waiting).scalars())
    if found:
        values = {"result": "stop", "proved_at": at, "as_of_seq": as_of_seq}
        connection.execute(sa.update(t.effect).where(t.effect.c.id.in_(found)).values(values))
    return found
