"""Looking up by identifiers and labels, held against SQLite and PostgreSQL."""

from __future__ import annotations

import sqlalchemy as sa

from simward.registry import inventory, mirrors, searching
from simward.registry import tables as t
from simward.registry.database import Registry

ONE, TWO = "001010000000001", "001010000000002"


def line(imsi: str, tenant: str) -> dict[str, object]:
    return {
        "imsi": imsi, "iccid": f"89880000000000{imsi[-5:]}", "msisdn": None, "declared_imei": None, "state": "active",
        "as_of_seq": 2, "use_case": "meter", "tenant": tenant, "segment": None,
    }  # fmt: skip


def test_every_identifier_finds_its_subscription(registry: Registry) -> None:
    with registry.writing() as connection:
        inventory.note_declared(connection, [line(ONE, "a"), line(TWO, "b")])
        mirrors.note_subscription(connection, ONE, 3, seen_imei="35000001000001", address="192.0.2.7")
        connection.execute(sa.insert(t.deployment).values(
            imsi=TWO, iccid="8988", imei="35000002000001", use_case="meter", label="Well 7", actor="dm", correlator="c",
            state="confirmed", live=True, created_at=1, changed_at=1, lines=[], before=[],
        ))  # fmt: skip
    with registry.reading() as connection:
        for text, by, imsi in (
            (ONE, "IMSI", ONE), ("89880000000000" + TWO[-5:], "ICCID", TWO), ("192.0.2.7", "address", ONE),
            ("35-000001-000001-0", "IMEI that was seen", ONE), ("350000010000", "IMEI that was seen", ONE),
        ):  # fmt: skip
            (hit,) = searching.subscriptions(connection, text, None, 10)
            assert (hit.by, hit.row.imsi) == (by, imsi)
        assert not searching.subscriptions(connection, ONE, "b", 10), "of another tenant nothing is there"
        (hit,) = searching.called(connection, " Well 7 ", [], None, 10)
        assert (hit.by, hit.row.imsi) == ("site", TWO)
        found = searching.called(connection, "Well 7", [ONE, TWO], None, 10)
        assert [(one.by, one.row.imsi) for one in found] == [("site", TWO), ("inventory", ONE)]
        assert not searching.called(connection, "Well 7", [TWO], "a", 10)
