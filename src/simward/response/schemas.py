"""What stands in the data of each type of announcement, as JSON Schema: what receivers may build on.

A receiver must take keys that it does not know: a version may add some, and removes or changes none.
"""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]


def _object(doc: str, needed: dict[str, Schema], **others: Schema) -> Schema:
    """All of `needed` are there; further keys may come with a later version."""
    return {
        "type": "object", "description": doc, "required": list(needed), "properties": {**needed, **others},
        "additionalProperties": True,
    }  # fmt: skip


def _of(kind: str | list[str], doc: str, **more: Any) -> Schema:
    return {"type": kind, "description": doc, **more}


def _text(doc: str, **more: Any) -> Schema:
    return _of("string", doc, **more)


def _maybe(doc: str, kind: str = "string", **more: Any) -> Schema:
    return _of([kind, "null"], doc, **more)


_IMSI = _maybe("The subscription.", pattern="^[0-9]{6,15}$")
_ICCID = _maybe("The same, as the card has it.", pattern="^[0-9]{18,22}$")
_EVIDENCE = {"type": ["string", "integer", "number", "null"]}
_MOMENT = _text("ISO 8601, UTC.", format="date-time")
_MOMENT_OR_NOT = _maybe("ISO 8601, UTC.", format="date-time")
_SEVERITY = _text("How bad it is.", enum=["info", "low", "medium", "high", "critical"])
_RESPONSE = _maybe("The response in force.", enum=["observe", "notify", "quarantine", "refuse", "lock", None])
_HELD = _maybe("Why the wanted response is not in force: per_hour, share_of_fleet, never-cut, paused.")

