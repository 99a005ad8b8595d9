"""The erasure of one subscription from beginning to end, with an entry in the audit that names nobody."""

from __future__ import annotations

import shutil
from contextlib import closing

from simward.engine.both_journals import findings_folder
from simward.engine.sqlite_journal import SqliteJournal
from simward.erasure import files
from simward.erasure.files import Rewritten
from simward.erasure.identifiers import Identifiers
from simward.identity import imsi_text
from simward.registry import audit
from simward.registry.audit import Deed
from simward.registry.database import Registry, url_of
from simward.registry.erasing import erase
from simward.settings import Settings
from simward.watch.snapshots import make_snapshot

REVISIONS_FOLDER = "revisions"
"""Where `apply` hands revisions over; one that a gate did not take may lie there still."""


def erase_everywhere(settings: Settings, who: Identifiers, *, actor: str, because: str, at: int) -> Rewritten:
    """Erase; nothing else runs in the folder. Raises JournalError or RegistryError where it cannot be done: then
    nothing was changed, or the same call finishes it.
    """
    data_dir = settings.data_dir
    make_snapshot(data_dir)
    with closing(SqliteJournal.open(data_dir / "journal")), closing(SqliteJournal.open(findings_folder(data_dir))):
        # Both journals' locks are held: nobody writes, and no process starts in between.
        done = files.build(data_dir, who)
        _registry(settings, who, done, actor=actor, because=because, at=at)
        files.finish(data_dir)
    shutil.rmtree(data_dir / REVISIONS_FOLDER, ignore_errors=True)
    return done


def _registry(settings: Settings, who: Identifiers, done: Rewritten, *, actor: str, because: str, at: int) -> None:
    """After the files are built and before they are in place: a crash in between is finished by the files' plan."""
    registry = Registry.open(url_of(settings))
    try:
        registry.migrate()
        with registry.writing() as connection:
            name = erase(connection, [imsi_text(one) for one in sorted(who.imsis)], who.texts, at)
            after = {"rows": done.rows, "journal": {"sequence": done.last, "digest": done.digest.hex()}}
            deed = Deed(at=at, actor=actor, what="erase", object=name, why=because, after=after)
            audit.note(connection, deed)
        registry.forget_what_was_deleted()
    finally:
        registry.close()
