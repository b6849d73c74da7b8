"""What flows and frames moved, by slot and station: the cells from which all tiers are summed.

Rule 1: a cell is seen from its station. Where both ends are stations the client is the station and the server its peer;
        where only the server is one (`inward`), up and down change places, and the name is not the remote end's.
Rule 2: without a name the source says why there is none: `-ech`, `-before` the capture began, `-`. Before it began: a TCP
        connection whose opening was not seen; in other protocols nothing opens, so what was there while a flow of that
        time could still have been under way.
Rule 3: cells are joined and sorted by numbers. What a way is made of is text and stands apart, once for each kind of flow.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from daemon.decode.slots import SLOT_US
from daemon.store.calendar import Calendar
from daemon.store.covers import SHOWN_NAME
from daemon.store.flow_cells import BEFORE, BEFORE_AS_TCP, CHATTER, INTERNET, LOCAL, NOT_BEFORE, SCOPES

_IDLE_US = 180_000_000  # silence that ends a UDP flow

_IDS = "BETWEEN k.id << 40 AND (k.id << 40 | 0xFFFFFFFFFF)"
_THERE = "k.site_id = :site AND k.first_us < :until_us AND k.last_us >= :since_us"
_TIMES = "BETWEEN :since_us AND :until_us - 1"

# Of ends `c` (client) and `s` (server): only the server is of the house; neither is outside of it.
INWARD = "c.station_id IS NULL AND s.station_id IS NOT NULL"
INSIDE = "(c.local OR c.scope IN (2, 3)) AND (s.local OR s.scope IN (2, 3))"
_TURNED = f"f.turned <> ({INWARD})"  # the station got what was counted as up
# What one flow moved in one slot. `share` is the row with the counts: the flow itself where it stays in one slot. Written
# out for both instead of being selected from their union: each flow is looked up once. Why there is no name is of no
# interest but on the internet, and looked for nowhere else.
_HIDES = "EXISTS (SELECT 1 FROM hello h WHERE h.flow_id = coalesce(f.head_id, f.id) AND h.ech IS NOT NULL)"
_BEGUN = "coalesce((SELECT h.begun FROM flow h WHERE h.id = f.head_id), f.begun)"
_EARLY = f"f.head_id IS NULL AND f.first_us < k.first_us + {_IDLE_US}"
_CELL = f"""
    SELECT f.id AS flow_id, {{slot}} AS slot, coalesce(k.station_id, c.station_id, s.station_id, 0) AS station_id,
        iif(c.station_id IS NULL, 0, coalesce(s.station_id, 0)) AS peer_id, iif({INWARD}, c.id, s.id) AS end_id,
        iif({INWARD}, 0, coalesce({SHOWN_NAME}, 0)) AS name_id, f.kind_id,
        CASE WHEN w.chatter THEN {CHATTER} WHEN {INSIDE} THEN {LOCAL} ELSE {INTERNET} END AS scope,
        CASE WHEN {INWARD} OR w.chatter OR {INSIDE} THEN '-'
            WHEN {SHOWN_NAME} IS NOT NULL THEN coalesce(iif(f.cover, NULL, f.name_source), f.label_source, '')
            WHEN {_HIDES} THEN '-ech' WHEN {_BEGUN} THEN '-' WHEN w.protocol = 'tcp' OR {_EARLY} THEN '-before'
            ELSE '-' END AS said,
        {{flows}} AS flows, {{first_us}} AS first_us, {{last_us}} AS last_us,
        iif({_TURNED}, {{share}}.packets_down, {{share}}.packets_up) AS packets_up,
        iif({_TURNED}, {{share}}.packets_up, {{share}}.packets_down) AS packets_down,
        iif({_TURNED}, {{share}}.bytes_down, {{share}}.bytes_up) AS bytes_up,
        iif({_TURNED}, {{share}}.bytes_up, {{share}}.bytes_down) AS bytes_down
    FROM {{source}} CROSS JOIN flow_kind w ON w.id = f.kind_id
    CROSS JOIN endpoint c ON c.id = iif(f.turned, f.server_id, f.client_id)
    CROSS JOIN endpoint s ON s.id = iif(f.turned, f.client_id, f.server_id)
    WHERE {{where}}