SUBSCRIPTION = _object("Which subscription.", {"imsi": _IMSI, "iccid": _ICCID})
DEVICE = _object("Which device.", {
    "imei": _text("The 14 digits of the IMEI that identify a device."),
    "imeisv": _text("The same and, where it was reported, the software."),
})  # fmt: skip
_RANGE = {"low": {"type": "integer"}, "high": {"type": "integer"}}
CHANNEL = _object("A channel of behaviour: octets, seconds (session-time), thousandths (up-share) or how many.", {
    "channel": _text("Which.", enum=["up", "down", "sessions", "session-time", "hours", "failed", "up-share"]),
    "side": _text("Which way.", enum=["more", "less"]), "value": _of("integer", "Of the day."),
    "usual": _object("Where nineteen days of twenty lie.", _RANGE),
    "peers": _of(["object", "null"], "The same of its like; null beside a cohort.", properties=_RANGE),
    "since": _text("The day on which the evidence began to gather.", format="date"),
    "bits": _of("number", "The evidence: each bit halves the odds of chance."),
})  # fmt: skip
FINDING = _object("A finding, as `simward findings --json` has it.", {
    "id": _text("shard/sequence/index: stable for all time."), "at": _MOMENT,
    "detector": _text("Which detector."), "class": _text("Which of its classes; empty where it has none."),
    "severity": _SEVERITY, "tenant": _text("The owner."), "imsi": _IMSI, "iccid": _ICCID,
    "use_case": _maybe("What it is meant to do."),
    "was": {**_EVIDENCE, "description": "Evidence: before."},
    "now": {**_EVIDENCE, "description": "Evidence: as reported."},
    "expected": {**_EVIDENCE, "description": "Evidence: what would have been right."},
    "verdict": _maybe("The in-line answer.", enum=["allow", "quarantine", "reject", None]),
    "response": _RESPONSE, "held": _HELD, "ended_at": _MOMENT_OR_NOT,
},
    channels=_maybe("Of behaviour: what weighs most, the heaviest first.", "array", items=CHANNEL),
    new_hours=_maybe("Of behaviour: hours of the week with traffic for the first time.", "integer"),
)  # fmt: skip
INCIDENT = _object("An incident, as `simward incidents list --json` has it.", {
    "number": _of("integer", "Its number: /v1/incidents/{number}."),
    "state": _text("Where it stands.", enum=["open", "acknowledged", "contained", "resolved"]),
    "severity": _SEVERITY, "title": _text("In words."), "grouping": _text("Why its findings belong together."),
    "tenant": _text("The owner."), "use_case": _maybe("Of its subscriptions, where they share one."),
    "imsi": _IMSI, "iccid": _ICCID, "findings": _of("integer", "How many."),
    "subscriptions": _of("integer", "How many."), "owner": _maybe("Who sees to it."),
    "outcome": _maybe("What it was.", enum=["true-positive", "benign", "false-positive", None]),
    "escalations": _of("integer", "How often nobody has acknowledged or contained it in time."),
    "merged_into": _maybe("The incident that it is a part of.", "integer"),
    "opened_at": _MOMENT, "changed_at": _MOMENT, "deadline_at": _MOMENT_OR_NOT, "resolved_at": _MOMENT_OR_NOT,
})  # fmt: skip
WORK_ORDER = _object("A work order, as `simward work list --json` has it.", {
    "number": _of("integer", "Its number: /v1/work-orders/{number}."), "tenant": _text("The owner."),
    "kind": _text("How it was made.", enum=["plan", "swap", "refit"]), "title": _text("In words."),
    "state": _text("Where it stands.", enum=["open", "done", "overdue", "refused", "cancelled"]),
    "created_at": _MOMENT, "created_by": _text("Who asked."), "because": _text("Why, in their words."),
    "from": _MOMENT, "until": _MOMENT, "source": _maybe("The file that it comes from."),
    "closed_at": _MOMENT_OR_NOT, "items": _of("integer", "How many subscriptions it is about."),
    "counts": _of("object", "How many of them are in each state."),
})  # fmt: skip
DEPLOYMENT = _object("A deployment, as `GET /v1/deployments/{number}` has it.", {
    "number": _of("integer", "Its number: /v1/deployments/{number}."), "state": _text("How it stands."),
    "said": _maybe("What is the matter with it, in words."), "tenant": _text("The owner."),
    "iccid": _ICCID, "imsi": _IMSI, "imei": _text("The device that belongs there (14 digits)."),
    "use_case": _text("What it is meant to do."), "segment": _maybe("The segment it is in."),
    "site": _object("Where it was installed.", {
        "label": _maybe("Its name."),
        "latitude": _maybe("Degrees.", "number"), "longitude": _maybe("Degrees.", "number"),
    }),
    "address": _object("Where its data come from.", {
        "apn": _maybe("Over which."), "address": _maybe("IPv4 or IPv6."), "prefix": _maybe("IPv6."),
        "delegated": _maybe("IPv6."), "how": _text("Given and kept, or how it will come."),
    }),
    "seen": _maybe("What its last sign of life reported.", "object"), "created_at": _MOMENT,
    "created_by": _text("Who asked."), "because": _maybe("Why, in their words."), "ended_by": _maybe("Who ended it."),
    "correlator": _text("The x-correlator of the request: also correlationid."),
})  # fmt: skip
_DEPLOYED = {"subscription": SUBSCRIPTION, "deployment": DEPLOYMENT}
_WHO = {
    "actor": _maybe("Who asked, where somebody did."), "reason": _maybe("Why, in their words."),
}  # fmt: skip
_GATEWAY = _object("A gateway.", {
    "gateway": _maybe("Its name."), "finding": _text("The finding that says so."),
})  # fmt: skip

