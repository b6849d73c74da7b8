"""Retention: detail goes when its time is over, and what stays of it are sums. `plan` says what, `fold` does it.

Rule 1: a flow goes as a whole, when its last packet is older than the limit; what it moved is added to the tiers, frozen,
        in the same transaction. Nothing is counted twice, nothing is lost but detail.
Rule 2: what later flows took from it (orientation, name) becomes theirs for good before it goes (`kept_label`); facts
        are not touched, since decoding may write them anew.
Rule 3: of people's own devices names stay only as long as detail; their months keep organisation and party.
Rule 4: ages count from the site's newest packet, never from the clock of the wall.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from daemon.classify.vocabulary import UNKNOWN, Verdict
from daemon.decode.slots import SLOT_US
from daemon.flow.facts import DAY_US
from daemon.store.cells import CELLS_OF_DOOMED, DESTINATIONS, cells
from daemon.store.rollup import clear, roll, site_calendar
from daemon.store.verdicts import VerdictBook

_DETAIL = ("flow", "kept_label", "flow_slice", "hello", "dns_message", "dns_record", "frame_slot", "endpoint")
_CONTINUED_US = 2 * 3600 * 1_000_000  # a flow goes on from one that fell silent an hour before at most
_ANSWERS_US = DAY_US  # answers may name what begins a day later; those with a longer TTL
_LASTING_US = 7 * DAY_US  # a week later

_ADD = ", ".join(f"{c} = {c} + excluded.{c}" for c in ("packets_up", "packets_down", "bytes_up", "bytes_down"))
_SUMS = "packets_up, packets_down, bytes_up, bytes_down"
_SUMMED = "sum(packets_up), sum(packets_down), sum(bytes_up), sum(bytes_down)"
_IDS = "BETWEEN k.id << 40 AND (k.id << 40 | 0xFFFFFFFFFF)"

# Flows that decoding may still add to stay, unless the whole capture is past its time; then nothing is added to it.
_DOOMED = f"""
    SELECT f.id, f.first_us, f.last_us FROM capture k JOIN flow f ON f.id {_IDS}
    WHERE k.site_id = :site AND k.first_us < :before AND f.last_us < :before AND (NOT f.live OR k.last_us < :before)
"""

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
_OURS = "way_id IN (SELECT id FROM way WHERE site_id = ?)"
_OF_PEOPLE = "station_id IN (SELECT s.id FROM station s JOIN json_each(?1) p ON p.value = s.device_id)"
_DAYS_OF_DETAIL = f"""
    SELECT day, sum(flows) FROM (
        SELECT f.last_us / {DAY_US} AS day, count(*) AS flows FROM capture k JOIN flow f ON f.id {_IDS}
        WHERE k.site_id = ?1 GROUP BY 1
        UNION ALL
        SELECT DISTINCT f.slot_us / {DAY_US}, 0 FROM capture k JOIN frame_slot f ON f.capture_id = k.id WHERE k.site_id = ?1
    ) GROUP BY day ORDER BY day
"""
_GATHER = "CREATE TEMP TABLE gone AS" + DESTINATIONS.format("")
# Of two addresses with as many bytes the later by its text, as within a day: the order of folding does not show.
_MONTHS = f"""
    INSERT INTO destination_month SELECT * FROM temp.gone WHERE true ON CONFLICT DO UPDATE SET
    main_id = iif((excluded.main_bytes, (SELECT address FROM remote WHERE id = excluded.main_id))
        > (main_bytes, (SELECT address FROM remote WHERE id = main_id)), excluded.main_id, main_id),
    main_bytes = max(main_bytes, excluded.main_bytes), flows = flows + excluded.flows, {_ADD},
    first_us = min(first_us, excluded.first_us), last_us = max(last_us, excluded.last_us)
"""
# What was made of quarters of hours: of the day here and of those beside it, as a home's days begin at other times.
_FORGET_PIECES = tuple(
    f"DELETE FROM {table} WHERE day IN (SELECT g.slot * {SLOT_US} / {DAY_US} + n.value"
    " FROM temp.slot_gone g CROSS JOIN json_each('[-1, 0, 1]') n)"
    for table in ("slot_sum_column", "address_column")
)
_PRIVATE = """
    SELECT g.rowid, j.verdict_id FROM {} g JOIN station s ON s.id = g.station_id
    JOIN json_each(?1) p ON p.value = s.device_id
    LEFT JOIN judgement j ON j.month = g.month AND j.device_id = s.device_id AND j.site_id = s.site_id
        AND j.name_id = g.name_id
        AND j.remote_id = g.remote_id
