"""Which destinations were met in a stretch of days, by number, and the verdicts that tell whose they are.

For sums over a whole house: rows carry numbers only, and texts are read once for those that are shown.

Rule 1: as in `reached`: single days as long as flows are kept, else whole months; the newest month's verdict speaks.
Rule 2: what is grouped by is one number made of two: SQLite sorts rows to add them up, and sorting by one number takes
        half as long as by two.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import NamedTuple

from daemon.store.reached import asked_of, keys_of
from daemon.store.window import Window

_OURS = "way_id IN (SELECT id FROM way WHERE site_id = :site)"
_NAMED = "iif(name_id, name_id, -remote_id)"
_KEY = f"(station_id << 32) + {_NAMED} + 2147483648"
_SUMS = (
    "sum(bytes_up) AS bytes_up, sum(bytes_down) AS bytes_down, sum(flows) AS flows, min(first_us) AS first_us,"
    " max(last_us) AS last_us"
)
_PACKETS = ", sum(packets_up) AS packets_up, sum(packets_down) AS packets_down, max(main_bytes << 24 | main_id) AS main"
_NO_PACKETS = ", 0 AS packets_up, 0 AS packets_down, 0 AS main"
# A row of months may have neither name nor address: its verdict is its own, and part of the key.
_MET = f"""
    SELECT coalesce(t.device_id, 0), (p.key & 4294967295) - 2147483648 AS named,
        iif(p.verdict_id, p.verdict_id, coalesce(j.verdict_id, 0)), p.flows, p.packets_up, p.packets_down, p.bytes_up,
        p.bytes_down, p.first_us, p.last_us, p.main & 16777215
    FROM (
        SELECT {_KEY} AS key, 0 AS verdict_id, max(month) AS month, {_SUMS} {{packets}} FROM destination_day
        WHERE {{days}} AND {_OURS} {{only}} GROUP BY 1
        UNION ALL
        SELECT {_KEY}, verdict_id, max(month), {_SUMS} {{packets}} FROM destination_month
        WHERE {{months}} AND {_OURS} {{only}} GROUP BY 1, 2
    ) p
    LEFT JOIN station t ON t.id = p.key >> 32
    LEFT JOIN judgement j ON j.month = p.month AND j.device_id = coalesce(t.device_id, 0) AND j.site_id = :site
        AND j.name_id = max((p.key & 4294967295) - 2147483648, 0) AND j.remote_id = max(2147483648 - (p.key & 4294967295), 0)
        AND p.verdict_id = 0
"""
_OF_DEVICE = "AND station_id IN (SELECT id FROM station WHERE device_id = :device)"
# Some destinations are sought by the keys of the tiers, which begin with the time and the station.
_SOUGHT = """
    AND station_id IN (SELECT id FROM station WHERE site_id = :site AND (:device IS NULL OR device_id = :device)
        UNION ALL SELECT 0 WHERE :device IS NULL)
    AND name_id IN (SELECT value FROM json_each(:names)) AND remote_id IN (SELECT value FROM json_each(:remotes))
"""
_OF_COMPANY = """
    SELECT DISTINCT j.name_id, j.remote_id FROM judgement j JOIN verdict v ON v.id = j.verdict_id
    WHERE j.site_id = :site AND j.month BETWEEN :first_month AND :last_month AND v.organisation IS :company
"""
_CALLED = """
    SELECT DISTINCT organisation, called FROM verdict
    WHERE organisation IN (SELECT value FROM json_each(?)) AND called IS NOT NULL AND called <> organisation ORDER BY 1, 2
"""
_MOST_SOUGHT = 60  # names: of more, reading all of a stretch is quicker
_VERDICTS = """
    SELECT id, party, organisation, coalesce(called, organisation), purpose, country, country_confidence, asn,
        registrable_domain, infrastructure, rule_id, reason
    FROM verdict WHERE id IN (SELECT value FROM json_each(?))
