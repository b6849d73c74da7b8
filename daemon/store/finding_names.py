"""Names that contain a text: companies, domains and addresses that devices of a home had to do with. Reading only.

Rule: what was typed is a text, never a pattern: `instr` knows no wildcards.
"""

from __future__ import annotations

import json
import sqlite3
from typing import NamedTuple

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
# One pass for names and addresses. Of a row with `max` SQLite takes the other columns from the row that has it.
_JUDGED = """
    SELECT j.name_id, j.remote_id, v.organisation, v.party, j.month FROM (
        SELECT name_id, remote_id, max(month) AS month, verdict_id FROM judgement
        WHERE site_id = ?1 AND (name_id IN (SELECT value FROM json_each(?2))
            OR name_id = 0 AND remote_id IN (SELECT value FROM json_each(?3))) GROUP BY name_id, remote_id
    ) j JOIN verdict v ON v.id = j.verdict_id
"""


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
    numbers = {table: json.dumps([number for number, _ in rows]) for table, rows in like.items()}
    judged = {
        ("name", name) if name else ("remote", remote): known
        for name, remote, *known in db.execute(_JUDGED, (site_id, numbers["name"], numbers["remote"]))
    }
    found = {
        table: [Hit(said, *judged[table, number]) for number, said in rows if (table, number) in judged][:most]
        for table, rows in like.items()
    }
    return Hits(found["name"], found["remote"])
