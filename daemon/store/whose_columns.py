"""Whose the traffic of whole months was, in columns: what a page about a year adds up, in one piece a month.

Rule 1: they say what `whose_month` says of bytes; of a month that has none its rows are read. `whose_days.follow` takes away
        those of months that it changes, and makes those of months that are over.
Rule 2: pairs of (station, number of whose it is) are one number, by which everything is added up.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from daemon.decode.later import np
from daemon.store.columns import Ints, pack, unpack
from daemon.store.station_devices import read_device_column

BITS = 24  # of the number of whose it is, in that of a pair
_WHOSE = (1 << BITS) - 1
_ROWS = """
    SELECT (station_id << {bits}) | whose_id, bytes_up, bytes_down FROM whose_month WHERE site_id = ?1 AND month = ?2
"""
_MISSING = """
    WITH RECURSIVE there(month) AS (
        SELECT min(month) FROM whose_month
        UNION ALL
        SELECT (SELECT min(m.month) FROM whose_month m WHERE m.month > there.month) FROM there WHERE there.month IS NOT NULL
    )
    SELECT s.id, t.month FROM there t JOIN site s WHERE t.month < (SELECT max(month) FROM whose_month)
        AND NOT EXISTS (SELECT 1 FROM whose_column c WHERE c.site_id = s.id AND c.month = t.month)
"""
Rows = Sequence[tuple[Any, ...]]


class Columns(NamedTuple):
    """Bytes of pairs."""

    pairs: Ints
    up: Ints
    down: Ints


def follow(db: sqlite3.Connection) -> None:
    """Make the columns of months that are over and have none, after `temp.whose_due` months have lost theirs."""
    db.execute("DELETE FROM whose_column WHERE month IN (SELECT DISTINCT month FROM temp.whose_due)")
    for site_id, month in db.execute(_MISSING).fetchall():
        keys, up, down = columns_of(_read_rows(db, site_id, month))
        packed = pack([keys >> BITS, keys & _WHOSE, up, down], compress=True)
        db.execute("INSERT INTO whose_column VALUES (?, ?, ?)", (site_id, month, packed))


def read_months(db: sqlite3.Connection, site_id: int, months: Iterable[int]) -> list[Columns]:
    """The columns of each of these months."""
    found = []
    for month in months:
        row = db.execute("SELECT packed FROM whose_column WHERE site_id = ? AND month = ?", (site_id, month)).fetchone()
        if row is None:
            found.append(columns_of(_read_rows(db, site_id, month)))
        else:
            stations, numbers, up, down = (column.astype(np.int64) for column in unpack(row[0]))
            found.append(Columns(stations << BITS | numbers, up, down))
    return found


def read_met(db: sqlite3.Connection, site_id: int, month: int, device_id: int | None) -> tuple[Ints, Ints, Ints]:
    """Columns (device, number of whose it is, bytes both ways) of a whole month, of one device or of all; device 0: none.

    There may be several rows of a device and a number.
    """
    (columns,) = read_months(db, site_id, [month])
    devices = read_device_column(db)[columns.pairs >> BITS]
    ours = slice(None) if device_id is None else devices == device_id
    return devices[ours], (columns.pairs & _WHOSE)[ours], (columns.up + columns.down)[ours]


def columns_of(rows: Rows) -> Columns:
    """Rows (pair, bytes up, bytes down) as columns."""
    table = np.array(rows, np.int64).reshape(-1, 3)
    return Columns(table[:, 0], table[:, 1], table[:, 2])


def added(parts: Sequence[Columns]) -> Columns:
    """All of these, each pair once and in order, those that moved something."""
    pairs, places = np.unique(_joined([part.pairs for part in parts]), return_inverse=True)
    # Bytes of years stay below 2**53, up to which a float is exact.
    up, down = (
        np.bincount(places, _joined(column), len(pairs)).astype(np.int64)
        for column in ([part.up for part in parts], [part.down for part in parts])
    )
    moved = up + down > 0
    return Columns(pairs[moved], up[moved], down[moved])


def _read_rows(db: sqlite3.Connection, site_id: int, month: int) -> Rows:
    return db.execute(_ROWS.format(bits=BITS), (site_id, month)).fetchall()


def _joined(parts: Sequence[Ints]) -> Ints:
    return np.concatenate([*parts, np.empty(0, np.int64)])