"""
_STAYS = {
    "slot": f"(f.first_us / {SLOT_US})",
    "share": "f",
    "flows": "f.count",
    "first_us": "f.first_us",
    "last_us": "f.last_us",
}
_MOVES = {
    "slot": f"(p.slot_us / {SLOT_US})",
    "share": "p",
    "flows": f"iif(f.first_us / {SLOT_US} = p.slot_us / {SLOT_US}, f.count, 0)",
    "first_us": f"max(f.first_us, p.slot_us / {SLOT_US} * {SLOT_US})",
    "last_us": f"min(f.last_us, p.slot_us / {SLOT_US} * {SLOT_US} + {SLOT_US - 1})",
}
_WHOLE, _SLICED = (_CELL.format_map({**each, "source": "{source}", "where": "{where}"}) for each in (_STAYS, _MOVES))
_FLOW_CELLS = " UNION ALL ".join(  # `flows` and `slices` are further conditions
    (
        _WHOLE.format(
            source=f"capture k CROSS JOIN flow f ON f.id {_IDS}",
            where=f"{_THERE} AND NOT f.sliced AND f.first_us {_TIMES} {{flows}}",
        ),
        _SLICED.format(
            source=f"capture k CROSS JOIN flow_slice p ON p.flow_id {_IDS} CROSS JOIN flow f ON f.id = p.flow_id",
            where=f"{_THERE} AND p.slot_us {_TIMES} {{slices}}",
        ),
    )
)
_DOOMED = "temp.doomed d CROSS JOIN flow f ON f.id = d.id CROSS JOIN capture k ON k.id = f.id >> 40"
_DOOMED_CELLS = " UNION ALL ".join(
    (
        _WHOLE.format(source=_DOOMED, where="NOT f.sliced"),
        _SLICED.format(source=f"{_DOOMED} CROSS JOIN flow_slice p ON p.flow_id = d.id", where="true"),
    )
)
# Frames without IP are of no kind of flow; what is said of them is their protocol.
_FRAMES = f"""
    FROM (
        SELECT f.slot_us / {SLOT_US} AS slot, coalesce(k.station_id, a.id, b.id, 0) AS station_id,
            iif(a.id IS NULL, 0, coalesce(b.id, 0)) AS peer_id, a.id IS NULL AND b.id IS NOT NULL AS inward,
            f.protocol, f.packets, f.bytes
        FROM capture k JOIN frame_slot f ON f.capture_id = k.id
        LEFT JOIN station a ON a.site_id = k.site_id AND a.mac = f.src_mac AND f.src_mac >= 0
        LEFT JOIN station b ON b.site_id = k.site_id AND b.mac = f.dst_mac AND f.dst_mac >= 0
        WHERE {{frames}}
    )
