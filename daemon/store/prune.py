"""What nothing refers to any more goes: ends, addresses, names, judgements, verdicts.

Rule 1: a name that only one device asked for is gone from the whole database once that device's facts and sums are.
Rule 2: of the ends behind one MAC that are not local two stay that show that it is a gateway; whatever a router's
        announcement names stays as well. What is judged of an end does not change by pruning.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address

from daemon.store.verdicts import drop_unused

_V6_SITE_BITS = 80  # as `daemon.identify.house` counts places

_SPEAKING = """
    SELECT client_id FROM flow UNION SELECT server_id FROM flow
    UNION SELECT client_id FROM hello UNION SELECT server_id FROM hello
    UNION SELECT client_id FROM dns_message UNION SELECT resolver_id FROM dns_message
    UNION SELECT id FROM endpoint WHERE local OR station_id IS NOT NULL OR address IN (SELECT address FROM router)
"""
_GATEWAYS = """
    SELECT id FROM (
        SELECT id, {}(place(version, address)) FROM endpoint WHERE sent AND scope = 0 AND mac >= 0
        GROUP BY site_id, mac, version
    )
"""
_PLACES = """
    SELECT remote_id FROM slot_total UNION SELECT remote_id FROM destination_day UNION SELECT main_id FROM destination_day
    UNION SELECT remote_id FROM destination_month UNION SELECT main_id FROM destination_month
"""
_NAMES = """
    SELECT name_id FROM flow WHERE name_id IS NOT NULL UNION SELECT label_id FROM flow WHERE label_id IS NOT NULL
    UNION SELECT label_id FROM kept_label WHERE label_id IS NOT NULL
    UNION SELECT name_id FROM hello WHERE name_id IS NOT NULL UNION SELECT name_id FROM dns_message
    UNION SELECT target_id FROM dns_message WHERE target_id IS NOT NULL
    UNION SELECT name_id FROM dns_record UNION SELECT name_id FROM slot_total
    UNION SELECT name_id FROM destination_day UNION SELECT name_id FROM destination_month
    UNION SELECT target_id FROM alias
"""
# NOT EXISTS, because NOT IN over expressions looks through the whole list for NULLs, once for every row that is to go.
_ALIASES = """
    DELETE FROM alias WHERE name_id NOT IN (SELECT name_id FROM dns_message)
    AND NOT EXISTS (SELECT 1 FROM temp.met m WHERE m.month = alias.month AND m.name_id = alias.name_id)
"""
_JUDGEMENTS = """
    DELETE FROM judgement WHERE NOT EXISTS (
        SELECT 1 FROM temp.met m WHERE m.month = judgement.month AND m.name_id = judgement.name_id
            AND m.device_id = judgement.device_id AND m.remote_id = judgement.remote_id)
"""
_MET = """
    CREATE TEMP TABLE met (
        month INTEGER, name_id INTEGER, device_id INTEGER, remote_id INTEGER,
        PRIMARY KEY (month, name_id, device_id, remote_id)
    ) WITHOUT ROWID
"""
_MEET = """
    INSERT OR IGNORE INTO temp.met SELECT d.month, d.name_id, coalesce(s.device_id, 0), d.remote_id FROM (
        SELECT DISTINCT month, station_id, name_id, remote_id FROM destination_day
        UNION SELECT DISTINCT month, station_id, name_id, remote_id FROM destination_month WHERE verdict_id = 0
    ) d LEFT JOIN station s ON s.id = d.station_id
"""


def prune(db: sqlite3.Connection) -> None:
    """Remove what nothing refers to, in the caller's transaction."""
    db.create_function("place", 2, _place, deterministic=True)
    db.execute("DELETE FROM kept_label WHERE flow_id NOT IN (SELECT id FROM flow)")
    gateways = " UNION ".join(_GATEWAYS.format(which) for which in ("min", "max"))
    with _used(db, f"{_SPEAKING} UNION {gateways}"):
        db.execute("DELETE FROM endpoint WHERE id NOT IN (SELECT id FROM temp.used)")
    with _used(db, _PLACES):
        db.execute("DELETE FROM remote WHERE id NOT IN (SELECT id FROM temp.used)")
    _prune_judgements(db)
    with _used(db, _NAMES):
        db.execute("DELETE FROM name WHERE id NOT IN (SELECT id FROM temp.used)")
    drop_unused(db)


def _prune_judgements(db: sqlite3.Connection) -> None:
    """Aliases and judgements of destinations that nobody met that month."""
    db.execute(_MET)
    try:
        db.execute(_MEET)
        db.execute(_ALIASES)
        db.execute(_JUDGEMENTS)
    finally:
        db.execute("DROP TABLE temp.met")


def _place(version: int, address: str) -> str:
    """Where on the internet an address is, as far as gateways are told by it."""
    number = int(ip_address(address))
    return f"{number if version == 4 else number >> _V6_SITE_BITS:032x}"


@contextmanager
def _used(db: sqlite3.Connection, query: str) -> Iterator[None]:
    """Ids as a temporary table, as long as the block lasts."""
    db.execute("CREATE TEMP TABLE used (id INTEGER PRIMARY KEY)")
    try:
        db.execute(f"INSERT INTO temp.used {query}")
        yield
    finally:
        db.execute("DROP TABLE temp.used")
