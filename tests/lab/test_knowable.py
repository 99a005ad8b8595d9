"""When a broken budget could be known: from the records that arrived, whatever a fold made of them."""

from __future__ import annotations

import re

import numpy as np
import pytest

from simward.engine import events as ev
from simward.lab.measuring.knowable import Knowable
from simward.lab.measuring.owner import POLICIES
from simward.lab.traffic import attacks
from simward.lab.traffic.calls import CALL, NATIONAL, SHORT_MESSAGE, calls_of
from simward.lab.traffic.happening import Act
from simward.lab.traffic.kinds import BUTTON, KINDS, MB, METER
from simward.lab.traffic.members import BEGINS_AT, DAY_US, HOUR_S, SECOND_US, Members, make_members

NOBODY_CALLED = np.zeros(0, CALL)
AT = BEGINS_AT + 3 * DAY_US


@pytest.fixture(scope="module")
def members() -> Members:
    return make_members(1, 200)


def an_act(members: Members, name: str = "day-budget", kind: str = METER) -> Act:
    happening = attacks.happening(name)
    act = Act(happening, members, members.by_kind[kind][:1], AT, AT + 2 * DAY_US, 2.0, "", np.random.default_rng(1))
    act.note(AT)
    return act


def record(act: Act, hour: float, octets: float, lasted_h: float = 0.0, **more: object) -> np.ndarray:
    """An interim that arrives as it is sent, unless `arrives_h` says otherwise."""
    row = ev.empty(1)
    row["kind"], row["imsi"] = more.get("kind", ev.ACCOUNTING_INTERIM), act.imsis[0]
    row["happened_at"] = AT + int(hour * HOUR_S) * SECOND_US
    row["received_at"] = AT + int(float(str(more.get("arrives_h", hour))) * HOUR_S) * SECOND_US
    row["uplink_octets"], row["duration_s"] = int(octets), int(lasted_h * HOUR_S)
    row["session_id"][0, 0] = more.get("session", 1)
    return row


def shown(act: Act, *records: np.ndarray, calls: np.ndarray = NOBODY_CALLED) -> float:
    """After how many hours it could be known; negative = never."""
    knowable = Knowable([act])
    knowable.begin(AT, calls)
    for one in records:
        knowable.hear(one)
    return (act.shown_at - AT) / SECOND_US / HOUR_S


def test_fires_with_the_record_that_passes_the_budget(members: Members) -> None:
    act = an_act(members)
    assert shown(act, record(act, 2, 0.9 * MB, 2), record(act, 5, 1.1 * MB, 5), record(act, 8, 9 * MB, 8)) == 5.0


def test_is_quiet_where_the_record_that_would_pass_it_never_came(members: Members) -> None:
    act = an_act(members)
    assert shown(act, record(act, 2, 0.9 * MB, 2)) < 0
    act = an_act(members)
    assert shown(act, record(act, 2, 0.9 * MB, 2), record(act, 11, 3 * MB, 11)) == 11.0


def test_on_the_boundary_the_whole_budget_may_be_used(members: Members) -> None:
    act = an_act(members)
    assert shown(act, record(act, 2, 1 * MB, 2), record(act, 5, 1 * MB + 1, 5)) == 5.0


def test_what_comes_late_is_known_when_it_comes(members: Members) -> None:
    act = an_act(members)
    assert shown(act, record(act, 2, 1.1 * MB, 2, arrives_h=3.5)) == 3.5


def test_what_comes_twice_or_after_a_newer_one_adds_nothing(members: Members) -> None:
    act = an_act(members)
    first, second = record(act, 2, 0.4 * MB, 2), record(act, 4, 0.8 * MB, 4)
    assert shown(act, second, first, second, first) < 0


def test_a_record_over_midnight_counts_for_both_days_by_their_share(members: Members) -> None:
    """1.2 MB between 22:00 and 2:00, half of it on each day; what is told at 4:00 passes the second day's."""
    act = an_act(members)
    counted = (record(act, -4, 0.1 * MB, 1), record(act, -2, 0.2 * MB, 3), record(act, 2, 1.4 * MB, 7))
    assert shown(act, *counted, record(act, 4, 1.9 * MB, 9)) == 4.0


def test_what_no_record_told_before_the_day_was_over_is_not_told_of_it(members: Members) -> None:
    """4 MB between 20:00 and 1:00, of which a fifth is of the new day."""
    act = an_act(members)
    counted = (record(act, -4, 0.1 * MB, 1), record(act, 1, 4.1 * MB, 6), record(act, 3, 4.2 * MB, 8))
    assert shown(act, *counted) < 0
    act = an_act(members)
    assert shown(act, *counted, record(act, 5, 4.4 * MB, 10)) == 5.0


def test_an_hour_is_an_hour_of_the_clock(members: Members) -> None:
    act = an_act(members, "budget-burst")
    assert shown(act, record(act, 0.75, 0.4 * MB, 0.5), record(act, 1.25, 0.55 * MB, 1.0)) < 0
    act = an_act(members, "budget-burst")
    assert shown(act, record(act, 0.5, 0.4 * MB, 0.25), record(act, 0.75, 0.6 * MB, 0.5)) == 0.75


def test_messages_are_known_when_their_file_comes(members: Members) -> None:
    act = an_act(members, "message-flood")
    at = AT + np.arange(20, dtype=np.int64) * HOUR_S * SECOND_US // 2
    calls = calls_of(members, np.full(20, act.who[0]), at, SHORT_MESSAGE, NATIONAL, -1)
    assert shown(act, calls=calls) == 3.25  # the sixth, of half past two


def test_a_service_that_it_has_not_is_known_by_the_first_record_of_it(members: Members) -> None:
    act = an_act(members, "data-on-voice-sim", BUTTON)
    asks = record(act, 0.5, 0, kind=ev.ACCESS_REQUEST)
    assert shown(act, asks, record(act, 0.6, 0, kind=ev.ACCOUNTING_START)) == pytest.approx(0.6)


def test_the_limits_are_those_that_the_owner_declares() -> None:
    units = {"kB": 1_000, "MB": MB}
    for one in KINDS:
        services = str(next(line for line in POLICIES[one.name].splitlines() if line.startswith("services")))
        data, sms = services.partition("sms")[0], services.partition("sms")[2]
        limits = {period: int(size) * units[unit] for size, unit, period in re.findall(r"(\d+) (\w+)/(\w+)", data)}
        assert (limits.get("hour", 0), limits.get("day", 0)) == (one.data_an_hour, one.data_a_day), one.name
        allowed = re.match(r": (\d+)/day", sms)
        assert (int(allowed[1]) if allowed else 0) == one.sms_allowed, one.name
