"""Work orders over HTTP and on the command line: what is planned, what is refused, with every problem and its line."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from control.running import Answer, RunningControl
from gate.running import RunningGate, iccid
from simward.cli import cli
from simward.control.api.edge import BODY_OCTETS_MAX
from simward.control.api.principals import Principal
from simward.control.api.work import work_routes
from simward.registry import tables as t
from simward.registry.database import Registry, sqlite_url

NOW = time.time_ns() // 1000
PATH = "/v1/work-orders"
DEVICE, OTHER = "35111111000001", "35111111000002"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = RunningGate(tmp_path / "net", 4, control="127.0.0.1:0").folder
    lines = [
        "iccid,imsi,use_case,label,latitude,longitude",
        *(f"{iccid(one)},00101{one:010d},water-meter,site-{one % 2},{59 + one / 1000},10" for one in range(1, 5)),
    ]
    (made / "inventory.csv").write_text("\n".join(lines) + "\n")
    return made


class ByBearer:
    """Knows one caller, who may plan for one subscription."""

    async def authenticate(self, headers: Any) -> Principal | None:
        known = headers.get(b"authorization") == b"Bearer of-the-dm"
        may = {"allows": lambda what, about: what == "plan" and about == iccid(1), "about_some": frozenset(("plan",))}
        return Principal("dm", **may) if known else None  # type: ignore[arg-type]


class Planning:
    """A control plane with work orders, and how often it was told of new commands."""

    def __init__(self, folder: Path) -> None:
        (folder / "data").mkdir(exist_ok=True)
        self.registry = Registry.open(sqlite_url(folder / "data"))
        self.registry.migrate()
        self.decided = 0
        routes = work_routes(self.registry, folder / "inventory.csv", lambda: NOW, self._count)
        self.control = RunningControl(folder, routes=[routes], authenticators=[ByBearer()])

    def _count(self) -> None:
        self.decided += 1

    def plans(self, body: Any, **more: Any) -> Answer:
        return self.control.ask("POST", PATH, {"because": "worn out", **body}, **more)

    def commands(self) -> list[Any]:
        with self.registry.reading() as connection:
            return list(connection.execute(sa.select(t.command).order_by(t.command.c.id)).all())


@pytest.fixture
def planning(folder: Path) -> Iterator[Planning]:
    made = Planning(folder)
    yield made
    made.control.close()
    made.registry.close()
    assert made.control.error is None


def simward(folder: Path, *arguments: str) -> Result:
    result = CliRunner().invoke(cli, ["--dir", str(folder), *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def test_an_order_is_made_with_a_command_to_the_gate(planning: Planning) -> None:
    answer = planning.plans({"items": [{"iccid": iccid(1), "imei": DEVICE}], "until": "2099-01-01T00:00:00+01:00",
                             "from": "2098-12-31T00:00:00Z", "actor": "ada"})  # fmt: skip
    assert (answer.status, answer.document["number"], answer.document["count"]) == (201, 1, 1)
    (command,) = planning.commands()
    assert (command.do, command.iccid, command.actor, command.because) == ("plan", iccid(1), "ada", "worn out")
    assert command.arguments == {
        "order": 1, "device": True, "place": False, "imei": DEVICE,
        "begins_at": 4_070_822_400_000_000, "ends_at": 4_070_905_200_000_000,
    }  # fmt: skip
    assert planning.decided == 1
    shown = planning.control.ask("GET", f"{PATH}/1").document
    assert (shown["state"], shown["counts"], shown["of"][0]["state"]) == ("open", {"asked": 1}, "asked")
    assert [one["number"] for one in planning.control.ask("GET", PATH).document["work_orders"]] == [1]


def test_a_dry_run_writes_nothing(planning: Planning) -> None:
    answer = planning.plans({"items": [{"iccid": iccid(1), "imei": DEVICE}], "dry_run": True})
    assert (answer.document["number"], answer.document["items"][0]["imei"]) == (None, DEVICE)
    assert planning.commands() == []
    assert planning.decided == 0


def test_all_problems_are_told_with_their_lines(planning: Planning) -> None:
    wrong = [{"iccid": iccid(1), "imei": DEVICE, "line": 2}, {"iccid": iccid(2), "imei": DEVICE, "line": 3},
             {"iccid": iccid(1), "imei": OTHER, "line": 4}]  # fmt: skip
    answer = planning.plans({"items": wrong, "source": "swap.csv"})
    assert (answer.status, answer.document["type"]) == (422, "urn:simward:problem:unfit-order")
    assert [(one["line"], one["where"], one["instead"]) for one in answer.document["errors"]] == [
        (3, "imei", "one SIM a device"), (4, "iccid", "one line a SIM"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("select", "found"),
    [
        ({"use_case": "water-meter"}, [1, 2, 3, 4]),
        ({"label": "site-1"}, [1, 3]),
        ({"label": "site-*", "near": {"latitude": 59.002, "longitude": 10, "radius_m": 120}}, [1, 2, 3]),
        ({"near": {"latitude": 59.002, "longitude": 10, "radius_m": 100}}, [2]),
    ],
)
def test_a_refit_is_about_what_the_inventory_selects(planning: Planning, select: Any, found: list[int]) -> None:
    answer = planning.plans({"kind": "refit", "select": select, "dry_run": True})
    assert [one["iccid"] for one in answer.document["items"]] == [iccid(one) for one in found]


@pytest.mark.parametrize(
    "body",
    [
        {}, {"items": [], "select": None}, {"items": [{"iccid": "12"}]}, {"items": [{"iccid": iccid(1), "imei": "x"}]},
        {"items": [{"iccid": iccid(1), "device": False}]}, {"items": [{"iccid": iccid(1)}], "until": "2099-01-01"},
        {"select": {}}, {"items": [{"iccid": iccid(1)}], "because": " "}, {"items": [{"iccid": iccid(1)}], "more": 1},
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_a_problem(planning: Planning, body: Any) -> None:
    answer = planning.plans(body)
    assert answer.status == 422, answer
    assert planning.commands() == []


def test_boundary_a_large_file_is_one_order_and_another_large_body_is_none(planning: Planning) -> None:
    items = [{"iccid": f"8900101{one:012d}", "imei": f"35111111{one:06d}"} for one in range(1, 2001)]
    assert len(json.dumps(items)) > BODY_OCTETS_MAX
    assert planning.plans({"kind": "swap", "items": items}).document["count"] == 2000
    assert planning.control.ask("POST", "/v1/commands", {"items": items}).status == 413


def test_who_may_plan_for_one_subscription_plans_for_no_other(planning: Planning) -> None:
    headers = {"Authorization": "Bearer of-the-dm"}
    allowed = planning.plans({"items": [{"iccid": iccid(1)}]}, headers=headers, tcp=True)
    assert allowed.status == 201
    for body in ({"items": [{"iccid": iccid(1)}, {"iccid": iccid(2)}]}, {"items": [{"iccid": iccid(1)}], "actor": "x"}):
        assert planning.plans(body, headers=headers, tcp=True).status == 403
    assert planning.control.ask("POST", f"{PATH}/1/cancel", {"because": "x"}, headers, tcp=True).status == 403


def test_an_order_is_cancelled_once(planning: Planning) -> None:
    planning.plans({"items": [{"iccid": iccid(1), "imei": DEVICE}]})
    answer = planning.control.ask("POST", f"{PATH}/1/cancel", {"because": "rain"})
    assert (answer.status, answer.document["cancelled"]) == (200, 1)
    assert [(one.do, one.result) for one in planning.commands()] == [("plan", "withdrawn"), ("unplan", None)]
    assert planning.control.ask("POST", f"{PATH}/1/cancel", {"because": "rain"}).status == 409
    assert planning.control.ask("POST", f"{PATH}/7/cancel", {"because": "rain"}).status == 404
    assert planning.control.ask("GET", f"{PATH}/7").status == 404


def test_plan_show_list_and_cancel_on_the_command_line(folder: Path, planning: Planning) -> None:
    made = simward(folder, "work", "plan", iccid(1), "--to", DEVICE, "--until", "+8h", "--because", "worn out")
    assert (made.exit_code, made.stdout.splitlines()[0]) == (
        0, f"Work order 1: SIM {iccid(1)} to device {DEVICE} (1 planned).",
    )  # fmt: skip
    shown = simward(folder, "work", "show", "1").stdout
    assert f"{iccid(1)}  {DEVICE}" in shown and "worn out" in shown and "work cancel 1" in shown
    assert json.loads(simward(folder, "work", "list", "--json").stdout)["number"] == 1
    assert simward(folder, "work", "cancel", "1", "--because", "rain").stdout == (
        "Work order 1 is cancelled; 1 of its items were still to come.\n"
    )
    again = simward(folder, "work", "cancel", "1", "--because", "rain")
    assert (again.exit_code, again.stderr) == (1, "simward: work order 1 is cancelled already\n")
    assert simward(folder, "work", "list").stderr == "No work orders.\n"
    assert simward(folder, "work", "show", "2").exit_code == 1


def test_a_swap_by_file(folder: Path, planning: Planning) -> None:
    file = folder / "swap.csv"
    file.write_text(f"iccid,imei,until\n{iccid(1)},{DEVICE},\n{iccid(2)},{OTHER},+3d\n")
    dry = simward(folder, "work", "swap", str(file), "--dry-run", "--because", "worn out")
    assert DEVICE in dry.stdout and "Nothing is planned" in dry.stdout and planning.commands() == []
    made = simward(folder, "work", "swap", str(file), "--until", "+2d", "--because", "x")
    assert made.exit_code == 0, made.stderr
    assert [one.arguments["imei"] for one in planning.commands()] == [DEVICE, OTHER]


def test_a_swap_file_that_is_wrong_says_where_and_what_would_be_right(folder: Path, planning: Planning) -> None:
    file = folder / "swap.csv"
    file.write_text(f"iccid,imei,until\n12,{DEVICE},\n{iccid(2)},,later\n{iccid(3)},{OTHER}\n")
    said = simward(folder, "work", "swap", str(file), "--because", "x")
    assert said.exit_code == 2
    lines = [line.strip().removeprefix("simward: ").replace(str(file), "F") for line in said.stderr.splitlines()]
    assert lines == [
        "F:2: iccid: '12': an ICCID has 18 to 20 digits, this has 2 (the digits on the card, like 8900101000000000019)",
        "F:3: imei: is empty (14 to 16 digits, like 35000001000001)",
        "F:3: until: 'later': 'later' is not a time: write 2026-11-23T14:05:00Z (UTC where no offset is given), "
        "how long ago (2h, 15m ago, 1d12h), or seconds since 1970 (2026-11-23T18:00:00Z, or empty)",
        "F:4: has 2 fields, the header has 3",
    ]
    file.write_text(f"iccid,imei\n{iccid(1)},{DEVICE}\n{iccid(2)},{DEVICE}\n")
    said = simward(folder, "work", "swap", str(file), "--because", "x")
    assert said.exit_code == 2
    assert f"{file}:3: imei: device {DEVICE} is to get another SIM in line 2 already" in said.stderr
    file.write_text("sim;device\n")
    assert "not divided by commas" in simward(folder, "work", "swap", str(file), "--because", "x").stderr


def test_a_refit_on_the_command_line(folder: Path, planning: Planning) -> None:
    shown = simward(folder, "work", "refit", "--near", "59.002,10,120 m", "--dry-run", "--because", "x").stdout
    assert [one in shown for one in map(iccid, range(1, 5))] == [True, True, True, False]
    assert "any device and another place" in shown
    none = simward(folder, "work", "refit", "--label", "nowhere", "--because", "x")
    assert (none.exit_code, "names no subscription" in none.stderr) == (2, True)
    assert simward(folder, "work", "refit", "--near", "here", "--because", "x").exit_code == 2
    assert simward(folder, "work", "refit", "--because", "x").exit_code == 2


@pytest.mark.parametrize("text", ["2h", "1d ago", "+soon", "later"])
def test_a_time_to_come_is_not_a_time_past(folder: Path, text: str) -> None:
    said = simward(folder, "work", "plan", iccid(1), "--until", text, "--because", "x")
    assert said.exit_code == 2
    assert "Invalid value for '--until'" in said.stderr
