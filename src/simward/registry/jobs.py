"""Jobs in the registry: what takes longer than a request, how far it is, and what came of it. A restart loses none.

A job of `commands` is its rows in `command`, each with the job as its cause; they are sent and repeated like any other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from simward.registry import tables as t

J, C = t.job.c, t.command.c
WAITING, RUNNING, DONE, FAILED, CANCELLED = "waiting", "running", "done", "failed", "cancelled"
STATES = (WAITING, RUNNING, DONE, FAILED, CANCELLED)
COMMANDS, BACKTEST = "commands", "backtest"
KEPT_US = 30 * 86_400_000_000
"""Jobs that ended longer ago are forgotten, with the rows of their commands."""
FORGOTTEN_AT_ONCE = 1000


def make(
    connection: sa.Connection, kind: str, at: int, actor: str, because: str, tenant: str | None,
    arguments: Mapping[str, Any], total: int,
) -> int:  # fmt: skip
    """A new one; gives its number."""
    made = connection.execute(sa.insert(t.job).values(
        kind=kind, state=WAITING if kind == BACKTEST else RUNNING, tenant=tenant, actor=actor, because=because,
        asked_at=at, begun_at=None if kind == BACKTEST else at, done=0, total=total, arguments=dict(arguments),
    ))  # fmt: skip
    assert made.inserted_primary_key is not None
    return int(made.inserted_primary_key[0])


def find(connection: sa.Connection, number: int, tenant: str | None) -> Any | None:
    """One of them; of another tenant there is none."""
    wanted = [J.number == number, *_of(tenant)]
    return connection.execute(sa.select(t.job).where(*wanted)).one_or_none()


def listed(
    connection: sa.Connection, *, tenant: str | None, before: int | None, limit: int, kind: str | None = None,
    state: str | None = None,
) -> Sequence[Any]:  # fmt: skip
    """The newest first."""
    wanted = _of(tenant)
    wanted += [] if before is None else [J.number < before]
    wanted += [] if kind is None else [J.kind == kind]
    wanted += [] if state is None else [J.state == state]
    return connection.execute(sa.select(t.job).where(*wanted).order_by(J.number.desc()).limit(limit)).all()


def next_waiting(connection: sa.Connection) -> Any | None:
    """The oldest that is to be begun."""
    found = sa.select(t.job).where(J.state == WAITING).order_by(J.number).limit(1)
    return connection.execute(found).one_or_none()


def change(connection: sa.Connection, number: int, **values: Any) -> None:
    """Some columns."""
    connection.execute(sa.update(t.job).where(J.number == number).values(values))


def state_of(connection: sa.Connection, number: int) -> str | None:
    """Its state."""
    return connection.execute(sa.select(J.state).where(J.number == number)).scalar()


def begin_again(connection: sa.Connection) -> None:
    """A process that was killed left them running: they begin anew."""
    stopped = sa.update(t.job).where(J.state == RUNNING, J.kind == BACKTEST)
    connection.execute(stopped.values(state=WAITING, done=0, begun_at=None))


def cause_of(number: int) -> str:
    """What the commands of a job name as their cause."""
    return f"job {number}"


def settle(connection: sa.Connection, now: int) -> None:
    """See how far the jobs of commands are, and end those whose last command is answered."""
    running = sa.select(J.number).where(J.state == RUNNING, J.kind == COMMANDS)
    for number in list(connection.execute(running).scalars()):
        answered = sa.select(sa.func.count()).where(C.cause == cause_of(number), C.result.is_not(None))
        total = sa.select(sa.func.count()).where(C.cause == cause_of(number))
        done, whole = (int(connection.execute(one).scalar() or 0) for one in (answered, total))
        ended = {"state": DONE, "ended_at": now} if done >= whole else {}
        change(connection, number, done=done, **ended)


def cancel_commands(connection: sa.Connection, number: int, now: int) -> int:
    """Those that were not sent yet are not sent any more; gives how many."""
    waiting = sa.update(t.command).where(C.cause == cause_of(number), C.result.is_(None), C.attempts == 0)
    return connection.execute(waiting.values(result=CANCELLED, answered_at=now)).rowcount


def rows(
    connection: sa.Connection, number: int, *, after: str | None, limit: int, result: str | None = None
) -> Sequence[Any]:
    """The commands of a job by their ids; `result` as the gate answered, "open": not answered yet."""
    wanted = [C.cause == cause_of(number)]
    wanted += [] if after is None else [C.id > after]
    if result is not None:
        wanted.append(C.result.is_(None) if result == "open" else C.result == result)
    return connection.execute(sa.select(t.command).where(*wanted).order_by(C.id).limit(limit)).all()


def prune(connection: sa.Connection, now: int) -> None:
    """Forget, a few at a time, what ended long ago."""
    old = sa.select(J.number).where(J.ended_at < now - KEPT_US).order_by(J.number).limit(1)
    number = connection.execute(old).scalar()
    if number is None:
        return
    some = sa.select(C.id).where(C.cause == cause_of(number)).limit(FORGOTTEN_AT_ONCE)
    if not connection.execute(sa.delete(t.command).where(C.id.in_(some))).rowcount:
        connection.execute(sa.delete(t.job).where(J.number == number))


def _of(tenant: str | None) -> list[sa.ColumnElement[bool]]:
    return [] if tenant is None else [J.tenant == tenant]
