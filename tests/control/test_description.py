"""The OpenAPI description is held to what is served: schemathesis makes requests of it, right and wrong ones."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from control import assembled
from control.running import RunningControl

CHECKS = [
    not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance,
    response_headers_conformance, negative_data_rejection,
]  # fmt: skip
ENDLESS = ("/v1/events/stream",)
NOT_THERE = ("no-gate", "not-ready", "watch-unreachable")
"""Problems of what does not run in this test."""
EXAMPLES = 8
PATIENCE_S = 120
"""A plan is made by a process that starts for it; beside other tests that takes its time."""


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


def test_what_is_served_is_as_described(described: schemathesis.BaseSchema) -> None:
    """Of every route: what fits its description, and what does not."""
    tried = 0
    for found in described.get_all_operations():
        operation = found.ok()
        if operation.path in ENDLESS:
            continue
        for mode in GenerationMode:
            tried += 1
            _try(operation, mode)
    assert tried > 60


def _try(operation: schemathesis.schemas.APIOperation, mode: GenerationMode) -> None:
    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    def each(case: schemathesis.Case) -> None:
        response = case.call(timeout=PATIENCE_S)
        if response.status_code == 503:  # neither gate nor watch runs here
            assert response.json()["type"].rpartition(":")[2] in NOT_THERE, response.text
            return
        case.validate_response(response, checks=CHECKS)

    try:
        each()
    except Unsatisfiable:
        pass  # nothing that is wrong can be sent: it takes nothing
