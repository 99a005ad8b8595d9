"""A subscription asks to connect again and again without success, and does not back off.

**What it sees.** Requests that no session follows: refused, or granted and then come to nothing at the gateway. They
are counted in a moving hour, by when they happened; a Start takes its request back out. A gateway that sends no
accounting tells nothing of that: its requests count as sessions (`signalling-storm`). `now` is how many in the hour,
`expected` how many are tolerated; it is told again each time that this has doubled, and ends when it has halved.

- `refused`: more than `signalling.attempts_per_hour`, 30 unless said; or twelve within two minutes.

What stands behind the figures: GSMA TS.34 (IoT Device Connection Efficiency Guidelines) asks devices to be prepared for
requests that fail, with reasonable retries (TS.34_4.0_REQ_011), to count them in a period and stop (TS.34_4.0_REQ_012),
and modules to send no more than F2 = 30 requests an hour to an APN that has rejected them for good, by a back-off
(TS.34_8.2.3_REQ_003, defaults of TS.34_8.2.4_REQ_010); a request that this gate refuses is such a rejection. A modem
by 3GPP tries five times, ten seconds apart (T3411), and then pauses for twelve minutes (T3402, TS 24.301 10.2): two
APNs at once are ten tries in a minute.

**Why it matters.** Each attempt costs the network as much as a day of an honest meter. A device that storms empties its
battery, is barred by the operator, and is often one that was stolen, locked or misconfigured.

**What it misses.** Attempts that the radio network refuses: they never come here. A device that tries more rarely than
that. Of many at once, where `signalling-storm`, `synchronised-reconnect` or `authentication-failures` tells the cause
of a group that it belongs to, that is told alone.

**Likely false alarms.** A device with three or more APNs, all of which are refused at once. A gateway that has stopped
sending Starts, and goes on asking.

**What to do.** `simward explain` says why it is refused: a lock, another device, wrong credentials. Correct that, or
have the device's retries changed; until then a lock does not make it ask less.
"""

from simward.detectors.detector import MEDIUM, QUIET, Detector, Knob

DETECTOR = Detector(
    id="retry-storm", runs="watch", scope="subscription", severity=MEDIUM, evidence={"*": "count"}, given="signalling"
)
CLASSES = ("refused",)
CLASS_REFUSED = 1
MEMORY: list[tuple[str, str]] = []
KNOBS = [
    Knob(
        "attempts", "i4", default=30, path="signalling.attempts_per_hour",
        doc="Requests an hour without a session that are tolerated.",
    ),
]  # fmt: skip
BURST = 12
LEAST = 10
"""A limit below that would be passed by the retries of one failure."""


def judge(signalling, use, event, knobs, evidence):  # type: ignore[no-untyped-def]
    """Its moving hour against what is tolerated; what is told of a group of its explains it."""
    limit, count = max(knobs.attempts, LEAST), signalling.failed_hour
    if use.open_class == 0:
        if signalling.explained or (count <= limit and signalling.failed_minutes < BURST):
            return QUIET
    elif 2 * count < limit and 2 * signalling.failed_minutes < BURST:
        return QUIET
    evidence.was, evidence.expected = 0, limit
    evidence.now = use.told if use.told > 0 and count < 2 * use.told else count
    return CLASS_REFUSED
