"""Quarantine by a command: what is up and what comes is confined until a release; a lock stands above it."""

from __future__ import annotations

import numpy as np
import pytest

from engine.confined import CUT, INTO, OUT, POLICY, Told, abroad, home, up
from simward.engine import events as e
from simward.engine import layouts
from simward.engine import outputs as o

RULE = {"flags": e.FLAG_AUTOMATION}
POOL = POLICY.replace("pool: 10.64.0.0/24", "pool: 10.64.0.0/24\nquarantine_pool: 10.127.0.0/24")
NEVER_CUT = POLICY.replace("binding:", "criticality: never-cut\nbinding:")
EXPIRING = POLICY.replace("binding:", "release_when: 1h\nbinding:")


def quarantined(told: Told, **more: int) -> Told:
    told.says(e.COMMAND_QUARANTINE, **more)
    return told


def answer(told: Told) -> str:
    return o.ANSWER_NAMES[int(told.of(o.COMMAND_ANSWER)[-1]["result"])]


def test_a_session_that_is_up_is_confined_and_let_out_by_the_release() -> None:
    told = quarantined(up())
    assert told.effects == [INTO] and answer(told) == "applied"
    (confined,) = told.of(o.CONFINED)
    assert (confined["result"], confined["was"]) == (layouts.CONFINED_BY_PERSON, 0)
    home(told.answered())
    assert told.effects == [INTO] and told.findings == ["subscription-locked/quarantined"]
    told.says(e.COMMAND_RELEASE)
    (released,) = told.of(o.RELEASED)
    assert (released["now"], told.effects) == (layouts.CONFINED_BY_PERSON, [INTO, OUT])
    home(told.answered(), 20)
    assert told.effects == [INTO, OUT] and told.row().locked == 0
    assert told.fold.state.meta["findings_live"] == 0


def test_whoever_asks_is_let_into_quarantine_until_the_release() -> None:
    told = quarantined(Told(POOL)).attaches()
    assert told.verdict == "quarantine" and told.last["address"] >> 8 == 0x0A7F00
    assert told.findings == ["subscription-locked/quarantined"]
    told.says(e.COMMAND_RELEASE).attaches()
    assert told.allowed and told.last["address"] >> 8 == 0x0A4000


def test_where_there_is_nowhere_to_put_it_it_is_refused() -> None:
    nowhere = "\n".join(line for line in POLICY.splitlines() if "filter" not in line)
    told = quarantined(up(nowhere))
    assert told.effects == [CUT]
    assert told.attaches().refused


def test_a_second_quarantine_does_nothing() -> None:
    told = quarantined(quarantined(up()))
    assert answer(told) == "applied" and len(told.of(o.CONFINED)) == 1 and told.effects == [INTO]
    told = quarantined(quarantined(up(), request=77), request=77)
    assert not told.kept, "a repetition under the same id is not even journalled"


def test_a_person_takes_over_what_a_rule_set_aside() -> None:
    told = quarantined(quarantined(up(EXPIRING), **RULE))
    by = [int(one["result"]) for one in told.of(o.CONFINED)]
    assert by == [layouts.CONFINED_BY_RULE, layouts.CONFINED_BY_PERSON]
    assert told.row().locked_until_s == 0 and told.effects == [INTO]
    quarantined(told, **RULE)
    assert told.row().locked == layouts.CONFINED_BY_PERSON


def test_a_lock_stands_above_it() -> None:
    told = quarantined(up()).answered()
    told.says(e.COMMAND_LOCK)
    assert told.effects == [INTO, CUT] and told.attaches().refused
    quarantined(told)
    assert told.row().locked == layouts.LOCKED_BY_PERSON and len(told.of(o.CONFINED)) == 1
    told.says(e.COMMAND_RELEASE)
    assert told.attaches().allowed, "one release ends both"


def test_a_finding_locks_what_is_in_quarantine_and_leaves_it_to_the_person() -> None:
    locking = EXPIRING.replace("network-not-permitted: quarantine", "network-not-permitted: lock")
    told = quarantined(up(locking))
    assert told.attaches(plmn=199999).refused
    assert (told.row().locked, told.row().locked_until_s) == (layouts.LOCKED_BY_PERSON, 0)
    by_rule = quarantined(up(locking), **RULE)
    assert by_rule.attaches(plmn=199999).refused
    assert by_rule.row().locked == layouts.LOCKED_BY_FINDING and by_rule.row().locked_until_s != 0


