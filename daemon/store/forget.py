"""Removing what is known of some stations: facts, sums, what they said of themselves. SQL only, in the caller's transaction.

Rule 1: what is removed from traffic is taken off the counters of its capture, so that every packet stays counted once.
Rule 2: where a station's traffic with another one goes, it goes from both.
Rule 3: a time to begin at is the first of a day of the site, so it cuts between two slots.
Rule 4: a destination of a month of which only the sum is left cannot be divided by days. Where some of it is from the time
        that is meant, all of it goes: nothing of that time may stay, and what goes with it is counted.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from daemon.decode.slots import SLOT_US
from daemon.store.blocks import drop_blocks
from daemon.store.calendar import month_text
from daemon.store.rollup import site_calendar

_FLOWS = "id BETWEEN :capture << 40 AND (:capture << 40 | 0xFFFFFFFFFF)"
_FLOW_IDS = "flow_id BETWEEN :capture << 40 AND (:capture << 40 | 0xFFFFFFFFFF)"
_COUNTS = ("packets_up", "packets_down", "bytes_up", "bytes_down")
_WHOLE = "(SELECT station_id FROM capture WHERE id = :capture) IN (SELECT id FROM temp.forgotten)"
_ENDS = "(SELECT e.id FROM endpoint e JOIN temp.forgotten s ON s.id = e.station_id)"
_MACS = "(SELECT mac FROM temp.forgotten WHERE mac >= 0)"
_OURS = f"({_WHOLE} OR client_id IN {_ENDS} OR server_id IN {_ENDS})"


class Forgettable(NamedTuple):
    """A capture with the time that it covers."""

    capture_id: int
    path: str
    status: str
    cursor: int
    digest: str
    first_us: int
    last_us: int
    clock_offset_us: int  # to be added to the times in its file
    whole: bool  # all of it counts as one of the stations


class Frozen(NamedTuple):
    """What went of the sums, and by month how many destinations went as a whole, with what was before the time."""

    rows: int
    whole: tuple[tuple[str, int], ...]


@contextmanager
def stations(db: sqlite3.Connection, site_id: int, keys: Iterable[tuple[int, str]]) -> Iterator[None]:
    """The stations that are meant, by (MAC or -1, address), as a temporary table as long as the block lasts."""
    db.execute("CREATE TEMP TABLE forgotten (id INTEGER PRIMARY KEY, mac INTEGER, address TEXT)")
    try:
        db.executemany(
            "INSERT INTO temp.forgotten SELECT id, mac, address FROM station WHERE site_id = ? AND mac = ? AND address = ?",
            [(site_id, *key) for key in keys],
        )
        yield
    finally:
        db.execute("DROP TABLE temp.forgotten")


def captures(db: sqlite3.Connection, site_id: int, since_us: int | None) -> list[Forgettable]:
    """The captures that may have something of the stations."""
    rows = db.execute(
        "SELECT id, path, status, cursor, digest, coalesce(first_us, 0), coalesce(last_us, 0), clock_offset_us,"
        " coalesce(station_id, 0) IN (SELECT id FROM temp.forgotten) FROM capture"
        " WHERE site_id = ?1 AND (first_us IS NOT NULL AND (?2 IS NULL OR last_us >= ?2) OR status = 'unsynced')"
        " ORDER BY first_us, id",
        (site_id, since_us),
    )
    return [Forgettable(*row) for row in rows]


def addresses(db: sqlite3.Connection) -> frozenset[str]:
    """Addresses by which the stations are told where a frame has no MAC."""
    rows = db.execute(
        f"SELECT address FROM endpoint WHERE id IN {_ENDS} AND scope < 2"
        " UNION SELECT address FROM temp.forgotten WHERE mac < 0 AND address NOT LIKE 'folder:%'"
    )
    return frozenset(row[0] for row in rows)


def summed(db: sqlite3.Connection, capture_id: int) -> tuple[int, int]:
    """(packets, bytes) of a capture that are kept as sums only; (0, 0) where all its detail is there."""
    row = db.execute(
        "SELECT k.packets - k.undecoded_packets"
        f" - (SELECT coalesce(sum(packets_up + packets_down), 0) FROM flow WHERE {_FLOWS})"
        " - (SELECT coalesce(sum(packets), 0) FROM frame_slot WHERE capture_id = :capture),"
        " k.bytes - k.undecoded_bytes"
        f" - (SELECT coalesce(sum(bytes_up + bytes_down), 0) FROM flow WHERE {_FLOWS})"
        " - (SELECT coalesce(sum(bytes), 0) FROM frame_slot WHERE capture_id = :capture)"
        " FROM capture k WHERE k.id = :capture",
        {"capture": capture_id},
    ).fetchone()
    return int(row[0]), int(row[1])


def clear_capture(db: sqlite3.Connection, capture_id: int) -> None:
    """All detail of a capture goes; it is about to be read anew."""
    bound = {"capture": capture_id}
    for table in ("flow_slice", "hello", "kept_label"):
        db.execute(f"DELETE FROM {table} WHERE {_FLOW_IDS}", bound)
    db.execute(f"DELETE FROM flow WHERE {_FLOWS}", bound)
    db.execute(
        "DELETE FROM dns_record WHERE message_id IN (SELECT id FROM dns_message WHERE capture_id = :capture)", bound
    )
    for table in ("dns_message", "frame_slot", "undecoded"):
        db.execute(f"DELETE FROM {table} WHERE capture_id = :capture", bound)


def drop_capture(db: sqlite3.Connection, capture_id: int) -> None:
    """A capture of which nothing is left."""
    db.execute("DELETE FROM capture_digest WHERE capture_id = ?", (capture_id,))
    db.execute("DELETE FROM capture WHERE id = ?", (capture_id,))
    drop_blocks(db, capture_id)


def cut_capture(db: sqlite3.Connection, capture_id: int, since_us: int | None) -> int:
    """The stations' detail in a capture goes, and the capture is closed if there was any; how many packets went."""
    bound = {"capture": capture_id, "since": since_us or 0}
    db.execute(
        f"CREATE TEMP TABLE cut AS SELECT id, first_us FROM flow WHERE {_FLOWS} AND last_us >= :since AND {_OURS}",
        bound,
    )
    try:
        before = summed(db, capture_id)
        _cut_flows(db, bound)
        db.execute(
            "DELETE FROM frame_slot WHERE capture_id = :capture AND slot_us >= :since"
            f" AND ({_WHOLE} OR src_mac IN {_MACS} OR dst_mac IN {_MACS})",
            bound,
        )
        after = summed(db, capture_id)
    finally:
        db.execute("DROP TABLE temp.cut")
    messages = (
        f"SELECT id FROM dns_message WHERE capture_id = :capture AND seen_us >= :since"
        f" AND ({_WHOLE} OR client_id IN {_ENDS} OR resolver_id IN {_ENDS})"
    )
    db.execute(f"DELETE FROM dns_record WHERE message_id IN ({messages})", bound)
    db.execute(f"DELETE FROM dns_message WHERE id IN ({messages})", bound)
    packets, size = after[0] - before[0], after[1] - before[1]
    if packets:
        take_off(db, capture_id, packets, size)
        # What decoding needs to go on has the flows that were open, so nothing can be added to it any more.
        db.execute("UPDATE capture SET state = NULL WHERE id = ?", (capture_id,))
        drop_blocks(db, capture_id)  # they tell who sent
    return packets


