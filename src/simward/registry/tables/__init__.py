"""The registry's tables, as SQLAlchemy Core has them: one text for SQLite and PostgreSQL.

Times are microseconds since 1970-01-01 UTC, as everywhere inside. Identities are digits in full: this is the owner's
own data. Every table of the owner's objects has a tenant. What mirrors the journal says up to where: `as_of_seq`.
Texts have no length here: SQLite would not hold them to it, and PostgreSQL would refuse what SQLite took.
"""

from __future__ import annotations

from simward.registry.tables.access import idempotency, token
from simward.registry.tables.audit import audit, audit_key, audit_subject
from simward.registry.tables.base import DEFAULT_TENANT, Big, Document, Number, metadata
from simward.registry.tables.camara import (
    camara_notification,
    camara_subscription,
    monitored,
    oauth_client,
    oauth_token,
)
from simward.registry.tables.counts import EVERY_TENANT, hourly, population
from simward.registry.tables.deployments import deployment
from simward.registry.tables.incidents import incident, incident_entry, incident_party, incident_trait
from simward.registry.tables.mirrors import benign, binding, cursor, effect, finding, journal_text, subscription
from simward.registry.tables.outward import announcement, command, delivery, subject
from simward.registry.tables.people import account, link, membership, recovery_code, session
from simward.registry.tables.revisions import declared_line, job, policy_text, revision, upload
from simward.registry.tables.rules import rule_action, rule_pause, rule_set, undo
from simward.registry.tables.work_orders import work_item, work_order

__all__ = [
    "DEFAULT_TENANT",
    "EVERY_TENANT",
    "Big",
    "Document",
    "Number",
    "account",
    "announcement",
    "audit",
    "audit_key",
    "audit_subject",
    "benign",
    "binding",
    "camara_notification",
    "camara_subscription",
    "command",
    "cursor",
    "declared_line",
    "delivery",
    "deployment",
    "effect",
    "finding",
    "hourly",
    "idempotency",
    "incident",
    "incident_entry",
    "incident_party",
    "incident_trait",
    "job",
    "journal_text",
    "link",
    "membership",
    "metadata",
    "monitored",
    "oauth_client",
    "oauth_token",
    "policy_text",
    "population",
    "recovery_code",
    "revision",
    "rule_action",
    "rule_pause",
    "rule_set",
    "session",
    "subject",
    "subscription",
    "token",
    "undo",
    "upload",
    "work_item",
    "work_order",
]
