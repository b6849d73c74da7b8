"""What the settling pass reads of the facts, and the labels it writes. SQL only; judgements are made elsewhere."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from daemon.decode.slots import SLOT_US

CONTINUES_US = 3_600_000_000  # behind the beginning of a file, in which flows may go on from an earlier one
CROWD = 100  # like short flows in a slot, above which they become one row
_SHORT_PACKETS = 16
_ENDED_US = 2 * CONTINUES_US  # no silence is longer, after which a flow is over


class Stretch(NamedTuple):
    """A capture that waits to be settled, and the time it covers."""

    capture_id: int
    series: str
    first_us: int
    last_us: int
    fresh_us: int  # facts before it are settled
    touched_us: int  # the beginning of the first flow that goes on behind it


def unsettled(db: sqlite3.Connection, site_id: int) -> list[Stretch]:
    """Captures with facts that no settling pass has seen."""
    rows = db.execute(
        "SELECT k.id, k.series, k.first_us, k.last_us, k.fresh, CASE WHEN k.fresh <= k.first_us THEN k.first_us"
        " ELSE min(k.fresh, coalesce((SELECT min(f.first_us) FROM flow f"
        " WHERE f.id BETWEEN k.id << 40 AND (k.id << 40 | 0xFFFFFFFFFF) AND f.last_us >= k.fresh), k.fresh)) END"
        " FROM (SELECT id, series, first_us, last_us, iif(settled = -2, coalesce(fresh_us, first_us), first_us) AS fresh"
        " FROM capture WHERE site_id = ? AND settled <> cursor AND first_us IS NOT NULL) k",
        (site_id,),
    )
    return [Stretch(*row) for row in rows]


def mark_settled(db: sqlite3.Connection, site_id: int) -> None:
    """All captures of the site are settled as far as they are read."""
    db.execute(
        "UPDATE capture SET settled = cursor, fresh_us = NULL WHERE site_id = ? AND settled <> cursor"
        " AND (settled <> -3 OR status = 'deleted')",
        (site_id,),
    )


def write_configured(db: sqlite3.Connection, site_id: int, prefixes: Iterable[str]) -> None:
    """The site's configured prefixes, in place of earlier ones."""
    db.execute("DELETE FROM network WHERE site_id = ? AND source = 'configured'", (site_id,))
    db.executemany(
        "INSERT OR IGNORE INTO network VALUES (?, ?, 'configured', -1, 0, 0, 0)", [(site_id, each) for each in prefixes]
    )


def write_zone(db: sqlite3.Connection, site_id: int, zone: str) -> list[tuple[int, int]]:
    """The site's time zone; the times of all that is to be counted anew, where it is another than before."""
    if db.execute("UPDATE site SET zone = ?2 WHERE id = ?1 AND zone <> ?2", (site_id, zone)).rowcount == 0:
        return []
    ours = "way_id IN (SELECT id FROM way WHERE site_id = ?)"
    for table in ("slot_total", "hour_total", "day_total"):
        db.execute(f"DELETE FROM {table} WHERE NOT frozen AND {ours}", (site_id,))
    db.execute(f"DELETE FROM destination_day WHERE {ours}", (site_id,))
    db.execute("DELETE FROM address_column WHERE site_id = ?", (site_id,))  # also of days of which only sums are left
    return db.execute(
        "SELECT first_us, last_us FROM capture WHERE site_id = ? AND first_us IS NOT NULL", (site_id,)
    ).fetchall()


def read_ends(
    db: sqlite3.Connection, site_id: int
) -> Iterator[tuple[int, int, int, str, int, int | None, int | None, bool]]:
    """(id, mac, version, address, scope, first_us, last_us, sent) of every endpoint, as they come."""
    return db.execute(
        "SELECT id, mac, version, address, scope, first_us, last_us, sent FROM endpoint WHERE +site_id = ?",  # no index
        (site_id,),
    )


def read_announcements(db: sqlite3.Connection, site_id: int) -> list[tuple[str, str, int, int, int]]:
    """(prefix, source, first_us, last_us, lifetime_s), one a day."""
    return db.execute(
        "SELECT prefix, source, first_us, last_us, lifetime_s FROM network WHERE site_id = ?", (site_id,)
    ).fetchall()


def read_routers(db: sqlite3.Connection, site_id: int) -> list[tuple[int, str]]:
    """(MAC or -1, address) of routers that announcements name."""
    return db.execute("SELECT DISTINCT mac, address FROM router WHERE site_id = ?", (site_id,)).fetchall()


def _crowded(db: sqlite3.Connection, span: tuple[int, int], since_us: int) -> bool:
    """Whether there may be a crowd, by a look at four columns; most captures have none.

    Sorted by two numbers instead of four: SQLite has a quicker way for those.
    """
    found = db.execute(
        f"SELECT 1 FROM flow WHERE id BETWEEN ? AND ? AND first_us >= {since_us}"
        f" AND (count > 1 OR packets_up + packets_down <= {_SHORT_PACKETS})"
        " GROUP BY client_id << 32 | server_id, coalesce(server_port, 1 << 16) << 32 | first_us"
        f" / {SLOT_US} HAVING sum(count) > {CROWD} LIMIT 1",
        span,
    ).fetchone()
    return found is not None


