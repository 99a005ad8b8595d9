"""The audit: a chain that shows any change, contents under a key of their own, and heads that show a cut tail."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import sqlalchemy as sa

from simward.control.heads import FOLDER, PUBLIC_NAME, Heads, Signer, is_signed, public_key, read_heads
from simward.errors import UsageError
from simward.registry import audit
from simward.registry import tables as t
from simward.registry.audit import Deed
from simward.registry.database import Registry
from simward.registry.spellings import Spellings

IMSI, OTHER = "001010000000001", "001010000000002"


def deed(number: int, imsi: str | None = IMSI) -> Deed:
    return Deed(
        at=number, actor="ana@site", what="lock", object=f"o{number}", imsi=imsi, why=f"seen {imsi}",
        before={"locked": False}, after={"locked": True},
    )  # fmt: skip


@pytest.fixture
def written(registry: Registry) -> Registry:
    """Ten entries about two subscriptions and none."""
    with registry.writing() as connection:
        for number in range(1, 11):
            audit.note(connection, deed(number, (IMSI, OTHER, None)[number % 3]))
    return registry


def test_what_was_written_is_read(written: Registry) -> None:
    with written.reading() as connection:
        entries = list(audit.entries(connection))
        walked = audit.walk(connection)
    assert [one.number for one in entries] == list(range(1, 11))
    assert entries[2].content == {
        "imsi": IMSI, "why": f"seen {IMSI}", "before": {"locked": False}, "after": {"locked": True},
    }  # fmt: skip
    assert (walked.entries, walked.wrong, walked.digest) == (10, 0, entries[-1].digest)


def test_nothing_outside_the_seal_names_the_subscription(written: Registry) -> None:
    with written.reading() as connection:
        rows = connection.execute(sa.select(t.audit)).all()
    assert not any(IMSI.encode() in bytes(row.content) or IMSI in str(row[:8]) for row in rows)


@pytest.mark.parametrize("column", ["at", "actor", "what", "object", "cause", "subject", "content", "tenant"])
def test_a_change_anywhere_shows(written: Registry, column: str) -> None:
    with written.writing() as connection:
        was = connection.execute(sa.select(t.audit.c[column]).where(t.audit.c.number == 4)).scalar()
        now = was + 1 if isinstance(was, int) else was + (b"x" if isinstance(was, bytes) else "x")
        connection.execute(sa.update(t.audit).where(t.audit.c.number == 4).values({column: now}))
        walked = audit.walk(connection)
    assert (walked.wrong, walked.entries) == (4, 3)


@pytest.mark.parametrize("gone", [1, 5])
def test_an_entry_that_is_missing_shows(written: Registry, gone: int) -> None:
    with written.writing() as connection:
        connection.execute(sa.delete(t.audit).where(t.audit.c.number == gone))
        walked = audit.walk(connection)
    assert (walked.wrong, walked.reason) == (gone, f"missing: the next entry is {gone + 1}")


def test_a_moved_boundary_between_texts_shows(written: Registry) -> None:
    with written.writing() as connection:
        connection.execute(sa.update(t.audit).where(t.audit.c.number == 4).values(actor="ana@sit", what="elock"))
        assert audit.walk(connection).wrong == 4


def test_erasing_destroys_what_was_said_and_the_chain_still_verifies(written: Registry) -> None:
    with written.writing() as connection:
        audit.note(connection, Deed(at=11, actor="ana", what="note", why=f"{IMSI} and another"))
        before = audit.walk(connection)
        assert audit.destroy_keys(connection, IMSI, Spellings([IMSI]), 50) == [3, 6, 9, 11]
        assert audit.destroy_keys(connection, IMSI, Spellings([IMSI]), 51) == []
    with written.reading() as connection:
        assert audit.walk(connection) == before
        entries = list(audit.entries(connection))
        names = connection.execute(sa.select(t.audit_subject).where(t.audit_subject.c.imsi.is_(None))).all()
    assert [one.number for one in entries if one.content is None] == [3, 6, 9, 11]
    assert all(one.content and one.content.get("imsi") in (OTHER, None) for one in entries[:10] if one.number % 3)
    assert [one.erased_at for one in names] == [50]


def test_one_who_comes_back_after_an_erasure_is_somebody_new(written: Registry) -> None:
    with written.writing() as connection:
        gone = audit.subject_of(connection, IMSI, 1)
        audit.destroy_keys(connection, IMSI, Spellings([IMSI]), 50)
        audit.note(connection, deed(60))
        entries = list(audit.entries(connection, imsi=IMSI))
    assert [one.number for one in entries] == [11]
    assert entries[0].subject != gone


def test_heads_are_signed_and_show_a_cut_tail(written: Registry, tmp_path: Path) -> None:
    signer = Signer.of(tmp_path)
    heads = Heads(tmp_path / "elsewhere" / "heads.jsonl", signer, written)
    assert heads.each_second(0, 1, lambda: (7, bytes(32))) is not None
    assert heads.each_second(1, 2, lambda: (8, bytes(32))) is None, "a minute has not passed"
    assert heads.each_second(61, 3, lambda: (7, bytes(32))) is None, "nothing was added"
    assert heads.each_second(122, 4, lambda: (9, bytes(32))) is not None
    public = public_key(tmp_path / FOLDER / PUBLIC_NAME)
    told = list(read_heads(heads.path))
    assert [(one["audit"]["number"], one["journal"]["sequence"]) for one in told] == [(10, 7), (10, 9)]
    assert all(is_signed(one, public) for one in told)
    assert not is_signed({**told[0], "at": 5}, public)
    assert not is_signed(told[0], Signer.of(tmp_path / "another").private.public_key())
    with written.writing() as connection:
        connection.execute(sa.delete(t.audit).where(t.audit.c.number > 8))
        assert audit.walk(connection).wrong == 0, "the chain alone cannot tell"
        assert audit.digest_at(connection, told[-1]["audit"]["number"]) is None


def test_a_key_is_made_once_and_is_the_owners_alone(tmp_path: Path) -> None:
    first, second = Signer.of(tmp_path), Signer.of(tmp_path)
    assert first.private.public_key() == second.private.public_key()
    assert (tmp_path / FOLDER / "signing.key").stat().st_mode & 0o777 == 0o600


def test_a_head_that_a_crash_cut_short_is_left_out(written: Registry, tmp_path: Path) -> None:
    heads = Heads(tmp_path / "heads.jsonl", Signer.of(tmp_path), written)
    heads.write(1, (1, bytes(32)))
    with heads.path.open("ab") as file:
        file.write(b'{"at":1,"audit"')
    assert len(list(read_heads(heads.path))) == 1


@pytest.mark.parametrize("torn", [b"{", b'{"at":1,"audit"', b'{"at":1,"audit":{"digest":"00","number":1}}'[:-1]])
def test_what_a_full_disk_cut_short_spoils_no_later_head(written: Registry, tmp_path: Path, torn: bytes) -> None:
    heads = Heads(tmp_path / "heads.jsonl", Signer.of(tmp_path), written)
    heads.write(1, (1, bytes(32)))
    with heads.path.open("ab") as file:
        file.write(torn)
    heads.write(2, (2, bytes(32)))
    assert [one["at"] for one in read_heads(heads.path)] == [1, 2]


def test_heads_are_only_ever_added(written: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They may be on a file that nothing else can be done to."""
    opened = []
    opens = os.open
    monkeypatch.setattr(os, "open", lambda path, flags, mode: opened.append(flags) or opens(path, flags, mode))
    Heads(tmp_path / "heads.jsonl", Signer.of(tmp_path), written).write(1, (1, bytes(32)))
    assert opened[-1] & os.O_APPEND and not opened[-1] & os.O_TRUNC


