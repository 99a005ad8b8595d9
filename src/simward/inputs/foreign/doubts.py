"""Places in records that cannot be right: cells whose coordinates are wrong, and single rows from far away.

What a detector sees of a wrong coordinate is a copy of a SIM: here, then far away, then here. Records have both more
often than copies. Two things tell them apart: a cell that is wrong is so for everybody, and a copy comes again.
"""

from __future__ import annotations

FAR_M, LIMIT_KMH, CLOCKS_S = 50_000, 1000, 300
"""As detectors/facts.py judges distances of what may go anywhere (`mobility: free`)."""
SELDOM_KMH = 150
"""What is faster is seldom so: a cell where most come faster is elsewhere."""
WITHIN_US = 3 * 3600 * 1_000_000
"""Ways that took longer say nothing of a cell."""
SHARES = (0.9, 0.7, 0.5, 0.5)
"""A cell is doubted where so many of the ways to and from it are impossible; the worst first, since a wrong cell spoils
its neighbours' ways too."""
WITNESSES = 3
"""So many subscriptions have to say so: a single one may be two."""
LONELY_SHARE, LONELY_DAYS = 0.3, 5
"""Of the ways to a cell that hardly anybody is in so many must be impossible; and of the days of whoever is mostly
there half, and so many at least: a copy is not there all the time."""
COMES_AGAIN, FOR_US = 3, 6 * 3600 * 1_000_000
"""What is far away so often within a day, in about the same place, in more than one session or for so long, may be a
copy, and stays."""
SHARED_SHARE = 0.02
"""Where more of the subscriptions are in two devices at once, the records name people, who may have several SIMs."""
ACCUSED_SHARE, ACCUSED_LEAST = 0.002, 10
"""Where more of the days, of so many subscriptions, still show what nothing travels, no coordinate of the records is
believed: copies are rarer, and coordinates or times that were changed look like this."""
METRES = (
    "12742000 * asin(sqrt(least(1, sin(radians({0}_north - {1}_north) / 2) ** 2 + "
    "cos(radians({0}_north)) * cos(radians({1}_north)) * sin(radians({0}_east - {1}_east) / 2) ** 2)))"
)
"""Between two places, on a sphere (haversine)."""


IDLE_S = 600
IDLE = f"""
    coalesce(up, down) IS NOT NULL AND coalesce(up, 0) + coalesce(down, 0) = 0
    AND (session IS NULL OR part > 1) AND until - begun >= {IDLE_S} * 1000000
    AND (cell IS NOT NULL OR device IS NOT NULL)
"""
"""Rows of a while in which nothing moved: often a context that nobody took down, and not where its SIM is by now."""


def _faster(kilometres_an_hour: int, one: str, other: str, began: str, ended: str) -> str:
    limit = f"(({ended} - {began}) / 1e6 + {CLOCKS_S}) * {kilometres_an_hour} / 3.6"
    metres = METRES.format(one, other)
    return f"coalesce({metres} > {FAR_M} AND {metres} > {limit}, false)"


ALIKE = "NOT coalesce(device <> before_device, false)"
"""A way between two devices says nothing of places: there may be two."""
WAYS = f"""
    CREATE OR REPLACE TABLE way AS
    SELECT *, {_faster(SELDOM_KMH, 'here', 'before', 'before_at', 'begun')} AND {ALIKE} AS came,
        {_faster(LIMIT_KMH, 'here', 'before', 'before_at', 'begun')} AND {ALIKE} AS jumped,
        coalesce({METRES.format('here', 'before')} > {FAR_M}, true) AS elsewhere
    FROM (
        SELECT p.line, p.subscription, p.begun, p.named, p.device, lag(p.device) OVER one AS before_device,
            c.cell, c.area, c.latitude AS here_north, c.longitude AS here_east,
            lag(c.latitude) OVER one AS before_north, lag(c.longitude) OVER one AS before_east,
            lag(p.begun) OVER one AS before_at
        FROM part p JOIN place c ON c.cell = p.cell AND c.area IS NOT DISTINCT FROM p.area
        WHERE c.latitude IS NOT NULL AND c.longitude IS NOT NULL
        WINDOW one AS (PARTITION BY p.subscription ORDER BY p.begun, p.line)
    )
"""
"""Each row with a place, whether it came there faster than is usual, and whether that is far from where it was."""


MOVED = f"begun - before_at < {WITHIN_US} AND (before_north, before_east) IS DISTINCT FROM (here_north, here_east)"


def doubted_cells(share: float) -> str:
    """The cells to and from which, by several subscriptions, hardly anybody can have come."""
    return f"""
        SELECT cell, area FROM way WHERE {MOVED} GROUP BY cell, area
        HAVING count(DISTINCT subscription) FILTER (came) >= {WITNESSES} AND avg(CAST(came AS INTEGER)) >= {share}
    """


