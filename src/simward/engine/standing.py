"""How a subscription stands now, in plain sentences, from its told story."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from simward.engine import benign
from simward.engine.recorded import lock_ends


def now_sentences(told: dict[str, Any]) -> Iterator[str]:
    """How it stands now, in words, from a told story."""
    now = told["now"]
    if now["paused"]:
        yield "Responses are paused."
    if not now["declared"]:
        yield "Not in the inventory."
    if now["locked"]:
        until = lock_ends(now["locked"]["until"] or "", bool(now["locked"]["release_when"]))
        yield f"Locked since {now['locked']['since'][:19].replace('T', ' ')}, {until}: {now['locked']['because']}."
    if confined := now["quarantined"]:
        since, ends = confined["since"][:19].replace("T", " "), lock_ends(confined["until"] or "", False)
        yield f"In quarantine since {since}, {ends}: {confined['because']}."
    if now["bound_device"]:
        generation = f" (generation {now['generation']})" if now["generation"] else ""
        yield f"Bound to device {now['bound_device']}{generation}."
    live = now["live_sessions"]
    yield f"Live sessions: {', '.join(live[:5])}{' and more' if len(live) > 5 else ''}." if live else "No live session."
    if now["probably_over"]:
        yield f"Probably over, though no Stop was reported: {', '.join(now['probably_over'][:5])}."
    if now["together"]:
        yield str(now["together"])
    if now["open_findings"]:
        yield f"Open findings: {', '.join(now['open_findings'])}."
    for one in now["benign"]:
        yield benign.sentence(one)
