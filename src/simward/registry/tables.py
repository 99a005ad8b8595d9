"""The registry's tables, as SQLAlchemy Core has them: one text for SQLite and PostgreSQL.

Times are microseconds since 1970-01-01 UTC, as everywhere inside. Identities are digits in full: this is the owner's
own data. Every table of the owner's objects has a tenant. What mirrors the journal says up to where: `as_of_seq`.
Texts have no length here: SQLite would not hold them to it, and PostgreSQL would refuse what SQLite took.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
metadata = sa.MetaData(naming_convention=NAMES)

Big = sa.BigInteger()
Number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
"""SQLite numbers rows by itself only where the type is spelt INTEGER; it holds 64 bits there all the same."""
Document = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
DEFAULT_TENANT = "default"


def _tenant() -> sa.Column[str]:
    return sa.Column("tenant", sa.String, nullable=False, server_default=DEFAULT_TENANT)


cursor = sa.Table(
    "cursor", metadata,
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("gate_sequence", Big, nullable=False, server_default="0"),
    sa.Column("watch_sequence", Big, nullable=False, server_default="0"),
)  # fmt: skip
"""How far a follower has come. It moves in the transaction that holds what follows from those rows."""

journal_text = sa.Table(
    "journal_text", metadata,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("octets", sa.LargeBinary, nullable=False),
)  # fmt: skip
"""The texts (APNs, gateways) that rows up to the cursor have brought: a restart need not read the journal for them."""

subscription = sa.Table(
    "subscription", metadata,
    sa.Column("imsi", sa.String, primary_key=True),
    sa.Column("iccid", sa.String, index=True),
    _tenant(),
    sa.Column("use_case", sa.String),
    sa.Column("segment", sa.String),
    sa.Column("apn", sa.String),
    sa.Column("address", sa.String),
    sa.Column("prefix", sa.String),
    sa.Column("delegated", sa.String),
    sa.Column("device", sa.String),
    sa.Column("imei", sa.String, index=True),
    sa.Column("generation", sa.Integer, nullable=False, server_default="0"),
    sa.Column("locked_at", Big),
    sa.Column("locked_because", sa.String),
    sa.Column("confined", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("as_of_seq", Big, nullable=False, server_default="0"),
    sa.Column("msisdn", sa.String),
    sa.Column("state", sa.String),
    sa.Column("declared_imei", sa.String),
    sa.Index("ix_subscription_use_case_imsi", "use_case", "imsi"),
    sa.Index("ix_subscription_tenant_imsi", "tenant", "imsi"),
    sa.Index(
        "ix_subscription_locked", "imsi", sqlite_where=sa.text("locked_at IS NOT NULL"),
        postgresql_where=sa.text("locked_at IS NOT NULL"),
    ),
)  # fmt: skip
"""The inventory (`state`, a LIFECYCLE), and what outputs have said of it; `state` NULL: it is not in the inventory.

