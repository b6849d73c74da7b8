"""Which flows and slots a pass over news has to look at, where a file only grew. SQL only.

Rule 1: what a flow moved is counted in the slots of its packets, so packets since a time touch the slots since that time.
Rule 2: what a flow is called, and why, counts in every slot of it: whoever changes that names the flow here.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable

from daemon.decode.slots import SLOT_US


def read_retold(db: sqlite3.Connection, site_id: int, news: Iterable[tuple[int, int]]) -> set[int]:
    """Flows that decoding sees otherwise than the last pass did, by (capture, time since which there are news)."""
    rows = db.execute(
        "SELECT flow_id FROM retold WHERE flow_id >> 40 IN (SELECT id FROM capture WHERE site_id = ?)", (site_id,)
    )
    found = {row[0] for row in rows}
    for capture, since_us in news:  # a handshake that hides its name is a reason not to have one
        rows = db.execute(
            "SELECT flow_id FROM hello WHERE flow_id BETWEEN ?1 << 40 AND (?1 << 40 | 0xFFFFFFFFFF) AND seen_us >= ?2"
            " AND ech IS NOT NULL",
            (capture, since_us),
        )
        found.update(row[0] for row in rows)
    return found


def with_later_parts(db: sqlite3.Connection, flows: Collection[int]) -> set[int]:
    """These flows and those that began with one of them in an earlier file."""
    rows = db.execute(
        "SELECT f.id FROM json_each(?) t CROSS JOIN flow f ON f.head_id = t.value AND f.head_id IS NOT NULL",
        (json.dumps(list(flows)),),
    )
    return {*flows, *(row[0] for row in rows)}


def slots_of(db: sqlite3.Connection, flows: Collection[int]) -> set[int]:
    """The slots in which these flows moved something."""
    rows = db.execute(
        f"SELECT f.first_us / {SLOT_US} FROM json_each(?1) t CROSS JOIN flow f ON f.id = t.value WHERE NOT f.sliced"
        f" UNION SELECT p.slot_us / {SLOT_US} FROM json_each(?1) t CROSS JOIN flow_slice p ON p.flow_id = t.value",
        (json.dumps(list(flows)),),
    )
    return {row[0] for row in rows}


def forget_retold(db: sqlite3.Connection, site_id: int) -> None:
    """A pass has seen them."""
    db.execute("DELETE FROM retold WHERE flow_id >> 40 IN (SELECT id FROM capture WHERE site_id = ?)", (site_id,))