def test_what_is_no_file_of_heads_is_said(tmp_path: Path) -> None:
    (tmp_path / "notes").write_bytes(b"nothing of the kind\n")
    with pytest.raises(UsageError, match="notes:1"):
        list(read_heads(tmp_path / "notes"))


def test_a_key_that_was_removed_or_exchanged_past_the_audit_shows(written: Registry) -> None:
    with written.writing() as connection:
        assert audit.unreadable(connection) == []
        connection.execute(sa.delete(t.audit_key).where(t.audit_key.c.number == 3))
        connection.execute(sa.update(t.audit_key).where(t.audit_key.c.number == 5).values(key=bytes(32)))
        assert audit.walk(connection).wrong == 0, "the chain alone cannot tell"
        assert audit.unreadable(connection) == [3, 5]


def test_what_an_erasure_names_is_explained_also_when_its_own_words_are_erased(written: Registry) -> None:
    with written.writing() as connection:
        first = audit.destroy_keys(connection, IMSI, Spellings([IMSI]), 50)
        assert audit.unreadable(connection) == first
        why = f"its SIM was exchanged for that of {OTHER}"
        audit.note(connection, Deed(at=50, actor="ana", what=audit.ERASE, why=why, after={"entries": first}))
        assert audit.unreadable(connection) == []
        second = audit.destroy_keys(connection, OTHER, Spellings([OTHER]), 51)
        assert set(first) < set(second)
        audit.note(connection, Deed(at=51, actor="ana", what=audit.ERASE, after={"entries": second}))
        assert audit.unreadable(connection) == []