def test_a_suspended_subscription_stays_refused() -> None:
    told = quarantined(Told(POOL, states={0: 2}))
    assert told.attaches().refused and told.findings == ["subscription-locked/suspended"]


@pytest.mark.parametrize(("flags", "lasts"), [(e.FLAG_AUTOMATION, False), (0, True)])
def test_a_rules_quarantine_ends_as_its_lock_would_and_a_persons_does_not(flags: int, lasts: bool) -> None:
    told = quarantined(up(EXPIRING), flags=flags).answered()
    told.after(seconds=3400)
    assert told.row().locked != 0 and told.effects == [INTO]
    told.after(seconds=300)
    assert (told.row().locked != 0) == lasts
    assert told.effects == ([INTO] if lasts else [INTO, OUT]), "a tick lets out: nobody has to report first"


def test_an_automation_is_held_by_the_limits_and_a_person_is_not() -> None:
    told = Told(POLICY)
    for member in range(3):
        quarantined(told, member=member, **RULE)
    answers = [int(one["result"]) for one in told.of(o.COMMAND_ANSWER)]
    assert answers == [o.APPLIED, o.APPLIED, o.LIMITED]
    assert len(told.of(o.CONFINED)) == 2
    quarantined(told, member=2)
    assert answer(told) == "applied" and len(told.of(o.CONFINED)) == 3
    quarantined(told, member=2, **RULE)
    assert answer(told) == "applied", "what is there takes no unit"


def test_never_cut_and_a_pause_hold_an_automation() -> None:
    told = quarantined(up(NEVER_CUT), **RULE)
    assert answer(told) == "limited" and told.effects == []
    paused = up()
    paused.says(e.COMMAND_PAUSE)
    assert answer(quarantined(paused, **RULE)) == "limited"
    assert answer(quarantined(paused)) == "applied" and paused.effects == [INTO]


def test_a_person_confines_what_never_may_be_cut_also_where_no_change_is_to_be_had() -> None:
    told = quarantined(up(NEVER_CUT)).answered(e.EFFECT_NAK, 401)
    assert told.effects == [INTO, CUT]
    (cut,) = told.of(o.DISCONNECT)
    assert (cut["held"], told.name(cut)) == (0, "subscription-locked/quarantined")
    told.answered().attaches()
    assert told.verdict == "quarantine"


def test_a_refused_change_of_a_rule_is_cut_within_the_limits() -> None:
    policy = POLICY.replace("disconnect: {per_hour: 3}", "disconnect: {per_hour: 0}")
    told = quarantined(up(policy), **RULE).answered(e.EFFECT_SILENCE)
    assert told.effects == [INTO] and int(told.of(o.DISCONNECT)[-1]["held"]) == o.HELD_RATE
    assert quarantined(up(policy)).answered(e.EFFECT_SILENCE).effects == [INTO, CUT]


def test_a_release_while_the_change_is_under_way_is_carried_out_behind_it() -> None:
    told = quarantined(up())
    told.says(e.COMMAND_RELEASE)
    assert told.effects == [INTO]
    assert told.answered().effects == [INTO, OUT]
    quarantined(told)
    assert told.answered().effects == [INTO, OUT, INTO], "and the other way round"


def test_what_else_confines_it_stays_after_the_release() -> None:
    told = quarantined(abroad(up()).answered())
    told.says(e.COMMAND_RELEASE)
    assert told.effects == [INTO]
    assert home(told).effects == [INTO, OUT]


def test_no_device_is_bound_by_a_request_from_quarantine() -> None:
    told = quarantined(Told(POOL.replace("mode: none", "mode: first-use"))).attaches()
    assert told.row().bound_imei == 0
    told.says(e.COMMAND_RELEASE).attaches()
    assert told.row().bound_imei != 0


def test_another_kernels_quarantine_is_a_fact() -> None:
    from simward.engine.start import put_fact

    told = quarantined(up(EXPIRING), **RULE)
    table = np.zeros(1, layouts.SUBSCRIPTION)
    put_fact(table, 0, told.of(o.CONFINED)[0])
    for name in ("locked", "locked_s", "locked_until_s", "generation"):
        assert table[name][0] == told.row()[name]
    told.says(e.COMMAND_RELEASE)
    put_fact(table, 0, told.of(o.RELEASED)[0])
    assert not table["locked"][0]


def test_the_row_has_not_grown() -> None:
    assert layouts.SUBSCRIPTION.itemsize <= 240 and layouts.SESSION.itemsize <= 96
