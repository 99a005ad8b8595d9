"""Conditions of what stands beside the gate: the watch, the registry, and whoever keeps the processes running."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

from simward.control.readiness import Condition
from simward.errors import RegistryError
from simward.observing.processes import NAMES, read_processes
from simward.observing.watch import read_status
from simward.registry.database import Registry


class WatchConditions:
    """Does a watch run, and can it record what it finds?"""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir

    async def conditions(self) -> Mapping[str, Condition]:
        """One, `watch`."""
        said = await asyncio.to_thread(read_status, self._data_dir)
        if said is None:
            return {"watch": Condition(False, "no watch is running, or it has said nothing for 30 s")}
        if not said["durable"]:
            return {"watch": Condition(False, f"cannot record: {said['not_durable_because']}")}
        return {"watch": Condition(True, "runs", {"sequence": said["followed"]})}


class ProcessConditions:
    """Does all run that a supervisor is to keep running? Where there is none, each process runs alone."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir

    async def conditions(self) -> Mapping[str, Condition]:
        """One, `supervisor`."""
        kept = await asyncio.to_thread(read_processes, self._data_dir)
        more = {"restarts": {name: said["restarts"] for name, said in kept.items()}}
        if not kept:
            return {"supervisor": Condition(True, "there is none: each process runs alone")}
        gone = [f"the {name} does not run ({kept[name]['last_end']})" for name in kept if kept[name]["pid"] is None]
        running = ", ".join(name for name in NAMES if name in kept)
        return {"supervisor": Condition(not gone, "; ".join(gone) or f"keeps running: {running}", more)}


class RegistryConditions:
    """Can the registry be read?"""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._asking: asyncio.Task[Condition] | None = None

    async def conditions(self) -> Mapping[str, Condition]:
        """One, `registry`. A question that hangs is not asked a second time beside itself."""
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(asyncio.to_thread(self._look))
        return {"registry": await asyncio.shield(self._asking)}

    def _look(self) -> Condition:
        try:
            return Condition(True, "answers", {"version": self._registry.version()})
        except RegistryError as error:
            return Condition(False, str(error))
