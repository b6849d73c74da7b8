"""Which destinations were met in a stretch of days, by number, and the verdicts that tell whose they are.

For sums over a whole house: rows carry numbers only, and texts are read once for those that are shown.

Rule: as in `reached`: single days as long as flows are kept, else whole months; the newest month's verdict speaks.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from daemon.store.columns import Ints, read_columns
from daemon.store.destination_columns import main_of
from daemon.store.gathered import Gathered, gather
from daemon.store.whose_columns import BITS
from daemon.store.window import Window

_COLUMNS = {"device_id": "device", "verdict_id": "verdict"}  # of `Met` -> of `Gathered`
_MANY = 2_000  # verdicts, from which on all are read as quickly
# Each half by an index of its own: a verdict is mostly text.
_EVERY = """(
    SELECT id, whose_id, asn FROM verdict WHERE whose_id IS NOT NULL
    UNION ALL SELECT id, whose_id, asn FROM verdict WHERE whose_id IS NULL
)"""
_OF_COMPANY = "SELECT id FROM verdict WHERE organisation IS ?"
_BETWEEN = "\n"
_TOGETHER = "count(*), group_concat(t.id), group_concat(t.{}, char(10))"  # two thirds of the time of a row each
_CALLED = """
    SELECT DISTINCT organisation, called FROM verdict
    WHERE organisation IN (SELECT value FROM json_each(?)) AND called IS NOT NULL AND called <> organisation ORDER BY 1, 2
"""
_VERDICTS = """
    SELECT id, party, organisation, coalesce(called, organisation), purpose, country, country_confidence, asn,
        registrable_domain, infrastructure, rule_id, reason
    FROM verdict WHERE id IN (SELECT value FROM json_each(?))
