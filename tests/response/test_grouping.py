"""Which findings make an incident, and when many are one."""

from __future__ import annotations

import time

from response.happening import METER, PHONE, Happening, imsi, many

CELL = "ecgi:1"


def seen(cell: str = CELL, device: str = METER, **more: str) -> dict[str, str]:
    """What an event reported."""
    return {"cell": cell, "network": "00101", "device": device, "software": "01", **more}


def test_opens_where_policy_wants_somebody_to_know(happening: Happening) -> None:
    document = happening.found("apn-not-permitted", 1, response="notify")
    (one,) = happening.open()
    assert (one.state, one.severity, one.imsi, one.findings) == ("open", "medium", imsi(1), 1)
    assert happening.announced() == [("incident.opened", f"incident.opened:{one.number}")]
    with happening.registry.reading() as connection:
        from sqlalchemy import select

        from simward.registry import tables as t

        said = connection.execute(select(t.announcement).where(t.announcement.c.type == "finding.raised")).one()
    assert (said.incident, said.data["finding"]["id"]) == (one.number, document["id"])


def test_stays_quiet_where_policy_only_observes(happening: Happening) -> None:
    happening.found("location-change", 1, response="observe", wanted="observe", severity="medium")
    assert happening.open() == [] and happening.announced() == []


def test_boundary_is_severity_high_whatever_policy_says(happening: Happening) -> None:
    happening.found("model-mismatch", 1, response="observe", wanted="observe", severity="high")
    assert [one.severity for one in happening.open()] == ["high"]


def test_a_held_response_was_wanted(happening: Happening) -> None:
    happening.found("device-change", 1, response="notify", wanted="lock", held="never-cut")
    assert [one.grouping for one in happening.open()] == ["subscription"]


def test_one_subscription_is_one_incident_with_what_moved_it(happening: Happening) -> None:
    happening.found("device-change", 1, class_="other-model", severity="high", response="lock", wanted="lock")
    happening.after(minutes=3).found("location-change", 1)
    happening.found("subscription-locked", 1, severity="low", response="refuse", wanted="refuse")
    happening.found("apn-not-permitted", 1)
    moved, access = happening.open()
    assert (moved.findings, moved.subscriptions, moved.family) == (3, 1, "device")
    assert (access.findings, access.family) == (1, "access")


def test_what_follows_from_a_lock_opens_nothing(happening: Happening) -> None:
    happening.found("subscription-locked", 1, severity="low", response="refuse", wanted="refuse")
    assert happening.open() == []


def test_one_device_in_two_subscriptions_is_one_incident(happening: Happening) -> None:
    happening.found("device-change", 1, seen=seen(device=PHONE))
    happening.after(minutes=20).found("device-change", 2, seen=seen(device=PHONE))
    (one,) = happening.open()
    assert (one.grouping, one.cause, one.subscriptions) == ("device", f"device device {PHONE}", 2)
    assert [happening.incident(number).merged_into for number in (1, 2)] == [one.number, one.number]


def test_another_device_is_another_incident(happening: Happening) -> None:
    happening.found("device-change", 1, seen=seen(device=PHONE))
    happening.found("device-change", 2, seen=seen(device="35999900000008"))
    assert [one.grouping for one in happening.open()] == ["subscription", "subscription"]


def test_many_of_one_cell_fire_as_one(happening: Happening) -> None:
    many(happening, "location-change", range(5), seen=seen())
    (one,) = happening.open()
    assert (one.grouping, one.cause, one.subscriptions) == ("cell", f"place cell {CELL} in 00101", 5)
    happening.after(minutes=9).found("location-change", 6, seen=seen())
    (one,) = happening.open()
    assert one.subscriptions == 6


def test_four_of_one_cell_stay_single(happening: Happening) -> None:
    many(happening, "location-change", range(4), seen=seen())
    assert len(happening.open()) == 4


def test_boundary_of_the_window(happening: Happening) -> None:
    many(happening, "location-change", range(4), seen=seen())
    happening.after(minutes=10).found("location-change", 5, seen=seen())
    assert len(happening.open()) == 1
    happening.after(minutes=10, seconds=1).found("location-change", 6, seen=seen())
    assert len(happening.open()) == 2


def test_what_somebody_has_taken_is_not_taken_away(happening: Happening) -> None:
    many(happening, "location-change", range(4), seen=seen())
    taken = happening.open()[0]
    with happening.registry.writing() as connection:
        happening.incidents.life.acknowledge(connection, taken, happening.now, "alice", "")
    happening.found("location-change", 5, seen=seen())
    assert len(happening.open()) == 5, "four others are not enough"
    happening.found("location-change", 6, seen=seen())
    assert sorted(one.grouping for one in happening.open()) == ["cell", "subscription"]


