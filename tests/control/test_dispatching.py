"""The outbox reaches the endpoints: at least once, in order a lane, whatever fails in between."""

from __future__ import annotations

import asyncio
import random
import time
from pathlib import Path

import pytest
import sqlalchemy as sa

from control.outgoing import Outgoing
from simward.connectors.connector import Outcome
from simward.control import dispatching
from simward.registry import outbox
from simward.registry import tables as t
from simward.response import delivering as d


@pytest.fixture
def out(tmp_path: Path) -> Outgoing:
    """One endpoint, `app`."""
    return Outgoing(tmp_path)


def test_what_waits_and_what_comes_is_delivered(out: Outgoing) -> None:
    early = out.say("a", "b", "a")

    async def story() -> None:
        async with out.running() as dispatcher:
            await out.until(lambda: out.states() == {"delivered": 3})
            late = out.say("b")
            dispatcher.wake()
            await out.until(lambda: out.states() == {"delivered": 4})
            assert sorted(out.app.ids) == sorted(early + late)

    asyncio.run(story())
    [event] = [one for one in out.app.sent if one.id == early[2]]
    assert event.source == "urn:simward:6c0f4f0e-8a70-4c55-9d0e-0123456789ab:default"
    assert event.extensions["sequence"] == "0000000002"
    assert {(one.attempts, one.status) for one in out.deliveries()} == {(1, 204)}


