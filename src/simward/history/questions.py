"""Ready questions to history: what people ask most, as SQL that can be read, copied and changed."""

from __future__ import annotations

from typing import NamedTuple


class Question(NamedTuple):
    """A question with its answer in SQL."""

    about: str
    sql: str


QUESTIONS = {
    "kinds": Question(
        "How many events of each kind, a day?",
        "SELECT date_trunc('day', received_at) AS day, kind, count(*) AS events FROM events WHERE kind <> 'tick' "
        "GROUP BY ALL ORDER BY day, events DESC",
    ),
    "busiest": Question(
        "Which subscriptions asked or reported most?",
        "SELECT imsi, count(*) AS events, count(DISTINCT imei) AS devices, min(received_at) AS first_heard, "
        "max(received_at) AS last_heard FROM events WHERE imsi IS NOT NULL GROUP BY imsi ORDER BY events DESC, imsi "
        "LIMIT 50",
    ),
    "traffic": Question(
        "Which subscriptions moved most, by the last report of each session?",
        "SELECT imsi, count(*) AS sessions, sum(up) AS uplink_octets, sum(down) AS downlink_octets FROM (SELECT imsi, "
        "session_id, gateway, max(uplink_octets) AS up, max(downlink_octets) AS down FROM events WHERE kind IN "
        "('accounting-interim', 'accounting-stop') GROUP BY imsi, session_id, gateway) GROUP BY imsi "
        "ORDER BY coalesce(sum(up), 0) + coalesce(sum(down), 0) DESC, imsi LIMIT 50",
    ),
    "devices": Question(
        "Which subscriptions were in more than one device?",
        "SELECT imsi, count(DISTINCT imei) AS devices, list(DISTINCT imei) AS imeis FROM events WHERE imei IS NOT NULL "
        "AND imsi IS NOT NULL GROUP BY imsi HAVING count(DISTINCT imei) > 1 ORDER BY devices DESC, imsi LIMIT 200",
    ),
    "models": Question(
        "Which models of device (TAC) are there, and in how many subscriptions?",
        "SELECT substr(imei, 1, 8) AS tac, count(DISTINCT imsi) AS subscriptions, count(DISTINCT imei) AS devices "
        "FROM events WHERE imei IS NOT NULL GROUP BY tac ORDER BY subscriptions DESC, tac LIMIT 200",
    ),
    "networks": Question(
        "Which networks and technologies were used, by how many?",
        "SELECT plmn, rat, count(DISTINCT imsi) AS subscriptions, count(*) AS events FROM events "
        "WHERE plmn IS NOT NULL OR rat IS NOT NULL GROUP BY ALL ORDER BY events DESC",
    ),
    "silent": Question(
        "Which declared subscriptions were heard of last, longest ago, or never?",
        "SELECT s.imsi, s.use_case, s.state, max(e.received_at) AS last_heard FROM subscriptions s LEFT JOIN events e "
        "ON e.imsi = s.imsi GROUP BY ALL ORDER BY last_heard NULLS FIRST, s.imsi LIMIT 200",
    ),
    "refused": Question(
        "Who was refused or quarantined, how often?",
        "SELECT imsi, verdict, count(*) AS times, min(\"at\") AS first, max(\"at\") AS last FROM outputs "
        "WHERE kind = 'verdict' GROUP BY ALL ORDER BY times DESC, imsi LIMIT 200",
    ),
    "findings": Question(
        "How many findings of each class, and how many of them last?",
        "SELECT detector, \"class\", severity, count(*) AS findings, count(*) FILTER (WHERE ended_at IS NULL) AS "
        "lasting, count(DISTINCT imsi) AS subscriptions FROM findings GROUP BY ALL ORDER BY findings DESC",
    ),
    "causes": Question(
        "Why did sessions end, by gateway?",
        "SELECT gateway, terminate_cause, count(*) AS sessions FROM events WHERE kind = 'accounting-stop' GROUP BY ALL "
        "ORDER BY sessions DESC",
    ),
}  # fmt: skip
