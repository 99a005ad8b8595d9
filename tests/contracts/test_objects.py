"""What bindings, devices, uploads, revisions and jobs are in the registry, on every database."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from simward.registry import jobs, mirrors, objects, revisions, uploads
from simward.registry import tables as t
from simward.registry.database import Registry

IMSI, OTHER = "001010000000001", "001010000000002"
ONE, TWO = "35000001000001", "35000002000001"


def bind(registry: Registry, imsi: str, generation: int, at: int, imei: str) -> None:
    with registry.writing() as connection:
        mirrors.note_binding(connection, imsi, generation, at, imei=imei, device=imei, iccid=None, as_of_seq=at)


def test_a_binding_ends_where_the_next_begins(registry: Registry) -> None:
    bind(registry, IMSI, 1, 10, ONE)
    bind(registry, OTHER, 1, 11, ONE)
    bind(registry, IMSI, 2, 20, TWO)
    with registry.writing() as connection:
        mirrors.end_binding(connection, OTHER, 30)
    with registry.reading() as connection:
        every = objects.bindings(connection, tenant=None, after=None, limit=9).rows
        assert [(one.imsi, one.imei, one.began_at, one.ended_at) for one in every] == [
            (IMSI, TWO, 20, None), (OTHER, ONE, 11, 30), (IMSI, ONE, 10, 20)
        ]  # fmt: skip
        devices = objects.devices(connection, tenant=None, after=None, limit=9)
        assert [(one.imei, one.is_in, one.known_in) for one in devices] == [(ONE, 0, 2), (TWO, 1, 1)]
        (of_model,) = objects.devices(connection, tenant=None, after=None, limit=9, model="35000002")
        assert of_model.imei == TWO
        assert not objects.devices(connection, tenant="other", after=None, limit=9)
        assert len(objects.bindings_of_device(connection, None, ONE)) == 2
        page = objects.bindings(connection, tenant=None, after=(20, IMSI), limit=1)
        assert [(one.imsi, one.began_at) for one in page.rows] == [(OTHER, 11)] and page.on == (11, OTHER)


def test_the_same_binding_told_again_is_one(registry: Registry) -> None:
    for _ in range(2):
        bind(registry, IMSI, 1, 10, ONE)
    with registry.reading() as connection:
        (one,) = objects.bindings(connection, tenant=None, after=None, limit=9).rows
        assert one.ended_at is None


def propose(registry: Registry, lines: list[dict[str, str]] | None = None, **texts: str) -> str:
    with registry.writing() as connection:
        return uploads.make(connection, 1, "ada", "x", "base", texts, [], lines)


def test_only_what_is_in_force_is_owned(registry: Registry) -> None:
    first = propose(registry, [{"imsi": IMSI, "iccid": "8901"}])
    with registry.reading() as connection:
        assert not len(uploads.owned_imsis(connection))
    with registry.writing() as connection:
        uploads.applied(connection, first, 5)
    second = propose(registry)
    with registry.reading() as connection:
        assert uploads.lines_of(connection, second) == [{"imsi": IMSI, "iccid": "8901"}], "as it is in force"
    with registry.writing() as connection:
        uploads.applied(connection, second, 9)
        uploads.applied(connection, second, 7)
    with registry.reading() as connection:
        assert len(uploads.owned_imsis(connection)) == 1
        assert uploads.find(connection, first) is None and uploads.find(connection, second).sequence == 9


def test_old_proposals_go(registry: Registry) -> None:
    for _ in range(uploads.PROPOSED_MOST + 3):
        propose(registry, [{"imsi": IMSI}])
    with registry.reading() as connection:
        assert len(uploads.listed(connection, before=None, limit=1000)) == uploads.PROPOSED_MOST
        lines = connection.execute(sa.select(sa.func.count()).select_from(t.declared_line)).scalar()
        assert lines == uploads.PROPOSED_MOST


def test_a_text_is_kept_once(registry: Registry) -> None:
    with registry.writing() as connection:
        digests = revisions.keep_policy(connection, {"policies/a.yaml": "x", "api/b.yaml": "x", "api/c.yaml": "y"})
        revisions.note(connection, {
            "name": "n", "first_sequence": 1, "last_sequence": 1, "at": 1, "actor": "", "because": "", "upload": None,
            "texts": digests, "changes": [], "declared": 0, "removed": 0,
        })  # fmt: skip
    with registry.reading() as connection:
        row = revisions.newest(connection)
        assert revisions.texts_of(connection, row) == {"api/b.yaml": "x", "api/c.yaml": "y", "policies/a.yaml": "x"}
        assert connection.execute(sa.select(sa.func.count()).select_from(t.policy_text)).scalar() == 2
        assert revisions.mirrored_up_to(connection) == 1


def command(job: int, position: int, **more: Any) -> dict[str, Any]:
    return {
        "id": f"job-{job}-{position:06d}", "do": "lock", "iccid": str(position), "actor": "ada", "because": "x",
        "cause": jobs.cause_of(job), "asked_at": 1, "next_at": 1, **more,
    }  # fmt: skip


def test_a_job_is_over_with_its_last_command(registry: Registry) -> None:
    with registry.writing() as connection:
        job = jobs.make(connection, jobs.COMMANDS, 1, "ada", "x", None, {}, 2)
        connection.execute(sa.insert(t.command), [command(job, one) for one in range(2)])
        jobs.settle(connection, 5)
        assert jobs.find(connection, job, None).state == jobs.RUNNING
        for number in range(2):
            connection.execute(sa.update(t.command).where(t.command.c.iccid == str(number)).values(result="applied"))
            jobs.settle(connection, 6 + number)
        row = jobs.find(connection, job, None)
        assert (row.state, row.done, row.ended_at) == (jobs.DONE, 2, 7)
        assert jobs.find(connection, job, "elsewhere") is None


def test_a_backtest_begins_again_and_old_jobs_are_forgotten(registry: Registry) -> None:
    with registry.writing() as connection:
        job = jobs.make(connection, jobs.BACKTEST, 1, "ada", "x", None, {}, 0)
        jobs.change(connection, job, state=jobs.RUNNING, begun_at=2, done=7)
        jobs.begin_again(connection)
        row = jobs.next_waiting(connection)
        assert row is not None and (row.number, row.done, row.begun_at) == (job, 0, None)
        old = jobs.make(connection, jobs.COMMANDS, 1, "ada", "x", None, {}, 1)
        connection.execute(sa.insert(t.command), [command(old, 1, result="applied")])
        jobs.change(connection, old, state=jobs.DONE, ended_at=1)
        for _ in range(3):
            jobs.prune(connection, 2 + jobs.KEPT_US)
        assert jobs.find(connection, old, None) is None and jobs.find(connection, job, None) is not None
        assert connection.execute(sa.select(sa.func.count()).select_from(t.command)).scalar() == 0
