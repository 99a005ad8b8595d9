"""`simward.toml`: what the operator set, checked all at once, with secrets that never print."""

from __future__ import annotations

import ipaddress
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from simward import toml_reading as read
from simward.behaviour_settings import BEHAVIOUR_KEYS as BEHAVIOUR_KEYS
from simward.behaviour_settings import BehaviourSettings, behaviour_settings
from simward.errors import ConfigurationError, Problem, nearest
from simward.incident_settings import INCIDENT_KEYS as INCIDENT_KEYS
from simward.incident_settings import IncidentSettings, incident_settings
from simward.initial import write_initial
from simward.log_settings import LOG_KEYS as LOG_KEYS
from simward.log_settings import LogSettings
from simward.quantities import duration_s, size_octets
from simward.settings_access import CONTROL_KEYS as CONTROL_KEYS
from simward.settings_access import ControlSettings, control_settings
from simward.settings_camara import CAMARA_KEYS as CAMARA_KEYS
from simward.settings_camara import ISSUER_KEYS as ISSUER_KEYS
from simward.settings_camara import CamaraSettings, Issuer, camara_settings, read_issuer
from simward.settings_openid import OPENID_GRANT_KEYS as OPENID_GRANT_KEYS
from simward.settings_openid import OPENID_KEYS as OPENID_KEYS
from simward.settings_openid import OpenIdSettings, openid_settings
from simward.settings_outward import (
    ENDPOINT_KEYS,
    PARTY_KEYS,
    Endpoint,
    Party,
    read_endpoint,
    read_party,
    tokens_differ,
)
from simward.settings_secrets import SECRET_KEYS, secret_of
from simward.toml_reading import Address, KeyPath, Network, Reading, key_lines

__all__ = [
    "CAMARA_KEYS", "ENDPOINT_KEYS", "INCIDENT_KEYS", "ISSUER_KEYS", "PARTY_KEYS", "Address", "CamaraSettings",
    "ControlSettings", "Endpoint", "GateSettings", "GatewayClient", "HistorySettings", "IncidentSettings", "Issuer",
    "Network", "OpenIdSettings", "Party", "Settings", "write_initial",
]

FILE_NAME = "simward.toml"
DYNAUTH_PORT = 3799  # RFC 5176 2.1
PASSWORD_OCTETS_MAX = 128


@dataclass(frozen=True)
class GateSettings:
    """`[gate]`."""

    auth: Address = Address("127.0.0.1", 1812)
    accounting: Address = Address("127.0.0.1", 1813)
    unknown_subscription: str = "reject"
    when_not_durable: str = "refuse"
    interim_interval_s: int = 900
    """Acct-Interim-Interval of an Accept; 0 = not sent."""
    session_timeout_s: int = 0
    """Session-Timeout of an Accept; 0 = not sent."""


@dataclass(frozen=True)
class GatewayClient:
    """`[[gateway]]`: one RADIUS client, a gateway or the proxy in front of many.

    Several may share a name: proxies in front of the same gateways, each with an address and a secret of its own.
    """

    name: str
    network: Network
    secret: bytes = field(repr=False)
    dynauth: Address | None = None
    """Where it takes Disconnect-Requests."""
    require_message_authenticator: bool = True
    limit_proxy_state: bool = True
    """Is Proxy-State refused in an Access-Request without Message-Authenticator?"""
    coa: bool = False
    """It takes CoA-Requests there too."""


@dataclass(frozen=True)
class HistorySettings:
    """`[history]`: how long what happened is kept, and in which form. 0 = without a limit."""

    keep_s: int = 400 * 86_400
    """Events and outputs that are older are removed."""
    keep_at_most_octets: int = 100 * 1000**3
    """More history than this on the disk: the oldest is removed, whatever its age."""
    journal_keep_s: int = 86_400
    """Sealed segments younger than this stay in the journal."""
    journal_keep_at_most_octets: int = 20 * 1000**3
    """More journal than this: sealed segments become history earlier, also where a follower has not read them."""


@dataclass(frozen=True)
class RegistrySettings:
    """`[registry]`: where incidents, the outbox and what people decide are kept."""

    url: str = field(default="", repr=False)
    """An SQLAlchemy URL; empty = SQLite in the data folder. It may hold a password."""
    keep_findings_s: int = 400 * 86_400
    """Findings that ended longer ago, and effects that were proved, are removed. 0 = never; so of the others."""
    keep_incidents_s: int = 400 * 86_400
    """Incidents that were resolved longer ago."""
    keep_commands_s: int = 400 * 86_400
    """Commands that the gate answered longer ago."""


