"""Retention: detail goes when its time is over, and what stays of it are sums.

Rule 1: a flow goes as a whole, when its last packet is older than the limit; what it moved is added to the tiers, frozen,
        in the same transaction. Nothing is counted twice, nothing is lost but detail.
Rule 2: what later flows took from it (orientation, name) becomes theirs for good before it goes.
Rule 3: of people's own devices names stay only as long as detail; their months keep organisation and party.
Rule 4: ages count from the site's newest packet, never from the clock of the wall.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from daemon.classify.vocabulary import Verdict
from daemon.decode.groups import SLOT_US
from daemon.flow.facts import DAY_US
from daemon.store.rollup import CELLS, DESTINATIONS, cells, roll, site_calendar
from daemon.store.verdicts import VerdictBook

_DETAIL = ("flow", "flow_slice", "hello", "dns_message", "dns_record", "frame_slot", "endpoint")
_CONTINUED_US = 2 * 3600 * 1_000_000  # a flow goes on from one that fell silent an hour before at most
_ANSWERS_US = DAY_US  # answers may name what begins a day later; those with a longer TTL
_LASTING_US = 7 * DAY_US  # a week later

_ADD = ", ".join(f"{c} = {c} + excluded.{c}" for c in ("packets_up", "packets_down", "bytes_up", "bytes_down"))
_SUMS = "packets_up, packets_down, bytes_up, bytes_down"
_SUMMED = "sum(packets_up), sum(packets_down), sum(bytes_up), sum(bytes_down)"
_IDS = "BETWEEN k.id << 40 AND (k.id << 40 | 0xFFFFFFFFFF)"

# Flows that decoding may still add to stay, unless the whole capture is past its time; then nothing is added to it.
_DOOMED = f"""
    CREATE TEMP TABLE doomed AS
    SELECT f.id, f.first_us, f.last_us FROM capture k JOIN flow f ON f.id {_IDS}
    WHERE k.site_id = :site AND k.first_us < :before AND f.last_us < :before AND (NOT f.live OR k.last_us < :before)
"""
_SHARES = f"""
    SELECT f.id, f.first_us / {SLOT_US} AS slot, f.packets_up, f.packets_down, f.bytes_up, f.bytes_down
    FROM temp.doomed d JOIN flow_oriented f ON f.id = d.id WHERE NOT f.sliced
    UNION ALL
    SELECT p.flow_id, p.slot_us / {SLOT_US}, iif(f.turned, p.packets_down, p.packets_up),
        iif(f.turned, p.packets_up, p.packets_down), iif(f.turned, p.bytes_down, p.bytes_up),
        iif(f.turned, p.bytes_up, p.bytes_down)
    FROM temp.doomed d JOIN flow_slice p ON p.flow_id = d.id JOIN flow f ON f.id = d.id
"""
_FRAMES = "k.site_id = :site AND f.slot_us < :before_slot"
_CELLS = CELLS.format(shares=_SHARES, frames=_FRAMES)

_FREEZE = (
    f"""
    INSERT INTO slot_total SELECT slot, station_id, peer_id, remote_id, name_id, way_id, 1, {_SUMMED}
    FROM temp.slot_sum WHERE true GROUP BY 1, 2, 3, 4, 5, 6 ON CONFLICT DO UPDATE SET {_ADD}
    """,
    f"""
    INSERT INTO hour_total SELECT d.hour, station_id, peer_id, way_id, 1, {_SUMMED}
    FROM temp.slot_sum JOIN temp.slot_place d USING (slot) WHERE true GROUP BY 1, 2, 3, 4 ON CONFLICT DO UPDATE SET {_ADD}
    """,
    f"""
    INSERT INTO day_total SELECT d.day, station_id, peer_id, way_id, 1, {_SUMMED}
    FROM temp.slot_sum JOIN temp.slot_place d USING (slot) WHERE true GROUP BY 1, 2, 3, 4 ON CONFLICT DO UPDATE SET {_ADD}
    """,
)
_GATHER = "CREATE TEMP TABLE gone AS" + DESTINATIONS.format("")
_MONTHS = f"""
    INSERT INTO destination_month SELECT * FROM temp.gone WHERE true ON CONFLICT DO UPDATE SET
    main_id = iif(excluded.main_bytes > main_bytes, excluded.main_id, main_id),
    main_bytes = max(main_bytes, excluded.main_bytes), flows = flows + excluded.flows, {_ADD},
    first_us = min(first_us, excluded.first_us), last_us = max(last_us, excluded.last_us)
