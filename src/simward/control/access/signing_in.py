"""Signing in: a name and a password, then a code where there is a second factor; bounded and audited.

Between the two the browser holds what it has shown so far, sealed: nothing is kept here of who does not go on.
"""

from __future__ import annotations

import json
import logging
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from simward.control.access import second_factor
from simward.control.access.attempts import Attempts
from simward.control.access.passwords import Passwords
from simward.control.access.sessions import BY_PASSWORD, Sessions
from simward.control.api.asking import Asking
from simward.control.api.wrong_tokens import counted_as
from simward.errors import RegistryError
from simward.logs import called
from simward.registry import accounts, sessions
from simward.registry.audit import Deed, note
from simward.registry.database import Registry
from simward.registry.sealing import Vault
from simward.registry.tables import DEFAULT_TENANT

log = logging.getLogger(__name__)

ADDRESS_TRIES, ADDRESS_WITHIN_S = 20, 60.0
ACCOUNT_TRIES, ACCOUNT_WITHIN_S = 10, 600.0
CODE_TRIES = 5
PASSED_US = 5 * 60 * 1_000_000
"""So long after the password a code is taken."""
KNOWN_S = 180 * 86_400
RESULTS = ("signed-in", "wrong-password", "wrong-code", "too-many")
"""What becomes of a try, for the metrics."""
WRONG = "Name or password is wrong."
WRONG_CODE = "The code is wrong, or was used already."
TOO_LATE = "That took too long: sign in again."


@dataclass(frozen=True)
class Caller:
    """Where somebody signs in from."""

    address: str = ""
    agent: str = ""
    known: str = ""
    """What shows that somebody signed in before in this browser."""


@dataclass(frozen=True)
class Outcome:
    """What came of it: a `cookie` for who is in; what has `passed`, where a code is wanted; or what is `said`."""

    cookie: str = ""
    name: str = ""
    known: str = ""
    passed: str = ""
    said: str = ""
    wait_s: int = 0
    lacks_second_factor: bool = False
    """It is in, and nothing is open to it before it has set one up."""