@dataclass(frozen=True)
class AuditSettings:
    """`[audit]`."""

    heads: str = ""
    """Where signed heads are appended each minute; a path, from the folder on. Empty = data/audit/heads.jsonl."""


@dataclass(frozen=True)
class CdrSettings:
    """`[cdr]`."""

    keep_s: int = 100 * 86_400
    """Call detail records are kept for so long, and older ones are not taken any more; 0 = for ever."""
    folders: Mapping[str, str] = field(default_factory=dict)
    """Folders whose files are imported, from the folder of the settings on, each with the name of its template."""


@dataclass(frozen=True)
class Settings:
    """Everything in `simward.toml`, and the folder that it stands in."""

    dir: Path
    gate: GateSettings = GateSettings()
    gateways: tuple[GatewayClient, ...] = ()
    """The most specific network first, so that the first that contains an address is the client."""
    control: ControlSettings = ControlSettings()
    endpoints: tuple[Endpoint, ...] = ()
    parties: tuple[Party, ...] = ()
    warnings: tuple[Problem, ...] = ()
    history: HistorySettings = HistorySettings()
    secrets: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    """`[[secret]]`: by name, what policies may ask devices for."""
    registry: RegistrySettings = RegistrySettings()
    audit: AuditSettings = AuditSettings()
    incidents: IncidentSettings = IncidentSettings()
    issuers: tuple[Issuer, ...] = ()
    camara: CamaraSettings = CamaraSettings()
    log: LogSettings = LogSettings()
    openid: OpenIdSettings | None = None
    cdr: CdrSettings = CdrSettings()
    behaviour: BehaviourSettings = BehaviourSettings()

    @property
    def data_dir(self) -> Path:
        """Journal, snapshots and the gate's command socket."""
        return self.dir / "data"

    @property
    def cdr_folders(self) -> dict[Path, str]:
        """The folders that operators' files come to, with the names of their templates."""
        return {self.dir / folder: template for folder, template in self.cdr.folders.items()}

    @property
    def heads_path(self) -> Path:
        """The file that the audit's signed heads are appended to."""
        return self.dir / self.audit.heads if self.audit.heads else self.data_dir / "audit" / "heads.jsonl"

    @property
    def policies_dir(self) -> Path:
        """The YAML files that say what was meant."""
        return self.dir / "policies"

    @property
    def inventory_path(self) -> Path:
        """The CSV file that says which subscriptions there are."""
        return self.dir / "inventory.csv"

    @property
    def cells_path(self) -> Path:
        """The CSV file that says where cells are; there need be none."""
        return self.dir / "cells.csv"

    @property
    def models_path(self) -> Path:
        """The CSV file that says what models of devices can do; there need be none."""
        return self.dir / "models.csv"

    @classmethod
    def load(cls, directory: Path) -> Settings:
        """Read `directory/simward.toml`; raises ConfigurationError with every problem in it."""
        path = Path(directory) / FILE_NAME
        try:
            text = path.read_text(encoding="utf-8")
        except FileNotFoundError:
            raise ConfigurationError(
                [Problem(str(path), 1, "", "no such file", f"simward --dir {directory} init makes one")]
            ) from None
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError([Problem(str(path), 1, "", f"cannot be read: {error}")]) from None
        try:
            document = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            at = re.search(r"at line (\d+)", str(error))
            line = int(at[1]) if at else text.count("\n") + 1
            raise ConfigurationError([Problem(str(path), line, "", f"not TOML: {error}")]) from None
        reading = Reading(Path(directory), path, key_lines(text))
        settings = _settings(reading, document)
        errors = [problem for problem in reading.problems if not problem.warning]
        if errors:
            raise ConfigurationError(sorted(errors, key=lambda problem: problem.line))
        return settings


