"""cells.csv and models.csv: what is read, and that every wrong line is named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from simward.errors import ConfigurationError
from simward.policy.compile import compile_policy
from simward.policy.load import read_policies
from simward.policy.models import pool_ranges, read_models
from simward.policy.places import countries, points, read_cells
from simward.settings import Settings

HEADER = "plmn,tracking_area,cell,latitude,longitude\n"
ECGI, NCGI, CGI, AREA = 4 << 56, 5 << 56, 1 << 56, 15 << 56


def cells(tmp_path: Path, text: str) -> np.ndarray:
    path = tmp_path / "cells.csv"
    path.write_text(text)
    return read_cells(path)


def models(tmp_path: Path, text: str) -> np.ndarray:
    path = tmp_path / "models.csv"
    path.write_text(text)
    return read_models(path)


def wrong(call: object, *given: object) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        call(*given)  # type: ignore[operator]
    return [str(one).partition(".csv:")[2] for one in caught.value.problems]


def test_no_file_is_an_empty_table(tmp_path: Path) -> None:
    assert len(read_cells(tmp_path / "cells.csv")) == len(read_models(tmp_path / "models.csv")) == 0


def test_a_number_is_placed_under_every_identity_that_it_can_be(tmp_path: Path) -> None:
    table = cells(tmp_path, HEADER + "00101,7,1234,59.91,10.75\n")
    assert sorted(table["cell"].tolist()) == [CGI | 7 << 16 | 1234, ECGI | 1234, NCGI | 1234]
    assert set(table["plmn"].tolist()) == {100101}


def test_a_cell_may_say_what_it_is_and_an_area_stand_for_all_of_it(tmp_path: Path) -> None:
    table = cells(tmp_path, HEADER + "001-01,,ecgi:77,59.91,10.75\n001-01,9,,60,11\n")
    assert sorted(table["cell"].tolist()) == [ECGI | 77, AREA | 9]


def test_distances_are_right() -> None:
    oslo, bergen = points(np.array([59.91, 60.39]), np.array([10.75, 5.32]))
    assert abs(np.sqrt(((oslo - bergen) ** 2).sum()) - 305_000) < 2_000


def test_every_wrong_line_is_named(tmp_path: Path) -> None:
    text = HEADER + "1,7,1,59,10\n00101,7,x,59,10\n00101,7,1,95,10\n00101,,,59,10\n00101,7,5,59,10\n00101,7,5,60,10\n"
    assert [one.split(":")[0] for one in wrong(cells, tmp_path, text)] == ["2", "3", "4", "5", "7"]


def test_a_misspelled_column_gets_the_right_one(tmp_path: Path) -> None:
    said = wrong(cells, tmp_path, "plmn,tac,cell,latitud,longitude\n")
    assert any("latitud:" in one and "latitude" in one for one in said)


def test_models_are_sorted_and_numbered_by_name(tmp_path: Path) -> None:
    lines = "35000010-35000011,meter,nb-iot lte-m\n35000001,meter,nb-iot\n35999999,phone,\n"
    table = models(tmp_path, "tac,model,rat\n" + lines)
    assert table["tac"].tolist() == [35000001, 35000010, 35000011, 35999999]
    assert table["model"].tolist() == [1, 1, 1, 2]
    assert table["rats"].tolist() == [1 << 8, 1 << 8 | 1 << 9, 1 << 8 | 1 << 9, 0]


def test_every_wrong_model_is_named(tmp_path: Path) -> None:
    text = "tac,model,rat\n3500,meter,\n35000001,meter,nbiot 6g\n35000002,,\n35000003,a,\n35000003,b,\n"
    assert [one.split(":")[0] for one in wrong(models, tmp_path, text)] == ["2", "3", "4", "6"]


def test_ranges_of_a_pool_are_joined() -> None:
    text = 'pool: p\ntac: ["35000000", "35000001-35000003"]\nimei: ["35000004000000", "35000000000005"]\n'
    ranges = pool_ranges(read_policies({"a.yaml": text}).of("pool")["p"])
    assert ranges.tolist() == [(35000000000000, 35000004000000)]


def test_countries_are_far_apart_or_not_at_all() -> None:
    table = countries()
    assert table["radius_m"][1] == 0, "the test network is no country"
    assert (table["radius_m"] != 0).sum() > 200


def test_tables_beside_the_policies_are_compiled_with_them(tmp_path: Path) -> None:
    (tmp_path / "cells.csv").write_text(HEADER + "00101,7,1234,59.91,10.75\n")
    (tmp_path / "models.csv").write_text("tac,model\n35000001,meter\n")
    tables = compile_policy(read_policies({}), Settings(tmp_path))
    assert len(tables.cells) == 3
    assert len(tables.models) == 1
    assert '"cells": "3 rows' in tables.sources["tables.json"]
