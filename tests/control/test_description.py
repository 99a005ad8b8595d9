"""The OpenAPI description is held to what is served: schemathesis makes requests of it, right and wrong ones."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from control import assembled
from control.running import RunningControl

CHECKS = [
    not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance,
    response_headers_conformance,
]  # fmt: skip
ENDLESS = ("/v1/events/stream",)
NEEDS_MORE = {503: "the gate does not run here, and says so"}


@pytest.fixture(scope="module")
def control(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningControl]:
    made = assembled.running(assembled.recorded_day(tmp_path_factory.mktemp("day")))
    yield made
    made.close()
    assert made.error is None


@pytest.fixture(scope="module")
def described(control: RunningControl) -> schemathesis.BaseSchema:
    token = assembled.token(control, "administrator")
    host, port = control.tcp()
    schema = schemathesis.openapi.from_dict(control.control.app.openapi())
    schema.config.update(base_url=f"http://{host}:{port}", headers={"Authorization": f"Bearer {token}"})
    return schema


schema = schemathesis.pytest.from_fixture("described").exclude(path=ENDLESS)


@schema.parametrize()
@settings(
    max_examples=8, deadline=None, derandomize=True, database=None, phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_what_is_served_is_as_described(case: schemathesis.Case) -> None:
    response = case.call(timeout=20)
    if response.status_code in NEEDS_MORE:
        assert response.headers["content-type"] == "application/problem+json" and "retry-after" in response.headers
        return
    case.validate_response(response, checks=CHECKS)
