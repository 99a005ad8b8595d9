"""A subscription uses more of a service than its use case's budget for the hour, the day, the week or the month.

**What it sees.** The octets of its sessions, both directions together, as accounting reports them (or call detail
records, of a subscription that no accounting tells of), against `services.data`: one budget, or several for different
periods (`[1 MB/hour, 2 MB/day, 30 MB/month]`). Short messages and seconds of calls, as call detail records report them,
against `services.sms` (`10/day`) and `services.voice` (`10m/day`). Periods are of UTC; weeks begin on Mondays, months
on their first day. It is told with the record that passes the budget, again each time that the use has doubled, and
ends with the period, each service and period by itself. `now` is what was used so far, `expected` the budget.

- `burst`: more than the hour's budget.
- `day`: more than the day's.
- `week`: more than the week's.
- `month`: more than the month's.

Each comes with a projection: how much it will be when the period ends, at the rate of the period so far, and, where
there is a budget for the month, when that is used up at this rate.

**Why it matters.** A device that was taken over sends: it scans, it takes part in attacks, it carries somebody's data
out. A faulty one that repeats itself costs the same. A SIM in a laptop uses in an evening what a meter does in a year.

**What it misses.** What stays within the budget. Use that no accounting record reports before its period is over: what
a session of many days tells in its Stop alone is spread evenly over these days. Octets of a session whose first record
is neither a Start nor says how long it has lasted, up to that record. A call counts when it began, all of it. What a
call detail record tells of a day after a record of the next one came; and later than a week after.

**Likely false alarms.** A firmware update over the air; a budget below what the use case really needs (its records of
last month tell: `simward history`). A gateway that gives a session's name to another session without Start or
Event-Timestamp.

**What to do.** Look at when it began and whether its like do the same (`simward explain`). Where a roll-out explains
it, raise the budget for that time; else confine it to quarantine and look at the device. A rule can do that:
`on: budget-exceeded/burst`.
"""

import numpy as np
from numba import njit

from simward.detectors.detector import HIGH, MEDIUM, QUIET, Detector, Knob

DETECTOR = Detector(
    id="budget-exceeded",
    runs="watch",
    scope="subscription",
    severity={"burst": HIGH, "*": MEDIUM},
    evidence={"*": "usage"},
    aspects=4,
    projects=True,
)
CLASSES = ("burst", "day", "week", "month")
"""In the order of the periods, which are the aspects."""
MEMORY: list[tuple[str, str]] = []
KNOBS = [
    Knob("data_budget", "i8", path="services.data", kind="data-budget", shape=4, doc="Octets, in both directions."),
    Knob("sms_budget", "i8", path="services.sms", kind="sms-budget", shape=4, doc="Short messages."),
    Knob("voice_budget", "i8", path="services.voice", kind="voice-budget", shape=4, doc="Seconds of calls."),
]
DATA, SMS, VOICE = 0, 1, 2
MONTH = 3
SERVICES = 4
"""Evidence of the kind "usage" is an amount times this, plus the service."""
PROJECTED_MOST = 1 << 40
"""More than any device sends in a month; products of it and of seconds stay far inside 63 bits."""
SHARE_LEAST = 24
"""A rate is taken over a 24th of the period at least: the first minute of a month says nothing of its end."""


def judge(memory, use, event, knobs, evidence):  # type: ignore[no-untyped-def]
    """Judge the budget of one period (`use.aspect`)."""
    budget = budget_of(knobs, use.service, use.aspect)
    if budget < 0 or use.used <= budget:
        return QUIET
    told = use.told // SERVICES
    evidence.now = use.told if told > 0 and use.used < 2 * told else use.used * SERVICES + use.service
    evidence.expected = budget * SERVICES + use.service
    length_s = use.until_s - use.since_s
    elapsed_s = max(use.at_s - use.since_s, length_s // SHARE_LEAST)
    used = min(use.used, PROJECTED_MOST)
    evidence.before[0] = max(use.used, used * length_s // elapsed_s) * SERVICES + use.service
    left = budget_of(knobs, use.service, np.int64(MONTH)) - use.used_month
    if use.aspect != MONTH and left > 0:
        used_up_s = use.at_s + min(left, PROJECTED_MOST) * elapsed_s // used
        evidence.before[1] = used_up_s * 1_000_000 if used_up_s < use.month_until_s else 0
    return use.aspect + 1


@njit
def budget_of(knobs, service, period):  # type: ignore[no-untyped-def]
    """What may be used of a service in a period; -1 where there is no such budget."""
    if service == DATA and knobs.data_budget_count > 0:
        return np.int64(knobs.data_budget[period])
    if service == SMS and knobs.sms_budget_count > 0:
        return np.int64(knobs.sms_budget[period])
    if service == VOICE and knobs.voice_budget_count > 0:
        return np.int64(knobs.voice_budget[period])
    return np.int64(-1)