`confined`: what `locked_at` and `locked_because` speak of is no lock, but a quarantine by a command.
"""

finding = sa.Table(
    "finding", metadata,
    sa.Column("id", sa.String, primary_key=True),
    _tenant(),
    sa.Column("imsi", sa.String, index=True),
    sa.Column("iccid", sa.String),
    sa.Column("use_case", sa.String),
    sa.Column("detector", sa.String, nullable=False),
    sa.Column("class", sa.String, nullable=False, server_default=""),
    sa.Column("severity", sa.String, nullable=False),
    sa.Column("response", sa.String),
    sa.Column("began_at", Big, nullable=False, index=True),
    sa.Column("ended_at", Big),
    sa.Column("document", Document, nullable=False),
    sa.Column("incident", Big, sa.ForeignKey("incident.number"), index=True),
    sa.Column("outcome", sa.String),
    sa.Column("held", sa.String),
    sa.Column("as_of_seq", Big, nullable=False),
    sa.Index("ix_finding_detector_began_at", "detector", "began_at"),
    sa.Index("ix_finding_tenant_began_at", "tenant", "began_at"),
    sa.Index("ix_finding_use_case_began_at", "use_case", "began_at"),
    sa.Index(
        "ix_finding_lasting", "began_at", sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    ),
)  # fmt: skip
"""A mirror; `document` is the finding as JSON. `outcome` is judged: true-positive, benign or false-positive."""

effect = sa.Table(
    "effect", metadata,
    sa.Column("id", sa.String, primary_key=True),
    _tenant(),
    sa.Column("imsi", sa.String, index=True),
    sa.Column("iccid", sa.String),
    sa.Column("what", sa.String, nullable=False),
    sa.Column("gateway", sa.String),
    sa.Column("session_id", sa.String),
    sa.Column("because", sa.String),
    sa.Column("held", sa.String),
    sa.Column("at", Big, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="1"),
    sa.Column("result", sa.String),
    sa.Column("error_cause", sa.Integer),
    sa.Column("proved_at", Big),
    sa.Column("incident", Big, sa.ForeignKey("incident.number"), index=True),
    sa.Column("as_of_seq", Big, nullable=False),
    sa.Index("ix_effect_at", "at"),
    sa.Index("ix_effect_tenant_at", "tenant", "at"),
)  # fmt: skip
"""A mirror of Disconnect- and CoA-Requests. `result` is ack, nak, silence, not-sent, or stop: its session ended."""

incident = sa.Table(
    "incident", metadata,
    sa.Column("number", Number, primary_key=True, autoincrement=True),
    _tenant(),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("severity", sa.String, nullable=False),
    sa.Column("grouping", sa.String, nullable=False),
    sa.Column("cause", sa.String, nullable=False),
    sa.Column("title", sa.String, nullable=False),
    sa.Column("use_case", sa.String),
    sa.Column("imsi", sa.String, index=True),
    sa.Column("iccid", sa.String),
    sa.Column("opened_at", Big, nullable=False, index=True),
    sa.Column("changed_at", Big, nullable=False),
    sa.Column("quiet_since", Big),
    sa.Column("owner", sa.String),
    sa.Column("deadline_at", Big),
    sa.Column("escalations", sa.Integer, nullable=False, server_default="0"),
    sa.Column("acknowledged_at", Big),
    sa.Column("acknowledged_by", sa.String),
    sa.Column("contained_at", Big),
    sa.Column("containment", Document),
    sa.Column("resolved_at", Big),
    sa.Column("resolved_by", sa.String),
    sa.Column("outcome", sa.String),
    sa.Column("reopened", sa.Integer, nullable=False, server_default="0"),
    sa.Column("findings", sa.Integer, nullable=False, server_default="0"),
    sa.Column("subscriptions", sa.Integer, nullable=False, server_default="0"),
    sa.Column("merged_into", Big, sa.ForeignKey("incident.number"), index=True),
    sa.Column("as_of_seq", Big, nullable=False, server_default="0"),
    sa.Column("family", sa.String, nullable=False, server_default=""),
    sa.Column("joins_until", Big),
    sa.Column("open_findings", sa.Integer, nullable=False, server_default="0"),
    sa.Column("changes", sa.Integer, nullable=False, server_default="0"),
    sa.Column("proof_at", Big),
    sa.Index("ix_incident_grouping_cause_state", "grouping", "cause", "state"),
    sa.Index("ix_incident_state_deadline_at", "state", "deadline_at"),
    sa.Index("ix_incident_cause_state", "cause", "state"),
    sa.Index("ix_incident_state_quiet_since", "state", "quiet_since"),
    sa.Index("ix_incident_state_proof_at", "state", "proof_at"),
)  # fmt: skip
"""Findings that belong together. `cause` is the key by which a finding joins (until `joins_until`; NULL = always);
`containment` is the proof; `changes` counts what was announced of it; `proof_at` is when a proof came that nobody has
weighed yet."""

incident_trait = sa.Table(
    "incident_trait", metadata,
    sa.Column("tenant", sa.String, primary_key=True),
    sa.Column("cause", sa.String, primary_key=True),
    sa.Column("incident", Big, sa.ForeignKey("incident.number"), primary_key=True, autoincrement=False, index=True),
    sa.Column("grouping", sa.String, nullable=False),
    sa.Column("subscriptions", sa.Integer, nullable=False),
    sa.Column("at", Big, nullable=False, index=True),
)  # fmt: skip
"""What the findings of an incident may have in common with those of others, for as long as that can make them one."""

incident_entry = sa.Table(
    "incident_entry", metadata,
    sa.Column("number", Number, primary_key=True, autoincrement=True),
    sa.Column("incident", Big, sa.ForeignKey("incident.number"), nullable=False, index=True),
    sa.Column("at", Big, nullable=False),
    sa.Column("actor", sa.String, nullable=False, server_default=""),
    sa.Column("what", sa.String, nullable=False),
    sa.Column("text", sa.String, nullable=False),
    sa.Column("facts", Document),
)  # fmt: skip
"""The story of an incident, a line each: opened, finding, effect, told, acknowledged, note, escalated, ..."""

incident_party = sa.Table(
    "incident_party", metadata,
    sa.Column("incident", Big, sa.ForeignKey("incident.number"), primary_key=True, autoincrement=False),
    sa.Column("party", sa.String, primary_key=True),
    sa.Column("announcement", sa.String, nullable=False),
    sa.Column("told_at", Big, nullable=False),
    sa.Column("delivered_at", Big),
    sa.Column("deadline_at", Big, index=True),
    sa.Column("answered_at", Big),
    sa.Column("action", sa.String),
    sa.Column("reason", sa.String),
    sa.Column("escalated_at", Big),
)  # fmt: skip
"""Who was told of an incident, when it was delivered, by when they must acknowledge, and what they answered."""

subject = sa.Table(
    "subject", metadata,
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("announcements", sa.Integer, nullable=False),
)  # fmt: skip
"""How many announcements there have been about a subject: the last sequence given, also once they are removed."""

announcement = sa.Table(
    "announcement", metadata,
    sa.Column("number", Number, primary_key=True, autoincrement=True),
    sa.Column("id", sa.String, nullable=False, unique=True),
    _tenant(),
    sa.Column("type", sa.String, nullable=False),
    sa.Column("at", Big, nullable=False),
    sa.Column("subject", sa.String, nullable=False),
    sa.Column("sequence", sa.Integer, nullable=False, server_default="0"),
    sa.Column("use_case", sa.String),
    sa.Column("cause", sa.String),
    sa.Column("incident", Big),
    sa.Column("data", Document, nullable=False),
    sa.Index("ix_announcement_subject_sequence", "subject", "sequence"),
    sa.Index("ix_announcement_tenant_number", "tenant", "number"),
)  # fmt: skip
"""What other systems may live on, once each. `subject` is an IMSI or what else it is about; `sequence` counts in it."""

delivery = sa.Table(
    "delivery", metadata,
    sa.Column("number", Number, primary_key=True, autoincrement=True),
    sa.Column("announcement", Big, sa.ForeignKey("announcement.number"), nullable=False, index=True),
    sa.Column("endpoint", sa.String, nullable=False),
    sa.Column("lane", sa.String, nullable=False, server_default=""),
    sa.Column("state", sa.String, nullable=False, server_default="waiting"),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("made_at", Big, nullable=False),
    sa.Column("next_at", Big, nullable=False),
    sa.Column("deadline_at", Big, nullable=False),
    sa.Column("delivered_at", Big),
    sa.Column("status", sa.Integer),
    sa.Column("error", sa.String),
    sa.Index("ix_delivery_endpoint_state_lane_number", "endpoint", "state", "lane", "number"),
)  # fmt: skip
"""The outbox: an announcement on its way to one endpoint: waiting, delivered or dead. A lane goes in order."""

command = sa.Table(
    "command", metadata,
    sa.Column("id", sa.String, primary_key=True),
    _tenant(),
    sa.Column("do", sa.String, nullable=False),
    sa.Column("iccid", sa.String),
    sa.Column("actor", sa.String, nullable=False),
    sa.Column("because", sa.String, nullable=False),
    sa.Column("cause", sa.String),
    sa.Column("incident", Big),
    sa.Column("automation", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("generation", sa.Integer, nullable=False, server_default="-1"),
    sa.Column("asked_at", Big, nullable=False),
    sa.Column("next_at", Big, nullable=False, server_default="0"),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("result", sa.String),
    sa.Column("sequence", Big),
    sa.Column("answered_at", Big),
    sa.Column("arguments", Document),
    sa.Index("ix_command_result_next_at", "result", "next_at"),
    sa.Index("ix_command_cause", "cause"),
)  # fmt: skip
"""Commands to the gate that this process decided on. The gate knows repetitions by `id`; `result` NULL = open.

