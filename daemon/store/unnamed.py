"""Flows that have no name of their own: what is asked about their servers, and the labels that name them. SQL only.

Rule 1: flows are looked through once and noted, a day (or more) at a time; only those of which an answer, a certificate or
        their own label says something leave SQLite. Most servers without a name were never asked for.
Rule 2: flows whose labels are kept (`kept_label`) are not looked at.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

_ASKER = "coalesce(k.device_id, c.device_id, -c.id)"
_CLIENT = "iif(f.turned, f.server_id, f.client_id)"
_NOTED = """
    SELECT iif(s.local, NULL, coalesce(h.first_us, f.first_us) / :together_us) AS period, f.id AS flow_id, f.head_id,
        f.label_source, s.id AS end_id, coalesce(h.first_us, f.first_us) AS began_us, f.first_us
    FROM {} JOIN endpoint s ON s.id = iif(f.turned, f.client_id, f.server_id)
    WHERE k.site_id = :site AND f.name_id IS NULL AND {}
"""
# Those to servers that count as local by now are in no period: of them only the names are to go that answers gave them.
_WHOLE = (
    """capture k CROSS JOIN flow f ON f.id BETWEEN k.id << 40 AND (k.id << 40 | 0xFFFFFFFFFF)
        LEFT JOIN flow h ON h.id = f.head_id""",
    """k.first_us <= :until_us AND k.last_us >= :since_us AND f.last_us >= :since_us AND f.first_us <= :until_us
        AND iif(s.local,
            f.label_source IS NOT NULL AND (f.label_source <> 'continued' OR f.head_id IS NOT NULL)
                AND f.first_us >= :since_us,
            s.scope = 0 AND h.id IS NULL AND coalesce(f.label_source, '') <> 'continued'
                AND (f.first_us >= :since_us OR f.label_id IS NULL) AND {})""",
)
_LATER_PARTS = (
    "flow f JOIN flow h ON h.id = f.head_id JOIN capture k ON k.id = f.id >> 40",
    """f.head_id IS NOT NULL AND NOT s.local AND s.scope = 0 AND {}
        AND (h.first_us BETWEEN :since_us AND :until_us OR f.first_us BETWEEN :since_us AND :until_us)""",
)
_OF_SOME = f"(SELECT {_ASKER} FROM endpoint c WHERE c.id = {_CLIENT}) IN (SELECT value FROM json_each(:of))"
_KEPT = "DELETE FROM temp.unnamed WHERE flow_id IN (SELECT flow_id FROM kept_label)"
_ASKED_ENDS = """
    INSERT INTO temp.asked_end SELECT u.end_id, s.address, u.first_us, u.last_us FROM (
        SELECT end_id, min(began_us) AS first_us, max(began_us) AS last_us FROM temp.unnamed
        WHERE period = ? AND first_us >= ? GROUP BY end_id
    ) u CROSS JOIN endpoint s ON s.id = u.end_id
"""
_UNANSWERED = "DELETE FROM temp.asked_end WHERE address NOT IN (SELECT value FROM json_each(?))"
_TOLD = f"""
    SELECT u.flow_id, u.head_id, {_ASKER}, s.address, u.began_us, f.first_us, f.last_us, f.label_id, f.label_source,
        coalesce(h.cover, 0), h.label_id
    FROM temp.unnamed u CROSS JOIN flow f ON f.id = u.flow_id CROSS JOIN endpoint s ON s.id = u.end_id
    CROSS JOIN capture k ON k.id = u.flow_id >> 40 CROSS JOIN endpoint c ON c.id = {_CLIENT}
    LEFT JOIN flow h ON h.id = u.head_id
    WHERE u.period = ? AND (
        u.end_id IN (SELECT end_id FROM temp.asked_end) OR u.head_id IS NOT NULL OR u.label_source IS NOT NULL
        OR EXISTS (
            SELECT 1 FROM hello c WHERE c.flow_id = u.flow_id AND c.name_id IS NULL AND c.certificate_names IS NOT NULL
        )
    ) ORDER BY u.began_us