"""
_FRAME_COUNTS = "iif(inward, 0, packets), iif(inward, packets, 0), iif(inward, 0, bytes), iif(inward, bytes, 0)"
_FRAME_CELLS = f"SELECT 0, slot, station_id, peer_id, 0, 0, 0, {CHATTER}, protocol, 0, 0, 0, {_FRAME_COUNTS} {_FRAMES}"
_CELLS = f"{_FLOW_CELLS} UNION ALL {_FRAME_CELLS}"

# Of stretches of time: all, those of slots that are `wanted`, those of flows that may have gone to a `place`. And of what is
# to go: flows that are `doomed`, frames before a time.
_FRAMES_THERE = f"{_THERE} AND f.slot_us {_TIMES}"
CELLS_OF_DAYS = _CELLS.format(flows="", slices="", frames=_FRAMES_THERE)
FLOWS_OF_DAYS = (
    f"SELECT count(*) FROM capture k CROSS JOIN flow f ON f.id {_IDS} WHERE {_THERE} AND f.first_us {_TIMES}"
)
_WANTED = "AND {} / " + str(SLOT_US) + " IN (SELECT slot FROM temp.wanted)"
CELLS_OF_SLOTS = _CELLS.format(
    flows=_WANTED.format("f.first_us"),
    slices=_WANTED.format("p.slot_us"),
    frames=f"{_THERE} AND f.slot_us {_TIMES} {_WANTED.format('f.slot_us')}",
)
_MAYBE = (
    f"AND ({SHOWN_NAME} IN (SELECT name_id FROM temp.place)"
    " OR f.client_id IN (SELECT id FROM temp.place_end) OR f.server_id IN (SELECT id FROM temp.place_end))"
)
CELLS_OF_PLACES = _FLOW_CELLS.format(flows=_MAYBE, slices=_MAYBE)
CELLS_OF_DOOMED = f"{_DOOMED_CELLS} UNION ALL " + _FRAME_CELLS.format(
    frames="k.site_id = :site AND f.slot_us < :before_slot"
)

# What `daemon.store.flow_cells` makes cells of, in its columns: what flows moved, ends, kinds, and flows whose hello hides
# the name; and frames, as cells already but for their manner.
_MOVED = f"""
    SELECT {{slot}}, f.kind_id, iif(f.turned, f.server_id, f.client_id), iif(f.turned, f.client_id, f.server_id), f.turned,
        coalesce(k.station_id, 0), coalesce({SHOWN_NAME}, 0),
        CASE WHEN {SHOWN_NAME} IS NOT NULL THEN coalesce(iif(f.cover, NULL, f.name_source), f.label_source, '')
            WHEN f.head_id IS NOT NULL THEN CASE WHEN {_HIDES} THEN '-ech' WHEN {_BEGUN} THEN '-'
                WHEN (SELECT w.protocol FROM flow_kind w WHERE w.id = f.kind_id) = 'tcp' THEN '-before' ELSE '-' END
            WHEN f.begun THEN {NOT_BEFORE} WHEN {_EARLY} THEN {BEFORE} ELSE {BEFORE_AS_TCP} END,
        f.id, {{flows}}, {{first_us}}, {{last_us}}, {{share}}.packets_up, {{share}}.packets_down, {{share}}.bytes_up,
        {{share}}.bytes_down
    FROM {{source}} WHERE {_THERE}
