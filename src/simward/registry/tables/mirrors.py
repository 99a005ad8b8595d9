"""What mirrors the journals, up to where each follower has come: subscriptions, findings, effects."""

from __future__ import annotations

import sqlalchemy as sa

from simward.registry.tables.base import Big, Document, metadata, some, tenant_column

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
    tenant_column(),
    sa.Column("use_case", sa.String),
    sa.Column("segment", sa.String),
    sa.Column("apn", sa.String),
    sa.Column("address", sa.String, index=True),
    sa.Column("prefix", sa.String, index=True),
    sa.Column("delegated", sa.String, index=True),
    sa.Column("device", sa.String),
    sa.Column("imei", sa.String, index=True),
    sa.Column("generation", sa.Integer, nullable=False, server_default="0"),
    sa.Column("locked_at", Big),
    sa.Column("locked_because", sa.String),
    sa.Column("confined", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("as_of_seq", Big, nullable=False, server_default="0"),
    sa.Column("msisdn", sa.String, index=True),
    sa.Column("state", sa.String),
    sa.Column("declared_imei", sa.String, index=True),
    sa.Column("owner", sa.String, nullable=False, server_default="files"),
    sa.Column("seen_imei", sa.String, index=True),
    sa.Column("seen_since", Big),
    sa.Column("number_since", Big),
    sa.Column("tied", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("limited_to_area", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Index("ix_subscription_use_case_imsi", "use_case", "imsi"),
    sa.Index("ix_subscription_tenant_imsi", "tenant", "imsi"),
    some("ix_subscription_locked", "imsi", where="locked_at IS NOT NULL"),
    some("ix_subscription_locked_tenant", "tenant", "imsi", where="locked_at IS NOT NULL"),
    some("ix_subscription_locked_use_case", "use_case", "imsi", where="locked_at IS NOT NULL"),
)  # fmt: skip
"""The inventory (`state`, a LIFECYCLE), and what outputs have said of it; `state` NULL: it is not in the inventory.

`owner`: files, or api where it was deployed by a call.
`seen_imei`: the device that it was heard in last, since `seen_since`; `number_since`: since when ICCID and MSISDN
belong together; `tied`, `limited_to_area`: a command bound it to its device, to the area of its use case.
`confined`: what `locked_at` and `locked_because` speak of is no lock, but a quarantine by a command.
"""

finding = sa.Table(
    "finding", metadata,
    sa.Column("id", sa.String, primary_key=True),
    tenant_column(),
    sa.Column("imsi", sa.String),
    sa.Column("iccid", sa.String),
    sa.Column("use_case", sa.String),
    sa.Column("detector", sa.String, nullable=False),
    sa.Column("class", sa.String, nullable=False, server_default=""),
    sa.Column("severity", sa.String, nullable=False),
    sa.Column("response", sa.String),
    sa.Column("began_at", Big, nullable=False, index=True),
    sa.Column("ended_at", Big),
    sa.Column("document", Document, nullable=False),
    sa.Column("incident", Big, sa.ForeignKey("incident.number")),
    sa.Column("outcome", sa.String),
    sa.Column("held", sa.String),
    sa.Column("as_of_seq", Big, nullable=False),
    sa.Index("ix_finding_detector_began_at", "detector", "began_at"),
    sa.Index("ix_finding_tenant_began_at", "tenant", "began_at"),
    sa.Index("ix_finding_use_case_began_at", "use_case", "began_at"),
    sa.Index("ix_finding_tenant_detector_began_at", "tenant", "detector", "began_at"),
    sa.Index("ix_finding_use_case_detector_began_at", "use_case", "detector", "began_at"),
    sa.Index("ix_finding_imsi_began_at", "imsi", "began_at"),
    sa.Index("ix_finding_incident_began_at", "incident", "began_at"),
    some("ix_finding_incident_use_case", "incident", "use_case", where="incident IS NOT NULL"),
    some("ix_finding_held", "tenant", "held", "ended_at", where="held IS NOT NULL AND ended_at IS NULL"),
    some("ix_finding_lasting", "began_at", where="ended_at IS NULL"),
    *(
        some(f"ix_finding_lasting_{name}", name, "began_at", where="ended_at IS NULL")
        for name in ("detector", "tenant", "use_case")
    ),
)  # fmt: skip
"""A mirror; `document` is the finding as JSON. `outcome` is judged: true-positive, benign or false-positive."""

benign = sa.Table(
    "benign", metadata,
    sa.Column("subject", sa.String, primary_key=True),
    tenant_column(),
    sa.Column("imsi", sa.String),
    sa.Column("iccid", sa.String),
    sa.Column("use_case", sa.String),
    sa.Column("about", sa.String, nullable=False),
    sa.Column("finding", sa.String, nullable=False),
    sa.Column("at", Big, nullable=False),
    sa.Column("actor", sa.String, nullable=False),
    sa.Column("because", sa.String, nullable=False),
    sa.Column("until_day", Big, nullable=False),
    sa.Column("as_of_seq", Big, nullable=False),
    sa.Index("ix_benign_at_subject", "at", "subject"),
    sa.Index("ix_benign_tenant_at_subject", "tenant", "at", "subject"),
    sa.Index("ix_benign_finding", "finding"),
)  # fmt: skip
"""A mirror: the newest verdict of a person on what a device (`subject` is its IMSI) or a cohort does. More is allowed
of it up to and with `until_day` (days since 1970, UTC); 0: it was taken back."""

effect = sa.Table(
    "effect", metadata,
    sa.Column("id", sa.String, primary_key=True),
    tenant_column(),
    sa.Column("imsi", sa.String),
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
    sa.Column("incident", Big, sa.ForeignKey("incident.number")),
    sa.Column("as_of_seq", Big, nullable=False),
    sa.Index("ix_effect_at", "at"),
    sa.Index("ix_effect_imsi_at", "imsi", "at"),
    sa.Index("ix_effect_incident_at", "incident", "at"),
    sa.Index("ix_effect_tenant_at", "tenant", "at"),
)  # fmt: skip
"""A mirror of Disconnect- and CoA-Requests. `result` is ack, nak, silence, not-sent, or stop: its session ended."""

binding = sa.Table(
    "binding", metadata,
    sa.Column("imsi", sa.String, primary_key=True),
    sa.Column("generation", sa.Integer, primary_key=True, autoincrement=False),
    tenant_column(),
    sa.Column("iccid", sa.String),
    sa.Column("imei", sa.String, nullable=False),
    sa.Column("device", sa.String, nullable=False),
    sa.Column("began_at", Big, nullable=False),
    sa.Column("ended_at", Big),
    sa.Column("as_of_seq", Big, nullable=False),
    sa.Index("ix_binding_imei_imsi", "imei", "imsi"),
    sa.Index("ix_binding_tenant_imei", "tenant", "imei"),
    sa.Index("ix_binding_began_at", "began_at"),
    sa.Index("ix_binding_tenant_began_at", "tenant", "began_at"),
    some("ix_binding_over", "began_at", where="ended_at IS NOT NULL"),
)  # fmt: skip
"""A mirror: which device (IMEI, and with its software as it was bound) a subscription belonged in, from when to when.
`began_at` 0: before this was mirrored."""