class SigningIn:
    """Who has the right password, and the right code, gets a session."""

    def __init__(
        self, registry: Registry, vault: Vault, passwords: Passwords, sessions: Sessions, now: Callable[[], int]
    ) -> None:
        self._asking, self._vault, self._passwords = Asking(registry), vault, passwords
        self._sessions, self._now = sessions, now
        self.by_address = Attempts(ADDRESS_TRIES, ADDRESS_WITHIN_S)
        self.by_account = Attempts(ACCOUNT_TRIES, ACCOUNT_WITHIN_S)
        self.by_code = Attempts(CODE_TRIES, ACCOUNT_WITHIN_S)
        self.counts: Counter[str] = Counter(dict.fromkeys(RESULTS, 0))
        self._failed: dict[str, tuple[int, str]] = {}
        """Name of an account -> how often it failed, and from where last; since the last tick."""

    async def password(self, name: str, password: str, caller: Caller) -> Outcome:
        """The first step."""
        name = name.strip().lower()
        counted = self._counted(name, caller.known)
        wait_s = self.by_address.begin(counted_as(caller.address)) or self.by_account.begin(counted)
        if wait_s:
            self.counts["too-many"] += 1
            return _wait(wait_s)
        row = await self._asking.read(lambda c: accounts.by_name(c, name))
        usable = row is not None and row.enabled
        verdict = await self._passwords.verify(row.password if usable and row is not None else None, password)
        if row is None or not verdict.right:
            self.counts["wrong-password"] += 1
            self._note_failure(row, caller)
            return Outcome(said=WRONG)
        self.by_account.was_right(counted)
        if verdict.stale:
            again = await self._passwords.hash(password)
            await self._asking.write(lambda c: accounts.change(c, row.id, password=again))
        return await self.past_password(row, BY_PASSWORD, caller)

    async def past_password(self, row: Any, how: str, caller: Caller) -> Outcome:
        """The password, or what stands for it, was right: on to the code, or in."""
        if row.second_factor is not None:
            return Outcome(passed=self._sealed(row))
        return await self.begin(row, how, caller)

    async def code(self, passed: str, shown: str, caller: Caller) -> Outcome:
        """The second step: a code of the app, or a recovery code."""
        row = await self._opened(passed)
        if row is None:
            return Outcome(said=TOO_LATE)
        wait_s = self.by_address.begin(counted_as(caller.address)) or self.by_code.begin(row.id)
        if wait_s:
            self.counts["too-many"] += 1
            return _wait(wait_s)
        if not await self.takes(row, shown):
            self.counts["wrong-code"] += 1
            self._note_failure(row, caller)
            return Outcome(said=WRONG_CODE, passed=passed)
        self.by_code.was_right(row.id)
        return await self.begin(row, "password and code", caller)

    async def takes(self, row: Any, shown: str) -> bool:
        """Is this a code of this account's second factor, not taken before? It is taken then."""
        if row.second_factor is None:
            return False
        try:
            step = second_factor.step_of(self.secret_of(row), shown, self._now() // 1_000_000)
        except RegistryError as error:  # recovery codes do not need the key
            log.error("codes of %s cannot be checked: %s", row.name, error, extra=called("codes-not-checked"))
            step = None
        digest = second_factor.recovery_digest(shown)

        def take(connection: sa.Connection) -> bool:
            if step is not None:
                return accounts.use_step(connection, row.id, step)
            return digest is not None and accounts.use_recovery_code(connection, row.id, digest)

        return await self._asking.write(take) if step is not None or digest is not None else False

    async def confirms(self, row: Any, password: str) -> str:
        """Is it the account's password, typed once more? What is wrong, in words; empty where nothing is."""
        if wait_s := self.by_code.begin(f"again {row.id}"):
            return _wait(wait_s).said
        if not (await self._passwords.verify(row.password, password)).right:
            return "The password is wrong."
        self.by_code.was_right(f"again {row.id}")
        return ""

    def secret_of(self, row: Any) -> str:
        """The secret of an account's second factor. RegistryError where it cannot be opened."""
        return self._vault.open(f"second factor of account {row.id}", bytes(row.second_factor)).decode()

    async def begin(
        self, row: Any, how: str, caller: Caller, *, tenant: str = "",
        more: Callable[[sa.Connection], None] | None = None,
    ) -> Outcome:  # fmt: skip
        """A session for an account, whose cookie has never been seen before; `more` is done in the same transaction.

        It works in `tenant`, or in the first that the account is something in (all of them come first).
        """
        now = self._now()

        def act(connection: sa.Connection) -> Outcome:
            if more is not None:
                more(connection)
            tenants = accounts.memberships(connection, [row.id])[row.id]
            if not tenants:
                return Outcome(said="This account is a member of nothing: ask an administrator.")
            works_in = tenant if tenant in tenants else min(tenants)  # * sorts before every name
            opener = sessions.begin(
                connection, row.id, works_in, how, now, now + self._sessions.most_us, address=caller.address,
                agent=caller.agent,
            )  # fmt: skip
            accounts.change(connection, row.id, signed_in_at=now)
            after = {"how": how, "address": caller.address, "session": opener.id}
            audit(connection, now, row.name, "session.begin", f"account {row.name}", works_in, after=after)
            opened = sessions.again(connection, opener.id, now)
            lacks = self._sessions.lacks_second_factor(opened)
            return Outcome(cookie=opener.text, name=row.name, known=self._known(row), lacks_second_factor=lacks)

        outcome = await self._asking.write(act)
        self.counts["signed-in"] += bool(outcome.cookie)
        return outcome

    def tick(self, connection: sa.Connection, now: int) -> None:
        """See Ticking: audit what failed. At once a stranger could have a write done for each of its tries."""
        failed, self._failed = self._failed, {}
        for name, (times, address) in failed.items():
            after = {"times": times, "address": address}
            audit(connection, now, name, "session.refused", f"account {name}", accounts.EVERY, after=after)

    def _note_failure(self, row: Any, caller: Caller) -> None:
        if row is not None:  # of names that are nobody's there is no end
            self._failed[row.name] = (self._failed.get(row.name, (0, ""))[0] + 1, caller.address)

    def _counted(self, name: str, known: str) -> str:
        """Under which name tries are counted: strangers cannot keep out who signed in in this browser before."""
        try:
            said = unsealed(self._vault, "known browser", known)
            return f"known {said['nonce']}" if said["name"] == name else f"account {name[:128]}"
        except (RegistryError, ValueError, KeyError, TypeError):
            return f"account {name[:128]}"

    def _known(self, row: Any) -> str:
        said = {"name": row.name, "nonce": secrets.token_hex(8)}
        return sealed_text(self._vault, "known browser", said)

    def _sealed(self, row: Any) -> str:
        said = {"account": row.id, "password_at": row.password_at, "until": self._now() + PASSED_US}
        return sealed_text(self._vault, "sign-in", said)

    async def _opened(self, passed: str) -> Any | None:
        """The account that has shown its password; None where that was not so, or is too long ago."""
        try:
            said = unsealed(self._vault, "sign-in", passed)
        except (RegistryError, ValueError):
            return None
        row = await self._asking.read(lambda c: accounts.by_id(c, said["account"]))
        fresh = row is not None and row.enabled and row.password_at == said["password_at"]
        return row if fresh and self._now() < said["until"] else None


def audit(
    connection: sa.Connection, at: int, actor: str, what: str, object_: str, tenant: str | None, *, why: str = "",
    before: dict[str, Any] | None = None, after: dict[str, Any] | None = None,
) -> None:  # fmt: skip
    """Note what was done to an account or a session."""
    whose = DEFAULT_TENANT if tenant in (None, accounts.EVERY) else str(tenant)
    note(connection, Deed(
        at=at, actor=actor, what=what, object=object_, tenant=whose, why=why, before=before, after=after
    ))  # fmt: skip


def sealed_text(vault: Vault, context: str, said: dict[str, Any]) -> str:
    """For a browser to keep, in a cookie or a field of a form: it can neither read nor change it."""
    return urlsafe_b64encode(vault.seal(context, json.dumps(said).encode())).rstrip(b"=").decode()


def unsealed(vault: Vault, context: str, text: str) -> dict[str, Any]:
    """The same back. RegistryError, ValueError where it is none."""
    said: dict[str, Any] = json.loads(vault.open(context, urlsafe_b64decode(text + "=" * (-len(text) % 4))))
    return said


def _wait(wait_s: int) -> Outcome:
    minutes = -(-wait_s // 60)
    said = f"Too many tries: wait {minutes} minute{'s' if minutes > 1 else ''}, and try again."
    return Outcome(said=said, wait_s=wait_s)