`arguments` are what else the gate is told, by name (of `plan` and `unplan`: order, imei, device, place, ...)."""

audit_subject = sa.Table(
    "audit_subject", metadata,
    sa.Column("subject", sa.String, primary_key=True),
    sa.Column("imsi", sa.String, unique=True),
    sa.Column("made_at", Big, nullable=False),
    sa.Column("erased_at", Big),
)  # fmt: skip
"""How the audit calls a subscription. Erasing forgets whose name it was."""

audit_key = sa.Table(
    "audit_key", metadata,
    sa.Column("number", Big, primary_key=True, autoincrement=False),
    sa.Column("key", sa.LargeBinary, nullable=False),
)  # fmt: skip
"""The key that the content of an entry is sealed with. Erasing removes those of what was said of a subscription."""

audit = sa.Table(
    "audit", metadata,
    sa.Column("number", Big, primary_key=True, autoincrement=False),
    sa.Column("at", Big, nullable=False, index=True),
    _tenant(),
    sa.Column("actor", sa.String, nullable=False),
    sa.Column("what", sa.String, nullable=False),
    sa.Column("object", sa.String, nullable=False, server_default=""),
    sa.Column("cause", sa.String, nullable=False, server_default=""),
    sa.Column("subject", sa.String, nullable=False, server_default=""),
    sa.Column("content", sa.LargeBinary, nullable=False),
    sa.Column("digest", sa.LargeBinary, nullable=False),
    sa.Index("ix_audit_subject_number", "subject", "number"),
    sa.Index("ix_audit_tenant_number", "tenant", "number"),
)  # fmt: skip
"""Every write and automatic decision, in a chain of digests. `content` is JSON, sealed under the entry's own key."""

