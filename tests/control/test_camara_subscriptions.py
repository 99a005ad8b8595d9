"""CAMARA's event subscriptions: made, told, ended by time, by count, by their token, by whoever made them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from control.camara_running import INSIDE, OTHER_TAC, OUTSIDE, SUBSCRIPTIONS, Camara, number
from control.test_camara import is_error
from gate.running import needs_radclient, until
from simward.connectors.cloudevents import timestamp
from simward.control.camara.telling import AREA_CHANGE, ENDED, IMEI_CHANGE, STARTED
from simward.registry import tables as t

pytestmark = needs_radclient


@pytest.fixture(scope="module")
def camara(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Camara]:
    made = Camara(tmp_path_factory.mktemp("camara"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def token(camara: Camara) -> str:
    return camara.client("shop")


def in_seconds(seconds: float) -> str:
    return timestamp(int((time.time() + seconds) * 1e6))


def wanted(camara: Camara, one: int | None, kind: str = IMEI_CHANGE, **more: Any) -> dict[str, Any]:
    detail = {} if one is None else {"device": {"phoneNumber": number(one)}}
    config = {"subscriptionDetail": detail, **more.pop("config", {})}
    return {"sink": camara.sink_url, "protocol": "HTTP", "types": [kind], "config": config, **more}


def subscribe(camara: Camara, token: str, *args: Any, **more: Any) -> dict[str, Any]:
    answer = camara.post(SUBSCRIPTIONS, wanted(camara, *args, **more), token)
    assert answer.status == 201, answer
    made: dict[str, Any] = answer.document
    return made


def test_a_change_of_device_is_told_with_the_sinks_token(camara: Camara, token: str) -> None:
    camara.attach(1)
    credential = {
        "credentialType": "ACCESSTOKEN", "accessToken": "a-token-of-the-sink", "accessTokenType": "bearer",
        "accessTokenExpiresUtc": in_seconds(600),
    }  # fmt: skip
    made = subscribe(camara, token, 1, sinkCredential=credential)
    assert made["status"] == "ACTIVE" and "sinkCredential" not in made and made["types"] == [IMEI_CHANGE]
    camara.attach(1)
    camara.attach(1, OTHER_TAC)
    started, change = camara.told(made["id"], 2)
    assert started["type"] == STARTED and started["data"]["initiationReason"] == "SUBSCRIPTION_CREATED"
    assert change["type"] == IMEI_CHANGE and change["data"]["imei"].startswith("35-000002-")
    assert change["data"]["device"] == {"phoneNumber": number(1)}
    got = [one for one in camara.sink.received if one.event["data"]["subscriptionId"] == made["id"]]
    assert {one.headers["authorization"] for one in got} == {"Bearer a-token-of-the-sink"}
    assert {one.headers["content-type"] for one in got} == {"application/cloudevents+json"}
    assert all(one.headers["x-correlator"] for one in got)
    for file in (camara.folder / "data").glob("registry*"):
        assert b"a-token-of-the-sink" not in file.read_bytes(), "a sink's token is sealed where it is kept"


def test_the_last_that_was_wanted_ends_it_and_the_first_may_be_how_it_is_now(camara: Camara, token: str) -> None:
    camara.attach(2)
    made = subscribe(camara, token, 2, config={"initialEvent": True, "subscriptionMaxEvents": 2})
    camara.attach(2, OTHER_TAC)
    kinds = [one["type"] for one in camara.told(made["id"], 4)]
    assert kinds == [STARTED, IMEI_CHANGE, IMEI_CHANGE, ENDED]
    assert camara.told(made["id"], 4)[-1]["data"]["terminationReason"] == "MAX_EVENTS_REACHED"
    camara.attach(2)
    ended = camara.ask("GET", f"{SUBSCRIPTIONS}/{made['id']}", token=token).document
    assert ended["status"] == "EXPIRED" and len(camara.told(made["id"], 4)) == 4


def test_leaving_the_area_and_coming_back_is_told(camara: Camara, token: str) -> None:
    camara.attach(4, area=OUTSIDE)
    made = subscribe(camara, token, 4, AREA_CHANGE, config={"initialEvent": True})
    camara.attach(4, area=INSIDE)
    camara.attach(4, area=OUTSIDE)
    _, *changes = camara.told(made["id"], 4)
    area = {"areaType": "CIRCLE", "center": {"latitude": 59.9, "longitude": 10.7}, "radius": 30_000}
    assert [(one["type"], one["data"]["area"]) for one in changes] == 3 * [(AREA_CHANGE, area)]


@pytest.mark.parametrize("why", ["SUBSCRIPTION_EXPIRED", "ACCESS_TOKEN_EXPIRED"])
def test_its_time_is_over(camara: Camara, token: str, why: str) -> None:
    if why == "SUBSCRIPTION_EXPIRED":
        made = subscribe(camara, token, 3, config={"subscriptionExpireTime": in_seconds(1.5)})
        assert made["expiresAt"] > made["startsAt"]
    else:
        credential = {
            "credentialType": "ACCESSTOKEN", "accessToken": "short", "accessTokenType": "bearer",
            "accessTokenExpiresUtc": in_seconds(31.5),
        }  # fmt: skip
        made = subscribe(camara, token, 3, sinkCredential=credential)
    assert camara.told(made["id"], 2)[-1]["data"]["terminationReason"] == why


def test_who_made_it_ends_it_and_nobody_else_sees_it(camara: Camara, token: str) -> None:
    made = subscribe(camara, token, 4, AREA_CHANGE)
    one = f"{SUBSCRIPTIONS}/{made['id']}"
    stranger = camara.client("stranger")
    assert camara.ask("GET", SUBSCRIPTIONS, token=stranger).document == []
    for method in ("GET", "DELETE"):
        assert is_error(camara.ask(method, one, token=stranger), 404, "NOT_FOUND")
    assert made in camara.ask("GET", SUBSCRIPTIONS, token=token).document
    assert camara.ask("GET", one, token=token).document == made
    assert camara.ask("DELETE", one, token=token).status == 204
    assert is_error(camara.ask("GET", one, token=token), 404, "NOT_FOUND")
    assert camara.told(made["id"], 2)[-1]["data"]["terminationReason"] == "SUBSCRIPTION_DELETED"


def test_a_three_legged_token_subscribes_for_its_own_number(camara: Camara, token: str) -> None:
    own = camara.issued(number(5))
    made = subscribe(camara, own, None)
    assert made["config"]["subscriptionDetail"] == {"device": {"phoneNumber": number(5)}}
    both = camara.post(SUBSCRIPTIONS, wanted(camara, 5), own)
    assert is_error(both, 422, "UNNECESSARY_IDENTIFIER")
    assert is_error(camara.post(SUBSCRIPTIONS, wanted(camara, None), token), 422, "MISSING_IDENTIFIER")
    of_another = camara.issued(number(6))
    assert camara.ask("GET", SUBSCRIPTIONS, token=of_another).document == [], "the same client, another number"


def test_an_event_is_sent_again_until_it_is_taken_and_no_more_where_the_sink_is_gone(
    camara: Camara, token: str
) -> None:
    camara.attach(6)
    answers = iter((503, 500))
    camara.sink.answers = lambda received: next(answers, 204)
    made = subscribe(camara, token, 6)
    first, second, third = camara.told(made["id"], 3)
    assert first == second == third, "the same event, under the same id"
    camara.sink.answers = lambda received: 410
    camara.attach(6, OTHER_TAC)

    def status() -> Any:
        return camara.ask("GET", f"{SUBSCRIPTIONS}/{made['id']}", token=token).document["status"]

    until(status, lambda now: now == "EXPIRED")
    camara.sink.answers = lambda received: 204
    with camara.registry.reading() as connection:
        left = sa.select(t.camara_notification).where(t.camara_notification.c.subscription == made["id"])
        assert connection.execute(left).all() == []


BAD: list[tuple[dict[str, Any], str]] = [
    ({"types": []}, "INVALID_ARGUMENT"), ({"types": [STARTED]}, "INVALID_ARGUMENT"),
    ({"types": [IMEI_CHANGE, AREA_CHANGE]}, "INVALID_ARGUMENT"), ({"protocol": "MQTT3"}, "INVALID_PROTOCOL"),
    ({"protocol": "x"}, "INVALID_PROTOCOL"), ({"sink": "http://sink.example/"}, "INVALID_SINK"),
    ({"sink": "https://"}, "INVALID_SINK"), ({"sink": "https://169.254.169.254/"}, "INVALID_SINK"),
    ({"sink": "https://a:b@sink.example/"}, "INVALID_SINK"), ({"config": {}}, "INVALID_ARGUMENT"),
    ({"config": {"subscriptionMaxEvents": 0}}, "OUT_OF_RANGE"),
    ({"config": {"subscriptionExpireTime": "2020-01-01T00:00:00Z"}}, "INVALID_ARGUMENT"),
    ({"config": {"subscriptionExpireTime": "2090-01-01T00:00:00"}}, "INVALID_ARGUMENT"),
    ({"config": {"initialEvent": "yes"}}, "INVALID_ARGUMENT"),
    ({"sinkCredential": {"credentialType": "PLAIN", "identifier": "a", "secret": "b"}}, "INVALID_CREDENTIAL"),
    ({"sinkCredential": {"credentialType": "ACCESSTOKEN", "accessToken": "x", "accessTokenType": "bearer",
                         "accessTokenExpiresUtc": "2020-01-01T00:00:00Z"}}, "INVALID_CREDENTIAL"),
    ({"sinkCredential": {"credentialType": "ACCESSTOKEN", "accessToken": "a\r\nb", "accessTokenType": "bearer",
                         "accessTokenExpiresUtc": "2090-01-01T00:00:00Z"}}, "INVALID_CREDENTIAL"),
]  # fmt: skip


@pytest.mark.parametrize(("more", "code"), BAD, ids=lambda one: str(one)[:50])
def test_what_cannot_be_subscribed_to(camara: Camara, token: str, more: dict[str, Any], code: str) -> None:
    body = wanted(camara, 1, **{name: value for name, value in more.items() if name != "config"})
    if "config" in more:
        body["config"] = {**(body["config"] if more["config"] else {}), **more["config"]}
    assert is_error(camara.post(SUBSCRIPTIONS, body, token), 400, code)