def several_captures(db: sqlite3.Connection, site_id: int, series: str) -> bool:
    """Whether a series has more than one capture, so that flows may go on from one to another."""
    rows = db.execute("SELECT 1 FROM capture WHERE site_id = ? AND series = ? LIMIT 2", (site_id, series))
    return len(rows.fetchall()) > 1


def is_newest(db: sqlite3.Connection, site_id: int, series: str, capture_id: int) -> bool:
    """Whether no other capture of a series has packets from behind this one's beginning."""
    row = db.execute(
        "SELECT 1 FROM capture k JOIN capture o ON o.site_id = k.site_id AND o.series = k.series AND o.id <> k.id"
        " AND o.last_us >= k.first_us WHERE k.site_id = ? AND k.series = ? AND k.id = ?",
        (site_id, series, capture_id),
    ).fetchone()
    return row is None


def read_parts(
    db: sqlite3.Connection, site_id: int, series: str, since_us: int, *, tails: bool
) -> Iterator[tuple[Any, ...]]:
    """Flows of a series that may come from another file or, with `tails`, those that the end of their file cut.

    In the order of the fields of `daemon.flow.stitch.Part`, client and server as address and port. Flows that began
    before `since_us` are settled: they come as they are shown, under the number of the flow with which they began, and
    only if one could still go on from them.
    """
    cut = "f.live AND f.end IN ('cut', 'open')"
    begins = f"NOT f.begun AND f.first_us <= k.first_us + {CONTINUES_US}"
    return db.execute(
        "SELECT iif(f.first_us >= ?3, f.id, coalesce(f.head_id, f.id)),"
        f" {_either('c.address', 's.address')}, {_either('f.client_port', 'f.server_port')},"
        f" {_either('s.address', 'c.address')}, {_either('f.server_port', 'f.client_port')}, w.protocol, w.tunnel,"
        f" f.begun, {cut}, f.first_us, f.last_us, coalesce(iif(f.cover, NULL, f.name_id),"
        " t.label_id, iif(f.first_us < ?3 AND f.label_source = 'continued' AND f.head_id IS NULL, f.label_id, NULL))"
        " FROM capture k JOIN flow f ON f.id BETWEEN k.id << 40 AND (k.id << 40 | 0xFFFFFFFFFF)"
        " CROSS JOIN flow_kind w ON w.id = f.kind_id"
        " JOIN endpoint c ON c.id = f.client_id JOIN endpoint s ON s.id = f.server_id"
        " LEFT JOIN kept_label t ON t.flow_id = f.id"
        f" WHERE k.site_id = ?1 AND k.series = ?2 AND k.last_us >= ?3 - {CONTINUES_US} AND f.count = 1"
        f" AND f.crowd_id IS NULL AND f.last_us >= ?3 - {CONTINUES_US}"
        f" AND {cut if tails else f'NOT ({cut}) AND {begins}'}",
        (site_id, series, since_us),
    )


def _either(plain: str, turned: str) -> str:
    """One of two expressions: a flow that was turned for good is shown as it is seen since."""
    return f"iif(coalesce(t.turned, iif(f.first_us < ?3, f.turned, 0)), {turned}, {plain})"


def write_continued(
    db: sqlite3.Connection,
    site_id: int,
    series: str,
    since_us: int,
    continued: Iterable[tuple[int, bool, int | None, int | None]],
) -> list[tuple[int, int]]:
    """(flow, turned, name, head) of the flows of a series that go on from another; the others do not, whatever they did.

    Flows that began before `since_us` stay as they are.

    A flow with a head has no name from any part before it: naming finds one as of the head's beginning.

    What a flow took from one that is gone (`kept_label`) stays. The answer are the times of flows about which that has
    changed.
    """
    kept = {row[0] for row in db.execute("SELECT flow_id FROM kept_label")}
    wanted = {flow: (int(turned), name, head) for flow, turned, name, head in continued if flow not in kept}
    before = {
        flow: (turned, name, head)
        for flow, turned, name, head in db.execute(
            "SELECT f.id, f.turned, iif(f.head_id IS NULL AND f.label_source = 'continued', f.label_id, NULL), f.head_id"
            " FROM capture k JOIN flow f ON f.id BETWEEN k.id << 40 AND (k.id << 40 | 0xFFFFFFFFFF) WHERE k.site_id = ?"
            " AND k.series = ? AND k.last_us >= ?3 AND f.first_us >= ?3"
            " AND (f.turned OR f.label_source = 'continued' OR f.head_id IS NOT NULL)",
            (site_id, series, since_us),
        )
        if flow not in kept
    }
    nothing = (0, None, None)
    changed = sorted(flow for flow in wanted | before if wanted.get(flow, nothing) != before.get(flow, nothing))
    db.executemany(
        "UPDATE flow SET turned = ?1, label_id = coalesce(?2, iif(label_source = 'continued', NULL, label_id)),"
        " label_source = iif(?2 IS NULL, nullif(label_source, 'continued'), 'continued'), head_id = ?3 WHERE id = ?4",
        [(*wanted.get(flow, nothing), flow) for flow in changed],
    )
    return [db.execute("SELECT first_us, last_us FROM flow WHERE id = ?", (flow,)).fetchone() for flow in changed]