"""
_PRIVATE = """
    SELECT g.rowid, j.verdict_id FROM temp.gone g JOIN station s ON s.id = g.station_id
    JOIN json_each(?1) p ON p.value = s.device_id
    LEFT JOIN judgement j ON j.month = g.month AND j.device_id = s.device_id AND j.name_id = g.name_id
        AND j.remote_id = g.remote_id
"""
_ANONYMOUS = (
    "UPDATE temp.gone SET name_id = 0, remote_id = 0, main_id = 0, main_bytes = 0, verdict_id = ? WHERE rowid = ?"
)


@dataclass(frozen=True, slots=True)
class Limits:
    """How long and how much; ages in days of 24 hours before the site's newest packet."""

    detail_days: int = 35
    detail_bytes: int = 512 << 20
    traffic_days: int = 92


@dataclass(frozen=True, slots=True)
class Retained:
    """What one pass did to a site."""

    flows: int = 0
    detail_before_us: int | None = None  # detail older than this is gone
    slots: int = 0
    months: frozenset[int] = frozenset()  # whose destinations are to be judged anew


def newest_packet(db: sqlite3.Connection, site_id: int) -> int | None:
    """When the site's newest packet was seen."""
    row = db.execute("SELECT max(last_us) FROM capture WHERE site_id = ?", (site_id,)).fetchone()
    return None if row[0] is None else int(row[0])


def detail_bytes(db: sqlite3.Connection) -> int:
    """Bytes of the tables and indexes of the detail tier."""
    marks = ",".join("?" * len(_DETAIL))
    row = db.execute(
        "SELECT coalesce(sum(s.pgsize), 0) FROM dbstat s JOIN sqlite_master m ON m.name = s.name"
        f" WHERE s.aggregate AND m.tbl_name IN ({marks})",
        _DETAIL,
    ).fetchone()
    return int(row[0])


def retain(db: sqlite3.Connection, site_id: int, limits: Limits, private: Iterable[int]) -> Retained:
    """Drop what is past its time, in the caller's transaction. `private` are the devices of people."""
    newest = newest_packet(db, site_id)
    if newest is None:
        return Retained()
    before = newest // DAY_US * DAY_US - limits.detail_days * DAY_US
    before = max(before, _affordable(db, site_id, before, newest, limits.detail_bytes))
    flows, months = fold(db, site_id, before, private)
    oldest = (newest - limits.traffic_days * DAY_US) // SLOT_US
    slots = db.execute(
        "DELETE FROM slot_total WHERE slot < ? AND frozen AND way_id IN (SELECT id FROM way WHERE site_id = ?)",
        (oldest, site_id),
    ).rowcount
    prune(db)
    return Retained(flows, before, slots, frozenset(months))


def _affordable(db: sqlite3.Connection, site_id: int, before: int, newest: int, most: int) -> int:
    """The time from which on detail fits into `most` bytes, by the number of flows a day; today's is never given up."""
    size = detail_bytes(db)
    if size <= most:
        return before
    days = db.execute(
        f"SELECT f.last_us / {DAY_US} AS day, count(*) FROM capture k JOIN flow f ON f.id {_IDS}"
        " WHERE k.site_id = ? GROUP BY day ORDER BY day",
        (site_id,),
    ).fetchall()
    every = sum(count for _, count in days)
    surplus = (size - most) / size * every
    for day, count in days:
        if surplus <= 0 or (day + 1) * DAY_US > newest // DAY_US * DAY_US:
            break
        surplus -= count
        before = max(before, (day + 1) * DAY_US)
    return before


