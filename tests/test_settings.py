"""simward.toml: read whole, wrong in every way at once, and secrets that stay secret."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from simward.errors import ConfigurationError, UsageError
from simward.settings import Settings, write_initial

GATEWAY = """
[[gateway]]
name = "pgw1"
address = "127.0.0.1"
secret = "long enough to be one"
"""


def load(folder: Path, text: str) -> Settings:
    """Settings from this text, in a file that only its owner reads."""
    path = folder / "simward.toml"
    path.touch(mode=0o600)
    path.write_text(text)
    return Settings.load(folder)


def problems(folder: Path, text: str) -> list[str]:
    """Every problem, without the folder."""
    with pytest.raises(ConfigurationError) as caught:
        load(folder, text)
    return [str(problem).replace(f"{folder}/", "") for problem in caught.value.problems]


def test_everything_has_a_default(tmp_path: Path) -> None:
    settings = load(tmp_path, GATEWAY)
    assert (str(settings.gate.auth), str(settings.gate.accounting)) == ("127.0.0.1:1812", "127.0.0.1:1813")
    assert settings.gate.unknown_subscription == "reject"
    assert settings.gate.when_not_durable == "refuse"
    assert settings.gateways[0].dynauth is None
    assert settings.gateways[0].require_message_authenticator and settings.gateways[0].limit_proxy_state
    assert settings.data_dir == tmp_path / "data"
    assert not settings.warnings


def test_everything_may_be_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APP_SECRET", "whsec_0123456789abcdef0123456789abcdef")
    (tmp_path / "pgw.secret").touch(mode=0o600)
    (tmp_path / "pgw.secret").write_text("a secret of enough octets\n")
    settings = load(
        tmp_path,
        """
        [gate]
        auth = "[::1]:1812"
        accounting = "0.0.0.0:0"
        unknown_subscription = "allow"
        when_not_durable = "allow"
        interim_interval = "10m"
        session_timeout = "24h"
        [[gateway]]
        name = "proxy"
        address = "2001:db8::/32"
        secret_file = "pgw.secret"
        dynauth = "[2001:db8::1]"
        require_message_authenticator = false
        limit_proxy_state = false
        [[endpoint]]
        name = "app"
        kind = "webhook"
        url = "https://app.example/hook"
        secret_env = "APP_SECRET"
        events = ["binding.*"]
        allow_private = true
        [[party]]
        name = "dm"
        endpoint = "app"
        use_cases = ["water-meter"]
        may = ["release", "keep"]
        acknowledge_within = "15m"
        token = "a token of enough octets"
        [control]
        http = "127.0.0.1:8081"
        """,
    )
    assert settings.gate.auth == ("::1", 1812)
    assert str(settings.gate.auth) == "[::1]:1812"
    assert (settings.gate.interim_interval_s, settings.gate.session_timeout_s) == (600, 86_400)
    [gateway] = settings.gateways
    assert gateway.secret == b"a secret of enough octets"
    assert gateway.dynauth == ("2001:db8::1", 3799)
    assert settings.endpoints[0].mode == "structured" and settings.endpoints[0].ca_file is None
    assert settings.parties[0].token == b"a token of enough octets"
    assert settings.endpoints[0].secret == b"whsec_0123456789abcdef0123456789abcdef"
    assert settings.parties[0].acknowledge_within_s == 900
    assert [str(one.what) for one in settings.warnings] == [
        "requests without it can be forged (CVE-2024-3596)",
        "answers to unsigned requests with Proxy-State can be forged (CVE-2024-3596)",
    ]


def test_the_most_specific_gateway_comes_first(tmp_path: Path) -> None:
    settings = load(tmp_path, GATEWAY.replace("127.0.0.1", "10.0.0.0/8") + GATEWAY.replace("pgw1", "pgw2"))
    assert [one.name for one in settings.gateways] == ["pgw2", "pgw1"]


def test_every_problem_is_named_at_once(tmp_path: Path) -> None:
    text = """[gate]
