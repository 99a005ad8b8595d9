"""Ten thousand webhooks to a receiver that fails half of its answers, while it and the sender are killed.

Real processes over loopback: a sender with its outbox, a receiver that verifies each signature (with the library of
Standard Webhooks) and notes what it took. Both are killed twice (SIGKILL) on the way. Some messages are rejected for
good (422): what is behind them has to go on. Afterwards the receiver's notes are compared with the outbox.
"""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import sqlalchemy as sa

from benchmarks.report import Bar, save
from simward.control.clock import SystemClock
from simward.control.dispatching import Dispatcher
from simward.registry import tables as t
from simward.registry.database import Registry, sqlite_url
from simward.response.announcing import Announcement, Announcing
from simward.settings import Endpoint

NAME = "webhooks"
QUESTION = "Is every webhook delivered, once under its id and in order, through failing answers and kills?"
SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
MESSAGES, QUICK = 10_000, 60
A_LANE = 10
POISON_EVERY = 1001
"""Each in a lane of its own, with others behind it."""
FAIL_SHARE, QUICK_SHARE = 0.5, 0.1
PATIENCE_S = 1800
INSTALLATION = "6c0f4f0e-8a70-4c55-9d0e-0123456789ab"


def endpoint(port: int) -> Endpoint:
    """The receiver, as settings would name it."""
    return Endpoint("app", "webhook", f"http://127.0.0.1:{port}/hook", SECRET.encode(), allow_private=True)


def announce(registry: Registry, to: Endpoint, first: int, count: int) -> list[str]:
    """So many announcements, `A_LANE` about each subject, in one transaction; gives the ids of the poisoned ones."""
    announcing = Announcing([to], SystemClock().now)
    poisoned = []
    with registry.writing() as connection:
        for number in range(first, first + count):
            subject = f"{1010000000000 + number % (MESSAGES // A_LANE):015d}"
            data: dict[str, object] = {"what": "policy", "sequence": number}
            if number % POISON_EVERY == POISON_EVERY // 2:
                data["poison"] = True
                poisoned.append(f"policy.applied:0/{number}/0")
            announcing.say(
                connection, Announcement("policy.applied", f"policy.applied:0/{number}/0", 1, subject, data=data)
            )
    return poisoned


async def dispatch(folder: Path, port: int) -> None:
    """The sender: until killed."""
    registry = Registry.open(sqlite_url(folder))
    dispatcher = Dispatcher(registry, [endpoint(port)], INSTALLATION, SystemClock())
    print("ready", flush=True)
    await dispatcher.run()


class Process:
    """One of the two, started again after each kill."""

    def __init__(self, *command: str) -> None:
        self._command = [sys.executable, "-m", *command]
        self.kills = 0
        self.start()

    def start(self) -> None:
        """Until it says ready."""
        self.running = subprocess.Popen(self._command, stdout=subprocess.PIPE)
        assert self.running.stdout is not None
        if self.running.stdout.readline() != b"ready\n":
            raise RuntimeError(f"{self._command[2]} did not start")

    def kill(self, away_s: float) -> None:
        """SIGKILL, and again after a while."""
        self.end()
        self.kills += 1
        time.sleep(away_s)
        self.start()

    def end(self) -> None:
        """SIGKILL."""
        self.running.send_signal(signal.SIGKILL)
        self.running.wait()


def states(registry: Registry) -> Counter[str]:
    """How many deliveries are in which state."""
    with registry.reading() as connection:
        rows = connection.execute(sa.select(t.delivery.c.state, sa.func.count()).group_by(t.delivery.c.state))
        return Counter({row.state: row[1] for row in rows})


def judge(path: Path, said: int, poisoned: set[str]) -> dict[str, int]:
    """What the receiver's notes say: missing, taken more than once (the same id), out of order in their subject."""
    taken = [json.loads(line) for line in path.read_text().splitlines() if line.endswith("]")]
    times = Counter(one[0] for one in taken)
    wanted = {f"policy.applied:0/{number}/0" for number in range(said)} - poisoned
    latest: dict[str, int] = {}
    disordered = 0
    for _, subject, sequence, _ in taken:
        # Taken again under its id (the answer was lost) is no disorder; an earlier one that is new would be.
        disordered += sequence < latest.get(subject, 0)
        latest[subject] = max(latest.get(subject, 0), sequence)
    return {
        "missing": len(wanted - set(times)), "unknown": len(set(times) - wanted),
        "taken_again_under_the_same_id": sum(times.values()) - len(times), "out_of_order": disordered,
    }  # fmt: skip


def run(folder: Path, messages: int, fail_share: float, away_s: float) -> dict[str, object]:
    """The whole story; the figures."""
    with socket.create_server(("127.0.0.1", 0)) as opened:
        port = opened.getsockname()[1]
    notes = folder / "notes.jsonl"
    notes.touch()
    registry = Registry.open(sqlite_url(folder))
    registry.migrate()
    began = time.monotonic()
    receiver = Process("benchmarks.load.webhook_receiver", str(port), str(notes), SECRET, str(fail_share), "1")
    sender = Process("benchmarks.webhooks", "--dispatch", str(folder), str(port))
    try:
        poisoned: set[str] = set()
        for first in range(0, messages, 100):
            poisoned |= set(announce(registry, endpoint(port), first, 100))
        for share in (0.2, 0.4, 0.6, 0.8):
            while sum(1 for _ in notes.open()) < share * messages:
                _in_time(began)
                time.sleep(0.05)
            (receiver if share in (0.2, 0.6) else sender).kill(away_s)
        while states(registry)["waiting"]:
            _in_time(began)
            time.sleep(0.2)
    finally:
        sender.end()
        receiver.end()
    took = time.monotonic() - began
    with registry.reading() as connection:
        attempts = connection.execute(sa.select(sa.func.sum(t.delivery.c.attempts))).scalar() or 0
    registry.close()
    ended = states(registry)
    return {
        "messages": messages, "lanes": min(messages, MESSAGES // A_LANE), "took_s": took, "attempts": int(attempts),
        "receiver_killed": receiver.kills, "sender_killed": sender.kills, "poisoned": len(poisoned),
        "dead": ended["dead"], "delivered": ended["delivered"], **judge(notes, messages, poisoned),
    }  # fmt: skip


def _in_time(began: float) -> None:
    if time.monotonic() - began > PATIENCE_S:
        raise TimeoutError("it takes too long")


def main() -> None:
    """Print and save."""
    if "--dispatch" in sys.argv:
        asyncio.run(dispatch(Path(sys.argv[2]), int(sys.argv[3])))
    quick = "--quick" in sys.argv
    with tempfile.TemporaryDirectory(prefix="simward-bench-webhooks-") as name:
        folder = Path(name)
        figures = run(folder, QUICK, QUICK_SHARE, 0.2) if quick else run(folder, MESSAGES, FAIL_SHARE, 2.0)
        of = f"of {figures['messages']}, half of the answers failing, receiver and sender killed twice each"
        bars = [
            Bar(f"webhooks never delivered, {of}", float(str(figures["missing"])), 0, "", at_most=True),
            Bar("taken out of order within their subject", float(str(figures["out_of_order"])), 0, "", at_most=True),
            Bar("dead letters that nobody had poisoned",
                abs(float(str(figures["dead"])) - float(str(figures["poisoned"]))), 0, "", at_most=True),
        ]  # fmt: skip
        save(NAME, QUESTION, figures, bars, folder, quick=quick)
        print(json.dumps(figures))


if __name__ == "__main__":
    main()
