"""What befell many at once, as the watch found it: so that the absence of one of them is not taken for a theft."""

from __future__ import annotations

from typing import Any

import numpy as np

from simward.engine.phrases import when
from simward.engine.words import Findings, Lexicon

SILENT_TOGETHER, GATEWAY_SILENT = "cell-silent", "gateway-silent"
WIDER = ("cell", "software", "gateway", "network", "model")


class Together:
    """Feed it the watch's outputs in order; then ask about the absence of a subscription."""

    def __init__(self) -> None:
        self._findings = Findings()

    def take(self, outputs: np.ndarray, lexicon: Lexicon) -> None:
        """Add findings."""
        for _ in self._findings.take(outputs, lexicon):
            pass

    def explaining(self, facts: dict[str, str], since: int, until: int) -> dict[str, Any] | None:
        """The finding that explains a silence from `since` to `until` (us) of a subscription that was last heard with
        these facts: the most specific one that began in that time; None where there is none.
        """
        found = [
            one
            for one in self._findings
            if one["detector"] in (SILENT_TOGETHER, GATEWAY_SILENT)
            and when(since) <= one["at"] <= when(until)
            and is_about(one, facts)
        ]
        return min(found, key=lambda one: (one["detector"] != SILENT_TOGETHER, WIDER.index(kind_of(one))), default=None)


def kind_of(one: dict[str, Any]) -> str:
    """What it is about: a cell, a gateway, a network, a model or one software of it."""
    return str(one["class"]) if one["detector"] == SILENT_TOGETHER else "gateway"


def is_about(one: dict[str, Any], facts: dict[str, str]) -> bool:
    """Was the subscription there, by its last words?"""
    kind = kind_of(one)
    if kind == "gateway":
        return bool(one["gateway"]) and one["gateway"] == facts.get("gateway")
    place = {
        "cell": f"cell {facts.get('cell', '')} in {facts.get('network', '')}",
        "network": f"network {facts.get('network', '')}",
        "model": f"model {facts.get('device', '')[:8]}",
        "software": f"model {facts.get('device', '')[:8]} software {facts.get('software', '')}",
    }[kind]
    return one["about"] in (place, place.removesuffix(" in "))


def sentence(one: dict[str, Any]) -> str:
    """How a story tells it."""
    if one["detector"] == GATEWAY_SILENT:
        return f"Its gateway {one['gateway']} was silent then. [{one['id']}]"
    others = max(0, int(one["now"]) - 1)
    return f"It fell silent together with {others} others of {one['about']}. [{one['id']}]"


def since_sentence(one: dict[str, Any]) -> str:
    """How a story tells it of one that had no session then."""
    if one["detector"] == GATEWAY_SILENT:
        return f"its gateway {one['gateway']} is silent. [{one['id']}]"
    return f"{one['now']} of {one['about']} fell silent together. [{one['id']}]"