SCHEMAS: dict[str, Schema] = {
    "binding.established": _object("A subscription belongs in a device.", {
        "subscription": SUBSCRIPTION, "device": DEVICE, "use_case": _maybe("What it is meant to do."),
        "segment": _maybe("The segment it is in."), "apn": _maybe("Over which its data come."),
        "address": _maybe("Its address, IPv4 or IPv6."), "prefix": _maybe("Its IPv6 prefix."),
        "generation": _of("integer", "Counts its bindings; a command may name it, so as not to act on another."),
    }),
    "binding.broken": _object("A subscription was seen where it does not belong.", {
        "subscription": SUBSCRIPTION, "detector": _text("Which detector says so."), "class": _text("In which way."),
        "was": {**_EVIDENCE, "description": "Where it was before."},
        "now": {**_EVIDENCE, "description": "Where it is now."},
        "expected": {**_EVIDENCE, "description": "Where it belongs."},
        "response": _RESPONSE, "held": _HELD, "use_case": _maybe("What it is meant to do."),
        "segment": _maybe("The segment it is in."),
        "incident": _maybe("What to acknowledge: /v1/incidents/{incident}/acknowledgements.", "integer"),
    }),
    "binding.removed": _object("A subscription belongs in no device any more.", {
        "subscription": SUBSCRIPTION, "was": _maybe("The device that it belonged in (IMEI)."),
        "removed": _of("boolean", "The inventory has it no more; else somebody asked for another device."),
    }, **_WHO),
    "subscription.locked": _object("A subscription is refused whatever comes.", {
        "subscription": SUBSCRIPTION, "because": _maybe("detector/class; null where a person did."),
        "until": _maybe("When it ends by itself, us UTC; null: not by itself.", "integer"),
    }, **_WHO),
    "subscription.quarantined": _object("A person, a party or a rule put a subscription into quarantine.", {
        "subscription": SUBSCRIPTION,
        "until": _maybe("When it ends by itself, us UTC; null: not by itself.", "integer"),
    }, **_WHO),
    "subscription.released": _object("A lock or a quarantine is off.", {
        "subscription": SUBSCRIPTION, "why": _text("person, expiry or bound-device-returned."),
    }, was=_text("What it was.", enum=["lock", "quarantine"]), **_WHO),
    "finding.raised": _object("Something is odd.", {"finding": FINDING}),
    "finding.ended": _object("It is over.", {
        "finding": _text("Its id."), "detector": _text("Which detector."), "class": _text("Which class."),
        "ended_at": _MOMENT,
    }),
    "incident.opened": _object("Findings that belong together need somebody.", {"incident": INCIDENT}),
    "incident.changed": _object("An incident is not as it was.", {
        "incident": INCIDENT, "change": _text(
            "What changed: merged, grown, severity, acknowledged, assigned, contained, uncontained, escalated, "
            "reopened, rule (it fired again); answered (a party has), unanswered (a party has not, in time), command "
            "(the gate has answered)."
        ),
    }, text=_text("The same in words."), **_WHO),
    "incident.resolved": _object("An incident is over.", {"incident": INCIDENT}, **_WHO),
    "deployment.accepted": _object("Expect data from this subscription, in this device.", _DEPLOYED),
    "deployment.confirmed": _object("It is right: the device has attached.", _DEPLOYED),
    "deployment.failed": _object("It is not right; `state` is wrong-device, refused or failed.", _DEPLOYED),
    "deployment.ended": _object("It is over; `state` is cancelled, superseded or taken-back.", _DEPLOYED),
    "gateway.silent": _GATEWAY,
    "gateway.restarted": _GATEWAY,
    "work_order.done": _object("All that a work order planned has happened.", {"order": WORK_ORDER}),
    "work_order.overdue": _object("Something that a work order planned did not happen in its time.", {
        "order": WORK_ORDER,
    }),
    "policy.applied": _object("A revision is in force.", {
        "what": _text("Of what.", enum=["policy", "inventory"]), "sequence": _of("integer", "Its journal sequence."),
    }, **_WHO),
    "rule.fired": _object("A rule tells whom it names.", {
        "rule": _text("Its name."),
        "trigger": _object("What set it off.", {
            "type": _text("A detector/class, or another trigger."), "id": _text("Of what happened."), "at": _MOMENT,
        }),
        "subscription": {"anyOf": [SUBSCRIPTION, {"type": "null"}]}, "use_case": _maybe("What it is meant to do."),
        "segment": _maybe("The segment it is in."), "finding": {"anyOf": [FINDING, {"type": "null"}]},
        "incident": _maybe("The incident that it is about, or that the finding is part of.", "integer"),
    }),
    "endpoint.test": _object("Somebody tests an endpoint.", {"endpoint": _text("Its name.")}),
}  # fmt: skip
"""By type."""


def cloudevent_of(type_name: str) -> Schema:
    """The whole event of a type in structured mode: CloudEvents 1.0.2 with our extension attributes."""
    return _object(f"`{type_name}` in structured content mode.", {
        "specversion": {"const": "1.0"}, "type": {"const": type_name},
        "id": _text("Stable: an attempt that is repeated has the same. Also webhook-id.", minLength=1),
        "source": _text("urn:simward:INSTALLATION:TENANT.", format="uri-reference"),
        "subject": _text("An IMSI; else `incident 12`, `gateway pgw1`, `policy`, ..."),
        "time": _text("When it happened.", format="date-time"), "datacontenttype": {"const": "application/json"},
        "sequence": _text("Counts from 1 in (source, subject), in ten digits.", pattern="^[0-9]{10}$"),
        "sequencetype": {"const": "Integer"}, "tenant": _text("The owner."),
        "data": {"$ref": f"#/components/schemas/{type_name}"},
    }, usecase=_text("The use case of the subscription."),
        causationid=_text("The id of what made it so: a finding, a command."),
        correlationid=_text("The x-correlator of the deployment that it concerns, else incident/NUMBER."),
    )  # fmt: skip