def test_something_new_leaves_within_tens_of_milliseconds(out: Outgoing) -> None:
    async def story() -> float:
        async with out.running() as dispatcher:
            took = []
            for _ in range(20):
                await asyncio.sleep(0.01)
                began = time.monotonic()
                out.say("a")
                await asyncio.to_thread(dispatcher.wake)  # as the follower's thread does
                count = len(took) + 1
                await out.until(lambda: len(out.app.sent) == count)  # noqa: B023
                took.append(time.monotonic() - began)
            return sorted(took)[len(took) // 2]

    assert asyncio.run(story()) < 0.1


def test_what_nobody_spoke_of_is_found_within_a_second(out: Outgoing) -> None:
    async def story() -> None:
        async with out.running():
            await out.a_while()
            out.say("a")
            await out.a_while()
            assert not out.app.sent
            out.clock.advance(1.0)
            await out.until(lambda: out.app.sent)

    asyncio.run(story())


def test_a_lane_waits_for_its_head_and_others_go_on(out: Outgoing) -> None:
    first, second, other = out.say("a", "a", "b")
    out.app.answers = lambda event: Outcome(500, "answered 500") if event.id == first else Outcome(200)

    async def story() -> None:
        async with out.running():
            await out.until(lambda: out.states() == {"delivered": 1, "waiting": 2})
            assert out.app.ids == [first, other]
            out.clock.advance(0.49)
            await out.a_while()
            assert len(out.app.sent) == 2
            out.clock.advance(0.01)
            await out.until(lambda: len(out.app.sent) == 3)
            out.app.answers = lambda event: Outcome(200)
            await out.until(lambda: out.states() == {"delivered": 3}, every_s=0.1)
            assert out.app.ids == [first, other, first, first, second]

    asyncio.run(story())


def test_an_hour_without_the_receiver_loses_nothing_and_costs_little(out: Outgoing) -> None:
    """Nothing is sent but a probe now and then; when it is back, all goes in order within a minute."""
    said = [one for _ in range(5) for one in out.say(*(f"sim {n}" for n in range(40)))]
    out.app.answers = lambda event: Outcome(None, "nobody there")

    async def story() -> None:
        async with out.running() as dispatcher:
            courier = dispatcher.couriers["app"]
            await out.until(lambda: courier.breaker.state == d.OPEN)
            began = out.clock.now()
            await out.until(lambda: out.clock.now() - began > 3600 * d.SECOND_US, every_s=5)
            assert len(out.app.sent) < 200, "a probe a minute, not 200 deliveries again and again"
            assert max(one.attempts for one in out.deliveries()) <= 3, "probes are not held against them"
            out.app.answers = lambda event: Outcome(200)
            out.app.sent.clear()
            back = out.clock.now()
            await out.until(lambda: out.states() == {"delivered": 200}, every_s=0.5)
            assert out.clock.now() - back < 120 * d.SECOND_US
            assert courier.breaker.state == d.CLOSED

    asyncio.run(story())
    for n in range(40):
        mine = [event.id for event in out.app.sent if event.subject == f"sim {n}"]
        assert mine == [one for one in said if one in mine] and len(mine) == 5


def test_retry_after_is_honoured(out: Outgoing) -> None:
    out.say("a", "b")
    out.app.answers = lambda event: Outcome(503, "answered 503", 120)

    async def story() -> None:
        async with out.running():
            await out.until(lambda: len(out.app.sent) == 2)
            out.app.answers = lambda event: Outcome(200)
            await out.a_while()
            out.clock.advance(119)
            await out.a_while()
            assert len(out.app.sent) == 2
            out.clock.advance(1)
            await out.until(lambda: out.states() == {"delivered": 2})

    asyncio.run(story())


def test_what_the_receiver_rejects_dies_and_the_next_goes_on_until_it_is_redriven(out: Outgoing) -> None:
    poison, following = out.say("a", "a")
    out.app.answers = lambda event: Outcome(422, "answered 422") if event.id == poison else Outcome(200)

    async def story() -> None:
        async with out.running() as dispatcher:
            await out.until(lambda: out.states() == {"delivered": 1, "dead": 1}, every_s=1)
            assert out.app.ids == [poison] * d.ATTEMPTS_WHERE_REJECTED + [following]
            with out.registry.reading() as connection:
                [dead] = outbox.dead_letters(connection, "app", 10)
            assert (dead.id, dead.status, dead.error) == (poison, 422, "answered 422")
            out.app.answers = lambda event: Outcome(200)
            with out.registry.writing() as connection:
                assert outbox.redrive(connection, "app", out.clock.now(), out.clock.now() + 10**9) == 1
            await dispatcher.reload("app")
            await out.until(lambda: out.states() == {"delivered": 2})

    asyncio.run(story())


def test_where_only_rejected_ones_are_tried_they_die_all_the_same(out: Outgoing) -> None:
    """So many failures in a row that the endpoint counts as down: what is behind them waits for no deadline."""
    poison = set(out.say(*(f"sim {n}" for n in range(d.OPEN_AFTER + 4))))
    out.say(*(f"sim {n}" for n in range(d.OPEN_AFTER + 4)))
    out.app.answers = lambda event: Outcome(422, "answered 422") if event.id in poison else Outcome(200)

    async def story() -> None:
        async with out.running():
            await out.until(lambda: out.states() == {"dead": 20, "delivered": 20}, every_s=1)

    asyncio.run(story())


def test_what_was_not_delivered_within_its_deadline_dies_also_where_the_endpoint_is_gone(out: Outgoing) -> None:
    out.say("a", "b")
    out.app.answers = lambda event: Outcome(410, "answered 410")

    async def story() -> None:
        async with out.running():
            await out.until(lambda: len(out.app.sent) == 2)
            await out.until(lambda: out.dispatcher.couriers["app"].breaker.state == d.DISABLED)
            late = out.say("a", "c")
            out.clock.advance(23 * 3600)
            await out.a_while()
            assert len(out.app.sent) == 2 and late[0] not in out.app.ids
            await out.until(lambda: out.states() == {"dead": 4}, every_s=30)

    asyncio.run(story())
    assert out.deliveries()[0].error == "answered 410"
    assert "never tried" in out.deliveries()[3].error


def test_a_test_of_an_endpoint_that_was_gone_opens_it(out: Outgoing) -> None:
    out.say("a")
    out.app.answers = lambda event: Outcome(410, "answered 410")

    async def story() -> None:
        async with out.running() as dispatcher:
            courier = dispatcher.couriers["app"]
            await out.until(lambda: courier.breaker.state == d.DISABLED)
            out.app.answers = lambda event: Outcome(200)
            with out.registry.reading() as connection:
                row = connection.execute(sa.select(t.announcement)).one()
            assert (await courier.probe(row)).delivered
            await out.until(lambda: out.states() == {"delivered": 1}, every_s=1)

    asyncio.run(story())


def test_at_most_so_many_are_on_their_way_at_once(out: Outgoing) -> None:
    out.say(*(f"sim {n}" for n in range(100)))

    async def story() -> None:
        out.app.gate = asyncio.Event()
        async with out.running():
            await out.until(lambda: len(out.app.sent) == dispatching.IN_FLIGHT_MAX)
            await out.a_while()
            assert len(out.app.sent) == dispatching.IN_FLIGHT_MAX
            out.app.gate.set()
            await out.until(lambda: out.states() == {"delivered": 100})

    asyncio.run(story())
    assert out.app.at_once == dispatching.IN_FLIGHT_MAX


def test_endpoints_do_not_wait_for_each_other(tmp_path: Path) -> None:
    out = Outgoing(tmp_path, "dm", "app")
    out.say("a", "b")
    out.connectors["dm"].answers = lambda event: Outcome(500, "answered 500")

    async def story() -> None:
        async with out.running():
            await out.until(lambda: out.states() == {"delivered": 2, "waiting": 2})

    asyncio.run(story())


def test_what_was_not_recorded_is_sent_again_under_the_same_id(out: Outgoing) -> None:
    [said] = out.say("a")

    async def killed() -> None:
        out.app.gate = asyncio.Event()  # the answer never comes
        async with out.running():
            await out.until(lambda: out.app.sent)

    async def again() -> None:
        out.app.gate = None
        async with out.running():
            await out.until(lambda: out.states() == {"delivered": 1})

    asyncio.run(killed())
    asyncio.run(again())
    assert out.app.ids == [said, said]


def test_lanes_for_which_there_is_no_room_are_come_back_to(out: Outgoing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatching, "LANES_MAX", 8)
    said = [one for _ in range(3) for one in out.say(*(f"sim {n}" for n in range(30)))]

    async def story() -> None:
        async with out.running():
            await out.until(lambda: out.states() == {"delivered": 90}, every_s=0.01)

    asyncio.run(story())
    assert sorted(out.app.ids) == sorted(said)
    for n in range(30):
        mine = [event.id for event in out.app.sent if event.subject == f"sim {n}"]
        assert mine == [one for one in said if one in mine]


def test_thousands_that_wait_take_no_more_time_each_than_a_few(out: Outgoing) -> None:
    """Half of them in one lane, so that each is the next of a long one."""
    for _ in range(10):
        out.say(*(("one",) * 100 + tuple(f"sim {n}" for n in range(200))))

    async def story() -> float:
        began = time.process_time()
        async with out.running():
            await out.until(lambda: out.states().get("delivered", 0) >= 1500, every_s=0.001)
        return time.process_time() - began

    assert asyncio.run(story()) < 10


def test_a_receiver_that_fails_half_of_its_answers_gets_all_in_order(out: Outgoing) -> None:
    dice = random.Random(7)
    said = [one for _ in range(10) for one in out.say(*(f"sim {n}" for n in range(30)))]
    taken: list[str] = []

    def answers(event: object) -> Outcome:
        if dice.random() < 0.5:
            return Outcome(500, "answered 500")
        taken.append(event.id)  # type: ignore[attr-defined]
        return Outcome(200)

    out.app.answers = answers

    async def story() -> None:
        async with out.running():
            await out.until(lambda: out.states() == {"delivered": 300}, every_s=1.0)

    asyncio.run(story())
    assert sorted(taken) == sorted(said), "each once: no answer was lost here"
    subjects = {event.id: event.subject for event in out.app.sent}
    for n in range(30):
        mine = [one for one in taken if subjects[one] == f"sim {n}"]
        assert mine == [one for one in said if subjects[one] == f"sim {n}"]


def test_what_is_old_is_removed_and_the_newest_stays(out: Outgoing) -> None:
    out.say("a", "b", "c")

    async def story() -> None:
        async with out.running():
            await out.until(lambda: out.states() == {"delivered": 3})

    asyncio.run(story())
    with out.registry.writing() as connection:
        assert outbox.prune(connection, out.clock.now() + outbox.KEEP_DELIVERED_US) == 0
        assert outbox.prune(connection, out.clock.now() + outbox.KEEP_ANNOUNCED_US + 1) == 4
    assert [one.number for one in out.deliveries()] == [3]


def test_a_registry_that_cannot_be_used_is_waited_for(out: Outgoing, monkeypatch: pytest.MonkeyPatch) -> None:
    from simward.errors import RegistryError

    monkeypatch.setattr(dispatching, "TRY_AGAIN_S", 0.01)
    settle, failures = outbox.settle, []

    def broken(connection: sa.Connection, settled: object) -> None:
        if len(failures) < 3:
            failures.append(settled)
            raise RegistryError("the disk is full")
        settle(connection, settled)  # type: ignore[arg-type]

    monkeypatch.setattr(outbox, "settle", broken)
    out.say("a")

    async def story() -> None:
        async with out.running():
            await out.until(lambda: out.states() == {"delivered": 1})

    asyncio.run(story())
    assert len(failures) == 3 and len(out.app.sent) == 1