"""
MOVED_IN_DAYS = " UNION ALL ".join(
    (
        f"{_MOVED} AND NOT f.sliced AND f.first_us {_TIMES}".format(
            **_STAYS, source=f"capture k CROSS JOIN flow f ON f.id {_IDS}"
        ),
        f"{_MOVED} AND p.slot_us {_TIMES}".format(
            **_MOVES,
            source=f"capture k CROSS JOIN flow_slice p ON p.flow_id {_IDS} CROSS JOIN flow f ON f.id = p.flow_id",
        ),
    )
)
FRAMES_IN_DAYS = f"SELECT slot, station_id, peer_id, 0, 0, 0, 0, {_FRAME_COUNTS}, 0, 0, protocol {_FRAMES}".format(
    frames=_FRAMES_THERE
)
ENDS_IN_LIST = (
    "SELECT e.id, coalesce(e.station_id, 0), e.local OR e.scope IN (2, 3)"
    " FROM json_each(:ends) l CROSS JOIN endpoint e ON e.id = l.value"
)
KINDS = "SELECT id, chatter, protocol = 'tcp' FROM flow_kind"
HIDDEN_IN_DAYS = (
    f"SELECT h.flow_id FROM capture k CROSS JOIN hello h ON h.flow_id {_IDS} WHERE {_THERE} AND h.ech IS NOT NULL"
)

_OF_WAY = (
    "w.site_id = :site AND w.protocol = m.protocol AND w.ip_version = m.ip_version AND w.service = m.service"
    " AND w.encrypted = m.encrypted AND w.scope = m.scope_text"
)
_NUMBERED_ENDS = (
    "CREATE TEMP TABLE end_remote (end_id INTEGER PRIMARY KEY, remote_id INTEGER, address TEXT)",
    "INSERT INTO temp.end_remote SELECT id, NULL, address FROM endpoint WHERE id IN (SELECT end_id FROM temp.cell)",
    # An address of which nothing was said before has no number yet.
    "INSERT OR IGNORE INTO remote (address) SELECT address FROM temp.end_remote ORDER BY end_id",
    "UPDATE temp.end_remote AS e SET remote_id = (SELECT r.id FROM remote r WHERE r.address = e.address)",
)
# Where `{manners}` come from: the cells, or the list of a caller who has these elsewhere.
_NUMBERED_WAYS = (
    # By slot the source of a name is not kept: `way_id` is without one, `told_id` with it, where there is a destination.
    (
        "CREATE TEMP TABLE cell_way (kind_id INTEGER, scope INTEGER, said TEXT, way_id INTEGER, told_id INTEGER,"
        " PRIMARY KEY (kind_id, scope, said)) WITHOUT ROWID"
    ),
    f"""
    CREATE TEMP TABLE manner AS
    SELECT c.kind_id, c.scope, c.said, coalesce(k.protocol, c.said) AS protocol, coalesce(k.ip_version, 0) AS ip_version,
        coalesce(k.service, '') AS service, coalesce(k.encrypted, 'no') AS encrypted,
        CASE c.scope {" ".join(f"WHEN {n} THEN '{text}'" for n, text in enumerate(SCOPES))} END AS scope_text
    FROM ({{manners}}) c LEFT JOIN flow_kind k ON k.id = c.kind_id
    """,
    (
        "INSERT OR IGNORE INTO way (site_id, protocol, ip_version, service, encrypted, scope, name_source)"
        " SELECT DISTINCT :site, protocol, ip_version, service, encrypted, scope_text, '' FROM temp.manner"
        f" UNION SELECT DISTINCT :site, protocol, ip_version, service, encrypted, scope_text, said FROM temp.manner"
        f" WHERE scope = {INTERNET}"
    ),
    f"""
    INSERT INTO temp.cell_way
    SELECT m.kind_id, m.scope, m.said, (SELECT id FROM way w WHERE {_OF_WAY} AND w.name_source = ''),
        iif(m.scope = {INTERNET}, (SELECT id FROM way w WHERE {_OF_WAY} AND w.name_source = m.said), NULL)
    FROM temp.manner m
    """,
)
_IN_CELLS = "SELECT DISTINCT kind_id, scope, said FROM temp.cell"
_IN_LIST = "SELECT value ->> 0 AS kind_id, value ->> 1 AS scope, value ->> 2 AS said FROM json_each(:manners)"
_SLOT_PLACE = "CREATE TEMP TABLE slot_place (slot INTEGER PRIMARY KEY, hour INTEGER, day INTEGER, month INTEGER)"
_LISTED = "FROM json_each(?) l CROSS JOIN endpoint e ON e.id = l.value"
_NEW_REMOTES = f"INSERT OR IGNORE INTO remote (address) SELECT e.address {_LISTED} ORDER BY e.id"
_REMOTES = f"SELECT e.id, r.id, e.address {_LISTED} JOIN remote r ON r.address = e.address"
_WITH_WAY = "temp.cell x CROSS JOIN temp.cell_way w ON w.kind_id = x.kind_id AND w.scope = x.scope AND w.said = x.said"
_SLOTS = f"""
    CREATE TEMP TABLE slot_sum AS
    SELECT x.slot, x.station_id, x.peer_id, coalesce(e.remote_id, 0) AS remote_id, x.name_id, w.way_id,
        sum(packets_up) AS packets_up, sum(packets_down) AS packets_down, sum(bytes_up) AS bytes_up,
        sum(bytes_down) AS bytes_down
    FROM {_WITH_WAY} LEFT JOIN temp.end_remote e ON e.end_id = x.end_id GROUP BY 1, 2, 3, 4, 5, 6