def test_a_theft_does_not_hide_among_the_moved(happening: Happening) -> None:
    many(happening, "location-change", range(8), seen=seen())
    happening.found("device-change", 9, seen=seen(device=PHONE), severity="high")
    happening.found("device-change", 3, seen=seen(device="35999900000009"), severity="high")
    assert [one.grouping for one in happening.open()] == ["cell", "subscription", "subscription"]


def test_a_silent_cell_takes_what_left_it(happening: Happening) -> None:
    left = {"cell": {"was": CELL, "now": "ecgi:2"}}
    many(happening, "reappeared-changed", range(3), changes=left, seen=seen("ecgi:2"))
    happening.after(minutes=30).found(
        "cell-silent", None, class_="cell", about=f"cell {CELL} in 00101", response="observe", wanted="observe",
        scope="group", was=40, now=30,
    )  # fmt: skip
    (one,) = happening.open()
    assert (one.grouping, one.findings, one.subscriptions) == ("outage", 4, 3)
    happening.after(minutes=5).found("reappeared-changed", 7, changes=left, seen=seen("ecgi:3"))
    assert [one.findings for one in happening.open()] == [5]


def test_another_cell_is_not_explained(happening: Happening) -> None:
    happening.found("cell-silent", None, class_="cell", about=f"cell {CELL} in 00101", scope="group")
    happening.found("location-change", 7, seen=seen("ecgi:9"))
    assert [one.grouping for one in happening.open()] == ["outage", "subscription"]


def test_boundary_of_what_a_restart_explains(happening: Happening) -> None:
    restart = happening.found("gateway-restarted", None, gateway="pgw1", severity="low", response=None, wanted=None)
    happening.ends(restart).after(minutes=15).found("location-change", 1, gateway="pgw1")
    assert [one.findings for one in happening.open()] == [2]
    happening.after(seconds=1).found("location-change", 2, gateway="pgw1")
    assert [one.findings for one in happening.open()] == [2, 1]


def test_an_outage_of_three_cells_is_three_incidents(happening: Happening) -> None:
    """A thousand here; benchmarks measure five thousand. A minute is far above what it takes."""
    began = time.monotonic()
    for start in range(0, 1000, 250):
        facts = [
            happening.begins(
                "reappeared-changed", who, gateway="pgw1", seen=seen(f"ecgi:{100 + who % 50}"),
                changes={"cell": {"was": f"ecgi:{who % 3}", "now": f"ecgi:{100 + who % 50}"}},
            )
            for who in range(start, start + 250)
        ]  # fmt: skip
        happening.take(*facts).after(seconds=1)
    for cell in range(3):
        happening.found("cell-silent", None, class_="cell", about=f"cell ecgi:{cell} in 00101", scope="group")
    assert len(happening.open()) <= 3
    assert sum(one.subscriptions for one in happening.open()) == 1000
    assert time.monotonic() - began < 60


def test_a_rule_that_would_lock_a_fleet_is_one_incident(happening: Happening) -> None:
    """Up to the limit they are locked, each proved; the rest is held, and it is one incident that says so."""
    for who in range(20):
        happening.found("device-change", who, class_="other-model", response="lock", wanted="lock", severity="high",
                        seen=seen(f"ecgi:{who}", device=f"3599990000{who:04d}"))  # fmt: skip
        happening.answered(who, happening.disconnects(who, "device-change/other-model"))
    for start in range(20, 300, 140):
        happening.take(*(
            happening.begins("device-change", who, class_="other-model", response="notify", wanted="lock",
                             held="per_hour", severity="high",
                             seen=seen(f"ecgi:{who}", device=f"3599990000{who:04d}"))
            for who in range(start, start + 140)
        ))  # fmt: skip
    (one,) = happening.tick().open()
    assert (one.grouping, one.cause, one.subscriptions) == ("limit", "lock default/water-meter", 300)
    assert "Limit reached: lock is held back in water-meter" in one.title
    assert one.state == "open", "what is held is not contained"


def test_cell_by_cell_becomes_the_gateway(happening: Happening) -> None:
    for cell in range(12):
        many(happening, "location-change", range(10 * cell, 10 * cell + 10), gateway="pgw1", seen=seen(f"ecgi:{cell}"),
             use_case=f"kind-{cell % 4}")  # fmt: skip
    (one,) = happening.open()
    assert (one.grouping, one.subscriptions, one.use_case) == ("gateway", 120, None)


