"""Whose the traffic was: sums by device, party, company and country, day by day; written here and read here.

Rule 1: they say what destinations and judgements say; triggers, and `tiers` for destinations that come, note the days for
        which they no longer do, and `follow` makes these anew. Whoever writes destinations or judgements calls it before
        the end of the transaction.
Rule 2: a span counts the days that it touches whole, and of months whose days are gone the whole month.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from datetime import date
from types import MappingProxyType
from typing import Any, NamedTuple

from daemon.decode.later import np
from daemon.store import destination_columns, house_sums, naming_sums, whose_columns
from daemon.store.calendar import month_days
from daemon.store.columns import Ints, read_columns
from daemon.store.window import Window

COUNTS = ("flows", "packets_up", "packets_down", "bytes_up", "bytes_down")
_ALL_OF_MONTH, _OLDER = -1, 0  # in `whose_stale.day`

_SUMS = ", ".join(f"sum(p.{count})" for count in COUNTS)
_LABELS = "party, organisation, country, country_confidence"
_OF_VERDICT = "party, coalesce(organisation, ''), coalesce(country, ''), coalesce(country_confidence, '')"
_JUDGED = """
    JOIN way w ON w.id = p.way_id
    LEFT JOIN judgement j ON j.month = p.month AND j.device_id = coalesce(t.device_id, 0) AND j.site_id = w.site_id
        AND j.name_id = p.name_id AND j.remote_id = p.remote_id AND {0} = 0
    LEFT JOIN verdict v ON v.id = iif({0}, {0}, j.verdict_id)
"""
# Whose a station is is looked up with what is due, not with each row.
_DUE = "temp.whose_due u LEFT JOIN station t ON t.id = u.station_id CROSS JOIN {} {}"
_OF_STATION = "ON p.month = u.month AND p.day = u.day AND p.station_id = u.station_id"
_DAY = f"""
    INSERT INTO whose_day
    SELECT p.month, p.day, w.site_id, p.station_id, coalesce(v.whose_id, 0), {_SUMS}
    FROM {_DUE.format("destination_day p", _OF_STATION)} {_JUDGED.format("0")} GROUP BY 1, 2, 3, 4, 5
"""
_GONE = f"""
    INSERT INTO whose_day
    SELECT p.month, u.day, w.site_id, p.station_id, coalesce(v.whose_id, 0), {_SUMS}
    FROM {_DUE.format("destination_month p", f"ON p.month = u.month AND u.day = {_OLDER} AND p.station_id = u.station_id")}
    {_JUDGED.format("p.verdict_id")} GROUP BY 1, 2, 3, 4, 5
"""
_INTO_MONTH = f"""
    INSERT INTO whose_month
    SELECT p.month, p.site_id, p.station_id, whose_id, {", ".join(f"{{0}} * {count}" for count in COUNTS)}
    FROM {_DUE.format("whose_day p", _OF_STATION)} WHERE true
    ON CONFLICT DO UPDATE SET {", ".join(f"{count} = {count} + excluded.{count}" for count in COUNTS)}
"""
# Of a whole month (day -1) all days on which there was anything, and what is left of those that are gone.
_DUE_NOW = f"""
    INSERT INTO temp.whose_due SELECT month, max(day, {_OLDER}), station_id FROM whose_stale
    UNION
    SELECT s.month, d.day, s.station_id FROM whose_stale s CROSS JOIN temp.whose_days_of d ON d.month = s.month
    WHERE s.day = {_ALL_OF_MONTH}
"""
# Verdicts that an earlier Homeport has written may have no number of whose that is; new ones come with it.
_INTERN = f"INSERT OR IGNORE INTO whose ({_LABELS}) SELECT DISTINCT {_OF_VERDICT} FROM verdict WHERE whose_id IS NULL"
_NUMBER = """
    UPDATE verdict SET whose_id = (
        SELECT o.id FROM whose o WHERE o.party = verdict.party AND o.organisation = coalesce(verdict.organisation, '')
            AND o.country = coalesce(verdict.country, '')
            AND o.country_confidence = coalesce(verdict.country_confidence, '')
    ) WHERE whose_id IS NULL
