"""CAMARA's interfaces before a real gate: bind, unbind, query, swaps; answers are held to the official files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from control.camara_running import DEVICE_SWAP, FRAUD, INSIDE, OTHER_TAC, OUTSIDE, SIM_SWAP, Camara, number
from control.running import Answer
from gate.running import iccid, needs_radclient

pytestmark = needs_radclient


@pytest.fixture(scope="module")
def camara(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Camara]:
    made = Camara(tmp_path_factory.mktemp("camara"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def token(camara: Camara) -> str:
    return camara.client("shop")


def is_error(answer: Answer, status: int, code: str, message: str | None = None) -> bool:
    assert (answer.status, answer.document.get("code")) == (status, code), answer
    assert answer.document["status"] == status and answer.headers["content-type"] == "application/json"
    assert set(answer.document) == {"status", "code", "message"} and answer.headers["x-correlator"]
    return message is None or answer.document["message"] == message


def of(one: int, **more: Any) -> dict[str, Any]:
    return {"device": {"phoneNumber": number(one)}, **more}


def query(camara: Camara, token: str, one: int, what: str = "IMEIBIND") -> Any:
    return camara.post(f"{FRAUD}/query", of(one, queryType=what), token).document


def test_bind_holds_a_sim_to_the_device_that_it_was_seen_in_last(camara: Camara, token: str) -> None:
    bind = of(1, bindType="IMEIBIND")
    assert camara.post(f"{FRAUD}/bind", bind, token).document == {"bound": False}, "it was never seen"
    assert camara.attach(1) and camara.attach(1, OTHER_TAC)
    assert query(camara, token, 1) == {"imeiBind": {"bindStatus": "UNBOUND"}}
    answer = camara.post(f"{FRAUD}/bind", bind, token, **{"x-correlator": "ours-1"})
    assert (answer.status, answer.document, answer.headers["x-correlator"]) == (200, {"bound": True}, "ours-1")
    bound = query(camara, token, 1)["imeiBind"]
    assert bound["bindStatus"] == "BOUND" and bound["bindImei"].startswith("35-000002-000001-")
    assert not camara.attach(1), "the device that it was in before is refused"
    assert camara.attach(1, OTHER_TAC)
    assert camara.post(f"{FRAUD}/unbind", of(1, unBindType="IMEIBIND"), token).document == {"unbound": True}
    assert query(camara, token, 1) == {"imeiBind": {"bindStatus": "UNBOUND"}}
    assert camara.attach(1)
    again = camara.post(f"{FRAUD}/unbind", of(1, unBindType="IMEIBIND"), token)
    assert is_error(again, 422, "UNNECESSARY_UNBIND_IMEI", "The current device imei has been unbound")


def test_the_area_is_that_of_the_use_case(camara: Camara, token: str) -> None:
    assert query(camara, token, 2, "AREALIMIT") == {"areaLimit": {"areaLimitStatus": "UNRESTRICTED"}}
    assert camara.post(f"{FRAUD}/bind", of(2, bindType="AREALIMIT"), token).document == {"bound": True}
    area = {"areaType": "CIRCLE", "center": {"latitude": 59.9, "longitude": 10.7}, "radius": 30_000}
    limited = {"areaLimit": {"areaLimitStatus": "RESTRICTED", "limitArea": area}}
    assert query(camara, token, 2, "AREALIMIT") == limited
    assert camara.post(f"{FRAUD}/unbind", of(2, unBindType="AREALIMIT"), token).document == {"unbound": True}
    again = camara.post(f"{FRAUD}/unbind", of(2, unBindType="AREALIMIT"), token)
    assert is_error(again, 422, "UNNECESSARY_UNBIND_AREALIMIT", "The current device area limit has been unbound")
    no_area = camara.post(f"{FRAUD}/bind", of(7, bindType="AREALIMIT"), token)
    assert no_area.document == {"bound": False}, "its use case names none"


def test_what_leaves_its_area_is_refused(camara: Camara, token: str) -> None:
    assert camara.attach(5, area=OUTSIDE), "policy observes"
    assert camara.post(f"{FRAUD}/bind", of(5, bindType="AREALIMIT"), token).document == {"bound": True}
    assert not camara.attach(5, area=OUTSIDE)
    assert camara.attach(5, area=INSIDE)
    assert camara.post(f"{FRAUD}/unbind", of(5, unBindType="AREALIMIT"), token).document == {"unbound": True}
    assert camara.attach(5, area=OUTSIDE)


def test_what_was_ordered_is_audited_and_explained(camara: Camara, token: str) -> None:
    camara.attach(3)
    assert camara.post(f"{FRAUD}/bind", of(3, bindType="IMEIBIND"), token).document == {"bound": True}
    from click.testing import CliRunner

    from simward.cli import cli

    folder = str(camara.folder)
    told = CliRunner().invoke(cli, ["--dir", folder, "explain", iccid(3)]).output
    assert "client shop" in told and "CAMARA bind IMEIBIND" in told, told
    exported = CliRunner().invoke(cli, ["--dir", folder, "audit", "export"]).stdout
    assert any("client shop: command.bind" in line for line in exported.splitlines())
    done = CliRunner().invoke(cli, ["--dir", folder, "unbind", iccid(3), "--because", "refit"])
    assert done.exit_code == 0 and "Unbound" in done.output, done.output
    camara.follow()
    assert query(camara, token, 3) == {"imeiBind": {"bindStatus": "UNBOUND"}}


def test_device_swap_tells_the_last_change(camara: Camara, token: str) -> None:
    asked = {"phoneNumber": number(4)}
    never = camara.post(f"{DEVICE_SWAP}/check", asked, token)
    assert is_error(never, 422, "SERVICE_NOT_APPLICABLE", "The service is not available for the provided identifier.")
    nothing = camara.post(f"{DEVICE_SWAP}/retrieve-date", asked, token).document
    assert nothing == {"latestDeviceChange": None, "monitoredPeriod": 0}
    camara.attach(4)
    first = camara.post(f"{DEVICE_SWAP}/retrieve-date", asked, token).document["latestDeviceChange"]
    camara.attach(4)
    assert camara.post(f"{DEVICE_SWAP}/retrieve-date", asked, token).document["latestDeviceChange"] == first
    camara.attach(4, OTHER_TAC)
    assert camara.post(f"{DEVICE_SWAP}/retrieve-date", asked, token).document["latestDeviceChange"] > first
    assert camara.post(f"{DEVICE_SWAP}/check", {**asked, "maxAge": 1}, token).document == {"swapped": True}


def test_sim_swap_is_when_number_and_card_came_together(camara: Camara, token: str) -> None:
    told = camara.post(f"{SIM_SWAP}/retrieve-date", {"phoneNumber": number(5)}, token).document
    assert told["latestSimChange"].endswith("Z")
    assert camara.post(f"{SIM_SWAP}/check", {"phoneNumber": number(5)}, token).document == {"swapped": True}


@pytest.mark.parametrize("base", [DEVICE_SWAP, SIM_SWAP])
def test_hours_that_are_none(camara: Camara, token: str, base: str) -> None:
    for hours in (0, 2401, -1):
        answer = camara.post(f"{base}/check", {"phoneNumber": number(5), "maxAge": hours}, token)
        assert is_error(answer, 400, "OUT_OF_RANGE", "Client specified an invalid range.")
    for hours in ("1", None, True, 1.5):
        assert is_error(camara.post(f"{base}/check", {"phoneNumber": number(5), "maxAge": hours}, token), 400,
                        "INVALID_ARGUMENT")  # fmt: skip


def test_a_three_legged_token_names_the_device_and_the_body_must_not(camara: Camara, token: str) -> None:
    own = camara.issued(number(6))
    camara.attach(6)
    assert camara.post(f"{FRAUD}/bind", {"bindType": "IMEIBIND"}, own).document == {"bound": True}
    assert query(camara, token, 6)["imeiBind"]["bindStatus"] == "BOUND"
    assert camara.post(f"{DEVICE_SWAP}/check", {}, own).document == {"swapped": True}
    both = camara.post(f"{FRAUD}/query", of(6, queryType="IMEIBIND"), own)
    said = "An explicit identifier has been provided for the device when this is already identified by the access token"
    assert is_error(both, 422, "UNNECESSARY_IDENTIFIER", said)
    for base in (DEVICE_SWAP, SIM_SWAP):
        both = camara.post(f"{base}/check", {"phoneNumber": number(6)}, own)
        assert is_error(both, 422, "UNNECESSARY_IDENTIFIER", "The device is already identified by the access token.")
    two_legged = camara.issued()
    for path, body in ((f"{FRAUD}/query", {"queryType": "IMEIBIND"}), (f"{DEVICE_SWAP}/check", {}),
                       (f"{SIM_SWAP}/retrieve-date", {})):  # fmt: skip
        answer = camara.post(path, body, two_legged)
        assert is_error(answer, 422, "MISSING_IDENTIFIER", "The device cannot be identified.")


WRONG: list[tuple[dict[str, Any], int, str, str]] = [
    ({}, 400, "INVALID_ARGUMENT", "QueryType must be specified"),
    ({"queryType": "X"}, 400, "INVALID_ARGUMENT", "The value of queryType can only be IMEIBIND,AREALIMIT"),
    ({"device": {}}, 400, "INVALID_ARGUMENT",
     "At least one of phoneNumber, networkAccessIdentifier, ipv4Address and ipv6Address must be specified"),
    ({"device": {"phoneNumber": "0123"}}, 400, "INVALID_ARGUMENT", "Invalid format: phoneNumber"),
    ({"device": {"networkAccessIdentifier": 7}}, 400, "INVALID_ARGUMENT", "Invalid format: networkAccessIdentifier"),
    ({"device": {"ipv4Address": {"publicAddress": "10.0.0.1"}}}, 400, "INVALID_ARGUMENT",
     "Invalid format: ipv4Address"),
    ({"device": {"ipv4Address": {"publicAddress": "10.0.0.1", "publicPort": 70000}}}, 400, "INVALID_ARGUMENT",
     "Invalid value: ipv4Address.publicPort"),
    ({"device": {"ipv6Address": "2001::x"}}, 400, "INVALID_ARGUMENT", "Invalid format: ipv6Address"),
    ({"device": {"networkAccessIdentifier": "1@example.com"}}, 422, "UNSUPPORTED_IDENTIFIER",
     "None of the provided identifiers is supported by the implementation."),
    ({"device": {"phoneNumber": "+4912345678"}}, 404, "IDENTIFIER_NOT_FOUND", "Device identifier not found."),
]  # fmt: skip


@pytest.mark.parametrize(("body", "status", "code", "message"), WRONG, ids=lambda one: str(one)[:40])
def test_what_is_wrong_is_said_in_the_files_words(
    camara: Camara, token: str, body: dict[str, Any], status: int, code: str, message: str
) -> None:
    whole = body if not body or "queryType" in body else {"queryType": "IMEIBIND", **body}
    assert is_error(camara.post(f"{FRAUD}/query", whole, token), status, code, message)


def test_identifiers_must_agree_and_an_address_is_one(camara: Camara, token: str) -> None:
    camara.attach(2)
    address = next(one["address"] for one in rows(camara) if one["iccid"] == iccid(2))
    assert address.startswith("10.64.")
    ipv4 = {"publicAddress": "203.0.113.1", "privateAddress": address}
    answer = camara.post(f"{FRAUD}/query", {"queryType": "IMEIBIND", "device": {"ipv4Address": ipv4}}, token)
    assert answer.status == 200, answer
    two = {"phoneNumber": number(1), "ipv4Address": ipv4}
    answer = camara.post(f"{FRAUD}/query", {"queryType": "IMEIBIND", "device": two}, token)
    assert is_error(answer, 400, "INVALID_ARGUMENT", "Multiple inconsistent device parameters specified")


def rows(camara: Camara) -> list[dict[str, Any]]:
    found = camara.control.ask("GET", "/v1/subscriptions?limit=100").document
    return next(value for value in found.values() if isinstance(value, list))


def test_what_is_before_and_behind_the_routes_speaks_camara_too(camara: Camara, token: str) -> None:
    path, body = f"{FRAUD}/query", of(1, queryType="IMEIBIND")
    said = "Request not authenticated due to missing, invalid, or expired credentials."
    assert is_error(camara.ask("POST", path, body, tcp=True), 401, "UNAUTHENTICATED", said)
    again = camara.ask("POST", f"{SIM_SWAP}/check", {}, tcp=True)
    assert is_error(again, 401, "UNAUTHENTICATED", f"{said} A new authentication is required.")
    other = camara.client("asker", "sim-swap:check")
    assert is_error(camara.post(path, body, other), 403, "PERMISSION_DENIED",
                    "Client does not have sufficient permissions to perform this action.")  # fmt: skip
    assert is_error(camara.post(f"{SIM_SWAP}/retrieve-date", {"phoneNumber": number(5)}, other), 403,
                    "PERMISSION_DENIED")  # fmt: skip
    assert is_error(camara.ask("GET", path, token=token), 405, "METHOD_NOT_ALLOWED")
    assert is_error(camara.post(f"{FRAUD}/nothing", {}, token), 404, "NOT_FOUND")
    assert is_error(camara.post(f"{path}?x=1", body, token), 400, "INVALID_ARGUMENT")
    for octets in (b"", b"{", b"[]", b'{"queryType": NaN}', b"\xff"):
        assert is_error(camara.post(path, octets, token), 400, "INVALID_ARGUMENT")
    assert is_error(camara.post(path, body, token, **{"Content-Type": "text/plain"}), 400, "INVALID_ARGUMENT")
    assert camara.control.ask("GET", "/v1/nothing", token=token).document["title"], "elsewhere it is RFC 9457"


def test_a_tenants_client_sees_its_own_alone(camara: Camara) -> None:
    token = camara.client("theirs", tenant="other")
    assert camara.post(f"{FRAUD}/query", of(7, queryType="IMEIBIND"), token).status == 200
    assert is_error(camara.post(f"{FRAUD}/bind", of(1, bindType="IMEIBIND"), token), 404, "IDENTIFIER_NOT_FOUND")
    for base in (DEVICE_SWAP, SIM_SWAP):
        answer = camara.post(f"{base}/check", {"phoneNumber": number(1)}, token)
        assert is_error(answer, 404, "IDENTIFIER_NOT_FOUND")
