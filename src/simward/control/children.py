"""Work that folds journals runs in a process of its own: nobody who asks for something else waits for it meanwhile.

A child is `python -m MODULE`; it reads one JSON object and says lines of JSON, the last of which is its answer.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from simward import parentage
from simward.errors import ConfigurationError, PeerError, SimwardError
from simward.logs import called
from simward.revising.telling import problem_told

log = logging.getLogger(__name__)

LINE_OCTETS_MAX = 64 * 1024 * 1024
MORE_NICE = 5
"""Above what the control plane has: neither it nor the gate waits for a child."""
Told = Callable[[dict[str, Any]], None]


class ChildFailed(PeerError):
    """It ended without an answer, or not in time."""


async def run_child(module: str, asked: dict[str, Any], within_s: float, told: Told | None = None) -> dict[str, Any]:
    """The answer of a child. It is killed where it takes too long, and where whoever waits for it is cancelled.

    What it says before its answer is passed to `told`. Raises ChildFailed.
    """
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, "--parent", str(os.getpid()), stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE, limit=LINE_OCTETS_MAX,
    )  # fmt: skip
    answer: dict[str, Any] = {}
    try:
        async with asyncio.timeout(within_s):
            assert child.stdin is not None and child.stdout is not None
            child.stdin.write(json.dumps(asked).encode())
            child.stdin.close()
            async for line in child.stdout:
                answer = json.loads(line)
                if told is not None and answer.get("progress"):
                    told(answer)
            await child.wait()
    except TimeoutError:
        raise ChildFailed(f"it took longer than {within_s:g} s") from None
    except (OSError, ValueError) as error:
        raise ChildFailed(f"it did not answer: {error}") from error
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    if child.returncode or answer.get("progress") or not answer:
        log.error("%s ended with %s", module, child.returncode, extra=called("child-failed"))
        raise ChildFailed(f"it ended with {child.returncode}; the log has the rest")
    return answer


def serve_once(work: Callable[[dict[str, Any]], dict[str, Any]]) -> int:
    """What a child does: read what is asked, say what `work` gives, or what is wrong with it. The exit code."""
    parent = int(sys.argv[2]) if sys.argv[1:2] == ["--parent"] else 0
    parentage.end_with(parent)
    os.nice(MORE_NICE)
    os.umask(0o077)
    if parentage.is_orphan(parent):
        return 1
    try:
        answer = work(json.load(sys.stdin))
    except ConfigurationError as error:
        answer = {"problems": [problem_told(one) for one in error.problems]}
    except SimwardError as error:
        answer = {"error": str(error), "exit_code": error.exit_code}
    say(answer)
    return 0


def say(document: dict[str, Any]) -> None:
    """One line to whoever started this."""
    print(json.dumps(document, separators=(",", ":")), flush=True)


def each_percent(total: int) -> Callable[[int], None]:
    """To be called with what is reached of `total`: says so a hundred times in all, at most."""
    due = 0

    def told(reached: int) -> None:
        nonlocal due
        percent = 100 * reached // max(1, total)
        if percent < due:
            return
        say({"progress": True, "done": min(reached, total), "total": total})
        due = percent + 1

    return told


def folder_of(asked: dict[str, Any]) -> Path:
    """The working folder that a child is asked about."""
    return Path(str(asked["dir"]))
