"""Fills a registry as years of a large fleet would: subscriptions, findings, incidents and what comes of them.

Everything is synthetic: test network 001-01, made-up numbers. The rows are as the control process writes them, but made
by SQLite: ten million of them through Python would take an hour. Of the audit there is no content, and no chain.
"""

from __future__ import annotations

import sqlite3
import time
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from simward.registry import tables as t
from simward.registry.database import Registry, sqlite_url

IMSI_FIRST, ICCID_FIRST, IMEI_FIRST = 1_010_000_000_000, 8_949_000_000_000_000_000, 35_000_000_000_000
USE_CASES, TENANTS = 40, 20
RESOLVED_OF_HUNDRED = 98
"""So many incidents are over, as they are where people look after them; the others are open."""

NUMBERS = "WITH RECURSIVE numbers(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n < {})"
SUBSCRIPTIONS = f"""
INSERT INTO subscription (imsi, iccid, tenant, use_case, segment, apn, address, device, imei, generation, locked_at,
                          locked_because, confined, as_of_seq, msisdn, state, declared_imei)
SELECT printf('00%013d', {IMSI_FIRST} + n), printf('%d', {ICCID_FIRST} + n), 'tenant-' || (n % {TENANTS}),
       'use-case-' || (n % {USE_CASES}), 'segment-' || (n % 8), 'apn' || (n % 8) || '.iot',
       printf('10.%d.%d.%d', (n >> 16) & 255, (n >> 8) & 255, n & 255),
       printf('%014d-01', {IMEI_FIRST} + n), printf('%014d', {IMEI_FIRST} + n), 1,
       CASE WHEN n % 1000 = 7 THEN :now - n * 1000000 END, CASE WHEN n % 1000 = 7 THEN 'device-change' END,
       0, n, printf('1555%08d', n), 'active', NULL
FROM numbers
"""
INCIDENTS = f"""
INSERT INTO incident (number, tenant, state, severity, grouping, cause, title, use_case, imsi, iccid, opened_at,
                      changed_at, owner, deadline_at, resolved_at, resolved_by, outcome, findings, subscriptions,
                      as_of_seq)
SELECT n + 1, 'tenant-' || (n % {TENANTS}),
       CASE WHEN n % 100 < {RESOLVED_OF_HUNDRED} THEN 'resolved'
            ELSE CASE n % 3 WHEN 0 THEN 'open' WHEN 1 THEN 'acknowledged' ELSE 'contained' END END,
       CASE n % 4 WHEN 0 THEN 'low' WHEN 1 THEN 'medium' WHEN 2 THEN 'high' ELSE 'critical' END,
       'subscription', 'subscription/' || n, 'SIM in another device', 'use-case-' || (n % {USE_CASES}),
       printf('00%013d', {IMSI_FIRST} + n), printf('%d', {ICCID_FIRST} + n), :now - n * 200000000,
       :now - n * 200000000 + 60000000, NULL, :now - n * 200000000 + 3600000000,
       CASE WHEN n % 100 < {RESOLVED_OF_HUNDRED} THEN :now - n * 200000000 + 900000000 END,
       CASE WHEN n % 100 < {RESOLVED_OF_HUNDRED} THEN 'somebody' END,
       CASE WHEN n % 100 < {RESOLVED_OF_HUNDRED} THEN 'true-positive' END, 1, 1, n
FROM numbers
"""
FINDINGS = f"""
INSERT INTO finding (id, tenant, imsi, iccid, use_case, detector, class, severity, response, began_at, ended_at,
                     document, incident, outcome, held, as_of_seq)
SELECT '0/' || n || '/0', 'tenant-' || (of % {TENANTS}), printf('00%013d', {IMSI_FIRST} + of),
       printf('%d', {ICCID_FIRST} + of), 'use-case-' || (of % {USE_CASES}), detector, '', 'high', 'notify', at,
       CASE WHEN n % 50 THEN at + 600000000 END,
       json_object('id', '0/' || n || '/0', 'at', strftime('%Y-%m-%dT%H:%M:%SZ', at / 1000000, 'unixepoch'),
                   'detector', detector, 'class', '', 'severity', 'high', 'tenant', 'tenant-' || (of % {TENANTS}),
                   'imsi', printf('00%013d', {IMSI_FIRST} + of), 'iccid', printf('%d', {ICCID_FIRST} + of),
                   'use_case', 'use-case-' || (of % {USE_CASES}), 'was', printf('%014d-01', {IMEI_FIRST} + of),
                   'now', printf('%014d-02', {IMEI_FIRST} + of + 1), 'expected', printf('%014d', {IMEI_FIRST} + of),
                   'verdict', 'allow', 'response', 'notify', 'held', NULL, 'ended_at', NULL, 'about', NULL,
                   'gateway', 'pgw1', 'apn', 'apn.iot', 'changes', NULL, 'segment', NULL),
       CASE WHEN n < :incidents THEN n + 1 END, NULL, NULL, n
FROM (SELECT n, (n * 7919) % :subscriptions AS of, :now - n * 3000000 AS at,
             CASE n % 5 WHEN 0 THEN 'device-change' WHEN 1 THEN 'location-change' WHEN 2 THEN 'network-not-permitted'
                        WHEN 3 THEN 'apn-not-permitted' ELSE 'reappeared-changed' END AS detector FROM numbers)
"""
EFFECTS = f"""
INSERT INTO effect (id, tenant, imsi, iccid, what, gateway, session_id, because, held, at, attempts, result, proved_at,
                    incident, as_of_seq)
SELECT '0/' || n || '/1', 'tenant-' || (n % {TENANTS}), printf('00%013d', {IMSI_FIRST} + n),
       printf('%d', {ICCID_FIRST} + n), 'disconnect', 'pgw1', printf('%016X', n), 'device-change', NULL,
       :now - n * 200000000, 1, 'ack', :now - n * 200000000 + 20000, n + 1, n
FROM numbers
"""