def test_tenants_are_invisible_to_each_other(happening: Happening) -> None:
    many(happening, "location-change", range(3), seen=seen())
    many(happening, "location-change", range(3, 6), seen=seen(), tenant="other")
    assert [one.grouping for one in happening.open()] == ["subscription"] * 6


def test_is_the_same_in_any_cut(happening: Happening, tmp_path: object) -> None:
    """What is rolled back leaves nothing behind: the same facts again give the same incidents."""
    facts = [happening.begins("location-change", who, seen=seen()) for who in range(7)]
    try:
        with happening.registry.writing() as connection:
            for fact in facts:
                happening.mirroring.take(connection, fact)
                happening.incidents.take(connection, fact)
            raise RuntimeError("killed")
    except RuntimeError:
        assert happening.open() == []
    happening.take(*facts)
    assert [(one.number, one.grouping, one.subscriptions) for one in happening.open()] == [(6, "cell", 7)]


def test_read_late_it_opens_and_says_so(happening: Happening) -> None:
    happening.lag_us = 601 * 1_000_000
    happening.found("apn-not-permitted", 1)
    (one,) = happening.open()
    assert "late" in happening.entries(one.number)
    assert one.deadline_at > happening.clock(), "time to acknowledge begins when somebody can be told"


def test_break_glass_is_an_incident(happening: Happening) -> None:
    happening.commands(1, do="lock", actor="alice@noc", because="control is down", break_glass="yes")
    happening.after(minutes=1)
    happening.commands(2, do="lock", actor="alice@noc", because="control is down", break_glass="yes")
    happening.commands(3, do="lock", actor="bob@noc", because="stolen")
    (one,) = happening.open()
    assert (one.severity, one.grouping, one.cause) == ("high", "break-glass", "alice@noc")
    assert happening.entries(one.number) == ["opened", "break-glass", "break-glass"]


def test_a_revision_in_many_rows_is_one_deed(happening: Happening) -> None:
    for _ in range(3):
        happening.applies(do="apply", actor="alice@noc", because="control is down", break_glass="yes")
    (one,) = happening.open()
    assert happening.entries(one.number) == ["opened", "break-glass"]


def test_a_storm_of_a_model_takes_what_was_found_about_its_devices(happening: Happening) -> None:
    for who in (1, 2, 3):
        happening.found("retry-storm", who, class_="refused", seen=seen(cell=f"ecgi:{who}"))
    assert [one.grouping for one in happening.open()] == ["subscription"] * 3
    storm = happening.after(seconds=20).found(
        "signalling-storm", None, class_="model", scope="group", severity="high", response="observe", wanted="observe",
        use_case=None, about=f"model {METER[:8]}",
    )  # fmt: skip
    (one,) = happening.open()
    assert (one.grouping, one.family, one.findings, one.subscriptions) == ("model", "signalling", 4, 3)
    assert one.title == f"signalling-storm/model in many subscriptions: model {METER[:8]}"
    happening.found("retry-storm", 4, class_="refused", seen=seen(cell="ecgi:9"))
    assert [one.findings for one in happening.open()] == [5], "one more of the model"
    happening.found("retry-storm", 5, class_="refused", seen=seen(cell="ecgi:9", device=PHONE))
    assert len(happening.open()) == 2, "another model is another matter"
    happening.ends(storm)


def test_wrong_credentials_of_a_use_case_are_one_incident_with_what_the_gate_refused(happening: Happening) -> None:
    happening.found("credentials-wrong", 1, class_="wrong", severity="high", response="refuse", wanted="refuse")
    happening.found(
        "authentication-failures", None, class_="use-case", scope="group", severity="high", use_case="water-meter",
        about="use case water-meter",
    )  # fmt: skip
    (one,) = happening.open()
    assert (one.grouping, one.family, one.findings) == ("use-case", "access", 2)


def test_who_comes_back_after_an_outage_joins_it_and_opens_nothing(happening: Happening) -> None:
    def back() -> None:
        happening.found(
            "synchronised-reconnect", None, class_="after-outage", scope="group", severity="info", response="observe",
            wanted="observe", use_case=None, about="gateway pgw1", gateway="pgw1",
        )  # fmt: skip

    back()
    assert happening.open() == []
    happening.found("gateway-restarted", None, class_="accounting-on", severity="low", use_case=None, gateway="pgw1")
    back()
    assert [(one.grouping, one.findings) for one in happening.open()] == [("outage", 2)]
