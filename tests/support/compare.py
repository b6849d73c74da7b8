"""Databases compared by what their public views say, not by how they came to say it.

Rule 1: a view is a multiset of rows; the order of rows means nothing.
Rule 2: numbers (`*_id`) differ between databases: a device stands as its key (MAC, else its addresses or its name), a
        capture as the time and packets it holds, any other number goes.
Rule 3: a capture's path counts by its file name, so that copies of a folder compare.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Collection, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from daemon.store.export import VIEWS

Row = tuple[Any, ...]
Views = dict[str, Counter[Row]]

_DEVICES = """
    SELECT d.device_id, d.site, coalesce(d.mac, (
        SELECT group_concat(address, ' ') FROM (SELECT address FROM device_addresses a WHERE a.device_id = d.device_id
        ORDER BY address)
    ), d.name) FROM devices d
"""


def views(database: Path, without: Mapping[str, Collection[str]] = {}) -> Views:
    """Every public view as a multiset of rows; `without` names columns, by view, that are left out."""
    with closing(sqlite3.connect(database, isolation_level=None)) as db:
        db.execute("BEGIN")  # all views at one instant, should somebody be writing
        devices = {number: f"{site} {key}" for number, site, key in db.execute(_DEVICES)}
        captures = {
            number: f"{site} {first} {packets}"
            for number, site, first, packets in db.execute("SELECT capture_id, site, first_us, packets FROM captures")
        }
        known = {"device_id": devices, "peer_device_id": devices, "capture_id": captures}
        return {view: _view(db, view, known, without.get(view, ())) for view in VIEWS}


def _view(
    db: sqlite3.Connection, view: str, known: Mapping[str, Mapping[int, str]], without: Collection[str]
) -> Counter[Row]:
    rows = db.execute(f"SELECT * FROM {view}")  # noqa: S608  one of VIEWS
    columns = [column[0] for column in rows.description]
    places = [
        (place, column)
        for place, column in enumerate(columns)
        if column not in without and (column in known or not column.endswith("_id") or column == "rule_id")
    ]
    return Counter(tuple(_value(column, row[place], known) for place, column in places) for row in rows)


def _value(column: str, value: Any, known: Mapping[str, Mapping[int, str]]) -> Any:  # noqa: ANN401  whatever SQLite has
    if column in known:
        return None if value is None else known[column][value]
    return Path(value).name if column == "path" else value


def differences(left: Views, right: Views, most: int = 3) -> list[str]:
    """What one database says and the other does not, a line a row, at most `most` a view and side; [] if equal."""
    lines = []
    for view in VIEWS:
        for sign, gone in (("-", left[view] - right[view]), ("+", right[view] - left[view])):
            if gone:
                lines.append(f"{sign} {view}: {gone.total()} rows")
                lines += [f"{sign}   {count} x {row}" for row, count in list(gone.items())[:most]]
    return lines


def same(left: Path, right: Path, without: Mapping[str, Collection[str]] = {}) -> list[str]:
    """`differences` of two databases."""
    return differences(views(left, without), views(right, without))


def imbalance(database: Path) -> list[str]:
    """Where packets or bytes are not counted exactly once (the invariant of the public schema); [] where all is well."""
    with closing(sqlite3.connect(database)) as db:
        sums = {
            what: db.execute(query).fetchone()
            for what, query in {
                "captures": "SELECT coalesce(sum(packets), 0), coalesce(sum(bytes), 0) FROM captures",
                "undecoded": "SELECT coalesce(sum(undecoded_packets), 0), coalesce(sum(undecoded_bytes), 0) FROM captures",
                "traffic": "SELECT coalesce(sum(packets_up + packets_down), 0), coalesce(sum(bytes_up + bytes_down), 0)"
                " FROM traffic",
                "frames": "SELECT coalesce(sum(packets_up + packets_down), 0), coalesce(sum(bytes_up + bytes_down), 0)"
                " FROM traffic WHERE ip_version IS NULL",
                "flows": "SELECT coalesce(sum(packets_up + packets_down), 0), coalesce(sum(bytes_up + bytes_down), 0)"
                " FROM flows",
            }.items()
        }
        broken = db.execute("PRAGMA integrity_check").fetchone()[0]
    lines = [] if broken == "ok" else [f"integrity_check: {broken}"]
    for place, unit in enumerate(("packets", "bytes")):
        whole, lost = sums["captures"][place], sums["undecoded"][place]
        for names in (("traffic",), ("flows", "frames")):
            counted = sum(sums[name][place] for name in names)
            if counted + lost != whole:
                lines.append(f"{unit}: {' + '.join(names)} {counted} + undecoded {lost} != captures {whole}")
    return lines