"""
_ANONYMOUS = "UPDATE {} SET name_id = 0, remote_id = 0, main_id = 0, main_bytes = 0, verdict_id = ? WHERE rowid = ?"
_UNJUDGED = Verdict(UNKNOWN, None, None, "private", "")


@dataclass(frozen=True, slots=True)
class Limits:
    """How long and how much; ages in days of 24 hours before the site's newest packet."""

    detail_days: int = 35
    detail_bytes: int = 512 << 20
    traffic_days: int = 92


@dataclass(frozen=True, slots=True)
class Plan:
    """What is past its time in one site. Times in microseconds, UTC."""

    newest_us: int
    before_us: int  # flows that ended, and DNS messages seen, before it go
    steps: tuple[int, ...]  # the ends of the days that have some, each to be folded on its own; the last is `before_us`
    oldest_slot: int  # quarters of hours before it go


@dataclass(frozen=True, slots=True)
class Kept:
    """What there is of a site, and since when (microseconds, UTC; None where there is nothing)."""

    flows: int
    flows_since_us: int | None
    slots_since_us: int | None
    days_since: int | None  # days since the epoch, in the site's time zone


def newest_packet(db: sqlite3.Connection, site_id: int) -> int | None:
    """When the site's newest packet was seen."""
    row = db.execute("SELECT max(last_us) FROM capture WHERE site_id = ?", (site_id,)).fetchone()
    return None if row[0] is None else int(row[0])


def detail_bytes(db: sqlite3.Connection) -> int:
    """Bytes of the tables and indexes of the detail tier, of all sites."""
    marks = ",".join("?" * len(_DETAIL))
    row = db.execute(
        "SELECT coalesce(sum(s.pgsize), 0) FROM dbstat s JOIN sqlite_master m ON m.name = s.name"
        f" WHERE s.aggregate = 1 AND m.tbl_name IN ({marks})",
        _DETAIL,
    ).fetchone()
    return int(row[0])