"""
_FORGET = """
    UPDATE flow SET label_id = NULL, label_source = NULL WHERE id IN (
        SELECT flow_id FROM temp.unnamed WHERE period IS NULL
    ) RETURNING id, first_us, last_us
"""


@contextmanager
def unnamed(
    db: sqlite3.Connection,
    site_id: int,
    since_us: int,
    until_us: int,
    together_us: int,
    of: Iterable[int] | None = None,
) -> Iterator[list[int]]:
    """Notes, as long as the block lasts, flows to non-local servers that have no name of their own; and those to local
    ones that have a name from elsewhere.

    Its value are the periods of `together_us` in which they began, in order; a later part began with its head. `of`: flows
    of these askers only.
    """
    bounds = {
        "site": site_id, "since_us": since_us, "until_us": until_us, "together_us": together_us,
        "of": None if of is None else json.dumps(sorted(of)),
    }  # fmt: skip
    some = "true" if of is None else _OF_SOME
    parts = " UNION ALL ".join(_NOTED.format(tables, which.format(some)) for tables, which in (_WHOLE, _LATER_PARTS))
    db.execute(f"CREATE TEMP TABLE unnamed AS {parts}", bounds)
    db.execute(_KEPT)
    periods = "SELECT DISTINCT period FROM temp.unnamed WHERE period IS NOT NULL ORDER BY 1"
    found = [row[0] for row in db.execute(periods)]
    if len(found) > 1:
        db.execute("CREATE INDEX temp.unnamed_period ON unnamed (period)")
    db.execute(
        "CREATE TEMP TABLE asked_end (end_id INTEGER PRIMARY KEY, address TEXT, first_us INTEGER, last_us INTEGER)"
    )
    yield found
    db.execute("DROP TABLE temp.asked_end")  # where something goes wrong they go with the transaction
    db.execute("DROP TABLE temp.unnamed")


def ask(db: sqlite3.Connection, period: int, since_us: int) -> list[tuple[str, int, int]]:
    """The servers of noted flows of a period that came since a time: address, first and last time (us) at which one began.

    An address may come several times.
    """
    db.execute("DELETE FROM temp.asked_end")
    db.execute(_ASKED_ENDS, (period, since_us))
    return db.execute("SELECT address, first_us, last_us FROM temp.asked_end").fetchall()


def read_told(
    db: sqlite3.Connection, period: int, answered: Iterable[str]
) -> Iterator[tuple[int, int | None, int, str, int, int, int, int | None, str | None, bool, int | None]]:
    """Of the noted flows of a period those to which something is to say, in order of the time at which they began: to an
    address that was `answered` since the last `ask`, with a label, with a certificate, or later parts.

    (flow, head, asker, server address, begun, first_us, last_us, label, label source, the head's name is a cover, what the
    head is called then).
    The rows are sorted, hence read, before the first comes out, so that labels may be written meanwhile.
    """
    db.execute(_UNANSWERED, (json.dumps(list(answered)),))
    return db.execute(_TOLD, (period,))


def forget_local_names(db: sqlite3.Connection) -> list[tuple[int, int, int]]:
    """Noted flows to servers that count as local by now lose the names that answers gave them; (flow, first_us, last_us)."""
    return db.execute(_FORGET).fetchall()


def read_certified(db: sqlite3.Connection, flows: Iterable[int]) -> list[tuple[int, str]]:
    """(flow, certificate names) of those of these flows whose handshakes have no name."""
    return db.execute(
        "SELECT h.flow_id, h.certificate_names FROM json_each(?) t CROSS JOIN hello h ON h.flow_id = t.value"
        " WHERE h.name_id IS NULL AND h.certificate_names IS NOT NULL ORDER BY h.flow_id, h.number",
        (json.dumps(sorted(flows)),),
    ).fetchall()


def write_names(db: sqlite3.Connection, names: Iterable[tuple[int | None, str | None, int]]) -> None:
    """(name, source, flow)."""
    db.executemany("UPDATE flow SET label_id = ?, label_source = ? WHERE id = ?", names)
