"""Everything that is kept about one name or address: by month, device and way; where it leads; who answers for it.

Named queries, reading only. They seek by the keys of the tiers, month by month and station by station: what is kept of
one destination among a million rows costs as much as of one among a thousand.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from daemon.store.reached import asked_of, keys_of
from daemon.store.window import Window

_STATIONS = "station_id IN (SELECT id FROM station WHERE site_id = :site UNION ALL SELECT 0)"
_MONTHS = "month IN (SELECT value FROM json_each(:months))"
_SUMS = (
    "sum(flows) AS flows, sum(packets_up) AS packets_up, sum(packets_down) AS packets_down, sum(bytes_up) AS bytes_up,"
    " sum(bytes_down) AS bytes_down, min(first_us) AS first_us, max(last_us) AS last_us"
)
_COLUMNS = "flows, packets_up, packets_down, bytes_up, bytes_down, first_us, last_us"
# By numbers alone: texts of ways would be sorted by thousands.
_HISTORY = f"""
    SELECT p.month, coalesce(t.device_id, 0), coalesce(j.verdict_id, 0), iif(p.name_id, p.name_id, -p.remote_id), p.main_id,
        p.way_id, {_COLUMNS.replace("first_us", "p.first_us").replace("last_us", "p.last_us")}
    FROM (
        SELECT month, station_id, name_id, remote_id, way_id, main_id, {_SUMS}
        FROM destination_day p WHERE {_MONTHS} AND day IN (SELECT value FROM json_each(:days)) AND {_STATIONS} AND {{which}}
        GROUP BY 1, 2, 3, 4, 5, 6
        UNION ALL
        SELECT month, station_id, name_id, remote_id, way_id, main_id, {_COLUMNS}
        FROM destination_month WHERE {_MONTHS} AND {_STATIONS} AND {{which}}
    ) p
    LEFT JOIN station t ON t.id = p.station_id
    LEFT JOIN judgement j ON j.month = p.month AND j.device_id = coalesce(t.device_id, 0) AND j.site_id = :site
        AND j.name_id = p.name_id AND j.remote_id = p.remote_id
"""
_WAYS = "SELECT id, protocol, ip_version, service, encrypted, name_source FROM way WHERE site_id = ?"
_NAMED = "name_id IN (SELECT value FROM json_each(:names))"
_UNNAMED = "name_id = 0 AND remote_id = :remote"
_BEHIND = """
    SELECT name_id, sum(bytes_up + bytes_down) FROM (
        SELECT name_id, bytes_up, bytes_down FROM destination_day WHERE {days} AND main_id = :remote AND name_id
        UNION ALL
        SELECT name_id, bytes_up, bytes_down FROM destination_month WHERE {months} AND main_id = :remote AND name_id
    ) GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT :most
"""
_LEADS = """
    SELECT n.text, max(a.last_us) FROM alias a JOIN name n ON n.id = a.target_id
    WHERE a.site_id = :site AND a.month IN (SELECT value FROM json_each(:months))
        AND a.name_id IN (SELECT value FROM json_each(:names))
    GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT :most
"""
# Only the newest capture that has it: single flows have no key by name, and one day of them is read quickly.
_PORTS = """
    SELECT f.server_port, count(*) FROM flow_oriented f JOIN endpoint s ON s.id = f.server_id
    WHERE f.id BETWEEN :capture << 40 AND (:capture << 40 | 0xFFFFFFFFFF) AND f.server_port IS NOT NULL AND {which}
    GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT :most
"""
_CAPTURE = """
    SELECT id FROM capture WHERE site_id = ? AND first_us <= ? AND last_us >= ? AND status <> 'deleted'
    ORDER BY last_us DESC LIMIT 1