rule_set = sa.Table(
    "rule_set", metadata,
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("sequence", Big, nullable=False),
    sa.Column("document", Document, nullable=False),
)  # fmt: skip
"""One row, `in-force`: the rules of the policy revision at the cursor, with what their conditions know of it."""

rule_pause = sa.Table(
    "rule_pause", metadata,
    sa.Column("rule", sa.String, primary_key=True),
    sa.Column("at", Big, nullable=False),
    sa.Column("actor", sa.String, nullable=False),
    sa.Column("because", sa.String, nullable=False),
)  # fmt: skip
"""Rules that somebody paused: until they are resumed they do what they do in dry-run."""

rule_action = sa.Table(
    "rule_action", metadata,
    sa.Column("id", sa.String, primary_key=True),
    _tenant(),
    sa.Column("rule", sa.String, nullable=False),
    sa.Column("revision", Big, nullable=False),
    sa.Column("trigger", sa.String, nullable=False),
    sa.Column("trigger_type", sa.String, nullable=False),
    sa.Column("trigger_at", Big, nullable=False),
    sa.Column("imsi", sa.String, index=True),
    sa.Column("iccid", sa.String),
    sa.Column("use_case", sa.String),
    sa.Column("segment", sa.String),
    sa.Column("generation", sa.Integer, nullable=False, server_default="-1"),
    sa.Column("finding", sa.String),
    sa.Column("incident", Big, index=True),
    sa.Column("action", sa.String, nullable=False),
    sa.Column("arguments", Document, nullable=False),
    sa.Column("unless", sa.String),
    sa.Column("mode", sa.String, nullable=False),
    sa.Column("due_at", Big, nullable=False),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("result", sa.String),
    sa.Column("changed_at", Big, nullable=False),
    sa.Column("command", sa.String, index=True),
    sa.Column("approved_by", sa.String),
    sa.Column("approved_at", Big),
    sa.Column("seconded_by", sa.String),
    sa.Index("ix_rule_action_state_due_at", "state", "due_at"),
    sa.Index("ix_rule_action_rule_state_changed_at", "rule", "state", "changed_at"),
)  # fmt: skip
"""What rules do, one row an action: waiting, sent, done, cancelled, held, dry-run, refused or too-old."""

