"""What the hunt found, kept so that whoever asks reads rows. Written by ingest's side, read by reports and pages.

Rule 1: rows are those of one look at a home's newest days; they are replaced as a whole, and only where they differ.
Rule 2: they are dropped, or made anew, in the transaction in which something changes that makes them wrong. What only came
        later than they look makes them older, not wrong.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import NamedTuple

from daemon.store.database import transaction

_COLUMNS = (
    "kind, severity, device_id, place, about, says, why, advice, facts, trace, reached, first_us, last_us, connections,"
    " bytes"
)


class Looked(NamedTuple):
    """A look at a home: the stretch of time, like connections that were there, findings left out, the owner's night."""

    since_us: int
    until_us: int
    streams: int
    untold: int
    night: str


class FindingRow(NamedTuple):
    """A finding; `facts`, `trace` and `reached` as JSON. Times in microseconds, UTC."""

    kind: str
    severity: int
    device_id: int
    place: str
    about: str
    says: str
    why: str
    advice: str
    facts: str
    trace: str
    reached: str
    first_us: int
    last_us: int
    connections: int
    bytes: int


def words_of_night(night: tuple[int, int]) -> str:
    """The hours of a night as a look keeps them."""
    return f"{night[0]}-{night[1]}"


def read_look(db: sqlite3.Connection, site_id: int) -> Looked | None:
    """The look whose findings are kept; None where there is none."""
    row = db.execute(
        "SELECT since_us, until_us, streams, untold, night FROM hunt WHERE site_id = ?", (site_id,)
    ).fetchone()
    return None if row is None else Looked(*row)


def read_findings(db: sqlite3.Connection, site_id: int, since_us: int = 0) -> list[FindingRow]:
    """The findings that went on at some time since, those that deserve a look first."""
    rows = db.execute(
        f"SELECT {_COLUMNS} FROM finding WHERE site_id = ? AND last_us >= ? ORDER BY number", (site_id, since_us)
    )
    return [FindingRow(*row) for row in rows]


def read_keys(db: sqlite3.Connection, site_id: int) -> dict[int, tuple[int, str]]:
    """Device -> (MAC or -1, address) of its first station, by which the owner's words know it."""
    rows = db.execute(
        "SELECT d.id, t.mac, t.address FROM device d JOIN station t ON t.id = d.id WHERE d.site_id = ?", (site_id,)
    )
    return {device: (mac, address) for device, mac, address in rows}


def keep_findings(db: sqlite3.Connection, site_id: int, looked: Looked, findings: Sequence[FindingRow]) -> None:
    """Keep a look and what it found, in order, in the place of the last."""
    with transaction(db):
        if read_look(db, site_id) is None or read_findings(db, site_id) != list(findings):
            db.execute("DELETE FROM finding WHERE site_id = ?", (site_id,))
            marks = ", ".join("?" * (len(FindingRow._fields) + 2))
            db.executemany(
                f"INSERT INTO finding (site_id, number, {_COLUMNS}) VALUES ({marks})",
                [(site_id, number, *each) for number, each in enumerate(findings)],
            )
        db.execute("INSERT OR REPLACE INTO hunt VALUES (?, ?, ?, ?, ?, ?)", (site_id, *looked))


def drop_findings(db: sqlite3.Connection, site_id: int, changed_us: int = 0) -> None:
    """Keep none any more, if they are of a look at times at which something has changed since."""
    if db.execute("DELETE FROM hunt WHERE site_id = ? AND until_us > ?", (site_id, changed_us)).rowcount:
        db.execute("DELETE FROM finding WHERE site_id = ?", (site_id,))