GATE_KEYS: dict[str, Callable[[Any], Any]] = {
    "auth": read.address(), "accounting": read.address(), "unknown_subscription": read.choice("reject", "allow"),
    "when_not_durable": read.choice("refuse", "allow"), "interim_interval": read.interim,
    "session_timeout": read.duration,
}
GATEWAY_KEYS = {
    "name": read.string, "address": read.network, **SECRET_KEYS, "dynauth": read.address(DYNAUTH_PORT),
    "require_message_authenticator": read.boolean, "limit_proxy_state": read.boolean,
    "coa": read.boolean,
}
HISTORY_KEYS: dict[str, Callable[[Any], Any]] = {
    "keep": read.without_limit("forever", duration_s, 3600, "at least 1h"),
    "keep_at_most": read.without_limit("any", size_octets, 1000**2, "at least 1 MB"),
    "journal_keep": duration_s,
    "journal_keep_at_most": read.without_limit("any", size_octets, 1000**2, "at least 1 MB"),
}
REGISTRY_URL_KEYS = ("url", "url_file", "url_env")
REGISTRY_KEEP_KEYS = ("keep_findings", "keep_incidents", "keep_commands")
REGISTRY_KEYS: dict[str, Callable[[Any], Any]] = {
    **dict.fromkeys(REGISTRY_URL_KEYS, read.string),
    **dict.fromkeys(REGISTRY_KEEP_KEYS, read.without_limit("forever", duration_s, 86_400, "at least 1d")),
}
CDR_KEYS: dict[str, Callable[[Any], Any]] = {
    "keep": read.without_limit("forever", duration_s, 86_400, "at least 1d"), "folders": read.texts_by_name,
}
AUDIT_KEYS: dict[str, Callable[[Any], Any]] = {"heads": read.string}
NAMED_SECRET_KEYS: dict[str, Callable[[Any], Any]] = {"name": read.string, **SECRET_KEYS}
SECTIONS = (
    "gate", "gateway", "control", "history", "registry", "audit", "incidents", "log", "openid", "endpoint", "party",
    "secret", "issuer", "camara", "cdr", "behaviour",
)  # fmt: skip


def _settings(reading: Reading, document: dict[str, Any]) -> Settings:
    for key in document:
        if key not in SECTIONS:
            reading.report((key,), "unknown section", nearest(key, SECTIONS))
    gate = reading.table(("gate",), document.get("gate", {}), GATE_KEYS)
    gate = {f"{key}_s" if key in ("interim_interval", "session_timeout") else key: gate[key] for key in gate}
    control = control_settings(reading, document.get("control", {}))
    history = reading.table(("history",), document.get("history", {}), HISTORY_KEYS)
    cdr = reading.table(("cdr",), document.get("cdr", {}), CDR_KEYS)
    gateways = _each(reading, document, "gateway", _gateway, shared=True)
    endpoints = _each(reading, document, "endpoint", read_endpoint)
    parties = _each(reading, document, "party", read_party)
    tokens_differ(reading, parties)
    secrets = _each(reading, document, "secret", _named_secret)
    _unique_networks(reading, document)
    _one_dynauth(reading, document)
    names = {one.get("name") for one in _tables(document, "endpoint")}
    for index, one in enumerate(_tables(document, "party")):
        if "endpoint" in one and one["endpoint"] not in names:
            where: KeyPath = ("party", index, "endpoint")
            reading.report(where, f"no endpoint {one['endpoint']!r}", nearest(str(one["endpoint"]), map(str, names)))
    if not document.get("gateway"):
        reading.report((), "no [[gateway]]: every packet will be dropped as from an unknown client", warning=True)
    return Settings(
        Path(reading.directory), GateSettings(**gate),
        tuple(sorted(gateways, key=lambda one: -one.network.prefixlen)),
        control, tuple(endpoints), tuple(parties), tuple(reading.problems),
        HistorySettings(**{f"{key}_{'octets' if key.endswith('at_most') else 's'}": history[key] for key in history}),
        dict(secrets), _registry(reading, document),
        AuditSettings(**reading.table(("audit",), document.get("audit", {}), AUDIT_KEYS)),
        incident_settings(reading, document.get("incidents", {})),
        tuple(_each(reading, document, "issuer", read_issuer)),
        camara_settings(reading, document.get("camara", {})),
        LogSettings(**reading.table(("log",), document.get("log", {}), LOG_KEYS)),
        openid_settings(reading, document.get("openid")),
        CdrSettings(**{"keep_s" if key == "keep" else key: one for key, one in cdr.items()}),
        behaviour_settings(reading, document.get("behaviour", {})),
    )


def _registry(reading: Reading, document: dict[str, Any]) -> RegistrySettings:
    values = reading.table(("registry",), document.get("registry", {}), REGISTRY_KEYS)
    kept = {f"{key}_s": values[key] for key in REGISTRY_KEEP_KEYS if key in values}
    return RegistrySettings(_registry_url(reading, values), **kept)


