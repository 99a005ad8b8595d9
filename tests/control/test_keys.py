"""The key of sealed secrets: made, changed under way, lost; and what is sealed with it."""

from __future__ import annotations

import base64
import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import argon2
import pyotp
import pytest

from control.browser import PASSWORD, Browser, Page, account
from control.running import RunningControl
from control.test_people import new_folder, signing_in_of, simward, turned
from simward.control.access import keys
from simward.control.assembling import assemble
from simward.errors import ConfigurationError, RegistryError
from simward.registry.sealing import Vault, key_of, name_of
from simward.settings import Settings

ONE, OTHER = bytes(range(32)), bytes(32)


def test_what_is_sealed_opens_as_what_it_is_alone() -> None:
    vault = Vault([ONE])
    sealed = vault.seal("factor of a", b"secret")
    assert vault.open("factor of a", sealed) == b"secret" and b"secret" not in sealed
    assert vault.seal("factor of a", b"secret") != sealed
    with pytest.raises(RegistryError, match="not as it was sealed"):
        vault.open("factor of b", sealed)
    for at in range(len(sealed)):
        with pytest.raises(RegistryError):
            vault.open("factor of a", sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :])
    for short in (b"", sealed[:5], sealed[:-1]):
        with pytest.raises(RegistryError):
            vault.open("factor of a", short)


def test_an_older_key_still_opens_and_seals_no_more() -> None:
    before, both, after = Vault([OTHER]), Vault([ONE, OTHER]), Vault([ONE])
    sealed = before.seal("x", b"secret")
    assert both.open("x", sealed) == b"secret"
    assert after.open("x", both.seal("x", b"secret")) == b"secret"
    with pytest.raises(RegistryError, match="a key that is not here"):
        after.open("x", sealed)


@pytest.mark.parametrize("wrong", [[], [b"short"], [ONE, b""]])
def test_no_other_keys(wrong: list[bytes]) -> None:
    with pytest.raises(ValueError, match="32 octets"):
        Vault(wrong)
    for text in ("", "nonsense!", base64.b64encode(b"short").decode()):
        with pytest.raises(ValueError, match="base64 of 32 octets"):
            key_of(text)


@pytest.fixture
def control(tmp_path: Path) -> Iterator[RunningControl]:
    made = started(new_folder(tmp_path))
    yield made
    made.close()
    assert made.error is None


def started(folder: Path) -> RunningControl:
    made = RunningControl(folder, control=assemble(Settings.load(folder)))
    made.tcp()
    signing_in_of(made)._passwords._hasher = argon2.PasswordHasher(1, 8 * 1024, 1)
    return made


def with_second_factor(control: RunningControl, name: str) -> tuple[pyotp.TOTP, list[str]]:
    """An account with one; what makes its codes, and its recovery codes."""
    browser = account(control, name)
    page = browser.get("/account/second-factor")
    secret = pyotp.TOTP(re.search(r"Secret: <code>([A-Z2-7]+)", page.text)[1])  # type: ignore[index]
    shown = {"csrf": page.field("csrf"), "offered": page.field("offered"), "old": PASSWORD}
    answer = browser.post("/account/second-factor", code=secret.at(time.time() - 30), **shown)
    assert answer.status == 200, answer
    return secret, re.findall(r"<code>([^<]+)</code>", answer.text)


def by_code(control: RunningControl, name: str, code: str) -> Page:
    browser = Browser(control)
    return browser.post("/sign-in/code", passed=browser.sign_in(name, PASSWORD).field("passed"), code=code)


def sealed_in(folder: Path) -> bytes:
    with closing(sqlite3.connect(folder / "data" / "registry.sqlite")) as registry:
        return bytes(registry.execute("select second_factor from account").fetchone()[0])