"""

# What rows can be grouped by.
_KEYS = MappingProxyType(
    {
        "device": "coalesce(t.device_id, 0)",
        "party": "coalesce(o.party, 'unknown')",
        "organisation": "nullif(o.organisation, '')",
        "country": "nullif(o.country, '')",
        "country_confidence": "nullif(o.country_confidence, '')",
        "month": "p.month",
        "day": "nullif(p.day, 0)",  # NULL where only the month is known
    }
)
# Months of which the window has all days that there are come as such, of the others the days. Added up by one number
# first: SQLite sorts what it adds up, and sorting rows of several columns takes twice as long.
# Days and what is left of gone ones each by the key: asked for both at once, SQLite reads the whole month.
_PARTS = """
    SELECT day, month, station_id, whose_id, flows, packets_up, packets_down, bytes_up, bytes_down FROM whose_day
    WHERE month IN (SELECT value FROM json_each(:parted)) AND day BETWEEN max(:first_day, 1) AND :last_day {whose}
    UNION ALL
    SELECT day, month, station_id, whose_id, flows, packets_up, packets_down, bytes_up, bytes_down FROM whose_day
    WHERE month IN (SELECT value FROM json_each(:parted)) AND day = 0 {whose}
    UNION ALL
    SELECT 0, month, station_id, whose_id, flows, packets_up, packets_down, bytes_up, bytes_down FROM whose_month
    WHERE month IN (SELECT value FROM json_each(:whole)) {whose}
"""
_HOUSE = """
    SELECT day, month, 0 AS station_id, whose_id, flows, packets_up, packets_down, bytes_up, bytes_down FROM whose_house
    WHERE month IN (SELECT value FROM json_each(:parted)) AND day BETWEEN max(:first_day, 1) AND :last_day {whose}
    UNION ALL
    SELECT day, month, 0 AS station_id, whose_id, flows, packets_up, packets_down, bytes_up, bytes_down FROM whose_house
    WHERE month IN (SELECT value FROM json_each(:parted)) AND day = 0 {whose}
    UNION ALL
    SELECT 0, month, 0, whose_id, flows, packets_up, packets_down, bytes_up, bytes_down FROM whose_house
    WHERE month IN (SELECT value FROM json_each(:whole)) AND day = -1 {whose}
"""
# As above.
_ENDS = """
    SELECT (SELECT min(day) FROM whose_day WHERE month = ?1 AND day > 0),
        (SELECT max(day) FROM whose_day WHERE month = ?1 AND day > 0)
"""
_TAKEN = "-flows, -packets_up, -packets_down, -bytes_up, -bytes_down"
_LESS = f"""
    UNION ALL
    SELECT 0, month, station_id, whose_id, {_TAKEN} FROM whose_day
    WHERE month IN (SELECT value FROM json_each(:mostly)) AND day > 0 AND day < :first_day {{whose}}
    UNION ALL
    SELECT 0, month, station_id, whose_id, {_TAKEN} FROM whose_day
    WHERE month IN (SELECT value FROM json_each(:mostly)) AND day > :last_day {{whose}}
