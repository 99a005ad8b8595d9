"""CAMARA's official files, where they are beside the repository: what is answered and sent is held to them."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator, FormatChecker

from control.running import Answer

FOLDER = Path(__file__).parents[2].parent / "shared" / "specs" / "camara"
FILES = {
    "/iot-sim-fraud-prevention/v0.1": "iot-sim-fraud-prevention.yaml",
    "/iot-sim-fraud-prevention-subscriptions/v0.1": "iot-sim-fraud-prevention-subscriptions.yaml",
    "/device-swap/v1": "device-swap.yaml",
    "/sim-swap/v2": "sim-swap.yaml",
}
there = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"CAMARA's official files are not in {FOLDER}")


@cache
def document(name: str) -> dict[str, Any]:
    """A file, with what OpenAPI 3.0 has of its own put as JSON Schema has it."""
    found: dict[str, Any] = _as_json_schema(yaml.safe_load((FOLDER / name).read_text()))
    return found


def check(method: str, path: str, answer: Answer) -> None:
    """An answer to a request: its status is one of the file's, and its body and x-correlator are as the file says."""
    base = next((one for one in FILES if path.startswith(one + "/")), None)
    if base is None or not FOLDER.is_dir():
        return
    spec = document(FILES[base])
    operation = _operation(spec, path.removeprefix(base).partition("?")[0], method)
    if operation is None:
        return  # no such path or method: the file says nothing of that
    assert str(answer.status) in operation["responses"], (method, path, answer)
    described = _resolved(spec, operation["responses"][str(answer.status)])
    pattern = spec["components"]["schemas"]["XCorrelator"]["pattern"]
    assert re.search(pattern, answer.headers["x-correlator"])
    content = described.get("content")
    assert (answer.document is None) == (content is None), (method, path, answer)
    if content is not None:
        valid(spec, content["application/json"]["schema"], answer.document)


def check_event(event: dict[str, Any]) -> None:
    """A CloudEvent: it is what the sink's callback takes, and what its own type says."""
    if not FOLDER.is_dir():
        return
    spec = document("iot-sim-fraud-prevention-subscriptions.yaml")
    schemas = spec["components"]["schemas"]
    valid(spec, schemas["NotificationEvent"], event)
    mappings = [
        schemas[group]["discriminator"]["mapping"] for group in ("ApiNotificationEvent", "SubscriptionLifecycleEvent")
    ]
    valid(spec, {"$ref": next(one[event["type"]] for one in mappings if event["type"] in one)}, event)
    if "area" in event["data"]:
        valid(spec, schemas["Circle"], event["data"]["area"])


def valid(spec: dict[str, Any], schema: dict[str, Any], found: Any) -> None:
    """AssertionError with what is wrong."""
    whole = {**schema, "components": spec["components"]}
    errors = list(Draft202012Validator(whole, format_checker=FormatChecker()).iter_errors(found))
    assert not errors, (errors[0].message, found)


def _operation(spec: dict[str, Any], path: str, method: str) -> dict[str, Any] | None:
    for template, methods in spec["paths"].items():
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path):
            found: dict[str, Any] | None = methods.get(method.lower())
            return found
    return None


def _resolved(spec: dict[str, Any], described: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in described:
        return described
    found: Any = spec
    for step in described["$ref"].removeprefix("#/").split("/"):
        found = found[step]
    return dict(found)


def _as_json_schema(found: Any) -> Any:
    if isinstance(found, list):
        return [_as_json_schema(one) for one in found]
    if not isinstance(found, dict):
        return found
    made = {name: _as_json_schema(value) for name, value in found.items()}
    if made.pop("nullable", False) is True:
        made["type"] = [made["type"], "null"]
    return made