"""
# By address first, so that of several addresses of one name the one with most bytes can be told; ties by its text.
DESTINATIONS = f"""
    SELECT y.month, {{0}} y.station_id, y.name_id, y.remote_id, y.way_id, 0 AS verdict_id, m.id AS main_id,
        y.main_bytes, y.flows, y.packets_up, y.packets_down, y.bytes_up, y.bytes_down, y.first_us, y.last_us
    FROM (
        SELECT month, {{0}} station_id, name_id, iif(name_id, 0, remote_id) AS remote_id, way_id,
            max(printf('%016d', bytes_up + bytes_down) || address) AS main, max(bytes_up + bytes_down) AS main_bytes,
            sum(flows) AS flows, sum(packets_up) AS packets_up, sum(packets_down) AS packets_down,
            sum(bytes_up) AS bytes_up, sum(bytes_down) AS bytes_down, min(first_us) AS first_us, max(last_us) AS last_us
        FROM (
            SELECT d.month, d.day, x.station_id, x.name_id, e.remote_id, e.address, w.told_id AS way_id,
                sum(flows) AS flows, sum(packets_up) AS packets_up, sum(packets_down) AS packets_down,
                sum(bytes_up) AS bytes_up, sum(bytes_down) AS bytes_down, min(x.first_us) AS first_us,
                max(x.last_us) AS last_us
            FROM {_WITH_WAY} CROSS JOIN temp.slot_place d ON d.slot = x.slot
            CROSS JOIN temp.end_remote e ON e.end_id = x.end_id
            WHERE x.scope = {INTERNET} GROUP BY 1, 2, 3, 4, 5, 7
        ) GROUP BY month, {{0}} station_id, name_id, iif(name_id, 0, remote_id), way_id
    ) y JOIN remote m ON m.address = substr(y.main, 17)
"""
_GONE = ("cell", "slot_place", "slot_sum", "end_remote", "cell_way", "manner")


@contextmanager
def cells(
    db: sqlite3.Connection, calendar: Calendar, statement: str, bounds: Mapping[str, int], *, sums: bool = True
) -> Iterator[None]:
    """What flows moved, in temporary tables as long as the block lasts; `bounds` has what `statement` names, and `site`.

    `cell` as `statement` selects it, `slot_place` the calendar of its slots, `slot_sum` (unless it is not wanted) the sums
    by slot; addresses and ways that are new have numbers.
    """
    db.execute(f"CREATE TEMP TABLE cell AS {statement}", bounds)
    try:
        db.execute(_SLOT_PLACE)
        place_slots(db, calendar, [row[0] for row in db.execute("SELECT DISTINCT slot FROM temp.cell")])
        for each in _NUMBERED_ENDS:
            db.execute(each)
        _number_ways(db, _IN_CELLS, bounds)
        if sums:
            db.execute(_SLOTS)
        yield
    finally:
        for table in _GONE:
            db.execute(f"DROP TABLE IF EXISTS temp.{table}")


class Numbered(NamedTuple):
    """(end, remote, address) of ends; (way, way with the source of the name, None but on the internet) of manners."""

    ends: list[tuple[int, int, str]]
    ways: list[tuple[int, int | None]]


def number_cells(
    db: sqlite3.Connection, bounds: Mapping[str, int], ends: Iterable[int], manners: Sequence[tuple[int, int, str]]
) -> Numbered:
    """What cells go by that are not in tables: ends, and manners (kind, scope, said), which are answered in their order."""
    try:
        _number_ways(db, _IN_LIST, {**bounds, "manners": json.dumps(manners)})
        ways = {tuple(row[:3]): row[3:] for row in db.execute("SELECT * FROM temp.cell_way")}
        listed = (json.dumps(list(ends)),)
        db.execute(_NEW_REMOTES, listed)
        return Numbered(db.execute(_REMOTES, listed).fetchall(), [ways[manner] for manner in manners])
    finally:
        for table in _GONE:
            db.execute(f"DROP TABLE IF EXISTS temp.{table}")


def _number_ways(db: sqlite3.Connection, manners: str, bounds: Mapping[str, int | str]) -> None:
    for each in _NUMBERED_WAYS:
        db.execute(each.format(manners=manners), bounds)


def place_slots(db: sqlite3.Connection, calendar: Calendar, slots: Iterable[int]) -> None:
    """The calendar of slots, as a table to join."""
    db.executemany("INSERT OR IGNORE INTO temp.slot_place VALUES (?, ?, ?, ?)", calendar.place(slots))