def restore_kept(db: sqlite3.Connection, site_id: int) -> list[tuple[int, int]]:
    """Give flows that were written anew what they had taken from ones that are gone; the times of those flows."""
    return db.execute(
        "UPDATE flow SET (turned, label_id, label_source, cover) ="
        " (SELECT t.turned, t.label_id, t.label_source, t.cover FROM kept_label t WHERE t.flow_id = flow.id)"
        " WHERE id IN (SELECT f.id FROM kept_label t CROSS JOIN flow f ON f.id = t.flow_id"
        " CROSS JOIN capture k ON k.id = f.id >> 40 AND k.site_id = ?"
        " WHERE (f.turned, f.label_id, f.label_source, f.cover) IS NOT (t.turned, t.label_id, t.label_source, t.cover))"
        " RETURNING first_us, last_us",
        (site_id,),
    ).fetchall()


def name_number(db: sqlite3.Connection, text: str) -> int:
    """The id of a name, made where it is new."""
    db.execute("INSERT INTO name (text) VALUES (?) ON CONFLICT DO NOTHING", (text,))
    return int(db.execute("SELECT id FROM name WHERE text = ?", (text,)).fetchone()[0])


def name_numbers(db: sqlite3.Connection, texts: Iterable[str]) -> list[int]:
    """The ids of those of the names that are known."""
    rows = db.execute("SELECT id FROM name WHERE text IN (SELECT value FROM json_each(?))", (json.dumps(list(texts)),))
    return [row[0] for row in rows]


_SHARED = "protocol, service, encrypted, chatter, tunnel"
_ALIKE = f"slot, client_id, server_id, server_port, {_SHARED}, name_id, name_source"
_MEMBERS = (  # ?1 and ?2: first and last id of a capture
    f"SELECT f.*, {_SHARED}, first_us / {SLOT_US} AS slot FROM flow f JOIN flow_kind k ON k.id = f.kind_id"
    " WHERE f.id BETWEEN ?1 AND ?2 AND NOT f.sliced"
    f" AND f.end NOT IN ('cut', 'open') AND (f.count > 1 OR f.packets_up + f.packets_down <= {_SHORT_PACKETS})"
    " AND NOT EXISTS (SELECT 1 FROM hello h WHERE h.flow_id = f.id)"
)
_SAME = " AND ".join(f"m.{column} IS w.{column}" for column in _ALIKE.split(", "))


def fold_crowds(db: sqlite3.Connection, capture_id: int, since_us: int | None = None) -> int:
    """Like short flows of one slot, where there are more than CROWD of them, become one row; how many rows went.

    Those that decoding may still add to stay rows of their own, with a label that shows them as one. `since_us`: with
    all packets from before then a pass has done this; a flow that they began may have ended since, for its silence.
    """
    span = (capture_id << 40, capture_id << 40 | 0xFFFFFFFFFF)
    begin = 0 if since_us is None else (since_us - _ENDED_US) // SLOT_US * SLOT_US
    if not _crowded(db, span, begin):
        return 0
    db.execute("UPDATE flow SET crowd_id = NULL WHERE id BETWEEN ? AND ? AND crowd_id IS NOT NULL", span)
    db.execute(
        "CREATE TEMP TABLE crowd AS SELECT min(id) AS keeper, min(first_us) AS first_us, max(last_us) AS last_us,"
        " max(end) AS end, sum(packets_up) AS packets_up, sum(packets_down) AS packets_down, sum(bytes_up) AS bytes_up,"
        f" sum(bytes_down) AS bytes_down, sum(count) AS count, {_ALIKE} FROM ({_MEMBERS}) WHERE NOT live"
        f" GROUP BY {_ALIKE} HAVING sum(count) > {CROWD} AND count(*) > 1",
        span,
    )
    try:
        gone = db.execute(
            f"DELETE FROM flow WHERE id IN (SELECT m.id FROM ({_MEMBERS}) m JOIN crowd w ON {_SAME}"
            " WHERE NOT m.live AND m.id <> w.keeper)",
            span,
        ).rowcount
        db.execute(
            "UPDATE flow SET client_port = NULL, first_us = w.first_us, last_us = w.last_us, end = w.end,"
            " packets_up = w.packets_up, packets_down = w.packets_down, bytes_up = w.bytes_up,"
            " bytes_down = w.bytes_down, count = w.count FROM crowd w WHERE flow.id = w.keeper"
        )
    finally:
        db.execute("DROP TABLE crowd")
    db.execute(
        f"UPDATE flow SET crowd_id = w.keeper FROM ({_MEMBERS}) m JOIN (SELECT min(id) AS keeper, {_ALIKE}"
        f" FROM ({_MEMBERS}) GROUP BY {_ALIKE} HAVING sum(count) > {CROWD} AND count(*) > 1) w ON {_SAME}"
        " WHERE flow.id = m.id",
        span,
    )
    return gone