HOURLY = """
INSERT INTO hourly (tenant, what, hour, name, many)
SELECT tenant, 'finding', began_at / 3600000000, detector, count(*) FROM finding GROUP BY 1, 3, 4
UNION ALL SELECT '*', 'finding', began_at / 3600000000, detector, count(*) FROM finding GROUP BY 3, 4
"""
POPULATION = """
INSERT INTO population (tenant, use_case, segment, members, bound, locked, confined, addressed)
SELECT tenant, use_case, segment, count(*), count(imei), count(locked_at), 0, count(address) FROM subscription
GROUP BY 1, 2, 3
"""
BINDINGS = f"""
INSERT INTO binding (imsi, generation, tenant, iccid, imei, device, began_at, ended_at, as_of_seq)
SELECT printf('00%013d', {IMSI_FIRST} + n % :subscriptions), 1 + (n >= :subscriptions),
       'tenant-' || (n % :subscriptions % {TENANTS}), printf('%d', {ICCID_FIRST} + n % :subscriptions),
       printf('%014d', {IMEI_FIRST} + n % :subscriptions), printf('%014d-01', {IMEI_FIRST} + n % :subscriptions),
       :now - (:subscriptions * 1.02 - n) * 20000000,
       CASE WHEN n < :subscriptions * 0.02 THEN :now - n * 1000000 END, n
FROM numbers
"""
ENTRIES = """
INSERT INTO incident_entry (incident, at, actor, what, text)
SELECT n / 4 + 1, :now - n / 4 * 200000000 + n % 4 * 1000000, '',
       CASE n % 4 WHEN 0 THEN 'opened' WHEN 1 THEN 'finding' WHEN 2 THEN 'effect' ELSE 'note' END, 'What happened then.'
FROM numbers
"""
ANNOUNCEMENTS = f"""
INSERT INTO announcement (id, tenant, type, at, subject, sequence, use_case, cause, incident, data)
SELECT 'a-' || n, 'tenant-' || (n % {TENANTS}), 'incident.opened', :now - (:incidents * 3 - n) * 8000000,
       'incident ' || (n + 1), 1, 'use-case-' || (n % {USE_CASES}), NULL, n + 1,
       json_object('number', n + 1, 'title', 'SIM in another device', 'state', 'open')
FROM numbers
"""
AUDIT = f"""
INSERT INTO audit (number, at, tenant, actor, what, object, content, digest)
SELECT n + 1, :now - (:incidents * 5 - n) * 60000000, 'tenant-' || (n % {TENANTS}), 'somebody',
       'incident.acknowledge', 'incident ' || (n + 1), zeroblob(300), zeroblob(32)
FROM numbers
"""
ACTIONS = f"""
INSERT INTO rule_action (id, tenant, rule, revision, trigger, trigger_type, trigger_at, imsi, iccid, use_case, incident,
                         action, arguments, mode, due_at, state, changed_at)
SELECT 'r-' || n, 'tenant-' || (n % {TENANTS}), 'rule-' || (n % 30), 1, 'finding.began:0/' || n || '/0',
       'finding.began', :now - n * 12000000, printf('00%013d', {IMSI_FIRST} + n), printf('%d', {ICCID_FIRST} + n),
       'use-case-' || (n % {USE_CASES}), n + 1, 'notify', '{{}}', 'act', :now - n * 12000000,
       CASE WHEN n % 1000 = 1 THEN 'held' WHEN n % 50 = 2 THEN 'dry-run' ELSE 'done' END, :now - n * 12000000
FROM numbers
"""
DEPLOYMENTS = f"""
INSERT INTO deployment (tenant, imsi, iccid, imei, use_case, label, actor, correlator, state, live, created_at,
                        changed_at, lines, before, answered)
SELECT 'tenant-' || (n % {TENANTS}), printf('00%013d', {IMSI_FIRST} + n), printf('%d', {ICCID_FIRST} + n),
       printf('%014d', {IMEI_FIRST} + n), 'use-case-' || (n % {USE_CASES}), 'Station ' || n, 'dm', 'c-' || n,
       CASE WHEN n % 500 = 3 THEN 'wrong-device' ELSE 'confirmed' END, 1, :now - n * 60000000, :now - n * 60000000,
       '[]', '[]', 1
FROM numbers
"""