def _cut_flows(db: sqlite3.Connection, bound: dict[str, int]) -> None:
    """Flows that began before the time keep their slots before it; the others go as a whole."""
    late = "SELECT id FROM temp.cut WHERE first_us >= :since"
    early = "SELECT id FROM temp.cut WHERE first_us < :since"
    db.execute("DELETE FROM hello WHERE flow_id IN (SELECT id FROM temp.cut) AND seen_us >= :since", bound)
    for table, key in (("flow_slice", "flow_id"), ("kept_label", "flow_id"), ("flow", "id")):
        db.execute(f"DELETE FROM {table} WHERE {key} IN ({late})", bound)
    db.execute(f"DELETE FROM flow_slice WHERE flow_id IN ({early}) AND slot_us >= :since", bound)
    sums = ", ".join(
        f"{count} = (SELECT coalesce(sum(p.{count}), 0) FROM flow_slice p WHERE p.flow_id = flow.id)"
        for count in _COUNTS
    )
    db.execute(f"UPDATE flow SET {sums}, last_us = :since - 1, end = 'cut' WHERE id IN ({early})", bound)


def take_off(db: sqlite3.Connection, capture_id: int, packets: int, size: int) -> None:
    """So much of a capture is not in the database any more; its labels are to be settled anew."""
    db.execute(
        "UPDATE capture SET packets = packets - ?, bytes = bytes - ?, settled = -1 WHERE id = ?",
        (packets, size, capture_id),
    )


def rewritten(db: sqlite3.Connection, capture_id: int, head: str, digest: str, cursor: int, size: int) -> None:
    """The capture's file is another one from now on; as nothing is added to a closed capture, it is the same as read."""
    db.execute(
        "UPDATE capture SET head = ?, digest = ?, cursor = ?, size = ?, state = NULL, settled = -1 WHERE id = ?",
        (head, digest, cursor, size, capture_id),
    )
    db.execute("DELETE FROM capture_digest WHERE capture_id = ?", (capture_id,))
    db.execute("INSERT INTO capture_digest VALUES (?, ?, ?)", (capture_id, cursor, digest))
    drop_blocks(db, capture_id)


