"""The documentation that outsiders rely on is held to the code: what is documented is so, and the other way round."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from house.sources import REPOSITORY

REFERENCE = REPOSITORY / "docs" / "reference"


def page(name: str) -> str:
    """The text of a page of the reference."""
    return (REFERENCE / name).read_text(encoding="utf-8")


def rows(text: str, *, under: str) -> list[str]:
    """The first cells (code removed) of the tables below a heading, until the next heading."""
    part = re.search(rf"^#+ .*{re.escape(under)}.*?$(.*?)(?=^#|\Z)", text, re.MULTILINE | re.DOTALL)
    assert part, f"no heading {under!r}"
    cells = [line.split("|")[1].strip().strip("`") for line in part[1].splitlines() if line.startswith("|")]
    return [cell for cell in cells[2:] if cell]


def test_made_pages_are_as_the_code_has_them(tmp_path: Path) -> None:
    """Run in a process of its own, since it describes the code without compiling it."""
    checked = subprocess.run(
        [sys.executable, str(REPOSITORY / "scripts" / "write_reference.py"), "--check"],
        capture_output=True, text=True, timeout=120, cwd=tmp_path,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stdout + checked.stderr[-2000:]


@pytest.mark.parametrize(
    ("heading", "name"),
    [
        ("[gate]", "GATE_KEYS"),
        ("[[gateway]]", "GATEWAY_KEYS"),
        ("[history]", "HISTORY_KEYS"),
        ("[control]", "CONTROL_KEYS"),
        ("[openid]", "OPENID_KEYS"),
        ("[[openid.grant]]", "OPENID_GRANT_KEYS"),
        ("[registry]", "REGISTRY_KEYS"),
        ("[audit]", "AUDIT_KEYS"),
        ("[incidents]", "INCIDENT_KEYS"),
        ("[log]", "LOG_KEYS"),
        ("[cdr]", "CDR_KEYS"),
        ("[behaviour]", "BEHAVIOUR_KEYS"),
        ("[[endpoint]]", "ENDPOINT_KEYS"),
        ("[[party]]", "PARTY_KEYS"),
        ("[[secret]]", "NAMED_SECRET_KEYS"),
    ],
)
def test_settings_are_documented_key_by_key(heading: str, name: str) -> None:
    from simward import settings

    assert sorted(rows(page("settings.md"), under=f"`{heading}`")) == sorted(getattr(settings, name))


def test_every_error_is_public_and_documented() -> None:
    import inspect

    from simward import errors

    kinds = [
        kind
        for _, kind in inspect.getmembers(errors, inspect.isclass)
        if issubclass(kind, Exception) and kind.__module__ == "simward.errors"
    ]
    for kind in kinds:
        assert issubclass(kind, errors.SimwardError), f"{kind.__name__} stands outside the tree"
        assert kind.exit_code in (1, 2, 3)
        assert f"`{kind.__name__}`" in page("exit-codes.md")


def test_radius_attributes_are_in_the_dictionary() -> None:
    from simward.wire.radius.dictionary import named

    for heading in ("Read", "Sent"):
        for name in rows(page("radius.md"), under=heading):
            assert named(name), f"{name} is not in the dictionary"


def test_templates_of_call_records_are_documented() -> None:
    from simward.inputs.record_files import NO_CSV, NO_OBJECT, TOO_LONG
    from simward.wire.cdr.columns import REASONS
    from simward.wire.cdr.template import COLUMNS, KEYS

    text = page("call-records.md")
    assert tuple(rows(text, under="Template")) == KEYS
    assert tuple(rows(text, under="Columns")) == COLUMNS
    reasons = {*REASONS[1:], NO_CSV, NO_OBJECT, TOO_LONG, "N values under M columns"}
    assert set(rows(text, under="Rejected lines")) == reasons


def test_inventory_columns_are_documented() -> None:
    from simward.policy import inventory

    documented = {cell for one in rows(page("inventory.md"), under="Inventory") for cell in re.findall(r"[a-z_]+", one)}
    assert documented == set(inventory.COLUMNS)


def test_routes_and_problems_are_documented() -> None:
    import ast

    from house.sources import package
    from simward.control.api.app import make_app
    from simward.control.api.commands import REFUSED, Command
    from simward.control.gate_link import GateLink
    from simward.control.readiness import Readiness
    from simward.response.deploying import MISTAKES

    app = make_app(GateLink(Path()), Path(), Readiness([]), dict)
    served = {f"{method.upper()} {path}" for path, methods in app.openapi()["paths"].items() for method in methods}
    assert set(rows(page("http.md"), under="Routes")) == served | {f"GET {app.openapi_url}"}
    assert set(rows(page("http.md"), under="A command")) == set(Command.model_fields)
    names = {
        node.args[1].value
        for source in package()
        if source.name.startswith("control/")
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "Problem" and isinstance(node.args[1], ast.Constant)
    }
    assert set(rows(page("http.md"), under="Errors")) == names | set(REFUSED) | set(MISTAKES) | {"gate-refused"}


def test_routes_of_rules_are_documented() -> None:
    from fastapi import FastAPI

    from simward.control.api.rules import rule_routes
    from simward.registry.database import Registry

    app = FastAPI()
    app.include_router(rule_routes(Registry.open("sqlite://"), lambda: 0))
    served = {f"{method.upper()} {path}" for path, methods in app.openapi()["paths"].items() for method in methods}
    assert set(rows(page("http.md"), under="Rules and undo")) == served


def test_roles_and_permissions_are_documented() -> None:
    from simward.control.api.permissions import PERMISSIONS, ROLES

    text = page("http.md")
    table = text.split("## Permissions")[1].split("## Errors")[0]
    assert dict(re.findall(r"^\| `([a-z:-]+)` \| (.*) \|$", table, re.MULTILINE)) == PERMISSIONS
    assert rows(text, under="Roles") == list(ROLES)
    table = text.split("## Roles")[1].split("## Permissions")[0]
    for role, said in re.findall(r"^\| `([a-z-]+)` \| (.*) \|$", table, re.MULTILINE):
        assert (set(PERMISSIONS) if said == "all" else set(re.findall(r"`([a-z:-]+)`", said))) == ROLES[role]


def test_routes_of_incidents_are_documented() -> None:
    from fastapi import FastAPI

    from simward.control.api.incidents import incident_routes
    from simward.registry.database import Registry
    from simward.response.announcing import Announcing
    from simward.response.incident_life import Life
    from simward.response.judging import Judging
    from simward.settings import IncidentSettings

    app = FastAPI()
    judging = Judging(Life(Announcing([], lambda: 0), IncidentSettings()))
    app.include_router(incident_routes(Registry.open("sqlite://"), judging, Path(), lambda: 0))
    served = {f"{method.upper()} {path}" for path, methods in app.openapi()["paths"].items() for method in methods}
    assert set(rows(page("http.md"), under="Incidents")) == served


def test_routes_of_endpoints_and_parties_are_documented() -> None:
    from fastapi import FastAPI

    from simward.control.api.endpoints import endpoint_routes
    from simward.control.api.parties import Acknowledgement, party_routes
    from simward.control.api.party_list import party_list_routes
    from simward.control.clock import SystemClock
    from simward.control.dispatching import Dispatcher
    from simward.incident_settings import IncidentSettings
    from simward.registry.database import Registry
    from simward.response.announcing import Announcing
    from simward.response.incident_life import Life
    from simward.response.parties import Parties

    app, registry, announcing = FastAPI(), Registry.open("sqlite://"), Announcing([], lambda: 0)
    app.include_router(endpoint_routes(registry, Dispatcher(registry, [], "", SystemClock()), announcing, lambda: 0))
    parties = Parties([], Life(announcing, IncidentSettings()))
    app.include_router(party_routes(registry, parties, lambda: None, lambda: 0))
    app.include_router(party_list_routes(registry, [], [], lambda: 0))
    served = {f"{method.upper()} {path}" for path, methods in app.openapi()["paths"].items() for method in methods}
    assert set(rows(page("http.md"), under="Endpoints and parties")) == served
    assert set(rows(page("http.md"), under="An acknowledgement")) == set(Acknowledgement.model_fields)


def test_incidents_are_documented() -> None:
    from simward.control.api import answers
    from simward.response import grouping, incident_life

    text = page("incidents.md")
    assert tuple(rows(text, under="Incidents as JSON")) == incident_life.KEYS == tuple(answers.Incident.model_fields)
    assert tuple(rows(text, under="Groupings")) == tuple(one.name for one in grouping.GROUPINGS)
    for name in (*incident_life.COUNTS, *incident_life.CHANGES):
        assert f"`{name}`" in text


def test_keys_of_a_finding_are_documented() -> None:
    from simward.engine.words import FINDING_KEYS

    assert tuple(rows(page("findings.md"), under="Findings as JSON")) == FINDING_KEYS[:16]
    for name in FINDING_KEYS[16:]:
        assert f"`{name}`" in page("findings.md")


def test_states_of_deployments_are_documented() -> None:
    from typing import get_args

    from simward.control.api.deployments import Deployment, State
    from simward.registry.deployments import STATES
    from simward.response.schemas import DEPLOYMENT

    assert tuple(rows(page("http.md"), under="Deployments")[6:]) == tuple(STATES) == get_args(State)
    for name in Deployment.model_fields:
        assert f"`{name}`" in page("http.md")
    assert set(DEPLOYMENT["properties"]) <= set(Deployment.model_fields)
