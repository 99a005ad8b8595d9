"""A working folder with a long recording in many small segments, most of which may become history."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from engine.recording import HOUR, METER, METERS, PHONE, Recording
from simward.engine import events as ev
from simward.engine.sqlite_journal import SqliteJournal
from simward.engine.start import save
from simward.history.keeping import archive, sealed_segments

MEMBERS = 6
SEGMENT_OCTETS = 100_000
FOREVER_US = 9_000_000_000_000_000


def member(number: int) -> dict[str, str]:
    """The identities of a subscription of the fleet."""
    return {
        "imsi": f"00101{number + 1:010d}",
        "iccid": f"890010100000000{number:03d}9", "msisdn": f"+474000{number + 1:04d}",
    }  # fmt: skip


def record(folder: Path, days: int = 9) -> str:
    """Write `folder` with a recording of so many days and a snapshot of its end; returns the state's digest."""
    (folder / "policies").mkdir(parents=True, exist_ok=True)
    (folder / "simward.toml").write_text("[gate]\n")
    (folder / "policies" / "water-meter.yaml").write_text(METERS)
    data = folder / "data"
    small = {"segment_octets": SEGMENT_OCTETS, "checkpoint_octets": 64 << 10}
    with closing(SqliteJournal.open(data / "journal", **small)) as journal:
        recording = Recording(journal=journal)
        for number in range(MEMBERS):
            recording.declare(**member(number))
        for day in range(days):
            for number in range(MEMBERS):
                one_day(recording, number, day)
            recording.after(10 * HOUR).event(ev.TICK, gateway=0)
            if day == days // 2:
                recording.event(ev.ACCOUNTING_ON)
                recording.revise(METERS.replace("nb-iot, lte-m", "nb-iot"))
                recording.command(ev.COMMAND_LOCK, "stolen", iccid=member(2)["iccid"])
                recording.asks(imsi=member(1)["imsi"], imei=METER + 1, credentials=ev.CREDENTIALS_WRONG)
                recording.event(ev.CHANGE_RESULT, "S0010", cause=ev.EFFECT_NAK, argument=404, imsi=member(1)["imsi"])
        save(recording.fold, data)
        return recording.fold.state.digest()


def one_day(recording: Recording, number: int, day: int) -> None:
    """A subscription's sessions of a day; the SIM of the last one is in a phone from the third day on."""
    imsi, device = member(number)["imsi"], METER + number
    if number == MEMBERS - 1 and day >= 3:
        device = PHONE
    for part in range(3):
        name = f"S{day:02d}{number}{part}"
        recording.session(name, imsi=imsi, imei=device, address=f"10.64.0.{number + 1}")
        recording.event(ev.ACCOUNTING_INTERIM, f"T{day}{number}", imsi=0, user=imsi, imei=device)


def archive_all(folder: Path) -> int:
    """Make every sealed segment history; how many."""
    data = folder / "data"
    sealed = sealed_segments(data / "journal")
    for one in sealed:
        archive(data, one.first)
    return len(sealed)