"""
_HOUSE_LESS = _LESS.replace("station_id", "0").replace("FROM whose_day", "FROM whose_house")
_OF_SITE = "AND site_id = :site"
_OF_DEVICE = " AND station_id IN (SELECT id FROM station WHERE device_id = :device)"
_OF_ORGANISATION = " AND whose_id IN (SELECT id FROM whose WHERE organisation = :organisation)"
_BITS = whose_columns.BITS


def behind(db: sqlite3.Connection) -> bool:
    """Whether something does not hold any more."""
    query = "SELECT EXISTS (SELECT 1 FROM whose_stale) OR EXISTS (SELECT 1 FROM day_stale)"
    return bool(db.execute(query).fetchone()[0])


def follow(db: sqlite3.Connection, *, columns: bool = True) -> None:
    """Make anew what no longer holds. Within the caller's transaction.

    Without `columns` (`destination_columns`) pages are slower until the next call, for whoever is in a hurry.
    """
    house_sums.follow_days(db)
    if db.execute("SELECT 1 FROM whose_stale LIMIT 1").fetchone() is None:
        return
    db.execute(_INTERN)
    db.execute(_NUMBER)
    db.execute("CREATE TEMP TABLE whose_days_of (month INTEGER, day INTEGER, PRIMARY KEY (month, day))")
    db.execute(
        "CREATE TEMP TABLE whose_due (month INTEGER, day INTEGER, station_id INTEGER, PRIMARY KEY (month, day, station_id))"
    )
    try:
        months = db.execute("SELECT DISTINCT month FROM whose_stale WHERE day = ?", (_ALL_OF_MONTH,)).fetchall()
        for (month,) in months:
            db.execute(
                "INSERT INTO temp.whose_days_of SELECT DISTINCT ?1, day FROM day_total WHERE day BETWEEN ?2 AND ?3",
                (month, *month_days(month)),
            )
        db.execute(_DUE_NOW)
        db.execute(_INTO_MONTH.format(-1))
        db.execute(
            "DELETE FROM whose_day WHERE (month, day, station_id) IN (SELECT month, day, station_id FROM temp.whose_due)"
        )
        db.execute(_DAY)
        db.execute(_GONE)
        db.execute(_INTO_MONTH.format(1))
        db.execute(
            "DELETE FROM whose_month WHERE flows = 0 AND packets_up + packets_down = 0 AND month IN"
            " (SELECT DISTINCT month FROM temp.whose_due) AND station_id IN (SELECT DISTINCT station_id FROM temp.whose_due)"
        )
        house_sums.follow_whose(db)
        whose_columns.follow(db)
        if columns:
            destination_columns.follow(db)  # which marks have taken away
            naming_sums.follow(db)  # likewise
        db.execute("DELETE FROM whose_stale")
    finally:
        db.execute("DROP TABLE temp.whose_due")
        db.execute("DROP TABLE temp.whose_days_of")


def read_whose(
    db: sqlite3.Connection, window: Window, by: Sequence[str], organisation: str | None = None
) -> list[tuple[Any, ...]]:
    """Rows (*by, flows, packets_up, packets_down, bytes_up, bytes_down), by words of the table of keys above.

    `by` months or days tells them apart; of a month whose days are gone the day is None. Of one organisation, or of all
    and of what belongs to none. Raises KeyError.
    """
    keys = [_KEYS[word] for word in by]
    times = [word for word in ("month", "day") if word in by]
    number = f"(station_id << {_BITS}) | whose_id" if "device" in by else "whose_id"
    house = "device" not in by and window.device_id is None
    rows = _HOUSE + _HOUSE_LESS if house else _PARTS + _LESS
    whose = _OF_SITE + (_OF_DEVICE if window.device_id is not None else "")
    parts = rows.format(whose=whose + (_OF_ORGANISATION if organisation is not None else ""))
    summed = (
        f"SELECT {', '.join([*times, f'{number} AS number', *(f'sum({count}) AS {count}' for count in COUNTS)])}"
        f" FROM ({parts}) GROUP BY {', '.join([*times, 'number'])} HAVING sum(flows) OR sum(packets_up + packets_down)"
    )
    grouped = ", ".join(str(each) for each in range(1, len(keys) + 1))
    query = (
        f"SELECT {', '.join([*keys, _SUMS])} FROM ({summed}) p LEFT JOIN whose o ON o.id = p.number & {(1 << _BITS) - 1}"
        f" LEFT JOIN station t ON t.id = p.number >> {_BITS}"
        + (f" GROUP BY {grouped} ORDER BY {grouped}" if keys else "")
    )
    asked = {**_asked(db, window, days="day" in by), "organisation": organisation}
    return [row for row in db.execute(query, asked) if row[-1] is not None]


class Owned(NamedTuple):
    """Whose something is: what rows of `whose` say, None where nobody knows."""

    party: str
    organisation: str | None
    country: str | None
    confidence: str | None


def read_share_columns(db: sqlite3.Connection, window: Window) -> whose_columns.Columns:
    """Columns (station and number of `Owned` as one pair, bytes up, bytes down), in order of the pairs."""
    asked, device = _asked(db, window, days=False), window.device_id
    whole = []
    if device is None:  # what takes SQLite long is to sort a year of pairs
        whole = whose_columns.read_months(db, window.site_id, json.loads(str(asked["whole"])))
        asked["whole"] = "[]"
    whose = _OF_SITE + (_OF_DEVICE if device is not None else "")
    parts = f"({_PARTS.format(whose=whose)} {_LESS.format(whose=whose)})"
    rest = read_columns(db, (f"(station_id << {_BITS}) | whose_id", "bytes_up", "bytes_down"), parts, asked)
    return whose_columns.added([*whole, whose_columns.Columns(*rest)])


def _mostly(window: Window, months: Iterable[int]) -> list[int]:
    """Those of which more days lie in the window than beside it."""
    out = []
    for month in months:
        begin, end = (_first_day(each) for each in (month, month + 1))
        inside = min(window.days[1] + 1, end) - max(window.days[0], begin)
        if 2 * inside > end - begin:
            out.append(month)
    return out


def _first_day(month: int) -> int:
    return (date(month // 12, month % 12 + 1, 1) - date(1970, 1, 1)).days


def read_owned(db: sqlite3.Connection) -> dict[int, Owned]:
    """All that `read_share_columns` may name."""
    rows = db.execute(f"SELECT id, {_LABELS} FROM whose")
    known = {number: Owned(party, *(text or None for text in texts)) for number, party, *texts in rows}
    return {0: Owned("unknown", None, None, None), **known}


def met_in_months(db: sqlite3.Connection, site_id: int, first: int, last: int) -> Ints:
    """Pairs (station, number of `Owned`; see `whose_columns`) of all that was met in whole months, both included."""
    months = whose_columns.read_months(db, site_id, range(first, last + 1))
    return np.unique(np.concatenate([np.empty(0, np.int64), *(month.pairs for month in months)]))


def has_days(db: sqlite3.Connection, month: int, days: range) -> bool:
    """Whether anything is known of some of these days of a month by themselves; the days of older months are gone."""
    asked = month, days.start, days.stop
    return bool(days) and db.execute(
        "SELECT EXISTS (SELECT 1 FROM whose_day WHERE month = ? AND day >= ? AND day < ?)", asked
    ).fetchone() == (1,)


def met_in_days(db: sqlite3.Connection, site_id: int, month: int, days: range, pairs: Ints) -> Ints:
    """Which of these pairs were met on one of these days of a month: few are looked up by key."""
    met = (
        f"json_each(?) k CROSS JOIN json_each(?) d CROSS JOIN whose_day w ON w.month = ?"
        f" AND w.day = d.value AND w.station_id = k.value >> {_BITS} AND w.site_id = ?"
        f" AND w.whose_id = k.value & {(1 << _BITS) - 1}"
    )
    asked = json.dumps(pairs.tolist()), json.dumps(list(days)), month, site_id
    return np.unique(read_columns(db, ("k.value",), met, asked)[0])


def met_before(db: sqlite3.Connection, site_id: int, month: int, day: int) -> Ints:
    """Pairs of all that was met in a month before one of its days: the month less the days since."""
    counted = "flows + packets_up + packets_down"
    met = (
        f"(SELECT key FROM (SELECT (station_id << {_BITS}) | whose_id AS key, {counted} AS number FROM whose_month"
        f" WHERE month = ?1 AND site_id = ?2 UNION ALL SELECT (station_id << {_BITS}) | whose_id, -({counted})"
        " FROM whose_day WHERE month = ?1 AND day >= ?3 AND site_id = ?2) GROUP BY key HAVING sum(number) > 0)"
    )
    return read_columns(db, ("key",), met, (month, site_id, day))[0]


def _asked(db: sqlite3.Connection, window: Window, *, days: bool) -> dict[str, object]:
    """What the query is given. Asked by days, no month comes as a whole.

    A month of which the window has most days (`mostly`) is the whole month less the others: the same, and few rows.
    """
    (first_day, last_day), (first_month, last_month) = window.days, window.months
    whole = [] if days else list(range(first_month + 1, last_month))
    for month in {first_month, last_month} if not days else ():
        begin, end = db.execute(_ENDS, (month,)).fetchone()
        if begin is None or (first_day <= begin and end <= last_day):
            whole.append(month)
    parted = [month for month in range(first_month, last_month + 1) if month not in whole]
    mostly = [] if days else _mostly(window, parted)
    return {
        "site": window.site_id, "device": window.device_id, "first_day": first_day, "last_day": last_day,
        "whole": json.dumps([*whole, *mostly]), "mostly": json.dumps(mostly),
        "parted": json.dumps([month for month in parted if month not in mostly]),
    }  # fmt: skip