def forget_sums(db: sqlite3.Connection, site_id: int, since_us: int | None) -> Frozen:
    """Sums of flows that are gone: rows of the stations go, and what they counted is taken off the captures."""
    slot = 0 if since_us is None else since_us // SLOT_US
    theirs = "(station_id IN (SELECT id FROM temp.forgotten) OR peer_id IN (SELECT id FROM temp.forgotten))"
    gone = db.execute(
        f"SELECT slot, sum(packets_up + packets_down), sum(bytes_up + bytes_down) FROM slot_total"
        f" WHERE frozen AND slot >= ? AND {theirs} GROUP BY slot",
        (slot,),
    ).fetchall()
    _settle_accounts(db, site_id, gone)
    calendar = site_calendar(db, site_id)
    day = 0 if since_us is None else calendar.span(slot)[0]
    rows = 0
    for table, place, first in (("slot_total", "slot", slot), ("hour_total", "slot", slot), ("day_total", "day", day)):
        rows += db.execute(f"DELETE FROM {table} WHERE frozen AND {place} >= ? AND {theirs}", (first,)).rowcount
    whole = undivided(db, since_us)
    theirs = "station_id IN (SELECT id FROM temp.forgotten)"
    rows += db.execute(f"DELETE FROM destination_month WHERE {theirs} AND last_us >= ?", (since_us or 0,)).rowcount
    return Frozen(rows, whole)


def undivided(db: sqlite3.Connection, since_us: int | None) -> tuple[tuple[str, int], ...]:
    """(month, destinations) of the sums of months that reach over the time, so that they cannot be divided there."""
    rows = db.execute(
        "SELECT month, count(*) FROM destination_month WHERE station_id IN (SELECT id FROM temp.forgotten)"
        " AND first_us < ?1 AND last_us >= ?1 GROUP BY month ORDER BY month",
        (since_us or 0,),
    )
    return tuple((month_text(month), count) for month, count in rows)


def _settle_accounts(db: sqlite3.Connection, site_id: int, gone: Iterable[tuple[int, int, int]]) -> None:
    """Sums do not say which capture they are of: those of that time give, as much as they have as sums."""
    held = [
        (number, first, last, list(summed(db, number)))
        for number, first, last in db.execute(
            "SELECT id, first_us, last_us FROM capture WHERE site_id = ? AND first_us IS NOT NULL ORDER BY id",
            (site_id,),
        ).fetchall()
    ]
    taken = {number: [0, 0] for number, _, _, _ in held}
    for slot, *amounts in gone:
        for number, first, last, room in held:
            if first < (slot + 1) * SLOT_US and last >= slot * SLOT_US:
                for what, amount in enumerate(amounts):
                    part = min(amount, room[what])
                    room[what] -= part
                    amounts[what] -= part
                    taken[number][what] += part
    for number, (packets, size) in taken.items():
        if packets or size:
            take_off(db, number, packets, size)


def forget_words_of(db: sqlite3.Connection, site_id: int, since_us: int | None) -> None:
    """What the stations said of themselves."""
    without_mac = "mac < 0 AND address IN (SELECT address FROM temp.forgotten WHERE mac < 0)"
    theirs = f"site_id = :site AND (mac IN {_MACS} OR {without_mac})"
    for table in ("hint", "router"):
        bound = {"site": site_id, "since": since_us or 0}
        db.execute(f"DELETE FROM {table} WHERE {theirs} AND first_us >= :since", bound)
        db.execute(f"UPDATE {table} SET last_us = min(last_us, :since - 1) WHERE {theirs}", bound)


def forget_ends(db: sqlite3.Connection, since_us: int | None) -> None:
    """The stations' ends that no fact refers to any more; of others the times after `since_us`."""
    used = (
        "SELECT client_id FROM flow UNION SELECT server_id FROM flow UNION SELECT client_id FROM hello"
        " UNION SELECT server_id FROM hello UNION SELECT client_id FROM dns_message"
        " UNION SELECT resolver_id FROM dns_message"
    )
    db.execute(
        f"DELETE FROM endpoint WHERE id IN {_ENDS} AND coalesce(first_us, ?1) >= ?1 AND id NOT IN ({used})",
        (since_us or 0,),
    )
    if since_us is not None:
        heard = (
            "SELECT max(last_us) FROM (SELECT client_id AS id, last_us FROM flow"
            " UNION ALL SELECT server_id, last_us FROM flow) f WHERE f.id = endpoint.id"
        )
        db.execute(
            f"UPDATE endpoint SET last_us = coalesce(({heard}), ?1 - 1)"
            f" WHERE id IN {_ENDS} AND last_us >= ?1 AND first_us < ?1",
            (since_us,),
        )


def forget_folders(db: sqlite3.Connection, site_id: int) -> int:
    """Captures that are filed under the name of one of the stations are so no longer; how many."""
    return db.execute(
        "UPDATE capture SET folder_device = NULL, settled = -1 WHERE site_id = ? AND folder_device IN"
        " (SELECT s.folder FROM station s JOIN temp.forgotten f ON f.id = s.id)",
        (site_id,),
    ).rowcount