"""


class Met(NamedTuple):
    """What a device had to do with one destination. Bytes as the device sees them, times in microseconds."""

    device_id: int  # 0: no end of it is a device
    named: int  # the number of a name; below 0 that of an address; 0 where neither is kept
    verdict_id: int  # 0: not judged yet
    flows: int
    packets_up: int
    packets_down: int
    bytes_up: int
    bytes_down: int
    first_us: int
    last_us: int
    main_id: int  # the address (`remote`) with most bytes

    @property
    def bytes(self) -> int:
        """Both ways."""
        return self.bytes_up + self.bytes_down


class Label(NamedTuple):
    """What a verdict says; None where nobody knows."""

    party: str
    organisation: str | None
    called: str | None  # the company as people know it: `Ring (Amazon)`
    purpose: str | None
    country: str | None
    confidence: str | None
    asn: int | None
    registrable_domain: str | None
    infrastructure: str | None
    rule_id: str | None
    reason: str | None


UNJUDGED = Label("unknown", None, None, None, None, None, None, None, None, None, None)


_new = tuple.__new__  # makes a NamedTuple in less than half the time of its own constructor; the order is the fields'


def read_met(db: sqlite3.Connection, window: Window) -> list[Met]:
    """Every destination of every device in the days and months that a window touches."""
    return met_of(gather(db, window))


def met_of(gathered: Gathered) -> list[Met]:
    """Rows of columns."""
    columns = [getattr(gathered, _COLUMNS.get(word, word)) for word in Met._fields[:-1]]
    rows = zip(*(column.tolist() for column in columns), main_of(gathered.main).tolist(), strict=True)
    return [_new(Met, row) for row in rows]


def read_met_of_company(db: sqlite3.Connection, window: Window, company: str | None) -> list[Met]:
    """The same of what was judged to belong to a company in some of the months; None: to nobody that is known."""
    verdicts = {number for (number,) in db.execute(_OF_COMPANY, (company,))}
    return met_of(gather(db, window, verdicts if company is not None else {0, *verdicts}))


def read_called(db: sqlite3.Connection, organisations: Iterable[str]) -> dict[str, list[str]]:
    """Other names under which people know these organisations."""
    out: dict[str, list[str]] = {}
    for organisation, called in db.execute(_CALLED, (json.dumps(sorted(organisations)),)):
        out.setdefault(organisation, []).append(called)
    return out


def read_labels(db: sqlite3.Connection, verdicts: Iterable[int]) -> dict[int, Label]:
    """The verdicts of these numbers."""
    rows = db.execute(_VERDICTS, (json.dumps(sorted(verdicts)),))
    return {0: UNJUDGED, **{row[0]: _new(Label, row[1:]) for row in rows}}


def read_said(
    db: sqlite3.Connection, verdicts: Iterable[int], words: Sequence[str]
) -> dict[str, dict[int, str | None]]:
    """Word of `Label` that is a text -> verdict -> what it says: of thousands of verdicts, in a quarter of the time."""
    numbers = sorted(verdicts)
    told = ", ".join(f"group_concat(coalesce(v.{word}, ''), char(10))" for word in words)
    these = "json_each(?) n CROSS JOIN verdict v ON v.id = n.value"
    query = f"SELECT count(*), group_concat(v.id), {told} FROM {these}"
    many, known, *wholes = db.execute(query, (json.dumps(numbers),)).fetchone()
    texts = [(whole or "").split(_BETWEEN) for whole in wholes]
    if any(len(each) != many for each in texts):  # there is none, or one has in it what stands between them
        labels = read_labels(db, numbers)
        return {word: {number: getattr(label, word) for number, label in labels.items()} for word in words}
    ids = np.fromstring(known, np.int64, sep=",").tolist()
    return {
        word: {0: getattr(UNJUDGED, word), **dict(zip(ids, (text or None for text in each), strict=True))}
        for word, each in zip(words, texts, strict=True)
    }


def read_networks(db: sqlite3.Connection, verdicts: Sequence[int]) -> tuple[Ints, Ints, Ints]:
    """Columns (verdict, number of `whose_days.Owned`, number of the network) of these; -1 where there is none."""
    few = len(verdicts) <= _MANY
    these = "verdict WHERE id IN (SELECT value FROM json_each(?))" if few else _EVERY
    columns = (f"(id << {BITS}) | coalesce(whose_id, 0)", "coalesce(asn, -1)")
    pairs, network = read_columns(db, columns, these, (json.dumps(list(verdicts)),) if few else ())
    asked = np.flatnonzero(np.isin(pairs >> BITS, np.array(verdicts, np.int64)))
    whose = pairs[asked] & ((1 << BITS) - 1)
    return pairs[asked] >> BITS, np.where(whose > 0, whose, -1), network[asked]


def whose_of(db: sqlite3.Connection, verdicts: Ints) -> Ints:
    """The numbers of `whose_days.Owned` of these verdicts, 0 where there is none. `verdicts` are in order, each once."""
    asked = (json.dumps(verdicts.tolist()),) if len(verdicts) <= _MANY else ()
    these = " AND id IN (SELECT value FROM json_each(?))" if asked else ""
    (pairs,) = read_columns(db, (f"(id << {BITS}) | whose_id",), f"verdict WHERE whose_id IS NOT NULL{these}", asked)
    pairs.sort(kind="stable")
    known, whose = pairs >> BITS, pairs & ((1 << BITS) - 1)
    at = np.searchsorted(known[:-1], verdicts)
    return np.where(known[at] == verdicts, whose[at], 0) if len(known) else np.zeros(len(verdicts), np.int64)


def read_texts(db: sqlite3.Connection, named: Iterable[int]) -> dict[int, str]:
    """Names, and addresses below 0, of these numbers."""
    wanted = set(named)
    found: dict[int, str] = {}
    for table, column, sign in (("name", "text", 1), ("remote", "address", -1)):
        numbers = json.dumps(sorted(sign * number for number in wanted if sign * number > 0))
        these = f"json_each(?) n CROSS JOIN {table} t ON t.id = n.value"
        many, told, whole = db.execute(f"SELECT {_TOGETHER.format(column)} FROM {these}", (numbers,)).fetchone()
        texts = (whole or "").split(_BETWEEN)
        if len(texts) == many:
            found.update(zip((sign * np.fromstring(told, np.int64, sep=",")).tolist(), texts, strict=True))
        elif many:  # one of them has in it what stands between them
            found.update(db.execute(f"SELECT {sign} * t.id, t.{column} FROM {these}", (numbers,)))
    return found


def read_addresses(db: sqlite3.Connection, remotes: Iterable[int]) -> Mapping[int, str]:
    """Addresses of these numbers."""
    return {-number: text for number, text in read_texts(db, [-remote for remote in remotes]).items()}
