"""Parties: who is told of a broken binding, what each answers, and what follows where one does not answer in time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import sqlalchemy as sa

from simward.errors import RefusedError
from simward.registry import parties as kept
from simward.registry.audit import Deed, note, subject_of
from simward.registry.outbox import Settled
from simward.settings import Party

SECOND_US = 1_000_000
COMMANDS = ("release", "lock", "quarantine", "disconnect")
"""Actions that are commands to the gate. "keep" is to leave it as it is."""
SUBJECT_DIGITS = 16
"""Of a name in the audit, in a command's id: enough to tell apart who is in one incident."""


class NotTold(RefusedError):
    """A party answers for an incident that it was not told of."""


class NotPermitted(RefusedError):
    """A party asks for what its `may` does not name."""


class NotPossible(RefusedError):
    """What a party asks for cannot be done: this gate takes no such command, or nobody knows for which SIM."""


class BrokenAgain(Exception):
    """An answer names no break, or an earlier one, and the SIM was broken again since."""


class Story(Protocol):
    """Who tells an incident's story: an entry, and `incident.changed` to all who take it."""

    def change(
        self, connection: sa.Connection, number: int, at: int, what: str, text: str, actor: str = "",
        cause: str | None = None, facts: dict[str, Any] | None = None,
    ) -> Any:  # fmt: skip
        """One line."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """An acknowledgement as it stands. `late`: after its deadline; `repeated`: nothing new was said."""

    incident: int
    party: str
    action: str | None
    reason: str
    answered_at: int
    late: bool
    repeated: bool
    command: str | None
    """The id of the command that follows from it."""
    iccid: str | None


def concerned(parties: Sequence[Party], use_case: str | None) -> list[Party]:
    """Whom a use case concerns: who names it, and who names none."""
    return [party for party in parties if not party.use_cases or use_case in party.use_cases]


def note_told(connection: sa.Connection, incident: int, announcement: str, parties: Sequence[Party], now: int) -> None:
    """An announcement is on its way to these parties: from now on their time to acknowledge runs.

    Who was told of an incident before is told again of what is new, and keeps its deadline.
    """
    for party in parties:
        within = party.acknowledge_within_s * SECOND_US
        kept.tell(connection, incident, party.name, announcement, now, now + within if within else None)


class Parties:
    """What parties answer. Everything inside the transaction of whoever asks."""

    def __init__(self, parties: Sequence[Party], story: Story) -> None:
        self._parties = {party.name: party for party in parties}
        self._story = story
        self.overdue = 0
        """How many acknowledgements did not come in time."""

    def delivered(self, connection: sa.Connection, settled: Sequence[Settled]) -> None:
        """Deliveries were acknowledged by HTTP: note it for the parties at those endpoints."""
        for one in settled:
            names = [party.name for party in self._parties.values() if party.endpoint == one.endpoint]
            if names and one.announcement.startswith("binding.broken:") and one.delivered_at is not None:
                kept.delivered(connection, one.announcement, names, one.delivered_at)

    def acknowledge(
        self, connection: sa.Connection, incident: int, name: str, action: str | None, reason: str, now: int,
        iccid: str | None = None, announcement: str | None = None,
    ) -> Recorded:  # fmt: skip
        """A party has seen an incident, and may ask for something. The same again changes nothing.

        `iccid`: which SIM of an incident with several; else the one that it was told of first. `announcement`: the
        `binding.broken` that it answers; needed where the SIM was broken more than once, so that an answer to the first
        that comes late does not release it from the second. Raises NotTold, NotPermitted, NotPossible, BrokenAgain.
        """
        party = self._parties.get(name)
        told = kept.told(connection, incident, name)
        if party is None or told is None:
            raise NotTold(f"{name} was not told of an incident {incident}")
        command, about = self._command(connection, told, party, action, (iccid, announcement), now)
        late = told.deadline_at is not None and (told.answered_at or now) > told.deadline_at
        # What the gate was asked before is not asked again, whatever was said in between: a request that comes late, or
        # twice, must not undo what followed it.
        if command is not None:
            nothing_new = kept.has_command(connection, command)
        else:
            nothing_new = action is None or action == told.action
        if told.answered_at is not None and nothing_new:
            return Recorded(
                incident, name, told.action, told.reason or "", told.answered_at, late, True, command, about.iccid
            )
        kept.answer(connection, incident, name, told.answered_at or now, action or told.action, reason)
        if command is not None:
            assert action is not None
            kept.ask(connection, {
                "id": command, "tenant": told.tenant, "do": action, "iccid": about.iccid, "actor": f"party {name}",
                "because": reason, "cause": told.announcement, "incident": incident, "asked_at": now, "next_at": now,
            })  # fmt: skip
        self._tell(connection, told, name, action, reason, late, now)
        note(connection, Deed(
            at=now, actor=f"party {name}", what="incident.answered", object=f"incident {incident}", why=reason,
            cause=told.announcement, tenant=told.tenant, imsi=about.imsi, iccid=about.iccid,
            after={"action": action, "late": late, "command": command},
        ))  # fmt: skip
        return Recorded(
            incident, name, action or told.action, reason, told.answered_at or now, late, False, command, about.iccid
        )

    def escalate(self, connection: sa.Connection, since: int, now: int) -> int:
        """Deadlines that passed after `since` without an answer: said once to all; gives how many."""
        found = kept.overdue(connection, since, now)
        for row in found:
            kept.escalated(connection, row.incident, row.party, now)
            reached = "it was delivered" if row.delivered_at else "it could not be delivered"
            text = f"{row.party} was to acknowledge and has not: {reached}."
            facts = {"party": row.party, "delivered": row.delivered_at is not None}
            self._story.change(connection, row.merged_into or row.incident, now, "unanswered", text, facts=facts)
        self.overdue += len(found)
        return len(found)

    def _command(
        self, connection: sa.Connection, told: Any, party: Party, action: str | None,
        which: tuple[str | None, str | None], now: int,
    ) -> tuple[str | None, kept.About]:  # fmt: skip
        """(id of the command that follows, what it is about)."""
        iccid, announcement = which
        about = kept.about(connection, told, iccid)
        if about is None or concerned([party], about.use_case or told.use_case) == []:
            raise NotTold(f"incident {told.incident} has no subscription with this ICCID that concerns {party.name}")
        if action is None:
            return None, about
        if action not in party.may:
            raise NotPermitted(f"{party.name} may not ask to {action} (see `may` in the settings)")
        if action == "keep":
            return None, about
        if action not in COMMANDS:
            raise NotPossible(f"the gate takes no command to {action} one subscription")
        if about.iccid is None:
            raise NotPossible("the inventory has no ICCID for this subscription: nobody can name it to the gate")
        # By its name in the audit, not by its number: the id stands in what cannot be changed any more.
        whose = subject_of(connection, about.imsi or about.iccid, now)[:SUBJECT_DIGITS]
        name = f"incident/{told.incident}/{action}/{whose}/{party.name}"
        breaks = kept.breaks(connection, told, about.imsi)
        if len(breaks) < 2:
            return name, about
        if announcement != breaks[-1]:
            raise BrokenAgain(f"it was broken again since: name the announcement that is answered ({breaks[-1]})")
        return f"{name}/{len(breaks)}", about

    def _tell(
        self, connection: sa.Connection, told: Any, name: str, action: str | None, reason: str, late: bool, now: int
    ) -> None:
        asks = {None: "has seen it", "keep": "has seen it: keep it as it is"}.get(action, f"asks to {action}")
        text = f"{name} {asks}{f': {reason}' if reason else ''}{' (late)' if late else ''}."
        facts = {"party": name, "action": action, "late": late}
        number = told.merged_into or told.incident
        self._story.change(connection, number, now, "answered", text, f"party {name}", told.announcement, facts)
