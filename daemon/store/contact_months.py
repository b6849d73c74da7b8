"""What every device had to do with every destination, month by month, as columns: years of it are half a million rows.

Reading only; a month is its number (`daemon.store.calendar`).

Rule 1: a place is a registrable domain, else a name, else an address; equal texts are one place. Texts are read for the
        places that are shown.
Rule 2: owners are in order of party, organisation, country, so that of equals the first can be told by number.
Rule 3: months whose days are gone come from `destination_columns`, the others from the sums of their days.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import islice, pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from daemon.classify.vocabulary import UNKNOWN
from daemon.store.columns import Ints, Narrow, read_columns, told
from daemon.store.destination_columns import KEYS, Part, read_parts, read_ways
from daemon.store.judged import verdicts_of
from daemon.store.station_devices import read_device_column
from daemon.store.whose import read_texts
from daemon.store.whose_days import read_owned
from daemon.store.window import Window

NOWHERE = -(1 << 31)  # the place of what is not kept but for its owner
_NO_DAYS = (1, 0)
_OCTETS = ("bytes_up", "bytes_down")
_OF_PART = {
    True: ("station", "named", "verdict", *_OCTETS),
    False: (*KEYS, *_OCTETS),
}  # whether all ways are of the site

_OF_DEVICE = "AND station_id IN (SELECT id FROM station WHERE device_id = :device)"
_BITS = 32  # of a destination, beside its station: to read two columns takes twice as long
_DAY = (f"(station_id << {_BITS}) + iif(name_id, name_id, -remote_id)", "bytes", "way_id")
_DAYS = "destination_sum WHERE month = :month {of}"
_WHOSE = """
    SELECT coalesce(group_concat(v.id), ''), coalesce(group_concat(coalesce(whose_id, 0)), ''),
        json_group_array(registrable_domain) FROM {verdicts} v
"""
_THESE = "(SELECT d.* FROM json_each(?) n CROSS JOIN verdict d ON d.id = n.value)"
_FEW = 10_000  # verdicts, up to which it is quicker to look each up than to read what years have left
_UNNUMBERED = "SELECT id, party, organisation, country, country_confidence FROM verdict WHERE whose_id IS NULL"
_SAME = "SELECT address, id FROM remote WHERE address IN (SELECT value FROM json_each(?))"
_STATIONS = """
    SELECT id, coalesce(device_id, 0) FROM (SELECT id, device_id, site_id FROM station UNION ALL SELECT 0, 0, :site)
    WHERE site_id = :site AND (:device IS NULL OR device_id = :device)
"""
# By the keys of both tables: whether a station met anybody in a month is one look, and all rows of years are many.
_MET = """
    SELECT value FROM json_each(:stations) t WHERE EXISTS (
        SELECT 1 FROM destination_sum d JOIN way w ON w.id = d.way_id AND w.site_id = :site
        WHERE d.month = :month AND d.station_id = t.value
    ) OR EXISTS (
        SELECT 1 FROM destination_month d JOIN way w ON w.id = d.way_id AND w.site_id = :site
        WHERE d.month = :month AND d.station_id = t.value
    )