LONELY_CELLS = f"""
    WITH lives AS (
        SELECT subscription, count(*) AS rows, count(DISTINCT begun // 86400000000) AS days,
            count(DISTINCT begun // 86400000000) FILTER (came) AS accused
        FROM way GROUP BY subscription
    ),
    stays AS (
        SELECT cell, area, subscription, any_value(here_north) AS north, any_value(here_east) AS east,
            count(*) AS many, coalesce(avg(CAST(came AS INTEGER)) FILTER ({MOVED}), 0) AS share
        FROM way GROUP BY cell, area, subscription
    ),
    lonely AS (
        SELECT cell, area, any_value(north) AS lonely_north, any_value(east) AS lonely_east
        FROM stays JOIN lives USING (subscription) GROUP BY cell, area
        HAVING count(*) < {WITNESSES} AND bool_and(share >= {LONELY_SHARE}
            AND (2 * many < rows OR (accused >= {LONELY_DAYS} AND 2 * accused >= days)))
    ),
    been AS (
        SELECT DISTINCT subscription, cell, area, here_north AS been_north, here_east AS been_east FROM way
    )
    SELECT cell, area FROM lonely EXCEPT
    SELECT lonely.cell, lonely.area FROM lonely
        JOIN been AS here ON here.cell = lonely.cell AND here.area IS NOT DISTINCT FROM lonely.area
        JOIN been ON been.subscription = here.subscription
            AND (been.cell, been.area) IS DISTINCT FROM (lonely.cell, lonely.area)
    WHERE {METRES.format('lonely', 'been.been')} < {FAR_M}
"""
"""Cells that too few were in for witnesses, each of whom came from where nobody comes so fast, in the same device, and
was never in another cell near by. A copy is where others are, or in several cells."""
CONTINUED = """
    SELECT DISTINCT p.line
    FROM (SELECT DISTINCT subscription, begun // 86400000000 AS day FROM way WHERE jumped) AS accused
        JOIN part p ON p.subscription = accused.subscription
            AND p.begun // 86400000000 BETWEEN accused.day - 1 AND accused.day + 1
        JOIN part q ON q.subscription = p.subscription AND q.cell = p.cell AND q.area IS NOT DISTINCT FROM p.area
            AND q.begun < p.begun AND abs(q.until - p.begun) <= 2000000
"""
"""Rows that go on in the cell where another has just ended, around days on which somebody was too fast: many systems
write in each part of a session where it began. What begins anew shows where it is."""
IN_TWO_DEVICES = """
    SELECT count(DISTINCT subscription) FROM (
        SELECT subscription, device, began, arg_max(device, seen) OVER earlier AS other, max(seen) OVER earlier AS until
        FROM (
            SELECT subscription, named, any_value(device) AS device, min(begun) AS began,
                max(until) FILTER (moved_next > 0) AS seen
            FROM part WHERE device IS NOT NULL GROUP BY subscription, named
        )
        WINDOW earlier AS (PARTITION BY subscription ORDER BY began ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
    ) WHERE other <> device AND until > began + 60000000
"""
"""Subscriptions that began something in a device while another one moved data, for more than a minute."""
UNPLACED = """
    UPDATE place SET latitude = NULL, longitude = NULL FROM doubted d
    WHERE place.cell = d.cell AND place.area IS NOT DISTINCT FROM d.area
"""
ACCUSED = """
    SELECT count(DISTINCT (subscription, begun // 86400000000)), count(DISTINCT subscription) FROM way WHERE jumped
"""
"""Days of subscriptions, and subscriptions, on which one went farther than anything travels."""
FAR_ROWS = f"""
    WITH placed AS (
        SELECT *, sum(CAST(elsewhere AS INTEGER)) OVER (PARTITION BY subscription ORDER BY begun, line) AS stay FROM way
    ),
    stays AS (
        SELECT subscription, stay, min(begun) AS begun, max(begun) AS left_at, count(*) AS many, min(named) AS named,
            min(named) <> max(named) AS is_several,
            arg_min(here_north, (begun, line)) AS here_north, arg_min(here_east, (begun, line)) AS here_east,
            arg_min(device, (begun, line)) AS device, arg_max(device, (begun, line)) AS left_device,
            arg_max(here_north, (begun, line)) AS left_north, arg_max(here_east, (begun, line)) AS left_east
        FROM placed GROUP BY subscription, stay
    ),
    visits AS (
        SELECT *, lag(left_north) OVER one AS before_north, lag(left_east) OVER one AS before_east,
            lag(left_at) OVER one AS before_at, lag(left_device) OVER one AS before_device,
            lead(device) OVER one AS next_device, lead(here_north) OVER one AS next_north,
            lead(here_east) OVER one AS next_east, lead(begun) OVER one AS next_at,
            coalesce(many > least(lag(many) OVER one, lead(many) OVER one), false) AS is_at_home
        FROM stays WINDOW one AS (PARTITION BY subscription ORDER BY stay)
    ),
    far_away AS (
        SELECT *, count(*) OVER there AS times, max(left_at) OVER there - min(begun) OVER there AS lasted,
            bool_or(is_several) OVER there OR min(named) OVER there <> max(named) OVER there AS in_several
        FROM visits
        WHERE NOT is_at_home AND {ALIKE} AND NOT coalesce(left_device <> next_device, false)
            AND left_at - begun < {FOR_US}
            AND ({_faster(LIMIT_KMH, 'here', 'before', 'before_at', 'begun')}
                OR {_faster(LIMIT_KMH, 'left', 'next', 'left_at', 'next_at')})
            AND ({METRES.format('before', 'next')} < {FAR_M}
                OR (many = 1 AND (next_at IS NULL OR next_at - left_at > {FOR_US}
                    OR before_at IS NULL OR begun - before_at > {FOR_US}))
                OR ({_faster(SELDOM_KMH, 'here', 'before', 'before_at', 'begun')}
                    AND {_faster(SELDOM_KMH, 'left', 'next', 'left_at', 'next_at')}
                    AND NOT {_faster(SELDOM_KMH, 'before', 'next', 'before_at', 'next_at')}))
        WINDOW there AS (PARTITION BY subscription, begun // 86400000000, round(here_north), round(here_east))
    )
    SELECT line FROM placed JOIN far_away USING (subscription, stay)
    WHERE times < {COMES_AGAIN} OR NOT (in_several OR lasted > {FOR_US})
"""
"""Rows of a stay that is far from where it was before and after, which are near each other or can be reached from one
another, or if it is a single row, are hours away on one side; without what comes again."""
