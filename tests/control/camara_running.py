"""A gate, a control plane with CAMARA's interfaces before it, an issuer of tokens and a sink: all real, on loopback."""

from __future__ import annotations

import json
import ssl
import subprocess
import time
import urllib.parse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey

from connectors.receiving import Receiver
from control import camara_files
from control.running import Answer, RunningControl
from gate.running import RunningGate, access_request, iccid, imeisv, imsi, radclient, until
from simward.control.api.scopes import SCOPES
from simward.control.assembling import assemble
from simward.registry.database import Registry, sqlite_url
from simward.settings import Settings

ISSUER, AUDIENCE = "https://issuer.example", "simward"
FRAUD, SUBSCRIPTIONS = "/iot-sim-fraud-prevention/v0.1", "/iot-sim-fraud-prevention-subscriptions/v0.1/subscriptions"
DEVICE_SWAP, SIM_SWAP = "/device-swap/v1", "/sim-swap/v2"
POLICY = """\
use_case: water-meter
segment: metering
binding: {mode: none}
mobility: {area: north}
responses: {default: observe}
---
use_case: elsewhere
tenant: other
segment: metering
binding: {mode: first-use}
responses: {default: observe}
---
segment: metering
apn: meters.iot
pool: 10.64.0.0/16
---
area: north
circle: {latitude: 59.9, longitude: 10.7, radius: 30 km}
"""
FLEET, OTHERS = 8, (7, 8)
OTHER_TAC = "35000002"
INSIDE, OUTSIDE = 1, 2
"""Tracking areas."""
CELLS = f"plmn,tracking_area,cell,latitude,longitude\n00101,{INSIDE},,59.9,10.7\n00101,{OUTSIDE},,60.39,5.32\n"


def number(one: int) -> str:
    """The phone number of a subscription."""
    return f"+88300000{one:04d}"