def fold(db: sqlite3.Connection, site_id: int, before_us: int, private: Iterable[int]) -> tuple[int, set[int]]:
    """Turn all detail of the site before a time into sums; how many flows went, and the months of their days."""
    bounds = {"site": site_id, "before": before_us, "before_slot": before_us // SLOT_US * SLOT_US}
    db.execute(_DOOMED, bounds)
    try:
        count, first_us, last_us = db.execute(
            "SELECT count(*), min(first_us), max(last_us) FROM temp.doomed"
        ).fetchone()
        _keep_what_was_taken(db, bounds)
        with cells(db, site_id, site_calendar(db, site_id), _CELLS, bounds):
            _freeze(db, site_id, private)
        _delete(db, bounds)
    finally:
        db.execute("DROP TABLE temp.doomed")
    months = roll(db, site_id, [(first_us, last_us)]) if count else set()
    return count, months


def _keep_what_was_taken(db: sqlite3.Connection, bounds: dict[str, int]) -> None:
    """Names and orientation that flows have from ones that go become facts of their own."""
    near = (
        f"f.first_us < {bounds['before'] + _CONTINUED_US} AND f.id NOT IN (SELECT id FROM temp.doomed)"
        f" AND f.id >> 40 IN (SELECT id FROM capture WHERE site_id = {bounds['site']})"
    )
    turned = f"SELECT f.id FROM flow f WHERE f.turned AND {near}"
    for table in ("flow_slice", "flow"):
        key = "id" if table == "flow" else "flow_id"
        db.execute(
            f"UPDATE {table} SET packets_up = packets_down, packets_down = packets_up, bytes_up = bytes_down,"
            f" bytes_down = bytes_up WHERE {key} IN ({turned})"
        )
    db.execute(
        "UPDATE flow SET client_id = server_id, server_id = client_id, client_port = server_port,"
        f" server_port = client_port, turned = 0 WHERE id IN ({turned})"
    )
    db.execute(
        "UPDATE flow SET name_id = label_id, name_source = label_source, label_id = NULL, label_source = NULL"
        f" WHERE label_id IS NOT NULL AND id IN (SELECT f.id FROM flow f WHERE {near})"
    )


def _freeze(db: sqlite3.Connection, site_id: int, private: Iterable[int]) -> None:
    people = "[" + ",".join(str(device) for device in private) + "]"
    db.execute(_GATHER, {"site": site_id})
    try:
        _anonymise(db, people)
        db.execute(_MONTHS)
    finally:
        db.execute("DROP TABLE temp.gone")
    db.execute(
        "UPDATE temp.slot_sum SET name_id = 0, remote_id = 0 WHERE station_id IN"
        " (SELECT s.id FROM station s JOIN json_each(?) p ON p.value = s.device_id)",
        (people,),
    )
    for statement in _FREEZE:
        db.execute(statement)


def _anonymise(db: sqlite3.Connection, people: str) -> None:
    """Destinations of people's devices keep whose they are, and forget what they are called."""
    book = VerdictBook(db)
    rows = db.execute(_PRIVATE, (people,)).fetchall()
    plain: dict[int, int] = {}
    for row, number in rows:
        if number is None:
            continue
        if number not in plain:
            plain[number] = book.number(_without_name(book.read(number)))
        db.execute(_ANONYMOUS, (plain[number], row))


def _without_name(verdict: Verdict) -> Verdict:
    return replace(
        verdict,
        rule_id="private",
        reason="Names that a person's own device asked for are kept for a few weeks only.",
        registrable_domain=None,
        tenant=None,
        infrastructure=None,
    )


def _delete(db: sqlite3.Connection, bounds: dict[str, int]) -> None:
    for table, key in (("flow_slice", "flow_id"), ("hello", "flow_id"), ("flow", "id")):
        db.execute(f"DELETE FROM {table} WHERE {key} IN (SELECT id FROM temp.doomed)")
    ours = "capture_id IN (SELECT id FROM capture WHERE site_id = :site)"
    db.execute(f"DELETE FROM frame_slot WHERE slot_us < :before_slot AND {ours}", bounds)
    for age, which in (
        (_ANSWERS_US, "AND id NOT IN (SELECT message_id FROM dns_record WHERE ttl > 86400)"),
        (_LASTING_US, ""),
    ):
        old = f"SELECT id FROM dns_message WHERE seen_us < {bounds['before'] - age} AND {ours} {which}"
        db.execute(f"DELETE FROM dns_record WHERE message_id IN ({old})", bounds)
        db.execute(f"DELETE FROM dns_message WHERE id IN ({old})", bounds)
    # Such a capture is closed: without its state nothing can be added to it any more.
    db.execute("UPDATE capture SET state = NULL WHERE site_id = :site AND last_us < :before", bounds)
    db.execute(
        "DELETE FROM capture_digest WHERE (capture_id, cursor) IN (SELECT d.capture_id, d.cursor FROM capture_digest d"
        " JOIN capture k ON k.id = d.capture_id WHERE k.site_id = :site AND k.state IS NULL AND d.cursor <> k.cursor)",
        bounds,
    )


def prune(db: sqlite3.Connection) -> None:
    """Ends, addresses, names and verdicts that nothing refers to any more.

    Of the ends behind one MAC that are not local the first and the last stay: they show that it is a gateway.
    """
    with _references(
        db,
        "SELECT client_id FROM flow UNION SELECT server_id FROM flow UNION SELECT client_id FROM dns_message"
        " UNION SELECT resolver_id FROM dns_message UNION SELECT id FROM endpoint WHERE local OR station_id IS NOT NULL"
        " UNION SELECT min(id) FROM endpoint WHERE sent AND scope = 0 GROUP BY site_id, mac, version"
        " UNION SELECT max(id) FROM endpoint WHERE sent AND scope = 0 GROUP BY site_id, mac, version",
    ):
        db.execute("DELETE FROM endpoint WHERE id NOT IN (SELECT id FROM temp.used)")
    with _references(
        db,
        "SELECT remote_id FROM slot_total UNION SELECT remote_id FROM destination_day"
        " UNION SELECT main_id FROM destination_day UNION SELECT remote_id FROM destination_month"
        " UNION SELECT main_id FROM destination_month",
    ):
        db.execute("DELETE FROM remote WHERE id NOT IN (SELECT id FROM temp.used)")
    with _references(
        db,
        "SELECT name_id FROM flow WHERE name_id IS NOT NULL UNION SELECT label_id FROM flow WHERE label_id IS NOT NULL"
        " UNION SELECT name_id FROM hello WHERE name_id IS NOT NULL UNION SELECT name_id FROM dns_message"
        " UNION SELECT name_id FROM dns_record UNION SELECT name_id FROM slot_total"
        " UNION SELECT name_id FROM destination_day UNION SELECT name_id FROM destination_month",
    ):
        db.execute("DELETE FROM alias WHERE name_id NOT IN (SELECT id FROM temp.used)")
        db.execute(
            "DELETE FROM name WHERE id NOT IN (SELECT id FROM temp.used) AND id NOT IN (SELECT target_id FROM alias)"
        )
    db.execute(
        "DELETE FROM judgement WHERE name_id AND name_id NOT IN (SELECT id FROM name)"
        " OR remote_id AND remote_id NOT IN (SELECT id FROM remote)"
    )


@contextmanager
def _references(db: sqlite3.Connection, query: str) -> Iterator[None]:
    db.execute("CREATE TEMP TABLE used (id INTEGER PRIMARY KEY)")
    try:
        db.execute(f"INSERT INTO temp.used {query}")
        yield
    finally:
        db.execute("DROP TABLE temp.used")