"""
MOST_NAMES = 60
_WAY = 5  # columns of a row before its way


class Part(NamedTuple):
    """What one device had to do with the destination in one month, in one way. Bytes as the device sees them."""

    month: int
    device_id: int  # 0: no end of it is a device
    verdict_id: int
    named: int  # the number of a name; below 0 that of an address
    main_id: int  # the address with most bytes
    protocol: str
    ip_version: int
    service: str
    encrypted: str
    name_source: str
    flows: int
    packets_up: int
    packets_down: int
    bytes_up: int
    bytes_down: int
    first_us: int
    last_us: int

    @property
    def bytes(self) -> int:
        """Both ways."""
        return self.bytes_up + self.bytes_down


def find_names(db: sqlite3.Connection, text: str) -> dict[int, str]:
    """The names that are `text`, or lie below it, the shortest first; at most MOST_NAMES."""
    rows = db.execute(
        "SELECT id, text FROM name WHERE text = ?1 OR substr(text, -length(?1) - 1) = '.' || ?1"
        " ORDER BY length(text), text LIMIT ?2",
        (text, MOST_NAMES),
    )
    return dict(rows.fetchall())


def find_remote(db: sqlite3.Connection, text: str) -> int | None:
    """The number of an address, if packets went to it or came from it."""
    row = db.execute("SELECT id FROM remote WHERE address = ?", (text,)).fetchone()
    return int(row[0]) if row else None


def read_history(
    db: sqlite3.Connection, site: int, months: Collection[int], names: Collection[int], remote: int | None
) -> list[Part]:
    """Of these names, or of an address where it has none, all that these months hold."""
    span = json.dumps(sorted(months))
    days = [row[0] for row in db.execute("SELECT DISTINCT day FROM day_total WHERE day >= ?", (_first_day(db),))]
    asked = {
        "site": site,
        "months": span,
        "days": json.dumps(days),
        "names": json.dumps(sorted(names)),
        "remote": remote,
    }
    ways = {number: said for number, *said in db.execute(_WAYS, (site,))}
    out = []
    for wanted, which in ((bool(names), _NAMED), (remote is not None, _UNNAMED)):
        if wanted:
            out += _parts(db.execute(_HISTORY.format(which=which), asked).fetchall(), ways)
    return out


def _parts(rows: Iterable[tuple[int, ...]], ways: Mapping[int, Sequence[str | int]]) -> list[Part]:
    """Rows (month, device, verdict, named, main, way, sums) as parts, those that differ in nothing that is told as one."""
    parts: dict[tuple[str | int, ...], tuple[int, ...]] = {}
    for row in rows:
        if row[_WAY] in ways:  # of this site
            key, sums = (*row[:_WAY], *ways[row[_WAY]]), row[_WAY + 1 :]
            known = parts.get(key)
            parts[key] = sums if known is None else _added(known, sums)
    return [Part._make((*key, *sums)) for key, sums in sorted(parts.items())]


def _added(one: Sequence[int], other: Sequence[int]) -> tuple[int, ...]:
    *sums, first, last = zip(one, other, strict=True)
    return (*(a + b for a, b in sums), min(first), max(last))


def _first_day(db: sqlite3.Connection) -> int:
    row = db.execute("SELECT day FROM destination_day ORDER BY month, day LIMIT 1").fetchone()
    return int(row[0]) if row else 1 << 40


def read_names_of(db: sqlite3.Connection, window: Window, remote: int, most: int) -> list[tuple[int, int]]:
    """(name, bytes) of the names for which an address answered most, in a window."""
    query = _BEHIND.format(**keys_of(window))
    return db.execute(query, {**asked_of(window), "remote": remote, "most": most}).fetchall()


def read_leads(
    db: sqlite3.Connection, site: int, months: Collection[int], names: Collection[int], most: int
) -> list[tuple[str, int]]:
    """(name at the end of the chain of aliases, when that was last seen), the latest first."""
    asked = {"site": site, "months": json.dumps(sorted(months)), "names": json.dumps(sorted(names)), "most": most}
    return db.execute(_LEADS, asked).fetchall()


def read_ports(
    db: sqlite3.Connection, site: int, around_us: int, names: Collection[int], address: str | None, most: int
) -> list[tuple[int, int]]:
    """(server's port, flows) in the newest capture that holds that moment; empty where its detail is gone."""
    capture = db.execute(_CAPTURE, (site, around_us, around_us)).fetchone()
    if capture is None:
        return []
    which = (
        "f.name_id IN (SELECT value FROM json_each(:names))" if names else "f.name_id IS NULL AND s.address = :address"
    )
    asked = {"capture": capture[0], "names": json.dumps(sorted(names)), "address": address, "most": most}
    return db.execute(_PORTS.format(which=which), asked).fetchall()
