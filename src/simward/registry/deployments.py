"""Deployments as they are kept: what was asked for, what the gate has been told of it, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from simward.registry import population
from simward.registry import tables as t

DEPLOY, UNDEPLOY = "deploy", "undeploy"
"""What the gate is to be told."""
ACCEPTED, WAITING, CONFIRMED, WRONG_DEVICE, REFUSED, CANCELLING = LIVE = (
    "accepted", "waiting", "confirmed", "wrong-device", "refused", "cancelling",
)  # fmt: skip
FAILED, CANCELLED, SUPERSEDED, TAKEN_BACK = OVER = ("failed", "cancelled", "superseded", "taken-back")
STATES = {
    ACCEPTED: "It is kept here, and the gate is being told; where the gate is away, as soon as it is back.",
    WAITING: "It is in force: the gate waits for the device's first attach.",
    CONFIRMED: "The right device has attached with the right subscription, and was let in.",
    WRONG_DEVICE: "Another device attached with the subscription. The right one may still come.",
    REFUSED: "The right device attached, and was refused or confined; `said` says by what. It may still be let in.",
    CANCELLING: "The gate is being told that it is taken back.",
    FAILED: "The gate said no, or the subscription is in the inventory no more.",
    CANCELLED: "It was taken back: the subscription is as the files say.",
    SUPERSEDED: "Another deployment of the same subscription took its place.",
    TAKEN_BACK: "The files took the subscription back (`simward apply --take-back`).",
}
"""Every state, and what it means."""
ATTENDED = (WAITING, WRONG_DEVICE, REFUSED)
"""States in which its device is waited for."""
ATTENDED_MAX = 100_000
"""So many devices may be waited for at once."""
BATCH = 100
"""Deployments that one revision tells the gate of."""
AT_ONCE = 500
"""Keys in one statement; a database takes only so many."""
D = t.deployment.c


def create(connection: sa.Connection, values: dict[str, Any]) -> int:
    """Write one; gives its number."""
    made = connection.execute(sa.insert(t.deployment).values(**values))
    assert made.inserted_primary_key is not None
    return int(made.inserted_primary_key[0])


def find(connection: sa.Connection, number: int, tenant: str | None = None) -> Any | None:
    """One of them."""
    wanted = [D.number == number, *_given((D.tenant, tenant))]
    return connection.execute(sa.select(t.deployment).where(*wanted)).one_or_none()


def live_of(connection: sa.Connection, *, iccid: str | None = None, imei: str | None = None) -> Any | None:
    """The one in force, or on its way there, of this card or this device."""
    wanted = [D.live, *_given((D.iccid, iccid), (D.imei, imei))]
    return connection.execute(sa.select(t.deployment).where(*wanted)).one_or_none()


def listed(
    connection: sa.Connection, *, tenant: str | None, before: int | None, limit: int, states: Sequence[str] = (),
    iccid: str | None = None, imei: str | None = None, use_case: str | None = None,
) -> Sequence[Any]:
    """The newest first; those before the number `before`."""
    wanted = _given((D.tenant, tenant), (D.iccid, iccid), (D.imei, imei), (D.use_case, use_case))
    wanted += [D.number < before] if before is not None else []
    wanted += [D.state.in_(states)] if states else []
    return connection.execute(sa.select(t.deployment).where(*wanted).order_by(D.number.desc()).limit(limit)).all()


def subscriptions_of(connection: sa.Connection, imsis: Sequence[str]) -> dict[str, Any]:
    """IMSI -> its row in the mirror, of those that have one."""
    s, found = t.subscription.c, {}
    for start in range(0, len(imsis), AT_ONCE):
        wanted = sa.select(t.subscription).where(s.imsi.in_(imsis[start : start + AT_ONCE]))
        found.update({row.imsi: row for row in connection.execute(wanted)})
    return found


def attended_count(connection: sa.Connection) -> int:
    """How many are on their way to be, or are, waited for."""
    counted = sa.select(sa.func.count()).where(D.state.in_((ACCEPTED, *ATTENDED)))
    return int(connection.execute(counted).scalar_one())


def change(connection: sa.Connection, number: int, at: int, **values: Any) -> None:
    """Change one; `live` follows its state."""
    if "state" in values:
        values["live"] = values["state"] in LIVE
    connection.execute(sa.update(t.deployment).where(D.number == number).values(changed_at=at, **values))


def lines_of_card(connection: sa.Connection, iccid: str) -> Sequence[Any]:
    """Its subscriptions as the mirror has them, by IMSI; without those that are in the inventory no more."""
    s = t.subscription.c
    found = sa.select(t.subscription).where(s.iccid == iccid, s.state.is_not(None)).order_by(s.imsi)
    return connection.execute(found).all()


def holders_of(connection: sa.Connection, imei: str, other_than: str) -> Sequence[Any]:
    """Subscriptions of other cards that are bound to this device (14 digits), or declared for it; a few."""
    s = t.subscription.c
    found = sa.select(t.subscription).where(
        sa.or_(s.imei == imei, s.declared_imei == imei), s.state.is_not(None), s.iccid != other_than
    )
    return connection.execute(found.order_by(s.imsi).limit(32)).all()


def to_send(connection: sa.Connection, now: int) -> Sequence[Any]:
    """What the gate is to be told next, the oldest first: those of one revision."""
    due = sa.select(t.deployment).where(D.asked.is_not(None), ~D.answered, D.next_at <= now).order_by(D.number)
    first = connection.execute(due.limit(1)).one_or_none()
    if first is None:
        return []
    if first.revision is not None:  # it was under way before: the same again
        return connection.execute(due.where(D.revision == first.revision)).all()
    return connection.execute(due.where(D.revision.is_(None), D.actor == first.actor).limit(BATCH)).all()


def next_at(connection: sa.Connection) -> int | None:
    """When something is due; None: nothing waits."""
    found = sa.select(sa.func.min(D.next_at)).where(D.asked.is_not(None), ~D.answered)
    return connection.execute(found).scalar()


def name_revision(connection: sa.Connection, numbers: Sequence[int], name: str) -> None:
    """These are sent under this name."""
    connection.execute(sa.update(t.deployment).where(D.number.in_(numbers)).values(revision=name))


def answered(connection: sa.Connection, revision: str) -> None:
    """The gate has taken it: what came of it stands in the journal."""
    connection.execute(sa.update(t.deployment).where(D.revision == revision).values(answered=True))


def again(connection: sa.Connection, revision: str, next_at: int) -> None:
    """It had no answer."""
    values = {"attempts": D.attempts + 1, "next_at": next_at}
    connection.execute(sa.update(t.deployment).where(D.revision == revision).values(**values))


def of_revision(connection: sa.Connection, revision: str) -> Sequence[Any]:
    """Those that were sent under this name and have not been followed up yet."""
    found = sa.select(t.deployment).where(D.revision == revision, D.asked.is_not(None)).order_by(D.number)
    return connection.execute(found).all()


def live_of_imsi(connection: sa.Connection, imsi: str) -> Any | None:
    """The live one of the card that carries this IMSI."""
    iccid = sa.select(t.subscription.c.iccid).where(t.subscription.c.imsi == imsi).scalar_subquery()
    return connection.execute(sa.select(t.deployment).where(D.live, D.iccid == iccid)).one_or_none()


def attended(connection: sa.Connection) -> Sequence[Any]:
    """Rows (imsi, msisdn) of the subscriptions whose device is waited for."""
    s = t.subscription.c
    found = sa.select(s.imsi, s.msisdn).join(t.deployment, D.iccid == s.iccid).where(D.state.in_(ATTENDED))
    return connection.execute(found).all()


def correlator_of(connection: sa.Connection, iccid: str) -> str | None:
    """What the request said by which this card was deployed."""
    return connection.execute(_CORRELATOR, {"iccid": iccid}).scalar()


# Made once: making a statement takes longer than running it.
_CORRELATOR = sa.select(D.correlator).where(D.live, D.iccid == sa.bindparam("iccid"))


def forget_addresses(connection: sa.Connection, imsis: Sequence[str]) -> None:
    """They are in another segment now: what they had there is not theirs any more."""
    values = {"apn": None, "address": None, "prefix": None, "delegated": None}
    with population.kept(connection, imsis):
        connection.execute(sa.update(t.subscription).where(t.subscription.c.imsi.in_(imsis)).values(**values))


def _given(*pairs: tuple[Any, Any]) -> list[sa.ColumnElement[bool]]:
    return [column == value for column, value in pairs if value is not None]
