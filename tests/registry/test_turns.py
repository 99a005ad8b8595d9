"""Who asks first writes first: whoever writes one transaction after the other keeps nobody from writing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from simward.errors import RegistryError
from simward.registry.database import Registry, sqlite_url
from simward.registry.turns import Turns

PATIENCE_S = 10.0


def until(true: Callable[[], bool]) -> None:
    """Wait for what another thread does."""
    end = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < end
        time.sleep(0.001)


def test_turns_come_in_the_order_in_which_they_were_asked_for() -> None:
    turns, order = Turns(), list[int]()

    def take(number: int) -> None:
        with turns.turn(PATIENCE_S):
            order.append(number)

    threads = [threading.Thread(target=take, args=(number,)) for number in range(6)]
    with turns.turn(PATIENCE_S):
        for waiting, thread in enumerate(threads, 1):
            thread.start()
            until(lambda: turns.waiting == waiting)  # noqa: B023
        assert order == []
    for thread in threads:
        thread.join()
    assert order == [0, 1, 2, 3, 4, 5]


def test_who_asks_again_at_once_comes_after_who_waited(tmp_path: Path) -> None:
    """The one that follows the journals writes all the time; a person's write is the next all the same."""
    registry, order = Registry.open(sqlite_url(tmp_path)), list[str]()
    stop = threading.Event()

    def follow() -> None:
        while not stop.is_set():
            with registry.writing():
                order.append("behind")

    def ask() -> None:
        with registry.writing():
            order.append("person")

    with registry.turns.turn(PATIENCE_S):
        person = threading.Thread(target=ask)
        person.start()
        until(lambda: registry.turns.waiting == 1)
        behind = threading.Thread(target=follow)
        behind.start()
        until(lambda: registry.turns.waiting == 2)
    person.join(PATIENCE_S)
    for asked in range(20):
        thread = threading.Thread(target=ask)
        thread.start()
        thread.join(PATIENCE_S)
        assert order.count("person") == asked + 2
    stop.set()
    behind.join(PATIENCE_S)
    registry.close()
    assert order[0] == "person"
    assert "behind" in order


def test_a_turn_that_does_not_come_is_given_up_and_the_next_one_comes() -> None:
    turns, came = Turns(), threading.Event()

    def take() -> None:
        with turns.turn(PATIENCE_S):
            came.set()

    with turns.turn(PATIENCE_S):
        with pytest.raises(RegistryError, match=r"others have written for 0\.01 s"), turns.turn(0.01):
            pytest.fail("it is another's turn")
        assert turns.waiting == 0
        thread = threading.Thread(target=take)
        thread.start()
        until(lambda: turns.waiting == 1)
    assert came.wait(PATIENCE_S)
    thread.join()
    with turns.turn(0.01):
        pass


def test_a_turn_that_ends_in_an_error_is_given_back() -> None:
    turns = Turns()
    with pytest.raises(ZeroDivisionError), turns.turn(PATIENCE_S):
        raise ZeroDivisionError
    with turns.turn(0.01):
        assert turns.waiting == 0