def plan(db: sqlite3.Connection, site_id: int, limits: Limits, surplus: float = 0.0) -> Plan | None:
    """What is past its time; `surplus` is the share of the detail that has to go for want of room. None: no packets."""
    newest = newest_packet(db, site_id)
    if newest is None:
        return None
    today = newest // DAY_US * DAY_US
    days = db.execute(_DAYS_OF_DETAIL, (site_id,)).fetchall()
    before = max(today - limits.detail_days * DAY_US, _affordable(days, today, surplus))
    steps = sorted({min((day + 1) * DAY_US, before) for day, _ in days if day * DAY_US < before} | {before})
    return Plan(newest, before, tuple(steps), (newest - limits.traffic_days * DAY_US) // SLOT_US)


def _affordable(days: Sequence[tuple[int, int]], today_us: int, surplus: float) -> int:
    """The time from which on (day, flows) are no more than there is room for; today's are never given up."""
    before, left = 0, surplus * sum(count for _, count in days)
    for day, count in days:
        if left <= 0 or day * DAY_US >= today_us:
            break
        left -= count
        before = (day + 1) * DAY_US
    return before


def doomed_flows(db: sqlite3.Connection, site_id: int, before_us: int) -> int:
    """How many flows a fold would turn into sums."""
    return int(db.execute(f"SELECT count(*) FROM ({_DOOMED})", {"site": site_id, "before": before_us}).fetchone()[0])


def kept(db: sqlite3.Connection, site_id: int) -> Kept:
    """What there is of a site."""
    flows, since = db.execute(
        f"SELECT count(f.id), min(f.first_us) FROM capture k JOIN flow f ON f.id {_IDS} WHERE k.site_id = ?", (site_id,)
    ).fetchone()
    slot = db.execute(f"SELECT min(slot) FROM slot_total WHERE {_OURS}", (site_id,)).fetchone()[0]
    day = db.execute(f"SELECT min(day) FROM day_total WHERE {_OURS}", (site_id,)).fetchone()[0]
    return Kept(flows, since, None if slot is None else slot * SLOT_US, day)


def fold(db: sqlite3.Connection, site_id: int, before_us: int, private: Iterable[int] = ()) -> tuple[int, set[int]]:
    """Turn all detail of the site before a time into sums, in the caller's transaction.

    `private` are the devices of people. The answer: how many flows went, and the months whose sums were made anew.
    """
    bounds = {"site": site_id, "before": before_us, "before_slot": before_us // SLOT_US * SLOT_US}
    db.execute(f"CREATE TEMP TABLE doomed AS {_DOOMED}", bounds)
    try:
        count = db.execute("SELECT count(*) FROM temp.doomed").fetchone()[0]
        _keep_what_was_taken(db, bounds)
        with cells(db, site_calendar(db, site_id), CELLS_OF_DOOMED, bounds):
            spans = [(slot * SLOT_US, slot * SLOT_US) for (slot,) in db.execute("SELECT slot FROM temp.slot_place")]
            # First what goes: frozen rows between others that go right after would leave pages half empty.
            clear(db, site_id, spans)
            _freeze(db, site_id, private)
        _delete(db, bounds)
    finally:
        db.execute("DROP TABLE temp.doomed")
    return count, roll(db, site_id, spans)


def drop_slots(db: sqlite3.Connection, site_id: int, oldest: int) -> int:
    """Quarters of hours before `oldest` go, as far as their flows are gone; how many rows."""
    return db.execute(
        f"DELETE FROM slot_total WHERE slot < ?2 AND frozen AND {_OURS.replace('?', '?1')}", (site_id, oldest)
    ).rowcount


def old_slots(db: sqlite3.Connection, site_id: int, oldest: int) -> int:
    """How many rows `drop_slots` would remove by now."""
    query = f"SELECT count(*) FROM slot_total WHERE slot < ?2 AND {_OURS.replace('?', '?1')}"
    return int(db.execute(query, (site_id, oldest)).fetchone()[0])


def _keep_what_was_taken(db: sqlite3.Connection, bounds: dict[str, int]) -> None:
    """Names and orientation that flows have from ones that go, or from answers that do, become theirs for good."""
    insert = "INSERT OR REPLACE INTO kept_label SELECT f.id, f.turned, f.label_id, f.label_source, f.cover FROM"
    db.execute(
        f"{insert} capture k JOIN flow f ON f.id {_IDS} WHERE k.site_id = :site AND k.first_us < :before + {_CONTINUED_US}"
        " AND (f.first_us < :before AND (f.turned OR f.cover OR f.label_id IS NOT NULL)"
        f" OR f.first_us < :before + {_CONTINUED_US} AND (f.turned OR f.label_source = 'continued'))"
        " AND f.id NOT IN (SELECT id FROM temp.doomed)",
        bounds,
    )
    db.execute(
        f"{insert} flow f WHERE f.head_id IS NOT NULL AND f.head_id IN (SELECT id FROM temp.doomed)"
        " AND f.id NOT IN (SELECT id FROM temp.doomed)"
    )


def _freeze(db: sqlite3.Connection, site_id: int, private: Iterable[int]) -> None:
    people = json.dumps(sorted(private))
    db.execute(_GATHER, {"site": site_id})
    try:
        _anonymise(db, "temp.gone", people)
        db.execute(_MONTHS)
    finally:
        db.execute("DROP TABLE temp.gone")
    db.execute(f"UPDATE temp.slot_sum SET name_id = 0, remote_id = 0 WHERE {_OF_PEOPLE}", (people,))
    for statement in _FREEZE:
        db.execute(statement)


def hide_names(db: sqlite3.Connection, private: Iterable[int]) -> None:
    """Sums of people's devices that have names forget them; there are some where it turned out late whose they are."""
    people = json.dumps(sorted(private))
    where = f"{_OF_PEOPLE} AND (name_id OR remote_id)"
    db.execute(f"CREATE TEMP TABLE gone AS SELECT * FROM destination_month WHERE {where}", (people,))
    db.execute(f"CREATE TEMP TABLE slot_gone AS SELECT * FROM slot_total WHERE frozen AND {where}", (people,))
    try:
        _anonymise(db, "temp.gone", people)
        db.execute(f"DELETE FROM destination_month WHERE {where}", (people,))
        db.execute(_MONTHS)
        db.execute(f"DELETE FROM slot_total WHERE frozen AND {where}", (people,))
        db.execute(
            f"INSERT INTO slot_total SELECT slot, station_id, peer_id, 0, 0, way_id, 1, {_SUMMED} FROM temp.slot_gone"
            f" WHERE true GROUP BY 1, 2, 3, 6 ON CONFLICT DO UPDATE SET {_ADD}"
        )
        for statement in _FORGET_PIECES:
            db.execute(statement)
    finally:
        for table in ("gone", "slot_gone"):
            db.execute(f"DROP TABLE temp.{table}")


def _anonymise(db: sqlite3.Connection, table: str, people: str) -> None:
    """Destinations of people's devices keep whose they are, and forget what they are called; `people` is JSON."""
    book = VerdictBook(db)
    plain: dict[int | None, int] = {}
    for row, number in db.execute(_PRIVATE.format(table), (people,)).fetchall():
        if number not in plain:
            plain[number] = book.number(_without_name(_UNJUDGED if number is None else book.read(number)))
        db.execute(_ANONYMOUS.format(table), (plain[number], row))
    book.write()


def _without_name(verdict: Verdict) -> Verdict:
    return verdict._replace(
        rule_id="private",
        reason="Names that a person's own device asked for are kept for a few weeks only.",
        registrable_domain=None,
        tenant=None,
        infrastructure=None,
    )


def _delete(db: sqlite3.Connection, bounds: dict[str, int]) -> None:
    for table, key in (("flow_slice", "flow_id"), ("hello", "flow_id"), ("kept_label", "flow_id"), ("flow", "id")):
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
