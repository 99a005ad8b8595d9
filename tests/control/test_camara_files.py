"""The official files as a tester has them: schemathesis makes requests of each, right and wrong, at a real server."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
import yaml
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

from control import camara_files
from control.camara_running import SUBSCRIPTIONS, Camara, number
from gate.running import needs_radclient
from simward.control.api.edge import CORRELATOR
from simward.control.camara.telling import IMEI_CHANGE

pytestmark = [needs_radclient, camara_files.there]
TRIED = 15
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
    """As it is; and with values of ours in place of made-up ones, or hardly a request would find a subscription."""
    document = yaml.safe_load((camara_files.FOLDER / camara_files.FILES[base]).read_text())
    for statuses in _tried(camara, base, document).values():
        assert set(statuses) <= {200, 201, 204, 400, 404, 422}
    _narrow(camara, document)
    for label, statuses in _tried(camara, base, document).items():
        assert set(statuses) & {200, 201, 204}, (label, statuses)


def _tried(camara: Camara, base: str, document: dict[str, Any]) -> dict[str, Counter[int]]:
    """The statuses of each operation."""
    host, port = camara.control.tcp()
    schema = schemathesis.openapi.from_dict(copy.deepcopy(document))
    headers = {"Authorization": f"Bearer {camara.client('schemathesis')}"}
    schema.config.update(base_url=f"http://{host}:{port}{base}", headers=headers)
    seen: dict[str, Counter[int]] = {}
    for found in schema.get_all_operations():
        operation = found.ok()
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            _try(operation, mode, seen.setdefault(operation.label, Counter()))
    return seen


def _narrow(camara: Camara, document: dict[str, Any]) -> None:
    """Have requests name subscriptions that there are, and a sink that listens."""
    schemas = document["components"]["schemas"]
    schemas["PhoneNumber"] = {"type": "string", "enum": [number(1), number(2)]}
    if "Device" in schemas:
        only = {"phoneNumber": schemas["Device"]["properties"]["phoneNumber"]}
        schemas["Device"] = {"type": "object", "properties": only, "required": ["phoneNumber"],
                             "additionalProperties": False}  # fmt: skip
    for name in ("BindDeviceImeiRequest", "UnBindDeviceImeiRequest", "QueryRequest"):
        if name in schemas:
            schemas[name]["required"].append("device")
    if "SubscribeFraudPreventionRequest" in schemas:
        schemas["Protocol"]["enum"] = ["HTTP"]
        asked = schemas["SubscribeFraudPreventionRequest"]["properties"]
        del asked["sinkCredential"]
        asked["sink"]["enum"] = [camara.sink_url]
        schemas["Config"]["properties"]["subscriptionExpireTime"]["enum"] = ["2090-01-01T00:00:00Z"]
        body = {"sink": camara.sink_url, "protocol": "HTTP", "types": [IMEI_CHANGE],
                "config": {"subscriptionDetail": {"device": {"phoneNumber": number(1)}}}}  # fmt: skip
        made = camara.post(SUBSCRIPTIONS, body, camara.client("schemathesis")).document["id"]
        for methods in document["paths"].values():
            for operation in methods.values():
                for parameter in operation["parameters"]:
                    if parameter.get("name") == "subscriptionId":
                        parameter["schema"]["enum"] = [made]


def _try(operation: schemathesis.APIOperation, mode: GenerationMode, seen: Counter[int]) -> None:
    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=TRIED, deadline=None, database=None, derandomize=True, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    def each(case: schemathesis.Case) -> None:
        response = case.call(timeout=20)
        seen[response.status_code] += 1
        # A correlator that is none is no reason to refuse what is right otherwise: another takes its place.
        shown = dict(case.headers or ()).get("x-correlator", "none")
        refuses = [negative_data_rejection] if CORRELATOR.fullmatch(str(shown).encode()) else []
        case.validate_response(response, checks=[*CHECKS, *refuses])

    try:
        each()
    except Unsatisfiable:
        pass  # nothing that is wrong can be sent: it takes nothing