undo = sa.Table(
    "undo", metadata,
    sa.Column("id", sa.String, primary_key=True),
    _tenant(),
    sa.Column("rule", sa.String),
    sa.Column("incident", Big),
    sa.Column("since", Big, nullable=False),
    sa.Column("actor", sa.String, nullable=False),
    sa.Column("because", sa.String, nullable=False),
    sa.Column("asked_at", Big, nullable=False),
    sa.Column("releases", sa.Integer, nullable=False),
)  # fmt: skip
"""What somebody took back at once; its releases are commands whose cause it is."""

work_order = sa.Table(
    "work_order", metadata,
    sa.Column("number", Number, primary_key=True, autoincrement=True),
    _tenant(),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("title", sa.String, nullable=False),
    sa.Column("state", sa.String, nullable=False, server_default="open"),
    sa.Column("created_at", Big, nullable=False),
    sa.Column("created_by", sa.String, nullable=False),
    sa.Column("because", sa.String, nullable=False),
    sa.Column("begins_at", Big, nullable=False),
    sa.Column("ends_at", Big, nullable=False),
    sa.Column("source", sa.String, nullable=False, server_default=""),
    sa.Column("items", sa.Integer, nullable=False),
    sa.Column("closed_at", Big),
    sa.Index("ix_work_order_state_number", "state", "number"),
)  # fmt: skip
"""Changes that are meant. `kind` is plan, swap or refit; `state` open, done, overdue, refused or cancelled."""

work_item = sa.Table(
    "work_item", metadata,
    sa.Column("work_order", Big, sa.ForeignKey("work_order.number"), primary_key=True, autoincrement=False),
    sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("iccid", sa.String, nullable=False, index=True),
    sa.Column("imei", sa.String, index=True),
    sa.Column("device", sa.Boolean, nullable=False),
    sa.Column("place", sa.Boolean, nullable=False),
    sa.Column("begins_at", Big, nullable=False),
    sa.Column("ends_at", Big, nullable=False),
    sa.Column("state", sa.String, nullable=False, server_default="asked"),
    sa.Column("changed_at", Big, nullable=False),
    sa.Column("was", sa.String),
    sa.Column("now", sa.String),
    sa.Column("finding", sa.String, index=True),
    sa.Column("note", sa.String, nullable=False, server_default=""),
    sa.Index("ix_work_item_work_order_state", "work_order", "state"),
)  # fmt: skip
"""One subscription of a work order. `imei` NULL = any device. `was` and `now` are devices; `finding` is what came
instead, `note` says in words what is the matter with it."""

token = sa.Table(
    "token", metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("name", sa.String, nullable=False, index=True),
    sa.Column("role", sa.String, nullable=False),
    sa.Column("tenant", sa.String),
    sa.Column("digest", sa.LargeBinary, nullable=False),
    sa.Column("made_at", Big, nullable=False),
    sa.Column("made_by", sa.String, nullable=False),
    sa.Column("expires_at", Big, nullable=False),
    sa.Column("revoked_at", Big),
    sa.Column("revoked_by", sa.String),
    sa.Column("used_at", Big),
)  # fmt: skip
"""What systems show to be let in. `digest` is the SHA-256 of the secret, which is kept nowhere; `tenant` NULL = all."""

idempotency = sa.Table(
    "idempotency", metadata,
    sa.Column("caller", sa.String, primary_key=True),
    sa.Column("key", sa.String, primary_key=True),
    sa.Column("fingerprint", sa.LargeBinary, nullable=False),
    sa.Column("at", Big, nullable=False, index=True),
    sa.Column("status", sa.Integer),
    sa.Column("answer", sa.String),
)  # fmt: skip
"""What writes with an Idempotency-Key were answered, for a day; `status` NULL: not answered yet."""
