"""Names that contain a text: companies, domains and addresses that devices of a home had to do with. Reading only.

Rule: what was typed is a text, never a pattern: `instr` knows no wildcards.
"""

from __future__ import annotations

import json
import sqlite3
from typing import Any, NamedTuple

_MOST_LIKE = 300  # names, and addresses, that are looked for among the judgements


class Hit(NamedTuple):
    """Something that was found, and what is known of it; `month`: the newest with it, year * 12 + month - 1."""

    text: str
    organisation: str | None
    party: str | None
    month: int | None


class Hits(NamedTuple):
    """What was found, the best first."""

    domains: list[Hit]
    addresses: list[Hit]


# The party is that of most judgements in whose words the company stands.
_COMPANIES = """
    SELECT organisation, organisation, party, NULL FROM (
        SELECT organisation, party, max(many) FROM (
            SELECT v.organisation, v.party, count(*) AS many FROM verdict v
            WHERE v.organisation IS NOT NULL AND instr(lower(v.organisation), lower(?1)) GROUP BY 1, 2
        ) GROUP BY organisation
    ) ORDER BY instr(lower(organisation), lower(?1)) > 1, lower(organisation) LIMIT ?2
"""
_LIKE = """
    SELECT id, {text} FROM {table} WHERE instr({text}, lower(?1))
    ORDER BY instr({text}, lower(?1)) > 1, length({text}), {text} LIMIT ?2
"""
# The newest month with it, of the first device that had to do with it then. A name is sought by the whole key; most
# addresses stand behind names and were never judged, so what has no name is read through, once for all of them.
_NAME = """
    SELECT n.value, v.organisation, v.party, j.month FROM json_each(:names) n
    CROSS JOIN judgement j ON (j.month, j.device_id) = (
        SELECT m.value, d.value FROM json_each(:months) m CROSS JOIN json_each(:devices) d CROSS JOIN judgement k
        ON k.month = m.value AND k.device_id = d.value AND k.site_id = :site AND k.name_id = n.value AND k.remote_id = 0
        LIMIT 1
    ) AND j.site_id = :site AND j.name_id = n.value AND j.remote_id = 0 JOIN verdict v ON v.id = j.verdict_id
"""
_ADDRESS = """
    SELECT j.remote_id, v.organisation, v.party, j.month FROM (
        SELECT k.remote_id, max(k.month) AS month, k.verdict_id
        FROM json_each(:months) m CROSS JOIN json_each(:devices) d CROSS JOIN judgement k
        ON k.month = m.value AND k.device_id = d.value AND k.site_id = :site AND k.name_id = 0
            AND k.remote_id BETWEEN :first AND :last
        WHERE k.remote_id IN (SELECT value FROM json_each(:addresses)) GROUP BY k.remote_id
    ) j JOIN verdict v ON v.id = j.verdict_id
"""
_MONTHS = """
    WITH RECURSIVE there (month) AS (
        SELECT max(month) FROM judgement
        UNION ALL
        SELECT (SELECT max(j.month) FROM judgement j WHERE j.month < t.month) FROM there t WHERE t.month IS NOT NULL
    ) SELECT month FROM there WHERE month IS NOT NULL
"""
_DEVICES = "SELECT 0 UNION ALL SELECT id FROM device WHERE site_id = ? ORDER BY 1"


def find_companies(db: sqlite3.Connection, text: str, most: int) -> list[Hit]:
    """Companies with a text in their name."""
    return [Hit(*row) for row in db.execute(_COMPANIES, (text, most))]


def find_destinations(db: sqlite3.Connection, site_id: int, text: str, most: int) -> Hits:
    """Domains and addresses of destinations with a text in them, at most `most` of each."""
    wanted = text.strip().rstrip(".")
    like = {
        table: db.execute(_LIKE.format(table=table, text=column), (wanted, _MOST_LIKE)).fetchall()
        for table, column in (("name", "text"), ("remote", "address"))
    }
    judged = _judged(db, site_id, *([number for number, _ in like[table]] for table in ("name", "remote")))
    found = {
        table: [Hit(said, *judged[table, number]) for number, said in rows if (table, number) in judged][:most]
        for table, rows in like.items()
    }
    return Hits(found["name"], found["remote"])


def _judged(
    db: sqlite3.Connection, site_id: int, names: list[int], addresses: list[int]
) -> dict[tuple[str, int], list[Any]]:
    """(table, number) -> organisation, party and month of those that were ever judged."""
    asked = {
        "site": site_id, "names": json.dumps(names), "addresses": json.dumps(addresses),
        "first": min(addresses, default=0), "last": max(addresses, default=0),
        "months": json.dumps([month for (month,) in db.execute(_MONTHS)]),
        "devices": json.dumps([device for (device,) in db.execute(_DEVICES, (site_id,))]),
    }  # fmt: skip
    out = {("name", number): known for number, *known in db.execute(_NAME, asked)} if names else {}
    if addresses:
        out.update({("remote", number): known for number, *known in db.execute(_ADDRESS, asked)})
    return out
