"""The official files as a tester has them: schemathesis makes requests of each, right and wrong, at a real server."""

from __future__ import annotations

import copy
from collections.abc import Iterator

import pytest
import schemathesis
import yaml
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from control import camara_files
from control.camara_running import Camara, number
from gate.running import needs_radclient

pytestmark = [needs_radclient, camara_files.there]
TRIED = 25
"""Requests an operation, of each kind."""
CHECKS = [
    not_a_server_error, status_code_conformance, content_type_conformance, response_headers_conformance,
    response_schema_conformance,
]  # fmt: skip


@pytest.fixture(scope="module")
def camara(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Camara]:
    made = Camara(tmp_path_factory.mktemp("camara"))
    made.attach(1)
    yield made
    made.close()


@pytest.mark.parametrize("base", camara_files.FILES)
def test_each_file_is_what_is_served(camara: Camara, base: str) -> None:
    document = yaml.safe_load((camara_files.FOLDER / camara_files.FILES[base]).read_text())
    document = copy.deepcopy(document)
    host, port = camara.control.tcp()
    document["servers"] = [{"url": f"http://{host}:{port}{base}"}]
    known = document["components"]["schemas"]["PhoneNumber"]
    known["enum"] = [number(1), number(2), "+4912345678"]  # or hardly any request would find a subscription
    del known["pattern"]
    schema = schemathesis.openapi.from_dict(document)
    token = camara.client("schemathesis")
    for found in schema.get_all_operations():
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            _try(found.ok(), mode, token)


def _try(operation: schemathesis.APIOperation, mode: GenerationMode, token: str) -> None:
    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=TRIED, deadline=None, database=None, derandomize=True, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    def each(case: schemathesis.Case) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        case.call_and_validate(checks=CHECKS, headers=headers, timeout=20)

    each()