def _registry_url(reading: Reading, values: dict[str, Any]) -> str:
    given = [key for key in REGISTRY_URL_KEYS if key in values]
    if len(given) > 1:
        what = f"{given[0]} is given too"
        reading.report(("registry", given[1]), what, "exactly one of url, url_file, url_env")
    if not given:
        return ""
    as_secret = {"url": "secret", "url_file": "secret_file", "url_env": "secret_env"}
    key = given[0]
    where: KeyPath = ("registry",)
    if key == "url":
        url = str(values[key])
    else:
        renamed = {as_secret[key]: values[key]}
        url = secret_of(reading, where, renamed, renamed, needed=False).decode("utf-8", "replace")
    if url and not url.startswith(("sqlite:///", "postgresql+psycopg://")):
        known = "sqlite:////absolute/path or postgresql+psycopg://user@host/database"
        reading.report((*where, key), "no URL of a registry", known)
    return url


def _tables(document: dict[str, Any], key: str) -> list[dict[str, Any]]:
    raw = document.get(key, [])
    return [one for one in raw if isinstance(one, dict)] if isinstance(raw, list) else []


def _each(
    reading: Reading, document: dict[str, Any], key: str, make: Callable[..., Any], *, shared: bool = False
) -> list[Any]:
    """What `make` makes of every [[key]]; names must differ, unless they may be `shared`."""
    raw = document.get(key, [])
    if not isinstance(raw, list):
        reading.report((key,), "there may be several", f"write [[{key}]]")
        return []
    made, names = [], set()
    for index, one in enumerate(raw):
        name = one.get("name") if isinstance(one, dict) else None
        if name in names and not shared:
            reading.report((key, index, "name"), f"a second {key} named {name!r}")
        names.add(name)
        made.append(make(reading, (key, index), one))
    return [one for one in made if one is not None]


def _gateway(reading: Reading, where: KeyPath, raw: object) -> GatewayClient | None:
    values = reading.table(where, raw, GATEWAY_KEYS)
    complete = reading.need(where, raw, "name", "address")
    secret = secret_of(reading, where, values, raw, needed=True)
    if not complete or not secret or "name" not in values or "address" not in values:
        return None
    required = values.get("require_message_authenticator", True)
    if not required:
        reading.report(
            (*where, "require_message_authenticator"), "requests without it can be forged (CVE-2024-3596)", warning=True
        )
    limited = values.get("limit_proxy_state", True)
    if not limited:
        what = "answers to unsigned requests with Proxy-State can be forged (CVE-2024-3596)"
        reading.report((*where, "limit_proxy_state"), what, warning=True)
    dynauth, coa = values.get("dynauth"), values.get("coa", False)
    if coa and dynauth is None:
        reading.report((*where, "coa"), "means nothing without dynauth", "say where it takes CoA-Requests")
    return GatewayClient(values["name"], values["address"], secret, dynauth, required, limited, coa)


def _named_secret(reading: Reading, where: KeyPath, raw: object) -> tuple[str, bytes] | None:
    values = reading.table(where, raw, NAMED_SECRET_KEYS)
    complete = reading.need(where, raw, "name")
    secret = secret_of(reading, where, values, raw, needed=True)
    if len(secret) > PASSWORD_OCTETS_MAX:
        what = f"{len(secret)} octets: a password has at most {PASSWORD_OCTETS_MAX} (RFC 2865 5.2)"
        reading.report(where, what)
    return (values["name"], secret) if complete and secret and "name" in values else None


def _unique_networks(reading: Reading, document: dict[str, Any]) -> None:
    seen: dict[str, int] = {}
    for index, one in enumerate(_tables(document, "gateway")):
        try:
            text = str(ipaddress.ip_network(one.get("address", "")))
        except ValueError:
            continue
        if text in seen:
            reading.report(("gateway", index, "address"), f"{text} is already the address of gateway[{seen[text]}]")
        seen.setdefault(text, index)


def _one_dynauth(reading: Reading, document: dict[str, Any]) -> None:
    """Clients of one name are one gateway: it takes requests in one place, under one secret."""
    said: dict[str, tuple[int, dict[str, Any]]] = {}
    for index, one in enumerate(_tables(document, "gateway")):
        name = one.get("name")
        if "dynauth" not in one or not isinstance(name, str):
            continue
        first, other = said.setdefault(name, (index, one))
        if other["dynauth"] != one["dynauth"]:
            what = f"gateway[{first}] of the same name says {other['dynauth']}"
            reading.report(("gateway", index, "dynauth"), what, "say it once, at the one that sends it on")
        elif any(other.get(key) != one.get(key) for key in (*SECRET_KEYS, "coa")):
            what = f"gateway[{first}] of the same name says it too, with another secret or coa"
            reading.report(("gateway", index, "dynauth"), what, "say it once, at the one whose secret signs")