"""


class Owner(NamedTuple):
    """Whose a destination is, what it is to the device, and where; None where nobody knows."""

    party: str
    organisation: str | None
    country: str | None
    confidence: str | None


class Places:
    """Texts of places by number: below 0 addresses, which are read when they are asked for."""

    def __init__(self, db: sqlite3.Connection | None = None) -> None:
        self._db = db
        self._texts: list[str] = []
        self._numbers: dict[str, int] = {}
        self._addresses: dict[int, str] = {}

    def number(self, text: str) -> int:
        """The number of a text."""
        known = self._numbers.get(text)
        if known is None:
            known = self._numbers[text] = len(self._texts)
            self._texts.append(text)
        return known

    def numbers(self, texts: Iterable[str]) -> list[int]:
        """The numbers of texts: as `number` of each."""
        known = self._numbers
        found = [known.setdefault(text, len(known)) for text in texts]
        self._texts += islice(known, len(self._texts), None)
        return found

    def texts(self, places: Iterable[int]) -> dict[int, str]:
        """What these are called."""
        wanted = set(places)
        found = {place: self._texts[place] for place in wanted if place >= 0}
        found.update((place, self._addresses[place]) for place in wanted if place in self._addresses)
        addresses = wanted - found.keys()
        if addresses and self._db is not None:
            found.update(read_texts(self._db, addresses))
        return found

    def learn(self, places: Narrow) -> None:
        """Read all that these need, for who will ask for thousands, bit by bit."""
        if not self._addresses and self._db is not None:
            self._addresses = read_texts(self._db, np.unique(places[places < 0]).tolist())


class ContactMonths(NamedTuple):
    """A row each (month, device, destination, verdict), in no order; `device` 0: no end of it is a device."""

    month: Narrow
    device: Narrow
    place: Narrow  # of `places`, or NOWHERE
    owner: Narrow  # of `owners`
    bytes: Ints  # both ways
    places: Places
    owners: Sequence[Owner]

    def rows(self, which: npt.NDArray[np.bool_] | Ints) -> ContactMonths:
        """Some of the rows."""
        return self._replace(**{word: getattr(self, word)[which] for word in ContactMonths._fields[:5]})

    def added(self) -> ContactMonths:
        """Rows that are alike in all but their bytes as one."""
        order = np.lexsort(self[:4])
        keys = [column[order] for column in self[:4]]
        differ = np.any([key[1:] != key[:-1] for key in keys], axis=0)
        begins = np.flatnonzero(np.concatenate((np.ones(min(len(order), 1), bool), differ)))
        octets = np.add.reduceat(self.bytes[order], begins) if len(begins) else self.bytes
        return ContactMonths._make([*(key[begins] for key in keys), octets, *self[5:]])

    def wide(self) -> ContactMonths:
        """The same in numbers that can be multiplied with each other."""
        return self._replace(**{word: getattr(self, word).astype(np.int64) for word in ContactMonths._fields[:5]})


class _Piece(NamedTuple):
    month: Narrow
    device: Narrow
    named: Narrow
    verdict: Narrow
    bytes: Ints

    def narrow(self) -> _Piece:
        return _Piece._make([*(column.astype(np.int32) for column in self[:4]), self.bytes])


def last_met(
    db: sqlite3.Connection, before: int, months: Iterable[int], site: int, device: int | None
) -> dict[int, int]:
    """Of each device the last month before `before` in which it met anybody; `months` are all that there are."""
    found: dict[int, int] = {}
    left = db.execute(_STATIONS, {"site": site, "device": device}).fetchall()
    for month in sorted({month for month in months if month < before}, reverse=True):
        stations = json.dumps([station for station, _ in left])
        met = {row[0] for row in db.execute(_MET, {"stations": stations, "site": site, "month": month})}
        found.update((of, month) for station, of in left if station in met)
        left = [(station, of) for station, of in left if of not in found]  # mostly nobody, after the first month
        if not left:
            break
    return found


def read_contact_months(
    db: sqlite3.Connection, months: Collection[int], site: int, device: int | None = None, places: Places | None = None
) -> ContactMonths:
    """All contacts of these months; of one device, or of all. `places`: those of other contacts, whose numbers stay."""
    pieces = [_Piece(*(np.zeros(0, np.int64) for _ in _Piece._fields)).narrow()]
    for first, last in _runs(months):
        pieces += (piece.narrow() for piece in _pieces(db, first, last, site, device))
    whole = _Piece._make(np.concatenate(columns) for columns in zip(*pieces, strict=True))
    del pieces
    places = places or Places(db)
    domain, owner, owners = _verdicts(db, places, whole.verdict)
    place = domain[whole.verdict]
    unknown = place == NOWHERE
    bare = np.where(unknown, whole.named, 0)
    place = np.where(bare < 0, bare, place)
    names, at = np.unique(bare[bare > 0], return_inverse=True)
    if len(names):
        place[bare > 0] = _places_of(db, places, names)[at]
    return ContactMonths(whole.month, whole.device, place, owner[whole.verdict], whole.bytes, places, owners)


def _places_of(db: sqlite3.Connection, places: Places, names: Narrow) -> Narrow:
    """The places of names, by their numbers; one that reads like an address is that address."""
    texts = read_texts(db, names.tolist())
    alike = dict(db.execute(_SAME, (json.dumps([text for text in texts.values() if _may_be(text)]),)))
    called = [texts[number] for number in names.tolist()]
    return np.array([-alike[text] if text in alike else places.number(text) for text in called], np.int32)


def _may_be(text: str) -> bool:
    """Whether a name may be an address in text form."""
    return ":" in text or text[-1:].isdigit()


def _runs(months: Collection[int]) -> list[tuple[int, int]]:
    """Months as (first, last) of those in a row."""
    ordered = sorted(set(months))
    ends = [at for at, (one, other) in enumerate(pairwise(ordered), 1) if other != one + 1]
    cuts = [0, *ends, len(ordered)]
    return [(ordered[begin], ordered[end - 1]) for begin, end in pairwise(cuts) if end > begin]


def _pieces(db: sqlite3.Connection, first: int, last: int, site: int, device: int | None) -> Iterator[_Piece]:
    ways, device_of = read_ways(db), read_device_column(db)
    alone = bool(np.isin(ways.site, (0, site)).all())  # then no row's way needs to be looked at
    for part in read_parts(db, Window(site, 0, 0, _NO_DAYS, (first, last), device), ways, _OF_PART[alone]):
        yield _of_part(part, device_of, slice(None) if alone else ways.site[part.columns.way] == site)
    of = "" if device is None else _OF_DEVICE
    for month in range(first, last + 1):
        asked = {"month": month, "device": device}
        keys, octets, *way = read_columns(db, _DAY[:2] if alone else _DAY, _DAYS.format(of=of), asked)
        if not len(keys):  # its days are gone
            continue
        ours = slice(None) if alone else ways.site[way[0]] == site
        station = (keys[ours] + (1 << (_BITS - 1))) >> _BITS
        who, named = device_of[station], keys[ours] - (station << _BITS)
        verdict = verdicts_of(db, month, site, who, named, only=device)
        yield _Piece(np.full(len(who), month), who, named, verdict, octets[ours])


def _of_part(part: Part, device_of: Ints, ours: slice | npt.NDArray[np.bool_]) -> _Piece:
    """Some rows of what is left of the days of a month."""
    station, named, verdict, up, down = (
        getattr(part.columns, word)[ours] for word in ("station", "named", "verdict", *_OCTETS)
    )
    month = np.full(len(station), part.month, np.int32)
    return _Piece(month, device_of[station], named, verdict, up.astype(np.int64) + down)


def _verdicts(db: sqlite3.Connection, places: Places, wanted: Narrow) -> tuple[Narrow, Narrow, list[Owner]]:
    """By the number of a verdict, of those wanted: the place of its registrable domain, and its owner; and all owners."""
    nobody = Owner(UNKNOWN, None, None, None)
    of_number = {number: Owner._make(owned) for number, owned in read_owned(db).items()}
    others = {number: Owner._make(rest) for number, *rest in db.execute(_UNNUMBERED)}  # as good as never
    owners = sorted({nobody, *of_number.values(), *others.values()}, key=order_of)
    at = {owner: place for place, owner in enumerate(owners)}
    there = np.zeros(int(wanted.max(initial=0)) + 1, bool)
    there[wanted] = True
    these = np.flatnonzero(there).tolist()
    few = len(these) <= _FEW
    asked = (json.dumps(these),) if few else ()
    ((*numbers, domains),) = db.execute(_WHOSE.format(verdicts=_THESE if few else "verdict"), asked)
    verdict, whose = (np.fromstring(text, np.int64, sep=",") for text in numbers)
    size = max(len(there), int(verdict.max(initial=0)) + 1)
    domain_of, owner_of = (np.full(size, number, np.int32) for number in (NOWHERE, at[nobody]))
    owner_of[verdict] = told(whose, {number: at[owner] for number, owner in of_number.items()}, at[nobody])
    for number in others.keys() & these:
        owner_of[number] = at[others[number]]
    called = json.loads(domains)
    known = [domain for domain in dict.fromkeys(called) if domain is not None]
    place_of = {None: NOWHERE, **dict(zip(known, places.numbers(known), strict=True))}
    domain_of[verdict] = np.array([place_of[domain] for domain in called], np.int32)
    return domain_of, owner_of, owners


def order_of(owner: Owner) -> list[tuple[bool, str]]:
    """A key by which owners are in order: what nobody knows comes first."""
    return [(text is not None, text or "") for text in owner]