class Camara:
    """All of it; `close` ends it."""

    def __init__(self, folder: Path, camara: str = "") -> None:
        self.key = ECKey.generate_key("P-256", {"kid": "one"})
        self.sink, ca_file = https_sink(folder)
        (folder / "keys.json").write_text(json.dumps({"keys": [self.key.as_dict(private=False)]}))
        more = (
            f'[[issuer]]\nname = "idp"\nissuer = "{ISSUER}"\naudience = "{AUDIENCE}"\njwks_file = "../keys.json"\n'
            f'[camara]\nallow_private_sinks = true\nsink_ca_file = "{ca_file}"\n{camara}'
        )
        self.gate = RunningGate(folder / "net", policy=POLICY, more=more, control="127.0.0.1:0")
        self.folder = self.gate.folder
        self.inventory()
        (self.folder / "cells.csv").write_text(CELLS)
        self.gate.start()
        self.control = RunningControl(self.folder, control=assemble(Settings.load(self.folder)))
        self.registry = Registry.open(sqlite_url(self.folder / "data"))
        until(lambda: self.subscriptions() == FLEET)
        self.clients: dict[str, tuple[str, str]] = {}

    def inventory(self) -> None:
        """What there is: the last ones are another tenant's."""
        lines = ["iccid,imsi,msisdn,use_case"]
        for one in range(1, FLEET + 1):
            use_case = "elsewhere" if one in OTHERS else "water-meter"
            lines.append(f"{iccid(one)},{imsi(one)},{number(one)[1:]},{use_case}")
        (self.folder / "inventory.csv").write_text("\n".join(lines) + "\n")

    def subscriptions(self) -> int:
        """How many the registry knows."""
        return len(self.control.ask("GET", "/v1/subscriptions?limit=100").document.get("items", ())) or len(
            next(iter(self.control.ask("GET", "/v1/subscriptions?limit=100").document.values()))
        )

    def attach(self, one: int, tac: str = "35000001", area: int = 0) -> bool:
        """Is it let in, in a device of this model, there? The registry has heard of it when this returns."""
        said = {"3GPP-IMEISV": f'"{imeisv(one, tac)}"'}
        if area:
            said["3GPP-User-Location-Info"] = f"0x8000f110{area:04x}"  # TS 29.274 8.21: a TAI
        words = access_request(one, **said)
        said = radclient(self.gate.auth, "auth", words)
        assert "Received Access-" in said, said
        self.follow()
        return "Received Access-Accept" in said

    def follow(self) -> None:
        """Until the registry has read what the gate has written."""
        last = int(self.gate.ask("status")["sequence"])
        until(lambda: self.control.ask("GET", "/v1/status").document["conditions"]["following"]["sequence"] >= last)

    def client(self, name: str, *scopes: str, **more: Any) -> str:
        """An access token of a client of ours, which is made where there is none of this name."""
        if name not in self.clients:
            asked = {"name": name, "scopes": list(scopes or SCOPES), **more}
            made = self.control.ask("POST", "/v1/clients", asked).document
            self.clients[name] = made["id"], made["secret"]
        answer = self.token_request(*self.clients[name])
        assert answer.status == 200, answer
        return str(answer.document["access_token"])

    def token_request(self, id_: str, secret: str, **fields: str) -> Answer:
        """What /oauth2/token answers to credentials in the form."""
        form = {"grant_type": "client_credentials", "client_id": id_, "client_secret": secret, **fields}
        return self.form({name: value for name, value in form.items() if value})

    def form(self, fields: Mapping[str, str], headers: Mapping[str, str] = {}) -> Answer:
        """A form for /oauth2/token."""
        body = urllib.parse.urlencode(fields).encode()
        sent = {"Content-Type": "application/x-www-form-urlencoded", **headers}
        return self.control.ask("POST", "/oauth2/token", body, sent, tcp=True)

    def issued(self, phone: str | None = None, header: Mapping[str, Any] = {}, key: Any = None, **claims: Any) -> str:
        """A token of the issuer: three-legged where it names a phone."""
        now = int(time.time())
        said = {
            "iss": ISSUER, "aud": AUDIENCE, "sub": "somebody", "client_id": "shop", "iat": now, "exp": now + 300,
            "jti": "1", "scope": " ".join(SCOPES), **({"phone_number": phone} if phone else {}), **claims,
        }  # fmt: skip
        said = {name: value for name, value in said.items() if value is not None}
        return jwt.encode({"alg": "ES256", "typ": "at+jwt", "kid": "one", **header}, said, key or self.key)

    def post(self, path: str, body: Any, token: str, **headers: str) -> Answer:
        """One request."""
        return self.ask("POST", path, body, headers, token=token)

    def ask(self, method: str, path: str, *args: Any, **more: Any) -> Answer:
        """One request; its answer is held to the official file, where that is there."""
        answer = self.control.ask(method, path, *args, **more)
        camara_files.check(method, path, answer)
        return answer

    def told(self, id_: str, count: int) -> list[dict[str, Any]]:
        """The events that the sink got about a CAMARA subscription, once there are so many."""

        def mine() -> list[dict[str, Any]]:
            events = [one.event for one in list(self.sink.received)]
            return [one for one in events if one["data"]["subscriptionId"] == id_]

        events = list(until(mine, lambda found: len(found) >= count))
        for event in events:
            camara_files.check_event(event)
        return events

    @property
    def sink_url(self) -> str:
        """Where events go."""
        return f"https://127.0.0.1:{self.sink.server_address[1]}/sink"

    def close(self) -> None:
        """End all of it."""
        self.control.close()
        self.gate.close()
        self.sink.__exit__()
        assert self.control.error is None


def https_sink(folder: Path) -> tuple[Receiver, Path]:
    """A receiver over TLS, and the certificate that it shows."""
    folder.mkdir(parents=True, exist_ok=True)
    certificate, key = folder / "sink.pem", folder / "sink.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=sink", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    receiver = Receiver()
    receiver.socket = context.wrap_socket(receiver.socket, server_side=True)
    return receiver, certificate
