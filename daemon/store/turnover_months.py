"""News of months that are over, as a report found it (`daemon.report.turnover`): here it is put away and taken out.

Beside it the contacts that the month at hand is compared with: of each device those of the last month in which it had any.

Rule 1: what is kept holds. It goes with the first mark (`whose_stale`) on what it was found in; while there are marks that
        nobody has followed yet nothing is kept, as a second mark would not be heard.
Rule 2: numbers of devices and addresses are those of the database; all other texts lie beside the columns, an owner as one:
        most are those of the month before, and are then not taken apart.
"""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from daemon.store.columns import Ints, Narrow, pack, unpack
from daemon.store.contact_months import Owner

_LEVEL = 6  # what is read often, and written once
_KEEP = "INSERT OR REPLACE INTO turnover_month VALUES (?, ?, ?, ?, ?)"
_KEPT = "SELECT month FROM turnover_month WHERE site_id = ? ORDER BY month"
_READ = """
    SELECT month, since, texts, packed FROM turnover_month
    WHERE site_id = ? AND month IN (SELECT value FROM json_each(?)) ORDER BY month
"""
_KEEP_BEFORE = "INSERT OR REPLACE INTO turnover_before VALUES (?, ?, ?, ?)"
_IS_BEFORE = "SELECT EXISTS (SELECT 1 FROM turnover_before WHERE site_id = ? AND month = ?)"
_BEFORE = "SELECT texts, packed FROM turnover_before WHERE site_id = ? AND month = ?"


class Texts(NamedTuple):
    """What numbers in columns stand for."""

    places: Sequence[str]
    owners: Sequence[str]  # as `written`
    parties: Sequence[str] = ()


class Kept(NamedTuple):
    """News of one month; columns are of equal length, a row each piece, in the order of the report."""

    month: int
    since: int  # the earliest month that it was compared with; 0 where a device was seen for the first time
    texts: Texts
    columns: Sequence[Narrow]


def keep(db: sqlite3.Connection, site_id: int, news: Kept) -> None:
    """Put the news of a month away. In the caller's transaction."""
    packed = pack(news.columns, compress=True)
    db.execute(_KEEP, (site_id, news.month, news.since, _deflated(news.texts), packed))


def may_keep(db: sqlite3.Connection) -> bool:
    """Whether what is kept now would be heard of when it no longer holds."""
    return db.execute("SELECT 1 FROM whose_stale LIMIT 1").fetchone() is None


def months_kept(db: sqlite3.Connection, site_id: int) -> list[int]:
    """The months whose news is kept."""
    return [month for (month,) in db.execute(_KEPT, (site_id,))]


def read_kept(db: sqlite3.Connection, site_id: int, months: Collection[int]) -> Iterator[Kept]:
    """What is kept of these months, in their order."""
    for month, since, texts, packed in db.execute(_READ, (site_id, json.dumps(sorted(months)))):
        yield Kept(month, since, _inflated(texts), unpack(packed))


def keep_before(db: sqlite3.Connection, site_id: int, month: int, texts: Texts, columns: Sequence[Narrow]) -> None:
    """Put away what a month is compared with, in place of what another was. In the caller's transaction."""
    db.execute(_KEEP_BEFORE, (site_id, month, _deflated(texts), pack(columns, compress=True)))


def is_before(db: sqlite3.Connection, site_id: int, month: int) -> bool:
    """Whether it is known what this month is compared with."""
    return bool(db.execute(_IS_BEFORE, (site_id, month)).fetchone()[0])


def read_before(db: sqlite3.Connection, site_id: int, month: int) -> tuple[Texts, Sequence[Narrow]] | None:
    """What this month is compared with; None where that is not kept."""
    row = db.execute(_BEFORE, (site_id, month)).fetchone()
    return None if row is None else (_inflated(row[0]), unpack(row[1]))


def written(owner: Owner) -> str:
    """An owner as a text."""
    return json.dumps(owner, separators=(",", ":"))


def taken_apart(texts: Iterable[str]) -> list[Owner]:
    """The owners again."""
    return [Owner._make(each) for each in json.loads(f"[{','.join(texts)}]")]


def numbered(numbers: Narrow) -> tuple[list[int], Ints]:
    """Those that are not below 0 anew, from 0 on: what each stands for, and all of them; the others stay."""
    known, at = np.unique(numbers, return_inverse=True)
    low = int(np.searchsorted(known, 0))
    return known[low:].tolist(), np.where(numbers < 0, numbers, at - low)


def renumbered(numbers: Narrow, anew: Sequence[int]) -> Narrow:
    """Others in the place of `numbered` ones; those below 0 stay."""
    return np.where(numbers < 0, numbers, np.array([*anew, 0], np.int32)[np.maximum(numbers, 0)])


def _deflated(texts: Texts) -> bytes:
    return zlib.compress(json.dumps(texts).encode(), _LEVEL)


def _inflated(deflated: bytes) -> Texts:
    return Texts._make(json.loads(zlib.decompress(deflated)))