"""


class Met(NamedTuple):
    """What one station of a device had to do with one destination. Bytes as the device sees them, times in microseconds."""

    device_id: int  # 0: no end of it is a device
    named: int  # the number of a name; below 0 that of an address; 0 where neither is kept
    verdict_id: int  # 0: not judged yet
    flows: int
    packets_up: int
    packets_down: int
    bytes_up: int
    bytes_down: int
    first_us: int
    last_us: int
    main_id: int  # the address (`remote`) with most bytes; 0 where packets are not asked for, as these are

    @property
    def bytes(self) -> int:
        """Both ways."""
        return self.bytes_up + self.bytes_down


class Label(NamedTuple):
    """What a verdict says; None where nobody knows."""

    party: str
    organisation: str | None
    called: str | None  # the company as people know it: `Ring (Amazon)`
    purpose: str | None
    country: str | None
    confidence: str | None
    asn: int | None
    registrable_domain: str | None
    infrastructure: str | None
    rule_id: str | None
    reason: str | None


UNJUDGED = Label("unknown", None, None, None, None, None, None, None, None, None, None)


def read_met(db: sqlite3.Connection, window: Window, *, packets: bool = False) -> list[Met]:
    """Every destination of every station in the days and months that a window touches; with `packets` all counts."""
    only = "" if window.device_id is None else _OF_DEVICE
    query = _MET.format(only=only, packets=_PACKETS if packets else _NO_PACKETS, **keys_of(window))
    return [Met._make(row) for row in db.execute(query, asked_of(window))]


def read_met_of_company(db: sqlite3.Connection, window: Window, company: str | None) -> list[Met] | None:
    """The same of what was judged to belong to a company; None where that is so much that all is read as quickly."""
    asked = {**asked_of(window), "company": company}
    found = [(0, 0), *db.execute(_OF_COMPANY, asked)]  # what keeps no name has a verdict of its own
    if len(found) > _MOST_SOUGHT:
        return None
    names, remotes = (sorted({row[place] for row in found}) for place in (0, 1))
    query = _MET.format(only=_SOUGHT, packets=_NO_PACKETS, **keys_of(replace(window, device_id=0)))
    rows = db.execute(query, {**asked, "names": json.dumps(names), "remotes": json.dumps(remotes)})
    kept = set(found)
    return [met for met in map(Met._make, rows) if (max(met.named, 0), max(-met.named, 0)) in kept]


def read_device_of_station(db: sqlite3.Connection) -> dict[int, int]:
    """The device of every station that has one."""
    return dict(db.execute("SELECT id, device_id FROM station WHERE device_id IS NOT NULL").fetchall())


def read_called(db: sqlite3.Connection, organisations: Iterable[str]) -> dict[str, list[str]]:
    """Other names under which people know these organisations."""
    out: dict[str, list[str]] = {}
    for organisation, called in db.execute(_CALLED, (json.dumps(sorted(organisations)),)):
        out.setdefault(organisation, []).append(called)
    return out


def read_labels(db: sqlite3.Connection, verdicts: Iterable[int]) -> dict[int, Label]:
    """The verdicts of these numbers."""
    rows = db.execute(_VERDICTS, (json.dumps(sorted(verdicts)),))
    return {0: UNJUDGED, **{row[0]: Label._make(row[1:]) for row in rows}}


def read_whose_of(db: sqlite3.Connection, verdicts: Iterable[int]) -> dict[int, int]:
    """The number of `whose_days.Owned` of these verdicts, as far as they have one."""
    query = "SELECT id, whose_id FROM verdict WHERE id IN (SELECT value FROM json_each(?)) AND whose_id IS NOT NULL"
    return dict(db.execute(query, (json.dumps(sorted(verdicts)),)).fetchall())


def read_texts(db: sqlite3.Connection, named: Iterable[int]) -> dict[int, str]:
    """Names, and addresses below 0, of these numbers."""
    wanted = set(named)
    found: dict[int, str] = {}
    for table, column, sign in (("name", "text", 1), ("remote", "address", -1)):
        numbers = json.dumps([sign * number for number in wanted if sign * number > 0])
        rows = db.execute(f"SELECT id, {column} FROM {table} WHERE id IN (SELECT value FROM json_each(?))", (numbers,))
        found.update((sign * number, text) for number, text in rows)
    return found


def read_addresses(db: sqlite3.Connection, remotes: Iterable[int]) -> Mapping[int, str]:
    """Addresses of these numbers."""
    return {-number: text for number, text in read_texts(db, [-remote for remote in remotes]).items()}