auth = "localhost:1812"
acounting = "127.0.0.1:1813"
unknown_subscription = "rejct"
interim_interval = "10s"
session_timeout = 300
[[gateway]]
name = "a"
address = "10.0.0.1/8"
secret = "x"
secret_file = "y"
[[gateway]]
address = "::1"
secret_env = "SIMWARD_TEST_NOT_SET"
dynauth = "::1:3799"
[[gateway]]
name = "a"
address = "nowhere"
[[party]]
name = "dm"
endpoint = "ap"
may = ["releas"]
[[party]]
name = "dm"
endpoint = "ap"
[gat]
"""
    assert problems(tmp_path, text) == [
        "simward.toml:2: gate.auth: 'localhost' is not an IP address "
        "(names are not looked up: write 127.0.0.1 or [::1])",
        "simward.toml:3: gate.acounting: unknown key (did you mean 'accounting'?)",
        "simward.toml:4: gate.unknown_subscription: 'rejct' is not a choice (did you mean 'reject'?)",
        "simward.toml:5: gate.interim_interval: an Acct-Interim-Interval is at least 60 s "
        "(600 s or more is advised (RFC 2869 5.16))",
        "simward.toml:6: gate.session_timeout: '300' has no unit (write it like 24h, 15m or 1 s)",
        "simward.toml:9: gateway[0].address: '10.0.0.1/8' has bits behind its prefix (did you mean '10.0.0.0/8'?)",
        "simward.toml:11: gateway[0].secret_file: secret is given too (exactly one of secret, secret_file, secret_env)",
        "simward.toml:12: gateway[1]: name is missing",
        "simward.toml:14: gateway[1].secret_env: the environment variable SIMWARD_TEST_NOT_SET is not set",
        "simward.toml:15: gateway[1].dynauth: '::1:3799' is not an address and a port "
        "(write it like 127.0.0.1:1812 or [::1]:1812)",
        "simward.toml:16: gateway[2]: no secret (exactly one of secret, secret_file, secret_env)",
        "simward.toml:18: gateway[2].address: 'nowhere' is not an address or a CIDR "
        "(write it like 192.0.2.7 or 192.0.2.0/24)",
        "simward.toml:21: party[0].endpoint: no endpoint 'ap' (there is none)",
        "simward.toml:22: party[0].may: 'releas' is not a choice (did you mean 'release'?)",
        "simward.toml:24: party[1].name: a second party named 'dm'",
        "simward.toml:25: party[1].endpoint: no endpoint 'ap' (there is none)",
        "simward.toml:26: gat: unknown section (did you mean 'gate'?)",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[gate\n", "simward.toml:1: not TOML: "),
        ("[gate]\nauth = 1\nauth = 2\n", "simward.toml:3: not TOML: "),
        ("gateway = 3\n", "simward.toml:1: gateway: there may be several (write [[gateway]])"),
        ("[gateway]\nname = 'a'\n", "simward.toml:1: gateway: there may be several (write [[gateway]])"),
        ("gate = 3\n", "simward.toml:1: gate: should be a table"),
        (GATEWAY + GATEWAY.replace("pgw1", "b"), "simward.toml:9: gateway[1].address: 127.0.0.1/32 is already"),
        (GATEWAY.replace("secret =", "secret_file ="), "simward.toml:5: gateway[0].secret_file: "),
    ],
)
def test_it_is_told_where(tmp_path: Path, text: str, expected: str) -> None:
    assert problems(tmp_path, text)[0].startswith(expected)


def test_no_settings_at_all(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no such file") as caught:
        Settings.load(tmp_path)
    assert caught.value.exit_code == 2


def test_secrets_never_print(tmp_path: Path) -> None:
    settings = load(tmp_path, GATEWAY)
    assert settings.gateways[0].secret == b"long enough to be one"
    assert "long enough" not in repr(settings) + str(settings)


@pytest.mark.parametrize(("mode", "warned"), [(0o600, False), (0o640, False), (0o644, True)])
def test_a_secret_that_everybody_may_read_is_a_warning(tmp_path: Path, mode: int, warned: bool) -> None:
    (tmp_path / "pgw.secret").write_text("a secret of enough octets")
    (tmp_path / "pgw.secret").chmod(mode)
    settings = load(tmp_path, GATEWAY.replace('secret = "long enough to be one"', 'secret_file = "pgw.secret"'))
    assert bool(settings.warnings) == warned


def test_a_short_secret_and_no_gateway_are_warnings(tmp_path: Path) -> None:
    assert "guessed" in load(tmp_path, GATEWAY.replace("long enough to be one", "testing123")).warnings[0].what
    assert "every packet will be dropped" in load(tmp_path, "").warnings[0].what


def test_init_makes_a_folder_that_is_right(tmp_path: Path) -> None:
    written = write_initial(tmp_path / "new")
    settings = Settings.load(tmp_path / "new")
    assert all(path.is_file() for path in written)
    assert not settings.warnings
    assert len(settings.gateways[0].secret) >= 32
    assert stat.S_IMODE((tmp_path / "new" / "gateway.secret").stat().st_mode) == 0o600
    assert stat.S_IMODE(settings.data_dir.stat().st_mode) == 0o700


@pytest.mark.parametrize("there", ["simward.toml", "policies", "inventory.csv", "gateway.secret", "data"])
def test_init_overwrites_nothing(tmp_path: Path, there: str) -> None:
    (tmp_path / there).write_text("mine")
    with pytest.raises(UsageError, match=there):
        write_initial(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [there]
    assert (tmp_path / there).read_text() == "mine"


def test_two_proxies_in_front_of_one_gateway_share_its_name(tmp_path: Path) -> None:
    text = """
    [[gateway]]
    name = "pgw1"
    address = "192.0.2.1"
    secret = "the secret of proxy one"
    dynauth = "192.0.2.1"
    coa = true
    [[gateway]]
    name = "pgw1"
    address = "192.0.2.2"
    secret = "the secret of proxy two"
    """
    one, two = load(tmp_path, text).gateways
    assert (one.name, two.name) == ("pgw1", "pgw1") and one.secret != two.secret
    assert one.coa and two.dynauth is None


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ('dynauth = "192.0.2.2"', "gateway[0] of the same name says 192.0.2.1"),
        ('dynauth = "192.0.2.1"', "gateway[0] of the same name says it too, with another secret or coa"),
    ],
)
def test_one_gateway_takes_requests_in_one_place(tmp_path: Path, more: str, expected: str) -> None:
    other = GATEWAY.replace("127.0.0.1", "127.0.0.2").replace("long", "Long")
    text = GATEWAY + 'dynauth = "192.0.2.1"\n' + other + more
    (problem,) = problems(tmp_path, text)
    assert problem.startswith("simward.toml:12: gateway[1].dynauth: " + expected)


def test_coa_needs_a_place_to_send_it(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, GATEWAY + "coa = true\n")
    assert problem == "simward.toml:6: gateway[0].coa: means nothing without dynauth (say where it takes CoA-Requests)"


def test_secrets_of_policies_are_read_as_others_and_not_printed(tmp_path: Path) -> None:
    (tmp_path / "apn.secret").touch(mode=0o600)
    (tmp_path / "apn.secret").write_text("a password of meters\n")
    text = GATEWAY + '[[secret]]\nname = "meters"\nsecret_file = "apn.secret"\n'
    settings = load(tmp_path, text)
    assert settings.secrets == {"meters": b"a password of meters"}
    assert "a password" not in repr(settings)
    assert problems(tmp_path, GATEWAY + f'[[secret]]\nname = "meters"\nsecret = "{"x" * 129}"\n') == [
        "simward.toml:6: secret[0]: 129 octets: a password has at most 128 (RFC 2865 5.2)"
    ]


ENDPOINT = """
[[endpoint]]
name = "app"
kind = "webhook"
url = "https://app.example/hook"
secret = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
"""
PARTY = """
[[party]]
name = "dm"
endpoint = "app"
token = "a token of enough octets"
"""


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (("webhook", "webhok"), "endpoint[0].kind: 'webhok' is not a choice (did you mean 'webhook'?)"),
        (("https://app.example/hook", "app.example"), "endpoint[0].url: 'app.example' is not a URL of HTTP"),
        (("https:", "http:"), "endpoint[0].url: identities would be sent in the clear"),
        (("https://app", "https://me:secret@app"), "endpoint[0].url: names a user or a password"),
        (("whsec_MDEy", "whsec_M!"), "endpoint[0].secret: is no secret of Standard Webhooks (whsec_ and base64)"),
        (('secret = "whsec', 'ca_file = "none.pem"\nsecret = "whsec'), "endpoint[0].ca_file: no such file"),
        (("secret =", "previous_secret ="), "endpoint[0]: no secret (exactly one of secret, secret_file, secret_env)"),
        (("url =", 'events = ["Binding.*"]\nurl ='), "endpoint[0].events: 'Binding.*' is not a pattern of a type"),
    ],
)
def test_an_endpoint_that_cannot_be_meant(tmp_path: Path, change: tuple[str, str], expected: str) -> None:
    [said] = problems(tmp_path, GATEWAY + ENDPOINT.replace(*change))
    assert expected in said
    assert "whsec" not in said or "Standard Webhooks" in said


def test_an_endpoint_may_take_every_type_that_is_announced(tmp_path: Path) -> None:
    from simward.response.announcing import TYPES

    patterns = (*TYPES, *{name.partition(".")[0] + ".*" for name in TYPES})
    [endpoint] = load(tmp_path, GATEWAY + ENDPOINT + f"events = {list(patterns)}\n").endpoints
    assert endpoint.events == patterns


def test_an_endpoint_in_the_clear_is_a_warning_unless_it_is_this_machine(tmp_path: Path) -> None:
    nearby = ENDPOINT.replace("https:", "http:") + "allow_private = true\n"
    assert "in the clear" in load(tmp_path, GATEWAY + nearby).warnings[0].what
    assert not load(tmp_path, GATEWAY + nearby.replace("app.example", "127.0.0.1:9000")).warnings


def test_two_parties_of_one_token_cannot_be_told_apart(tmp_path: Path) -> None:
    [said] = problems(tmp_path, GATEWAY + ENDPOINT + PARTY + PARTY.replace("dm", "app"))
    assert said == "simward.toml:18: party[1]: has the token of 'dm' (give each its own)"


def test_secrets_of_endpoints_and_parties_never_print(tmp_path: Path) -> None:
    settings = load(tmp_path, GATEWAY + ENDPOINT + PARTY)
    assert not settings.warnings
    assert "MDEy" not in repr(settings) and "a token" not in repr(settings)


def test_folders_of_call_detail_records(tmp_path: Path) -> None:
    write_initial(tmp_path)
    said = (tmp_path / "simward.toml").read_text()
    (tmp_path / "simward.toml").write_text(said + '\n[cdr]\nkeep = "forever"\nfolders = {"in/op1" = "operator-csv"}\n')
    settings = Settings.load(tmp_path)
    assert settings.cdr.keep_s == 0
    assert settings.cdr_folders == {tmp_path / "in" / "op1": "operator-csv"}
    (tmp_path / "simward.toml").write_text(said + '\n[cdr]\nkeep = "1h"\nfolders = "in"\n')
    with pytest.raises(ConfigurationError) as found:
        Settings.load(tmp_path)
    assert "at least 1d" in str(found.value) and "should be a table of texts" in str(found.value)