def test_another_key_while_it_runs(control: RunningControl) -> None:
    folder = control.folder
    file = folder / "data" / "secrets.key"
    old = key_of(file.read_text())
    secret, recovery = with_second_factor(control, "ada")
    assert sealed_in(folder)[1:5] == name_of(old)
    said = simward(folder, "rotate-key", "--because", "somebody left")
    assert said.exit_code == 0 and "1 secrets are sealed again" in said.stdout
    [line] = file.read_text().splitlines()
    assert key_of(line) != old and sealed_in(folder)[1:5] == name_of(key_of(line))
    assert file.stat().st_mode & 0o777 == 0o600 and base64.b64encode(key_of(line)).decode() not in said.output
    assert by_code(control, "ada", secret.now()).status == 303
    entry = control.ask("GET", "/v1/audit").document["entries"]
    [told] = [one for one in entry if one["what"] == "key.rotate"]
    assert (told["why"], told["after"]["sealed_again"]) == ("somebody left", 1)
    control.close()
    again = started(folder)  # what was written is what is used
    try:
        assert by_code(again, "ada", recovery[0]).status == 303
    finally:
        again.close()


def test_only_the_owner_changes_it(control: RunningControl) -> None:
    token = control.ask("POST", "/v1/tokens", {"name": "a", "role": "administrator"}).document["token"]
    assert control.ask("POST", "/v1/rotate-key", {"because": "x"}, token=token).status == 403


def test_killed_between_it_is_finished_at_the_next_start(control: RunningControl) -> None:
    folder = control.folder
    file = folder / "data" / "secrets.key"
    _, recovery = with_second_factor(control, "ada")
    control.close()
    old = key_of(file.read_text())
    keys.write(file, [ONE, old])  # and then the power failed
    again = started(folder)
    try:
        assert sealed_in(folder)[1:5] == name_of(ONE)
        assert by_code(again, "ada", recovery[0]).status == 303
    finally:
        again.close()


def test_a_key_of_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = new_folder(tmp_path)
    file = folder / "simward.toml"
    file.write_text(file.read_text().replace("[control]\n", '[control]\nkey_env = "SIMWARD_KEY"\n'))
    for value, problem in (("", "holds no key"), ("nonsense", "is no key")):
        monkeypatch.setenv("SIMWARD_KEY", value)
        with pytest.raises(ConfigurationError, match=problem):
            assemble(Settings.load(folder))
    monkeypatch.setenv("SIMWARD_KEY", text(OTHER))
    made = started(folder)
    _, recovery = with_second_factor(made, "ada")
    refused = simward(folder, "rotate-key", "--because", "x")
    assert refused.exit_code == 1 and "SIMWARD_KEY" in refused.output
    made.close()
    monkeypatch.setenv("SIMWARD_KEY", f"{text(ONE)},{text(OTHER)}")
    started(folder).close()
    monkeypatch.setenv("SIMWARD_KEY", text(ONE))
    made = started(folder)
    try:
        assert by_code(made, "ada", recovery[0]).status == 303
        assert not (folder / "data" / "secrets.key").exists()
    finally:
        made.close()


def test_a_key_that_is_lost(control: RunningControl, caplog: pytest.LogCaptureFixture) -> None:
    folder = control.folder
    file = folder / "data" / "secrets.key"
    secret, recovery = with_second_factor(control, "ada")
    control.close()
    file.unlink()
    with pytest.raises(ConfigurationError, match="is not there, and the registry holds secrets that it opens"):
        assemble(Settings.load(folder))
    keys.write(file, [ONE])  # the way out that is documented
    again = started(folder)
    try:
        assert by_code(again, "ada", secret.now()).status == 403  # and not let in without
        assert "codes of ada cannot be checked" in caplog.text and "a key that is not here" in caplog.text
        assert by_code(again, "ada", recovery[0]).status == 303
        link = simward(folder, "account", "reset", "ada").stdout.strip()
        browser = Browser(again)
        assert browser.post(link.removeprefix(browser.origin), password=PASSWORD, again=PASSWORD).status == 303
    finally:
        again.close()


def test_who_asks_with_what_was_changed_gets_nowhere(control: RunningControl) -> None:
    _, recovery = with_second_factor(control, "ada")
    browser = Browser(control)
    passed = browser.sign_in("ada", PASSWORD).field("passed")
    answer = browser.post("/sign-in/code", passed=turned(passed), code=recovery[0])
    assert answer.status == 403 and "sign in again" in answer.text


def text(key: bytes) -> str:
    """As it is written."""
    return base64.b64encode(key).decode()
