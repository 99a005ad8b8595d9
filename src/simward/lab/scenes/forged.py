"""Attacks on RADIUS itself: packets that must never become events."""

from __future__ import annotations

from simward.lab.scenes.scene import Attack
from simward.lab.scripts import (
    ACCEPT,
    ACKNOWLEDGED,
    ASK,
    ATTACH,
    GATEWAY_ON,
    INTERIM,
    PHONE,
    RANDOM,
    SILENCE,
    STRANGER,
    TRUNCATED,
    UNSIGNED,
    WRONG_SECRET,
    Act,
)


class ForgedAccess(Attack):
    """Forged requests: unsigned, wrong secret, random, truncated, from a stranger.

    Each must be dropped without an answer, and counted.
    """

    id = "forged-access"
    radius_only = True
    rank = 7
    did = "dropped and counted; nothing believed"

    def acts(self, strength: float) -> tuple[Act, ...]:
        """Every way to spoil a request, then an honest one."""
        ways = (UNSIGNED, WRONG_SECRET, RANDOM, TRUNCATED, STRANGER)
        return *(Act(ASK, SILENCE, device=PHONE, forged=way) for way in ways), Act(ATTACH, ACCEPT)


class ForgedAccounting(Attack):
    """Forged accounting: a phone in an honest session, a restart of the gateway.

    Each must be dropped without an answer, and the honest session stays.
    """

    id = "forged-accounting"
    radius_only = True
    rank = 13
    did = "dropped and counted; the honest sessions stay"

    def acts(self, strength: float) -> tuple[Act, ...]:
        """Around an honest session."""
        ways = (WRONG_SECRET, TRUNCATED, STRANGER)
        return (
            Act(ATTACH, ACCEPT),
            *(Act(INTERIM, SILENCE, device=PHONE, forged=way) for way in ways),
            Act(GATEWAY_ON, SILENCE, forged=WRONG_SECRET),
            Act(INTERIM, ACKNOWLEDGED),
        )
