"""The erasure of one subscription from beginning to end, with an entry in the audit that names nobody."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from simward.control.alone import alone
from simward.engine.both_journals import findings_folder
from simward.engine.call_records import records_folder
from simward.engine.journal_files import WriterLock
from simward.erasure import files
from simward.erasure.files import Plan, Rewritten
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
    with _nobody_writes(data_dir):
        plan = files.build(data_dir, who, {"actor": actor, "why": because, "at": at})
        _finish(settings, plan)
    return plan.rewritten


def finish(settings: Settings) -> bool:
    """Finish what was cut short, in the registry too; True where there was something to finish."""
    with _nobody_writes(settings.data_dir):
        plan = Plan.read(settings.data_dir)
        if plan is None:
            return files.put_in_place(settings.data_dir)
        _finish(settings, plan)
    return True


@contextmanager
def _nobody_writes(data_dir: Path) -> Iterator[None]:
    """With the locks of the journals and of the registry's writer held: no process runs, or starts in between."""
    with ExitStack() as locks:
        locks.enter_context(alone(data_dir))
        for folder in (data_dir / "journal", findings_folder(data_dir), records_folder(data_dir)):
            if folder.is_dir():
                locks.callback(WriterLock(folder).release)
        yield


def _finish(settings: Settings, plan: Plan) -> None:
    if plan.who is not None:
        _registry(settings, plan.who, plan)
        plan.without_whom().write(settings.data_dir)
    files.put_in_place(settings.data_dir)
    shutil.rmtree(settings.data_dir / REVISIONS_FOLDER, ignore_errors=True)


def _registry(settings: Settings, who: Identifiers, plan: Plan) -> None:
    """After the files are built and before they are in place: a crash in between is finished by the files' plan."""
    done, deed = plan.rewritten, plan.deed
    registry = Registry.open(url_of(settings))
    try:
        registry.migrate()
        with registry.writing() as connection:
            name, gone = erase(connection, [imsi_text(one) for one in sorted(who.imsis)], who.texts, deed["at"])
            end = {"sequence": done.last, "digest": done.digest.hex()}
            after = {"rows": done.rows, "journal": end, "entries": gone}
            audit.note(connection, Deed(what=audit.ERASE, object=name, after=after, **deed))
        registry.forget_what_was_deleted()
    finally:
        registry.close()