@dataclass(frozen=True)
class Amounts:
    """How many rows there are of what."""

    subscriptions: int = 1_000_000
    findings: int = 10_000_000
    incidents: int = 100_000


def fill(data_dir: Path, amounts: Amounts) -> None:
    """Make and fill the registry of a working folder. Indexes are made afterwards: that is several times faster."""
    registry = Registry.open(sqlite_url(data_dir))
    registry.migrate()
    registry.close()
    with sqlite3.connect(data_dir / "registry.sqlite", isolation_level=None) as raw:
        for pragma in ("foreign_keys = OFF", "synchronous = OFF", "cache_size = -262144", "temp_store = MEMORY"):
            raw.execute(f"PRAGMA {pragma}")
        indexes = raw.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name IN "
            "('subscription', 'finding', 'incident', 'effect', 'binding', 'announcement', 'audit', 'rule_action')"
        ).fetchall()
        for name, _ in indexes:
            raw.execute(f"DROP INDEX {name}")
        raw.execute("BEGIN")
        now = time.time_ns() // 1000
        given = {"incidents": amounts.incidents, "subscriptions": amounts.subscriptions, "now": now}
        for statement, count in (
            (SUBSCRIPTIONS, amounts.subscriptions), (INCIDENTS, amounts.incidents), (FINDINGS, amounts.findings),
            (EFFECTS, amounts.incidents), (BINDINGS, amounts.subscriptions * 102 // 100),
            (ENTRIES, 4 * amounts.incidents), (ANNOUNCEMENTS, 3 * amounts.incidents), (AUDIT, 5 * amounts.incidents),
            (ACTIONS, 2 * amounts.incidents), (DEPLOYMENTS, amounts.incidents),
        ):  # fmt: skip
            raw.execute(NUMBERS.format(count - 1) + statement, given)
        raw.execute(HOURLY)
        raw.execute(POPULATION)
        for _, statement in indexes:
            raw.execute(statement)
        raw.execute("COMMIT")
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def counted(data_dir: Path) -> dict[str, int]:
    """How many rows there are."""
    registry = Registry.open(sqlite_url(data_dir))
    with registry.reading() as connection:
        made = {
            one.name: int(connection.execute(sa.select(sa.func.count()).select_from(one)).scalar_one())
            for one in (t.subscription, t.finding, t.incident, t.effect)
        }
    registry.close()
    return made
