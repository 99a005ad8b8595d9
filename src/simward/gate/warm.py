"""Compile everything ahead of the first packet; `python -m simward.gate.warm` does it for a whole installation."""

from __future__ import annotations

import subprocess
import sys
import time
from ipaddress import ip_network

import numpy as np

from simward.engine import events
from simward.engine.call_records import RECORD
from simward.engine.fold import Fold
from simward.engine.outputs import RESULT
from simward.engine.tables import DECLARED, InventoryDelta
from simward.engine.texts import Texts
from simward.engine.watching.fold import WatchFold
from simward.gate.metrics import Metrics
from simward.gate.radius import RadiusPort
from simward.gate.replies import reply_texts
from simward.gate.sockets import open_udp
from simward.settings import GatewayClient
from simward.wire.radius.answer import Answerer
from simward.wire.radius.clients import ClientTable
from simward.wire.radius.receive import Receiver

PARTS = ("fold", "watch", "packets")


def warm_up(port: RadiusPort) -> None:
    """Run what is compiled once over nothing, so that the first packet does not wait for the compiler."""
    warm_fold()
    warm_port(port)
    warm_metrics()


def warm_fold() -> None:
    """Fold a tick, and a subscription that comes and goes."""
    fold = Fold.new()
    line = np.zeros(1, DECLARED)
    line["imsi"] = 1_001010000000001
    fold.inventory(InventoryDelta(line, np.zeros(0, np.int64), [""]), 0)
    fold.inventory(InventoryDelta(line[:0], line["imsi"], [""]), 0)
    fold.state.index_devices()
    tick = events.empty(1)
    tick["kind"] = events.TICK
    fold.events(tick)


def warm_watch() -> None:
    """Have the watch fold a tick and a record of nobody, forget nobody, and look for a group."""
    watch = WatchFold(Fold.new())
    tick = events.empty(1)
    tick["kind"] = events.TICK
    watch.events(tick, 1)
    watch.records(np.zeros(1, RECORD), 2, 0)
    watch.before_inventory(InventoryDelta(np.zeros(0, DECLARED), np.ones(1, np.int64), []))


def warm_port(port: RadiusPort) -> None:
    """Decode and answer a batch of no packets."""
    decoded = port.decode(0)
    port.remember(decoded, np.zeros(0, RESULT))
    port.answer(decoded, np.zeros(0, RESULT), 0)
    port.forget(decoded)


def warm_metrics() -> None:
    """Count a batch of no events."""
    Metrics().add_folded(events.empty(0), np.zeros(0, RESULT))


def warm_packets() -> None:
    """The packet path on sockets of its own, which nobody knows."""
    texts = Texts()
    clients = ClientTable((GatewayClient("nobody", ip_network("192.0.2.1/32"), b"no secret"),), texts)
    port = RadiusPort(
        open_udp("127.0.0.1", 0), open_udp("127.0.0.1", 0), Receiver(clients, texts), Answerer(clients, reply_texts())
    )
    warm_port(port)
    warm_metrics()
    port.close()


def main() -> int:
    """Compile the parts side by side; the compiled code lands in the cache folder of this user."""
    if sys.argv[1:]:
        {"fold": warm_fold, "watch": warm_watch, "packets": warm_packets}[sys.argv[1]]()
        return 0
    began = time.monotonic()
    print("compiling what gate and watch decide with (a minute or so, once a version) ...", flush=True)
    started = [subprocess.Popen([sys.executable, "-m", __spec__.name, part]) for part in PARTS]
    failed = sum(one.wait() != 0 for one in started)
    print(f"compiled in {time.monotonic() - began:.0f} s", flush=True)
    return 3 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
