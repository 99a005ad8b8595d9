"""Sessions as a gateway drives them: attach, report, leave; each sends real packets and says what the answer was."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from simward.lab import packets
from simward.lab.fleet import Device, Place, Subscription
from simward.lab.gateway import Answer, Gateway
from simward.lab.packets import Bearer, Usage
from simward.lab.scripts import ACCEPT, ACKNOWLEDGED, REJECT, SILENCE
from simward.wire.radius.dictionary import Code

WORDS = {
    Code.ACCESS_ACCEPT: ACCEPT, Code.ACCESS_REJECT: REJECT, Code.ACCOUNTING_RESPONSE: ACKNOWLEDGED, 0: SILENCE,
}  # fmt: skip

Told = Callable[[str], None]
"""Called once with the answer in words."""


@dataclass
class Manner:
    """How the network treats the packets of a step."""

    twice: bool = False
    loses_answer: bool = False


@dataclass
class Session:
    """A session that a gateway holds."""

    gateway: Gateway
    bearer: Bearer

    @property
    def number(self) -> int:
        """Of the subscription."""
        return self.bearer.who.number


@dataclass
class Tally:
    """Everything that came back, for the figures and for what must not be."""

    answers: dict[str, int] = field(default_factory=dict)
    decision_ms: list[float] = field(default_factory=list)
    accounting_ms: list[float] = field(default_factory=list)
    refused: list[tuple[int, str]] = field(default_factory=list)
    """Subscription number and Reply-Message of every Access-Reject."""
    unanswered: list[tuple[int, str]] = field(default_factory=list)
    addresses: dict[int, str] = field(default_factory=dict)
    """The Framed-IP-Address that each subscription was given."""
    address_faults: list[str] = field(default_factory=list)

    @property
    def acknowledged(self) -> int:
        """Requests that the gate answered, whatever it said; each must be in its journal once."""
        return sum(self.answers.get(word, 0) for word in (ACCEPT, REJECT, ACKNOWLEDGED))

    def note(self, number: int, asked: str, answer: Answer) -> str:
        """Count one answer and give it in words."""
        word = WORDS.get(answer.code, f"code {answer.code}")
        self.answers[word] = self.answers.get(word, 0) + 1
        if answer.packet is None:
            self.unanswered.append((number, asked))
            return word
        if answer.attempts == 1:
            (self.decision_ms if word in (ACCEPT, REJECT) else self.accounting_ms).append(answer.milliseconds)
        if word == REJECT:
            self.refused.append((number, str(answer.get("Reply-Message") or "")))
        if word == ACCEPT:
            self._address(number, str(answer.get("Framed-IP-Address") or ""))
        return word

    def _address(self, number: int, address: str) -> None:
        """A subscription keeps its address, and nobody else has it."""
        if not address:
            return
        known = self.addresses.setdefault(number, address)
        if known != address:
            self.address_faults.append(f"subscription {number} was given {known}, then {address}")

    def clashes(self) -> list[str]:
        """Addresses that two subscriptions were given."""
        holders: dict[str, int] = {}
        found = []
        for number, address in self.addresses.items():
            if address in holders:
                found.append(f"{address} was given to subscriptions {holders[address]} and {number}")
            holders[address] = number
        return found


class Driver:
    """Sends what sessions do through gateways and keeps the tally."""

    def __init__(self, tally: Tally) -> None:
        self.tally = tally

    def attach(
        self, gateway: Gateway, who: Subscription, device: Device | None, place: Place,
        opened: Callable[[Session], None], told: Told, *, rat: str = "", apn: str = "", manner: Manner | None = None,
        ago_s: int = 0, wrong_password: bool = False,
    ) -> None:  # fmt: skip
        """Access-Request, and where it is accepted the Accounting Start; `told` is called when both are answered.

        The Start says that it happened `ago_s` ago.
        """
        session_id, charging_id = gateway.next_session()
        bearer = Bearer(
            who, session_id, charging_id, device, place, rat or who.rat, apn or who.apn, wrong_password=wrong_password
        )
        how = manner or Manner()

        def decided(answer: Answer) -> None:
            word = self.tally.note(who.number, "Access-Request", answer)
            if word != ACCEPT:
                told(word)
                return
            token = answer.get("Class")
            address = str(answer.get("Framed-IP-Address") or "")
            session = Session(
                gateway, replace(bearer, address=address, token=token if isinstance(token, bytes) else b"")
            )
            gateway.sessions[session_id] = who.number
            opened(session)
            self.report(
                session, packets.START, lambda answered: told(ACCEPT if answered == ACKNOWLEDGED else answered),
                ago_s=ago_s,
            )  # fmt: skip

        gateway.ask(
            gateway.auth_port, lambda identifier, _: packets.access_request(bearer, gateway.nas, identifier), decided,
            twice=how.twice, loses_answer=how.loses_answer,
        )  # fmt: skip

    def report(
        self, session: Session, status: str, told: Told, usage: Usage | None = None, manner: Manner | None = None,
        ago_s: int = 0,
    ) -> None:  # fmt: skip
        """One Accounting-Request about a session, as its bearer stands now."""
        happened_at, bearer, how = int(time.time()) - ago_s, session.bearer, manner or Manner()
        gateway = session.gateway
        if status == packets.STOP:
            gateway.sessions.pop(bearer.session_id, None)

        def build(identifier: int, delay_s: int) -> bytes:
            return packets.accounting_request(
                bearer, status, usage or Usage(), gateway.nas, identifier, happened_at, delay_s
            )

        def answered(answer: Answer) -> None:
            told(self.tally.note(bearer.who.number, f"Accounting-Request ({status})", answer))

        gateway.ask(gateway.accounting_port, build, answered, twice=how.twice, loses_answer=how.loses_answer)

    def gateway_report(self, gateway: Gateway, status: str, told: Told) -> None:
        """Accounting-On or Accounting-Off."""
        happened_at = int(time.time())

        def build(identifier: int, delay_s: int) -> bytes:
            return packets.gateway_report(status, gateway.nas, identifier, happened_at, delay_s)

        gateway.ask(gateway.accounting_port, build, lambda answer: told(self.tally.note(-1, status, answer)))
